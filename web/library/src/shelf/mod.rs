//! Documents that never leave the browser: read, cut into passages, kept, and searched by words and by
//! vectors. Without a browser; `web/src/shelf` puts it on OPFS and `postMessage`.
//!
//! A document is two files or three: `<id>.doc` (its text and passages; with it the document is there),
//! `<id>.vec` (its vectors, which may come later) and `<id>.file` (its own bytes, where they can be shown).
//! Each is framed ([`record`]) so that a file that was cut short is known as such and counts as none.

mod extract;
mod index;
pub mod protocol;
pub mod record;
mod words;

use std::collections::BTreeMap;

use portico_shared::documents::{Chunk, ChunkLimits, DocLang, Extracted, chunk};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::grounding::estimated_tokens;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::api::{Document, DocumentText, Passage, SearchRequest, SearchResponse, State};
pub use extract::{PageText, extract};
use index::Index;
pub use index::QueryVector;

/// A document as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    pub id: Uuid,
    pub name: String,
    pub media_type: String,
    pub size_bytes: u64,
    pub date_s: i64,
    pub extracted: Extracted,
    pub chunks: Vec<Chunk>,
    /// Of the chunks, in their order.
    pub passages: Vec<Uuid>,
}

impl Stored {
    /// Cuts what was read into passages.
    ///
    /// # Errors
    /// `document_empty` where there is no text.
    pub fn new(
        id: Uuid,
        file: protocol::NewFile,
        size_bytes: u64,
        extracted: Extracted,
    ) -> Result<Self, ApiError> {
        let chunks = passages_of(&extracted)?;
        let passages = passage_ids(id, &chunks);
        let protocol::NewFile { name, media_type, date_s } = file;
        Ok(Self { id, name, media_type, size_bytes, date_s, extracted, chunks, passages })
    }

    /// What is embedded and indexed for each passage.
    pub fn context_texts(&self) -> Vec<String> {
        let title = self.extracted.title.as_deref();
        self.chunks.iter().map(|chunk| chunk.context_text(title)).collect()
    }

    fn lang(&self) -> DocLang {
        let of = |lang| self.chunks.iter().filter(|chunk| chunk.lang == lang).count();
        let langs = [DocLang::De, DocLang::En, DocLang::Other];
        langs.into_iter().max_by_key(|lang| of(*lang)).unwrap_or(DocLang::Other)
    }
}

/// The passages of a text, of 200 to 500 tokens by an estimate: no tokenizer is at hand.
///
/// # Errors
/// `document_empty` where there are none.
pub fn passages_of(extracted: &Extracted) -> Result<Vec<Chunk>, ApiError> {
    let chunks = chunk(extracted, &estimated_tokens, &ChunkLimits::default());
    if chunks.is_empty() {
        return Err(ApiError::new(ErrorCode::DocumentEmpty));
    }
    Ok(chunks)
}

/// Named by the document, the headings, the text and which of equal passages it is: what did not change
/// keeps its name.
pub fn passage_ids(document: Uuid, chunks: &[Chunk]) -> Vec<Uuid> {
    let mut seen: BTreeMap<[u8; 32], u32> = BTreeMap::new();
    let mut id_of = |chunk: &Chunk| {
        let mut digest = Sha256::new();
        digest.update(document.as_bytes());
        for heading in &chunk.heading_path {
            digest.update((heading.len() as u64).to_le_bytes());
            digest.update(heading);
        }
        digest.update(u64::MAX.to_le_bytes());
        digest.update(&chunk.text);
        let nth = seen.entry(digest.clone().finalize().into()).or_default();
        digest.update(nth.to_le_bytes());
        *nth += 1;
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.finalize()[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    };
    chunks.iter().map(&mut id_of).collect()
}

/// Vectors of a document's passages, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Vectors {
    pub embedder: String,
    /// Numbers of one vector.
    pub dims: usize,
    /// One vector after the other.
    pub values: Vec<f32>,
}

impl Vectors {
    pub fn to_bytes(&self) -> Vec<u8> {
        let head = serde_json::json!({ "embedder": self.embedder, "dims": self.dims }).to_string();
        let mut bytes = (head.len() as u32).to_le_bytes().to_vec();
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend(self.values.iter().flat_map(|value| value.to_le_bytes()));
        bytes
    }

    /// None where they are no vectors, or not as many as there are passages.
    pub fn from_bytes(bytes: &[u8], n_passages: usize) -> Option<Self> {
        #[derive(Deserialize)]
        struct Head {
            embedder: String,
            dims: usize,
        }
        let (len, rest) = bytes.split_at_checked(4)?;
        let len = u32::from_le_bytes(len.try_into().ok()?) as usize;
        let (head, rest) = rest.split_at_checked(len)?;
        let Head { embedder, dims } = serde_json::from_slice(head).ok()?;
        let values: Vec<f32> = rest.chunks_exact(4).map(read_f32).collect();
        let fits = dims > 0 && values.len() == dims.checked_mul(n_passages)?;
        (fits && values.iter().all(|value| value.is_finite())).then_some(Self {
            embedder,
            dims,
            values,
        })
    }
}

