//! What is in a person's log? Read in pages, withdrawn, forgotten.

use std::ops::Range;

use portico_shared::sync::Head;
use portico_shared::sync::wire::{
    PAGE_MAX_BYTES, PAGE_MAX_HEADS, PAGE_MAX_OPS, Page, Position, SnapshotPage,
};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::packed::Unpacker;
use crate::db::sql::{self, Connection, OptionalExtension as _, Rows, types::Type};
use crate::people::PersonId;

/// A person's log.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    pub id: i64,
    pub epoch: Uuid,
    pub last_seq: u64,
    pub n_bytes: u64,
    /// Only the person's devices can read what is here.
    pub is_sealed: bool,
}

/// None before the person's first device came.
pub fn find(connection: &Connection, person: PersonId) -> sql::Result<Option<Log>> {
    let sql = "SELECT id, epoch, last_seq, n_bytes, keyring IS NOT NULL FROM sync_logs
        WHERE person = ?1";
    let found = connection.prepare_cached(sql)?.query_row([person], |row| {
        Ok(Log {
            id: row.get(0)?,
            epoch: Uuid::from_bytes(row.get(1)?),
            last_seq: row.get::<_, i64>(2)?.max(0) as u64,
            n_bytes: row.get::<_, i64>(3)?.max(0) as u64,
            is_sealed: row.get(4)?,
        })
    });
    found.optional()
}

/// Whether the person's log is encrypted.
pub fn is_sealed(connection: &Connection, person: PersonId) -> sql::Result<bool> {
    Ok(find(connection, person)?.is_some_and(|log| log.is_sealed))
}

/// What has become of a conversation, for whoever keeps something for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConversationStanding {
    There,
    /// Not here, or deleted by its person.
    Gone,
    /// It stays on a device.
    Withdrawn,
    /// The person's log is encrypted: what is kept beside it in plain text would not be.
    Sealed,
}

pub fn conversation_standing(
    connection: &Connection,
    person: PersonId,
    conversation: Uuid,
) -> sql::Result<ConversationStanding> {
    let Some(log) = find(connection, person)? else { return Ok(ConversationStanding::Gone) };
    if log.is_sealed {
        return Ok(ConversationStanding::Sealed);
    }
    if is_withdrawn(connection, log.id, conversation)? {
        return Ok(ConversationStanding::Withdrawn);
    }
    Ok(match head(connection, log.id, conversation)? {
        Some(head) if !head.is_deleted() => ConversationStanding::There,
        _ => ConversationStanding::Gone,
    })
}

/// Of an encrypted log, for whoever keeps what is encrypted itself. It shows that something of a conversation is
/// there, or that it was withdrawn; a deletion by its person does not.
pub fn sealed_conversation_standing(
    connection: &Connection,
    person: PersonId,
    conversation: Uuid,
) -> sql::Result<ConversationStanding> {
    let Some(log) = find(connection, person)? else { return Ok(ConversationStanding::Gone) };
    if is_withdrawn(connection, log.id, conversation)? {
        return Ok(ConversationStanding::Withdrawn);
    }
    let sql = "SELECT 1 FROM sync_ops WHERE log = ?1 AND conversation = ?2 LIMIT 1";
    let is_there = connection.prepare_cached(sql)?.exists((log.id, conversation.into_bytes()))?;
    Ok(if is_there { ConversationStanding::There } else { ConversationStanding::Gone })
}

fn is_withdrawn(connection: &Connection, log: i64, conversation: Uuid) -> sql::Result<bool> {
    let sql = "SELECT 1 FROM sync_withdrawn WHERE log = ?1 AND conversation = ?2";
    connection.prepare_cached(sql)?.exists((log, conversation.into_bytes()))
}

/// The person's log, begun if there is none.
pub fn ensure(connection: &Connection, person: PersonId) -> sql::Result<Log> {
    if let Some(log) = find(connection, person)? {
        return Ok(log);
    }
    let sql = "INSERT INTO sync_logs (person, epoch) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    connection.execute(sql, (person, Uuid::now_v7().into_bytes()))?;
    find(connection, person)?.ok_or(sql::Error::QueryReturnedNoRows)
}

/// A conversation's head; none where nothing is known of it.
pub fn head(connection: &Connection, log: i64, conversation: Uuid) -> sql::Result<Option<Head>> {
    let sql = "SELECT head FROM sync_heads WHERE log = ?1 AND conversation = ?2";
    let mut select = connection.prepare_cached(sql)?;
    let json = select.query_row((log, conversation.into_bytes()), |row| row.get::<_, String>(0));
    let head = json.optional()?.map(|json| Head::from_json(&json)).transpose();
    head.map_err(|error| damaged(0, error))
}

