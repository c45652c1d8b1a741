//! Which process owns the indexes and does the work?
//!
//! One at a time: who holds the lock on `documents.lock`. A server that starts while the command line
//! ingests writes `documents.wanted` beside it; who sees that gives the lock up, and then only adds to
//! the queue and watches.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use portico_shared::error::ApiError;

use crate::files::storage_error;

/// The right to the indexes, while it is held.
#[derive(Debug)]
pub struct Ownership {
    #[expect(dead_code, reason = "the lock goes when the file is closed")]
    lock: File,
    wanted: PathBuf,
}

impl Ownership {
    /// None while another process has it.
    ///
    /// # Errors
    /// `storage_failed`
    pub fn take(data_dir: &Path) -> Result<Option<Self>, ApiError> {
        let path = data_dir.join("documents.lock");
        let opened = fs::create_dir_all(data_dir)
            .and_then(|()| File::options().create(true).append(true).open(&path));
        let lock = opened.map_err(|error| storage_error(&path, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { lock, wanted: wanted_path(data_dir) })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(storage_error(&path, &error)),
        }
    }

    /// Whether another process asks for it.
    pub fn is_wanted(&self) -> bool {
        self.wanted.exists()
    }

    /// Tells that nobody need ask any more.
    pub fn settle(&self) {
        let _ = fs::remove_file(&self.wanted);
    }
}

/// Asks whoever owns the documents to give them up.
pub fn want(data_dir: &Path) {
    let path = wanted_path(data_dir);
    if let Err(error) = fs::write(&path, std::process::id().to_string()) {
        tracing::warn!(path = %path.display(), %error, "not written");
    }
}

fn wanted_path(data_dir: &Path) -> PathBuf {
    data_dir.join("documents.wanted")
}
