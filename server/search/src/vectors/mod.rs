//! Which passages mean what the question means?
//!
//! One seam, two stores: Qdrant's engine in this process ([`EdgeStore`]) and a Qdrant server
//! ([`QdrantStore`]). A store holds the vectors of one embedder, of all collections; what a passage is
//! filtered by lies beside its vector, and every filter is an exact match inside the query.

#[cfg(feature = "edge")]
mod edge;
mod labels;
mod qdrant;

use std::sync::Arc;

use async_trait::async_trait;
use portico_shared::documents::DocLang;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[cfg(feature = "edge")]
pub use self::edge::{EdgeConfig, EdgeStore};
pub use self::qdrant::{API_KEY_VARIABLE, QdrantConfig, QdrantStore, reach};
use crate::{Filter, Passage, SearchError};

/// What makes vectors: those of two embedders are never compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbedderId {
    /// The model's name.
    pub name: String,
    pub n_dims: usize,
}

impl EmbedderId {
    /// The name of its place in a store: letters, digits and `-`, and the dimensions.
    pub fn place(&self) -> String {
        let name: String = self
            .name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        format!("portico-{name}-{}", self.n_dims)
    }
}

/// [`StoreConfig::name`] of the store in this process.
pub(crate) const IN_PROCESS: &str = "edge";

/// Where vectors lie.
#[derive(Clone, Debug)]
pub enum StoreConfig {
    #[cfg(feature = "edge")]
    Edge(EdgeConfig),
    Qdrant(QdrantConfig),
}

impl StoreConfig {
    /// Which store it is, without what may change of it.
    pub fn name(&self) -> String {
        match self {
            #[cfg(feature = "edge")]
            Self::Edge(_) => IN_PROCESS.to_owned(),
            Self::Qdrant(config) => config.url.clone(),
        }
    }
}

/// A passage's vector with what it is filtered by.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The passage's.
    pub id: Uuid,
    /// Of the embedder's dimensions, of length one.
    pub vector: Vec<f32>,
    pub labels: Labels,
}

/// What a passage is filtered by.
#[derive(Clone, Debug, PartialEq)]
pub struct Labels {
    pub collection: String,
    pub document: Uuid,
    pub media_type: String,
    pub lang: DocLang,
    /// Seconds since 1970.
    pub date_s: i64,
}

impl From<&Passage> for Labels {
    fn from(passage: &Passage) -> Self {
        Self {
            collection: passage.collection.clone(),
            document: passage.document,
            media_type: passage.media_type.clone(),
            lang: passage.lang,
            date_s: passage.date_s,
        }
    }
}

/// A passage near the question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Near {
    pub id: Uuid,
    /// −1 to 1.
    pub cosine: f32,
}

/// A page of all points, in the order of their ids.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub points: Vec<Point>,
    /// Where the next page begins; none at the end.
    pub next: Option<Uuid>,
}

/// How a store stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreInfo {
    pub n_points: u64,
    /// Of those, in a graph; the others are scanned.
    pub n_indexed: u64,
    pub version: Option<String>,
}

/// Vectors of one embedder.
#[async_trait]
pub trait VectorStore: Send + Sync + std::fmt::Debug {
    /// Takes points in; one of the same id is replaced. When it returns they outlive a crash and are
    /// found.
    async fn put(&self, points: Vec<Point>) -> Result<(), SearchError>;

    /// Removes points; unknown ids are no error.
    async fn remove(&self, ids: &[Uuid]) -> Result<(), SearchError>;

    /// The nearest points within the filter, nearest first.
    async fn search(
        &self,
        vector: Vec<f32>,
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<Near>, SearchError>;

    /// How many points there are, exactly; within the filter if there is one.
    async fn count(&self, filter: Option<&Filter>) -> Result<u64, SearchError>;

    /// Points with their vectors, from `from` on.
    async fn page(&self, from: Option<Uuid>, limit: usize) -> Result<Page, SearchError>;

    /// Those of these ids that are there.
    async fn known(&self, ids: &[Uuid]) -> Result<Vec<Uuid>, SearchError>;

    /// Builds graphs of points that are scanned until now, where there are enough of them. It may take
    /// minutes; searches and changes go on. True when there was something to do.
    async fn optimise(&self) -> Result<bool, SearchError>;

    async fn info(&self) -> Result<StoreInfo, SearchError>;

    fn n_dims(&self) -> usize;

    /// Everything is removed.
    async fn clear(&self) -> Result<(), SearchError>;
}

/// A store with what it was opened for.
#[derive(Clone, Debug)]
pub struct OpenStore {
    pub embedder: EmbedderId,
    pub config: StoreConfig,
    pub store: Arc<dyn VectorStore>,
}

impl OpenStore {
    /// Opens the store for the vectors of an embedder, or makes it.
    ///
    /// # Errors
    /// [`SearchError::InUse`], [`SearchError::VectorsUnreachable`], [`SearchError::Dimensions`].
    pub async fn open(embedder: EmbedderId, config: StoreConfig) -> Result<Self, SearchError> {
        let store: Arc<dyn VectorStore> = match &config {
            #[cfg(feature = "edge")]
            StoreConfig::Edge(edge) => Arc::new(EdgeStore::open(edge.clone(), &embedder).await?),
            StoreConfig::Qdrant(qdrant) => {
                Arc::new(QdrantStore::open(qdrant.clone(), &embedder).await?)
            }
        };
        Ok(Self { embedder, config, store })
    }

    /// Whether vectors of this embedder in the store of this configuration are these.
    pub fn is(&self, embedder: &EmbedderId, config: &StoreConfig) -> bool {
        self.embedder == *embedder && self.config.name() == config.name()
    }
}

/// Each vector must have the embedder's dimensions.
pub(crate) fn check_dims(points: &[Point], wanted: usize) -> Result<(), SearchError> {
    match points.iter().find(|point| point.vector.len() != wanted) {
        Some(point) => Err(SearchError::Dimensions { wanted, found: point.vector.len() }),
        None => Ok(()),
    }
}
