//! How does Qdrant's engine hold vectors in this process?
//!
//! One shard for an embedder, with a tenant index over collections. The engine is synchronous, so each
//! call runs on a thread for blocking work; nothing is acknowledged before it was flushed; nothing is
//! optimised unless [`VectorStore::optimise`] is called.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use qdrant_edge::external::ordered_float::OrderedFloat;
use qdrant_edge::{
    AnyVariants, Condition as EdgeCondition, CountRequest, CreateIndex, Distance,
    EdgeOptimizersConfig, EdgeShard, EdgeVectorParamsBuilder, FieldCondition, FieldIndexOperations,
    Filter as EdgeFilter, HnswIndexConfig, IntegerIndexParamsBuilder, JsonPath,
    KeywordIndexParamsBuilder, Match, Memory, NamedQuery, OperationError, Payload,
    PayloadFieldSchema, PayloadSchemaParams, PointId, PointInsertOperations, PointOperations,
    PointStructPersisted, QuantizationConfig, QueryEnum, QueryRequest, Range, Record,
    RetrieveRequest, ScoringQuery, ScrollRequest, UpdateOperation, VectorInternal,
    VectorStructInternal, VectorStructPersisted, WalOptions, WithPayloadInterface, WithVector,
};
use serde_json::json;
use uuid::Uuid;

use super::labels::{self, Condition};
use super::{EmbedderId, Near, Page, Point, StoreInfo, VectorStore, check_dims};
use crate::{Filter, SearchError};

/// Vectors in a folder.
#[derive(Clone, Debug)]
pub struct EdgeConfig {
    /// Each embedder has a folder of its own within.
    pub folder: PathBuf,
    /// Vectors in 8 bits are searched and the exact ones read for the best: a quarter of the memory.
    pub is_quantised: bool,
    /// Threads that search parts of the index side by side.
    pub n_search_threads: usize,
}

impl EdgeConfig {
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), is_quantised: false, n_search_threads: 2 }
    }
}

/// Points to a batch of an update: its log entry stays small.
const BATCH_POINTS: usize = 256;
/// Its default keeps two files of 32 MiB for each embedder.
const LOG_SEGMENT_BYTES: usize = 8 << 20;
/// Scanned in a millisecond or two; a graph is built of more.
const SCANNED_KIB_MAX: usize = 4_096;
/// One segment: a search looks into one graph.
const N_SEGMENTS: usize = 1;
const SEGMENT_KIB_MAX: usize = 4 << 20;

/// The vectors of an embedder in one folder.
pub struct EdgeStore {
    shard: Arc<EdgeShard>,
    n_dims: usize,
}

impl std::fmt::Debug for EdgeStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EdgeStore").field("folder", &self.shard.path()).finish_non_exhaustive()
    }
}

impl EdgeStore {
    /// Opens the folder, or makes it. What a crash left unwritten is read from the log.
    ///
    /// # Errors
    /// [`SearchError::InUse`] while another process, or another store of this one, has the folder open.
    pub async fn open(config: EdgeConfig, embedder: &EmbedderId) -> Result<Self, SearchError> {
        let n_dims = embedder.n_dims;
        let folder = config.folder.join(embedder.place());
        let shard = blocking(move || open(&folder, &config, n_dims)).await?;
        Ok(Self { shard: Arc::new(shard), n_dims })
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&EdgeShard) -> Result<T, SearchError> + Send + 'static,
    ) -> Result<T, SearchError> {
        let shard = Arc::clone(&self.shard);
        blocking(move || work(&shard)).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SearchError> + Send + 'static,
) -> Result<T, SearchError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(SearchError::CutOff(error.to_string())),
    }
}

fn open(folder: &Path, config: &EdgeConfig, n_dims: usize) -> Result<EdgeShard, SearchError> {
    std::fs::create_dir_all(folder).map_err(SearchError::io(folder))?;
    let config = shard_config(config, n_dims);
    let is_new = !folder.join("segments").is_dir();
    let opened = match is_new {
        true => EdgeShard::new(folder, config),
        false => EdgeShard::load(folder, Some(config)),
    };
    let shard = opened.map_err(|error| {
        // The log's folder is held by a lock.
        let is_held = error.to_string().contains("WouldBlock")
            || error.to_string().to_lowercase().contains("temporarily unavailable");
        if is_held { SearchError::InUse(folder.to_owned()) } else { engine(error) }
    })?;
    // Also behind a crash between the first and the last of them.
    let known = shard.info().map_err(engine)?.payload_schema;
    for (key, schema) in payload_indexes() {
        let field_name = path(key)?;
        if !known.contains_key(&field_name) {
            let create = CreateIndex { field_name, field_schema: Some(schema) };
            let create = FieldIndexOperations::CreateIndex(create);
            shard.update(UpdateOperation::FieldIndexOperation(create)).map_err(engine)?;
        }
    }
    shard.flush().map_err(engine)?;
    Ok(shard)
}

