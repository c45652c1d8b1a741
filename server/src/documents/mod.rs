//! What does the house know? Documents in collections, taken in by a durable queue and found again.
//!
//! A file comes in whole (`files`), becomes a document with a job (`intake`), and goes through the
//! queue's stages (`work`): its text is extracted by a child process, cut into passages, embedded, put
//! into both indexes. Every stage ends in a transaction; a passage counts only once the last one has
//! made it live, together with all others of its version. Any number of processes may add files and
//! read states; one at a time owns the indexes and does the work (`owner`).

mod api;
mod collections;
mod crawl;
mod embedders;
mod extractor;
mod indexed;
mod intake;
mod listing;
mod media_type;
mod moving;
mod owner;
mod pace;
mod passages;
mod queue;
mod rerank;
mod search;
mod step;
mod sync;
mod work;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use portico_search::vectors::{EmbedderId, StoreConfig};
use portico_search::{SearchConfig, SearchIndex};
use portico_shared::error::{ApiError, ErrorCode};
use tokio::sync::watch;

use crate::config::{DocumentsConfig, SearchConfig as SearchingConfig, VectorsConfig};
use crate::db::sql::OptionalExtension as _;
use crate::db::{Db, Home};
use crate::inference::Inference;
use crate::metrics::Metrics;
use crate::models::Library;
use crate::stock::Defaults;
use crate::upstream::Fleet;
use owner::Ownership;
use pace::Pace;
use rerank::Reranker;
use step::step;
use work::{Until, Work};

pub use crate::files::{FileStore, Received};
pub use api::router;
pub use collections::{
    Collection, CollectionChange, Groups, NewCollection, id_from_title, is_collection_id,
};
pub(crate) use crawl::is_public;
pub use embedders::Embedders;
pub use indexed::IndexedDocument;
pub use intake::{Arrival, Taken};
pub use listing::{DocumentList, DocumentText, DocumentView};
pub use moving::{MovePhase, MoveRequest, MoveState};
pub use passages::PassageView;
pub use queue::{Job, JobDocument, Jobs, State, Total};
pub use search::DocumentParts;
pub use sync::SyncReport;

/// For an embedder's id: there is none.
pub const NO_EMBEDDER: &str = "none";

/// How often a process that does not own the documents asks for them.
const ASK_AGAIN: Duration = Duration::from_millis(250);
/// After a fault of the index.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// The documents of one data folder.
pub struct Documents {
    data_dir: PathBuf,
    config: DocumentsConfig,
    /// For requests.
    db: Db,
    /// For the queue's work, so that the two do not wait for each other.
    work_db: Db,
    files: FileStore,
    embedders: Embedders,
    reranker: Reranker,
    metrics: Arc<Metrics>,
    pace: Pace,
    /// None while another process has them.
    index: RwLock<Option<Arc<SearchIndex>>>,
    /// Moves on when the queue may have changed.
    wake: watch::Sender<u64>,
    /// Those who are still adding files.
    n_feeding: AtomicUsize,
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").field("config", &self.config).finish_non_exhaustive()
    }
}

/// What the documents need of the server around them.
pub struct Around {
    pub library: Arc<Library>,
    /// Where the database lies.
    pub home: Home,
    pub inference: Arc<Inference>,
    pub fleet: Arc<Fleet>,
    pub metrics: Arc<Metrics>,
    pub search: SearchingConfig,
    pub files: FileStore,
}

impl Documents {
    /// Nothing is opened before it is needed.
    pub fn new(config: DocumentsConfig, around: Around) -> Arc<Self> {
        let Around { library, home, inference, fleet, metrics, search, files } = around;
        let data_dir = library.layout.data_dir().to_owned();
        let reranker = Reranker::new(search, Arc::clone(&fleet), Arc::clone(&metrics));
        let defaults = Defaults::new(Db::new(home.clone()));
        let embedders =
            Embedders::new(library, inference, fleet, config.embedder.clone(), defaults);
        let db = || Db::durable(home.clone());
        Arc::new(Self {
            db: db(),
            work_db: db(),
            files,
            embedders,
            reranker,
            metrics,
            pace: Pace::default(),
            index: RwLock::default(),
            wake: watch::Sender::new(0),
            n_feeding: AtomicUsize::new(0),
            config,
            data_dir,
        })
    }

