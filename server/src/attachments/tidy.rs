//! Which files does no conversation need any more?
//!
//! A conversation that was withdrawn lets go of its files at once; so does one whose log is encrypted no longer. One
//! that was deleted, or is past its time, does so after a day: a deletion can be taken back. In an encrypted log the
//! server reads no deletion: devices say it ([`Attachments::release`]). What lay there before the log was encrypted
//! waits until a device has encrypted it (`plain`).

use std::collections::BTreeSet;
use std::time::Duration;

use portico_shared::error::ApiError;
use uuid::Uuid;

use super::{Attachments, table};
use crate::db::sql::{self, Connection};
use crate::keys::now_s;
use crate::people::PersonId;
use crate::sync::{ConversationStanding, sealed_conversation_standing};

const EVERY: Duration = Duration::from_secs(60);
/// From when a conversation is gone until its files are.
const GRACE_S: u64 = 86_400;
/// From when something of an upload came last until it is forgotten.
const ABANDONED_S: u64 = 86_400;

impl Attachments {
    /// Again and again, for ever.
    pub async fn keep_tidy(&self) {
        loop {
            if let Err(error) = self.tidy(now_s()).await {
                tracing::error!(%error, "attachments could not be tidied");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// After somebody took a conversation away: at once. What cannot be done now is soon.
    pub async fn tidy_now(&self) {
        let tidied = self.tidy(now_s()).await;
        if let Err(error) = tidied {
            tracing::warn!(%error, "attachments could not be tidied");
        } else if let Err(error) = self.collect().await {
            tracing::warn!(%error, "files of attachments could not be removed");
        }
    }

    /// Forgets what nothing refers to. Its bytes go with the store's next collection.
    ///
    /// # Errors
    /// The database's.
    pub async fn tidy(&self, now_s: u64) -> Result<(), ApiError> {
        // Before the rows: a folder is made behind its row.
        let folders = self.parts.uploads().await;
        let known = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let sql = "DELETE FROM attachment_uploads WHERE touched_s <= ?1";
            transaction.execute(sql, [now_s.saturating_sub(ABANDONED_S) as i64])?;
            let_go(&transaction, now_s)?;
            table::forget_unused(&transaction)?;
            let uploads = {
                let mut select = transaction.prepare("SELECT id FROM attachment_uploads")?;
                let ids = select.query_map([], |row| row.get::<_, String>(0))?;
                ids.collect::<Result<BTreeSet<_>, _>>()?
            };
            transaction.commit()?;
            Ok(uploads)
        });
        let known = known.await?;
        for upload in folders.into_iter().filter(|id| !known.contains(&id.to_string())) {
            self.parts.remove(upload).await;
        }
        Ok(())
    }

    /// A device says that an encrypted conversation is deleted; it lets go of its files as others do. Offered
    /// again in time, a file stays.
    ///
    /// # Errors
    /// The database's.
    pub async fn release(&self, person: PersonId, conversation: Uuid) -> Result<(), ApiError> {
        let released = self
            .db
            .call(move |connection| table::release(connection, person, conversation, now_s()));
        Ok(released.await?)
    }

    /// Removes the bytes of what was forgotten, now.
    ///
    /// # Errors
    /// `storage_failed`, `files_unreachable`.
    pub async fn collect(&self) -> Result<usize, ApiError> {
        self.files.collect(&self.db).await
    }
}

struct Use {
    person: PersonId,
    sha256: String,
    conversation: String,
    idle_since_s: Option<i64>,
    is_sealed: bool,
    released_s: Option<i64>,
}

/// Ends the uses by conversations that are gone for long enough.
fn let_go(transaction: &Connection, now_s: u64) -> sql::Result<()> {
    let uses: Vec<Use> = {
        let sql = "SELECT person, sha256, conversation, idle_since_s, name IS NOT NULL, released_s
            FROM attachment_uses";
        let mut select = transaction.prepare(sql)?;
        let rows = select.query_map([], |row| {
            Ok(Use {
                person: row.get(0)?,
                sha256: row.get(1)?,
                conversation: row.get(2)?,
                idle_since_s: row.get(3)?,
                is_sealed: row.get(4)?,
                released_s: row.get(5)?,
            })
        })?;
        rows.collect::<Result<_, _>>()?
    };
    let is_past = |since_s: i64| now_s.saturating_sub(since_s.max(0) as u64) >= GRACE_S;
    for Use { person, sha256, conversation, idle_since_s, is_sealed, released_s } in uses {
        let id = conversation.parse::<Uuid>().unwrap_or_default();
        let mut standing = table::standing(transaction, person, id, is_sealed)?;
        // A part of one is nothing that could be encrypted: who has it sends it anew.
        let is_waiting = standing.is_none()
            && !is_sealed
            && table::find(transaction, person, &sha256)?.is_some();
        if is_waiting {
            standing = Some(sealed_conversation_standing(transaction, person, id)?);
        }
        let is_over = match standing {
            None | Some(ConversationStanding::Sealed | ConversationStanding::Withdrawn) => true,
            Some(ConversationStanding::Gone) => idle_since_s.is_some_and(is_past),
            Some(ConversationStanding::There) => false,
        };
        let is_over = is_over || released_s.is_some_and(is_past);
        if standing == Some(ConversationStanding::There) && idle_since_s.is_none() && !is_over {
            continue;
        }
        let key = (person, &sha256, &conversation);
        if is_over {
            let sql = "DELETE FROM attachment_uses
                WHERE person = ?1 AND sha256 = ?2 AND conversation = ?3";
            transaction.execute(sql, key)?;
            // What is on its way for it is not wanted any more.
            let sql = "DELETE FROM attachment_uploads WHERE person = ?1 AND sha256 = ?2
                AND NOT EXISTS (SELECT 1 FROM attachment_uses u
                    WHERE u.person = ?1 AND u.sha256 = ?2)";
            transaction.execute(sql, (person, &sha256))?;
            continue;
        }
        let idle_since_s = match standing {
            Some(ConversationStanding::There) => None,
            // Its operations come with the first device that sends them encrypted.
            _ if is_waiting => idle_since_s,
            _ => Some(idle_since_s.unwrap_or(now_s as i64)),
        };
        let sql = "UPDATE attachment_uses SET idle_since_s = ?4
            WHERE person = ?1 AND sha256 = ?2 AND conversation = ?3";
        transaction.execute(sql, (person, &sha256, &conversation, idle_since_s))?;
    }
    Ok(())
}
