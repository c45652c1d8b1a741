//! What is told of upstreams, models, storage, jobs and people?

use std::path::Path;

use portico_shared::error::ApiError;
use serde::Serialize;

use crate::backup::last_backup;
use crate::db::sql::{self, Connection};
use crate::files;
use crate::gateway::Gateway;
use crate::http_error::HttpError;
use crate::inference::LoadState;
use crate::keys::Spent;
use crate::upstream::{Fleet, Place};
use crate::usage::{Row, Usage};

#[derive(Debug, Serialize)]
pub struct OneUpstream {
    id: String,
    is_well: bool,
    /// Until it is asked again.
    wait_s: u64,
    n_running: usize,
    max_running: usize,
    n_requests: u64,
    n_failed: u64,
    /// Until an answer begins, smoothed.
    latency_ms: Option<u64>,
    /// Of the last health check.
    checked_ms: Option<u64>,
    well_s: Option<u64>,
    fault: Option<UpstreamFault>,
    /// Models that it answers for.
    models: Vec<String>,
}

#[derive(Debug, Serialize)]
struct UpstreamFault {
    at_s: u64,
    cause: String,
}

pub fn upstreams(fleet: &Fleet) -> Vec<OneUpstream> {
    let upstreams = fleet.upstreams.iter().map(|upstream| {
        let record = upstream.record();
        let is_its = |place: &Place| matches!(place, Place::Upstream(one) if one.id == upstream.id);
        let its = fleet.models().filter(|model| model.endpoints.iter().any(|e| is_its(&e.place)));
        let ms = |took: std::time::Duration| took.as_millis() as u64;
        OneUpstream {
            id: upstream.id.clone(),
            is_well: upstream.is_well(),
            wait_s: upstream.wait().as_secs_f64().ceil() as u64,
            n_running: upstream.n_running(),
            max_running: upstream.max_running(),
            n_requests: record.n_requests,
            n_failed: record.n_failed,
            latency_ms: record.latency.map(ms),
            checked_ms: record.checked_in.map(ms),
            well_s: record.well_s,
            fault: record.fault.map(|(at_s, cause)| UpstreamFault { at_s, cause }),
            models: its.map(|model| model.id.clone()).collect(),
        }
    });
    upstreams.collect()
}

/// Models of this process.
#[derive(Debug, Serialize)]
pub struct Models {
    loaded: Vec<Loaded>,
    memory_budget_bytes: u64,
    /// Whose files lie here.
    n_here: usize,
}

#[derive(Debug, Serialize)]
struct Loaded {
    id: String,
    /// 0 to 1; null: it answers.
    loading: Option<f32>,
    memory_bytes: u64,
    n_running: usize,
    n_queued: usize,
}

pub async fn models(gateway: &Gateway) -> Result<Models, HttpError> {
    let status = gateway.inference.status();
    let loaded = status.models.into_iter().map(|model| Loaded {
        id: model.id,
        loading: match model.load {
            LoadState::Loading { progress } => Some(progress),
            LoadState::Ready => None,
        },
        memory_bytes: model.memory_bytes,
        n_running: model.n_running,
        n_queued: model.n_queued,
    });
    Ok(Models {
        loaded: loaded.collect(),
        memory_budget_bytes: status.memory_budget_bytes,
        n_here: gateway.library.shelf().await?.available().count(),
    })
}

#[derive(Debug, Serialize)]
pub struct Storage {
    /// Of the disk that has the data folder; null where it does not say.
    free_bytes: Option<u64>,
    disk_bytes: Option<u64>,
    /// Null where it lies with a server that does not say.
    database_bytes: Option<u64>,
    models_bytes: u64,
    files_bytes: u64,
    /// Where files lie, if not in the data folder.
    files_elsewhere: Option<String>,
    database_elsewhere: bool,
}

