//! Files on their way into a collection, one after the other.

use std::rc::Rc;

use js_sys::Function;
use leptos::prelude::*;
use portico_library::address::{ON_DEVICE, encoded};
use portico_library::api::Uploaded;
use portico_library::kinds;
use portico_library::shelf::protocol::{FromShelf, ToShelf};
use portico_library::texts::Text;
use portico_shared::error::{ApiError, ErrorCode};
use portico_web::file_reading::{Taken, take};
use portico_web::server_call::http::error_in;
use portico_web::shelf_link::ask;
use portico_weights::rate::RateMeter;
use serde_json::json;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::js::{self, Chosen};
use crate::state::Library;
use crate::{device, embed, net};

/// How far a file is.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    Waiting,
    /// Bytes that are there, bytes a second, seconds left.
    Sending {
        done_bytes: u64,
        bytes_per_s: f64,
        seconds_left: Option<f64>,
    },
    /// Its text is being read on this device.
    Reading,
    /// Passages of it have their vectors.
    Embedding {
        done: usize,
        total: usize,
    },
    Done(Text),
    Failed(ApiError),
    Cancelled,
}

impl Stage {
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Failed(_) | Self::Cancelled)
    }
}

/// A file and how far it is.
#[derive(Clone, Copy)]
pub struct Upload {
    pub id: u64,
    pub name: StoredValue<String>,
    pub collection: StoredValue<String>,
    pub size_bytes: u64,
    pub stage: RwSignal<Stage>,
    chosen: StoredValue<Chosen, LocalStorage>,
    /// Stops what is being sent.
    stop: StoredValue<Option<Function>, LocalStorage>,
}

impl PartialEq for Upload {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// Adds files to a collection, behind those that wait already.
pub fn add(library: Library, collection: &str, files: Vec<Chosen>) {
    thread_local!(static LAST: std::cell::Cell<u64> = const { std::cell::Cell::new(0) });
    let made = |chosen: Chosen| {
        LAST.set(LAST.get() + 1);
        Upload {
            id: LAST.get(),
            name: StoredValue::new(chosen.path.clone()),
            collection: StoredValue::new(collection.to_owned()),
            size_bytes: chosen.file.size() as u64,
            stage: RwSignal::new(Stage::Waiting),
            chosen: StoredValue::new_local(chosen),
            stop: StoredValue::new_local(None),
        }
    };
    // What a system keeps in folders for itself is left out.
    let is_meant = |chosen: &Chosen| !chosen.path.split('/').any(|part| part.starts_with('.'));
    let files = files.into_iter().filter(is_meant);
    // They go on when the view goes in which they were chosen.
    let known: Vec<Upload> =
        library.owner.with_value(|owner| owner.with(|| files.map(made).collect()));
    library.uploads.update(|uploads| uploads.extend(known));
    run(library);
}

/// Stops a file's upload; what the server has of it it forgets.
pub fn cancel(upload: Upload) {
    if upload.stage.with_untracked(Stage::is_over) {
        return;
    }
    upload.stage.set(Stage::Cancelled);
    if let Some(stop) = upload.stop.try_update_value(Option::take).flatten() {
        stop.call0(&JsValue::UNDEFINED).ok();
    }
}

/// Tries a file again that failed.
pub fn retry(library: Library, upload: Upload) {
    upload.stage.set(Stage::Waiting);
    run(library);
}

/// One file after the other, until none waits.
fn run(library: Library) {
    thread_local!(static RUNS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });
    if RUNS.replace(true) {
        return;
    }
    spawn_local(async move {
        let next = || {
            library.uploads.with_untracked(|uploads| {
                let mut waiting = uploads.iter();
                waiting.find(|upload| upload.stage.get_untracked() == Stage::Waiting).copied()
            })
        };
        while let Some(upload) = next() {
            let is_own = upload.collection.with_value(|collection| collection == ON_DEVICE);
            upload.stage.set(match is_own {
                true => Stage::Reading,
                false => Stage::Sending { done_bytes: 0, bytes_per_s: 0.0, seconds_left: None },
            });
            let end = match one(library, upload).await {
                Ok(text) => Stage::Done(text),
                Err(error) => Stage::Failed(error),
            };
            // The document itself stands in the list by now.
            let is_said = matches!(end, Stage::Done(Text::UploadDone | Text::StateReady));
            if is_said {
                library.uploads.update(|uploads| uploads.retain(|other| other.id != upload.id));
            }
            // A cancelled one stays so.
            tell(upload, end);
        }
        RUNS.set(false);
    });
}

