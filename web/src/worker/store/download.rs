//! Brings one weights file onto the device, chunk by chunk, verified; resumes, pauses, retries.
//!
//! A download is open from its start until somebody closes it; while it is open, its connections
//! fetch whatever is missing, and also what a reader finds damaged later.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Uint8Array;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::gguf::{Gguf, Parsed, parse_header};
use portico_shared::manifest::CHUNK_BYTES;
use portico_weights::fetch_plan::FetchPlan;
use portico_weights::rate::RateMeter;
use portico_weights::retry;
use wasm_bindgen_futures::spawn_local;
use web_sys::AbortController;

use super::fetch::{FetchError, chunk_from_server};
use super::file::WeightsFile;
use super::{Kept, Store};
use crate::js::error::JsError;
use crate::js::scope::{is_online, log_error, now_ms, random, sha256_hex, sleep_ms};
use crate::js::signal::Signal;
use crate::protocol::ModelState;

/// Chunks under way at a time: enough to fill a link with latency, few enough that a crash costs
/// little (each may lose one chunk) and that HTTP/1.1's six connections leave room for the page.
pub const CONNECTIONS: usize = 4;
/// A connection that says nothing for so long is dropped and tried again.
const STALL_MS: f64 = 20_000.0;
const TICK_MS: f64 = 1_000.0;

/// Counts over the worker's life, for tests.
#[derive(Debug, Default)]
pub struct Counters {
    pub fetched_bytes: Cell<u64>,
    pub damaged_chunks: Cell<u64>,
}

/// Why an open download is no longer.
#[derive(Clone, Debug, PartialEq)]
enum End {
    Closed,
    Paused,
    Failed(ApiError),
}

/// One file on its way.
pub struct Download {
    store: Rc<Store>,
    file: Rc<WeightsFile>,
    plan: RefCell<FetchPlan>,
    end: RefCell<Option<End>>,
    meter: RefCell<RateMeter>,
    connections: [Connection; CONNECTIONS],
    /// Rung whenever any of the above changes.
    changed: Signal,
    counters: Rc<Counters>,
    on_progress: Box<dyn Fn(&Self)>,
}

#[derive(Default)]
struct Connection {
    abort: RefCell<Option<AbortController>>,
    last_bytes_ms: Cell<f64>,
    /// Bytes that have come of the chunk under way.
    received_bytes: Cell<u32>,
}

impl Download {
    /// Starts fetching what `file` lacks, its first chunk at first; see [`Self::read_header`].
    /// `on_progress` is called at most ten times a second while bytes come.
    pub fn start(
        store: Rc<Store>,
        file: Rc<WeightsFile>,
        changed: Signal,
        counters: Rc<Counters>,
        on_progress: impl Fn(&Self) + 'static,
    ) -> Rc<Self> {
        let download = Rc::new(Self {
            store,
            plan: RefCell::new(FetchPlan::new(&file.present(), CONNECTIONS)),
            file,
            end: RefCell::new(None),
            meter: RefCell::default(),
            connections: Default::default(),
            changed,
            counters,
            on_progress: Box::new(on_progress),
        });
        download.meter.borrow_mut().start(now_ms());
        for i in 0..CONNECTIONS {
            spawn_local(download.clone().run_connection(i));
        }
        spawn_local(download.clone().run_ticks());
        download
    }

    pub fn file(&self) -> &WeightsFile {
        &self.file
    }

    pub fn is_complete(&self) -> bool {
        self.plan.borrow().is_complete()
    }

    pub fn is_open(&self) -> bool {
        self.end.borrow().is_none()
    }

    /// Stops; what arrived stays. Whoever waits for a chunk is told `cancelled`.
    pub fn pause(&self) {
        self.finish(End::Paused);
    }

    /// The file is whole and was read: nothing more to do.
    pub fn close(&self) {
        self.finish(End::Closed);
    }

    /// Waits until every chunk is here.
    pub async fn complete(&self) -> Result<(), ApiError> {
        self.changed
            .until(|| if self.is_complete() { Some(Ok(())) } else { self.ended().map(Err) })
            .await
    }

    /// How far it is, as the page is told.
    pub fn state(&self) -> ModelState {
        let total_bytes = self.file.manifest().size_bytes;
        let partial_bytes: u64 =
            self.connections.iter().map(|other| u64::from(other.received_bytes.get())).sum();
        let done_bytes = (self.file.present_bytes() + partial_bytes).min(total_bytes);
        let now_ms = now_ms();
        let meter = self.meter.borrow();
        ModelState::Downloading {
            done_bytes,
            total_bytes,
            bytes_per_s: meter.bytes_per_s(now_ms),
            seconds_left: meter.seconds_left(now_ms, total_bytes - done_bytes),
        }
    }

