//! What stands in the queue, and how far is it?
//!
//! A job is a version of a document on its way to be searched. The version before it stays until the
//! new one is live; a job that failed stays with its error until it is retried, replaced or deleted.

use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Documents;
use crate::db::sql::{self, Connection, OptionalExtension as _};
use crate::people::{Right, Rights, enough};

/// Where a document stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Queued,
    /// Its text is being read by a child process, then cut into passages.
    Extracting,
    Embedding,
    /// Its passages wait for the indexes.
    Indexing,
    Ready,
    Failed,
}

impl State {
    /// As a job's column says it; a job that is done is a document that is ready.
    pub(super) fn from_column(text: &str) -> Self {
        match text {
            "queued" => Self::Queued,
            "extracting" => Self::Extracting,
            "embedding" => Self::Embedding,
            "indexing" => Self::Indexing,
            "done" => Self::Ready,
            _ => Self::Failed,
        }
    }
}

/// States in which work is left.
pub(super) const PENDING: &str = "('queued', 'extracting', 'embedding', 'indexing')";

/// The share of a document's work that is done when its text is there.
const EXTRACTED_SHARE: f64 = 0.1;

/// The queue as a caller sees it: the collections to which it may add.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Jobs {
    pub total: Total,
    /// Pending ones in the order in which they come, then failed ones.
    pub jobs: Vec<Job>,
}

/// Since the queue was last empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Total {
    pub n_documents: u64,
    pub n_ready: u64,
    /// The newest job that is done. A document may come through between two looks, and the sums be
    /// those of the one before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_ready: Option<Uuid>,
    pub n_failed: u64,
    pub bytes: u64,
    /// Of those, by the share of the work that is done.
    pub bytes_done: u64,
    pub n_passages: u64,
    pub n_embedded: u64,
    /// Over the last minute; none before there is anything to measure.
    pub bytes_per_s: Option<f64>,
    pub passages_per_s: Option<f64>,
    pub left_s: Option<f64>,
}

impl Total {
    pub fn n_pending(&self) -> u64 {
        self.n_documents.saturating_sub(self.n_ready + self.n_failed)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub id: Uuid,
    pub document: JobDocument,
    pub state: State,
    pub size_bytes: u64,
    pub n_passages: u64,
    pub n_embedded: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ApiError>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobDocument {
    pub id: Uuid,
    pub name: String,
    pub collection: String,
}

/// Jobs that a listing names; the totals count all.
const LISTED_MAX: i64 = 500;

/// Whose job was ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancelled {
    pub collection: String,
    pub document: String,
}

impl Documents {
    /// The queue of the collections to which the caller may add.
    pub async fn jobs(&self, rights: &Rights) -> Result<Jobs, ApiError> {
        let rights = rights.clone();
        let mut jobs = self
            .db
            .call(move |connection| {
                let may = rights.collections(connection, Right::Contribute)?;
                let may = serde_json::json!(may).to_string();
                Ok(Jobs { total: total(connection, &may)?, jobs: listed(connection, &may)? })
            })
            .await?;
        self.pace.fill(&mut jobs.total);
        Ok(jobs)
    }

    /// Lets a failed job begin anew.
    ///
    /// # Errors
    /// `job_not_found`, `collection_read_only`.
    pub async fn retry_job(&self, rights: &Rights, job: Uuid) -> Result<(), ApiError> {
        self.require_job(rights, job).await?;
        let retried = self.db.call(move |connection| {
            // What was staged before it failed is staged again.
            let transaction = connection.transaction()?;
            let id = job.to_string();
            let sql = "UPDATE jobs SET state = 'queued', attempts = 0, wait_until_ms = 0,
                n_passages = 0, n_embedded = 0, error = NULL WHERE id = ?1 AND state = 'failed'";
            let n_rows = transaction.execute(sql, [&id])?;
            if n_rows == 1 {
                drop_staged(&transaction, &id)?;
            }
            transaction.commit()?;
            Ok(n_rows == 1)
        });
        match retried.await? {
            true => {
                self.wake();
                Ok(())
            }
            false => Err(ApiError::new(ErrorCode::JobNotFound)),
        }
    }

    /// Ends a job that is not done: the document's version before it stays; without one the document
    /// goes.
    ///
    /// # Errors
    /// `job_not_found`, `collection_read_only`.
    pub async fn cancel_job(&self, rights: &Rights, job: Uuid) -> Result<Cancelled, ApiError> {
        let collection = self.require_job(rights, job).await?;
        let cancelled = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let id = job.to_string();
            let sql = "SELECT document FROM jobs WHERE id = ?1 AND state <> 'done'";
            let document: Option<String> =
                transaction.query_row(sql, [&id], |row| row.get(0)).optional()?;
            let Some(document) = document else { return Ok(None) };
            transaction.execute("DELETE FROM jobs WHERE id = ?1", [&id])?;
            let never_was = "DELETE FROM documents WHERE id = ?1 AND sha256 IS NULL";
            transaction.execute(never_was, [&document])?;
            transaction.commit()?;
            Ok(Some(document))
        });
        let document = cancelled.await?.ok_or_else(|| ApiError::new(ErrorCode::JobNotFound))?;
        self.wake();
        Ok(Cancelled { collection, document })
    }

    /// The job of a document, if it has one that is not done.
    pub async fn job_of(&self, document: Uuid) -> Result<Option<Uuid>, ApiError> {
        let found = self.db.call(move |connection| {
            let sql = "SELECT id FROM jobs WHERE document = ?1 AND state <> 'done'";
            let id = connection
                .query_row(sql, [document.to_string()], |row| row.get::<_, String>(0))
                .optional()?;
            Ok(id.and_then(|id| id.parse().ok()))
        });
        Ok(found.await?)
    }

    /// The collection of a job's document, where the caller may add.
    async fn require_job(&self, rights: &Rights, job: Uuid) -> Result<String, ApiError> {
        let rights = rights.clone();
        let found = self.db.call(move |connection| {
            let sql = "SELECT d.collection FROM jobs j JOIN documents d ON d.id = j.document
                WHERE j.id = ?1";
            let collection: Option<String> =
                connection.query_row(sql, [job.to_string()], |row| row.get(0)).optional()?;
            let Some(collection) = collection else { return Ok(None) };
            Ok(rights.on(connection, &collection)?.map(|right| (right, collection)))
        });
        match found.await? {
            Some((right, collection)) => {
                enough(Some(right), Right::Contribute, &collection)?;
                Ok(collection)
            }
            None => Err(ApiError::new(ErrorCode::JobNotFound)),
        }
    }
}

