//! What are a file's digests? Computed once, kept in a file, made anew when the weights change.

use std::fs::{self, Metadata};
use std::path::Path;
use std::time::UNIX_EPOCH;

use portico_shared::catalogue::Prefixes;
use portico_shared::manifest::{CHUNK_BYTES, Chunk, Manifest};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::models::sha256::{for_each_block, hex};
use crate::models::{ModelsError, Progress, store};

/// Raised when the digest file's meaning changes; another version is computed anew.
const VERSION: u32 = 1;

/// By what a change of a file is noticed without reading it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    pub size_bytes: u64,
    /// Nanoseconds since 1970.
    pub modified_ns: u64,
    /// 0 where the system has none.
    pub inode: u64,
}

impl From<&Metadata> for FileStamp {
    fn from(meta: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(meta);
        #[cfg(not(unix))]
        let inode = 0;
        let modified = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        // 64 bits of nanoseconds reach to the year 2554.
        let modified_ns = modified.map_or(0, |since| since.as_nanos() as u64);
        Self { size_bytes: meta.len(), modified_ns, inode }
    }
}

impl FileStamp {
    pub fn of(path: &Path) -> Result<Self, ModelsError> {
        Ok((&fs::metadata(path).map_err(ModelsError::io(path))?).into())
    }
}

/// `<data>/digests/<model>/<file>.json`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestFile {
    pub version: u32,
    pub stamp: FileStamp,
    pub manifest: Manifest,
}

impl DigestFile {
    /// The stored digests if they are of the file as it is now.
    pub fn read(path: &Path, model: &str, stamp: &FileStamp) -> Option<Self> {
        let stored: Self = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        let is_current = stored.version == VERSION
            && stored.stamp == *stamp
            && stored.manifest.model == model
            && stored.manifest.size_bytes == stamp.size_bytes
            && stored.manifest.check().is_ok();
        is_current.then_some(stored)
    }

    /// Writes it so that readers see the old or the new one.
    pub fn write(&self, path: &Path) -> Result<(), ModelsError> {
        let json = serde_json::to_vec(self)
            .map_err(|error| ModelsError::io(path)(std::io::Error::other(error)))?;
        store::write_whole(path, &json)
    }
}

/// Reads a file once and hashes it, whole and by chunk.
///
/// # Errors
/// `Io`, and `Invalid` for a file that changes while it is read.
pub fn digest_file(
    path: &Path,
    model: &str,
    mut progress: Progress,
) -> Result<DigestFile, ModelsError> {
    let file = fs::File::open(path).map_err(ModelsError::io(path))?;
    let stamp: FileStamp = (&file.metadata().map_err(ModelsError::io(path))?).into();
    progress.set_total(stamp.size_bytes);

    let mut whole = Sha256::new();
    let mut chunks = Vec::new();
    let (mut chunk, mut chunk_bytes, mut size_bytes) = (Sha256::new(), 0, 0);
    for_each_block(&file, |mut block| {
        whole.update(block);
        size_bytes += block.len() as u64;
        progress.add(block.len() as u64);
        while !block.is_empty() {
            let room = (CHUNK_BYTES - chunk_bytes) as usize;
            let (now, rest) = block.split_at(block.len().min(room));
            chunk.update(now);
            chunk_bytes += now.len() as u64;
            block = rest;
            if chunk_bytes == CHUNK_BYTES {
                let sha256 = hex(std::mem::take(&mut chunk));
                chunks.push(Chunk { sha256, size_bytes: std::mem::take(&mut chunk_bytes) });
            }
        }
        Ok(())
    })
    .map_err(ModelsError::io(path))?;
    if chunk_bytes > 0 {
        chunks.push(Chunk { sha256: hex(chunk), size_bytes: chunk_bytes });
    }

    if size_bytes != stamp.size_bytes || FileStamp::of(path)? != stamp {
        return Err(ModelsError::Invalid {
            file: path.display().to_string(),
            reason: "it changed while it was read".to_owned(),
        });
    }
    let manifest = Manifest {
        model: model.to_owned(),
        sha256: hex(whole),
        size_bytes,
        chunk_bytes: CHUNK_BYTES,
        chunks,
        // The catalogue's, filled in when it is asked for.
        prefixes: Prefixes::default(),
    };
    Ok(DigestFile { version: VERSION, stamp, manifest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::sha256::of_bytes;

    #[test]
    fn manifest_is_of_the_bytes() {
        let kept = tempfile::tempdir().unwrap();
        let dir = kept.path().join("dir");
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join("weights");
        let last = 4321;
        let bytes: Vec<u8> =
            (0..2 * CHUNK_BYTES + last).map(|i| ((i * 2_654_435_761) >> 13) as u8).collect();
        fs::write(&path, &bytes).unwrap();

        let digests = digest_file(&path, "m", Progress::silent()).unwrap();
        let manifest = &digests.manifest;
        manifest.check().unwrap();
        assert_eq!(manifest.sha256, of_bytes(&bytes));
        let of_chunks: Vec<_> = bytes.chunks(CHUNK_BYTES as usize).map(of_bytes).collect();
        let named: Vec<_> = manifest.chunks.iter().map(|chunk| chunk.sha256.clone()).collect();
        assert_eq!(named, of_chunks);
        assert_eq!(manifest.chunks[2].size_bytes, last);

        let stored = dir.join("digest.json");
        fs::write(&stored, serde_json::to_vec(&digests).unwrap()).unwrap();
        assert_eq!(DigestFile::read(&stored, "m", &digests.stamp), Some(digests.clone()));
        let changed = FileStamp { modified_ns: digests.stamp.modified_ns + 1, ..digests.stamp };
        assert_eq!(DigestFile::read(&stored, "m", &changed), None, "a changed file is read anew");
    }
}