fn shard_config(config: &EdgeConfig, n_dims: usize) -> qdrant_edge::EdgeConfig {
    let vector = EdgeVectorParamsBuilder::new(n_dims, Distance::Cosine)
        // Mapped from the file: what is not asked for leaves memory.
        .memory(Memory::Cold)
        .build();
    let mut builder = qdrant_edge::EdgeConfig::builder()
        .vector(qdrant_edge::DEFAULT_VECTOR_NAME, vector)
        .payload_memory(Memory::Cold)
        .hnsw_config(HnswIndexConfig {
            memory: Some(Memory::Cached),
            // Searches and answers go on beside it.
            max_indexing_threads: n_indexing_threads(),
            ..HnswIndexConfig::default()
        })
        .optimizers(EdgeOptimizersConfig {
            default_segment_number: Some(N_SEGMENTS),
            max_segment_size: Some(SEGMENT_KIB_MAX),
            indexing_threshold: Some(SCANNED_KIB_MAX),
            ..EdgeOptimizersConfig::default()
        })
        .wal_options(WalOptions { segment_capacity: LOG_SEGMENT_BYTES, ..WalOptions::default() })
        .max_search_threads(config.n_search_threads.max(1));
    if config.is_quantised {
        let scalar = json!({"scalar": {"type": "int8", "quantile": 0.99, "always_ram": true}});
        if let Ok(scalar) = serde_json::from_value::<QuantizationConfig>(scalar) {
            builder = builder.quantization_config(scalar);
        }
    }
    builder.build()
}

/// Half of the processor.
fn n_indexing_threads() -> usize {
    (std::thread::available_parallelism().map_or(1, usize::from) / 2).max(1)
}

