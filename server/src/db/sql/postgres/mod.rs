//! PostgreSQL behind the house's statements.
//!
//! The client waits on the thread that asks; see `Db` for threads that may not. Writers take turns by one
//! lock of the whole database, as SQLite's do: what the house reads before it writes holds until it has.

mod error;
mod value;

use std::cell::{Cell, RefCell, RefMut};
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use postgres::types::ToSql;
use postgres::{Client, Row, Statement};

pub use error::Failure;
pub use value::{Given, Got};

use super::{Error, Params, Result};

/// How long a writer waits for another one.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// By which writers take turns: `portico`.
const WRITERS: i64 = 0x70_6f_72_74_69_63_6f;

/// Statements kept ready; there are fewer in the house.
const KEPT_MAX: usize = 512;

pub struct Session {
    /// Gone only when the session goes.
    client: RefCell<Option<Client>>,
    kept: RefCell<HashMap<String, Statement>>,
    is_in_transaction: Cell<bool>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl Session {
    pub fn new(client: Client) -> Result<Self> {
        let session = Self {
            client: RefCell::new(Some(client)),
            kept: RefCell::default(),
            is_in_transaction: Cell::new(false),
        };
        session.batch(&format!(
            "SET lock_timeout = {}; SET client_min_messages = warning",
            LOCK_TIMEOUT.as_millis()
        ))?;
        Ok(session)
    }

    /// Whether its server has closed it; asks nothing of the server.
    pub fn is_lost(&self) -> bool {
        let mut client = self.client.borrow_mut();
        client
            .as_mut()
            .is_none_or(|client| client.is_closed() || client.check_connection().is_err())
    }

    pub fn begin(&self) -> Result<()> {
        let begun = self.batch(&format!("BEGIN; SELECT pg_advisory_xact_lock({WRITERS})"));
        self.is_in_transaction.set(true);
        begun.inspect_err(|_| self.roll_back())
    }

    pub fn commit(&self) -> Result<()> {
        self.batch("COMMIT")?;
        self.is_in_transaction.set(false);
        Ok(())
    }

    /// What was begun and not committed.
    pub fn roll_back(&self) {
        if self.is_in_transaction.replace(false)
            && let Err(error) = self.batch("ROLLBACK")
        {
            tracing::warn!(%error, "a transaction was not rolled back");
        }
    }

    pub fn batch(&self, sql: &str) -> Result<()> {
        Ok(self.client()?.batch_execute(sql).map_err(Failure::from)?)
    }

    pub fn prepare(&self, sql: &str) -> Result<Statement> {
        if let Some(statement) = self.kept.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client()?.prepare(&numbered(sql)).map_err(|error| {
            let failure = Failure::from(error);
            tracing::debug!(%failure, sql, "a statement is refused");
            failure
        })?;
        let mut kept = self.kept.borrow_mut();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// How many rows it changed.
    pub fn execute(&self, statement: &Statement, params: &impl Params) -> Result<usize> {
        let given = given(params)?;
        self.in_turn(|| {
            let n = self.client()?.execute(statement, &refs(&given)).map_err(Failure::from)?;
            Ok(usize::try_from(n).unwrap_or(usize::MAX))
        })
    }

    /// All rows; `writes` where it changes some on the way.
    pub fn query(
        &self,
        statement: &Statement,
        params: &impl Params,
        writes: bool,
    ) -> Result<Vec<Row>> {
        let given = given(params)?;
        let query = || Ok(self.client()?.query(statement, &refs(&given)).map_err(Failure::from)?);
        match writes {
            true => self.in_turn(query),
            false => query(),
        }
    }

    /// Writes in a transaction: that which is open, else one of its own.
    fn in_turn<T>(&self, write: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.is_in_transaction.get() {
            return write();
        }
        self.begin()?;
        let written = write().and_then(|written| self.commit().map(|()| written));
        written.inspect_err(|_| self.roll_back())
    }

    fn client(&self) -> Result<RefMut<'_, Client>> {
        let client = RefMut::filter_map(self.client.borrow_mut(), Option::as_mut);
        client.map_err(|_| Error::from(Failure::lost()))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The client says good-bye, which it cannot where a runtime drives the thread.
        let client = self.client.take();
        std::thread::spawn(move || drop(client));
    }
}

fn given(params: &impl Params) -> Result<Vec<Given>> {
    let mut given = Vec::new();
    params.each(&mut |value| {
        given.push(Given::new(value)?);
        Ok(())
    })?;
    Ok(given)
}

fn refs(given: &[Given]) -> Vec<&(dyn ToSql + Sync)> {
    given.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// `?1` as PostgreSQL has it: `$1`. In texts between quotes it stays.
fn numbered(sql: &str) -> String {
    let mut is_quoted = false;
    let numbered = |c| match c {
        '\'' => {
            is_quoted = !is_quoted;
            c
        }
        '?' if !is_quoted => '$',
        c => c,
    };
    sql.chars().map(numbered).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_numbered_and_texts_stay() {
        assert_eq!(
            numbered("SELECT ?1, '?1', 'it''s ?', ?12 WHERE a = ?1"),
            "SELECT $1, '?1', 'it''s ?', $12 WHERE a = $1"
        );
    }
}