    /// Reads the file's header as soon as its chunks are here, and only then lets the rest come, if
    /// `admit` has nothing against it.
    pub async fn read_header(
        &self,
        admit: impl Fn(&Gguf) -> Result<(), ApiError>,
    ) -> Result<Gguf, ApiError> {
        let file_bytes = self.file.manifest().size_bytes;
        let buffer = Uint8Array::new_with_length(CHUNK_BYTES as u32);
        let mut prefix = Vec::new();
        let mut need_bytes = 0;
        loop {
            while (prefix.len() as u64) < need_bytes {
                let chunk = (prefix.len() as u64 / CHUNK_BYTES) as usize;
                self.plan.borrow_mut().open_gate(chunk + 1);
                self.changed.ring();
                let bytes = self.chunk(chunk, &buffer).await?;
                // As much of the chunk as is asked for: a small header takes little of the heap.
                let from = (prefix.len() as u64 % CHUNK_BYTES) as u32;
                let to = bytes.length().min((need_bytes - chunk as u64 * CHUNK_BYTES) as u32);
                let at = prefix.len();
                prefix.resize(at + (to - from) as usize, 0);
                bytes.subarray(from, to).copy_to(&mut prefix[at..]);
            }
            match parse_header(&prefix, file_bytes).map_err(ApiError::from) {
                Ok(Parsed::NeedBytes(bytes)) => need_bytes = bytes,
                Ok(Parsed::Done(gguf)) => {
                    if let Err(error) = admit(&gguf) {
                        self.fail(error.clone());
                        return Err(error);
                    }
                    self.plan.borrow_mut().open_gate(usize::MAX);
                    self.changed.ring();
                    return Ok(*gguf);
                }
                Err(error) => {
                    self.fail(error.clone());
                    return Err(error);
                }
            }
        }
    }

    /// Waits for a chunk, reads it into `buffer` and checks its digest. One that the store spoilt is
    /// fetched again, once.
    ///
    /// # Errors
    /// What ended the download: `cancelled`, `chunk_damaged`, `download_failed`, `offline`.
    pub async fn chunk(&self, chunk: usize, buffer: &Uint8Array) -> Result<Uint8Array, ApiError> {
        loop {
            self.changed
                .until(|| match self.ended() {
                    Some(error) => Some(Err(error)),
                    None => self.plan.borrow().is_verified(chunk).then_some(Ok(())),
                })
                .await?;
            let bytes = match self.file.get(chunk, buffer) {
                Ok(bytes) => bytes,
                Err(error) => {
                    self.spoilt(chunk, &error.to_string());
                    continue;
                }
            };
            match sha256_hex(&bytes).await {
                Ok(digest) if digest == self.file.manifest().chunks[chunk].sha256 => {
                    return Ok(bytes);
                }
                Ok(_) => self.spoilt(chunk, "its digest does not fit any more"),
                Err(error) => self.fail(ApiError::new(ErrorCode::Internal).detail(error)),
            }
        }
    }

    /// What stands in the store is not what was put there.
    fn spoilt(&self, chunk: usize, why: &str) {
        log_error(&format!("{} chunk {chunk}: {why}", self.file.manifest().model));
        if let Err(error) = self.file.forget(chunk) {
            log_error(&format!("noting it: {error}"));
        }
        self.damaged(chunk);
    }

    fn damaged(&self, chunk: usize) {
        self.counters.damaged_chunks.set(self.counters.damaged_chunks.get() + 1);
        let twice = self.plan.borrow_mut().damaged(chunk);
        if let Err(error) = twice {
            self.fail(ApiError::new(ErrorCode::ChunkDamaged).detail(error));
        }
        self.changed.ring();
    }

    fn fail(&self, error: ApiError) {
        self.finish(End::Failed(error));
    }

    fn finish(&self, end: End) {
        if self.end.borrow().is_some() {
            return;
        }
        *self.end.borrow_mut() = Some(end);
        for connection in &self.connections {
            if let Some(abort) = connection.abort.take() {
                abort.abort();
            }
        }
        self.changed.ring();
    }

    /// What whoever waits is told.
    fn ended(&self) -> Option<ApiError> {
        Some(match self.end.borrow().as_ref()? {
            End::Failed(error) => error.clone(),
            End::Paused | End::Closed => ApiError::new(ErrorCode::Cancelled),
        })
    }