    /// A server's: takes over the documents from whoever has them, and works until the process ends.
    pub fn start(self: &Arc<Self>) {
        let documents = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                let wait = match documents.own(Until::Ever).await {
                    Ok(true) => Duration::ZERO,
                    Ok(false) => {
                        owner::want(&documents.data_dir);
                        ASK_AGAIN
                    }
                    Err(error) => {
                        tracing::error!(%error, "the documents cannot be used");
                        TRY_AGAIN
                    }
                };
                tokio::time::sleep(wait).await;
            }
        });
    }

    /// The command line's: works as long as nobody else does, until told to stop by being dropped.
    ///
    /// # Errors
    /// When the index or the database cannot be used.
    pub async fn work_beside_others(self: &Arc<Self>) -> Result<(), ApiError> {
        loop {
            let has_work = self.has_work().await? || self.is_fed() || self.has_move().await?;
            if has_work && self.own(Until::Idle).await? {
                continue;
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }

    /// Until this process has given the documents back; at once where it does not have them.
    pub async fn given_back(&self) {
        while self.index().is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Works as the owner; false when another process is.
    async fn own(self: &Arc<Self>, until: Until) -> Result<bool, ApiError> {
        let Some(ownership) = Ownership::take(&self.data_dir)? else { return Ok(false) };
        let index = Arc::new(SearchIndex::open(self.search_config().await?).await?);
        let work = Work::new(Arc::clone(self), Arc::clone(&index))?;
        self.set_index(Some(index));
        let done = work.run(until, &ownership).await;
        self.set_index(None);
        drop(work);
        drop(ownership);
        done.map(|()| true)
    }

    /// With vectors as soon as there are any: their length is not known before.
    async fn search_config(&self) -> Result<SearchConfig, ApiError> {
        let config = SearchConfig::new(self.data_dir.join("search"));
        let embedder = self.embedder_in_use().await?;
        let store = match self.has_move().await? && SearchIndex::lay_in_folder(&config.folder) {
            // They answer until the move is done, though the configuration may say already where to.
            true => VectorsConfig { qdrant_url: None, ..self.config.vectors.clone() }
                .store(&self.data_dir),
            false => self.store_config(),
        };
        let vectors = embedder.map(|embedder| (embedder, store));
        Ok(SearchConfig { vectors, ..config })
    }

    /// What made the vectors that the database has; none before the first of them.
    async fn embedder_in_use(&self) -> Result<Option<EmbedderId>, ApiError> {
        let known = self.db.call(|connection| {
            let sql = "SELECT c.embedder, length(p.vector) / 4 FROM passages p
                JOIN documents d ON d.id = p.document JOIN collections c ON c.id = d.collection
                WHERE p.vector IS NOT NULL AND c.embedder IS NOT NULL LIMIT 1";
            connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        });
        let known: Option<(String, i64)> = known.await?;
        Ok(known.map(|(name, n_dims)| EmbedderId { name, n_dims: n_dims as usize }))
    }

    /// Where vectors lie.
    fn store_config(&self) -> StoreConfig {
        self.config.vectors.store(&self.data_dir)
    }

    fn set_index(&self, index: Option<Arc<SearchIndex>>) {
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = index;
    }

    /// # Errors
    /// `documents_elsewhere`
    fn index(&self) -> Result<Arc<SearchIndex>, ApiError> {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner).clone();
        index.ok_or_else(|| ApiError::new(ErrorCode::DocumentsElsewhere).with("retry_after_s", 1))
    }

    /// Whether anything waits to be done.
    pub async fn has_work(&self) -> Result<bool, ApiError> {
        Ok(!self.db.call(|connection| queue::is_idle(connection)).await?)
    }

    /// Tells the stages that the queue may have changed.
    fn wake(&self) {
        self.wake.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// Until it is dropped, more files are to come.
    pub fn feed(self: &Arc<Self>) -> Feeding {
        self.n_feeding.fetch_add(1, Ordering::AcqRel);
        Feeding(Arc::clone(self))
    }

    fn is_fed(&self) -> bool {
        self.n_feeding.load(Ordering::Acquire) > 0
    }

    fn max_extracting(&self) -> usize {
        let usual = || std::thread::available_parallelism().map_or(1, usize::from).min(4);
        self.config.max_extracting.unwrap_or_else(usual).max(1)
    }

    /// # Errors
    /// `files_unreachable`
    pub async fn check_files(&self) -> Result<(), ApiError> {
        self.files.check().await
    }

    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }
}

/// Keeps the owner at work though the queue may be empty for a moment.
#[derive(Debug)]
pub struct Feeding(Arc<Documents>);

impl Drop for Feeding {
    fn drop(&mut self) {
        self.0.n_feeding.fetch_sub(1, Ordering::AcqRel);
        self.0.wake();
    }
}
