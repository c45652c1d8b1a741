//! Requests to the server's `/api`.

use js_sys::Uint8Array;
use portico_shared::error::{ApiError, ErrorCode};
use portico_web::server_call::http::{fetch, unreachable};
use portico_web::server_call::text;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen_futures::JsFuture;

/// # Errors
/// The server's own, else `server_unreachable`.
pub async fn get<T: DeserializeOwned>(path: &str) -> Result<T, ApiError> {
    read(&text(&fetch("GET", path, None, &[], None).await?).await?)
}

/// # Errors
/// As [`get`].
pub async fn post<T: DeserializeOwned>(path: &str, body: &impl Serialize) -> Result<T, ApiError> {
    let json = serde_json::to_string(body).map_err(internal)?;
    read(&text(&fetch("POST", path, Some(&json), &[], None).await?).await?)
}

/// Of a request whose answer says nothing but that it was done.
///
/// # Errors
/// As [`get`].
pub async fn done(method: &str, path: &str) -> Result<(), ApiError> {
    fetch(method, path, None, &[], None).await.map(|_| ())
}

/// # Errors
/// As [`get`].
pub async fn bytes(path: &str) -> Result<Uint8Array, ApiError> {
    let response = fetch("GET", path, None, &[], None).await?;
    let buffer = response.array_buffer().map_err(|error| unreachable(&error))?;
    let buffer = JsFuture::from(buffer).await.map_err(|error| unreachable(&error))?;
    Ok(Uint8Array::new(&buffer))
}

/// # Errors
/// `upstream_failed`: it is not what a server of this version says.
pub fn read<T: DeserializeOwned>(json: &str) -> Result<T, ApiError> {
    serde_json::from_str(json)
        .map_err(|error| ApiError::new(ErrorCode::UpstreamFailed).detail(error))
}

pub fn internal(cause: impl std::fmt::Display) -> ApiError {
    ApiError::new(ErrorCode::Internal).detail(cause)
}
