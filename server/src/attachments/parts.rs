//! Where do the chunks of a file lie until all are there?
//!
//! `files/uploads/<upload>/<offset>`, each renamed to its name once it is on the disk: one that is there is
//! whole, also after the server was killed.

use std::io;
use std::path::PathBuf;

use portico_shared::error::ApiError;
use tokio::fs;
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

use super::table::Upload;
use super::{CHUNK_BYTES, media_type};
use crate::files::{FileStore, Received, storage_error};
use crate::temporary;

#[derive(Debug)]
pub struct Parts {
    dir: PathBuf,
}

impl Parts {
    pub fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    fn folder(&self, upload: Uuid) -> PathBuf {
        self.dir.join(upload.to_string())
    }

    /// Where the chunks begin that are not there yet.
    ///
    /// # Errors
    /// `storage_failed`
    pub async fn missing(&self, upload: Uuid, size_bytes: u64) -> Result<Vec<u64>, ApiError> {
        let folder = self.folder(upload);
        let mut missing = Vec::new();
        for offset in (0..size_bytes).step_by(CHUNK_BYTES as usize) {
            let path = folder.join(offset.to_string());
            match fs::metadata(&path).await {
                Ok(meta) if meta.len() == (size_bytes - offset).min(CHUNK_BYTES) => {}
                Ok(_) => missing.push(offset),
                Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push(offset),
                Err(error) => return Err(storage_error(&path, &error)),
            }
        }
        Ok(missing)
    }

    /// # Errors
    /// `disk_full`, `storage_failed`.
    pub async fn put(&self, upload: Uuid, offset: u64, bytes: &[u8]) -> Result<(), ApiError> {
        let folder = self.folder(upload);
        let path = folder.join(offset.to_string());
        let temporary = temporary::beside(&path);
        let written = async {
            fs::create_dir_all(&folder).await?;
            let mut file = fs::File::create_new(&temporary).await?;
            file.write_all(bytes).await?;
            file.sync_all().await?;
            fs::rename(&temporary, &path).await
        };
        let written = written.await;
        if written.is_err() {
            // What is left of it goes with the upload's folder.
            let _ = fs::remove_file(&temporary).await;
        }
        written.map_err(|error| storage_error(&path, &error))
    }

    /// One file of all chunks, and of what kind it is.
    ///
    /// # Errors
    /// `disk_full`, `storage_failed`, also for a chunk that is not there.
    pub async fn join(
        &self,
        upload: Upload,
        files: &FileStore,
    ) -> Result<(Received, &'static str), ApiError> {
        let folder = self.folder(upload.id);
        let mut incoming = files.begin().await?;
        let mut kind = media_type::of(&[]);
        for offset in (0..upload.size_bytes).step_by(CHUNK_BYTES as usize) {
            let path = folder.join(offset.to_string());
            let chunk = fs::read(&path).await.map_err(|error| storage_error(&path, &error))?;
            if offset == 0 {
                kind = media_type::of(&chunk[..chunk.len().min(media_type::LOOKED_AT)]);
            }
            incoming.write(&chunk).await?;
        }
        Ok((incoming.finish().await?, kind))
    }

    /// What cannot be removed now is when the house is tidied.
    pub async fn remove(&self, upload: Uuid) {
        let _ = fs::remove_dir_all(self.folder(upload)).await;
    }

    /// Of which uploads there is a folder.
    pub async fn uploads(&self) -> Vec<Uuid> {
        let mut found = Vec::new();
        let Ok(mut entries) = fs::read_dir(&self.dir).await else { return found };
        while let Ok(Some(entry)) = entries.next_entry().await {
            found.extend(entry.file_name().to_str().and_then(|name| name.parse::<Uuid>().ok()));
        }
        found
    }
}
