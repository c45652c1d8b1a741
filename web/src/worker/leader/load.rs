//! How does a model get onto the device and onto the GPU?

use std::rc::Rc;

use futures_util::future::join;
use js_sys::Uint8Array;
use portico_engine::{EncoderLoader, EngineError, LoadOptions, ModelLoader, supports};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::gguf::Gguf;
use portico_shared::manifest::{CHUNK_BYTES, Manifest};
use portico_shared::model::EncoderConfig;
use portico_shared::tokenizer::Tokenizer;
use portico_weights::retry;
use wasm_bindgen_futures::spawn_local;
use web_sys::AbortController;

use super::embedding::{EmbedJob, LoadedEmbedder, makes_no_vectors};
use super::grammars::Grammars;
use super::loaded::{Loaded, TextSide};
use super::{Job, Leader, since_ms};
use crate::js::scope::{is_online, now_ms, random, sleep_ms};
use crate::protocol::{FromWorker, ModelState};
use crate::store::download::Download;
use crate::store::{FetchError, Presence, Store, manifest_from_server};

/// How long the server may take to say whether a model changed that is whole on this device.
const FRESHNESS_MS: f64 = 2_000.0;
/// Bytes that pass through the Wasm heap at a time on their way to the GPU.
const SLICE_BYTES: u32 = 1024 * 1024;
/// Milliseconds between two words about an upload.
const REPORT_MS: f64 = 100.0;

/// A model's download is being set up; over when dropped, also where its task is given up.
struct Opening<'a> {
    leader: &'a Leader,
    model: &'a str,
}

impl<'a> Opening<'a> {
    fn begin(leader: &'a Leader, model: &'a str) -> Self {
        leader.opening.borrow_mut().insert(model.to_owned());
        Self { leader, model }
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        self.leader.opening.borrow_mut().remove(self.model);
        self.leader.changed.ring();
    }
}

/// The state of a model that nothing happens to.
pub fn resting_state(presence: Option<&Presence>) -> ModelState {
    match presence {
        Some(here) if here.present_bytes == here.total_bytes => ModelState::Cached,
        Some(here) => ModelState::Absent { cached_bytes: here.present_bytes },
        None => ModelState::Absent { cached_bytes: 0 },
    }
}

impl Leader {
    /// A page wants `model`. While another model answers, the download goes on beside it and the
    /// switch waits until it is whole.
    pub(super) async fn load(self: Rc<Self>, model: String) {
        if self.active_model.borrow().as_ref() == Some(&model) {
            self.push_own(Job::Activate(model));
            return;
        }
        let downloaded = async {
            let download = self.open_download(&model).await?;
            let gguf = self.admit_header(&download).await?;
            if EncoderConfig::is_in(&gguf) {
                self.push_embed(EmbedJob::Activate(model.clone()));
                return Ok(());
            }
            let is_free = self.active_model.borrow().is_none() && self.queue.borrow().is_idle();
            if !is_free {
                download.complete().await?;
            }
            self.push_own(Job::Activate(model.clone()));
            Ok::<_, ApiError>(())
        };
        if let Err(error) = downloaded.await {
            self.load_failed(&model, error);
        }
    }

    pub(super) fn pause_load(&self, model: &str) {
        let download = self.downloads.borrow_mut().remove(model);
        if let Some(download) = download.filter(|download| download.is_open()) {
            download.pause();
            let manifest = download.file().manifest();
            let state = ModelState::Paused {
                done_bytes: download.file().present_bytes(),
                total_bytes: manifest.size_bytes,
            };
            self.set_state(model, state);
        }
    }

    /// Tells the pages why a model did not come; one that was paused said so itself.
    pub(super) fn load_failed(&self, model: &str, error: ApiError) {
        self.close_download(model);
        if error.code != ErrorCode::Cancelled {
            self.set_state(model, ModelState::Failed { error });
        }
    }

    pub(super) async fn set_resting(&self, model: &str) {
        let presence = self.store().await.model(model);
        self.set_state(model, resting_state(presence.as_ref()));
    }

    /// The open download of `model`; starts one, also for a model that is whole on this device.
    async fn open_download(self: &Rc<Self>, model: &str) -> Result<Rc<Download>, ApiError> {
        self.changed.until(|| (!self.opening.borrow().contains(model)).then_some(())).await;
        let known = self.downloads.borrow().get(model).filter(|known| known.is_open()).cloned();
        if let Some(download) = known {
            return Ok(download);
        }
        let _opening = Opening::begin(self, model);
        self.start_download(model).await
    }

