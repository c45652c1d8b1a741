//! Is a person's log sealed, and how does it become so? The keyring says it; where it comes or goes, the log
//! begins anew, and nothing of what lay there remains in any file.

use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::sync::wire::{KEYRING_MAX_BYTES, KeyringState, PutKeyring};
use serde_json::Value;
use uuid::Uuid;

use super::log::{self, Log, damaged};
use crate::db::sql::{self, Connection};
use crate::people::PersonId;

/// A larger database is not written anew for one person: that would hold all others up.
const REWRITTEN_MAX_BYTES: i64 = 256 << 20;

/// What became of a new keyring.
#[derive(Debug)]
pub enum Put {
    /// `begins_anew`: the log is another one now.
    Taken {
        state: KeyringState,
        begins_anew: bool,
    },
    Refused(ApiError),
}

/// # Errors
/// `invalid_request` where it is nothing that a device makes.
pub fn check(put: &PutKeyring) -> Result<(), ApiError> {
    let invalid = |reason: &str| ApiError::new(ErrorCode::InvalidRequest).with("reason", reason);
    match &put.keyring {
        None => Ok(()),
        Some(keyring @ Value::Object(_)) if keyring.to_string().len() <= KEYRING_MAX_BYTES => {
            Ok(())
        }
        Some(_) => Err(invalid("a keyring is an object of at most 16 KiB")),
    }
}

/// The person's keyring, as they left it.
pub fn state(connection: &Connection, log: Log) -> sql::Result<KeyringState> {
    let sql = "SELECT keyring, keyring_revision FROM sync_logs WHERE id = ?1";
    let (keyring, revision) = connection
        .prepare_cached(sql)?
        .query_row([log.id], |row| Ok((row.get::<_, Option<String>>(0)?, row.get::<_, i64>(1)?)))?;
    let keyring = keyring.map(|json| serde_json::from_str(&json)).transpose();
    let keyring = keyring.map_err(|error| damaged(0, error))?;
    let revision = revision.max(0) as u64;
    Ok(KeyringState { epoch: log.epoch, cursor: log.last_seq, revision, keyring })
}

/// Puts a keyring in the place of the one that the device knows.
pub fn put(connection: &mut Connection, person: PersonId, put: &PutKeyring) -> sql::Result<Put> {
    let refused = |code| Ok(Put::Refused(ApiError::new(code)));
    let transaction = connection.transaction()?;
    let log = log::ensure(&transaction, person)?;
    if state(&transaction, log)?.revision != put.revision {
        return refused(ErrorCode::SyncKeyringChanged);
    }
    let begins_anew = log.is_sealed != put.keyring.is_some();
    let has_all = (put.epoch, put.cursor) == (log.epoch, log.last_seq);
    if begins_anew && !has_all {
        return refused(ErrorCode::SyncNotSettled);
    }
    let keyring = put.keyring.as_ref().map(Value::to_string);
    transaction.overwrite_deleted(true)?;
    let sql = "UPDATE sync_logs SET keyring = ?2, keyring_revision = keyring_revision + 1
        WHERE id = ?1";
    transaction.execute(sql, (log.id, keyring))?;
    if begins_anew {
        // What was withdrawn stays so: other devices may still have it.
        for sql in [
            "DELETE FROM sync_ops WHERE log = ?1",
            "DELETE FROM sync_heads WHERE log = ?1",
            "DELETE FROM sync_marks WHERE log = ?1",
        ] {
            transaction.execute(sql, [log.id])?;
        }
        let sql = "UPDATE sync_logs SET epoch = ?2, last_seq = 0, n_bytes = 0 WHERE id = ?1";
        transaction.execute(sql, (log.id, Uuid::now_v7().into_bytes()))?;
    }
    let log = log::ensure(&transaction, person)?;
    let state = state(&transaction, log)?;
    transaction.commit()?;
    if begins_anew {
        rewritten(connection)?;
    }
    log::emptied(connection)?;
    Ok(Put::Taken { state, begins_anew })
}

/// Drops what an older program left in the file's free space, and copies that moving rows leaves in pages.
fn rewritten(connection: &Connection) -> sql::Result<()> {
    let Some(sqlite) = connection.as_sqlite() else { return Ok(()) };
    let number = |pragma: &str| sqlite.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    if number("page_count")?.saturating_mul(number("page_size")?) > REWRITTEN_MAX_BYTES {
        return Ok(());
    }
    // In memory, not in a file elsewhere. What another process holds up is done without: all that was
    // deleted is overwritten already.
    let before = number("temp_store")?;
    sqlite.pragma_update(None, "temp_store", "MEMORY")?;
    if let Err(error) = sqlite.execute_batch("VACUUM") {
        tracing::warn!(%error, "the database was not written anew");
    }
    Ok(sqlite.pragma_update(None, "temp_store", before)?)
}