fn read_f32(bytes: &[u8]) -> f32 {
    let mut four = [0; 4];
    four.copy_from_slice(bytes);
    f32::from_le_bytes(four)
}

/// All documents of this browser.
#[derive(Default)]
pub struct Shelf {
    documents: BTreeMap<Uuid, Shelved>,
    /// Made when a search needs it.
    index: Option<Index>,
}

struct Shelved {
    stored: Stored,
    vectors: Option<Vectors>,
}

impl Shelf {
    /// Puts a document in, in place of one of the same id.
    pub fn put(&mut self, stored: Stored, vectors: Option<Vectors>) {
        self.index = None;
        self.documents.insert(stored.id, Shelved { stored, vectors });
    }

    /// # Errors
    /// `document_not_found`, `vector_invalid`.
    pub fn set_vectors(&mut self, id: Uuid, vectors: Vectors) -> Result<(), ApiError> {
        let shelved = self.documents.get_mut(&id).ok_or_else(not_found)?;
        if vectors.values.len() != vectors.dims * shelved.stored.chunks.len() {
            let reason = "there is not one vector for each passage";
            return Err(ApiError::new(ErrorCode::VectorInvalid).with("reason", reason));
        }
        self.index = None;
        shelved.vectors = Some(vectors);
        Ok(())
    }

    pub fn remove(&mut self, id: Uuid) -> bool {
        self.index = None;
        self.documents.remove(&id).is_some()
    }

    pub fn ids(&self) -> Vec<Uuid> {
        self.documents.keys().copied().collect()
    }

    /// Newest first.
    pub fn list(&self) -> Vec<Document> {
        self.documents.values().rev().map(view).collect()
    }

    /// # Errors
    /// `document_not_found`
    pub fn stored(&self, id: Uuid) -> Result<&Stored, ApiError> {
        self.documents.get(&id).map(|shelved| &shelved.stored).ok_or_else(not_found)
    }

    /// # Errors
    /// `document_not_found`
    pub fn text(&self, id: Uuid) -> Result<DocumentText, ApiError> {
        let shelved = self.documents.get(&id).ok_or_else(not_found)?;
        let extracted = &shelved.stored.extracted;
        Ok(DocumentText {
            document: view(shelved),
            title: extracted.title.clone(),
            text: extracted.text.clone(),
            blocks: extracted.blocks.clone(),
            pages: extracted.n_pages,
        })
    }

    /// # Errors
    /// `document_not_found`, for a passage that the document does not hold any more as well.
    pub fn passage(&self, document: Uuid, passage: Uuid) -> Result<Passage, ApiError> {
        let stored = self.stored(document)?;
        let at = stored.passages.iter().position(|id| *id == passage).ok_or_else(not_found)?;
        let chunk = stored.chunks.get(at).ok_or_else(not_found)?;
        Ok(Passage {
            text: chunk.text.clone(),
            heading_path: chunk.heading_path.clone(),
            page: chunk.page,
            section: chunk.section.clone(),
            chars: [chunk.chars.start, chunk.chars.end],
        })
    }

    /// Documents whose vectors `embedder` has not made yet.
    pub fn without_vectors(&self, embedder: &str) -> Vec<Uuid> {
        let lacks = |shelved: &&Shelved| {
            shelved.vectors.as_ref().is_none_or(|vectors| vectors.embedder != embedder)
        };
        self.documents.values().filter(lacks).map(|shelved| shelved.stored.id).collect()
    }

    /// By words, and by vectors where the query's is given.
    pub fn search(
        &mut self,
        request: &SearchRequest,
        vector: Option<&QueryVector>,
    ) -> SearchResponse {
        let documents = &self.documents;
        let index = self.index.get_or_insert_with(|| {
            let mut index = Index::default();
            for shelved in documents.values() {
                index.add(&shelved.stored);
            }
            index
        });
        index.search(documents, request, vector)
    }
}

fn view(shelved: &Shelved) -> Document {
    let stored = &shelved.stored;
    let n_passages = stored.chunks.len() as u64;
    Document {
        id: stored.id,
        collection: crate::address::ON_DEVICE.to_owned(),
        name: stored.name.clone(),
        media_type: stored.media_type.clone(),
        size_bytes: stored.size_bytes,
        date_s: stored.date_s,
        state: State::Ready,
        error: None,
        title: stored.extracted.title.clone(),
        lang: Some(stored.lang().as_str().to_owned()),
        n_pages: stored.extracted.n_pages,
        n_passages,
        n_embedded: if shelved.vectors.is_some() { n_passages } else { 0 },
        job: None,
    }
}

fn not_found() -> ApiError {
    ApiError::new(ErrorCode::DocumentNotFound)
}

#[cfg(test)]
mod tests;
