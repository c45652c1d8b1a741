//! What becomes of files that lay here before their person's log was encrypted?
//!
//! They stay as they are until a device has encrypted them: it fetches what it lacks, sends the encrypted file, and
//! says which one that gives way. Only where its twin lies here whole is it let go, and at once then. So nothing is
//! lost, whichever device holds what, and whenever the work is broken off: the list says what is left. What no device
//! can encrypt stays as well, until its person gives it up.

use portico_shared::error::ApiError;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Attachments, CHUNK_BYTES, check_digest, not_found, table};
use crate::db::sql::{self, Connection};
use crate::keys::now_s;
use crate::people::PersonId;
use crate::sync::{ConversationStanding, is_sealed};

/// A file that lies here as its person sent it, though their log is encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    pub sha256: String,
    pub size_bytes: u64,
    pub conversation: Uuid,
}

/// The file `sha256` of a conversation gives way to the encrypted one of this name.
#[derive(Clone, Debug, Deserialize)]
pub struct Replaced {
    pub sha256: String,
    pub conversation: Uuid,
    pub name: String,
}

/// The file `sha256` of a conversation is given up.
#[derive(Clone, Debug, Deserialize)]
pub struct GivenUp {
    pub sha256: String,
    pub conversation: Uuid,
}

impl Attachments {
    /// What is not encrypted yet, the oldest first; nothing where the person's log is not.
    ///
    /// # Errors
    /// The database's.
    pub async fn waiting(&self, person: PersonId) -> Result<Vec<Waiting>, ApiError> {
        Ok(self.db.call(move |connection| list(connection, person)).await?)
    }

    /// Lets go of a file whose encrypted twin lies here whole. Again it changes nothing.
    ///
    /// # Errors
    /// `attachment_not_found` where the twin does not, `conversation_not_synced`, `sync_log_plain`,
    /// `invalid_request`, `files_unreachable`: the file stays then.
    pub async fn replaced(&self, person: PersonId, replaced: Replaced) -> Result<(), ApiError> {
        check_digest(&replaced.sha256)?;
        check_digest(&replaced.name)?;
        let name = replaced.name.clone();
        let twin = self.db.call(move |connection| table::named(connection, person, &name)).await?;
        let twin = twin.ok_or_else(not_found)?;
        // What the database says is here lies here.
        if self.files.size_bytes(&twin.sha256).await? != twin.size_bytes {
            return Err(not_found());
        }
        let done =
            self.db.call(move |connection| give_way(connection, person, &replaced, &twin.sha256));
        done.await??;
        self.collected().await;
        Ok(())
    }

    /// Lets go of a file that no device can encrypt, because its person says so. False where there is none.
    ///
    /// # Errors
    /// `invalid_request`, or the database's.
    pub async fn give_up(&self, person: PersonId, given_up: GivenUp) -> Result<bool, ApiError> {
        check_digest(&given_up.sha256)?;
        let GivenUp { sha256, conversation } = given_up;
        let done = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let is_waiting = is_sealed(&transaction, person)?
                && let_go(&transaction, person, &sha256, conversation)?;
            transaction.commit()?;
            Ok(is_waiting)
        });
        let is_done = done.await?;
        self.collected().await;
        Ok(is_done)
    }

    /// Conversations of the person are past their time: so are those of their files that wait, after the days of
    /// grace. What else they have goes as their operations do.
    ///
    /// # Errors
    /// The database's.
    pub async fn expire(&self, person: PersonId, conversations: Vec<Uuid>) -> Result<(), ApiError> {
        let done = self.db.call(move |connection| {
            for conversation in conversations {
                idle(connection, person, conversation, now_s())?;
            }
            Ok(())
        });
        Ok(done.await?)
    }

    /// The bytes go now; what cannot be removed now is soon.
    async fn collected(&self) {
        if let Err(error) = self.collect().await {
            tracing::warn!(%error, "files of attachments could not be removed");
        }
    }
}

