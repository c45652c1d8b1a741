//! Files by digest that several checkouts of a machine share: `<cache>/sha256/<digest>`.

use std::path::{Path, PathBuf};

use crate::models::sha256::of_file;
use crate::models::{ModelsError, Progress, store};

/// A folder of files named by their SHA-256.
#[derive(Clone, Debug)]
pub struct Cache {
    dir: PathBuf,
}

impl Cache {
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.join("sha256") }
    }

    /// Puts the file of this digest at `target`; false when the cache lacks it. Its bytes are read
    /// first: another checkout may have damaged what both share.
    pub fn take(&self, sha256: &str, target: &Path) -> Result<bool, ModelsError> {
        let kept = self.dir.join(sha256);
        if !kept.is_file() {
            return Ok(false);
        }
        let (actual, _) = of_file(&kept, &mut Progress::silent())?;
        if actual != sha256 {
            tracing::warn!(path = %kept.display(), "damaged in the cache: fetched anew");
            std::fs::remove_file(&kept).map_err(ModelsError::io(&kept))?;
            return Ok(false);
        }
        store::link_or_copy(&kept, target).map(|()| true)
    }

    /// Keeps a file for the next checkout. It is a convenience: when it fails, that is only logged.
    pub fn put(&self, sha256: &str, file: &Path) {
        let kept = self.dir.join(sha256);
        if kept.is_file() {
            return;
        }
        let put = store::create_dir(&self.dir).and_then(|()| store::link_or_copy(file, &kept));
        if let Err(error) = put {
            tracing::warn!(%error, "not kept in the cache");
        }
    }
}
