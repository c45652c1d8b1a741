//! What did other devices write? A new device first asks for the list of conversations, then for what
//! happens from now on, and at last for what was before.

use std::collections::BTreeSet;

use portico_shared::error::ApiError;
use portico_shared::sync::wire::{Page, Position, SnapshotPage};
use portico_web::log_store::{LogStore, Record, Write};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::net;
use crate::work::failed;

/// In the store's memory: [`Position`].
pub const POSITION: &str = "position";
/// In the store's memory: [`Backfill`]; empty: there is nothing to fetch.
pub const BACKFILL: &str = "backfill";

/// What was in the log before this device came.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Backfill {
    at: u64,
    to: u64,
}

/// What this device has of the server's log.
pub struct Inbox {
    pub position: Position,
    backfill: Option<Backfill>,
    /// Conversations fetched ahead of the backfill.
    fetched: BTreeSet<Uuid>,
}

/// What came.
pub struct Came {
    pub n_ops: usize,
    /// The server's log is another one than before.
    pub is_other: bool,
}

impl Inbox {
    pub async fn open(store: &LogStore) -> Result<Self, ApiError> {
        let position = store.meta(POSITION).await.map_err(failed)?;
        let backfill = store.meta(BACKFILL).await.map_err(failed)?;
        let position = position.and_then(|json| serde_json::from_str(&json).ok());
        let backfill = backfill.and_then(|json| serde_json::from_str(&json).ok());
        let position = position.unwrap_or_default();
        Ok(Self { position, backfill, fetched: BTreeSet::new() })
    }

    /// A device that was never here gets the list of conversations.
    pub async fn list(&mut self, store: &LogStore) -> Result<bool, ApiError> {
        if self.position.epoch.is_some() {
            return Ok(false);
        }
        let mut write = Write { clears_heads: true, ..Write::default() };
        let (mut first, mut after) = (None, None);
        loop {
            let heads = net::snapshot::<SnapshotPage>(after).await?;
            first = first.or(Some(heads.page));
            if !heads.rest().is_empty() {
                write.heads.push(heads.rest().to_owned());
            }
            after = heads.page.after;
            if after.is_none() {
                break;
            }
        }
        let Some(first) = first else { return Ok(false) };
        self.position = Position { epoch: Some(first.epoch), cursor: first.cursor };
        self.backfill = (first.cursor > 0).then_some(Backfill { at: 0, to: first.cursor });
        write.meta.push((POSITION, json(&self.position)));
        write.meta.push((BACKFILL, self.backfill.map_or(String::new(), |left| json(&left))));
        store.write(write).await.map_err(failed)?;
        Ok(true)
    }

    /// One page of what is new; true: there is more.
    pub async fn pull(&mut self, store: &LogStore, came: &mut Came) -> Result<bool, ApiError> {
        let pulled = net::pull::<Page>(self.position, None).await?;
        came.is_other |= self.position.pulled(&pulled.page);
        let records: Vec<String> = pulled.lines().map(Record::pulled).collect();
        came.n_ops += records.len();
        let mut write = Write { records, ..Write::default() };
        write.meta.push((POSITION, json(&self.position)));
        store.write(write).await.map_err(failed)?;
        Ok(pulled.page.has_more)
    }

    /// One page of what was before; true: there is more.
    pub async fn fill(&mut self, store: &LogStore, came: &mut Came) -> Result<bool, ApiError> {
        let Some(left) = self.backfill else { return Ok(false) };
        let position = Position { epoch: self.position.epoch, cursor: left.at };
        let pulled = net::pull::<Page>(position, Some(left.to)).await?;
        let at = pulled.page.cursor;
        let is_over = pulled.page.restarted || at >= left.to;
        self.backfill = (!is_over).then_some(Backfill { at, ..left });
        let records: Vec<String> = pulled.lines().map(Record::pulled).collect();
        came.n_ops += records.len();
        let meta = vec![(BACKFILL, self.backfill.map_or(String::new(), |left| json(&left)))];
        store.write(Write { records, meta, ..Write::default() }).await.map_err(failed)?;
        Ok(!is_over)
    }

    /// A conversation's messages, ahead of the others.
    pub async fn fetch(&mut self, store: &LogStore, conversation: Uuid) -> Result<bool, ApiError> {
        if self.backfill.is_none() || !self.fetched.insert(conversation) {
            return Ok(false);
        }
        let mut since = 0;
        loop {
            let pulled = net::conversation::<Page>(conversation, since).await?;
            let records: Vec<String> = pulled.lines().map(Record::pulled).collect();
            store.append(&records, &[]).await.map_err(failed)?;
            since = pulled.page.cursor;
            if !pulled.page.has_more {
                return Ok(true);
            }
        }
    }

    pub fn is_filling(&self) -> bool {
        self.backfill.is_some()
    }
}

/// A struct of ids and numbers: JSON can always hold it.
pub fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
