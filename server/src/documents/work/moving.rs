//! From the vectors that answer to those of another store, or of another embedder.
//!
//! The new store is filled out of the database, which has every passage; what becomes live or goes
//! meanwhile goes to both stores. When nothing is missing the new one answers, in one step: the
//! database's vectors and the store change while no version becomes live. A move that was cut off looks
//! for what is missing and goes on.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use portico_search::vectors::{EmbedderId, Labels, OpenStore, Point, StoreConfig, VectorStore};
use portico_shared::documents::Chunk;
use portico_shared::error::{ApiError, ErrorCode};
use uuid::Uuid;

use super::Work;
use super::embed::Text;
use crate::config::VectorsConfig;
use crate::db::sql::{self, Connection, OptionalExtension as _};
use crate::documents::moving::is_moving;
use crate::documents::passages::{
    blob_from_vector, chunk_from_row, id_from_blob, lang_from_column, vector_from_blob,
};
use crate::documents::queue::error_to_json;
use crate::documents::step;

/// Points that are read and put together.
const PAGE: i64 = 256;
/// Passages that are embedded and put together.
const BATCH: i64 = 32;
/// How often what may work later is tried before the move has failed.
const ATTEMPTS_MAX: u32 = 8;
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A move as the database has it.
#[derive(Clone, Debug)]
struct Asked {
    store: Option<String>,
    embedder: Option<String>,
}

/// What carrying a move out came to.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// The new vectors answer.
    Switched,
    /// This process stops working, or the move was called off or changed.
    LeftOff,
}

impl Work {
    /// Carries out moves that are asked for, until told to stop.
    pub(super) async fn keep_moving(self: Arc<Self>) {
        let mut attempts = 0;
        while !self.is_over() {
            // A rebuild puts old vectors into the store that answers.
            let asked = match self.index.rebuild_needed().vectors {
                true => None,
                false => self.logged("looking for a move", self.asked_move().await).flatten(),
            };
            let Some(asked) = asked else {
                self.pause_long().await;
                continue;
            };
            let done = self.carry_out(&asked).await;
            self.index.stop_filling();
            match done {
                Ok(_) => attempts = 0,
                Err(error) if attempts < ATTEMPTS_MAX && may_work_later(&error) => {
                    tracing::warn!(%error, attempts, "the vectors' move is tried again");
                    self.wait(FIRST_WAIT.saturating_mul(1 << attempts).min(LONGEST_WAIT)).await;
                    attempts += 1;
                }
                Err(error) => {
                    attempts = 0;
                    tracing::error!(%error, "the vectors were not moved");
                    self.logged("noting a failure", self.note_failed(&error).await);
                }
            }
        }
    }

    async fn asked_move(&self) -> Result<Option<Asked>, ApiError> {
        let asked = self.work_db().call(|connection| {
            let sql = "SELECT store, embedder FROM vector_moves WHERE state = 'moving'";
            let mut select = connection.prepare_cached(sql)?;
            let row = |row: &sql::Row<'_>| Ok(Asked { store: row.get(0)?, embedder: row.get(1)? });
            select.query_row([], row).optional()
        });
        Ok(asked.await?)
    }

    async fn carry_out(&self, asked: &Asked) -> Result<Outcome, ApiError> {
        let (answering, embedder, config) = self.target(asked).await?;
        if answering.is(&embedder, &config) {
            return self.switch(&embedder, false).await;
        }
        let makes_anew = answering.embedder != embedder;
        let new = OpenStore::open(embedder.clone(), config).await?;
        self.index.fill(new.clone());
        step("a store is filled");
        let is_filled = match makes_anew {
            true => self.embed_anew(asked, &new).await?,
            false => self.copy(asked, &new).await?,
        };
        if !is_filled {
            return Ok(Outcome::LeftOff);
        }
        self.remove_others(&*new.store).await?;
        loop {
            let gate = self.gate.lock().await;
            // What became live since was put into the new store too, if it has its vectors.
            if makes_anew && !self.lacking().await?.is_empty() {
                drop(gate);
                if !self.embed_anew(asked, &new).await? {
                    return Ok(Outcome::LeftOff);
                }
                continue;
            }
            let outcome = self.switch(&embedder, makes_anew).await?;
            if outcome == Outcome::Switched {
                step("the vectors are switched");
                self.index.take_over()?;
                let EmbedderId { name, .. } = &embedder;
                tracing::info!(embedder = name, "the moved vectors answer");
            }
            drop(gate);
            if outcome == Outcome::Switched && makes_anew {
                // Nobody asks for the old embedder's any more; its store may be the same server.
                let cleared = answering.store.clear().await;
                self.logged("clearing the old vectors", cleared.map_err(ApiError::from));
            }
            self.documents.wake();
            return Ok(outcome);
        }
    }