async fn one(library: Library, upload: Upload) -> Result<Text, ApiError> {
    let chosen = upload.chosen.get_value();
    let collection = upload.collection.get_value();
    if collection == ON_DEVICE {
        device::add(&chosen).await?;
        library.shelf_version.update(|version| *version += 1);
        embed::catch_up(library);
        return Ok(Text::StateReady);
    }
    let sent = send(library, upload, &chosen, &collection).await;
    library.changed();
    sent
}

async fn send(
    library: Library,
    upload: Upload,
    chosen: &Chosen,
    collection: &str,
) -> Result<Text, ApiError> {
    let mut done = Text::UploadDone;
    if library.indexes_here.get_untracked() {
        match indexed_here(library, upload, chosen, collection).await? {
            Indexed::Here(text) => return Ok(text),
            Indexed::Not(text) => done = text,
        }
    }
    let date_s = (chosen.file.last_modified() / 1_000.0) as i64;
    let name = encoded(&chosen.path);
    let url = format!("/api/collections/{collection}/documents?name={name}&date_s={date_s}");
    let uploaded: Uploaded = net::read(&post_file(upload, chosen, &url).await?)?;
    Ok(said(&uploaded, done))
}

/// What is said of a file that the server has; `done` where it had to be taken in.
fn said(uploaded: &Uploaded, done: Text) -> Text {
    match uploaded.outcome.as_str() {
        "unchanged" => Text::UploadUnchanged,
        "duplicate" => Text::UploadDuplicate,
        _ => done,
    }
}

/// Sends the bytes, and tells how far they are.
async fn post_file(upload: Upload, chosen: &Chosen, url: &str) -> Result<String, ApiError> {
    if upload.stage.with_untracked(Stage::is_over) {
        return Err(ApiError::new(ErrorCode::Cancelled));
    }
    let kind = kinds::kind_of(&chosen.path, &chosen.file.type_());
    let media_type = kind.map_or_else(|| chosen.file.type_(), |kind| kind.media_type.to_owned());
    let rate = Rc::new(std::cell::RefCell::new((RateMeter::default(), 0_u64)));
    rate.borrow_mut().0.start(js::monotonic_ms());
    let total_bytes = upload.size_bytes;
    let on_progress = Closure::<dyn Fn(f64)>::new(move |loaded: f64| {
        let now_ms = js::monotonic_ms();
        let (meter, before) = &mut *rate.borrow_mut();
        let done_bytes = (loaded as u64).min(total_bytes);
        meter.add(now_ms, done_bytes.saturating_sub(*before));
        *before = done_bytes;
        tell(
            upload,
            Stage::Sending {
                done_bytes,
                bytes_per_s: meter.bytes_per_s(now_ms),
                seconds_left: meter.seconds_left(now_ms, total_bytes - done_bytes),
            },
        );
    });
    let (ended, end) = futures_channel::oneshot::channel();
    let on_end = Closure::once(move |status: f64, body: String| {
        // Nobody waits any more where it was cancelled.
        let _ = ended.send((status as u16, body));
    });
    let stop = js::send_file(
        url,
        &media_type,
        &chosen.file,
        on_progress.as_ref().unchecked_ref(),
        on_end.as_ref().unchecked_ref(),
    );
    let watched = upload.stop;
    watched.set_value(Some(stop));
    // A request that is stopped never ends: its upload is then over.
    let cancelled = async {
        while !upload.stage.with_untracked(Stage::is_over) {
            js::sleep_ms(100).await;
        }
    };
    futures_util::pin_mut!(cancelled);
    let answered = futures_util::future::select(end, cancelled).await;
    watched.set_value(None);
    match answered {
        futures_util::future::Either::Left((Ok((200..=299, body)), _)) => Ok(body),
        futures_util::future::Either::Left((Ok((0, _)) | Err(_), _)) => {
            Err(ApiError::new(ErrorCode::ServerUnreachable))
        }
        futures_util::future::Either::Left((Ok((status, body)), _)) => {
            let said = || ApiError::new(ErrorCode::UpstreamFailed).detail(format!("HTTP {status}"));
            Err(error_in(&body).unwrap_or_else(said))
        }
        futures_util::future::Either::Right(_) => Err(ApiError::new(ErrorCode::Cancelled)),
    }
}

