//! Vectors by this device's embedder, where it has one: of queries, of documents of this browser, of what
//! is uploaded to be indexed by the uploader's device.

use futures_util::future::Either;
use js_sys::Float32Array;
use leptos::prelude::*;
use portico_library::shelf::QueryVector;
use portico_library::shelf::protocol::{FromShelf, ToShelf};
use portico_shared::error::{ApiError, ErrorCode};
use portico_web::shelf_link::ask;
use uuid::Uuid;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::js;
use crate::net;
use crate::state::Library;

/// Texts that are embedded in one go; between two of them chats have their turn.
const BATCH: usize = 16;
/// A query that takes longer is searched by its words.
const QUERY_WAIT_MS: i32 = 20_000;

/// How far the documents of this browser are with their vectors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// A document, how many of its passages have theirs, and of how many.
    pub now: Option<(Uuid, usize, usize)>,
    /// Why it ended early.
    pub error: Option<ApiError>,
}

/// The embedder that is chosen for this device, where the device can run it; none: words alone.
pub async fn embedder() -> Option<String> {
    js::device_embedder().await.ok()?.as_string()
}

/// An embedder that this device could run.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
pub struct Runnable {
    pub id: String,
    pub name: String,
    pub size_bytes: u64,
}

/// The embedder `id`, or the first that there is, if this device can run it.
pub async fn runnable(id: Option<&str>) -> Option<Runnable> {
    let json = js::runnable_embedder(id).await.ok()?.as_string()?;
    serde_json::from_str(&json).ok()
}

/// Has the device embed with it from now on, on its own documents, too.
pub fn choose(library: Library, id: &str) {
    // Where nothing can be kept, nothing is; then words are searched.
    js::choose_embedder(id).ok();
    catch_up(library);
}

/// The query as the device's embedder sees it.
pub async fn query(text: &str) -> Option<QueryVector> {
    let embedder = embedder().await?;
    let own = embedder.clone();
    let embedded = vectors(&own, vec![text.to_owned()], "query", |_| true);
    let late = js::sleep_ms(QUERY_WAIT_MS);
    futures_util::pin_mut!(embedded, late);
    match futures_util::future::select(embedded, late).await {
        Either::Left((Ok(values), _)) => Some(QueryVector { embedder, values }),
        _ => None,
    }
}

/// One vector after the other. `told` hears how many are done, and says whether to go on.
///
/// # Errors
/// `cancelled`, and what the device's engine says.
pub async fn vectors(
    embedder: &str,
    texts: Vec<String>,
    kind: &str,
    told: impl Fn(usize) -> bool,
) -> Result<Vec<f32>, ApiError> {
    let mut all = Vec::new();
    let mut n_done = 0;
    for batch in texts.chunks(BATCH) {
        let made = js::embed_on_device(embedder, batch.to_vec(), kind).await;
        let made = made.map_err(|error| js::portico_error(&error))?;
        let made = made.dyn_into::<Float32Array>().map_err(|_| net::internal("no vectors"))?;
        all.extend(made.to_vec());
        n_done += batch.len();
        if !told(n_done) {
            return Err(ApiError::new(ErrorCode::Cancelled));
        }
    }
    Ok(all)
}

/// Gives the documents of this browser their vectors, one document after the other.
pub fn catch_up(library: Library) {
    thread_local!(static RUNS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });
    if RUNS.replace(true) {
        return;
    }
    spawn_local(async move {
        // Without them a document is found by its words.
        let error = embed_missing(library).await.err();
        RUNS.set(false);
        library.embedding.set(Progress { now: None, error });
        library.shelf_version.update(|version| *version += 1);
    });
}

async fn embed_missing(library: Library) -> Result<(), ApiError> {
    let Some(embedder) = embedder().await else { return Ok(()) };
    // Asked anew each time, for more may have come meanwhile.
    while let Some(id) = first_missing(&embedder).await? {
        match embed_one(library, &embedder, id).await {
            // It was deleted meanwhile.
            Err(error) if error.code == ErrorCode::DocumentNotFound => {}
            other => other?,
        }
    }
    Ok(())
}

async fn first_missing(embedder: &str) -> Result<Option<Uuid>, ApiError> {
    let wanted = ToShelf::WithoutVectors { embedder: embedder.to_owned() };
    match ask(&wanted, None).await?.0 {
        FromShelf::Ids { ids } => Ok(ids.first().copied()),
        other => Err(net::internal(format!("{other:?}"))),
    }
}

async fn embed_one(library: Library, embedder: &str, id: Uuid) -> Result<(), ApiError> {
    let texts = match ask(&ToShelf::ContextTexts { id }, None).await?.0 {
        FromShelf::ContextTexts { texts } => texts,
        other => return Err(net::internal(format!("{other:?}"))),
    };
    let n_texts = texts.len();
    let told = |n_done| {
        library.embedding.set(Progress { now: Some((id, n_done, n_texts)), error: None });
        true
    };
    told(0);
    let values = vectors(embedder, texts, "passage", told).await?;
    let dims = values.len() / n_texts.max(1);
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let bytes = js_sys::Uint8Array::from(bytes.as_slice());
    let message = ToShelf::Vectors { id, embedder: embedder.to_owned(), dims };
    ask(&message, Some(bytes)).await.map(|_| ())
}

/// Little-endian f32 in base64, as the server takes them.
pub fn base64(values: &[f32]) -> Result<String, ApiError> {
    let binary: String =
        values.iter().flat_map(|value| value.to_le_bytes()).map(char::from).collect();
    let window = web_sys::window().ok_or_else(|| net::internal("no window"))?;
    window.btoa(&binary).map_err(|error| net::internal(format!("{error:?}")))
}
