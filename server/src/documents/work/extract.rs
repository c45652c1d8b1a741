//! From a file to staged passages: its text by a child process, cut along its structure.

use std::sync::Arc;

use portico_shared::documents::{Chunk, ChunkLimits, DocLang, Extracted, chunk};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::grounding::estimated_tokens;
use portico_shared::tokenizer::{AddSpecial, ParseSpecial, Tokenizer};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{LONGEST_WAIT_MS, Work, now_ms};
use crate::db::sql::{self, Connection, OptionalExtension as _};
use crate::documents::passages::{CHUNK_COLUMNS, blob_from_vector, internal, passage_ids};
use crate::documents::queue::{drop_staged, error_to_json};
use crate::documents::step;

/// A job that was taken from the queue.
#[derive(Clone, Debug)]
struct Claimed {
    job: String,
    document: Uuid,
    name: String,
    sha256: String,
    media_type: String,
    embedder: Option<String>,
}

/// Passages that wait for their vectors are no more than this before more files are read.
const STAGED_MAX: i64 = 4_000;

impl Work {
    /// Reads files, some at once, until told to stop.
    pub(super) async fn keep_extracting(self: Arc<Self>) {
        let mut wake = self.documents.wake.subscribe();
        let mut running = JoinSet::new();
        while !self.is_over() {
            let free = self.documents.max_extracting().saturating_sub(running.len());
            let claimed = match free {
                0 => Vec::new(),
                free => self.logged("claiming", self.claim(free).await).unwrap_or_default(),
            };
            let has_claimed = !claimed.is_empty();
            for claimed in claimed {
                let work = Arc::clone(&self);
                running.spawn(async move { work.extract(claimed).await });
            }
            if has_claimed {
                continue;
            }
            tokio::select! {
                Some(_) = running.join_next() => {}
                () = self.pause(&mut wake) => {}
            }
        }
        // What is under way is begun anew by the next owner.
        running.shutdown().await;
    }

    /// What a process left behind that was killed begins anew.
    pub(super) async fn requeue(&self) -> Result<(), ApiError> {
        let sql = "UPDATE jobs SET state = 'queued' WHERE state = 'extracting'";
        self.work_db().call(move |connection| connection.execute(sql, [])).await?;
        Ok(())
    }

    async fn claim(&self, n: usize) -> Result<Vec<Claimed>, ApiError> {
        let claimed = self.work_db().call(move |connection| {
            let transaction = connection.transaction()?;
            let waiting = "SELECT coalesce(sum(n_passages - n_embedded), 0) FROM jobs
                WHERE state = 'embedding'";
            if transaction.query_row(waiting, [], |row| row.get::<_, i64>(0))? > STAGED_MAX {
                return Ok(Vec::new());
            }
            let sql = "SELECT j.id, j.document, d.name, j.sha256, j.media_type, c.embedder
                FROM jobs j JOIN documents d ON d.id = j.document
                JOIN collections c ON c.id = d.collection
                WHERE j.state = 'queued' AND j.wait_until_ms <= ?1 ORDER BY j.id LIMIT ?2";
            let claimed = transaction
                .prepare_cached(sql)?
                .query_map((now_ms(), n as i64), |row| {
                    Ok(Claimed {
                        job: row.get(0)?,
                        document: row.get::<_, String>(1)?.parse().unwrap_or_default(),
                        name: row.get(2)?,
                        sha256: row.get(3)?,
                        media_type: row.get(4)?,
                        embedder: row.get(5)?,
                    })
                })?
                .collect::<Result<Vec<_>, _>>()?;
            for each in &claimed {
                let sql = "UPDATE jobs SET state = 'extracting' WHERE id = ?1";
                transaction.execute(sql, [&each.job])?;
            }
            transaction.commit()?;
            Ok(claimed)
        });
        Ok(claimed.await?)
    }

