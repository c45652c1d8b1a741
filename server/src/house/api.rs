//! `/api/announcements`, `/api/prompts`: `docs/home.md` describes each route.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use crate::gateway::{Caller, Gateway, JsonBody};
use crate::guard::{NO_STORE, Routes, routed};
use crate::http_error::HttpError;

const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest text, each of its characters escaped.
const MAX_BODY_BYTES: usize = 256 << 10;

pub fn router(gateway: Arc<Gateway>) -> Router {
    let routes: Routes = vec![
        ("/api/announcements", get(announcements).post(add_announcement)),
        ("/api/announcements/all", get(all_announcements)),
        ("/api/announcements/{id}", put(change_announcement).delete(remove_announcement)),
        ("/api/prompts", get(prompts).post(add_prompt)),
        ("/api/prompts/{id}", put(change_prompt).delete(remove_prompt)),
    ];
    routed(&gateway, routes, TIMEOUT, MAX_BODY_BYTES)
}

async fn announcements(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    let announcements = gateway.board.announcements(&caller.rights).await?;
    Ok((NO_STORE, Json(json!({ "announcements": announcements }))))
}

async fn all_announcements(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    let announcements = gateway.board.all_announcements().await?;
    Ok((NO_STORE, Json(json!({ "announcements": announcements }))))
}

async fn add_announcement(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    let made = gateway.board.put_announcement(None, body.read()?).await?;
    gateway.note_act(&caller, "announcement_made", &made.id);
    Ok((StatusCode::CREATED, NO_STORE, Json(made)))
}

async fn change_announcement(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    let changed = gateway.board.put_announcement(Some(id), body.read()?).await?;
    gateway.note_act(&caller, "announcement_changed", &changed.id);
    Ok((NO_STORE, Json(changed)))
}

async fn remove_announcement(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    gateway.board.remove_announcement(id.clone()).await?;
    gateway.note_act(&caller, "announcement_removed", &id);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Which {
    /// Those of every group, for administrators.
    #[serde(default)]
    all: bool,
}

async fn prompts(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(Which { all }): Query<Which>,
) -> Result<impl IntoResponse, HttpError> {
    let prompts = gateway.board.prompts(&caller, all).await?;
    Ok((NO_STORE, Json(json!({ "prompts": prompts }))))
}

async fn add_prompt(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    caller.in_person()?;
    let made = gateway.board.add_prompt(&caller, body.read()?).await?;
    gateway.note_prompt(&caller, "prompt_made", &made);
    Ok((StatusCode::CREATED, NO_STORE, Json(made)))
}

async fn change_prompt(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    caller.in_person()?;
    let changed = gateway.board.change_prompt(&caller, id, body.read()?).await?;
    gateway.note_prompt(&caller, "prompt_changed", &changed);
    Ok((NO_STORE, Json(changed)))
}

async fn remove_prompt(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    caller.in_person()?;
    let removed = gateway.board.remove_prompt(&caller, id).await?;
    gateway.note_prompt(&caller, "prompt_removed", &removed);
    Ok(StatusCode::NO_CONTENT)
}

impl Gateway {
    /// What is a person's own is nobody else's business.
    fn note_prompt(&self, caller: &Caller, action: &str, prompt: &super::Prompt) {
        if prompt.group.is_some() {
            self.note_act(caller, action, &prompt.id);
        }
    }
}
