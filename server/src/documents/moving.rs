//! How do the vectors get into another store while the first one answers?
//!
//! Out of the database, which has them all, so that neither store has to stand still: what the new one
//! has already is passed over, so a move that was cut off goes on where it stood. When the server starts
//! with the new store it puts what came in between.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use portico_search::vectors::{self, Labels, Point, StoreConfig};
use portico_shared::error::{ApiError, ErrorCode};
use rusqlite::Connection;
use uuid::Uuid;

use super::Documents;
use super::passages::{id_from_blob, lang_from_column, vector_from_blob};

/// Points read and put together.
const BATCH: i64 = 512;

/// How far a move is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moved {
    pub n_done: u64,
    pub n_all: u64,
    /// Of those, there before.
    pub n_known: u64,
    pub points_per_s: f64,
    pub left: Duration,
}

impl Documents {
    /// Puts the vectors of all live passages into a store.
    ///
    /// # Errors
    /// `vectors_unreachable`, or `invalid_request` when there is no vector yet.
    pub async fn move_vectors(
        &self,
        to: &StoreConfig,
        mut tell: impl FnMut(Moved),
    ) -> Result<Moved, ApiError> {
        let Some(embedder) = self.embedder_in_use().await? else {
            let reason = "no passage has a vector yet";
            return Err(ApiError::new(ErrorCode::InvalidRequest).with("reason", reason));
        };
        let store = vectors::open(to, &embedder).await?;
        let name = embedder.name.clone();
        let n_all = self.db.call(move |connection| count(connection, &name)).await?;
        let (started, mut after) = (Instant::now(), 0);
        let mut moved = Moved { n_all, ..Moved::default() };
        loop {
            let name = embedder.name.clone();
            let rows = self.db.call(move |connection| page(connection, &name, after)).await?;
            let Some((last, _)) = rows.last() else { break };
            after = *last;
            let n_rows = rows.len() as u64;
            let points = rows.into_iter().map(|(_, point)| point);
            let points: Vec<Point> =
                points.filter(|point| point.vector.len() == embedder.n_dims).collect();
            let ids: Vec<Uuid> = points.iter().map(|point| point.id).collect();
            let known: HashSet<Uuid> = store.known(&ids).await?.into_iter().collect();
            let new: Vec<Point> =
                points.into_iter().filter(|point| !known.contains(&point.id)).collect();
            if !new.is_empty() {
                store.put(new).await?;
            }
            moved.n_done += n_rows;
            moved.n_all = moved.n_all.max(moved.n_done);
            moved.n_known += known.len() as u64;
            moved.points_per_s = moved.n_done as f64 / started.elapsed().as_secs_f64().max(1e-6);
            let n_left = (moved.n_all - moved.n_done) as f64;
            moved.left = Duration::from_secs_f64((n_left / moved.points_per_s).min(1e9));
            tell(moved);
        }
        store.optimise().await?;
        Ok(moved)
    }
}

fn count(connection: &Connection, embedder: &str) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM passages p JOIN documents d ON d.id = p.document
        JOIN collections c ON c.id = d.collection
        WHERE p.vector IS NOT NULL AND c.embedder = ?1";
    let n: i64 = connection.query_row(sql, [embedder], |row| row.get(0))?;
    Ok(u64::try_from(n).unwrap_or(0))
}

/// Points behind a row, with its number.
fn page(
    connection: &Connection,
    embedder: &str,
    after: i64,
) -> rusqlite::Result<Vec<(i64, Point)>> {
    let sql = "SELECT p.rowid, p.id, p.vector, p.lang, d.id, d.collection, d.media_type, d.date_s
        FROM passages p JOIN documents d ON d.id = p.document
        JOIN collections c ON c.id = d.collection
        WHERE p.vector IS NOT NULL AND c.embedder = ?1 AND p.rowid > ?2
        ORDER BY p.rowid LIMIT ?3";
    let mut select = connection.prepare_cached(sql)?;
    let rows = select.query_map((embedder, after, BATCH), |row| {
        let labels = Labels {
            collection: row.get(5)?,
            document: row.get::<_, String>(4)?.parse().unwrap_or_default(),
            media_type: row.get::<_, Option<String>>(6)?.unwrap_or_default(),
            lang: lang_from_column(&row.get::<_, String>(3)?),
            date_s: row.get::<_, Option<i64>>(7)?.unwrap_or_default(),
        };
        let id = id_from_blob(&row.get::<_, Vec<u8>>(1)?);
        let vector = vector_from_blob(&row.get::<_, Vec<u8>>(2)?);
        Ok((row.get(0)?, Point { id, vector, labels }))
    })?;
    rows.collect()
}
