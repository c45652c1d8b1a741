//! May a document come in that the uploader's own device has read and embedded?
//!
//! Its file came before, by its digest. The text and the vectors are the uploader's word: pieces must
//! lie in the text, vectors must be unit vectors of the collection's embedder, and a sample drawn at
//! random, which the sender cannot foresee, is embedded again here and has to come out the same.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portico_shared::documents::{Chunk, Extracted};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::manifest::is_sha256_hex;
use serde::Deserialize;

use super::Documents;
use super::embedders::{cosine, is_unit};
use super::intake::{Arrival, Placed, Taken, check, file_name, place_file};
use super::passages::{internal, vector_from_blob};
use super::work::{Staged, set_staged, write_staged};
use crate::db::sql::OptionalExtension as _;
use crate::files::Received;
use crate::keys::now_s;
use crate::people::{Right, Rights};

/// How long a file waits for what refers to it.
const HELD_S: u64 = 3_600;
/// Vectors of this cosine are the same, however each device rounds.
const SAME: f32 = 0.99;
/// Passages that are embedded again, at least and at most; between them one in so many.
const SAMPLE: std::ops::RangeInclusive<usize> = 4..=16;
const ONE_IN: usize = 50;
const CHUNKS_MAX: usize = 50_000;
const CHUNK_CHARS_MAX: usize = 20_000;

/// A document that its sender has indexed.
#[derive(Clone, Debug, Deserialize)]
pub struct IndexedDocument {
    pub name: String,
    #[serde(default)]
    pub media_type: Option<String>,
    #[serde(default)]
    pub date_s: Option<i64>,
    /// Of the file, which was sent before.
    pub sha256: String,
    pub extracted: Extracted,
    pub chunks: Vec<Chunk>,
    pub embedder: String,
    /// Little-endian float32 in base64, one after another.
    pub vectors: String,
}

impl Documents {
    /// Keeps a received file for an hour without a document.
    ///
    /// # Errors
    /// `documents_full`, `disk_full`, `storage_failed`, `files_unreachable`.
    pub async fn hold(&self, received: Received) -> Result<(), ApiError> {
        self.check_room(&received.sha256, received.size_bytes).await?;
        self.files.send(&received, &self.db).await?;
        let gate = self.files.gate().await?;
        self.check_room(&received.sha256, received.size_bytes).await?;
        self.files.keep(&received, &gate).await?;
        let held = self.db.call(move |connection| {
            let sql = "INSERT INTO held_files (sha256, size_bytes, until_s) VALUES (?1, ?2, ?3)
                ON CONFLICT (sha256) DO UPDATE SET until_s = excluded.until_s";
            let until_s = (now_s() + HELD_S) as i64;
            connection.execute(sql, (&received.sha256, received.size_bytes as i64, until_s))
        });
        held.await?;
        drop(gate);
        Ok(())
    }

    /// # Errors
    /// `collection_not_found`, `collection_read_only`, `document_not_found` for a file that did not
    /// come, `invalid_request`, `vector_invalid`, `vectors_disagree`.
    pub async fn take_indexed(
        &self,
        rights: &Rights,
        collection: &str,
        indexed: IndexedDocument,
    ) -> Result<Taken, ApiError> {
        self.require(rights, collection, Right::Contribute).await?;
        let name = file_name(&indexed.name);
        let arrival = Arrival {
            collection: collection.to_owned(),
            root: String::new(),
            place: name.clone(),
            name,
            media_type: indexed.media_type.clone(),
            date_s: indexed.date_s.unwrap_or(now_s() as i64),
        };
        check(&arrival)?;
        let embedder = self.embedder_of(&[collection.to_owned()]).await?;
        if embedder.as_deref() != Some(indexed.embedder.as_str()) {
            let embedder = embedder.unwrap_or_else(|| super::NO_EMBEDDER.to_owned());
            return Err(invalid(format!("the collection's embedder is `{embedder}`")));
        }
        check_chunks(&indexed.extracted, &indexed.chunks)?;
        let vectors = read_vectors(&indexed.vectors, indexed.chunks.len())?;
        self.check_sample(&indexed, &vectors).await?;

        let size_bytes = self.held_bytes(&indexed.sha256).await?;
        let json = serde_json::to_string(&indexed.extracted).map_err(internal)?;
        let sha256 = indexed.sha256;
        let staged = Staged { extracted: indexed.extracted, json, chunks: indexed.chunks };
        let gate = self.files.gate().await?;
        let by = indexed.embedder;
        let taken = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            // Vectors may have moved to another embedder since they were looked at.
            let sql = "SELECT 1 FROM collections WHERE id = ?1 AND embedder = ?2";
            let same = transaction.query_row(sql, [&arrival.collection, &by], |_| Ok(()));
            if same.optional()?.is_none() {
                return Ok(None);
            }
            let placed = place_file(&transaction, &arrival, &sha256, size_bytes)?;
            if let Placed { taken, job: Some(job) } = &placed {
                write_staged(&transaction, job, taken.document(), &staged, &vectors)?;
                set_staged(&transaction, job, "indexing")?;
            }
            transaction.execute("DELETE FROM held_files WHERE sha256 = ?1", [&sha256])?;
            transaction.commit()?;
            Ok(Some(placed.taken))
        });
        let another = || invalid("the collection's embedder is another one now".to_owned());
        let taken = taken.await?.ok_or_else(another)?;
        drop(gate);
        self.wake();
        Ok(taken)
    }

    /// The size of a file that is here.
    async fn held_bytes(&self, sha256: &str) -> Result<u64, ApiError> {
        let missing = || ApiError::new(ErrorCode::DocumentNotFound);
        if !is_sha256_hex(sha256) {
            return Err(missing());
        }
        let wanted = sha256.to_owned();
        // Not whatever lies here: a digest must not be enough to get at another's file.
        let held = self.db.call(move |connection| {
            let sql = "SELECT size_bytes FROM held_files WHERE sha256 = ?1";
            connection.query_row(sql, [wanted], |row| row.get::<_, i64>(0)).optional()
        });
        held.await?.map(|bytes| bytes as u64).ok_or_else(missing)
    }

    async fn check_sample(
        &self,
        indexed: &IndexedDocument,
        vectors: &[Vec<f32>],
    ) -> Result<(), ApiError> {
        let title = indexed.extracted.title.as_deref();
        let sample = sample(vectors.len())?;
        let texts: Vec<String> =
            sample.iter().map(|&at| indexed.chunks[at].context_text(title)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let own = self.embedders.passages(&indexed.embedder, &texts).await?;
        let agrees = |(own, &at): (&Vec<f32>, &usize)| {
            own.len() == vectors[at].len() && cosine(own, &vectors[at]) >= SAME
        };
        match own.iter().zip(&sample).all(agrees) {
            true => Ok(()),
            false => {
                let error = ApiError::new(ErrorCode::VectorsDisagree);
                Err(error.with("model", &indexed.embedder))
            }
        }
    }
}

