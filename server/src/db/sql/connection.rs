//! The way to the database, and what happens there together or not at all.

use std::ops::Deref;

use super::postgres::Session;
use super::statement::Prepared;
use super::{Params, Result, Row, Statement};

#[derive(Debug)]
pub struct Connection(pub(in crate::db) Backend);

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there are as many as connections: a few")]
pub(in crate::db) enum Backend {
    Sqlite(rusqlite::Connection),
    Postgres(Session),
}

impl Connection {
    /// One that writes waits for the others to end, and the others for it.
    pub fn transaction(&mut self) -> Result<Transaction<'_>> {
        match &self.0 {
            // One that reads first and writes then would fail at once, however long it may wait, when
            // another connection wrote between.
            Backend::Sqlite(connection) => connection.execute_batch("BEGIN IMMEDIATE")?,
            Backend::Postgres(session) => session.begin()?,
        }
        Ok(Transaction { connection: self })
    }

    pub fn prepare(&self, sql: &str) -> Result<Statement<'_>> {
        match &self.0 {
            Backend::Sqlite(connection) => {
                Ok(Statement(Prepared::SqliteOnce(connection.prepare(sql)?)))
            }
            Backend::Postgres(session) => Statement::of_session(session, sql),
        }
    }

    /// One that is kept for the next time.
    pub fn prepare_cached(&self, sql: &str) -> Result<Statement<'_>> {
        match &self.0 {
            Backend::Sqlite(connection) => {
                Ok(Statement(Prepared::SqliteKept(connection.prepare_cached(sql)?)))
            }
            Backend::Postgres(session) => Statement::of_session(session, sql),
        }
    }

    /// How many rows it changed.
    pub fn execute(&self, sql: &str, params: impl Params) -> Result<usize> {
        self.prepare(sql)?.execute(params)
    }

    /// Statements without values, one after the other.
    pub fn execute_batch(&self, sql: &str) -> Result<()> {
        match &self.0 {
            Backend::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Backend::Postgres(session) => session.batch(sql),
        }
    }

    /// What `map` makes of the first row; see [`Statement::query_row`].
    pub fn query_row<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.prepare(sql)?.query_row(params, map)
    }

    /// Whether what is deleted from now on is overwritten. PostgreSQL does that in its own time, when it
    /// vacuums.
    pub fn overwrite_deleted(&self, is_on: bool) -> Result<()> {
        match &self.0 {
            Backend::Sqlite(connection) => {
                Ok(connection.pragma_update(None, "secure_delete", is_on)?)
            }
            Backend::Postgres(_) => Ok(()),
        }
    }

    /// SQLite's write-ahead log must not keep what was deleted; where a reader holds it up, the next
    /// checkpoint does it.
    pub fn empty_log(&self) -> Result<()> {
        match &self.0 {
            Backend::Sqlite(connection) => {
                Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
            }
            Backend::Postgres(_) => Ok(()),
        }
    }

    /// SQLite's own, where it is that.
    pub fn as_sqlite(&self) -> Option<&rusqlite::Connection> {
        match &self.0 {
            Backend::Sqlite(connection) => Some(connection),
            Backend::Postgres(_) => None,
        }
    }

    /// Whether nothing comes of it any more.
    pub(in crate::db) fn is_lost(&self) -> bool {
        matches!(&self.0, Backend::Postgres(session) if session.is_lost())
    }
}

/// Dropped without [`Self::commit`], it never was.
pub struct Transaction<'a> {
    connection: &'a Connection,
}

impl Transaction<'_> {
    pub fn commit(self) -> Result<()> {
        match &self.connection.0 {
            Backend::Sqlite(connection) => Ok(connection.execute_batch("COMMIT")?),
            Backend::Postgres(session) => session.commit(),
        }
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        match &self.connection.0 {
            Backend::Sqlite(connection) => {
                if !connection.is_autocommit()
                    && let Err(error) = connection.execute_batch("ROLLBACK")
                {
                    tracing::warn!(%error, "a transaction was not rolled back");
                }
            }
            Backend::Postgres(session) => session.roll_back(),
        }
    }
}
