//! `/api/audit`: who did what, as JSON and as CSV; and what the page reports of the device.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;

use super::NO_STORE;
use crate::gateway::{Caller, Gateway, JsonBody};
use crate::http_error::HttpError;
use crate::keys::{DEVICE, Spent};
use crate::people::audit::{AuditQuery, CSV_HEAD, Entry, LIMIT_MAX, csv_line};
use crate::people::store;

const MODEL_BYTES_MAX: usize = 200;
/// Under which models are counted that the catalogue does not have.
const OTHER_MODEL: &str = "other";
/// Tokens of one report.
const TOKENS_MAX: u64 = 10_000_000;

pub async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(query): Query<AuditQuery>,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    Ok((NO_STORE, Json(json!({ "entries": gateway.people.audit_lines(query).await? }))))
}

/// All lines that the query finds, read as they are sent.
pub async fn csv(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(query): Query<AuditQuery>,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    gateway.people.audit.note(Entry::act(&caller.who, "audit_exported", ""));
    let query = AuditQuery { limit: Some(LIMIT_MAX), ..query };
    let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(CSV_HEAD.as_bytes()))]);
    let pages = stream::unfold(Some(query), move |query| {
        let people = Arc::clone(&gateway.people);
        async move {
            let query = query?;
            let entries = match people.audit_lines(query.clone()).await {
                Ok(entries) => entries,
                Err(error) => {
                    tracing::error!(%error, "the audit log's export broke off");
                    return None;
                }
            };
            let last = entries.last()?.id;
            let text: String = entries.iter().map(csv_line).collect();
            let next = AuditQuery { before: Some(last), ..query };
            Some((Ok(Bytes::from(text)), Some(next)))
        }
    });
    let body = Body::from_stream(futures_util::StreamExt::chain(first, pages));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
    ];
    Ok((NO_STORE, headers, body))
}

/// Counts of what ran on the device, and nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceUse {
    model: String,
    prompt_tokens: u64,
    completion_tokens: u64,
}

pub async fn device_use(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    let used: DeviceUse = body.read()?;
    let is_model = (1..=MODEL_BYTES_MAX).contains(&used.model.len());
    if !is_model || used.model.chars().any(char::is_control) {
        return Err(store::invalid("model", "a model's name has 1 to 200 bytes").into());
    }
    // What the house does not want to know is not kept.
    if gateway.people.house().await?.audit_device_use {
        let spent = Spent {
            requests: 1,
            prompt_tokens: used.prompt_tokens.min(TOKENS_MAX),
            completion_tokens: used.completion_tokens.min(TOKENS_MAX),
        };
        // What nobody knows is counted together: whoever reports it could else fill the tables.
        let shelf = gateway.library.shelf().await?;
        let model = shelf.get(&used.model).map_or(OTHER_MODEL, |entry| &entry.model.id);
        gateway.keys.book.add(&caller.who, model, DEVICE, spent);
        gateway.people.audit.note(Entry {
            model: Some(used.model),
            place: Some(DEVICE.to_owned()),
            prompt_tokens: Some(spent.prompt_tokens),
            completion_tokens: Some(spent.completion_tokens),
            ..Entry::act(&caller.who, "chat", "")
        });
    }
    Ok(StatusCode::NO_CONTENT)
}
