//! Which tables are there, and how does an older database get them?

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::DbError;

/// In order; one that was released never changes.
const MIGRATIONS: [&str; 1] = ["CREATE TABLE api_keys (
        -- In the key's own text, to find it by.
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        -- SHA-256 of the whole key.
        hash BLOB NOT NULL,
        created_s INTEGER NOT NULL,
        expires_s INTEGER,
        revoked_s INTEGER,
        -- JSON list of model names; null allows all.
        models TEXT,
        requests_per_minute INTEGER,
        tokens_per_minute INTEGER,
        tokens_per_day INTEGER,
        tokens_per_month INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE revoked_s IS NULL;
    CREATE TABLE usage (
        -- A key's id, or who else asked.
        who TEXT NOT NULL,
        -- 2026-11-25, UTC.
        day TEXT NOT NULL,
        model TEXT NOT NULL,
        requests INTEGER NOT NULL DEFAULT 0,
        prompt_tokens INTEGER NOT NULL DEFAULT 0,
        completion_tokens INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (who, day, model)
    ) STRICT, WITHOUT ROWID;"];

/// Brings the database to this program's version; several processes may try at once.
pub(super) fn run(connection: &mut Connection, path: &Path) -> Result<(), DbError> {
    let failed = |error: rusqlite::Error| DbError::new(path, error);
    let newest = MIGRATIONS.len();
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let version: usize = transaction
        .pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))
        .map_err(failed)? as usize;
    if version > newest {
        let reason =
            format!("it is of a newer Portico (schema {version}, this one knows {newest})");
        return Err(DbError::new(path, reason));
    }
    for migration in &MIGRATIONS[version..] {
        transaction.execute_batch(migration).map_err(failed)?;
    }
    transaction.pragma_update(None, "user_version", newest as u32).map_err(failed)?;
    transaction.commit().map_err(failed)
}