/// Says how far a file is; false, and nothing is said, where it was cancelled.
fn tell(upload: Upload, stage: Stage) -> bool {
    let goes_on = !upload.stage.with_untracked(Stage::is_over);
    if goes_on {
        upload.stage.set(stage);
    }
    goes_on
}

/// What came of a file that this device was to index.
enum Indexed {
    Here(Text),
    /// The server does it, and this is then said of it.
    Not(Text),
}

/// Reads and embeds a file here, and sends what came of it with the file.
///
/// # Errors
/// `cancelled`, and what the sending of the file says.
async fn indexed_here(
    library: Library,
    upload: Upload,
    chosen: &Chosen,
    collection: &str,
) -> Result<Indexed, ApiError> {
    let wanted = untrack(|| library.collection(collection)).and_then(|one| one.embedder);
    let Some(embedder) = wanted else { return Ok(Indexed::Not(Text::UploadDone)) };
    if embed::runnable(Some(&embedder)).await.is_none() {
        return Ok(Indexed::Not(Text::UploadServerEmbeds));
    }
    if !tell(upload, Stage::Reading) {
        return Err(ApiError::new(ErrorCode::Cancelled));
    }
    let Ok(Taken { file, pages, bytes }) = take(&chosen.file).await else {
        return Ok(Indexed::Not(Text::UploadServerReads));
    };
    let (media_type, date_s) = (file.media_type.clone(), file.date_s);
    let prepared = ask(&ToShelf::Prepare { file, pages }, Some(bytes)).await;
    let Ok((FromShelf::Prepared { extracted, chunks, texts }, _)) = prepared else {
        return Ok(Indexed::Not(Text::UploadServerReads));
    };
    let total = texts.len();
    let told = |done| tell(upload, Stage::Embedding { done, total });
    told(0);
    let vectors = match embed::vectors(&embedder, texts, "passage", told).await {
        Ok(vectors) => vectors,
        Err(error) if error.code == ErrorCode::Cancelled => return Err(error),
        Err(error) => {
            web_sys::console::warn_1(&format!("portico: {error}").into());
            return Ok(Indexed::Not(Text::UploadServerEmbeds));
        }
    };
    let held = post_file(upload, chosen, &format!("/api/collections/{collection}/files")).await?;
    let body = json!({
        "name": chosen.path,
        "media_type": media_type,
        "date_s": date_s,
        "sha256": net::read::<serde_json::Value>(&held)?["sha256"],
        "extracted": extracted,
        "chunks": chunks,
        "vectors": embed::base64(&vectors)?,
        "embedder": embedder,
    });
    let path = format!("/api/collections/{collection}/indexed");
    match net::post::<Uploaded>(&path, &body).await {
        Ok(uploaded) => Ok(Indexed::Here(said(&uploaded, Text::IndexedByDevice))),
        Err(error) => {
            // The server then does it by itself, with the file sent anew.
            web_sys::console::warn_1(&format!("portico: {error}").into());
            Ok(Indexed::Not(match error.code {
                ErrorCode::VectorsDisagree | ErrorCode::VectorInvalid => Text::UploadDisagrees,
                _ => Text::UploadNotTaken,
            }))
        }
    }
}