/// The mark of who wrote at `seq`: a server that begins to write sets one, so that two histories of a log
/// that was restored in between differ by it. None: it is older than marks are.
pub fn mark_at(connection: &Connection, log: i64, seq: u64) -> sql::Result<Option<Uuid>> {
    let sql = "SELECT mark FROM sync_marks WHERE log = ?1 AND seq <= ?2 ORDER BY seq DESC LIMIT 1";
    let mut select = connection.prepare_cached(sql)?;
    let found = select.query_row((log, seq as i64), |row| row.get(0));
    Ok(found.optional()?.map(Uuid::from_bytes))
}

/// A page of operations behind `position`, up to `until`; as lines, the page's own first.
pub fn pull(
    connection: &Connection,
    log: Log,
    position: Position,
    until: Option<u64>,
) -> sql::Result<Vec<u8>> {
    let is_other = position.epoch.is_some_and(|epoch| epoch != log.epoch);
    let mut restarted = is_other || position.cursor > log.last_seq;
    if !restarted && position.mark.is_some() {
        restarted = mark_at(connection, log.id, position.cursor)? != position.mark;
    }
    let since = if restarted { 0 } else { position.cursor };
    let end = until.unwrap_or(u64::MAX).min(log.last_seq);
    let sql = "SELECT seq, packed FROM sync_ops WHERE log = ?1 AND seq > ?2 AND seq <= ?3
        ORDER BY seq LIMIT ?4";
    let mut select = connection.prepare_cached(sql)?;
    let rows = select.query((
        log.id,
        since as i64,
        end as i64,
        i64::try_from(PAGE_MAX_OPS).unwrap_or(0),
    ))?;
    page(connection, rows, log, since..end, restarted)
}

/// A page of one conversation's operations behind `since`.
pub fn conversation(
    connection: &Connection,
    log: Log,
    conversation: Uuid,
    since: u64,
) -> sql::Result<Vec<u8>> {
    let sql = "SELECT seq, packed FROM sync_ops
        WHERE log = ?1 AND conversation = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4";
    let mut select = connection.prepare_cached(sql)?;
    let limit = i64::try_from(PAGE_MAX_OPS).unwrap_or(0);
    let rows = select.query((log.id, conversation.into_bytes(), since as i64, limit))?;
    page(connection, rows, log, since..log.last_seq, false)
}

/// Rows of number and operation, as long as they fit a page. Without rows the page ends at `end`.
fn page(
    connection: &Connection,
    mut rows: Rows<'_>,
    log: Log,
    Range { start: since, end }: Range<u64>,
    restarted: bool,
) -> sql::Result<Vec<u8>> {
    let mut unpacker = Unpacker::default();
    let mut lines = Vec::new();
    let (mut cursor, mut n_ops) = (since, 0);
    let mut is_whole = true;
    while let Some(row) = rows.next()? {
        cursor = row.get::<_, i64>(0)?.max(0) as u64;
        let packed = row.get_ref(1)?;
        let packed = packed.as_blob().map_err(|error| damaged(1, error))?;
        unpacker.unpack(packed, &mut lines).map_err(|error| damaged(1, error))?;
        lines.push(b'\n');
        n_ops += 1;
        if lines.len() >= PAGE_MAX_BYTES || n_ops >= PAGE_MAX_OPS {
            is_whole = false;
            break;
        }
    }
    if is_whole {
        cursor = end.max(since);
    }
    let mark = mark_at(connection, log.id, cursor)?;
    let page = Page { epoch: log.epoch, cursor, mark, has_more: cursor < end, restarted };
    Ok(headed(&page, &lines))
}

/// A page of heads, the newest conversations first.
pub fn snapshot(connection: &Connection, log: Log, after: Option<Uuid>) -> sql::Result<Vec<u8>> {
    let sql = "SELECT conversation, head FROM sync_heads WHERE log = ?1 AND conversation < ?2
        ORDER BY conversation DESC LIMIT ?3";
    let mut select = connection.prepare_cached(sql)?;
    let before = after.unwrap_or(Uuid::max()).into_bytes();
    let limit = i64::try_from(PAGE_MAX_HEADS).unwrap_or(0);
    let mut rows = select.query((log.id, before, limit))?;
    let mut lines = Vec::new();
    let (mut last, mut n_heads) = (None, 0);
    while let Some(row) = rows.next()? {
        last = Some(Uuid::from_bytes(row.get(0)?));
        let head = row.get_ref(1)?;
        lines.extend_from_slice(head.as_bytes().map_err(|error| damaged(1, error))?);
        lines.push(b'\n');
        n_heads += 1;
    }
    let after = last.filter(|_| n_heads == PAGE_MAX_HEADS);
    let mark = mark_at(connection, log.id, log.last_seq)?;
    let page = SnapshotPage { epoch: log.epoch, cursor: log.last_seq, mark, after };
    Ok(headed(&page, &lines))
}

