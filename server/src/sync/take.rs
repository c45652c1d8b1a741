//! How does a push get into the log? In one transaction, each operation once.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::sync::wire::{Pushed, Refused};
use portico_shared::sync::{Body, Head, MessageState, Op};
use uuid::Uuid;

use super::arrived::Arrived;
use super::log::{self, Log};
use super::packed::Packer;
use crate::db::sql::{self, Connection, OptionalExtension as _, Transaction};
use crate::people::PersonId;

/// Most bytes of a person's log, packed.
const LOG_MAX_BYTES: u64 = 1 << 30;

/// Where the logs ended when this process last wrote to them.
pub type Written = HashMap<Uuid, u64>;

/// Takes operations in; what was refused before stands in `refused`.
pub fn push(
    connection: &mut Connection,
    person: PersonId,
    arrived: Vec<Arrived>,
    refused: Vec<Refused>,
    written: &mut Written,
) -> sql::Result<Pushed> {
    let transaction = connection.transaction()?;
    let log = log::ensure(&transaction, person)?;
    let before = log.last_seq;
    let mark_before = log::mark_at(&transaction, log.id, before)?;
    let mut taking = Taking::new(&transaction, log, refused);
    taking.stays_on_device(&arrived)?;
    taking.places(&arrived);
    for arrived in arrived {
        taking.take(arrived)?;
    }
    let Taking { log, heads, mut refused, n_new, .. } = taking;
    for head in heads.into_values().flatten() {
        let sql = "INSERT INTO sync_heads (log, conversation, head) VALUES (?1, ?2, ?3)
            ON CONFLICT (log, conversation) DO UPDATE SET head = excluded.head";
        let id = head.conversation.into_bytes();
        transaction.prepare_cached(sql)?.execute((log.id, id, head.to_json()))?;
    }
    let sql = "UPDATE sync_logs SET last_seq = ?2, n_bytes = ?3 WHERE id = ?1";
    transaction.execute(sql, (log.id, log.last_seq as i64, log.n_bytes as i64))?;
    // A log that this process has not written to before, or that ends before what it wrote, may have been
    // restored: what comes now is another history than the one that devices have seen.
    let goes_on = written.get(&log.epoch).is_some_and(|&end| end <= before);
    if log.last_seq > before && !goes_on {
        let sql = "INSERT INTO sync_marks (log, seq, mark) VALUES (?1, ?2, ?3)";
        let mark = Uuid::now_v7().into_bytes();
        transaction.execute(sql, (log.id, before as i64 + 1, mark))?;
    }
    let mark = log::mark_at(&transaction, log.id, log.last_seq)?;
    transaction.commit()?;
    if log.last_seq > before {
        written.insert(log.epoch, log.last_seq);
    }
    refused.sort_by_key(|refused| refused.line);
    let (epoch, cursor) = (log.epoch, log.last_seq);
    Ok(Pushed { epoch, before, cursor, mark_before, mark, n_new, refused })
}

/// A push on its way into the log.
struct Taking<'a> {
    transaction: &'a Transaction<'a>,
    log: Log,
    packer: Packer,
    /// Conversations that the push touches; none: nothing is known of it and nothing was said.
    heads: BTreeMap<Uuid, Option<Head>>,
    /// Which conversation a message of the push belongs to.
    places: HashMap<Uuid, Uuid>,
    /// Conversations of the push that may not be here.
    stays: BTreeSet<Uuid>,
    refused: Vec<Refused>,
    n_new: usize,
}

impl<'a> Taking<'a> {
    fn new(transaction: &'a Transaction<'a>, log: Log, refused: Vec<Refused>) -> Self {
        Self {
            transaction,
            log,
            packer: Packer::default(),
            heads: BTreeMap::new(),
            places: HashMap::new(),
            stays: BTreeSet::new(),
            refused,
            n_new: 0,
        }
    }

    /// Finds the conversations that the push itself, or an earlier withdrawal, keeps on a device.
    fn stays_on_device(&mut self, arrived: &[Arrived]) -> sql::Result<()> {
        let mut said: BTreeMap<Uuid, (bool, &Op)> = BTreeMap::new();
        for Arrived { op, .. } in arrived {
            if let (Some(conversation), Some(stays)) =
                (op.body.conversation(), op.body.stays_on_device())
            {
                let last = said.entry(conversation).or_insert((stays, op));
                if (op.at, op.id) > (last.1.at, last.1.id) {
                    *last = (stays, op);
                }
            }
        }
        let touched: BTreeSet<Uuid> =
            arrived.iter().filter_map(|arrived| arrived.op.body.conversation()).collect();
        for conversation in touched {
            let id = conversation.into_bytes();
            match said.get(&conversation) {
                Some((true, _)) => {
                    self.stays.insert(conversation);
                }
                // The person took it back.
                Some((false, _)) => {
                    let sql = "DELETE FROM sync_withdrawn WHERE log = ?1 AND conversation = ?2";
                    self.transaction.prepare_cached(sql)?.execute((self.log.id, id))?;
                }
                None => {
                    let sql = "SELECT 1 FROM sync_withdrawn WHERE log = ?1 AND conversation = ?2";
                    if self.transaction.prepare_cached(sql)?.exists((self.log.id, id))? {
                        self.stays.insert(conversation);
                    }
                }
            }
        }
        Ok(())
    }

    fn places(&mut self, arrived: &[Arrived]) {
        for Arrived { op, .. } in arrived {
            if let (Some(conversation), Some(message)) = (op.body.conversation(), op.body.message())
            {
                self.places.insert(message, conversation);
            }
        }
    }

