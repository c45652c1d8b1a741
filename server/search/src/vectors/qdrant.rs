//! How are vectors held by a Qdrant server?
//!
//! By qdrant-client over gRPC: one collection of the server for an embedder, points of all Portico's
//! collections in it. Every call may be repeated (points are put by their ids), so what a busy or
//! restarting server refuses is tried again, later each time.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use qdrant_client::qdrant::condition::ConditionOneOf;
use qdrant_client::qdrant::r#match::MatchValue;
use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_client::qdrant::vector_output::Vector as VectorOut;
use qdrant_client::qdrant::{
    Condition as ServerCondition, CountPointsBuilder, CreateCollectionBuilder,
    CreateFieldIndexCollectionBuilder, DeletePointsBuilder, Distance, FieldCondition, FieldType,
    Filter as ServerFilter, GetPointsBuilder, IntegerIndexParamsBuilder, KeywordIndexParamsBuilder,
    Match, PointId, PointStruct, PointsIdsList, Query, QueryPointsBuilder, Range, RepeatedStrings,
    RetrievedPoint, ScalarQuantizationBuilder, ScrollPointsBuilder, UpsertPointsBuilder,
    VectorParamsBuilder, VectorsConfig, vectors_config,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use serde_json::Value;
use tonic::Code;
use uuid::Uuid;

use super::labels::{self, Condition};
use super::{EmbedderId, Near, Page, Point, StoreInfo, VectorStore, check_dims};
use crate::{Filter, SearchError};

/// The environment's key for the server, where the configuration names none.
pub const API_KEY_VARIABLE: &str = "PORTICO_QDRANT_API_KEY";

/// A Qdrant server.
#[derive(Clone)]
pub struct QdrantConfig {
    /// Of its gRPC port: `http://…:6334`, or `https://…` with a certificate that the system trusts.
    pub url: String,
    pub api_key: Option<String>,
    /// A file with the key, read at the start.
    pub api_key_file: Option<PathBuf>,
    /// Of a call, and of connecting.
    pub timeout: Duration,
    /// Calls of one operation, the first among them.
    pub n_tries: u32,
    /// Before the second try; each later one waits twice as long, up to `WAIT_MAX`.
    pub first_wait: Duration,
    /// Of a batch of an upsert.
    pub batch_points: usize,
    /// Vectors in 8 bits are searched and the exact ones read for the best.
    pub is_quantised: bool,
    /// Exact vectors lie on the server's disk.
    pub is_on_disk: bool,
    // Passed through when the collection is made; none leaves it to the server.
    pub n_shards: Option<u32>,
    pub replication_factor: Option<u32>,
    pub write_consistency_factor: Option<u32>,
}

impl QdrantConfig {
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            api_key: None,
            api_key_file: None,
            timeout: Duration::from_secs(20),
            n_tries: 6,
            first_wait: Duration::from_millis(100),
            batch_points: 128,
            is_quantised: false,
            is_on_disk: true,
            n_shards: None,
            replication_factor: None,
            write_consistency_factor: None,
        }
    }

    /// The key from the configuration, its file, or the environment.
    fn key(&self) -> Result<Option<String>, SearchError> {
        if let Some(key) = &self.api_key {
            return Ok(Some(key.clone()));
        }
        if let Some(path) = &self.api_key_file {
            let key = std::fs::read_to_string(path).map_err(SearchError::io(path))?;
            return Ok(Some(key.trim().to_owned()));
        }
        Ok(std::env::var(API_KEY_VARIABLE).ok().filter(|key| !key.is_empty()))
    }
}