/// Every operation of a person, for whoever wants to have what is kept of them.
pub fn export(connection: &Connection, person: PersonId) -> sql::Result<Value> {
    let sql = "SELECT packed FROM sync_ops JOIN sync_logs ON sync_logs.id = log
        WHERE person = ?1 ORDER BY seq";
    let mut select = connection.prepare(sql)?;
    let mut rows = select.query([person])?;
    let mut unpacker = Unpacker::default();
    let (mut ops, mut json) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        json.clear();
        let packed = row.get_ref(0)?;
        let packed = packed.as_blob().map_err(|error| damaged(0, error))?;
        unpacker.unpack(packed, &mut json).map_err(|error| damaged(0, error))?;
        ops.push(serde_json::from_slice(&json).map_err(|error| damaged(0, error))?);
    }
    Ok(Value::Array(ops))
}

/// Deletes a conversation, and keeps it from coming back until the person wants it to.
pub fn withdraw(
    connection: &mut Connection,
    person: PersonId,
    conversation: Uuid,
) -> sql::Result<()> {
    let transaction = connection.transaction()?;
    let log = ensure(&transaction, person)?;
    // What is deleted is overwritten.
    transaction.overwrite_deleted(true)?;
    delete(&transaction, log.id, conversation)?;
    let sql = "INSERT INTO sync_withdrawn (log, conversation) VALUES (?1, ?2)
        ON CONFLICT DO NOTHING";
    transaction.execute(sql, (log.id, conversation.into_bytes()))?;
    transaction.commit()?;
    emptied(connection)
}

/// Deletes conversations that were last used before a time; gives which.
pub fn expire(
    connection: &mut Connection,
    person: PersonId,
    before_ms: u64,
) -> sql::Result<Vec<Uuid>> {
    let transaction = connection.transaction()?;
    let Some(log) = find(&transaction, person)? else { return Ok(Vec::new()) };
    transaction.overwrite_deleted(true)?;
    let old = match log.is_sealed {
        true => unwritten(&transaction, log.id, before_ms)?,
        false => unused(&transaction, log.id, before_ms)?,
    };
    for &conversation in &old {
        delete(&transaction, log.id, conversation)?;
    }
    transaction.commit()?;
    emptied(connection)?;
    Ok(old)
}

fn unused(transaction: &Connection, log: i64, before_ms: u64) -> sql::Result<Vec<Uuid>> {
    let mut select = transaction.prepare("SELECT head FROM sync_heads WHERE log = ?1")?;
    let mut old = Vec::new();
    for head in select.query_map([log], |row| row.get::<_, String>(0))? {
        let head = Head::from_json(&head?).map_err(|error| damaged(0, error))?;
        if head.used_ms() < before_ms {
            old.push(head.conversation);
        }
    }
    Ok(old)
}

/// Of a sealed log it shows only when something of a conversation was last written.
fn unwritten(transaction: &Connection, log: i64, before_ms: u64) -> sql::Result<Vec<Uuid>> {
    let sql = "SELECT conversation FROM sync_ops WHERE log = ?1 AND conversation IS NOT NULL
        GROUP BY conversation HAVING max(at_ms) < ?2";
    let mut select = transaction.prepare(sql)?;
    let before_ms = i64::try_from(before_ms).unwrap_or(i64::MAX);
    let mut old = Vec::new();
    for conversation in select.query_map((log, before_ms), |row| row.get(0))? {
        old.push(Uuid::from_bytes(conversation?));
    }
    Ok(old)
}

fn delete(transaction: &Connection, log: i64, conversation: Uuid) -> sql::Result<()> {
    let ids = (log, conversation.into_bytes());
    let sql = "SELECT coalesce(sum(length(packed)), 0) FROM sync_ops
        WHERE log = ?1 AND conversation = ?2";
    let n_bytes: i64 = transaction.query_row(sql, ids, |row| row.get(0))?;
    for sql in [
        "DELETE FROM sync_ops WHERE log = ?1 AND conversation = ?2",
        "DELETE FROM sync_heads WHERE log = ?1 AND conversation = ?2",
    ] {
        transaction.execute(sql, ids)?;
    }
    let sql = "UPDATE sync_logs SET n_bytes = max(0, n_bytes - ?2) WHERE id = ?1";
    transaction.execute(sql, (log, n_bytes)).map(|_| ())
}

/// Deletes a person's log; their devices, if any come again, begin a new one.
pub fn forget(connection: &Connection, person: PersonId) -> sql::Result<()> {
    connection.overwrite_deleted(true)?;
    connection.execute("DELETE FROM sync_logs WHERE person = ?1", [person])?;
    emptied(connection)
}

/// The write-ahead log must not keep what was deleted; where a reader holds it up, the next checkpoint
/// does it.
pub fn emptied(connection: &Connection) -> sql::Result<()> {
    connection.empty_log()?;
    connection.overwrite_deleted(false)
}

fn headed(head: &impl Serialize, lines: &[u8]) -> Vec<u8> {
    // A struct of ids and numbers: JSON can always hold it.
    let mut page = serde_json::to_vec(head).unwrap_or_default();
    page.push(b'\n');
    page.extend_from_slice(lines);
    page
}

pub fn damaged(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> sql::Error {
    sql::Error::FromSqlConversionFailure(column, Type::Blob, Box::new(error))
}
