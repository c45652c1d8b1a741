//! How does the page ask for the documents that never leave the browser? Over `web/js/on_device.js`, to
//! their worker (`web/src/shelf`), which is started with the first question.

use js_sys::{Array, Uint8Array};
use portico_library::api::{Hit, SearchRequest};
use portico_library::shelf::QueryVector;
use portico_library::shelf::protocol::{FromShelf, ToShelf};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::grounding::{Source, similarity};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(raw_module = "./on_device.js")]
extern "C" {
    #[wasm_bindgen(js_name = callShelf, catch)]
    async fn call_shelf(message: &str, bytes: Option<Uint8Array>) -> Result<JsValue, JsValue>;
}

/// Asks, and gives what comes with the answer.
///
/// # Errors
/// What the worker says, or that it could not be started.
pub async fn ask(
    message: &ToShelf,
    bytes: Option<Uint8Array>,
) -> Result<(FromShelf, Option<Uint8Array>), ApiError> {
    let json = serde_json::to_string(message).map_err(internal)?;
    let answer: Array = call_shelf(&json, bytes)
        .await
        .map_err(|error| internal(format!("{error:?}")))?
        .unchecked_into();
    let json = answer.get(0).as_string().unwrap_or_default();
    match serde_json::from_str(&json).map_err(internal)? {
        FromShelf::Failed { error } => Err(error),
        said => Ok((said, answer.get(1).dyn_into().ok())),
    }
}

/// Passages of this browser's own documents for `query`, best first and numbered from 1; none where there
/// are no documents. By words alone where `vector` is none.
///
/// # Errors
/// `device_storage_refused`, or that the worker failed.
pub async fn on_device_search(
    query: &str,
    limit: u32,
    vector: Option<QueryVector>,
) -> Result<Vec<Source>, ApiError> {
    let request = SearchRequest { query: query.to_owned(), limit, ..SearchRequest::default() };
    let embedder = vector.as_ref().map(|vector| vector.embedder.clone()).unwrap_or_default();
    let (answer, _) = ask(&ToShelf::Search { request, vector }, None).await?;
    let FromShelf::Found { response } = answer else { return Ok(Vec::new()) };
    let source = |(n, hit): (u32, Hit)| Source {
        n,
        passage: hit.passage,
        document: hit.document.id,
        name: hit.document.name,
        heading_path: hit.heading_path,
        page: hit.page,
        section: hit.section,
        text: hit.text,
        similarity: hit.similarity.map(|cosine| similarity(&embedder, cosine)),
    };
    Ok((1..).zip(response.hits).map(source).collect())
}

fn internal(cause: impl std::fmt::Display) -> ApiError {
    ApiError::new(ErrorCode::Internal).detail(cause)
}
