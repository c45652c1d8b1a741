//! What if the indexes are gone, damaged, or another program's? They are made anew from the database.

use portico_search::Passage;
use portico_search::vectors::{Labels, Point};
use portico_shared::error::ApiError;

use super::Work;
use crate::db::sql::{self, Connection};
use crate::documents::passages::{chunk_from_row, id_from_blob, vector_from_blob};

/// Passages that are put together.
const BATCH: i64 = 1_000;

type Row = (i64, Passage, Option<Vec<f32>>);

impl Work {
    /// Puts all live passages anew where the indexes say that they lack them; they answer meanwhile
    /// with what they have.
    pub(super) async fn rebuild(&self) -> Result<(), ApiError> {
        let needed = self.index.rebuild_needed();
        if !needed.is_needed() {
            return Ok(());
        }
        let (mut after, mut n_passages) = (0, 0);
        while !self.is_over() {
            let rows = self.work_db().call(move |connection| page(connection, after)).await?;
            let Some((last, _, _)) = rows.last() else {
                self.index.commit().await?;
                self.index.rebuilt(needed)?;
                if n_passages > 0 {
                    tracing::info!(n_passages, "the index was made anew");
                }
                return Ok(());
            };
            (after, n_passages) = (*last, n_passages + rows.len());
            // For whoever watches a move to the store that is rebuilt.
            let sql = "UPDATE vector_moves SET n_done = ?1, n_all = (SELECT count(*) FROM passages)
                WHERE state = 'moving'";
            self.work_db().call(move |db| db.execute(sql, [n_passages as i64])).await?;
            let points = rows.iter().filter_map(|(_, passage, vector)| {
                let (id, labels) = (passage.id, Labels::from(passage));
                Some(Point { id, vector: vector.clone()?, labels })
            });
            let points: Vec<Point> = points.collect();
            if needed.vectors && !points.is_empty() {
                self.index.put_points(points).await?;
            }
            if needed.full_text {
                let passages: Vec<Passage> =
                    rows.into_iter().map(|(_, passage, _)| passage).collect();
                self.index.put(&passages, None).await?;
            }
        }
        Ok(())
    }
}

/// Live passages behind a row, with its number.
fn page(connection: &Connection, after: i64) -> sql::Result<Vec<Row>> {
    let sql = "SELECT p.rowid AS row, p.id AS id, p.vector AS vector, p.ordinal AS ordinal,
            p.text AS text, p.heading_path AS heading_path, p.page AS page, p.section AS section,
            p.from_char AS from_char, p.to_char AS to_char, p.n_tokens AS n_tokens, p.lang AS lang,
            d.id AS document, d.name AS name, d.collection AS collection,
            d.media_type AS media_type, d.date_s AS date_s
        FROM passages p JOIN documents d ON d.id = p.document
        WHERE p.rowid > ?1 ORDER BY p.rowid LIMIT ?2";
    let mut select = connection.prepare_cached(sql)?;
    let rows = select.query_map((after, BATCH), |row| {
        let chunk = chunk_from_row(row)?;
        let vector: Option<Vec<u8>> = row.get("vector")?;
        let passage = Passage {
            id: id_from_blob(&row.get::<_, Vec<u8>>("id")?),
            document: row.get::<_, String>("document")?.parse().unwrap_or_default(),
            collection: row.get("collection")?,
            name: row.get("name")?,
            heading_path: chunk.heading_path,
            text: chunk.text,
            lang: chunk.lang,
            media_type: row.get::<_, Option<String>>("media_type")?.unwrap_or_default(),
            date_s: row.get::<_, Option<i64>>("date_s")?.unwrap_or_default(),
        };
        Ok((row.get("row")?, passage, vector.map(|bytes| vector_from_blob(&bytes))))
    })?;
    rows.collect()
}