    fn take(&mut self, arrived: Arrived) -> sql::Result<()> {
        let Arrived { line, op, json } = arrived;
        let message = op.body.message();
        let conversation = match (op.body.conversation(), message) {
            (Some(conversation), _) => Some(conversation),
            (None, Some(message)) => self.place_of(message)?,
            (None, None) => None,
        };
        let refuse = |code| Refused { line, op: Some(op.id), error: ApiError::new(code) };
        if op.body.is_sealed() != self.log.is_sealed {
            self.refused.push(refuse(match self.log.is_sealed {
                true => ErrorCode::SyncLogSealed,
                false => ErrorCode::SyncLogPlain,
            }));
            return Ok(());
        }
        if conversation.is_some_and(|conversation| self.stays.contains(&conversation)) {
            self.refused.push(refuse(ErrorCode::ConversationStaysOnDevice));
            return Ok(());
        }
        let written = op.body.written().map(|state| state != MessageState::Draft);
        if written == Some(false) && self.has_later_write(&op, message)? {
            return Ok(());
        }
        let packed = self.packer.pack(&json);
        let n_bytes = self.log.n_bytes + packed.len() as u64;
        if n_bytes > LOG_MAX_BYTES {
            let mut refused = refuse(ErrorCode::SyncLogFull);
            refused.error = refused.error.with("max_bytes", LOG_MAX_BYTES);
            self.refused.push(refused);
            return Ok(());
        }
        let sql = "INSERT INTO sync_ops
            (log, seq, op, conversation, message, at_ms, at_n, written, packed)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING";
        let n_inserted = self.transaction.prepare_cached(sql)?.execute((
            self.log.id,
            self.log.last_seq as i64 + 1,
            op.id.into_bytes(),
            conversation.map(Uuid::into_bytes),
            message.map(Uuid::into_bytes),
            op.at.ms as i64,
            op.at.n,
            written,
            packed,
        ))?;
        if n_inserted == 0 {
            return Ok(());
        }
        self.log.last_seq += 1;
        self.log.n_bytes = n_bytes;
        self.n_new += 1;
        if let (Some(message), Some(conversation)) = (message, op.body.conversation()) {
            self.adopt(message, conversation)?;
        }
        if let (Some(message), true) = (message, written.is_some()) {
            self.drop_drafts(&op, message)?;
        }
        self.note(&op)
    }

    /// The conversation of a message, as far as it is known.
    fn place_of(&self, message: Uuid) -> sql::Result<Option<Uuid>> {
        if let Some(&conversation) = self.places.get(&message) {
            return Ok(Some(conversation));
        }
        let sql = "SELECT conversation FROM sync_ops
            WHERE log = ?1 AND message = ?2 AND conversation IS NOT NULL LIMIT 1";
        let mut select = self.transaction.prepare_cached(sql)?;
        let found = select.query_row((self.log.id, message.into_bytes()), |row| row.get(0));
        Ok(found.optional()?.map(Uuid::from_bytes))
    }

    /// Operations on a message that came before the message.
    fn adopt(&self, message: Uuid, conversation: Uuid) -> sql::Result<()> {
        let sql = "UPDATE sync_ops SET conversation = ?3
            WHERE log = ?1 AND message = ?2 AND conversation IS NULL";
        let ids = (self.log.id, message.into_bytes(), conversation.into_bytes());
        self.transaction.prepare_cached(sql)?.execute(ids).map(|_| ())
    }

    /// Whether a draft changes nothing any more.
    fn has_later_write(&self, op: &Op, message: Option<Uuid>) -> sql::Result<bool> {
        let sql = "SELECT 1 FROM sync_ops WHERE log = ?1 AND message = ?2 AND written IS NOT NULL
            AND (at_ms, at_n, op) > (?3, ?4, ?5)";
        let ids = (self.log.id, message.map(Uuid::into_bytes));
        let stamp = (op.at.ms as i64, op.at.n, op.id.into_bytes());
        let all = (ids.0, ids.1, stamp.0, stamp.1, stamp.2);
        self.transaction.prepare_cached(sql)?.exists(all)
    }

    /// Drafts of the text that `op` writes anew; what a device merges is the same without them.
    fn drop_drafts(&mut self, op: &Op, message: Uuid) -> sql::Result<()> {
        let sql = "DELETE FROM sync_ops WHERE log = ?1 AND message = ?2 AND written = 0
            AND (at_ms, at_n, op) < (?3, ?4, ?5) RETURNING length(packed)";
        let transaction = self.transaction;
        let mut delete = transaction.prepare_cached(sql)?;
        let all = (self.log.id, message.into_bytes(), op.at.ms as i64, op.at.n, op.id.into_bytes());
        for n_bytes in delete.query_map(all, |row| row.get::<_, i64>(0))? {
            self.log.n_bytes = self.log.n_bytes.saturating_sub(n_bytes?.max(0) as u64);
        }
        Ok(())
    }

    /// Takes a new operation into its conversation's head.
    fn note(&mut self, op: &Op) -> sql::Result<()> {
        // One of an unknown kind says nothing of a head.
        let Some(conversation) = op.body.conversation() else { return Ok(()) };
        if matches!(op.body, Body::Unknown(_)) {
            return Ok(());
        }
        let known = match self.heads.entry(conversation) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unread) => {
                unread.insert(log::head(self.transaction, self.log.id, conversation)?)
            }
        };
        known.get_or_insert_with(|| Head::new(conversation)).apply(op);
        Ok(())
    }
}