/// How far over `max_bytes` a file may lead that replaces one of `size_bytes`: by that one's size, and by what
/// encryption adds, which is 16 bytes a chunk, also to all those that were replaced before.
pub fn room_left_by(size_bytes: u64, max_bytes: u64) -> u64 {
    let added_bytes = CHUNK_BYTES.saturating_add(max_bytes / (CHUNK_BYTES / 16));
    size_bytes.saturating_add(added_bytes)
}

fn list(connection: &Connection, person: PersonId) -> sql::Result<Vec<Waiting>> {
    if !is_sealed(connection, person)? {
        return Ok(Vec::new());
    }
    let sql = "SELECT a.sha256, a.size_bytes, u.conversation
        FROM attachments a JOIN attachment_uses u ON u.person = a.person AND u.sha256 = a.sha256
        WHERE a.person = ?1 AND u.name IS NULL ORDER BY a.created_s, a.sha256, u.conversation";
    let mut select = connection.prepare_cached(sql)?;
    let rows = select.query_map([person], |row| {
        Ok(Waiting {
            sha256: row.get(0)?,
            size_bytes: row.get::<_, i64>(1)?.max(0) as u64,
            conversation: row.get::<_, String>(2)?.parse().unwrap_or_default(),
        })
    })?;
    rows.collect()
}

/// Bytes of a file of the person that waits; none where it does not.
pub fn waiting_bytes(
    connection: &Connection,
    person: PersonId,
    sha256: &str,
) -> sql::Result<Option<u64>> {
    let sql = "SELECT 1 FROM attachment_uses WHERE person = ?1 AND sha256 = ?2 AND name IS NULL";
    if !is_sealed(connection, person)?
        || !connection.prepare_cached(sql)?.exists((person, sha256))?
    {
        return Ok(None);
    }
    Ok(table::find(connection, person, sha256)?.map(|found| found.size_bytes))
}

fn give_way(
    connection: &mut Connection,
    person: PersonId,
    replaced: &Replaced,
    twin: &str,
) -> sql::Result<Result<(), table::Refused>> {
    let Replaced { sha256, conversation, name } = replaced;
    let transaction = connection.transaction()?;
    match table::standing(&transaction, person, *conversation, true)? {
        Some(ConversationStanding::There) => {}
        Some(_) => return Ok(Err(table::Refused::NotSynced)),
        None => return Ok(Err(table::Refused::Plain)),
    }
    // It was tidied away since it was looked for: the device asks again.
    if table::find(&transaction, person, twin)?.is_none() {
        return Ok(Err(table::Refused::NotSynced));
    }
    // Another conversation's device may have sent it.
    let sql = "INSERT INTO attachment_uses (person, sha256, conversation, name)
        VALUES (?1, ?2, ?3, ?4) ON CONFLICT (person, sha256, conversation) DO NOTHING";
    transaction.execute(sql, (person, twin, conversation.to_string(), name))?;
    let_go(&transaction, person, sha256, *conversation)?;
    transaction.commit()?;
    Ok(Ok(()))
}

/// False where it did not wait.
fn let_go(
    transaction: &Connection,
    person: PersonId,
    sha256: &str,
    conversation: Uuid,
) -> sql::Result<bool> {
    let sql = "DELETE FROM attachment_uses
        WHERE person = ?1 AND sha256 = ?2 AND conversation = ?3 AND name IS NULL";
    let n_gone = transaction.execute(sql, (person, sha256, conversation.to_string()))?;
    table::forget_unused(transaction)?;
    Ok(n_gone > 0)
}

fn idle(
    connection: &Connection,
    person: PersonId,
    conversation: Uuid,
    now_s: u64,
) -> sql::Result<()> {
    let sql = "UPDATE attachment_uses SET idle_since_s = coalesce(idle_since_s, ?3)
        WHERE person = ?1 AND conversation = ?2 AND name IS NULL";
    connection.execute(sql, (person, conversation.to_string(), now_s as i64)).map(|_| ())
}
