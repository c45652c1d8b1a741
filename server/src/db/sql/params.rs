//! What goes into a statement: `?1` is the first.

use rusqlite::types::ToSql;

use super::Result;

/// Values in order: an array of one type, a tuple of several, or `params!` for many.
pub trait Params {
    fn each(&self, take: &mut dyn FnMut(&dyn ToSql) -> Result<()>) -> Result<()>;
}

/// Values of any types and number.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$(&$value as &dyn $crate::db::sql::types::ToSql),*] as &[&dyn $crate::db::sql::types::ToSql]
    };
}
pub(crate) use params;

/// None.
impl Params for [&dyn ToSql; 0] {
    fn each(&self, _: &mut dyn FnMut(&dyn ToSql) -> Result<()>) -> Result<()> {
        Ok(())
    }
}

impl Params for &[&dyn ToSql] {
    fn each(&self, take: &mut dyn FnMut(&dyn ToSql) -> Result<()>) -> Result<()> {
        self.iter().try_for_each(|value| take(value))
    }
}

macro_rules! of_arrays {
    ($($n:literal)*) => {$(
        impl<T: ToSql> Params for [T; $n] {
            fn each(&self, take: &mut dyn FnMut(&dyn ToSql) -> Result<()>) -> Result<()> {
                self.iter().try_for_each(|value| take(value))
            }
        }
    )*};
}
of_arrays!(1 2 3 4 5 6 7 8);

macro_rules! of_tuples {
    ($(($($name:ident)*))*) => {$(
        impl<$($name: ToSql),*> Params for ($($name,)*) {
            fn each(&self, take: &mut dyn FnMut(&dyn ToSql) -> Result<()>) -> Result<()> {
                #[expect(non_snake_case, reason = "a value has its type's name")]
                let ($($name,)*) = self;
                $(take($name)?;)*
                Ok(())
            }
        }
    )*};
}
of_tuples! {
    (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
    (A B C D E F G H I) (A B C D E F G H I J) (A B C D E F G H I J K) (A B C D E F G H I J K L)
    (A B C D E F G H I J K L M) (A B C D E F G H I J K L M N) (A B C D E F G H I J K L M N O)
    (A B C D E F G H I J K L M N O P)
}
