//! From passages to what is found: both indexes first, then, in one transaction, the database.
//!
//! A passage that an index has and the database does not know as live is found by nobody, so that a
//! crash anywhere leaves the version before whole. What is live no more leaves the indexes afterwards.

use std::sync::Arc;

use portico_search::Passage;
use portico_search::vectors::{EmbedderId, OpenStore};
use portico_shared::documents::Chunk;
use portico_shared::error::ApiError;
use uuid::Uuid;

use super::Work;
use crate::db::sql::{self, Connection, Transaction};
use crate::documents::passages::{CHUNK_COLUMNS, chunk_from_row, id_from_blob, vector_from_blob};
use crate::documents::queue::drop_staged;
use crate::documents::step;

/// Jobs, and passages, that become live together.
const JOBS: i64 = 128;
const PASSAGES: usize = 4_000;
/// Passages that leave the indexes together.
const REMOVALS: i64 = 1_000;
/// How often what could not be indexed is tried before the jobs fail.
const ATTEMPTS_MAX: u32 = 4;

/// A job whose passages are complete.
struct Complete {
    job: String,
    document: Uuid,
    collection: String,
    name: String,
    media_type: String,
    date_s: i64,
    passages: Vec<(Uuid, Chunk, Option<Vec<f32>>)>,
}

impl Work {
    /// Makes complete versions live and removes what is gone, until told to stop.
    pub(super) async fn keep_indexing(self: Arc<Self>) {
        while !self.is_over() && self.logged("rebuilding", self.rebuild().await).is_none() {
            self.pause_long().await;
        }
        let mut wake = self.documents.wake.subscribe();
        let mut attempts = 0;
        while !self.is_over() {
            let gate = self.gate.lock().await;
            let complete = self.logged("reading", self.complete().await).unwrap_or_default();
            let is_done = if complete.is_empty() {
                self.logged("removing passages", self.remove_gone().await).unwrap_or(false)
            } else {
                let jobs: Vec<String> = complete.iter().map(|each| each.job.clone()).collect();
                match self.make_live(complete).await {
                    Ok(()) => attempts = 0,
                    Err(error) if attempts < ATTEMPTS_MAX => {
                        attempts += 1;
                        tracing::error!(%error, attempts, "not indexed; tried again");
                        drop(gate);
                        self.pause_long().await;
                        continue;
                    }
                    Err(error) => {
                        attempts = 0;
                        for job in &jobs {
                            self.fail(job, &error).await;
                        }
                    }
                }
                true
            };
            drop(gate);
            match is_done {
                true => self.documents.wake(),
                false => self.pause(&mut wake).await,
            }
        }
    }

    async fn complete(&self) -> Result<Vec<Complete>, ApiError> {
        Ok(self
            .work_db()
            .call(|connection| {
                let sql = "SELECT j.id, j.document, d.collection, d.name, j.media_type, j.date_s
                FROM jobs j JOIN documents d ON d.id = j.document
                WHERE j.state = 'indexing' ORDER BY j.id LIMIT ?1";
                let jobs = connection
                    .prepare_cached(sql)?
                    .query_map([JOBS], |row| {
                        Ok(Complete {
                            job: row.get(0)?,
                            document: row.get::<_, String>(1)?.parse().unwrap_or_default(),
                            collection: row.get(2)?,
                            name: row.get(3)?,
                            media_type: row.get(4)?,
                            date_s: row.get(5)?,
                            passages: Vec::new(),
                        })
                    })?
                    .collect::<Result<Vec<_>, _>>()?;
                let (mut complete, mut n_passages) = (Vec::new(), 0);
                for mut job in jobs {
                    job.passages = staged(connection, &job.job)?;
                    n_passages += job.passages.len();
                    complete.push(job);
                    if n_passages >= PASSAGES {
                        break;
                    }
                }
                Ok(complete)
            })
            .await?)
    }

    async fn make_live(&self, complete: Vec<Complete>) -> Result<(), ApiError> {
        let jobs: Vec<String> = complete.iter().map(|each| each.job.clone()).collect();
        self.keep_from_removal(jobs.clone()).await?;
        let (mut plain, mut embedded, mut made) = (Vec::new(), Vec::new(), Vec::new());
        for each in complete {
            let Complete { document, collection, name, media_type, date_s, .. } = each;
            for (id, chunk, vector) in each.passages {
                let passage = Passage {
                    id,
                    document,
                    collection: collection.clone(),
                    name: name.clone(),
                    heading_path: chunk.heading_path,
                    text: chunk.text,
                    lang: chunk.lang,
                    media_type: media_type.clone(),
                    date_s,
                };
                match vector {
                    Some(vector) => {
                        embedded.push(passage);
                        made.push(vector);
                    }
                    None => plain.push(passage),
                }
            }
        }
        if !plain.is_empty() {
            self.index.put(&plain, None).await?;
        }
        if !embedded.is_empty() {
            self.make_store(&embedded[0].collection, made[0].len()).await?;
            self.index.put(&embedded, Some(&made)).await?;
        }
        step("put into the indexes");
        self.index.commit().await?;
        step("indexes committed");
        self.work_db().call(move |connection| flip(connection, &jobs)).await?;
        step("made live");
        Ok(())
    }