    /// The store that answers, and what is to answer in its place.
    async fn target(
        &self,
        asked: &Asked,
    ) -> Result<(OpenStore, EmbedderId, StoreConfig), ApiError> {
        let Some(answering) = self.index.vectors() else {
            let reason = "no passage has a vector yet";
            return Err(ApiError::new(ErrorCode::InvalidRequest).with("reason", reason));
        };
        let embedder = match &asked.embedder {
            Some(name) if *name != answering.embedder.name => {
                let probe = self.documents.embedders.passages(name, &["1"]).await?;
                let n_dims = probe.first().map_or(0, Vec::len);
                EmbedderId { name: name.clone(), n_dims }
            }
            _ => answering.embedder.clone(),
        };
        let config = match &asked.store {
            Some(json) => {
                let config: VectorsConfig = serde_json::from_str(json)
                    .map_err(|error| ApiError::new(ErrorCode::InvalidRequest).detail(error))?;
                config.store(&self.documents.data_dir)
            }
            None => answering.config.clone(),
        };
        Ok((answering, embedder, config))
    }

    /// Puts the vectors that there are; false when it left off.
    async fn copy(&self, asked: &Asked, new: &OpenStore) -> Result<bool, ApiError> {
        let (mut after, mut n_done) = (0, 0);
        let n_all = self.n_embedded().await?;
        loop {
            if !self.goes_on(asked, n_done, n_all.max(n_done)).await? {
                return Ok(false);
            }
            let n_dims = new.embedder.n_dims;
            // Between the reading and the putting none of them may go.
            let _gate = self.gate.lock().await;
            let rows = self.work_db().call(move |connection| page(connection, after)).await?;
            let Some((last, _)) = rows.last() else { return Ok(true) };
            after = *last;
            n_done += rows.len() as u64;
            let points = rows.into_iter().map(|(_, point)| point);
            let points: Vec<Point> = points.filter(|point| point.vector.len() == n_dims).collect();
            let ids: Vec<Uuid> = points.iter().map(|point| point.id).collect();
            let known: HashSet<Uuid> = new.store.known(&ids).await?.into_iter().collect();
            let lacking: Vec<Point> =
                points.into_iter().filter(|point| !known.contains(&point.id)).collect();
            if !lacking.is_empty() {
                new.store.put(lacking).await?;
            }
            step("vectors copied");
        }
    }

    /// Embeds what the new embedder has not embedded yet; false when it left off.
    async fn embed_anew(&self, asked: &Asked, new: &OpenStore) -> Result<bool, ApiError> {
        loop {
            let (n_done, n_all) = self.n_moved().await?;
            if !self.goes_on(asked, n_done, n_all).await? {
                return Ok(false);
            }
            let lacking = self.lacking().await?;
            if lacking.is_empty() {
                return Ok(true);
            }
            let texts: Vec<Text> = lacking.iter().map(Lacking::text).collect();
            let vectors = self.vectors(&new.embedder.name, &texts).await?;
            let _gate = self.gate.lock().await;
            let ids = lacking.iter().map(|passage| passage.id);
            let live = self.live(ids).await?;
            let made: Vec<(Lacking, Vec<f32>)> = lacking
                .into_iter()
                .zip(vectors)
                .filter(|(passage, _)| live.contains(&passage.id))
                .collect();
            let points = made.iter().map(|(passage, vector)| Point {
                id: passage.id,
                vector: vector.clone(),
                labels: passage.labels.clone(),
            });
            new.store.put(points.collect()).await?;
            let written = self.work_db().call(move |connection| {
                let transaction = connection.transaction()?;
                {
                    let sql = "INSERT INTO moved_vectors (passage, vector)
                        SELECT id, ?2 FROM passages WHERE id = ?1
                        ON CONFLICT (passage) DO UPDATE SET vector = excluded.vector";
                    let mut insert = transaction.prepare_cached(sql)?;
                    for (passage, vector) in &made {
                        let vector = blob_from_vector(vector);
                        insert.execute((passage.id.as_bytes().as_slice(), vector))?;
                    }
                }
                transaction.commit()
            });
            written.await?;
            step("embedded anew");
        }
    }