fn payload_indexes() -> [(&'static str, PayloadFieldSchema); 5] {
    let keyword = |is_tenant: bool, has_links: bool| {
        let params = KeywordIndexParamsBuilder::new().is_tenant(is_tenant).enable_hnsw(has_links);
        PayloadFieldSchema::FieldParams(PayloadSchemaParams::Keyword(params.build()))
    };
    let date = IntegerIndexParamsBuilder::new().lookup(false).range(true).enable_hnsw(false);
    [
        (labels::COLLECTION, keyword(true, true)),
        (labels::DOCUMENT, keyword(false, false)),
        (labels::MEDIA_TYPE, keyword(false, false)),
        (labels::LANG, keyword(false, true)),
        (labels::DATE, PayloadFieldSchema::FieldParams(PayloadSchemaParams::Integer(date.build()))),
    ]
}

fn path(key: &str) -> Result<JsonPath, SearchError> {
    key.parse().map_err(|()| SearchError::Vectors(format!("`{key}` is no path")))
}

fn engine(error: OperationError) -> SearchError {
    SearchError::Vectors(error.to_string())
}

fn filter_of(filter: &Filter) -> Result<Option<EdgeFilter>, SearchError> {
    let Some(conditions) = labels::conditions(filter) else { return Ok(None) };
    let mut must = Vec::with_capacity(conditions.len());
    for condition in conditions {
        must.push(EdgeCondition::Field(match condition {
            Condition::Any(key, keywords) => {
                let any = AnyVariants::Strings(keywords.into_iter().collect());
                FieldCondition::new_match(path(key)?, Match::new_any(any))
            }
            Condition::Between(key, from, to) => {
                let end = |at: Option<i64>| at.map(|at| OrderedFloat(at as f64));
                let range = Range { gte: end(from), lte: end(to), gt: None, lt: None };
                FieldCondition::new_range(path(key)?, range)
            }
        }));
    }
    Ok(Some(EdgeFilter { must: Some(must), ..EdgeFilter::new() }))
}

fn point_of(record: Record) -> Option<Point> {
    let PointId::Uuid(id) = record.id else { return None };
    let vector = match record.vector? {
        VectorStructInternal::Single(vector) => vector,
        VectorStructInternal::MultiDense(_) => return None,
        VectorStructInternal::Named(mut named) => {
            match named.remove(qdrant_edge::DEFAULT_VECTOR_NAME)? {
                VectorInternal::Dense(vector) => vector,
                _ => return None,
            }
        }
    };
    let labels = labels::labels(&record.payload?.0)?;
    Some(Point { id, vector, labels })
}

fn ids_of(ids: &[Uuid]) -> Vec<PointId> {
    ids.iter().map(|id| PointId::Uuid(*id)).collect()
}

#[async_trait]
impl VectorStore for EdgeStore {
    async fn put(&self, points: Vec<Point>) -> Result<(), SearchError> {
        check_dims(&points, self.n_dims)?;
        self.with(move |shard| {
            let mut points = points.into_iter().peekable();
            while points.peek().is_some() {
                let batch = points.by_ref().take(BATCH_POINTS).map(|point| PointStructPersisted {
                    id: PointId::Uuid(point.id),
                    payload: Some(Payload(labels::payload(&point.labels))),
                    vector: VectorStructPersisted::Single(point.vector),
                });
                let upsert = PointInsertOperations::PointsList(batch.collect());
                let upsert = PointOperations::UpsertPoints(upsert);
                shard.update(UpdateOperation::PointOperation(upsert)).map_err(engine)?;
            }
            shard.flush().map_err(engine)
        })
        .await
    }

    async fn remove(&self, ids: &[Uuid]) -> Result<(), SearchError> {
        let ids = ids_of(ids);
        self.with(move |shard| {
            let delete = PointOperations::DeletePoints { ids };
            shard.update(UpdateOperation::PointOperation(delete)).map_err(engine)?;
            shard.flush().map_err(engine)
        })
        .await
    }

    async fn search(
        &self,
        vector: Vec<f32>,
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<Near>, SearchError> {
        if vector.len() != self.n_dims {
            return Err(SearchError::Dimensions { wanted: self.n_dims, found: vector.len() });
        }
        let Some(filter) = filter_of(filter)? else { return Ok(Vec::new()) };
        if limit == 0 {
            return Ok(Vec::new());
        }
        self.with(move |shard| {
            let mut request = QueryRequest::new(limit);
            let nearest = NamedQuery::default_dense(vector);
            request.query = Some(ScoringQuery::Vector(QueryEnum::Nearest(nearest)));
            request.filter = Some(filter);
            let found = shard.query(request).map_err(engine)?;
            let near = found.into_iter().filter_map(|point| match point.id {
                PointId::Uuid(id) => Some(Near { id, cosine: point.score }),
                PointId::NumId(_) => None,
            });
            Ok(near.collect())
        })
        .await
    }

    async fn count(&self, filter: Option<&Filter>) -> Result<u64, SearchError> {
        let filter = match filter {
            None => None,
            Some(filter) => match filter_of(filter)? {
                Some(filter) => Some(filter),
                None => return Ok(0),
            },
        };
        self.with(move |shard| {
            let count = shard.count(CountRequest { filter, exact: true }).map_err(engine)?;
            Ok(count as u64)
        })
        .await
    }

    async fn page(&self, from: Option<Uuid>, limit: usize) -> Result<Page, SearchError> {
        self.with(move |shard| {
            let request = ScrollRequest {
                offset: from.map(PointId::Uuid),
                limit: Some(limit.max(1)),
                with_payload: Some(WithPayloadInterface::Bool(true)),
                with_vector: WithVector::Bool(true),
                ..ScrollRequest::new()
            };
            let (records, next) = shard.scroll(request).map_err(engine)?;
            let next = next.and_then(|id| match id {
                PointId::Uuid(id) => Some(id),
                PointId::NumId(_) => None,
            });
            Ok(Page { points: records.into_iter().filter_map(point_of).collect(), next })
        })
        .await
    }

    async fn known(&self, ids: &[Uuid]) -> Result<Vec<Uuid>, SearchError> {
        let request = RetrieveRequest {
            with_payload: Some(WithPayloadInterface::Bool(false)),
            ..RetrieveRequest::new(ids_of(ids))
        };
        self.with(move |shard| {
            let records = shard.retrieve(request).map_err(engine)?;
            let ids = records.into_iter().filter_map(|record| match record.id {
                PointId::Uuid(id) => Some(id),
                PointId::NumId(_) => None,
            });
            Ok(ids.collect())
        })
        .await
    }

    async fn optimise(&self) -> Result<bool, SearchError> {
        self.with(|shard| {
            let has_changed = shard.optimize().map_err(engine)?;
            shard.flush().map_err(engine)?;
            Ok(has_changed)
        })
        .await
    }

    async fn info(&self) -> Result<StoreInfo, SearchError> {
        self.with(|shard| {
            let info = shard.info().map_err(engine)?;
            Ok(StoreInfo {
                n_points: info.points_count as u64,
                n_indexed: info.indexed_vectors_count as u64,
                version: None,
            })
        })
        .await
    }

    fn n_dims(&self) -> usize {
        self.n_dims
    }

    async fn clear(&self) -> Result<(), SearchError> {
        self.with(|shard| {
            let all = PointOperations::DeletePointsByFilter(EdgeFilter::new());
            shard.update(UpdateOperation::PointOperation(all)).map_err(engine)?;
            shard.flush().map_err(engine)
        })
        .await
    }
}
