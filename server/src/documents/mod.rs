//! What does the house know? Documents in collections, taken in by a durable queue and found again.
//!
//! A file comes in whole (`files`), becomes a document with a job (`intake`), and goes through the
//! queue's stages (`work`): its text is extracted by a child process, cut into passages, embedded, put
//! into both indexes. Every stage ends in a transaction; a passage counts only once the last one has
//! made it live, together with all others of its version. Any number of processes may add files and
//! read states; one at a time owns the indexes and does the work (`owner`).

mod api;
mod collections;
mod embedders;

use std::path::Path;
use std::sync::Arc;

use crate::config::DocumentsConfig;
use crate::db::{self, Db};
use crate::inference::Inference;
use crate::models::Library;
use crate::upstream::Fleet;

pub use api::router;
pub use collections::{
    Collection, CollectionChange, Groups, NewCollection, id_from_title, is_collection_id,
};
pub use embedders::Embedders;

/// For an embedder's id: there is none.
pub const NO_EMBEDDER: &str = "none";

/// The documents of one data folder.
pub struct Documents {
    db: Db,
    config: DocumentsConfig,
    embedders: Embedders,
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Documents {
    /// Nothing is opened before it is needed.
    pub fn new(
        data_dir: &Path,
        config: DocumentsConfig,
        library: Arc<Library>,
        inference: Arc<Inference>,
        fleet: Arc<Fleet>,
    ) -> Arc<Self> {
        let embedders = Embedders::new(library, inference, fleet, config.embedder.clone());
        Arc::new(Self { db: Db::durable(data_dir.join(db::FILE_NAME)), config, embedders })
    }
}
