//! Who has which file, for which conversations, and what is on its way?

use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Offer, plain};
use crate::db::sql::{self, Connection, OptionalExtension as _};
use crate::files::total_bytes;
use crate::keys::now_s;
use crate::people::{PersonId, stored_bytes};
use crate::sync::{ConversationStanding, conversation_standing, sealed_conversation_standing};

/// A file of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attachment {
    pub sha256: String,
    pub size_bytes: u64,
    pub media_type: String,
    pub created_s: u64,
}

/// A file on its way.
#[derive(Clone, Copy, Debug)]
pub struct Upload {
    pub id: Uuid,
    pub size_bytes: u64,
}

/// Most bytes, where they are limited.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub of_person: Option<u64>,
    pub of_house: Option<u64>,
}

/// Why a file is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The person's conversations are encrypted, and this would not be,
    Sealed,
    /// or the other way round.
    Plain,
    /// The server does not have the conversation.
    NotSynced,
    Quota(u64),
    House(u64),
}

/// Notes that a conversation has a file; the upload by which it comes, or none where the person has it here.
pub fn open(
    connection: &mut Connection,
    person: PersonId,
    offer: &Offer,
    limits: Limits,
) -> sql::Result<Result<Option<Uuid>, Refused>> {
    let transaction = connection.transaction()?;
    match standing(&transaction, person, offer.conversation, offer.name.is_some())? {
        Some(ConversationStanding::There) => {}
        Some(_) => return Ok(Err(Refused::NotSynced)),
        None if offer.name.is_some() => return Ok(Err(Refused::Plain)),
        None => return Ok(Err(Refused::Sealed)),
    }
    let is_whole = find(&transaction, person, &offer.sha256)?.is_some();
    let known = upload(&transaction, person, &offer.sha256)?;
    let known = known.filter(|upload| upload.size_bytes == offer.size_bytes);
    if !is_whole && known.is_none() {
        // One that gives way leaves its room, so that a person whose room is full can encrypt what they have.
        let leaves = match &offer.replaces {
            Some(sha256) => plain::waiting_bytes(&transaction, person, sha256)?,
            None => None,
        };
        let exceeds = |used: u64, max: &u64| {
            let more = leaves.map_or(0, |bytes| plain::room_left_by(bytes, *max));
            used.saturating_add(offer.size_bytes) > max.saturating_add(more)
        };
        let stored = stored_bytes(&transaction, person)?;
        if let Some(max_bytes) = limits.of_person.filter(|max| exceeds(stored, max)) {
            return Ok(Err(Refused::Quota(max_bytes)));
        }
        let total = total_bytes(&transaction)?.saturating_add(coming_bytes(&transaction)?);
        if let Some(max_bytes) = limits.of_house.filter(|max| exceeds(total, max)) {
            return Ok(Err(Refused::House(max_bytes)));
        }
    }
    let sql = "INSERT INTO attachment_uses (person, sha256, conversation, name)
        VALUES (?1, ?2, ?3, ?4) ON CONFLICT (person, sha256, conversation)
        DO UPDATE SET name = excluded.name, idle_since_s = NULL, released_s = NULL";
    let conversation = offer.conversation.to_string();
    transaction.execute(sql, (person, &offer.sha256, conversation, &offer.name))?;
    let upload = match (is_whole, known) {
        (true, _) => None,
        (false, Some(upload)) => Some(upload.id),
        (false, None) => Some(begin(&transaction, person, offer)?),
    };
    transaction.commit()?;
    Ok(Ok(upload))
}

/// What has become of the conversation of a file; none where one of them is encrypted and the other is not.
pub fn standing(
    connection: &Connection,
    person: PersonId,
    conversation: Uuid,
    is_sealed: bool,
) -> sql::Result<Option<ConversationStanding>> {
    match (conversation_standing(connection, person, conversation)?, is_sealed) {
        (ConversationStanding::Sealed, true) => {
            sealed_conversation_standing(connection, person, conversation).map(Some)
        }
        (ConversationStanding::Sealed, false) | (_, true) => Ok(None),
        (standing, false) => Ok(Some(standing)),
    }
}

/// A device says that a conversation is deleted, of a log in which that cannot be read.
pub fn release(
    connection: &Connection,
    person: PersonId,
    conversation: Uuid,
    now_s: u64,
) -> sql::Result<()> {
    let sql = "UPDATE attachment_uses SET released_s = coalesce(released_s, ?3)
        WHERE person = ?1 AND conversation = ?2 AND name IS NOT NULL";
    connection.execute(sql, (person, conversation.to_string(), now_s as i64)).map(|_| ())
}

/// A new upload, in the place of one that said another size.
fn begin(connection: &Connection, person: PersonId, offer: &Offer) -> sql::Result<Uuid> {
    let sql = "DELETE FROM attachment_uploads WHERE person = ?1 AND sha256 = ?2";
    connection.execute(sql, (person, &offer.sha256))?;
    let id = Uuid::now_v7();
    let sql = "INSERT INTO attachment_uploads (id, person, sha256, size_bytes, touched_s)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    let size_bytes = offer.size_bytes as i64;
    let values = (id.to_string(), person, &offer.sha256, size_bytes, now_s() as i64);
    connection.execute(sql, values)?;
    Ok(id)
}

/// Bytes of all uploads that are not done.
fn coming_bytes(connection: &Connection) -> sql::Result<u64> {
    let sql = "SELECT coalesce(sum(size_bytes), 0) FROM attachment_uploads";
    connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|bytes| bytes.max(0) as u64)
}

