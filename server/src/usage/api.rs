//! `/api/usage`: what was used, as JSON and as CSV; how it is reckoned; and what devices say of themselves.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use portico_shared::error::{ApiError, ErrorCode};
use serde::Serialize;
use serde_json::json;

use super::counts::RangeQuery;
use super::{DEVICES_MIN, Detail, DeviceReport, PEOPLE_MIN, Range, Settings, Used};
use crate::gateway::{Caller, Gateway, JsonBody};
use crate::guard::{NO_STORE, Routes, routed};
use crate::http_error::HttpError;
use crate::people::audit::csv_cell;
use crate::upstream::Place;

const TIMEOUT: Duration = Duration::from_secs(30);
const MAX_BODY_BYTES: usize = 64 << 10;

pub fn router(gateway: Arc<Gateway>) -> Router {
    routed(&gateway, routes(), TIMEOUT, MAX_BODY_BYTES)
}

fn routes() -> Routes {
    vec![
        ("/api/usage", get(used)),
        ("/api/usage.csv", get(csv)),
        ("/api/usage/settings", get(settings).put(set_settings)),
        ("/api/usage/devices", get(devices).post(say_device)),
    ]
}

/// Answer of `GET /api/usage`.
#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    range: Range,
    #[serde(flatten)]
    used: Used,
    /// From how many people on a group is shown, where each person is not.
    people_min: u64,
    /// How many parameters a model has, where that is known.
    parameters: BTreeMap<String, u64>,
    settings: Settings,
}

async fn used(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(query): Query<RangeQuery>,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    let range = Range::new(query)?;
    let settings = gateway.usage.settings().await?;
    gateway.write_counts().await?;
    let used = gateway.usage.used(range.clone(), settings.detail).await?;
    let parameters = gateway.parameters().await?;
    let answer = Answer { range, used, people_min: PEOPLE_MIN, parameters, settings };
    Ok((NO_STORE, Json(answer)))
}

/// A line for each day, place and model.
async fn csv(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(query): Query<RangeQuery>,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    let range = Range::new(query)?;
    gateway.write_counts().await?;
    let used = gateway.usage.used(range, Detail::House).await?;
    gateway.note_act(&caller, "usage_exported", "");
    let mut text = "day,place,model,requests,prompt_tokens,completion_tokens\r\n".to_owned();
    for row in used.rows {
        let (place, model, spent) = (csv_cell(&row.place), csv_cell(&row.model), row.spent);
        write!(
            text,
            "{},{place},{model},{},{},{}\r\n",
            row.day, spent.requests, spent.prompt_tokens, spent.completion_tokens
        )
        .map_err(HttpError::internal)?;
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"usage.csv\""),
    ];
    Ok((NO_STORE, headers, text))
}

async fn settings(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    Ok((NO_STORE, Json(gateway.usage.settings().await?)))
}

async fn set_settings(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    let settings: Settings = body.read()?;
    gateway.usage.set_settings(&settings).await?;
    let detail = json!(settings.detail);
    gateway.note_act(&caller, "usage_settings_changed", detail.as_str().unwrap_or_default());
    Ok((NO_STORE, Json(settings)))
}

async fn devices(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    let asks = gateway.usage.settings().await?.asks_devices;
    let months = gateway.usage.devices().await?;
    Ok((NO_STORE, Json(json!({ "asks": asks, "least": DEVICES_MIN, "months": months }))))
}

/// Who says it decides only whether it may be said: it is neither kept nor logged.
async fn say_device(
    State(gateway): State<Arc<Gateway>>,
    _: Caller,
    body: JsonBody,
) -> Result<StatusCode, HttpError> {
    let mut report: DeviceReport = body.read()?;
    report.check()?;
    // What the house does not want to know is not kept.
    if gateway.usage.settings().await?.asks_devices {
        let shelf = gateway.library.shelf().await?;
        report.models.retain(|model| shelf.get(model).is_ok());
        gateway.usage.count_device(&report).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

impl Gateway {
    /// What was counted and not written yet is written.
    pub(crate) async fn write_counts(self: &Arc<Self>) -> Result<(), ApiError> {
        let gateway = Arc::clone(self);
        let written = tokio::task::spawn_blocking(move || gateway.keys.close()).await;
        written.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))??;
        Ok(())
    }

    /// Of the catalogue's models, and of those that the configuration gives another name.
    async fn parameters(&self) -> Result<BTreeMap<String, u64>, HttpError> {
        let view = self.library.shelf().await?.view();
        let listed = view.models.iter().map(|view| (view.model.id.clone(), view.model.parameters));
        let mut known: BTreeMap<String, u64> = listed.collect();
        for model in self.fleet.models() {
            let here = model.endpoints.iter().find(|end| matches!(end.place, Place::Here));
            if let Some(&n) = here.and_then(|end| known.get(&end.model)) {
                known.insert(model.id.clone(), n);
            }
        }
        Ok(known)
    }
}