    async fn start_download(self: &Rc<Self>, model: &str) -> Result<Rc<Download>, ApiError> {
        let store = self.store().await;
        let manifest = self.manifest(model).await?;
        let file = store.file(manifest).await;
        self.tell_evicted(&store);
        let is_whole = file.is_whole();
        let (leader, name) = (self.clone(), model.to_owned());
        let download = Download::start(
            store.clone(),
            file,
            self.changed.clone(),
            self.counters.clone(),
            move |download| leader.set_state(&name, download.state()),
        );
        if !is_whole {
            self.set_state(model, download.state());
            self.tell_all(FromWorker::Storage { storage: store.report().await });
        }
        self.downloads.borrow_mut().insert(model.to_owned(), download.clone());
        Ok(download)
    }

    /// Nobody waits for this download any more, but what it began it ends.
    pub(super) fn finish_alone(self: &Rc<Self>, model: &str) {
        let Some(download) = self.downloads.borrow().get(model).cloned() else { return };
        let (leader, model) = (self.clone(), model.to_owned());
        spawn_local(async move {
            match download.complete().await {
                Ok(()) => {
                    let is_wanted = leader.queue.borrow().running().is_some();
                    if !is_wanted {
                        leader.close_download(&model);
                    }
                    leader.set_resting(&model).await;
                }
                Err(error) => leader.load_failed(&model, error),
            }
        });
    }

    /// Room may have been made at other models' cost.
    fn tell_evicted(&self, store: &Store) {
        let cached: Vec<String> = {
            let states = self.states.borrow();
            let cached = states.iter().filter(|(_, state)| **state == ModelState::Cached);
            cached.map(|(model, _)| model.clone()).collect()
        };
        for model in cached {
            let state = resting_state(store.model(&model).as_ref());
            if state != ModelState::Cached {
                self.set_state(&model, state);
            }
        }
    }

    fn close_download(&self, model: &str) {
        if let Some(download) = self.downloads.borrow_mut().remove(model) {
            download.close();
        }
    }

    /// Asks the server what the model consists of; without a server, what was kept must do.
    async fn manifest(&self, model: &str) -> Result<Manifest, ApiError> {
        let store = self.store().await;
        let kept = store.manifest(model);
        let is_whole =
            store.model(model).is_some_and(|here| here.present_bytes == here.total_bytes);
        let mut n_failed = 0;
        loop {
            let Ok(abort) = AbortController::new() else {
                return Err(ApiError::new(ErrorCode::Internal).detail("no AbortController"));
            };
            if is_whole {
                let late = abort.clone();
                spawn_local(async move {
                    sleep_ms(FRESHNESS_MS).await;
                    late.abort();
                });
            }
            let error = match manifest_from_server(model, &abort.signal()).await {
                Ok(manifest) if manifest.model == model => return Ok(manifest),
                Ok(manifest) => FetchError::Unusable(format!("it is for {}", manifest.model)),
                Err(error) => error,
            };
            n_failed += 1;
            let wait_ms = match error {
                FetchError::Status(404) => {
                    return Err(ApiError::new(ErrorCode::ModelNotFound).with("model", model));
                }
                _ if kept.is_some() => None,
                _ => error.failure().and_then(|f| retry::wait_ms(f, n_failed, random())),
            };
            if let Some(kept) = &kept {
                return Ok((**kept).clone());
            }
            match wait_ms {
                Some(wait_ms) if is_online() => sleep_ms(wait_ms).await,
                _ => {
                    let failed = matches!(error, FetchError::Status(_) | FetchError::Unusable(_));
                    let code = match failed || is_online() {
                        true => ErrorCode::DownloadFailed,
                        false => ErrorCode::Offline,
                    };
                    return Err(ApiError::new(code).detail(error));
                }
            }
        }
    }

    /// Reads the header and refuses, before the rest is fetched, what this device cannot run.
    async fn admit_header(self: &Rc<Self>, download: &Download) -> Result<Gguf, ApiError> {
        let gpu = self.gpu().await?;
        download.read_header(|gguf| Ok(supports(gguf, gpu.caps())?)).await
    }

    /// Puts `model` on the GPU, fetching what is missing meanwhile. `before_upload` frees the model
    /// that was there.
    pub(super) async fn activate(
        self: &Rc<Self>,
        model: &str,
        before_upload: impl AsyncFnOnce(),
    ) -> Result<Loaded, ApiError> {
        let start_ms = now_ms();
        let download = self.open_download(model).await?;
        let gguf = self.admit_header(&download).await?;
        before_upload().await;
        let gpu = self.gpu().await?;
        // The tokenizer is built while the GPU clears its buffers; one that is not known spares the
        // bytes that are still to come.
        let options = LoadOptions::default();
        let loader = ModelLoader::new(&gpu, &gguf, &options);
        let (loader, text) = join(loader, async { TextSide::from_gguf(&gguf.metadata) }).await;
        let (mut loader, text) = (loader?, text?);
        let stopped = || self.is_stopped();
        self.upload(model, &download, &gguf, &mut |bytes| loader.push(bytes), &stopped).await?;
        self.close_download(model);
        self.set_state(model, ModelState::Warming);
        let engine = loader.finish_warm().await?;
        let state = ModelState::Ready { gpu_bytes: engine.gpu_bytes(), n_ctx: engine.n_ctx() };
        self.last_load_ms.set(Some(since_ms(start_ms)));
        *self.active_model.borrow_mut() = Some(model.to_owned());
        self.set_state(model, state);
        let storage = self.store().await.report().await;
        self.tell_all(FromWorker::Storage { storage });
        Ok(Loaded { model: model.to_owned(), engine, text, grammars: Grammars::default() })
    }

