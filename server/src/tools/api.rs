//! `/api/tools`: which tools a conversation may use, and one call of one. `/api/mcp`: how the house's servers
//! of tools stand, for administrators, and those that they add, change and take away.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use portico_shared::error::{ApiError, ErrorCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::added::{HeaderChanges, Settings};
use super::mcp::McpView;
use crate::gateway::{Caller, Gateway, JsonBody};
use crate::guard::{NO_STORE, Routes, routed};
use crate::http_error::HttpError;

/// Longest time of a request: a server of tools has a limit of its own, which speaks first.
const TIMEOUT: Duration = Duration::from_secs(600);
const BODY_BYTES_MAX: usize = 256 << 10;

pub fn router(gateway: Arc<Gateway>) -> Router {
    let routes: Routes = vec![
        ("/api/tools", get(list)),
        ("/api/tools/{id}/call", post(call)),
        ("/api/mcp", get(servers).post(add)),
        ("/api/mcp/{id}", put(change).delete(remove)),
        ("/api/mcp/{id}/check", post(check)),
    ];
    routed(&gateway, routes, TIMEOUT, BODY_BYTES_MAX)
}

async fn list(State(gateway): State<Arc<Gateway>>, caller: Caller) -> impl IntoResponse {
    let tools = gateway.tools_for(&caller).await;
    (NO_STORE, Json(json!({ "tools": tools })))
}

#[derive(Deserialize)]
struct Call {
    #[serde(default)]
    arguments: Map<String, Value>,
    /// That a search looks in; empty or absent: all that the caller may read.
    #[serde(default)]
    collections: Vec<String>,
}

async fn call(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    let Call { arguments, collections } = body.read()?;
    let collections = (!collections.is_empty()).then_some(collections);
    let called = gateway.call_tool(&caller, &id, arguments, collections).await;
    let outcome = match &called {
        Ok(called) if called.failed => "tool_failed",
        Ok(_) => "ok",
        Err(error) => error.code.as_str(),
    };
    // What does not exist is named by whoever asks for it: that is no name to keep.
    let object = match &called {
        Err(error) if error.code == ErrorCode::ToolNotFound => "",
        _ => id.as_str(),
    };
    gateway.note_outcome(&caller, "tool_called", object, outcome);
    Ok((NO_STORE, Json(called?)))
}

async fn servers(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    let mut views: Vec<McpView> = Vec::new();
    for server in gateway.tools.servers().await {
        views.push(server.view().await);
    }
    Ok((NO_STORE, Json(json!({ "servers": views }))))
}

/// A server as an administrator wants it; secrets that are not named stay.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewServer {
    id: String,
    settings: Settings,
    #[serde(default)]
    headers: HeaderChanges,
}

async fn add(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    let NewServer { id, settings, headers } = body.read()?;
    let server = gateway.tools.keep(&id, &settings, headers, true).await?;
    gateway.note_act(&caller, "mcp_added", &id);
    // Whether it answers is in what is seen then.
    server.tools().await.ok();
    Ok((StatusCode::CREATED, NO_STORE, Json(server.view().await)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerChange {
    settings: Settings,
    #[serde(default)]
    headers: HeaderChanges,
}

async fn change(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    let ServerChange { settings, headers } = body.read()?;
    let server = gateway.tools.keep(&id, &settings, headers, false).await?;
    gateway.note_act(&caller, "mcp_changed", &id);
    if server.is_on() {
        server.tools().await.ok();
    }
    Ok((NO_STORE, Json(server.view().await)))
}

async fn remove(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    gateway.tools.forget(&id).await?;
    gateway.note_act(&caller, "mcp_removed", &id);
    Ok(StatusCode::NO_CONTENT)
}

/// Connects anew and asks for the tools.
async fn check(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    let not_found =
        || ApiError::new(ErrorCode::ToolNotFound).with("tool", super::plain::line(&id, 100));
    let server = gateway.tools.server(&id).await.ok_or_else(not_found)?;
    server.close().await;
    // Its fault is in what is seen then.
    server.tools().await.ok();
    gateway.note_act(&caller, "mcp_checked", &id);
    Ok((NO_STORE, Json(server.view().await)))
}
