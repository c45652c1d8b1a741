//! How does all that the house has become one file, and come out of it again?
//!
//! A backup is a tar archive under zstd: `about.json` first (what it is, for which schema), then what the
//! data folder has (`data/…`), then `manifest.json` with the size and SHA-256 of everything before it.
//! zstd's own checksum lies over all of it, so that a changed byte is noticed wherever it makes another archive of it.
//!
//! The database comes first, as SQLite copies it in one read transaction beside its writers
//! (`snapshot`); the documents' files afterwards. They are named by their content and never change, and
//! until all are copied none is removed (`hold`): so whatever the copied database refers to is there.
//! What can be made anew is left out: the indexes, converted embedders, the digests of models.

mod about;
mod contents;
pub mod hold;
mod last;
mod member;
mod read;
mod restore;
mod snapshot;
mod sparse;
mod stop;
mod write;

use std::io;
use std::path::Path;

use portico_shared::error::{ApiError, ErrorCode};

pub use about::{About, Elsewhere, ModelFile, StoredFile};
pub use contents::{referred, stored_name};
pub use last::{LastBackup, last_backup};
pub use read::check;
pub use restore::{Restored, restore};
pub use snapshot::{faults as database_faults, open as open_database, schema};
pub use stop::Stop;
pub use write::{Made, Request, back_up, default_name};

/// A full disk by its name.
pub(crate) fn io_error(path: &Path, error: &io::Error) -> ApiError {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    match error.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => {
            let folder = path.parent().unwrap_or(path);
            ApiError::new(ErrorCode::DiskFull).with("path", folder.display()).detail(error)
        }
        _ => ApiError::new(ErrorCode::StorageFailed).with("path", path.display()).detail(error),
    }
}
