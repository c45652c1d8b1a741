//! `/api/first-hour`, for administrators.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};

use super::Chosen;
use crate::gateway::{Caller, Gateway, JsonBody};
use crate::guard::NO_STORE;
use crate::http_error::HttpError;

const TIMEOUT: Duration = Duration::from_secs(30);
const BODY_BYTES_MAX: usize = 4 << 10;

pub fn router(gateway: Arc<Gateway>) -> Router {
    let routes = Router::new().route("/api/first-hour", get(look).put(choose));
    crate::guard::limited(routes.with_state(gateway), TIMEOUT, BODY_BYTES_MAX)
}

async fn look(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    Ok((NO_STORE, Json(gateway.first_hour().await?)))
}

async fn choose(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    let chosen: Chosen = body.read()?;
    gateway.keep_first_hour(&chosen).await?;
    Ok((NO_STORE, Json(gateway.first_hour().await?)))
}
