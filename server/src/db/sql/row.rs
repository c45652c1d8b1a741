//! What does a query find?

use rusqlite::types::{FromSql, ValueRef};

use super::{Error, Result};

/// A column: by its number from 0, or by its name.
pub trait RowIndex: rusqlite::RowIndex {}

impl RowIndex for usize {}

impl RowIndex for &str {}

/// One row, until the next one.
pub struct Row<'a>(pub(super) Found<'a>);

pub(super) enum Found<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
}

impl Row<'_> {
    pub fn get<I: RowIndex, T: FromSql>(&self, index: I) -> Result<T> {
        let (column, value) = self.at(index)?;
        T::column_result(value).map_err(|error| Error::of_column(column, value.data_type(), error))
    }

    /// A value where it lies.
    pub fn get_ref<I: RowIndex>(&self, index: I) -> Result<ValueRef<'_>> {
        Ok(self.at(index)?.1)
    }

    fn at<I: RowIndex>(&self, index: I) -> Result<(usize, ValueRef<'_>)> {
        match &self.0 {
            Found::Sqlite(row) => {
                let column = index.idx(row.as_ref())?;
                Ok((column, row.get_ref(column)?))
            }
        }
    }
}

/// The rows of a query, each found when it is asked for.
pub struct Rows<'a>(pub(super) Finding<'a>);

pub(super) enum Finding<'a> {
    Sqlite(rusqlite::Rows<'a>),
}

impl Rows<'_> {
    #[expect(clippy::should_implement_trait, reason = "a row lives until the next one")]
    pub fn next(&mut self) -> Result<Option<Row<'_>>> {
        match &mut self.0 {
            Finding::Sqlite(rows) => Ok(rows.next()?.map(|row| Row(Found::Sqlite(row)))),
        }
    }
}
