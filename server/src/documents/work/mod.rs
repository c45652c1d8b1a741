//! How do documents get on? Loops over the queue in the database, each a stage.
//!
//! Files are read several at once, each by a process of its own ([`extract`]); vectors are made a few
//! passages at a time, when nobody waits for an answer ([`embed`]); versions become live together
//! ([`index`]); all vectors move where that is asked for ([`moving`]). The loops share nothing but the
//! database: what one has done the next finds there, also after a crash.

mod embed;
mod extract;
mod index;
mod moving;
mod rebuild;
mod tidy;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portico_search::SearchIndex;
use portico_shared::error::ApiError;
use tokio::sync::{Mutex, watch};

use super::extractor::Extractor;
use super::owner::Ownership;
use super::{Documents, moving as moves, queue};
use crate::db::Db;

pub(super) use extract::{Staged, set_staged, write_staged};

/// How often the queue is looked at where nobody calls: another process may have added to it.
const LOOK_EVERY: Duration = Duration::from_millis(300);
const LONG_PAUSE: Duration = Duration::from_secs(1);
/// Between two tries of what may work later.
const LONGEST_WAIT_MS: i64 = 60_000;

/// The worker of the process that owns the documents.
pub(super) struct Work {
    documents: Arc<Documents>,
    index: Arc<SearchIndex>,
    extractor: Extractor,
    /// Held while versions become live or passages go, and while vectors are moved: neither happens in
    /// the midst of the other.
    gate: Mutex<()>,
    is_over: AtomicBool,
}

/// When the work ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// With the process.
    Ever,
    /// When nothing is left to do, or another process wants the documents.
    Idle,
}

impl Work {
    /// # Errors
    /// Where no child process can be had.
    pub(super) fn new(
        documents: Arc<Documents>,
        index: Arc<SearchIndex>,
    ) -> Result<Arc<Self>, ApiError> {
        let extractor = Extractor::new(&documents.config, documents.max_extracting())?;
        Ok(Arc::new(Self {
            documents,
            index,
            extractor,
            gate: Mutex::default(),
            is_over: AtomicBool::new(false),
        }))
    }

    /// # Errors
    /// When the database or the files' folder cannot be used at all.
    pub(super) async fn run(
        self: &Arc<Self>,
        until: Until,
        ownership: &Ownership,
    ) -> Result<(), ApiError> {
        self.requeue().await?;
        self.documents.files.sweep(self.work_db()).await?;
        let stages = [
            tokio::spawn(Arc::clone(self).keep_extracting()),
            tokio::spawn(Arc::clone(self).keep_embedding()),
            tokio::spawn(Arc::clone(self).keep_indexing()),
            tokio::spawn(Arc::clone(self).keep_moving()),
            tokio::spawn(Arc::clone(self).keep_tidy(until)),
        ];
        let ended = self.watch(until, ownership).await;
        self.is_over.store(true, Ordering::Release);
        self.documents.wake();
        for stage in stages {
            if let Err(error) = stage.await {
                tracing::error!(%error, "a stage of the queue ended by a fault");
            }
        }
        ended
    }

    /// Measures the queue's speed; returns when the work is to end.
    async fn watch(&self, until: Until, ownership: &Ownership) -> Result<(), ApiError> {
        let mut wake = self.documents.wake.subscribe();
        loop {
            let (total, is_idle) = self
                .work_db()
                .call(|connection| {
                    let ids = "SELECT json_group_array(id) FROM collections";
                    let ids: String = connection.query_row(ids, [], |row| row.get(0))?;
                    let is_idle = queue::is_idle(connection)? && !moves::is_moving(connection)?;
                    Ok((queue::total(connection, &ids)?, is_idle))
                })
                .await?;
            self.documents.pace.note(&total);
            self.documents.metrics.documents(&total);
            let is_done = is_idle && !self.documents.is_fed();
            if until == Until::Idle && (is_done || ownership.is_wanted()) {
                return Ok(());
            }
            if until == Until::Ever {
                ownership.settle();
            }
            self.pause(&mut wake).await;
        }
    }

    fn work_db(&self) -> &Db {
        &self.documents.work_db
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Until something may have changed.
    async fn pause(&self, wake: &mut watch::Receiver<u64>) {
        let _ = tokio::time::timeout(LOOK_EVERY, wake.changed()).await;
    }

    async fn pause_long(&self) {
        let until = tokio::time::Instant::now() + LONG_PAUSE;
        while !self.is_over() && tokio::time::Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// A fault of the work itself is logged, and the work goes on.
    fn logged<T>(&self, what: &str, done: Result<T, ApiError>) -> Option<T> {
        done.inspect_err(|error| tracing::error!(%error, "the documents' queue: {what}")).ok()
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