    /// As [`Leader::activate`], for a model that makes vectors, beside the one that chats.
    pub(super) async fn activate_embedder(
        self: &Rc<Self>,
        model: &str,
    ) -> Result<LoadedEmbedder, ApiError> {
        let download = self.open_download(model).await?;
        let gguf = self.admit_header(&download).await?;
        if !EncoderConfig::is_in(&gguf) {
            return Err(makes_no_vectors(model).into());
        }
        let gpu = self.gpu().await?;
        let options = LoadOptions::default();
        let mut loader = EncoderLoader::new(&gpu, &gguf, &options).await?;
        let tokenizer = Tokenizer::from_gguf(&gguf.metadata)?;
        let prefixes = download.file().manifest().prefixes.clone();
        let stopped = || self.stop_embedding.get();
        self.upload(model, &download, &gguf, &mut |bytes| loader.push(bytes), &stopped).await?;
        self.close_download(model);
        self.set_state(model, ModelState::Warming);
        let encoder = loader.finish().await?;
        self.embedder_is_ready(model, &encoder);
        let storage = self.store().await.report().await;
        self.tell_all(FromWorker::Storage { storage });
        Ok(LoadedEmbedder { model: model.to_owned(), encoder, tokenizer, prefixes })
    }

    /// Chunk after chunk, in order, from the store to whatever takes it to the GPU. While one is
    /// repacked, the next is read and hashed.
    async fn upload(
        &self,
        model: &str,
        download: &Download,
        gguf: &Gguf,
        push: &mut dyn FnMut(&[u8]) -> Result<(), EngineError>,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<(), ApiError> {
        let manifest = download.file().manifest();
        let n_chunks = manifest.chunks.len();
        let buffers = [0, 1].map(|_| Uint8Array::new_with_length(CHUNK_BYTES as u32));
        let mut slice = vec![0; SLICE_BYTES as usize];
        let mut reported_ms = f64::NEG_INFINITY;
        let first = (gguf.data_offset_bytes / CHUNK_BYTES) as usize;
        // The header's bytes in the first chunk are no weights.
        let mut skip_bytes = (gguf.data_offset_bytes % CHUNK_BYTES) as u32;
        let mut ready = match first < n_chunks {
            true => Some(download.chunk(first, &buffers[first % 2]).await?),
            false => None,
        };
        for chunk in first..n_chunks {
            let Some(bytes) = ready.take() else { break };
            let next = async {
                match chunk + 1 < n_chunks {
                    true => download.chunk(chunk + 1, &buffers[(chunk + 1) % 2]).await.map(Some),
                    false => Ok(None),
                }
            };
            let pushed = async { push_slices(push, &bytes, skip_bytes, &mut slice) };
            let (next, pushed) = join(next, pushed).await;
            pushed?;
            ready = next?;
            skip_bytes = 0;
            self.uploaded_bytes.set(self.uploaded_bytes.get() + u64::from(bytes.length()));
            if is_stopped() {
                return Err(ApiError::new(ErrorCode::Cancelled));
            }
            if download.is_complete() && since_ms(reported_ms) >= REPORT_MS {
                reported_ms = now_ms();
                let done_bytes = (chunk as u64 * CHUNK_BYTES) + u64::from(bytes.length());
                let total_bytes = manifest.size_bytes;
                self.set_state(model, ModelState::Uploading { done_bytes, total_bytes });
            }
        }
        Ok(())
    }
}

/// Gives a chunk's bytes from `from` on to the loader, through a slice of Wasm memory.
fn push_slices(
    push: &mut dyn FnMut(&[u8]) -> Result<(), EngineError>,
    bytes: &Uint8Array,
    from: u32,
    slice: &mut [u8],
) -> Result<(), EngineError> {
    let mut at = from;
    while at < bytes.length() {
        let end = bytes.length().min(at + SLICE_BYTES);
        let part = &mut slice[..(end - at) as usize];
        bytes.subarray(at, end).copy_to(part);
        push(part)?;
        at = end;
    }
    Ok(())
}
