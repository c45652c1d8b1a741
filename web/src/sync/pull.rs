//! What did other devices write? A new device first asks for the list of conversations, then for what
//! happens from now on, and at last for what was before.

use std::collections::BTreeSet;

use portico_shared::error::ApiError;
use portico_shared::sync::wire::{Page, Position, SnapshotPage};
use portico_web::log_store::{Held, LogStore, SENT_TO, Write};
use portico_web::sync_memory::{ANEW, BACKFILL, POSITION};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::net;
use crate::seal::Seal;
use crate::work::failed;

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
    /// Operations that came altered, and were left out.
    pub n_damaged: usize,
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
        Ok(Self { position, backfill, fetched: BTreeSet::new(), n_damaged: 0 })
    }

    /// A device that was never here gets the list of conversations.
    /// A sealed log has no such list: its conversations come with their operations.
    pub async fn list(&mut self, store: &LogStore, seal: &Seal) -> Result<bool, ApiError> {
        if self.position.epoch.is_some() {
            return Ok(false);
        }
        let mut write = Write { clears_heads: true, ..Write::default() };
        let (mut first, mut after) = (None, None);
        loop {
            let heads = net::snapshot::<SnapshotPage>(after).await?;
            seal.is_of(heads.page.epoch)?;
            first = first.or(Some(heads.page));
            if !heads.rest().is_empty() && !seal.is_sealed() {
                write.heads.push(heads.rest().to_owned());
            }
            after = heads.page.after;
            if after.is_none() {
                break;
            }
        }
        let Some(first) = first else { return Ok(false) };
        self.position =
            Position { epoch: Some(first.epoch), cursor: first.cursor, mark: first.mark };
        self.backfill = (first.cursor > 0).then_some(Backfill { at: 0, to: first.cursor });
        write.meta.push((POSITION, json(&self.position)));
        write.meta.push((BACKFILL, self.backfill.map_or(String::new(), |left| json(&left))));
        store.write(write).await.map_err(failed)?;
        Ok(true)
    }

    /// One page of what is new; true: there is more. Where the log is another one than before, all that is
    /// here is to be sent: that is written down together with the new position, or a device that is switched
    /// off in between would never do it.
    pub async fn pull(
        &mut self,
        store: &LogStore,
        seal: &Seal,
        came: &mut Came,
    ) -> Result<bool, ApiError> {
        let pulled = net::pull::<Page>(self.position, None).await?;
        seal.is_of(pulled.page.epoch)?;
        let mut position = self.position;
        let is_other = position.pulled(&pulled.page);
        let (records, n_damaged) = seal.open(pulled.lines());
        let n_ops = records.len();
        let mut write = Write { records, ..Write::default() };
        write.meta.push((POSITION, json(&position)));
        if is_other {
            write.meta.extend([(SENT_TO, "0".to_owned()), (ANEW, "1".to_owned())]);
            // The server may not know any more what it was to forget.
            let held = store.held().await.map_err(failed)?;
            let withdrawn = held.into_iter().filter(|(_, held)| *held == Held::Withdrawn);
            write.held = withdrawn.map(|(id, _)| (id, Some(Held::Withdraw))).collect();
        }
        store.write(write).await.map_err(failed)?;
        self.position = position;
        self.n_damaged += n_damaged;
        came.n_ops += n_ops;
        came.is_other |= is_other;
        Ok(pulled.page.has_more)
    }

    /// One page of what was before; true: there is more.
    pub async fn fill(
        &mut self,
        store: &LogStore,
        seal: &Seal,
        came: &mut Came,
    ) -> Result<bool, ApiError> {
        let Some(left) = self.backfill else { return Ok(false) };
        let position = Position { epoch: self.position.epoch, cursor: left.at, mark: None };
        let pulled = net::pull::<Page>(position, Some(left.to)).await?;
        seal.is_of(pulled.page.epoch)?;
        let at = pulled.page.cursor;
        let is_over = pulled.page.restarted || at >= left.to;
        self.backfill = (!is_over).then_some(Backfill { at, ..left });
        let (records, n_damaged) = seal.open(pulled.lines());
        self.n_damaged += n_damaged;
        came.n_ops += records.len();
        let meta = vec![(BACKFILL, self.backfill.map_or(String::new(), |left| json(&left)))];
        store.write(Write { records, meta, ..Write::default() }).await.map_err(failed)?;
        Ok(!is_over)
    }

    /// A conversation's messages, ahead of the others.
    pub async fn fetch(
        &mut self,
        store: &LogStore,
        seal: &Seal,
        conversation: Uuid,
    ) -> Result<bool, ApiError> {
        if self.backfill.is_none() || !self.fetched.insert(conversation) {
            return Ok(false);
        }
        let mut since = 0;
        loop {
            let pulled = net::conversation::<Page>(conversation, since).await?;
            seal.is_of(pulled.page.epoch)?;
            let (records, n_damaged) = seal.open(pulled.lines());
            self.n_damaged += n_damaged;
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