    async fn extract(self: Arc<Self>, claimed: Claimed) {
        step("claimed");
        let job = claimed.job.clone();
        match self.extract_and_stage(claimed).await {
            Ok(()) => {}
            // No fault of the document's: it waits as long as it takes.
            Err(error) if error.code == ErrorCode::FilesUnreachable => {
                let waits = self.put_back(&job, &error).await;
                self.logged("putting a document back", waits);
            }
            Err(error) => self.fail(&job, &error).await,
        }
        self.documents.wake();
    }

    async fn extract_and_stage(&self, claimed: Claimed) -> Result<(), ApiError> {
        let file = self.documents.files.local(&claimed.sha256).await?;
        let extracted = self.extractor.run(file.path(), &claimed.name, &claimed.media_type).await?;
        drop(file);
        let tokenizer = match &claimed.embedder {
            Some(embedder) => self.documents.embedders.tokenizer(embedder).await,
            None => None,
        };
        let cut = tokio::task::spawn_blocking(move || {
            let chunks = cut(&extracted, tokenizer.as_deref());
            let json = serde_json::to_string(&extracted);
            json.map(|json| Staged { extracted, json, chunks })
        });
        let staged = cut.await.map_err(internal)?.map_err(internal)?;
        self.work_db().call(move |connection| stage(connection, &claimed, &staged, &[])).await?;
        step("staged");
        Ok(())
    }

    /// Puts a job back whose file cannot be had now, for longer each time.
    async fn put_back(&self, job: &str, error: &ApiError) -> Result<(), ApiError> {
        tracing::warn!(job, %error, "a document waits for its file");
        let id = job.to_owned();
        let put_back = self.work_db().call(move |connection| {
            let sql = "UPDATE jobs SET state = 'queued', attempts = attempts + 1,
                    wait_until_ms = ?2 + min(?3, 500 << CAST(min(attempts, 16) AS INTEGER))
                WHERE id = ?1 AND state = 'extracting'";
            connection.execute(sql, (id, now_ms(), LONGEST_WAIT_MS))
        });
        put_back.await?;
        Ok(())
    }

    /// Notes why a job cannot go on.
    pub(super) async fn fail(&self, job: &str, error: &ApiError) {
        tracing::warn!(job, %error, "a document could not be taken in");
        let (id, json) = (job.to_owned(), error_to_json(error));
        let noted = self.work_db().call(move |connection| {
            let transaction = connection.transaction()?;
            drop_staged(&transaction, &id)?;
            let sql = "UPDATE jobs SET state = 'failed', error = ?2, n_embedded = 0 WHERE id = ?1";
            transaction.execute(sql, (&id, json))?;
            transaction.commit()
        });
        self.logged("noting a failure", noted.await.map_err(ApiError::from));
    }
}

/// What was read of a version.
pub(in crate::documents) struct Staged {
    pub extracted: Extracted,
    pub json: String,
    pub chunks: Vec<Chunk>,
}

/// Passages of a text; without its embedder's tokenizer their size is estimated.
fn cut(extracted: &Extracted, tokenizer: Option<&Tokenizer>) -> Vec<Chunk> {
    let count = |text: &str| match tokenizer {
        Some(tokenizer) => {
            let ids = tokenizer.encode(text, AddSpecial::No, ParseSpecial::No);
            ids.map_or_else(|_| estimated_tokens(text), |ids| ids.len() as u32)
        }
        None => estimated_tokens(text),
    };
    chunk(extracted, &count, &ChunkLimits::default())
}

impl Claimed {
    fn id(&self) -> &str {
        &self.job
    }
}

