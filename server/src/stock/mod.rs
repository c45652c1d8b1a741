//! Which models does the house keep, and how does an administrator get, check, choose and remove them?
//!
//! The page's side of `portico models`: the same work, as one job at a time (`job`) that goes on where it
//! stopped when the server is started again. Beside it stands what a person has to know before a model is
//! fetched: its terms and who accepted them (`licences`), whether this machine can run it (`machine`, `fit`),
//! whom the rules let use it and what would miss it (`list`).

mod api;
mod defaults;
mod fit;
mod job;
mod licences;
mod list;
mod machine;
mod pull;
mod remove;
mod upload;

use std::sync::{Arc, Mutex};

use portico_shared::error::{ApiError, ErrorCode};

use crate::db::Db;
use crate::inference::Inference;
use crate::models::Library;
use crate::people::People;

pub use api::router;
pub use defaults::{Chosen, Defaults};
pub use job::{Job, State, Task};

/// The models of the house, as administrators see to them.
pub struct Stock {
    library: Arc<Library>,
    inference: Arc<Inference>,
    people: Arc<People>,
    db: Db,
    defaults: Defaults,
    /// What is worked on, or was last.
    work: Mutex<Option<job::Work>>,
}

impl std::fmt::Debug for Stock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stock").finish_non_exhaustive()
    }
}

impl Stock {
    pub fn new(
        library: Arc<Library>,
        inference: Arc<Inference>,
        people: Arc<People>,
        db: Db,
        defaults: Defaults,
    ) -> Arc<Self> {
        let last = job::remembered(&library.layout).map(job::Work::of_earlier);
        Arc::new(Self { library, inference, people, db, defaults, work: Mutex::new(last) })
    }

    /// Whether the disk takes so many bytes more, with some room for what else is written.
    ///
    /// # Errors
    /// `disk_too_small`
    fn has_room(&self, needed_bytes: u64) -> Result<(), ApiError> {
        let needed_bytes = needed_bytes.saturating_add(ROOM_BYTES);
        match machine::disk_free_bytes(self.library.layout.models_dir()) {
            Some(free_bytes) if free_bytes < needed_bytes => {
                Err(ApiError::new(ErrorCode::DiskTooSmall)
                    .with("needed_mb", needed_bytes / 1_000_000)
                    .with("free_mb", free_bytes / 1_000_000))
            }
            // Where the disk does not say, writing will.
            _ => Ok(()),
        }
    }
}

/// For the database and the documents, which go on meanwhile.
const ROOM_BYTES: u64 = 64 << 20;
