//! How does a PostgreSQL database get the tables?
//!
//! Each migration of SQLite's has its counterpart here, by the same number. Texts are compared by bytes, as
//! SQLite does, whatever the database's own order is; functions that only SQLite brings are made at first.

use std::path::Path;

use super::DbError;
use super::sql::{self, Connection};

/// In order; one that was released never changes.
const MIGRATIONS: [&str; 14] = [
    include_str!("postgres/1_keys.sql"),
    include_str!("postgres/2_documents.sql"),
    include_str!("postgres/3_people.sql"),
    include_str!("postgres/4_vector_moves.sql"),
    include_str!("postgres/5_sync.sql"),
    include_str!("postgres/6_sealing.sql"),
    include_str!("postgres/7_attachments.sql"),
    include_str!("postgres/8_usage_by_place.sql"),
    include_str!("postgres/9_house.sql"),
    include_str!("postgres/10_assistants.sql"),
    include_str!("postgres/11_shares.sql"),
    include_str!("postgres/12_administration.sql"),
    include_str!("postgres/13_sealed_attachments.sql"),
    include_str!("postgres/14_secrets.sql"),
];

/// Brings the database to this program's version; several processes may try at once.
pub(super) fn migrate(connection: &mut Connection, name: &Path) -> Result<(), DbError> {
    let newest = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let failed = |error| DbError::of_statement(name, error);
    // Asked without a lock: nobody who only reads is to wait for a writer.
    if version(connection).map_err(failed)? == newest {
        return Ok(());
    }
    match raise(connection, newest).map_err(failed)? {
        newer if newer > newest => Err(DbError::newer(name, u32::try_from(newer).unwrap_or(0))),
        _ => Ok(()),
    }
}

/// The version that was there, nothing done where that is newer.
fn raise(connection: &mut Connection, newest: i64) -> sql::Result<i64> {
    let transaction = connection.transaction()?;
    transaction
        .execute_batch("CREATE TABLE IF NOT EXISTS portico_schema (version BIGINT NOT NULL)")?;
    let known = version(&transaction)?;
    if known > newest {
        return Ok(known);
    }
    for migration in MIGRATIONS.iter().skip(usize::try_from(known).unwrap_or(0)) {
        transaction.execute_batch(migration)?;
    }
    transaction.execute("DELETE FROM portico_schema", [])?;
    transaction.execute("INSERT INTO portico_schema VALUES (?1)", [newest])?;
    transaction.commit()?;
    Ok(known)
}

/// 0: there are no tables.
pub(super) fn version(connection: &Connection) -> sql::Result<i64> {
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_tables
        WHERE schemaname = current_schema() AND tablename = 'portico_schema')";
    match connection.query_row(sql, [], |row| row.get(0))? {
        true => {
            let sql = "SELECT coalesce(max(version), 0) FROM portico_schema";
            connection.query_row(sql, [], |row| row.get(0))
        }
        false => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::newest_schema;

    #[test]
    fn each_migration_has_its_counterpart() {
        assert_eq!(MIGRATIONS.len(), newest_schema() as usize);
    }
}
