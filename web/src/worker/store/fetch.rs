//! How does one chunk, or a manifest, come over the network?

use js_sys::Uint8Array;
use portico_shared::manifest::Manifest;
use portico_weights::retry::Failure;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortSignal, Headers, ReadableStreamDefaultReader, RequestCache, RequestInit, Response,
};

use crate::js::error::JsError;
use crate::js::scope::scope;

/// Why nothing, or not enough, came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("network: {0}")]
    Network(String),
    #[error("the server answered {0}")]
    Status(u16),
    #[error("aborted")]
    Aborted,
    #[error("not what was asked for: {0}")]
    Unusable(String),
}

impl FetchError {
    /// For the retry rules; an abort is not a failure.
    pub fn failure(&self) -> Option<Failure> {
        match self {
            Self::Network(_) => Some(Failure::Network),
            Self::Status(status) => Some(Failure::Status(*status)),
            Self::Aborted | Self::Unusable(_) => None,
        }
    }
}

impl From<JsError> for FetchError {
    fn from(error: JsError) -> Self {
        if error.name == "AbortError" { Self::Aborted } else { Self::Network(error.to_string()) }
    }
}

impl From<JsValue> for FetchError {
    fn from(thrown: JsValue) -> Self {
        JsError::from(thrown).into()
    }
}

/// Asks the server for `model`'s manifest and checks it.
pub async fn manifest_from_server(
    model: &str,
    abort: &AbortSignal,
) -> Result<Manifest, FetchError> {
    let path = format!("/weights/{}/manifest", String::from(js_sys::encode_uri_component(model)));
    let response = get(&path, RequestCache::NoCache, None, abort).await?;
    if !response.ok() {
        return Err(FetchError::Status(response.status()));
    }
    let json = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
    let unusable = |error: &dyn std::fmt::Display| FetchError::Unusable(error.to_string());
    let manifest: Manifest = serde_json::from_str(&json).map_err(|error| unusable(&error))?;
    manifest.check().map_err(|error| unusable(&error))?;
    Ok(manifest)
}

/// Fetches the chunk of digest `sha256`, of as many bytes as `buffer` has, into `buffer`, from `received_bytes` on, where
/// an earlier try broke off; the count goes up as bytes come, so that the next try can go on. The
/// digest is the caller's to check.
pub async fn chunk_from_server(
    sha256: &str,
    buffer: &Uint8Array,
    received_bytes: &std::cell::Cell<u32>,
    abort: &AbortSignal,
    on_bytes: impl Fn(u32),
) -> Result<(), FetchError> {
    let path = format!("/weights/chunks/{sha256}");
    let (size_bytes, range) = (buffer.length(), received_bytes.get());
    // The store is the cache: a second copy in the browser's own would only take room.
    let response = get(&path, RequestCache::NoStore, (range > 0).then_some(range), abort).await?;
    match response.status() {
        206 if range > 0 => {}
        200 => received_bytes.set(0),
        status => return Err(FetchError::Status(status)),
    }
    let Some(body) = response.body() else {
        return Err(FetchError::Unusable("an answer without a body".to_owned()));
    };
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    loop {
        let next: js_sys::IteratorNext = JsFuture::from(reader.read()).await?.unchecked_into();
        if next.done() {
            break;
        }
        let piece: Uint8Array = next.value().unchecked_into();
        let at = received_bytes.get();
        if piece.length() > size_bytes - at {
            return Err(FetchError::Unusable(format!("more than {size_bytes} bytes")));
        }
        buffer.set(&piece, at);
        received_bytes.set(at + piece.length());
        on_bytes(piece.length());
    }
    if received_bytes.get() == size_bytes {
        Ok(())
    } else {
        Err(FetchError::Network(format!("{} of {size_bytes} bytes came", received_bytes.get())))
    }
}

async fn get(
    path: &str,
    cache: RequestCache,
    from_bytes: Option<u32>,
    abort: &AbortSignal,
) -> Result<Response, FetchError> {
    let init = RequestInit::new();
    init.set_cache(cache);
    init.set_signal(Some(abort));
    if let Some(from_bytes) = from_bytes {
        let headers = Headers::new()?;
        headers.set("range", &format!("bytes={from_bytes}-"))?;
        init.set_headers(&headers);
    }
    let response = JsFuture::from(scope().fetch_with_str_and_init(path, &init)).await?;
    Ok(response.unchecked_into())
}
