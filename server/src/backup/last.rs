//! When was the house last backed up?

use std::path::Path;

use portico_shared::error::ApiError;
use serde::{Deserialize, Serialize};

use crate::models::store::write_whole;

const FILE_NAME: &str = "last_backup.json";

/// What is remembered in the data folder; it is in no backup itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastBackup {
    /// Seconds since 1970.
    pub made_s: u64,
    pub file: String,
    pub size_bytes: u64,
    pub schema: u32,
}

/// None before the first one, or where what was remembered cannot be read.
pub fn last_backup(data_dir: &Path) -> Option<LastBackup> {
    let json = std::fs::read(data_dir.join(FILE_NAME)).ok()?;
    serde_json::from_slice(&json).ok()
}

/// # Errors
/// `storage_failed`, `disk_full`
pub fn remember(data_dir: &Path, last: &LastBackup) -> Result<(), ApiError> {
    // Numbers and texts: JSON can always hold them.
    let json = serde_json::to_vec_pretty(last).unwrap_or_default();
    write_whole(&data_dir.join(FILE_NAME), &json).map_err(|error| ApiError::from(&error))
}