impl std::fmt::Debug for QdrantConfig {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QdrantConfig").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Longest wait between two tries.
pub const WAIT_MAX: Duration = Duration::from_secs(3);

/// The vectors of an embedder on a server.
pub struct QdrantStore {
    client: Qdrant,
    config: QdrantConfig,
    /// The server's collection.
    place: String,
    n_dims: usize,
}

impl std::fmt::Debug for QdrantStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QdrantStore")
            .field("url", &self.config.url)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

/// Whether a server answers; its version.
///
/// # Errors
/// [`SearchError::VectorsUnreachable`]
pub async fn reach(config: QdrantConfig) -> Result<String, SearchError> {
    let health = client(&config)?.health_check().await.map_err(|error| server(&error))?;
    Ok(health.version)
}

fn client(config: &QdrantConfig) -> Result<Qdrant, SearchError> {
    let mut builder = Qdrant::from_url(&config.url)
        .timeout(config.timeout)
        .connect_timeout(config.timeout)
        // Its own check blocks a thread; ours comes next.
        .skip_compatibility_check();
    if let Some(key) = config.key()? {
        builder = builder.api_key(key);
    }
    builder.build().map_err(|error| server(&error))
}

impl QdrantStore {
    /// Connects, and makes the embedder's collection with its indexes where it is not there yet.
    ///
    /// # Errors
    /// [`SearchError::VectorsUnreachable`] when the server does not answer, and
    /// [`SearchError::Dimensions`] when its collection is of other vectors.
    pub async fn open(config: QdrantConfig, embedder: &EmbedderId) -> Result<Self, SearchError> {
        let client = client(&config)?;
        let store = Self { client, config, place: embedder.place(), n_dims: embedder.n_dims };
        store.again(|| store.client.health_check()).await?;
        store.make().await?;
        Ok(store)
    }

    /// The collection and its indexes; all of it may be there already.
    async fn make(&self) -> Result<(), SearchError> {
        if self.again(|| self.client.collection_exists(self.place.clone())).await? {
            self.check_size().await?;
        } else {
            let config = &self.config;
            let vectors = VectorParamsBuilder::new(self.n_dims as u64, Distance::Cosine)
                .on_disk(config.is_on_disk);
            let mut create = CreateCollectionBuilder::new(self.place.clone())
                .vectors_config(vectors)
                .on_disk_payload(true);
            if config.is_quantised {
                let scalar = ScalarQuantizationBuilder::default().quantile(0.99).always_ram(true);
                create = create.quantization_config(scalar);
            }
            if let Some(n_shards) = config.n_shards {
                create = create.shard_number(n_shards);
            }
            if let Some(factor) = config.replication_factor {
                create = create.replication_factor(factor);
            }
            if let Some(factor) = config.write_consistency_factor {
                create = create.write_consistency_factor(factor);
            }
            let create = create.build();
            match self.again(|| self.client.create_collection(create.clone())).await {
                // Another server of ours, or a try of ours whose answer was lost, made it.
                Err(_)
                    if self.client.collection_exists(self.place.clone()).await.unwrap_or(false) =>
                {
                    self.check_size().await?;
                }
                other => {
                    other?;
                }
            }
        }
        for key in [labels::COLLECTION, labels::DOCUMENT, labels::MEDIA_TYPE, labels::LANG] {
            let params = KeywordIndexParamsBuilder::default()
                .is_tenant(key == labels::COLLECTION)
                .enable_hnsw(matches!(key, labels::COLLECTION | labels::LANG));
            let create =
                CreateFieldIndexCollectionBuilder::new(self.place.clone(), key, FieldType::Keyword)
                    .field_index_params(params)
                    .wait(true)
                    .build();
            self.again(|| self.client.create_field_index(create.clone())).await?;
        }
        let create = CreateFieldIndexCollectionBuilder::new(
            self.place.clone(),
            labels::DATE,
            FieldType::Integer,
        )
        .field_index_params(IntegerIndexParamsBuilder::new(false, true))
        .wait(true)
        .build();
        self.again(|| self.client.create_field_index(create.clone())).await?;
        Ok(())
    }

    async fn check_size(&self) -> Result<(), SearchError> {
        let info = self.again(|| self.client.collection_info(self.place.clone())).await?;
        let params = info.result.and_then(|info| info.config).and_then(|config| config.params);
        let vectors = params.and_then(|params| params.vectors_config);
        match vectors.and_then(|vectors: VectorsConfig| vectors.config) {
            Some(vectors_config::Config::Params(params)) if params.size == self.n_dims as u64 => {
                Ok(())
            }
            Some(vectors_config::Config::Params(params)) => Err(SearchError::Dimensions {
                wanted: self.n_dims,
                found: usize::try_from(params.size).unwrap_or(usize::MAX),
            }),
            _ => Err(SearchError::Vectors(format!(
                "the server's collection `{}` was not made by this program",
                self.place
            ))),
        }
    }

