//! The worker of the documents that never leave the browser: reads, keeps and searches them, so that the
//! page's thread does none of it.

mod store;

use std::cell::RefCell;

use js_sys::{Array, Uint8Array};
use portico_library::shelf::protocol::{FromShelf, ToShelf};
use portico_library::shelf::{Shelf, Stored, Vectors, extract, passages_of};
use portico_shared::error::{ApiError, ErrorCode};
use uuid::Uuid;
use wasm_bindgen::prelude::*;

use store::Store;

fn main() {
    std::panic::set_hook(Box::new(|panic| {
        web_sys::console::error_1(&format!("portico: {panic}").into());
    }));
}

thread_local! {
    /// What was read from the store. Taken out while a message is answered: they come one by one.
    static SHELF: RefCell<Option<(Store, Shelf)>> = const { RefCell::new(None) };
}

/// Another tab has changed something: it is read anew when it is next needed.
#[wasm_bindgen]
pub fn forget() {
    SHELF.take();
}

/// Answers a message: JSON, bytes or nothing, and whether something has changed.
#[wasm_bindgen]
pub async fn answer(message: String, bytes: Option<Uint8Array>) -> Array {
    let (answer, beside, has_changed) = match serde_json::from_str(&message) {
        Ok(message) => handle(message, bytes).await.unwrap_or_else(failed),
        Err(error) => failed(ApiError::new(ErrorCode::Internal).detail(error)),
    };
    let json = serde_json::to_string(&answer).unwrap_or_default();
    let beside =
        beside.map_or(JsValue::UNDEFINED, |bytes| Uint8Array::from(bytes.as_slice()).into());
    Array::of3(&json.into(), &beside, &has_changed.into())
}

type Answer = (FromShelf, Option<Vec<u8>>, bool);

fn failed(error: ApiError) -> Answer {
    (FromShelf::Failed { error }, None, false)
}

async fn handle(message: ToShelf, bytes: Option<Uint8Array>) -> Result<Answer, ApiError> {
    let bytes = bytes.map(|bytes| bytes.to_vec()).unwrap_or_default();
    // Keeps nothing, so that it works where nothing can be kept.
    if let ToShelf::Prepare { file, pages } = message {
        let extracted = extract(&file, &bytes, pages.as_deref())?;
        let chunks = passages_of(&extracted)?;
        let title = extracted.title.as_deref();
        let texts = chunks.iter().map(|chunk| chunk.context_text(title)).collect();
        let extracted = Box::new(extracted);
        return Ok((FromShelf::Prepared { extracted, chunks, texts }, None, false));
    }
    let (store, mut shelf) = match SHELF.take() {
        Some(open) => open,
        None => open().await?,
    };
    let answer = with(&store, &mut shelf, message, bytes).await;
    SHELF.set(Some((store, shelf)));
    answer
}

/// Reads all documents; what is left of a crash is removed.
async fn open() -> Result<(Store, Shelf), ApiError> {
    let store = Store::open().await?;
    let mut shelf = Shelf::default();
    for id in store.ids().await? {
        let stored = store.read(id, "doc").await?;
        let stored = stored.and_then(|json| serde_json::from_slice::<Stored>(&json).ok());
        let Some(stored) = stored.filter(|stored| stored.id == id) else {
            store.remove(id).await?;
            continue;
        };
        let vectors = store.read(id, "vec").await?;
        let vectors = vectors.and_then(|bytes| Vectors::from_bytes(&bytes, stored.chunks.len()));
        shelf.put(stored, vectors);
    }
    Ok((store, shelf))
}

async fn with(
    store: &Store,
    shelf: &mut Shelf,
    message: ToShelf,
    bytes: Vec<u8>,
) -> Result<Answer, ApiError> {
    let said = |answer| Ok((answer, None, false));
    match message {
        ToShelf::List => said(FromShelf::Listed { documents: shelf.list() }),
        ToShelf::Add { file, pages } => {
            let size_bytes = bytes.len() as u64;
            let extracted = extract(&file, &bytes, pages.as_deref())?;
            let is_shown_itself = pages.is_some();
            let stored = Stored::new(new_id(), file, size_bytes, extracted)?;
            let id = stored.id;
            let json = serde_json::to_vec(&stored)
                .map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
            if is_shown_itself {
                store.write(id, "file", &bytes).await?;
            }
            // With it the document is there.
            store.write(id, "doc", &json).await?;
            shelf.put(stored, None);
            let document = shelf.text(id)?.document;
            Ok((FromShelf::Added { document }, None, true))
        }
        ToShelf::Delete { id } => {
            store.remove(id).await?;
            shelf.remove(id);
            Ok((FromShelf::Done, None, true))
        }
        ToShelf::Text { id } => said(FromShelf::Text { text: Box::new(shelf.text(id)?) }),
        ToShelf::Passage { id, passage } => {
            said(FromShelf::Passage { passage: shelf.passage(id, passage)? })
        }
        ToShelf::File { id } => {
            shelf.stored(id)?;
            let file = store.read(id, "file").await?.unwrap_or_default();
            Ok((FromShelf::File, Some(file), false))
        }
        ToShelf::Search { request, vector } => {
            said(FromShelf::Found { response: shelf.search(&request, vector.as_ref()) })
        }
        ToShelf::WithoutVectors { embedder } => {
            said(FromShelf::Ids { ids: shelf.without_vectors(&embedder) })
        }
        ToShelf::ContextTexts { id } => {
            said(FromShelf::ContextTexts { texts: shelf.stored(id)?.context_texts() })
        }
        ToShelf::Vectors { id, embedder, dims } => {
            let values = bytes.chunks_exact(4).map(|four| {
                let mut value = [0; 4];
                value.copy_from_slice(four);
                f32::from_le_bytes(value)
            });
            let vectors = Vectors { embedder, dims, values: values.collect() };
            let file = vectors.to_bytes();
            shelf.set_vectors(id, vectors)?;
            store.write(id, "vec", &file).await?;
            Ok((FromShelf::Done, None, true))
        }
        ToShelf::Prepare { .. } => said(FromShelf::Done),
    }
}

fn new_id() -> Uuid {
    let mut random = [0; 10];
    // Refused nowhere that OPFS is offered.
    getrandom04::fill(&mut random).ok();
    portico_shared::sync::uuid_v7(js_sys::Date::now() as u64, &random)
}
