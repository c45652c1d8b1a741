//! How is the house doing right now? What whoever administers it sees first, in one answer.
//!
//! It is asked for again and again while it is looked at: all of it is in memory or a few counts of the
//! database.

mod parts;
mod quotas;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use self::parts::{Backup, Counts, Models, OneUpstream, PlaceUse, Storage};
use self::quotas::Quotas;
use crate::gateway::{Caller, Gateway};
use crate::guard::NO_STORE;
use crate::http_error::HttpError;
use crate::keys::{day_of, now_s};
use crate::usage::{Detail, Range};

const TIMEOUT: Duration = Duration::from_secs(30);
/// Nothing is sent here.
const MAX_BODY_BYTES: usize = 1 << 10;

pub fn router(gateway: Arc<Gateway>) -> Router {
    let routes = Router::new().route("/api/overview", get(overview)).with_state(gateway);
    crate::guard::limited(routes, TIMEOUT, MAX_BODY_BYTES)
}

/// Answer of `GET /api/overview`.
#[derive(Serialize)]
struct Overview {
    version: &'static str,
    now_s: u64,
    upstreams: Vec<OneUpstream>,
    models: Models,
    storage: Storage,
    /// Null: there was none yet.
    backup: Option<Backup>,
    #[serde(flatten)]
    counts: Counts,
    quotas: Quotas,
    /// What was used today, UTC.
    today: Vec<PlaceUse>,
    open_streams: i64,
}

async fn overview(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<impl IntoResponse, HttpError> {
    caller.admin()?;
    gateway.write_counts().await?;
    let settings = gateway.usage.settings().await?;
    let day = day_of(now_s());
    let range = Range { from: day.clone(), to: day };
    let used = gateway.usage.used(range, Detail::House).await?;
    let overview = Overview {
        version: env!("CARGO_PKG_VERSION"),
        now_s: now_s(),
        upstreams: parts::upstreams(&gateway.fleet),
        models: parts::models(&gateway).await?,
        storage: parts::storage(&gateway).await?,
        backup: parts::backup(&gateway),
        counts: gateway.usage.house_counts().await?,
        quotas: quotas::near(&gateway, settings.detail == Detail::People).await?,
        today: parts::by_place(&used.rows),
        open_streams: gateway.metrics.n_open_streams(),
    };
    Ok((NO_STORE, Json(overview)))
}