/// Places drawn at random.
fn sample(n: usize) -> Result<BTreeSet<usize>, ApiError> {
    let wanted = (n / ONE_IN).clamp(*SAMPLE.start(), *SAMPLE.end()).min(n);
    let mut sample = BTreeSet::new();
    while sample.len() < wanted {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(internal)?;
        sample.insert((u64::from_le_bytes(bytes) % n as u64) as usize);
    }
    Ok(sample)
}

fn check_chunks(extracted: &Extracted, chunks: &[Chunk]) -> Result<(), ApiError> {
    if chunks.is_empty() || chunks.len() > CHUNKS_MAX {
        return Err(invalid(format!("a document has 1 to {CHUNKS_MAX} passages")));
    }
    let n_chars = extracted.text.chars().count() as u32;
    for (chunk, ordinal) in chunks.iter().zip(0..) {
        let is_right = chunk.ordinal == ordinal
            && !chunk.text.trim().is_empty()
            && chunk.text.chars().count() <= CHUNK_CHARS_MAX
            && chunk.chars.start <= chunk.chars.end
            && chunk.chars.end <= n_chars;
        if !is_right {
            return Err(invalid(format!("passage {ordinal} does not lie in the text")));
        }
    }
    let is_inside = |range: &std::ops::Range<u32>| range.start <= range.end && range.end <= n_chars;
    match extracted.blocks.iter().all(|block| is_inside(&block.chars)) {
        true => Ok(()),
        false => Err(invalid("a block does not lie in the text".to_owned())),
    }
}

fn read_vectors(base64: &str, n: usize) -> Result<Vec<Vec<f32>>, ApiError> {
    let invalid = |reason: &str| ApiError::new(ErrorCode::VectorInvalid).with("reason", reason);
    let bytes = STANDARD.decode(base64).map_err(|_| invalid("it is no base64"))?;
    if bytes.is_empty() || bytes.len() % (4 * n) != 0 {
        return Err(invalid("there is not one for each passage"));
    }
    let dim_bytes = bytes.len() / n;
    let vectors: Vec<Vec<f32>> = bytes.chunks_exact(dim_bytes).map(vector_from_blob).collect();
    match vectors.iter().all(|vector| is_unit(vector)) {
        true => Ok(vectors),
        false => Err(invalid("its length is not 1")),
    }
}

fn invalid(reason: String) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest).with("reason", reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_small_inside_and_drawn_anew() {
        assert_eq!(sample(1).unwrap().len(), 1);
        assert_eq!(sample(100).unwrap().len(), 4);
        let large = sample(100_000).unwrap();
        assert!(large.len() == 16 && large.iter().all(|&at| at < 100_000));
        assert_ne!(large, sample(100_000).unwrap());
    }

    #[test]
    fn vectors_must_be_as_many_as_passages_and_of_length_one() {
        let base64 = |floats: &[f32]| {
            let bytes: Vec<u8> = floats.iter().flat_map(|x| x.to_le_bytes()).collect();
            STANDARD.encode(bytes)
        };
        assert_eq!(read_vectors(&base64(&[0.6, 0.8, 1.0, 0.0]), 2).unwrap()[1], [1.0, 0.0]);
        for (text, n) in [
            (base64(&[0.6, 0.8, 1.0]), 2),
            (base64(&[2.0, 0.0]), 1),
            (base64(&[f32::NAN, 1.0]), 1),
            (String::new(), 1),
            ("not base64!".to_owned(), 1),
        ] {
            assert_eq!(read_vectors(&text, n).unwrap_err().code, ErrorCode::VectorInvalid);
        }
    }
}