/// Writes down what was read, with the vectors that are known: of passages that the live version has
/// too, or `vectors` for all.
fn stage(
    connection: &mut Connection,
    claimed: &Claimed,
    staged: &Staged,
    vectors: &[Vec<f32>],
) -> sql::Result<()> {
    let transaction = connection.transaction()?;
    let sql = "SELECT 1 FROM jobs WHERE id = ?1 AND state = 'extracting'";
    // Cancelled or replaced meanwhile.
    if transaction.query_row(sql, [claimed.id()], |_| Ok(())).optional()?.is_none() {
        return Ok(());
    }
    write_staged(&transaction, claimed.id(), claimed.document, staged, vectors)?;
    let state = if claimed.embedder.is_some() { "embedding" } else { "indexing" };
    set_staged(&transaction, claimed.id(), state)?;
    transaction.commit()
}

/// The job's state once its passages are staged; those with all their vectors go on at once.
pub(in crate::documents) fn set_staged(
    connection: &Connection,
    job: &str,
    state: &str,
) -> sql::Result<()> {
    let missing = "SELECT count(*), count(vector)
        FROM staged_passages WHERE job = ?1";
    let (n, n_embedded): (i64, i64) =
        connection.query_row(missing, [job], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let state = if n == n_embedded { "indexing" } else { state };
    // Without an embedder none is left to be made.
    let n_embedded = if state == "indexing" { n } else { n_embedded };
    let sql = "UPDATE jobs SET state = ?2, n_passages = ?3, n_embedded = ?4, attempts = 0
        WHERE id = ?1";
    connection.execute(sql, (job, state, n, n_embedded))?;
    Ok(())
}

pub(in crate::documents) fn write_staged(
    connection: &Connection,
    job: &str,
    document: Uuid,
    staged: &Staged,
    vectors: &[Vec<f32>],
) -> sql::Result<()> {
    drop_staged(connection, job)?;
    let Staged { extracted, json, chunks } = staged;
    let sql = "INSERT INTO staged_texts (job, extracted) VALUES (?1, ?2)";
    connection.execute(sql, (job, json))?;
    let sql = format!(
        "INSERT INTO staged_passages (job, id, {CHUNK_COLUMNS}, vector)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
    );
    let mut insert = connection.prepare_cached(&sql)?;
    for (i, (chunk, id)) in chunks.iter().zip(passage_ids(document, chunks)).enumerate() {
        insert.execute(sql::params![
            job,
            id.as_bytes().as_slice(),
            chunk.ordinal,
            chunk.text,
            serde_json::json!(chunk.heading_path).to_string(),
            chunk.page,
            chunk.section,
            chunk.chars.start,
            chunk.chars.end,
            chunk.n_tokens,
            chunk.lang.as_str(),
            vectors.get(i).map(|vector| blob_from_vector(vector)),
        ])?;
    }
    let warnings = serde_json::json!(extracted.warnings).to_string();
    let lang = main_lang(chunks).map(DocLang::as_str);
    let sql = "UPDATE jobs SET title = ?2, lang = ?3, n_pages = ?4, warnings = ?5 WHERE id = ?1";
    connection.execute(sql, (job, &extracted.title, lang, extracted.n_pages, warnings))?;
    if vectors.is_empty() {
        // The same words under the same headings, section and title have the same vector.
        let sql = "UPDATE staged_passages SET vector = (SELECT p.vector FROM passages p
                WHERE p.id = staged_passages.id AND p.section IS NOT DISTINCT FROM staged_passages.section)
            WHERE job = ?1 AND EXISTS (SELECT 1 FROM documents d JOIN jobs j ON j.document = d.id
                WHERE j.id = ?1 AND d.title IS NOT DISTINCT FROM j.title)";
        connection.execute(sql, [job])?;
    }
    Ok(())
}

/// The language of most of the text.
fn main_lang(chunks: &[Chunk]) -> Option<DocLang> {
    let tokens = |lang| -> u64 {
        let of_lang = chunks.iter().filter(|chunk| chunk.lang == lang);
        of_lang.map(|chunk| u64::from(chunk.n_tokens)).sum()
    };
    let langs = [DocLang::Other, DocLang::En, DocLang::De];
    langs.into_iter().max_by_key(|&lang| tokens(lang)).filter(|_| !chunks.is_empty())
}