    /// Takes out of the new store what is not live: it may have been another move's.
    async fn remove_others(&self, store: &dyn VectorStore) -> Result<(), ApiError> {
        let mut next = None;
        loop {
            let _gate = self.gate.lock().await;
            let page = store.page(next, PAGE as usize).await?;
            let live = self.live(page.points.iter().map(|point| point.id)).await?;
            let ids = page.points.iter().map(|point| point.id);
            let others: Vec<Uuid> = ids.filter(|id| !live.contains(id)).collect();
            if !others.is_empty() {
                store.remove(&others).await?;
            }
            match page.next {
                Some(from) => next = Some(from),
                None => return Ok(()),
            }
        }
    }

    /// Notes how far it is; false where this process is to stop, or where something else is asked for.
    async fn goes_on(&self, asked: &Asked, n_done: u64, n_all: u64) -> Result<bool, ApiError> {
        let Asked { store, embedder } = asked.clone();
        let noted = self.work_db().call(move |connection| {
            let sql = "UPDATE vector_moves SET n_done = ?1, n_all = ?2
                WHERE state = 'moving' AND store IS NOT DISTINCT FROM ?3 AND embedder IS NOT DISTINCT FROM ?4";
            connection.execute(sql, (n_done as i64, n_all as i64, store, embedder))
        });
        Ok(noted.await? == 1 && !self.is_over())
    }

    /// The moment from which on the new vectors are the passages' own. What is on its way by the old
    /// embedder is embedded again.
    async fn switch(&self, embedder: &EmbedderId, makes_anew: bool) -> Result<Outcome, ApiError> {
        let name = embedder.name.clone();
        let switched = self.work_db().call(move |connection| {
            let transaction = connection.transaction()?;
            if !is_moving(&transaction)? {
                return Ok(Outcome::LeftOff);
            }
            if makes_anew {
                let sql = "UPDATE passages SET vector =
                        (SELECT vector FROM moved_vectors WHERE passage = passages.id)
                    WHERE id IN (SELECT passage FROM moved_vectors)";
                transaction.execute(sql, [])?;
                transaction.execute("DELETE FROM moved_vectors", [])?;
                let embedded = "SELECT j.id FROM jobs j JOIN documents d ON d.id = j.document
                    JOIN collections c ON c.id = d.collection
                    WHERE c.embedder IS NOT NULL AND j.state IN ('embedding', 'indexing')
                        AND j.n_passages > 0";
                let sql =
                    format!("UPDATE staged_passages SET vector = NULL WHERE job IN ({embedded})");
                transaction.execute(&sql, [])?;
                let sql = format!(
                    "UPDATE jobs SET state = 'embedding', n_embedded = 0 WHERE id IN ({embedded})"
                );
                transaction.execute(&sql, [])?;
                let sql = "UPDATE collections SET embedder = ?1 WHERE embedder IS NOT NULL";
                transaction.execute(sql, [&name])?;
            }
            let sql = "UPDATE vector_moves SET state = 'done', n_done = n_all, error = NULL";
            transaction.execute(sql, [])?;
            transaction.commit()?;
            Ok(Outcome::Switched)
        });
        Ok(switched.await?)
    }

    async fn note_failed(&self, error: &ApiError) -> Result<(), ApiError> {
        let json = error_to_json(error);
        let sql = "UPDATE vector_moves SET state = 'failed', error = ?1 WHERE state = 'moving'";
        self.work_db().call(move |connection| connection.execute(sql, [json])).await?;
        Ok(())
    }

    /// Those of the passages that are live.
    async fn live(&self, ids: impl Iterator<Item = Uuid>) -> Result<HashSet<Uuid>, ApiError> {
        let ids: Vec<String> = ids.map(|id| id.simple().to_string()).collect();
        let live = self.work_db().call(move |connection| {
            let sql = "SELECT id FROM passages
                WHERE id IN (SELECT unhex(value) FROM json_each(?1))";
            let mut select = connection.prepare_cached(sql)?;
            let ids = serde_json::json!(ids).to_string();
            let rows = select.query_map([ids], |row| row.get::<_, Vec<u8>>(0))?;
            rows.map(|id| id.map(|id| id_from_blob(&id))).collect()
        });
        Ok(live.await?)
    }