    /// A call, tried again while the server is away, busy or late.
    async fn again<T, F: Future<Output = Result<T, QdrantError>>>(
        &self,
        call: impl Fn() -> F,
    ) -> Result<T, SearchError> {
        let mut wait = self.config.first_wait;
        let mut n_tried = 0;
        loop {
            n_tried += 1;
            let error = match call().await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let Some(wished) = retry_after(&error) else { return Err(server(&error)) };
            if n_tried >= self.config.n_tries.max(1) {
                return Err(server(&error));
            }
            tracing::debug!(%error, n_tried, "the vector store is asked again");
            tokio::time::sleep(wished.unwrap_or(wait).min(WAIT_MAX)).await;
            wait = wait.saturating_mul(2);
        }
    }
}

/// None for an error that stays; else the wait that the server asks for, if it does.
fn retry_after(error: &QdrantError) -> Option<Option<Duration>> {
    match error {
        QdrantError::ResponseError { status } => {
            let is_passing = matches!(
                status.code(),
                Code::Unavailable
                    | Code::DeadlineExceeded
                    | Code::Aborted
                    | Code::ResourceExhausted
                    | Code::Cancelled
            );
            // The client's own word for a server that it cannot reach.
            let is_away = status.code() == Code::Internal
                && status.message().starts_with("Failed to connect");
            (is_passing || is_away).then_some(None)
        }
        QdrantError::ResourceExhaustedError { retry_after_seconds, .. } => {
            Some(Some(Duration::from_secs(*retry_after_seconds)))
        }
        QdrantError::Io(_) => Some(None),
        _ => None,
    }
}

fn server(error: &QdrantError) -> SearchError {
    // Without the answer's metadata, which is long.
    let text = match error {
        QdrantError::ResponseError { status }
        | QdrantError::ResourceExhaustedError { status, .. } => {
            format!("{}: {}", status.code(), status.message())
        }
        other => other.to_string(),
    };
    match retry_after(error) {
        Some(_) => SearchError::VectorsUnreachable(text),
        None => SearchError::Vectors(text),
    }
}

fn filter_of(filter: &Filter) -> Option<ServerFilter> {
    let must = labels::conditions(filter)?.into_iter().map(|condition| {
        let mut field = FieldCondition::default();
        match condition {
            Condition::Any(key, strings) => {
                field.key = key.to_owned();
                // Whole keywords: the client's `matches` of one text with spaces is a full-text match.
                let keywords = MatchValue::Keywords(RepeatedStrings { strings });
                field.r#match = Some(Match { match_value: Some(keywords) });
            }
            Condition::Between(key, from, to) => {
                field.key = key.to_owned();
                let end = |at: Option<i64>| at.map(|at| at as f64);
                field.range = Some(Range { gte: end(from), lte: end(to), ..Range::default() });
            }
        }
        ServerCondition { condition_one_of: Some(ConditionOneOf::Field(field)) }
    });
    Some(ServerFilter { must: must.collect(), ..ServerFilter::default() })
}

fn id_of(id: &Option<PointId>) -> Option<Uuid> {
    match id.as_ref()?.point_id_options.as_ref()? {
        PointIdOptions::Uuid(id) => Uuid::parse_str(id).ok(),
        PointIdOptions::Num(_) => None,
    }
}

fn ids_of(ids: &[Uuid]) -> Vec<PointId> {
    ids.iter().map(|id| PointId::from(id.to_string())).collect()
}

fn point_of(point: RetrievedPoint) -> Option<Point> {
    use qdrant_client::qdrant::vectors_output::VectorsOptions;
    let id = id_of(&point.id)?;
    let VectorsOptions::Vector(vector) = point.vectors?.vectors_options? else { return None };
    let vector = match vector.into_vector() {
        VectorOut::Dense(dense) => dense.data,
        _ => return None,
    };
    let payload = point.payload.into_iter().map(|(key, value)| (key, value.into_json()));
    let labels = labels::labels(&payload.collect())?;
    Some(Point { id, vector, labels })
}

#[async_trait]
impl VectorStore for QdrantStore {
    async fn put(&self, points: Vec<Point>) -> Result<(), SearchError> {
        check_dims(&points, self.n_dims)?;
        for batch in points.chunks(self.config.batch_points.max(1)) {
            let mut structs = Vec::with_capacity(batch.len());
            for point in batch {
                let payload = Payload::try_from(Value::Object(labels::payload(&point.labels)))
                    .map_err(|error| SearchError::Vectors(error.to_string()))?;
                structs.push(PointStruct::new(point.id.to_string(), point.vector.clone(), payload));
            }
            // Answered when it was applied, so that a search finds it.
            let upsert = UpsertPointsBuilder::new(self.place.clone(), structs).wait(true).build();
            self.again(|| self.client.upsert_points(upsert.clone())).await?;
        }
        Ok(())
    }