/// Sums over the jobs of collections, a JSON list of ids.
pub(super) fn total(connection: &Connection, collections: &str) -> sql::Result<Total> {
    let sql = "SELECT j.state, count(*), sum(j.size_bytes), sum(j.n_passages), sum(j.n_embedded),
            sum(CASE WHEN j.n_passages = 0 THEN 0.0
                ELSE j.size_bytes * CAST(j.n_embedded AS DOUBLE PRECISION) / j.n_passages END),
            max(j.id)
        FROM jobs j JOIN documents d ON d.id = j.document
        WHERE d.collection IN (SELECT value FROM json_each(?1)) GROUP BY j.state";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([collections])?;
    let mut total = Total::default();
    while let Some(row) = rows.next()? {
        let count = |i| row.get::<_, i64>(i).map(|n| n.max(0) as u64);
        let (n, bytes) = (count(1)?, count(2)?);
        let embedded_bytes: f64 = row.get(5)?;
        total.n_documents += n;
        total.bytes += bytes;
        total.n_passages += count(3)?;
        total.n_embedded += count(4)?;
        let state = State::from_column(&row.get::<_, String>(0)?);
        let done = match state {
            State::Queued | State::Extracting => 0.0,
            State::Embedding => {
                EXTRACTED_SHARE * bytes as f64 + (1.0 - EXTRACTED_SHARE) * embedded_bytes
            }
            State::Indexing | State::Ready | State::Failed => bytes as f64,
        };
        total.bytes_done += done as u64;
        match state {
            State::Ready => {
                total.n_ready += n;
                total.newest_ready = row.get::<_, String>(6)?.parse().ok();
            }
            State::Failed => total.n_failed += n,
            _ => {}
        }
    }
    Ok(total)
}

fn listed(connection: &Connection, collections: &str) -> sql::Result<Vec<Job>> {
    let sql = "SELECT j.id, j.state, j.size_bytes, j.n_passages, j.n_embedded, j.error,
            d.id, d.name, d.collection
        FROM jobs j JOIN documents d ON d.id = j.document
        WHERE j.state <> 'done' AND d.collection IN (SELECT value FROM json_each(?1))
        ORDER BY j.state = 'failed', j.id LIMIT ?2";
    let mut select = connection.prepare_cached(sql)?;
    let rows = select.query_map((collections, LISTED_MAX), |row| {
        let id = |i| row.get::<_, String>(i).map(|id| id.parse().unwrap_or_default());
        let count = |i| row.get::<_, i64>(i).map(|n| n.max(0) as u64);
        let error: Option<String> = row.get(5)?;
        Ok(Job {
            id: id(0)?,
            state: State::from_column(&row.get::<_, String>(1)?),
            size_bytes: count(2)?,
            n_passages: count(3)?,
            n_embedded: count(4)?,
            error: error.map(|json| error_from_json(&json)),
            document: JobDocument { id: id(6)?, name: row.get(7)?, collection: row.get(8)? },
        })
    })?;
    rows.collect()
}

/// One that an older or newer program wrote may not be readable.
pub(super) fn error_from_json(json: &str) -> ApiError {
    serde_json::from_str(json).unwrap_or_else(|_| ApiError::new(ErrorCode::Internal).detail(json))
}

/// The error goes to clients, and its detail may name files of this machine: it is logged instead.
pub(super) fn error_to_json(error: &ApiError) -> String {
    let shown = ApiError { detail: None, ..error.clone() };
    let detail = (error.code.status() < 500).then(|| error.detail.clone()).flatten();
    serde_json::json!(ApiError { detail, ..shown }).to_string()
}

pub(super) fn drop_staged(connection: &Connection, job: &str) -> sql::Result<()> {
    connection.execute("DELETE FROM staged_passages WHERE job = ?1", [job])?;
    connection.execute("DELETE FROM staged_texts WHERE job = ?1", [job])?;
    Ok(())
}

/// Whether any work is left.
pub(super) fn is_idle(connection: &Connection) -> sql::Result<bool> {
    let sql = format!(
        "SELECT NOT EXISTS (SELECT 1 FROM jobs WHERE state IN {PENDING})
            AND NOT EXISTS (SELECT 1 FROM index_removals)"
    );
    connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))
}
