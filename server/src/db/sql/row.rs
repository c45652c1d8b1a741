//! What does a query find?

use rusqlite::types::{FromSql, ValueRef};

use super::postgres::{Failure, Got};
use super::{Error, Result};

/// A column: by its number from 0, or by its name.
pub trait RowIndex: rusqlite::RowIndex {
    fn among(&self, columns: &[postgres::Column]) -> Result<usize>;
}

impl RowIndex for usize {
    fn among(&self, columns: &[postgres::Column]) -> Result<usize> {
        let found = Some(*self).filter(|&column| column < columns.len());
        found.ok_or(Error::Sqlite(rusqlite::Error::InvalidColumnIndex(*self)))
    }
}

impl RowIndex for &str {
    fn among(&self, columns: &[postgres::Column]) -> Result<usize> {
        let found = columns.iter().position(|column| column.name() == *self);
        found.ok_or_else(|| Error::Sqlite(rusqlite::Error::InvalidColumnName((*self).to_owned())))
    }
}

/// One row, until the next one.
pub struct Row<'a>(pub(super) Found<'a>);

pub(super) enum Found<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a postgres::Row),
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
            Found::Postgres(row) => {
                let column = index.among(row.columns())?;
                let Got(value) = row.try_get(column).map_err(Failure::from)?;
                Ok((column, value))
            }
            Found::Sqlite(row) => {
                let column = index.idx(row.as_ref())?;
                Ok((column, row.get_ref(column)?))
            }
        }
    }
}

/// The rows of a query, one after the other.
pub struct Rows<'a>(pub(super) Finding<'a>);

pub(super) enum Finding<'a> {
    Sqlite(rusqlite::Rows<'a>),
    /// They have all come.
    Postgres {
        rows: Vec<postgres::Row>,
        n_given: usize,
    },
}

impl Rows<'_> {
    #[expect(clippy::should_implement_trait, reason = "a row lives until the next one")]
    pub fn next(&mut self) -> Result<Option<Row<'_>>> {
        match &mut self.0 {
            Finding::Postgres { rows, n_given } => {
                let row = rows.get(*n_given);
                *n_given += 1;
                Ok(row.map(|row| Row(Found::Postgres(row))))
            }
            Finding::Sqlite(rows) => Ok(rows.next()?.map(|row| Row(Found::Sqlite(row)))),
        }
    }
}
