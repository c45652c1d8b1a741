//! Vectors by this device's embedder, where it has one: of queries, of documents of this browser, of what
//! is uploaded to be indexed by the uploader's device.

use js_sys::Float32Array;
use leptos::prelude::*;
use portico_library::shelf::QueryVector;
use portico_library::shelf::protocol::{FromShelf, ToShelf};
use portico_shared::error::ApiError;
use portico_web::shelf_link::ask;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::js;
use crate::net;
use crate::state::Library;

/// Texts that are embedded in one go; between two of them chats have their turn.
const BATCH: usize = 16;

/// The embedder that is ready on this device; none: words alone.
pub async fn embedder() -> Option<String> {
    js::device_embedder().await.ok()?.as_string()
}

/// An embedder that this device could run.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Offered {
    pub id: String,
    pub name: String,
    pub size_bytes: u64,
}

pub async fn offered() -> Option<Offered> {
    let json = js::offered_embedder().await.ok()?.as_string()?;
    serde_json::from_str(&json).ok()
}

/// The query as the device's embedder sees it.
pub async fn query(text: &str) -> Option<QueryVector> {
    let embedder = embedder().await?;
    let values = vectors(&embedder, vec![text.to_owned()], "query", |_| {}).await?;
    Some(QueryVector { embedder, values })
}

/// One vector after the other; none where the device cannot. `told` hears how many are done.
pub async fn vectors(
    embedder: &str,
    texts: Vec<String>,
    kind: &str,
    told: impl Fn(usize),
) -> Option<Vec<f32>> {
    let mut all = Vec::new();
    let n_texts = texts.len();
    for batch in texts.chunks(BATCH) {
        let made = js::embed_on_device(embedder, batch.to_vec(), kind).await.ok()?;
        let made: Float32Array = made.dyn_into().ok()?;
        all.extend(made.to_vec());
        told((all.len() / (made.length() as usize / batch.len()).max(1)).min(n_texts));
    }
    (!all.is_empty()).then_some(all)
}

/// Gives the documents of this browser their vectors, one document after the other.
pub fn catch_up(library: Library) {
    thread_local!(static RUNS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });
    if RUNS.replace(true) {
        return;
    }
    spawn_local(async move {
        // Without them a document is found by its words.
        if let Err(error) = embed_missing().await {
            web_sys::console::warn_1(&format!("portico: {error}").into());
        }
        RUNS.set(false);
        library.shelf_version.update(|version| *version += 1);
    });
}

async fn embed_missing() -> Result<(), ApiError> {
    let Some(embedder) = embedder().await else { return Ok(()) };
    let wanted = ToShelf::WithoutVectors { embedder: embedder.clone() };
    let FromShelf::Ids { ids } = ask(&wanted, None).await?.0 else { return Ok(()) };
    for id in ids {
        let said = ask(&ToShelf::ContextTexts { id }, None).await?.0;
        let FromShelf::ContextTexts { texts } = said else { return Ok(()) };
        let n_texts = texts.len();
        let Some(values) = vectors(&embedder, texts, "passage", |_| {}).await else {
            return Ok(());
        };
        let dims = values.len() / n_texts.max(1);
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let bytes = js_sys::Uint8Array::from(bytes.as_slice());
        let message = ToShelf::Vectors { id, embedder: embedder.clone(), dims };
        ask(&message, Some(bytes)).await?;
    }
    Ok(())
}

/// Little-endian f32 in base64, as the server takes them.
pub fn base64(values: &[f32]) -> Result<String, ApiError> {
    let binary: String =
        values.iter().flat_map(|value| value.to_le_bytes()).map(char::from).collect();
    let window = web_sys::window().ok_or_else(|| net::internal("no window"))?;
    window.btoa(&binary).map_err(|error| net::internal(format!("{error:?}")))
}
