//! Which server has the data folder?
//!
//! Who holds the lock on `server.lock`, in which it stands who that is. What an ended one wrote stays there,
//! and means nothing without the lock.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use portico_shared::error::ApiError;

use super::{Holder, PATIENCE, TRY_EVERY};
use crate::files::storage_error;

/// Goes with the process, or when it is dropped.
#[derive(Debug)]
pub struct Lock {
    /// None where nothing can be written: no database can be either.
    file: Option<File>,
}

impl Lock {
    /// # Errors
    /// `server_running`, `storage_failed`.
    pub fn take(data_dir: &Path, holder: &Holder) -> Result<Self, ApiError> {
        let path = path(data_dir);
        let opened = std::fs::create_dir_all(data_dir).and_then(|()| {
            let mut options = File::options();
            options.create(true).read(true).append(true);
            options.open(&path)
        });
        let file = match opened {
            Ok(file) => file,
            Err(error) if is_read_only(&error) => {
                tracing::warn!(path = %path.display(), %error, "the folder cannot be locked");
                return Ok(Self { file: None });
            }
            Err(error) => return Err(storage_error(&path, &error)),
        };
        let began = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if began.elapsed() < PATIENCE => {
                    std::thread::sleep(TRY_EVERY);
                }
                Err(TryLockError::WouldBlock) => return Err(written(&path).refusal(data_dir)),
                Err(TryLockError::Error(error)) => return Err(storage_error(&path, &error)),
            }
        }
        let mut lock = Self { file: Some(file) };
        lock.write(holder);
        Ok(lock)
    }

    /// Who has it, for those who come later.
    pub fn write(&mut self, holder: &Holder) {
        let Some(file) = &mut self.file else { return };
        let text = serde_json::json!(holder).to_string();
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(text.as_bytes()));
        // The lock holds nevertheless.
        if let Err(error) = written {
            tracing::warn!(%error, "who serves the data folder could not be written into it");
        }
    }
}

/// Who serves a data folder now; nothing is made or changed.
///
/// # Errors
/// `storage_failed`
pub fn holder(data_dir: &Path) -> Result<Option<Holder>, ApiError> {
    let path = path(data_dir);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(storage_error(&path, &error)),
    };
    // Shared, and let go at once: a server that starts meanwhile tries again.
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(written(&path))),
        Err(TryLockError::Error(error)) => Err(storage_error(&path, &error)),
    }
}

fn written(path: &Path) -> Holder {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("server.lock")
}
