//! What is to be sent? Every operation of the store behind the last one that the server has, as far as
//! `portico_page::sending` lets it.

use std::collections::{BTreeMap, BTreeSet};

use portico_page::sending::{Brief, Origin, Places, is_sent};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::sync::wire::{Position, batch_end};
use portico_web::log_store::{Held, LogStore, Record, SENT_TO, Write};
use portico_web::sync_link::NAMED_MAX;
use portico_web::sync_memory::{ANEW, POSITION};
use uuid::Uuid;

use crate::seal::Seal;
use crate::work::failed;
use crate::{net, pull};

/// In the store's memory: something was refused, and is tried again when a page is opened the next time.
const REFUSED: &str = "refused";
const BATCH: u32 = 500;

/// What waits to be sent.
#[derive(Default)]
pub struct Waiting {
    pub n_ops: usize,
    pub conversations: BTreeSet<Uuid>,
}

/// Reads on in what is to be sent.
pub struct Outbox {
    pushed_to: f64,
    /// The server's log began anew, and not everything is there yet.
    is_anew: bool,
    /// Of messages whose record does not say where they belong: those of an older page, and what came from
    /// the server.
    places: Places,
    /// The whole store was looked at for them.
    knows_places: bool,
}

/// One step of sending.
struct Next {
    lines: Vec<(f64, String, Option<Uuid>)>,
    /// The last key that was looked at; none: there is nothing more.
    end: Option<f64>,
}

impl Outbox {
    pub async fn open(store: &LogStore) -> Result<Self, ApiError> {
        let mut outbox =
            Self { pushed_to: 0.0, is_anew: false, places: Places::default(), knows_places: false };
        let was_refused = store.meta(REFUSED).await.map_err(failed)?.as_deref() == Some("1");
        if was_refused {
            let meta = vec![(SENT_TO, "0".to_owned()), (REFUSED, String::new())];
            store.write(Write { meta, ..Write::default() }).await.map_err(failed)?;
        }
        outbox.look(store).await?;
        Ok(outbox)
    }

    /// The page puts the mark back where what was held is so no longer.
    async fn look(&mut self, store: &LogStore) -> Result<(), ApiError> {
        let sent_to = store.meta(SENT_TO).await.map_err(failed)?;
        self.pushed_to = sent_to.and_then(|key| key.parse().ok()).unwrap_or(0.0);
        self.is_anew = store.meta(ANEW).await.map_err(failed)?.as_deref() == Some("1");
        Ok(())
    }

    /// Messages may have come later than what was written about them.
    async fn learn_places(&mut self, store: &LogStore) -> Result<(), ApiError> {
        let mut after = 0.0;
        loop {
            let batch = store.read(after, BATCH).await.map_err(failed)?;
            let Some(last) = batch.last() else { break };
            after = last.key;
            for stored in &batch {
                if let Some(brief) = Brief::read(Record::parts(&stored.json).0) {
                    self.places.note(brief);
                }
            }
        }
        self.knows_places = true;
        Ok(())
    }

    /// Sends what there is; gives what the server refused for a reason that may pass.
    ///
    /// # Errors
    /// What keeps it from being sent at all.
    pub async fn push_all(
        &mut self,
        store: &LogStore,
        seal: &Seal,
        position: &mut Position,
    ) -> Result<Option<ApiError>, ApiError> {
        let mut refused = None;
        self.look(store).await?;
        if self.is_anew && !self.knows_places {
            self.learn_places(store).await?;
        }
        loop {
            let held: BTreeMap<Uuid, Held> =
                store.held().await.map_err(failed)?.into_iter().collect();
            let next = self.next(store, self.pushed_to, &held).await?;
            let Some(end) = next.end else {
                if self.is_anew && refused.is_none() {
                    let meta = vec![(ANEW, String::new())];
                    store.write(Write { meta, ..Write::default() }).await.map_err(failed)?;
                    self.is_anew = false;
                }
                return Ok(refused);
            };
            let mut closed = Vec::with_capacity(next.lines.len());
            for (key, json, place) in next.lines {
                match seal.close(&json, place) {
                    Ok(line) => closed.push((key, line, place)),
                    // No operation: no server takes it, and it must not hold the others up.
                    Err(error) => refused = Some(error),
                }
            }
            let n_lines = batch_end(closed.iter().map(|(_, json, _)| json.len()));
            let all = n_lines == closed.len();
            let batch = &closed[..n_lines];
            let mut write = Write::default();
            if !batch.is_empty() {
                let lines: Vec<&str> = batch.iter().map(|(_, json, _)| json.as_str()).collect();
                let pushed = net::push(&(lines.join("\n") + "\n")).await?;
                seal.is_of(pushed.epoch)?;
                position.pushed(&pushed);
                for fault in pushed.refused {
                    let conversation = batch.get(fault.line).and_then(|(_, _, place)| *place);
                    match (fault.error.code, conversation) {
                        // Another device keeps it from the server.
                        (ErrorCode::ConversationStaysOnDevice, Some(conversation)) => {
                            write.held.push((conversation, Some(Held::Kept)));
                        }
                        _ => refused = Some(fault.error),
                    }
                }
            }
            let sent_to = if all { end } else { batch.last().map_or(end, |(key, ..)| *key) };
            let before = self.pushed_to;
            self.look(store).await?;
            // The page put the mark back meanwhile: it stays there.
            if self.pushed_to >= before {
                self.pushed_to = sent_to;
                write.meta.push((SENT_TO, sent_to.to_string()));
            }
            if refused.is_some() {
                write.meta.push((REFUSED, "1".to_owned()));
            }
            write.meta.push((POSITION, pull::json(position)));
            store.write(write).await.map_err(failed)?;
        }
    }

    /// What is not sent yet.
    pub async fn waiting(&mut self, store: &LogStore) -> Result<Waiting, ApiError> {
        let held: BTreeMap<Uuid, Held> = store.held().await.map_err(failed)?.into_iter().collect();
        let mut waiting = Waiting::default();
        let mut after = self.pushed_to;
        loop {
            let next = self.next(store, after, &held).await?;
            let Some(end) = next.end else { return Ok(waiting) };
            after = end;
            waiting.n_ops += next.lines.len();
            for (_, _, place) in next.lines {
                if waiting.conversations.len() < NAMED_MAX {
                    waiting.conversations.extend(place);
                }
            }
        }
    }

    async fn next(
        &mut self,
        store: &LogStore,
        after: f64,
        held: &BTreeMap<Uuid, Held>,
    ) -> Result<Next, ApiError> {
        let batch = store.read(after, BATCH).await.map_err(failed)?;
        let end = batch.last().map(|stored| stored.key);
        let mut lines = Vec::new();
        for stored in &batch {
            let origin = match Record::is_pulled(&stored.json) {
                true => Origin::Server,
                false => Origin::Here,
            };
            if origin == Origin::Server && !self.is_anew {
                continue;
            }
            let (json, place) = Record::parts(&stored.json);
            let brief = Brief::read(json);
            if let Some(brief) = brief {
                self.places.note(brief);
            }
            let place = place.or_else(|| self.places.of(brief?));
            if is_sent(origin, brief, place, self.is_anew, |place| held.contains_key(&place)) {
                lines.push((stored.key, json.trim_start().to_owned(), place));
            }
        }
        Ok(Next { lines, end })
    }
}