pub async fn storage(gateway: &Gateway) -> Result<Storage, HttpError> {
    let view = gateway.library.shelf().await?.view();
    let here = view.models.iter().filter(|view| view.available);
    let models_bytes = here.map(|view| view.size_bytes).sum();
    let data_dir = gateway.library.layout.data_dir().to_owned();
    let disk = tokio::task::spawn_blocking(move || {
        (fs4::available_space(&data_dir).ok(), fs4::total_space(&data_dir).ok())
    });
    let (free_bytes, disk_bytes) = disk.await.map_err(HttpError::internal)?;
    let file = gateway.home.file();
    let database_bytes = match file {
        // Looking at a file's length opens nothing.
        Some(path) => Some(length(path) + length(&path.with_extension("sqlite-wal"))),
        None => gateway.usage.database_bytes().await.ok(),
    };
    Ok(Storage {
        free_bytes,
        disk_bytes,
        database_bytes,
        models_bytes,
        files_bytes: gateway.usage.files_bytes().await?,
        files_elsewhere: gateway.files.elsewhere().map(str::to_owned),
        database_elsewhere: file.is_none(),
    })
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

#[derive(Debug, Serialize)]
pub struct Backup {
    made_s: u64,
    size_bytes: u64,
}

/// None before the first one.
pub fn backup(gateway: &Gateway) -> Option<Backup> {
    let last = last_backup(gateway.library.layout.data_dir())?;
    Some(Backup { made_s: last.made_s, size_bytes: last.size_bytes })
}

/// How much was used in a place.
#[derive(Debug, Serialize)]
pub struct PlaceUse {
    place: String,
    #[serde(flatten)]
    spent: Spent,
}

pub fn by_place(rows: &[Row]) -> Vec<PlaceUse> {
    let mut places: Vec<PlaceUse> = Vec::new();
    for row in rows {
        match places.iter_mut().find(|known| known.place == row.place) {
            Some(known) => known.spent.add(row.spent),
            None => places.push(PlaceUse { place: row.place.clone(), spent: row.spent }),
        }
    }
    places
}

/// How much there is of what somebody may have to look after.
#[derive(Debug, Serialize)]
pub struct Counts {
    jobs: Jobs,
    people: PeopleCounts,
}

#[derive(Debug, Serialize)]
struct Jobs {
    n_pending: u64,
    n_failed: u64,
}

#[derive(Debug, Serialize)]
struct PeopleCounts {
    n: u64,
    n_admins: u64,
    n_blocked: u64,
    /// Links that can still be opened.
    n_links: u64,
}

impl Usage {
    pub(super) async fn house_counts(&self) -> Result<Counts, ApiError> {
        let counts = self.db.call(|connection| {
            let of = |sql: &str| count(connection, sql);
            let links = "SELECT count(*) FROM links WHERE expires_s > unixepoch()";
            Ok(Counts {
                jobs: Jobs {
                    n_pending: of(
                        "SELECT count(*) FROM jobs WHERE state NOT IN ('done', 'failed')",
                    )?,
                    n_failed: of("SELECT count(*) FROM jobs WHERE state = 'failed'")?,
                },
                people: PeopleCounts {
                    n: of("SELECT count(*) FROM people")?,
                    n_admins: of("SELECT count(*) FROM people WHERE role = 'admin'")?,
                    n_blocked: of("SELECT count(*) FROM people WHERE blocked_s IS NOT NULL")?,
                    n_links: of(links)?,
                },
            })
        });
        Ok(counts.await?)
    }

    async fn files_bytes(&self) -> Result<u64, ApiError> {
        Ok(self.db.call(|connection| files::total_bytes(connection)).await?)
    }

    /// Of a PostgreSQL database.
    async fn database_bytes(&self) -> Result<u64, ApiError> {
        let sql = "SELECT pg_database_size(current_database())";
        Ok(self.db.call(|connection| count(connection, sql)).await?)
    }
}

fn count(connection: &Connection, sql: &str) -> sql::Result<u64> {
    connection.query_row(sql, [], |row| Ok(row.get::<_, i64>(0)?.max(0) as u64))
}