pub fn upload(
    connection: &Connection,
    person: PersonId,
    sha256: &str,
) -> sql::Result<Option<Upload>> {
    let sql = "SELECT id, size_bytes FROM attachment_uploads WHERE person = ?1 AND sha256 = ?2";
    let mut select = connection.prepare_cached(sql)?;
    let found = select.query_row((person, sha256), |row| {
        let id: String = row.get(0)?;
        let size_bytes = row.get::<_, i64>(1)?.max(0) as u64;
        Ok(Upload { id: id.parse().unwrap_or_default(), size_bytes })
    });
    found.optional()
}

pub fn touch(connection: &Connection, upload: Uuid, now_s: u64) -> sql::Result<()> {
    let sql = "UPDATE attachment_uploads SET touched_s = ?2 WHERE id = ?1";
    connection.execute(sql, (upload.to_string(), now_s as i64)).map(|_| ())
}

/// What an upload has become; false where the upload is no more.
pub fn keep(
    connection: &mut Connection,
    person: PersonId,
    upload: Uuid,
    attachment: &Attachment,
) -> sql::Result<bool> {
    let transaction = connection.transaction()?;
    let sql = "DELETE FROM attachment_uploads WHERE id = ?1";
    if transaction.execute(sql, [upload.to_string()])? == 0 {
        // Sent to where files lie in vain: it is looked at when files are removed.
        let sql = "INSERT INTO file_removals VALUES (?1) ON CONFLICT DO NOTHING";
        transaction.execute(sql, [&attachment.sha256])?;
        transaction.commit()?;
        return Ok(false);
    }
    let Attachment { sha256, size_bytes, media_type, created_s } = attachment;
    let sql = "INSERT INTO attachments (person, sha256, size_bytes, media_type, created_s)
        VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    let values = (person, sha256, *size_bytes as i64, media_type, *created_s as i64);
    transaction.execute(sql, values)?;
    transaction.commit()?;
    Ok(true)
}

pub fn cancel(connection: &Connection, upload: Uuid) -> sql::Result<()> {
    let sql = "DELETE FROM attachment_uploads WHERE id = ?1";
    connection.execute(sql, [upload.to_string()])?;
    forget_unused(connection)
}

/// Uses of what is neither here nor on its way, and files without a use.
pub fn forget_unused(connection: &Connection) -> sql::Result<()> {
    let sql = "DELETE FROM attachment_uses WHERE NOT EXISTS (SELECT 1 FROM attachments a
            WHERE a.person = attachment_uses.person AND a.sha256 = attachment_uses.sha256)
        AND NOT EXISTS (SELECT 1 FROM attachment_uploads u
            WHERE u.person = attachment_uses.person AND u.sha256 = attachment_uses.sha256)";
    connection.execute(sql, [])?;
    let sql = "DELETE FROM attachments WHERE NOT EXISTS (SELECT 1 FROM attachment_uses u
        WHERE u.person = attachments.person AND u.sha256 = attachments.sha256)";
    connection.execute(sql, []).map(|_| ())
}

pub fn find(
    connection: &Connection,
    person: PersonId,
    sha256: &str,
) -> sql::Result<Option<Attachment>> {
    let sql = "SELECT sha256, size_bytes, media_type, created_s FROM attachments
        WHERE person = ?1 AND sha256 = ?2";
    one(connection, sql, person, sha256)
}

/// Of an encrypted conversation, by the name that a device gave it.
pub fn named(
    connection: &Connection,
    person: PersonId,
    name: &str,
) -> sql::Result<Option<Attachment>> {
    let sql = "SELECT a.sha256, a.size_bytes, a.media_type, a.created_s
        FROM attachment_uses u JOIN attachments a ON a.person = u.person AND a.sha256 = u.sha256
        WHERE u.person = ?1 AND u.name = ?2 ORDER BY a.created_s DESC, a.sha256 LIMIT 1";
    one(connection, sql, person, name)
}

fn one(
    connection: &Connection,
    sql: &str,
    person: PersonId,
    called: &str,
) -> sql::Result<Option<Attachment>> {
    let mut select = connection.prepare_cached(sql)?;
    let found = select.query_row((person, called), |row| {
        Ok(Attachment {
            sha256: row.get(0)?,
            size_bytes: row.get::<_, i64>(1)?.max(0) as u64,
            media_type: row.get(2)?,
            created_s: row.get::<_, i64>(3)?.max(0) as u64,
        })
    });
    found.optional()
}

/// What a person has here, with the conversations that it goes with; the bytes are asked for one by one.
pub fn export(connection: &Connection, person: PersonId) -> sql::Result<Value> {
    let sql = "SELECT a.sha256, a.size_bytes, a.media_type, a.created_s, u.conversation
        FROM attachments a JOIN attachment_uses u ON u.person = a.person AND u.sha256 = a.sha256
        WHERE a.person = ?1 ORDER BY a.created_s, a.sha256, u.conversation";
    let mut select = connection.prepare(sql)?;
    let rows = select.query_map([person], |row| {
        Ok(json!({
            "sha256": row.get::<_, String>(0)?,
            "size_bytes": row.get::<_, i64>(1)?,
            "media_type": row.get::<_, String>(2)?,
            "created_s": row.get::<_, i64>(3)?,
            "conversation": row.get::<_, String>(4)?,
        }))
    })?;
    Ok(Value::Array(rows.collect::<Result<_, _>>()?))
}
