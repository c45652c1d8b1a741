//! What does a model's weights file consist of, chunk by chunk?
//!
//! The server writes it, the browser's weight store reads it; both verify against it.

use serde::{Deserialize, Serialize};

use crate::catalogue::Prefixes;

/// Bytes of every chunk but the last.
pub const CHUNK_BYTES: u64 = 4 * 1024 * 1024;

/// One chunk of a weights file, named by its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// SHA-256 of the chunk's bytes, 64 lower-case hex digits.
    pub sha256: String,
    /// [`CHUNK_BYTES`], or less for the last chunk.
    pub size_bytes: u64,
}

/// Answer of `GET /weights/<model>/manifest`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The catalogue's id of the model.
    pub model: String,
    /// SHA-256 of the whole file, hex.
    pub sha256: String,
    pub size_bytes: u64,
    /// [`CHUNK_BYTES`]; a reader refuses a manifest of another size.
    pub chunk_bytes: u64,
    /// In file order; a chunk is fetched from `/weights/chunks/<sha256>`.
    pub chunks: Vec<Chunk>,
    /// Of an embedder, as the catalogue has them.
    #[serde(default, skip_serializing_if = "Prefixes::is_empty")]
    pub prefixes: Prefixes,
}

/// Why a manifest is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    #[error("chunks of {0} bytes: this build reads {CHUNK_BYTES}")]
    ChunkBytes(u64),
    #[error("the chunks do not add up to the file's {size_bytes} bytes")]
    Sizes { size_bytes: u64 },
    #[error("`{0}` is not a SHA-256 in lower-case hex")]
    Digest(String),
}

impl Manifest {
    /// Checks that sizes add up and that every digest is one.
    pub fn check(&self) -> Result<(), ManifestError> {
        if self.chunk_bytes != CHUNK_BYTES {
            return Err(ManifestError::ChunkBytes(self.chunk_bytes));
        }
        let sizes = ManifestError::Sizes { size_bytes: self.size_bytes };
        if self.chunks.len() as u64 != self.size_bytes.div_ceil(CHUNK_BYTES) {
            return Err(sizes);
        }
        let mut left_bytes = self.size_bytes;
        for chunk in &self.chunks {
            if chunk.size_bytes != left_bytes.min(CHUNK_BYTES) {
                return Err(sizes);
            }
            left_bytes -= chunk.size_bytes;
        }
        let digests = self.chunks.iter().map(|chunk| &chunk.sha256).chain([&self.sha256]);
        match digests.into_iter().find(|digest| !is_sha256_hex(digest)) {
            Some(digest) => Err(ManifestError::Digest(digest.clone())),
            None => Ok(()),
        }
    }
}

/// Whether `text` is 64 lower-case hex digits: safe to use as a file name and in a path.
pub fn is_sha256_hex(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(sizes: &[u64]) -> Manifest {
        Manifest {
            model: "m".into(),
            sha256: "0".repeat(64),
            size_bytes: sizes.iter().sum(),
            chunk_bytes: CHUNK_BYTES,
            chunks: sizes
                .iter()
                .map(|&size_bytes| Chunk { sha256: "ab".repeat(32), size_bytes })
                .collect(),
            prefixes: Prefixes::default(),
        }
    }

    #[test]
    fn accepts_full_chunks_and_a_short_last_one() {
        assert_eq!(manifest(&[CHUNK_BYTES, CHUNK_BYTES, 7]).check(), Ok(()));
        assert_eq!(manifest(&[]).check(), Ok(()));
    }

    #[test]
    fn refuses_what_does_not_add_up() {
        assert!(manifest(&[7, CHUNK_BYTES]).check().is_err());
        let mut short = manifest(&[CHUNK_BYTES, 7]);
        short.chunks.pop();
        assert!(short.check().is_err());
        let mut path = manifest(&[7]);
        path.chunks[0].sha256 = format!("../{}", "a".repeat(61));
        assert!(matches!(path.check(), Err(ManifestError::Digest(_))));
    }
}
