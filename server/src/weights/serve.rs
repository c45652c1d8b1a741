//! Answers `/weights/<model>/manifest` and `/weights/chunks/<sha256>`.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path as FilePath;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::manifest::is_sha256_hex;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;

use super::conditional::{self, Verdict};
use super::digest::FileStamp;
use super::index::Place;
use super::range::{Asked, asked};
use crate::app::App;
use crate::http_error::HttpError;
use crate::models::sha256::{for_each_block, hex, of_bytes};

/// Bytes of a piece of an answer: what a slow reader keeps in memory.
const PIECE_BYTES: usize = 128 * 1024;

/// A chunk's content never changes under its name.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
const BYTES: HeaderValue = HeaderValue::from_static("bytes");
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

#[derive(Debug, Deserialize)]
pub struct ManifestQuery {
    /// One of the model's other files: a tokenizer beside safetensors.
    file: Option<String>,
}

pub async fn manifest(
    State(app): State<Arc<App>>,
    Path(model): Path<String>,
    Query(query): Query<ManifestQuery>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let manifest = app.weights.manifest(&model, query.file.as_deref()).await?;
    let json = serde_json::to_vec(&manifest).map_err(HttpError::internal)?;
    let etag = format!("\"{}\"", of_bytes(&json));
    let tags = caching(&etag, NO_CACHE)?;
    match conditional::judge(&headers, &etag) {
        Verdict::Failed => Err(ErrorCode::PreconditionFailed.into()),
        Verdict::NotModified => Ok((StatusCode::NOT_MODIFIED, tags).into_response()),
        Verdict::Proceed => Ok((tags, Json(manifest)).into_response()),
    }
}

pub async fn chunk(
    State(app): State<Arc<App>>,
    Path(sha256): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    if !is_sha256_hex(&sha256) {
        return Err(ErrorCode::ChunkNotFound.into());
    }
    let places = app.weights.places(&sha256)?;
    let etag = format!("\"{sha256}\"");
    let mut answer = caching(&etag, IMMUTABLE)?;
    match conditional::judge(&headers, &etag) {
        Verdict::Failed => return Err(ErrorCode::PreconditionFailed.into()),
        Verdict::NotModified => return Ok((StatusCode::NOT_MODIFIED, answer).into_response()),
        Verdict::Proceed => {}
    }

    let place = sound_place(&app, places).await?;
    let size_bytes = place.size_bytes();
    let range = headers.get(header::RANGE).filter(|_| conditional::range_counts(&headers, &etag));
    let (status, start, end) = match asked(range.and_then(|r| r.to_str().ok()), size_bytes) {
        Asked::Whole => (StatusCode::OK, 0, size_bytes),
        Asked::Part { start, end } => {
            let part = format!("bytes {start}-{}/{size_bytes}", end - 1);
            answer.insert(header::CONTENT_RANGE, value(&part)?);
            (StatusCode::PARTIAL_CONTENT, start, end)
        }
        Asked::Unsatisfiable => {
            let size = value(&format!("bytes */{size_bytes}"))?;
            return Err(HttpError::from(ErrorCode::RangeNotSatisfiable)
                .with_header(header::CONTENT_RANGE, size));
        }
    };
    answer.insert(header::CONTENT_TYPE, OCTETS);
    answer.insert(header::ACCEPT_RANGES, BYTES);
    answer.insert(header::CONTENT_LENGTH, (end - start).into());
    let body = match method {
        Method::HEAD => Body::empty(),
        _ => body_of(place, start, end).await?,
    };
    Ok((status, answer, body).into_response())
}

fn caching(etag: &str, cache_control: HeaderValue) -> Result<HeaderMap, HttpError> {
    let tags = [(header::ETAG, value(etag)?), (header::CACHE_CONTROL, cache_control)];
    Ok(HeaderMap::from_iter(tags))
}

fn value(text: &str) -> Result<HeaderValue, HttpError> {
    HeaderValue::from_str(text).map_err(HttpError::internal)
}

/// The first place whose file is as it was and whose bytes are the chunk's.
async fn sound_place(app: &App, places: Vec<Place>) -> Result<Place, HttpError> {
    for place in places {
        let judged = place.clone();
        let is_sound = tokio::task::spawn_blocking(move || is_sound(&judged)).await;
        match is_sound.map_err(HttpError::internal)? {
            Ok(true) => return Ok(place),
            Ok(false) => tracing::warn!(model = place.file.key.0, "the weights have changed"),
            Err(error) => tracing::warn!(model = place.file.key.0, %error, "cannot read weights"),
        }
        app.weights.renew(&place.file);
    }
    Err(ApiError::new(ErrorCode::WeightsChanged).into())
}

fn is_sound(place: &Place) -> io::Result<bool> {
    let mut file = std::fs::File::open(&place.file.path)?;
    if FileStamp::from(&file.metadata()?) != place.file.stamp {
        return Ok(false);
    }
    let verified = &place.file.verified[place.chunk];
    if verified.load(Ordering::Acquire) {
        return Ok(true);
    }
    file.seek(SeekFrom::Start(place.offset_bytes()))?;
    let mut hash = Sha256::new();
    for_each_block(file.take(place.size_bytes()), |block| {
        hash.update(block);
        Ok(())
    })?;
    let is_right = hex(hash) == place.sha256();
    verified.store(is_right, Ordering::Release);
    Ok(is_right)
}

/// Streams bytes `start..end` of a chunk, and breaks off when the file changes meanwhile.
async fn body_of(place: Place, start: u64, end: u64) -> Result<Body, HttpError> {
    let mut file = tokio::fs::File::open(&place.file.path).await.map_err(HttpError::internal)?;
    let at = SeekFrom::Start(place.offset_bytes() + start);
    tokio::io::AsyncSeekExt::seek(&mut file, at).await.map_err(HttpError::internal)?;
    let state = (file, place, end - start);
    let pieces = stream::try_unfold(state, async |(mut file, place, left_bytes)| {
        if left_bytes == 0 {
            return Ok(None);
        }
        let mut piece = vec![0; left_bytes.min(PIECE_BYTES as u64) as usize];
        file.read_exact(&mut piece).await?;
        let left_bytes = left_bytes - piece.len() as u64;
        if left_bytes == 0 {
            check_unchanged(&file, &place.file.path, &place.file.stamp).await?;
        }
        io::Result::Ok(Some((Bytes::from(piece), (file, place, left_bytes))))
    });
    Ok(Body::from_stream(pieces))
}

/// The open file must still be what was verified. (A new file under the old name is no harm: the open
/// one keeps its bytes.)
async fn check_unchanged(
    file: &tokio::fs::File,
    path: &FilePath,
    stamp: &FileStamp,
) -> io::Result<()> {
    let open = FileStamp::from(&file.metadata().await?);
    if open == *stamp {
        return Ok(());
    }
    tracing::warn!(path = %path.display(), "changed while it was served: the answer breaks off");
    Err(io::Error::other("the file changed while it was served"))
}
