//! The way to the database, and what happens there together or not at all.

use std::ops::Deref;

use super::statement::Prepared;
use super::{Params, Result, Row, Statement};

#[derive(Debug)]
pub struct Connection(pub(in crate::db) Backend);

#[derive(Debug)]
pub(in crate::db) enum Backend {
    Sqlite(rusqlite::Connection),
}

impl Connection {
    /// One that writes waits for the others to end, and the others for it.
    pub fn transaction(&mut self) -> Result<Transaction<'_>> {
        let Backend::Sqlite(connection) = &self.0;
        // One that reads first and writes then would fail at once, however long it may wait, when another
        // connection wrote between.
        connection.execute_batch("BEGIN IMMEDIATE")?;
        Ok(Transaction { connection: self })
    }

    pub fn prepare(&self, sql: &str) -> Result<Statement<'_>> {
        let Backend::Sqlite(connection) = &self.0;
        Ok(Statement(Prepared::SqliteOnce(connection.prepare(sql)?)))
    }

    /// One that is kept for the next time.
    pub fn prepare_cached(&self, sql: &str) -> Result<Statement<'_>> {
        let Backend::Sqlite(connection) = &self.0;
        Ok(Statement(Prepared::SqliteKept(connection.prepare_cached(sql)?)))
    }

    /// How many rows it changed.
    pub fn execute(&self, sql: &str, params: impl Params) -> Result<usize> {
        self.prepare(sql)?.execute(params)
    }

    /// Statements without values, one after the other.
    pub fn execute_batch(&self, sql: &str) -> Result<()> {
        let Backend::Sqlite(connection) = &self.0;
        Ok(connection.execute_batch(sql)?)
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

    /// Whether what is deleted from now on is overwritten.
    pub fn overwrite_deleted(&self, is_on: bool) -> Result<()> {
        let Backend::Sqlite(connection) = &self.0;
        Ok(connection.pragma_update(None, "secure_delete", is_on)?)
    }

    /// The write-ahead log must not keep what was deleted; where a reader holds it up, the next
    /// checkpoint does it.
    pub fn empty_log(&self) -> Result<()> {
        let Backend::Sqlite(connection) = &self.0;
        Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// SQLite's own, where it is that.
    pub fn as_sqlite(&self) -> Option<&rusqlite::Connection> {
        let Backend::Sqlite(connection) = &self.0;
        Some(connection)
    }
}

/// Dropped without [`Self::commit`], it never was.
pub struct Transaction<'a> {
    connection: &'a Connection,
}

impl Transaction<'_> {
    pub fn commit(self) -> Result<()> {
        self.connection.execute_batch("COMMIT")
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
        let Backend::Sqlite(connection) = &self.connection.0;
        if !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("ROLLBACK")
        {
            tracing::warn!(%error, "a transaction was not rolled back");
        }
    }
}
