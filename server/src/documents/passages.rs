//! How does a passage lie in the database?

use portico_shared::documents::{Chunk, DocLang};
use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::listing::not_found;
use super::{DocumentView, Documents};
use crate::db::sql::{self, OptionalExtension as _, Row};
use crate::people::Rights;

/// A live passage of a document, as a reader sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PassageView {
    pub id: Uuid,
    pub document: DocumentView,
    pub text: String,
    pub heading_path: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// Of the document's text, the end not included.
    pub chars: [u32; 2],
    pub lang: DocLang,
}

/// Columns of `passages` and `staged_passages` that a [`Chunk`] has.
pub(super) const CHUNK_COLUMNS: &str =
    "ordinal, text, heading_path, page, section, from_char, to_char, n_tokens, lang";

/// A passage's name: of the same words under the same headings of a document it is the same in every
/// version. `nth` counts those that are alike, from 0.
pub fn passage_id(document: Uuid, chunk: &Chunk, nth: u32) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(document.as_bytes());
    // Lengths keep the parts from running into each other.
    let mut part = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    part(&chunk.heading_path.len().to_string());
    chunk.heading_path.iter().for_each(|heading| part(heading));
    part(&chunk.text);
    hash.update(nth.to_le_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// The ids of a version's passages, in their order.
pub fn passage_ids(document: Uuid, chunks: &[Chunk]) -> Vec<Uuid> {
    let mut seen: std::collections::HashMap<(&[String], &str), u32> = Default::default();
    let id = |chunk| {
        let Chunk { heading_path, text, .. }: &Chunk = chunk;
        let nth = seen.entry((heading_path.as_slice(), text.as_str())).or_default();
        let id = passage_id(document, chunk, *nth);
        *nth += 1;
        id
    };
    chunks.iter().map(id).collect()
}

pub(super) fn lang_from_column(text: &str) -> DocLang {
    match text {
        "de" => DocLang::De,
        "en" => DocLang::En,
        _ => DocLang::Other,
    }
}

pub(super) fn chunk_from_row(row: &Row<'_>) -> sql::Result<Chunk> {
    let headings: String = row.get("heading_path")?;
    Ok(Chunk {
        ordinal: row.get("ordinal")?,
        text: row.get("text")?,
        heading_path: serde_json::from_str(&headings).unwrap_or_default(),
        page: row.get("page")?,
        section: row.get("section")?,
        chars: row.get("from_char")?..row.get("to_char")?,
        n_tokens: row.get("n_tokens")?,
        lang: lang_from_column(&row.get::<_, String>("lang")?),
    })
}

pub(super) fn id_from_blob(bytes: &[u8]) -> Uuid {
    Uuid::from_slice(bytes).unwrap_or_default()
}

pub(super) fn blob_from_vector(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|x| x.to_le_bytes()).collect()
}

pub(super) fn vector_from_blob(bytes: &[u8]) -> Vec<f32> {
    let floats = bytes.chunks_exact(4);
    floats.map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect()
}

impl Documents {
    /// A passage that a citation names.
    ///
    /// # Errors
    /// `document_not_found` for one that is not live, not of this document, or not to be read.
    pub async fn passage(
        &self,
        rights: &Rights,
        document: Uuid,
        passage: Uuid,
    ) -> Result<PassageView, ApiError> {
        let view = self.document(rights, document).await?;
        let found = self.db.call(move |connection| {
            let sql =
                format!("SELECT {CHUNK_COLUMNS} FROM passages WHERE id = ?1 AND document = ?2");
            let values = (passage.as_bytes().as_slice(), document.to_string());
            connection.prepare_cached(&sql)?.query_row(values, chunk_from_row).optional()
        });
        let chunk = found.await?.ok_or_else(not_found)?;
        Ok(PassageView {
            id: passage,
            document: view,
            text: chunk.text,
            heading_path: chunk.heading_path,
            page: chunk.page,
            section: chunk.section,
            chars: [chunk.chars.start, chunk.chars.end],
            lang: chunk.lang,
        })
    }
}

/// For a fault that is this program's.
pub(super) fn internal(cause: impl std::fmt::Display) -> ApiError {
    ApiError::new(ErrorCode::Internal).detail(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(headings: &[&str], text: &str) -> Chunk {
        Chunk {
            ordinal: 0,
            text: text.to_owned(),
            heading_path: headings.iter().map(|&heading| heading.to_owned()).collect(),
            page: None,
            section: None,
            chars: 0..1,
            n_tokens: 1,
            lang: DocLang::En,
        }
    }

    #[test]
    fn a_passage_keeps_its_name_wherever_it_moves() {
        let document = Uuid::from_u128(1);
        let before = [chunk(&["A"], "x"), chunk(&["A"], "y"), chunk(&["A"], "x")];
        let after = [chunk(&["A"], "new"), chunk(&["A"], "x"), chunk(&["A"], "y")];
        let (before, after) = (passage_ids(document, &before), passage_ids(document, &after));
        assert_eq!((before[0], before[1]), (after[1], after[2]));
        assert_ne!(before[0], before[2]);
        // Other headings, another document, the same letters otherwise parted.
        for other in [chunk(&["B"], "x"), chunk(&[], "x"), chunk(&["A", ""], "x"), chunk(&[], "Ax")]
        {
            assert_ne!(passage_id(document, &other, 0), before[0]);
        }
        assert_ne!(passage_id(Uuid::from_u128(2), &chunk(&["A"], "x"), 0), before[0]);
    }

    #[test]
    fn vectors_come_back_as_they_were() {
        let vector = [1.5, -0.25, f32::MIN_POSITIVE];
        assert_eq!(vector_from_blob(&blob_from_vector(&vector)), vector);
    }
}
