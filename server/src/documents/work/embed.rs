//! From staged passages to their vectors, some at a time.

use std::sync::Arc;

use portico_shared::error::ApiError;

use super::{LONGEST_WAIT_MS, Work, now_ms};
use crate::documents::passages::{blob_from_vector, chunk_from_row};
use crate::documents::queue::error_to_json;
use crate::documents::step;

/// Passages that are read, embedded and written together.
const BATCH: i64 = 32;
/// Tokens of one call to the embedder: a question that comes waits no longer than that.
const TOKENS_AT_ONCE: u32 = 512;
/// How often an embedder that cannot be reached is tried before the job fails.
const ATTEMPTS_MAX: u32 = 8;

/// A passage without a vector.
struct Waiting {
    row: Row,
    text: Text,
}

/// Where it waits.
#[derive(Clone, Debug)]
struct Row {
    row: i64,
    job: String,
    embedder: String,
}

/// What is to be embedded.
pub(super) struct Text {
    pub n_tokens: u32,
    pub text: String,
}

impl Work {
    /// Embeds what is staged, until told to stop.
    pub(super) async fn keep_embedding(self: Arc<Self>) {
        let mut wake = self.documents.wake.subscribe();
        while !self.is_over() {
            let batch = self.logged("reading passages", self.waiting().await).unwrap_or_default();
            if batch.is_empty() {
                self.pause(&mut wake).await;
                continue;
            }
            let (rows, texts): (Vec<Row>, Vec<Text>) =
                batch.into_iter().map(|each| (each.row, each.text)).unzip();
            let Some(Row { job, embedder, .. }) = rows.first().cloned() else { continue };
            match self.vectors(&embedder, &texts).await {
                Ok(vectors) => {
                    let written = self.write_vectors(rows, embedder, vectors).await;
                    self.logged("writing vectors", written);
                }
                Err(error) => self.wait_or_fail(&job, &error).await,
            }
            self.documents.wake();
        }
    }

    /// The first passages without a vector, all for one embedder.
    async fn waiting(&self) -> Result<Vec<Waiting>, ApiError> {
        let waiting = self.work_db().call(|connection| {
            let sql = "SELECT s.rowid AS row, s.job AS job, c.embedder AS embedder,
                    j.title AS title, s.ordinal AS ordinal, s.text AS text,
                    s.heading_path AS heading_path, s.page AS page, s.section AS section,
                    s.from_char AS from_char, s.to_char AS to_char, s.n_tokens AS n_tokens,
                    s.lang AS lang
                FROM (SELECT id FROM jobs WHERE state = 'embedding' AND wait_until_ms <= ?1
                    ORDER BY id LIMIT 64) q
                JOIN jobs j ON j.id = q.id
                JOIN staged_passages s ON s.job = q.id AND s.vector IS NULL
                JOIN documents d ON d.id = j.document JOIN collections c ON c.id = d.collection
                WHERE c.embedder IS NOT NULL ORDER BY s.job, s.ordinal LIMIT ?2";
            let mut select = connection.prepare_cached(sql)?;
            let rows = select.query_map((now_ms(), BATCH), |row| {
                let chunk = chunk_from_row(row)?;
                let title: Option<String> = row.get("title")?;
                Ok(Waiting {
                    row: Row {
                        row: row.get("row")?,
                        job: row.get("job")?,
                        embedder: row.get("embedder")?,
                    },
                    text: Text {
                        n_tokens: chunk.n_tokens,
                        text: chunk.context_text(title.as_deref()),
                    },
                })
            })?;
            rows.collect::<Result<Vec<_>, _>>()
        });
        let mut waiting = waiting.await?;
        if let Some(first) = waiting.first() {
            let embedder = first.row.embedder.clone();
            let is_same = |passage: &&Waiting| passage.row.embedder == embedder;
            let same = waiting.iter().take_while(is_same).count();
            waiting.truncate(same);
        }
        Ok(waiting)
    }

    /// Some at a time, so that a question comes between.
    pub(super) async fn vectors(
        &self,
        embedder: &str,
        texts: &[Text],
    ) -> Result<Vec<Vec<f32>>, ApiError> {
        let mut vectors = Vec::with_capacity(texts.len());
        let mut rest = texts;
        while !rest.is_empty() {
            let mut n_tokens = 0;
            let fits = rest.iter().take_while(|text| {
                n_tokens += text.n_tokens;
                n_tokens <= TOKENS_AT_ONCE
            });
            let (now, later) = rest.split_at(fits.count().max(1));
            rest = later;
            let texts: Vec<&str> = now.iter().map(|text| text.text.as_str()).collect();
            vectors.extend(self.documents.embedders.passages(embedder, &texts).await?);
        }
        Ok(vectors)
    }

    async fn write_vectors(
        &self,
        rows: Vec<Row>,
        embedder: String,
        vectors: Vec<Vec<f32>>,
    ) -> Result<(), ApiError> {
        let mut jobs: Vec<String> = rows.iter().map(|row| row.job.clone()).collect();
        jobs.dedup();
        let written = self.work_db().call(move |connection| {
            let transaction = connection.transaction()?;
            {
                // Not where the collection got another embedder meanwhile.
                let sql = "UPDATE staged_passages SET vector = ?3 WHERE rowid = ?1 AND job = ?2
                    AND ?4 = (SELECT c.embedder FROM jobs j JOIN documents d ON d.id = j.document
                        JOIN collections c ON c.id = d.collection WHERE j.id = ?2)";
                let mut update = transaction.prepare_cached(sql)?;
                for (Row { row, job, .. }, vector) in rows.iter().zip(&vectors) {
                    update.execute((row, job, blob_from_vector(vector), &embedder))?;
                }
                let sql = "UPDATE jobs SET attempts = 0,
                        n_embedded = (SELECT count(*) FROM staged_passages
                            WHERE job = jobs.id AND vector IS NOT NULL)
                    WHERE id = ?1 AND state = 'embedding'";
                let mut count = transaction.prepare_cached(sql)?;
                let sql = "UPDATE jobs SET state = 'indexing'
                    WHERE id = ?1 AND state = 'embedding' AND n_embedded = n_passages";
                let mut go_on = transaction.prepare_cached(sql)?;
                for job in &jobs {
                    count.execute([job])?;
                    go_on.execute([job])?;
                }
            }
            transaction.commit()
        });
        written.await?;
        step("embedded");
        Ok(())
    }

    /// What may work later is tried later, at growing distances; the rest is the job's failure.
    async fn wait_or_fail(&self, job: &str, error: &ApiError) {
        let may_work_later = matches!(error.code.status(), 429 | 500..);
        let (id, json) = (job.to_owned(), error_to_json(error));
        let attempts = self.work_db().call(move |connection| {
            let sql = "UPDATE jobs SET attempts = attempts + 1, error = ?3,
                    wait_until_ms = ?2 + min(?4, 500 << CAST(min(attempts, 16) AS INTEGER))
                WHERE id = ?1 RETURNING attempts";
            let values = (&id, now_ms(), json, LONGEST_WAIT_MS);
            connection.query_row(sql, values, |row| row.get::<_, u32>(0))
        });
        match attempts.await {
            Ok(attempts) if may_work_later && attempts < ATTEMPTS_MAX => {
                tracing::warn!(job, attempts, %error, "no vectors yet; tried again later");
            }
            _ => self.fail(job, error).await,
        }
    }
}
