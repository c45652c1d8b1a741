//! Files in the origin's private file system, through the worker's synchronous handles.
//!
//! One folder, `weights`, holds for each weights file of SHA-256 `S`: `S.gguf` (the data, chunks at
//! their offsets), `S.journal` ([`portico_weights::journal`]), `S.manifest` (JSON, written once) and
//! `S.used` (when it was last used).

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemReadWriteOptions, FileSystemSyncAccessHandle,
};

use crate::js::error::JsError;
use crate::js::scope::{sleep_ms, storage_manager};

const FOLDER: &str = "weights";
/// How long a file may still be held by a worker that has just died, milliseconds.
const HELD_MS: f64 = 5_000.0;
const HELD_STEP_MS: f64 = 50.0;

/// The folder of weights.
#[derive(Clone)]
pub struct Folder {
    handle: FileSystemDirectoryHandle,
}

impl Folder {
    /// Opens or makes the folder, and writes and removes a probe: a browser may offer a file system
    /// that refuses the first byte.
    pub async fn open() -> Result<Self, JsError> {
        let storage = storage_manager().ok_or_else(|| JsError {
            name: "SecurityError".to_owned(),
            message: "no storage outside a secure context".to_owned(),
        })?;
        let root: FileSystemDirectoryHandle =
            JsFuture::from(storage.get_directory()).await?.unchecked_into();
        let create = FileSystemGetDirectoryOptions::new();
        create.set_create(true);
        let handle = root.get_directory_handle_with_options(FOLDER, &create);
        let folder = Self { handle: JsFuture::from(handle).await?.unchecked_into() };
        let probe = folder.open_file("probe").await?;
        probe.write(0, &Uint8Array::new_with_length(1))?;
        probe.flush()?;
        drop(probe);
        folder.remove("probe").await?;
        Ok(folder)
    }

    /// Names of the files in the folder.
    pub async fn names(&self) -> Result<Vec<String>, JsError> {
        let keys = self.handle.keys();
        let mut names = Vec::new();
        loop {
            let next: js_sys::IteratorNext =
                JsFuture::from(keys.next().map_err(JsError::from)?).await?.unchecked_into();
            if next.done() {
                return Ok(names);
            }
            names.extend(next.value().as_string());
        }
    }

    /// Opens or makes a file, for this worker alone. A file that a dying worker still holds is
    /// waited for.
    pub async fn open_file(&self, name: &str) -> Result<SyncFile, JsError> {
        let create = FileSystemGetFileOptions::new();
        create.set_create(true);
        let file: FileSystemFileHandle =
            JsFuture::from(self.handle.get_file_handle_with_options(name, &create))
                .await?
                .unchecked_into();
        let mut waited_ms = 0.0;
        loop {
            match JsFuture::from(file.create_sync_access_handle()).await.map_err(JsError::from) {
                Ok(handle) => return Ok(SyncFile { handle: handle.unchecked_into() }),
                Err(error) if error.is_locked() && waited_ms < HELD_MS => {
                    sleep_ms(HELD_STEP_MS).await;
                    waited_ms += HELD_STEP_MS;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Removes a file; one that is not there is removed.
    pub async fn remove(&self, name: &str) -> Result<(), JsError> {
        match JsFuture::from(self.handle.remove_entry(name)).await.map_err(JsError::from) {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// A small file's whole content; empty where there is none.
    pub async fn read_small(&self, name: &str) -> Result<Vec<u8>, JsError> {
        let handle = JsFuture::from(self.handle.get_file_handle(name)).await;
        let file: FileSystemFileHandle = match handle.map_err(JsError::from) {
            Ok(file) => file.unchecked_into(),
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let blob: web_sys::File = JsFuture::from(file.get_file()).await?.unchecked_into();
        let bytes = JsFuture::from(blob.array_buffer()).await?;
        Ok(Uint8Array::new(&bytes).to_vec())
    }

    /// Replaces a small file.
    pub async fn write_small(&self, name: &str, bytes: &[u8]) -> Result<(), JsError> {
        let file = self.open_file(name).await?;
        file.truncate(0)?;
        file.write(0, &Uint8Array::from(bytes))?;
        file.flush()
    }
}

/// An open file; closed when dropped.
pub struct SyncFile {
    handle: FileSystemSyncAccessHandle,
}

impl SyncFile {
    pub fn size_bytes(&self) -> Result<u64, JsError> {
        Ok(self.handle.get_size()? as u64)
    }

    /// Fills `buffer` from `offset_bytes` on; gives how many bytes there were.
    pub fn read(&self, offset_bytes: u64, buffer: &Uint8Array) -> Result<u32, JsError> {
        let read = self.handle.read_with_buffer_source_and_options(buffer, &at(offset_bytes))?;
        Ok(read as u32)
    }

    /// Writes all of `bytes` at `offset_bytes`.
    pub fn write(&self, offset_bytes: u64, bytes: &Uint8Array) -> Result<(), JsError> {
        let written = self.handle.write_with_buffer_source_and_options(bytes, &at(offset_bytes))?;
        if written as u32 == bytes.length() {
            return Ok(());
        }
        // Some browsers write what fits and say so only by the number.
        Err(JsError {
            name: "QuotaExceededError".to_owned(),
            message: format!("{written} of {} bytes were written", bytes.length()),
        })
    }

    pub fn truncate(&self, size_bytes: u64) -> Result<(), JsError> {
        Ok(self.handle.truncate_with_f64(size_bytes as f64)?)
    }

    pub fn flush(&self) -> Result<(), JsError> {
        Ok(self.handle.flush()?)
    }
}

impl Drop for SyncFile {
    fn drop(&mut self) {
        self.handle.close();
    }
}

fn at(offset_bytes: u64) -> FileSystemReadWriteOptions {
    let options = FileSystemReadWriteOptions::new();
    options.set_at(offset_bytes as f64);
    options
}
