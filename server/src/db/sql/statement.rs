//! A statement that is ready to run, as often as one likes.

use super::postgres::Session;
use super::row::Finding;
use super::{Error, Params, Result, Row, Rows};

pub struct Statement<'a>(pub(super) Prepared<'a>);

pub(super) enum Prepared<'a> {
    /// For one use.
    SqliteOnce(rusqlite::Statement<'a>),
    SqliteKept(rusqlite::CachedStatement<'a>),
    Postgres(&'a Session, postgres::Statement, Writes),
}

/// Whether a query changes what it finds.
type Writes = bool;

impl<'a> Statement<'a> {
    pub(super) fn of_session(session: &'a Session, sql: &str) -> Result<Self> {
        let statement = session.prepare(sql)?;
        Ok(Self(Prepared::Postgres(session, statement, sql.contains(" RETURNING "))))
    }

    /// How many rows it changed.
    pub fn execute(&mut self, params: impl Params) -> Result<usize> {
        match &mut self.0 {
            Prepared::SqliteOnce(statement) => bound(statement, &params)?.raw_execute(),
            Prepared::SqliteKept(statement) => bound(statement, &params)?.raw_execute(),
            Prepared::Postgres(session, statement, _) => {
                return session.execute(statement, &params);
            }
        }
        .map_err(Error::from)
    }

    pub fn query(&mut self, params: impl Params) -> Result<Rows<'_>> {
        let rows = match &mut self.0 {
            Prepared::SqliteOnce(statement) => bound(statement, &params)?.raw_query(),
            Prepared::SqliteKept(statement) => bound(statement, &params)?.raw_query(),
            Prepared::Postgres(session, statement, writes) => {
                let rows = session.query(statement, &params, *writes)?;
                return Ok(Rows(Finding::Postgres { rows, n_given: 0 }));
            }
        };
        Ok(Rows(Finding::Sqlite(rows)))
    }

    /// What `map` makes of each row.
    pub fn query_map<T, F: FnMut(&Row<'_>) -> Result<T>>(
        &mut self,
        params: impl Params,
        map: F,
    ) -> Result<Mapped<'_, F>> {
        Ok(Mapped { rows: self.query(params)?, map })
    }

    /// What `map` makes of the first row.
    ///
    /// # Errors
    /// [`Error::QueryReturnedNoRows`]; see [`super::OptionalExtension`].
    pub fn query_row<T>(
        &mut self,
        params: impl Params,
        map: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        map(&self.query(params)?.next()?.ok_or(Error::QueryReturnedNoRows)?)
    }

    /// Whether there is a row.
    pub fn exists(&mut self, params: impl Params) -> Result<bool> {
        Ok(self.query(params)?.next()?.is_some())
    }

    pub fn column_names(&self) -> Vec<String> {
        let statement = match &self.0 {
            Prepared::SqliteOnce(statement) => statement,
            Prepared::SqliteKept(statement) => statement,
            Prepared::Postgres(_, statement, _) => {
                return statement.columns().iter().map(|column| column.name().to_owned()).collect();
            }
        };
        statement.column_names().map(str::to_owned).collect()
    }
}

/// With these values in the place of what it had.
fn bound<'s, 'c>(
    statement: &'s mut rusqlite::Statement<'c>,
    params: &impl Params,
) -> Result<&'s mut rusqlite::Statement<'c>> {
    let mut n = 0;
    params.each(&mut |value| {
        n += 1;
        Ok(statement.raw_bind_parameter(n, value)?)
    })?;
    let expected = statement.parameter_count();
    match n == expected {
        true => Ok(statement),
        false => Err(Error::Sqlite(rusqlite::Error::InvalidParameterCount(n, expected))),
    }
}

pub struct Mapped<'a, F> {
    rows: Rows<'a>,
    map: F,
}

impl<T, F: FnMut(&Row<'_>) -> Result<T>> Iterator for Mapped<'_, F> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let row = self.rows.next().transpose()?;
        Some(row.and_then(|row| (self.map)(&row)))
    }
}