    /// One of the connections: fetches chunk after chunk while the download is open.
    async fn run_connection(self: Rc<Self>, connection: usize) {
        let mut buffer = None;
        loop {
            let next = self
                .changed
                .until(|| match self.is_open() {
                    true => self.plan.borrow_mut().start_next().map(Some),
                    false => Some(None),
                })
                .await;
            let Some(chunk) = next else { return };
            let size_bytes = self.file.manifest().chunks[chunk].size_bytes as u32;
            let buffer =
                buffer.get_or_insert_with(|| Uint8Array::new_with_length(CHUNK_BYTES as u32));
            let bytes = buffer.subarray(0, size_bytes);
            let fetched = self.fetch(connection, chunk, &bytes).await;
            match fetched {
                Ok(true) => {
                    if let Err(error) = self.keep(chunk, &bytes).await {
                        log_error(&format!("keeping chunk {chunk}: {error}"));
                        self.plan.borrow_mut().interrupted(chunk);
                        self.fail(ApiError::new(ErrorCode::Internal).detail(error));
                    } else {
                        self.plan.borrow_mut().verified(chunk);
                    }
                }
                Ok(false) => self.damaged(chunk),
                Err(FetchError::Aborted) => self.plan.borrow_mut().interrupted(chunk),
                Err(error) => {
                    self.plan.borrow_mut().interrupted(chunk);
                    let code =
                        if is_online() { ErrorCode::DownloadFailed } else { ErrorCode::Offline };
                    self.fail(ApiError::new(code).detail(error));
                }
            }
            self.connections[connection].received_bytes.set(0);
            self.changed.ring();
        }
    }

    /// Brings a chunk over the network, trying again where that makes sense. False: it does not fit
    /// its digest.
    async fn fetch(
        &self,
        connection: usize,
        chunk: usize,
        bytes: &Uint8Array,
    ) -> Result<bool, FetchError> {
        let expected = &self.file.manifest().chunks[chunk].sha256;
        let connection = &self.connections[connection];
        let mut n_failed = 0;
        let fetched = loop {
            let abort = AbortController::new()?;
            let signal = abort.signal();
            connection.last_bytes_ms.set(now_ms());
            connection.abort.replace(Some(abort));
            let before_bytes = connection.received_bytes.get();
            let received_bytes = &connection.received_bytes;
            let tried = chunk_from_server(expected, bytes, received_bytes, &signal, |n_bytes| {
                connection.last_bytes_ms.set(now_ms());
                self.count(n_bytes);
            })
            .await;
            connection.abort.take();
            let error = match tried {
                Ok(()) => break Ok(()),
                // Not ours: the watch broke a silent connection.
                Err(FetchError::Aborted) if self.is_open() => {
                    FetchError::Network("the connection fell silent".to_owned())
                }
                Err(error) => error,
            };
            n_failed =
                if connection.received_bytes.get() > before_bytes { 1 } else { n_failed + 1 };
            let wait_ms =
                error.failure().and_then(|failure| retry::wait_ms(failure, n_failed, random()));
            match wait_ms {
                Some(wait_ms) if self.is_open() => sleep_ms(wait_ms).await,
                _ => break Err(error),
            }
            if !self.is_open() {
                break Err(FetchError::Aborted);
            }
        };
        fetched?;
        let digest = sha256_hex(bytes).await?;
        Ok(digest == *expected)
    }

    fn count(&self, n_bytes: u32) {
        let fetched_bytes = &self.counters.fetched_bytes;
        fetched_bytes.set(fetched_bytes.get() + u64::from(n_bytes));
        self.meter.borrow_mut().add(now_ms(), u64::from(n_bytes));
        self.report();
    }

    fn report(&self) {
        let due = self.meter.borrow_mut().is_report_due(now_ms());
        if due && self.is_open() && !self.is_complete() {
            (self.on_progress)(self);
        }
    }

    /// Puts a verified chunk into the store; when the disk is full, makes room or goes to memory.
    async fn keep(&self, chunk: usize, bytes: &Uint8Array) -> Result<(), JsError> {
        match self.file.put(chunk, bytes) {
            Ok(Kept::OnDisk | Kept::InMemory) => return Ok(()),
            Err(error) if error.is_quota() => {}
            Err(error) => {
                // Whatever the disk's trouble is, memory has none of it.
                log_error(&format!("the disk refused chunk {chunk}: {error}"));
                self.file.keep_in_memory();
            }
        }
        let manifest = self.file.manifest();
        let missing_bytes = manifest.size_bytes.saturating_sub(self.file.present_bytes());
        let made_room = self.store.make_room(missing_bytes, &manifest.sha256).await;
        if !made_room || self.file.put(chunk, bytes).is_err() {
            self.file.keep_in_memory();
            self.file.put(chunk, bytes)?;
        }
        self.store.note_overflow(&self.file);
        Ok(())
    }

    /// Tells the progress of a slow download too, and breaks connections that fell silent.
    async fn run_ticks(self: Rc<Self>) {
        while self.is_open() && !self.is_complete() {
            sleep_ms(TICK_MS).await;
            self.report();
            for connection in &self.connections {
                if now_ms() - connection.last_bytes_ms.get() > STALL_MS
                    && let Some(abort) = connection.abort.take()
                {
                    abort.abort();
                }
            }
        }
    }
}