    /// The first vectors of a data folder say how long they are: then there is a store for them.
    async fn make_store(&self, collection: &str, n_dims: usize) -> Result<(), ApiError> {
        if self.index.vectors().is_some() {
            return Ok(());
        }
        let name = self.documents.embedder_of(&[collection.to_owned()]).await?.unwrap_or_default();
        let embedder = EmbedderId { name, n_dims };
        let store = OpenStore::open(embedder, self.documents.store_config()).await?;
        self.index.fill(store);
        self.index.take_over()?;
        Ok(())
    }

    /// What comes back is not removed any more.
    async fn keep_from_removal(&self, jobs: Vec<String>) -> Result<(), ApiError> {
        let kept = self.work_db().call(move |connection| {
            let sql = "DELETE FROM index_removals WHERE id IN
                (SELECT id FROM staged_passages WHERE job = ?1)";
            let transaction = connection.transaction()?;
            for job in &jobs {
                transaction.execute(sql, [job])?;
            }
            transaction.commit()
        });
        Ok(kept.await?)
    }

    /// Takes what is live no more out of the indexes; whether anything was.
    async fn remove_gone(&self) -> Result<bool, ApiError> {
        let gone = self.work_db().call(|connection| {
            // A passage that came back between two versions is live again.
            let sql = "DELETE FROM index_removals WHERE id IN (SELECT id FROM passages)";
            connection.execute(sql, [])?;
            let sql = "SELECT id FROM index_removals LIMIT ?1";
            let mut select = connection.prepare_cached(sql)?;
            let ids = select.query_map([REMOVALS], |row| row.get::<_, Vec<u8>>(0))?;
            ids.collect::<Result<Vec<_>, _>>()
        });
        let gone: Vec<Vec<u8>> = gone.await?;
        if gone.is_empty() {
            return Ok(false);
        }
        let ids: Vec<Uuid> = gone.iter().map(|id| id_from_blob(id)).collect();
        self.index.remove(&ids).await?;
        self.index.commit().await?;
        step("removed from the indexes");
        let forgotten = self.work_db().call(move |connection| {
            let transaction = connection.transaction()?;
            for id in &gone {
                transaction.execute("DELETE FROM index_removals WHERE id = ?1", [id])?;
            }
            transaction.commit()
        });
        forgotten.await?;
        step("removal forgotten");
        Ok(true)
    }
}

/// A passage that is on its way, with its vector where one was made.
type Staged = (Uuid, Chunk, Option<Vec<f32>>);

fn staged(connection: &Connection, job: &str) -> sql::Result<Vec<Staged>> {
    let sql = format!(
        "SELECT id, vector, {CHUNK_COLUMNS} FROM staged_passages WHERE job = ?1 ORDER BY ordinal"
    );
    let mut select = connection.prepare_cached(&sql)?;
    let rows = select.query_map([job], |row| {
        let id = id_from_blob(&row.get::<_, Vec<u8>>("id")?);
        let vector: Option<Vec<u8>> = row.get("vector")?;
        Ok((id, chunk_from_row(row)?, vector.map(|bytes| vector_from_blob(&bytes))))
    })?;
    rows.collect()
}

/// The moment in which versions become live, all of them whole; of a job that is gone nothing does.
fn flip(connection: &mut Connection, jobs: &[String]) -> sql::Result<()> {
    let transaction = connection.transaction()?;
    for job in jobs {
        flip_one(&transaction, job)?;
    }
    transaction.commit()
}

fn flip_one(transaction: &Transaction<'_>, job: &str) -> sql::Result<()> {
    let sql = "UPDATE jobs SET state = 'done', error = NULL WHERE id = ?1 AND state = 'indexing'";
    if transaction.execute(sql, [job])? == 0 {
        return Ok(());
    }
    let of_document = "(SELECT document FROM jobs WHERE id = ?1)";
    let old = format!(
        "DELETE FROM passages WHERE document = {of_document}
            AND id NOT IN (SELECT id FROM staged_passages WHERE job = ?1)"
    );
    let new = format!(
        "INSERT INTO passages (id, document, {CHUNK_COLUMNS}, vector)
            SELECT id, {of_document}, {CHUNK_COLUMNS}, vector FROM staged_passages WHERE job = ?1
        ON CONFLICT (id) DO UPDATE SET ordinal = excluded.ordinal, text = excluded.text,
            heading_path = excluded.heading_path, page = excluded.page,
            section = excluded.section, from_char = excluded.from_char,
            to_char = excluded.to_char, n_tokens = excluded.n_tokens, lang = excluded.lang,
            vector = excluded.vector"
    );
    let text = format!(
        "INSERT INTO document_texts (document, extracted)
            SELECT {of_document}, extracted FROM staged_texts WHERE job = ?1
        ON CONFLICT (document) DO UPDATE SET extracted = excluded.extracted"
    );
    let document = "UPDATE documents SET (sha256, size_bytes, media_type, date_s, title, lang,
            n_pages, n_passages, warnings) = (SELECT sha256, size_bytes, media_type, date_s, title,
            lang, n_pages, n_passages, warnings FROM jobs WHERE id = ?1)
        WHERE id = (SELECT document FROM jobs WHERE id = ?1)";
    for sql in [old.as_str(), new.as_str(), text.as_str(), document] {
        transaction.execute(sql, [job])?;
    }
    drop_staged(transaction, job)
}