    async fn remove(&self, ids: &[Uuid]) -> Result<(), SearchError> {
        if ids.is_empty() {
            return Ok(());
        }
        let delete = DeletePointsBuilder::new(self.place.clone())
            .points(PointsIdsList { ids: ids_of(ids) })
            .wait(true)
            .build();
        self.again(|| self.client.delete_points(delete.clone())).await?;
        Ok(())
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
        let Some(filter) = filter_of(filter) else { return Ok(Vec::new()) };
        if limit == 0 {
            return Ok(Vec::new());
        }
        let query = QueryPointsBuilder::new(self.place.clone())
            .query(Query::new_nearest(vector))
            .filter(filter)
            .limit(limit as u64)
            .build();
        let found = self.again(|| self.client.query(query.clone())).await?;
        let near = |point: &qdrant_client::qdrant::ScoredPoint| {
            Some(Near { id: id_of(&point.id)?, cosine: point.score })
        };
        Ok(found.result.iter().filter_map(near).collect())
    }

    async fn count(&self, filter: Option<&Filter>) -> Result<u64, SearchError> {
        let mut count = CountPointsBuilder::new(self.place.clone()).exact(true);
        if let Some(filter) = filter {
            let Some(filter) = filter_of(filter) else { return Ok(0) };
            count = count.filter(filter);
        }
        let count = count.build();
        let answer = self.again(|| self.client.count(count.clone())).await?;
        Ok(answer.result.map_or(0, |result| result.count))
    }

    async fn page(&self, from: Option<Uuid>, limit: usize) -> Result<Page, SearchError> {
        let mut scroll = ScrollPointsBuilder::new(self.place.clone())
            .limit(u32::try_from(limit.max(1)).unwrap_or(u32::MAX))
            .with_payload(true)
            .with_vectors(true);
        if let Some(from) = from {
            scroll = scroll.offset(PointId::from(from.to_string()));
        }
        let scroll = scroll.build();
        let answer = self.again(|| self.client.scroll(scroll.clone())).await?;
        Ok(Page {
            next: id_of(&answer.next_page_offset),
            points: answer.result.into_iter().filter_map(point_of).collect(),
        })
    }

    async fn known(&self, ids: &[Uuid]) -> Result<Vec<Uuid>, SearchError> {
        let get = GetPointsBuilder::new(self.place.clone(), ids_of(ids))
            .with_payload(false)
            .with_vectors(false)
            .build();
        let answer = self.again(|| self.client.get_points(get.clone())).await?;
        Ok(answer.result.iter().filter_map(|point| id_of(&point.id)).collect())
    }

    /// The server does it by itself.
    async fn optimise(&self) -> Result<bool, SearchError> {
        Ok(false)
    }

    async fn info(&self) -> Result<StoreInfo, SearchError> {
        let health = self.again(|| self.client.health_check()).await?;
        let info = self.again(|| self.client.collection_info(self.place.clone())).await?;
        let info = info.result.unwrap_or_default();
        Ok(StoreInfo {
            n_points: info.points_count.unwrap_or(0),
            n_indexed: info.indexed_vectors_count.unwrap_or(0),
            version: Some(health.version),
        })
    }

    fn n_dims(&self) -> usize {
        self.n_dims
    }

    async fn clear(&self) -> Result<(), SearchError> {
        let delete = DeletePointsBuilder::new(self.place.clone())
            .points(ServerFilter::default())
            .wait(true)
            .build();
        self.again(|| self.client.delete_points(delete.clone())).await?;
        Ok(())
    }
}
