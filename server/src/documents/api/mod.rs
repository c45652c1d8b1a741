//! `/api/…`: collections, documents, the queue and the search, for the page and for programs.
//!
//! Callers are told apart as for the dialect; what each may do is asked of their
//! [`Rights`](crate::people::Rights).

mod collections;
mod documents;
mod file;
mod indexed;
mod jobs;
mod search;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, patch, post};

use crate::gateway::Gateway;
use crate::guard::{NO_STORE, Routes, routed};

/// A request without a file.
const TIMEOUT: Duration = Duration::from_secs(60);
const MAX_BODY_BYTES: usize = 4 << 20;
/// A body comes in pieces no larger than this.
const PIECE_BYTES_MAX: u64 = 1 << 20;
/// A document's text with its vectors, as JSON.
const MAX_INDEXED_BYTES: usize = 256 << 20;

pub fn router(gateway: Arc<Gateway>) -> Router {
    let upload = gateway.config.documents.upload;
    let max_file_bytes = gateway.config.documents.max_file_bytes;
    // Whoever takes the file in knows the limit, and says so; this one is behind it.
    let max_file_bytes = usize::try_from(max_file_bytes.saturating_add(PIECE_BYTES_MAX));
    let max_file_bytes = max_file_bytes.unwrap_or(usize::MAX);
    routed(&gateway, small(), TIMEOUT, MAX_BODY_BYTES)
        .merge(routed(&gateway, files(), upload, max_file_bytes))
        .merge(routed(&gateway, indexed(), upload, MAX_INDEXED_BYTES))
}

fn small() -> Routes {
    vec![
        ("/api/collections", get(collections::list).post(collections::create)),
        (
            "/api/collections/{id}",
            patch(collections::change).get(collections::one).delete(collections::delete),
        ),
        ("/api/collections/{id}/documents", get(documents::list)),
        ("/api/documents/{id}", get(documents::one).delete(documents::delete)),
        ("/api/documents/{id}/retry", post(documents::retry)),
        ("/api/documents/{id}/file", get(file::file)),
        ("/api/documents/{id}/text", get(documents::text)),
        ("/api/documents/{id}/passages/{passage}", get(documents::passage)),
        ("/api/jobs", get(jobs::list)),
        ("/api/jobs/events", get(jobs::events)),
        ("/api/jobs/{id}/cancel", post(jobs::cancel)),
        ("/api/jobs/{id}/retry", post(jobs::retry)),
        ("/api/search", post(search::search)),
    ]
}

fn files() -> Routes {
    vec![
        ("/api/collections/{id}/documents", post(documents::upload)),
        ("/api/collections/{id}/files", post(indexed::hold_file)),
    ]
}

fn indexed() -> Routes {
    vec![("/api/collections/{id}/indexed", post(indexed::take_indexed))]
}
