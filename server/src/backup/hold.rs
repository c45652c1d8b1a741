//! How does a backup keep the files that it has yet to copy?
//!
//! By a lock in the data folder: backups share it from before they copy the database until the last file
//! is copied; whoever removes files that nothing refers to any more needs it alone, and puts it off while
//! it cannot have it. A killed backup's lock goes with its process.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use portico_shared::error::ApiError;

use super::io_error;

const FILE_NAME: &str = "backup.lock";

/// While it lives no file of documents is removed, by any process.
#[derive(Debug)]
pub struct Hold(#[expect(dead_code, reason = "the lock goes when the file is closed")] File);

/// While it lives no backup begins.
#[derive(Debug)]
pub struct Removal(#[expect(dead_code, reason = "the lock goes when the file is closed")] File);

/// Waits for a removal that is under way.
///
/// # Errors
/// `storage_failed`, `disk_full`
pub fn hold(data_dir: &Path) -> Result<Hold, ApiError> {
    let file = open(data_dir)?;
    file.lock_shared().map_err(|error| io_error(&data_dir.join(FILE_NAME), &error))?;
    Ok(Hold(file))
}

/// The right to remove files; none while a backup copies them.
///
/// # Errors
/// `storage_failed`, `disk_full`
pub fn may_remove(data_dir: &Path) -> Result<Option<Removal>, ApiError> {
    let file = open(data_dir)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Removal(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(io_error(&data_dir.join(FILE_NAME), &error)),
    }
}

fn open(data_dir: &Path) -> Result<File, ApiError> {
    let path = data_dir.join(FILE_NAME);
    let opened = fs::create_dir_all(data_dir)
        .and_then(|()| File::options().create(true).append(true).open(&path));
    opened.map_err(|error| io_error(&path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_removed_while_a_backup_copies() {
        let kept = tempfile::tempdir().unwrap();
        let folder = kept.path().join("folder");
        let (one, other) = (hold(&folder).unwrap(), hold(&folder).unwrap());
        assert!(may_remove(&folder).unwrap().is_none());
        drop(one);
        assert!(may_remove(&folder).unwrap().is_none(), "another one copies still");
        drop(other);
        assert!(may_remove(&folder).unwrap().is_some());
    }
}