    async fn n_embedded(&self) -> Result<u64, ApiError> {
        let sql = "SELECT count(*) FROM passages WHERE vector IS NOT NULL";
        let n = self.work_db().call(|connection| connection.query_row(sql, [], |row| row.get(0)));
        Ok(n.await.map(|n: i64| n.max(0) as u64)?)
    }

    /// Passages that the new embedder has embedded, and that it is to embed.
    async fn n_moved(&self) -> Result<(u64, u64), ApiError> {
        let counts = self.work_db().call(|connection| {
            let sql = "SELECT (SELECT count(*) FROM moved_vectors), count(*) FROM passages p
                JOIN documents d ON d.id = p.document JOIN collections c ON c.id = d.collection
                WHERE c.embedder IS NOT NULL";
            let count = |row: &sql::Row<'_>, i| row.get::<_, i64>(i).map(|n| n.max(0) as u64);
            connection.query_row(sql, [], |row| Ok((count(row, 0)?, count(row, 1)?)))
        });
        Ok(counts.await?)
    }

    /// The next live passages without a vector of the new embedder.
    async fn lacking(&self) -> Result<Vec<Lacking>, ApiError> {
        Ok(self.work_db().call(|connection| lacking(connection)).await?)
    }

    async fn wait(&self, time: Duration) {
        let until = tokio::time::Instant::now() + time;
        while !self.is_over() && tokio::time::Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn may_work_later(error: &ApiError) -> bool {
    matches!(error.code.status(), 429 | 500..)
}

/// A live passage that the new embedder has not embedded.
struct Lacking {
    id: Uuid,
    chunk: Chunk,
    title: Option<String>,
    labels: Labels,
}

impl Lacking {
    fn text(&self) -> Text {
        let text = self.chunk.context_text(self.title.as_deref());
        Text { n_tokens: self.chunk.n_tokens, text }
    }
}

fn lacking(connection: &Connection) -> sql::Result<Vec<Lacking>> {
    let sql = "SELECT p.id AS id, p.ordinal AS ordinal, p.text AS text,
            p.heading_path AS heading_path, p.page AS page, p.section AS section,
            p.from_char AS from_char, p.to_char AS to_char, p.n_tokens AS n_tokens, p.lang AS lang,
            d.title AS title, d.id AS document, d.collection AS collection,
            d.media_type AS media_type, d.date_s AS date_s
        FROM passages p JOIN documents d ON d.id = p.document
        JOIN collections c ON c.id = d.collection
        WHERE c.embedder IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM moved_vectors WHERE passage = p.id)
        ORDER BY p.rowid LIMIT ?1";
    let mut select = connection.prepare_cached(sql)?;
    let rows = select.query_map([BATCH], |row| {
        Ok(Lacking {
            id: id_from_blob(&row.get::<_, Vec<u8>>("id")?),
            chunk: chunk_from_row(row)?,
            title: row.get("title")?,
            labels: labels(row)?,
        })
    })?;
    rows.collect()
}

/// Points behind a row, with its number.
fn page(connection: &Connection, after: i64) -> sql::Result<Vec<(i64, Point)>> {
    let sql = "SELECT p.rowid AS row, p.id AS id, p.vector AS vector, p.lang AS lang,
            d.id AS document, d.collection AS collection, d.media_type AS media_type,
            d.date_s AS date_s
        FROM passages p JOIN documents d ON d.id = p.document
        WHERE p.vector IS NOT NULL AND p.rowid > ?1 ORDER BY p.rowid LIMIT ?2";
    let mut select = connection.prepare_cached(sql)?;
    let rows = select.query_map((after, PAGE), |row| {
        let id = id_from_blob(&row.get::<_, Vec<u8>>("id")?);
        let vector = vector_from_blob(&row.get::<_, Vec<u8>>("vector")?);
        Ok((row.get("row")?, Point { id, vector, labels: labels(row)? }))
    })?;
    rows.collect()
}

fn labels(row: &sql::Row<'_>) -> sql::Result<Labels> {
    Ok(Labels {
        collection: row.get("collection")?,
        document: row.get::<_, String>("document")?.parse().unwrap_or_default(),
        media_type: row.get::<_, Option<String>>("media_type")?.unwrap_or_default(),
        lang: lang_from_column(&row.get::<_, String>("lang")?),
        date_s: row.get::<_, Option<i64>>("date_s")?.unwrap_or_default(),
    })
}
