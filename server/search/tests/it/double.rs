//! A Qdrant server in this process: real gRPC over loopback, Qdrant's own engine behind it.
//!
//! It answers what [`QdrantStore`](portico_search::vectors::QdrantStore) calls and refuses the rest by
//! name; what a filter says beside whole keywords and ranges is refused too. Faults are injected by the
//! name of the call.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use ::qdrant_client::qdrant::condition::ConditionOneOf;
use ::qdrant_client::qdrant::r#match::MatchValue;
use ::qdrant_client::qdrant::point_id::PointIdOptions;
use ::qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use ::qdrant_client::qdrant::*;
use portico_search::vectors::{EdgeConfig, EdgeStore, EmbedderId, Labels, Point, VectorStore};
use portico_search::{DocLang, Filter};
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

type Answer<T> = Result<Response<T>, Status>;

/// The server's state, shared by its services.
pub struct Double {
    stores: tokio::sync::Mutex<HashMap<String, (Arc<EdgeStore>, CreateCollection)>>,
    folder: tempfile::TempDir,
    faults: Mutex<VecDeque<(&'static str, Code, bool)>>,
    pub calls: Mutex<Vec<String>>,
    pub keys: Mutex<Vec<Option<String>>>,
}

impl Double {
    pub async fn start() -> (Arc<Self>, String) {
        let double = Arc::new(Self {
            stores: tokio::sync::Mutex::default(),
            folder: tempfile::tempdir().unwrap(),
            faults: Mutex::default(),
            calls: Mutex::default(),
            keys: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let incoming = tonic::transport::server::TcpIncoming::from(listener);
        let server = tonic::transport::Server::builder()
            .add_service(qdrant_server::QdrantServer::from_arc(Arc::clone(&double)))
            .add_service(collections_server::CollectionsServer::from_arc(Arc::clone(&double)))
            .add_service(points_server::PointsServer::from_arc(Arc::clone(&double)));
        tokio::spawn(server.serve_with_incoming(incoming));
        (double, url)
    }

    /// The next call of this name fails so; `after` it took effect or before.
    pub fn fail(&self, call: &'static str, code: Code, after: bool) {
        self.faults.lock().unwrap().push_back((call, code, after));
    }

    pub fn n_calls(&self, call: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|name| *name == call).count()
    }

    pub async fn created(&self, name: &str) -> CreateCollection {
        self.stores.lock().await[name].1.clone()
    }

    /// Notes the call; an injected fault comes before or after its effect.
    fn enter<T>(&self, call: &str, request: &Request<T>) -> Result<Option<Status>, Status> {
        self.calls.lock().unwrap().push(call.to_owned());
        let key = request.metadata().get("api-key").and_then(|key| key.to_str().ok());
        self.keys.lock().unwrap().push(key.map(str::to_owned));
        let mut faults = self.faults.lock().unwrap();
        let Some(at) = faults.iter().position(|fault| fault.0 == call) else { return Ok(None) };
        let (_, code, after) = faults.remove(at).unwrap();
        let status = Status::new(code, "injected");
        if after { Ok(Some(status)) } else { Err(status) }
    }

    async fn store(&self, name: &str) -> Result<Arc<EdgeStore>, Status> {
        match self.stores.lock().await.get(name) {
            Some((store, _)) => Ok(Arc::clone(store)),
            None => Err(Status::not_found(format!("Collection `{name}` doesn't exist!"))),
        }
    }
}

fn answer<T>(fault: Option<Status>, message: T) -> Answer<T> {
    match fault {
        Some(status) => Err(status),
        None => Ok(Response::new(message)),
    }
}

fn internal(error: impl std::fmt::Display) -> Status {
    Status::internal(error.to_string())
}

fn uuid(id: &Option<PointId>) -> Result<Uuid, Status> {
    match id.as_ref().and_then(|id| id.point_id_options.as_ref()) {
        Some(PointIdOptions::Uuid(id)) => Uuid::parse_str(id).map_err(internal),
        _ => Err(Status::unimplemented("ids are UUIDs")),
    }
}

fn id(id: Uuid) -> Option<PointId> {
    Some(PointId { point_id_options: Some(PointIdOptions::Uuid(id.to_string())) })
}

fn lang(lang: &str) -> DocLang {
    match lang {
        "de" => DocLang::De,
        "en" => DocLang::En,
        _ => DocLang::Other,
    }
}

fn filter(filter: &::qdrant_client::qdrant::Filter) -> Result<Filter, Status> {
    let mut own = Filter::default();
    if !filter.should.is_empty() || !filter.must_not.is_empty() || filter.min_should.is_some() {
        return Err(Status::unimplemented("only must"));
    }
    for condition in &filter.must {
        let Some(ConditionOneOf::Field(field)) = &condition.condition_one_of else {
            return Err(Status::unimplemented("only fields"));
        };
        if let Some(range) = &field.range {
            assert_eq!(field.key, "date_s");
            own.from_s = range.gte.map(|at| at as i64);
            own.to_s = range.lte.map(|at| at as i64);
            continue;
        }
        let keywords = match field.r#match.as_ref().and_then(|m| m.match_value.as_ref()) {
            Some(MatchValue::Keywords(keywords)) => keywords.strings.clone(),
            Some(MatchValue::Keyword(keyword)) => vec![keyword.clone()],
            _ => return Err(Status::unimplemented("only whole keywords")),
        };
        match field.key.as_str() {
            "collection" => own.collections = keywords,
            "media_type" => own.media_types = keywords,
            "lang" => own.langs = keywords.iter().map(|l| lang(l)).collect(),
            "document" => {
                own.documents = keywords.iter().map(|id| Uuid::parse_str(id).unwrap()).collect();
            }
            other => return Err(Status::unimplemented(other.to_owned())),
        }
    }
    Ok(own)
}

fn point(point: PointStruct) -> Result<Point, Status> {
    use ::qdrant_client::qdrant::vectors::VectorsOptions;
    let id = uuid(&point.id)?;
    let Some(VectorsOptions::Vector(vector)) = point.vectors.and_then(|v| v.vectors_options) else {
        return Err(Status::unimplemented("one unnamed vector"));
    };
    let vector = match vector.vector {
        Some(vector::Vector::Dense(dense)) => dense.data,
        #[allow(deprecated, reason = "what clients of older versions send")]
        None => vector.data,
        _ => return Err(Status::unimplemented("dense vectors")),
    };
    let payload: serde_json::Map<String, serde_json::Value> =
        point.payload.into_iter().map(|(key, value)| (key, value.into_json())).collect();
    let text = |key: &str| payload[key].as_str().unwrap().to_owned();
    let labels = Labels {
        collection: text("collection"),
        document: Uuid::parse_str(&text("document")).map_err(internal)?,
        media_type: text("media_type"),
        lang: lang(&text("lang")),
        date_s: payload["date_s"].as_i64().unwrap(),
    };
    Ok(Point { id, vector, labels })
}

fn retrieved(point: &Point) -> RetrievedPoint {
    let Labels { collection, document, media_type, lang, date_s } = &point.labels;
    let payload = [
        ("collection", Value::from(collection.clone())),
        ("document", Value::from(document.to_string())),
        ("media_type", Value::from(media_type.clone())),
        ("lang", Value::from(lang.as_str())),
        ("date_s", Value::from(*date_s)),
    ];
    let dense = vector_output::Vector::Dense(DenseVector { data: point.vector.clone() });
    let vector = VectorOutput { vector: Some(dense), ..VectorOutput::default() };
    RetrievedPoint {
        id: id(point.id),
        payload: payload.map(|(key, value)| (key.to_owned(), value)).into_iter().collect(),
        vectors: Some(VectorsOutput {
            vectors_options: Some(vectors_output::VectorsOptions::Vector(vector)),
        }),
        ..RetrievedPoint::default()
    }
}

fn done() -> PointsOperationResponse {
    let status = UpdateStatus::Completed.into();
    PointsOperationResponse {
        result: Some(UpdateResult { operation_id: None, status }),
        ..PointsOperationResponse::default()
    }
}

#[tonic::async_trait]
impl qdrant_server::Qdrant for Double {
    async fn health_check(&self, request: Request<HealthCheckRequest>) -> Answer<HealthCheckReply> {
        let fault = self.enter("health_check", &request)?;
        let reply = HealthCheckReply {
            title: "double".into(),
            version: "1.18.3".into(),
            ..HealthCheckReply::default()
        };
        answer(fault, reply)
    }
}

#[tonic::async_trait]
impl collections_server::Collections for Double {
    async fn collection_exists(
        &self,
        request: Request<CollectionExistsRequest>,
    ) -> Answer<CollectionExistsResponse> {
        let fault = self.enter("collection_exists", &request)?;
        let exists = self.stores.lock().await.contains_key(&request.get_ref().collection_name);
        let result = Some(CollectionExists { exists });
        answer(fault, CollectionExistsResponse { result, time: 0.0 })
    }

    async fn create(
        &self,
        request: Request<CreateCollection>,
    ) -> Answer<CollectionOperationResponse> {
        let fault = self.enter("create", &request)?;
        let create = request.into_inner();
        let config = create.vectors_config.clone().and_then(|vectors| vectors.config);
        let Some(vectors_config::Config::Params(params)) = config else {
            return Err(Status::unimplemented("one unnamed vector"));
        };
        let mut stores = self.stores.lock().await;
        if stores.contains_key(&create.collection_name) {
            return Err(Status::already_exists("it already exists"));
        }
        let embedder = EmbedderId {
            name: create.collection_name.clone(),
            n_dims: usize::try_from(params.size).map_err(internal)?,
        };
        let config = EdgeConfig::new(self.folder.path());
        let store = EdgeStore::open(config, &embedder).await.map_err(internal)?;
        stores.insert(create.collection_name.clone(), (Arc::new(store), create));
        answer(fault, CollectionOperationResponse { result: true, time: 0.0 })
    }

    async fn get(
        &self,
        request: Request<GetCollectionInfoRequest>,
    ) -> Answer<GetCollectionInfoResponse> {
        let fault = self.enter("collection_info", &request)?;
        let name = &request.get_ref().collection_name;
        let store = self.store(name).await?;
        let create = self.created(name).await;
        let info = store.info().await.map_err(internal)?;
        let params = CollectionParams {
            vectors_config: create.vectors_config,
            ..CollectionParams::default()
        };
        let result = CollectionInfo {
            config: Some(CollectionConfig { params: Some(params), ..CollectionConfig::default() }),
            points_count: Some(info.n_points),
            indexed_vectors_count: Some(info.n_indexed),
            ..CollectionInfo::default()
        };
        answer(fault, GetCollectionInfoResponse { result: Some(result), time: 0.0 })
    }

    async fn list(&self, _: Request<ListCollectionsRequest>) -> Answer<ListCollectionsResponse> {
        Err(Status::unimplemented("list"))
    }

    async fn update(&self, _: Request<UpdateCollection>) -> Answer<CollectionOperationResponse> {
        Err(Status::unimplemented("update"))
    }

    async fn delete(&self, _: Request<DeleteCollection>) -> Answer<CollectionOperationResponse> {
        Err(Status::unimplemented("delete"))
    }

    async fn update_aliases(
        &self,
        _: Request<ChangeAliases>,
    ) -> Answer<CollectionOperationResponse> {
        Err(Status::unimplemented("update_aliases"))
    }

    async fn list_collection_aliases(
        &self,
        _: Request<ListCollectionAliasesRequest>,
    ) -> Answer<ListAliasesResponse> {
        Err(Status::unimplemented("list_collection_aliases"))
    }

    async fn list_aliases(&self, _: Request<ListAliasesRequest>) -> Answer<ListAliasesResponse> {
        Err(Status::unimplemented("list_aliases"))
    }

    async fn collection_cluster_info(
        &self,
        _: Request<CollectionClusterInfoRequest>,
    ) -> Answer<CollectionClusterInfoResponse> {
        Err(Status::unimplemented("collection_cluster_info"))
    }

    async fn update_collection_cluster_setup(
        &self,
        _: Request<UpdateCollectionClusterSetupRequest>,
    ) -> Answer<UpdateCollectionClusterSetupResponse> {
        Err(Status::unimplemented("update_collection_cluster_setup"))
    }

    async fn create_shard_key(
        &self,
        _: Request<CreateShardKeyRequest>,
    ) -> Answer<CreateShardKeyResponse> {
        Err(Status::unimplemented("create_shard_key"))
    }

    async fn delete_shard_key(
        &self,
        _: Request<DeleteShardKeyRequest>,
    ) -> Answer<DeleteShardKeyResponse> {
        Err(Status::unimplemented("delete_shard_key"))
    }

    async fn list_shard_keys(
        &self,
        _: Request<ListShardKeysRequest>,
    ) -> Answer<ListShardKeysResponse> {
        Err(Status::unimplemented("list_shard_keys"))
    }
}

#[tonic::async_trait]
impl points_server::Points for Double {
    async fn upsert(&self, request: Request<UpsertPoints>) -> Answer<PointsOperationResponse> {
        let fault = self.enter("upsert", &request)?;
        let upsert = request.into_inner();
        assert_eq!(upsert.wait, Some(true), "acknowledged before it is found");
        let store = self.store(&upsert.collection_name).await?;
        let points = upsert.points.into_iter().map(point).collect::<Result<Vec<_>, _>>()?;
        store.put(points).await.map_err(internal)?;
        answer(fault, done())
    }

    async fn delete(&self, request: Request<DeletePoints>) -> Answer<PointsOperationResponse> {
        let fault = self.enter("delete", &request)?;
        let delete = request.into_inner();
        let store = self.store(&delete.collection_name).await?;
        match delete.points.and_then(|points| points.points_selector_one_of) {
            Some(PointsSelectorOneOf::Points(list)) => {
                let ids = list.ids.into_iter().map(|id| uuid(&Some(id)));
                let ids = ids.collect::<Result<Vec<_>, _>>()?;
                store.remove(&ids).await.map_err(internal)?;
            }
            Some(PointsSelectorOneOf::Filter(filter)) if filter.must.is_empty() => {
                store.clear().await.map_err(internal)?;
            }
            _ => return Err(Status::unimplemented("delete by filter")),
        }
        answer(fault, done())
    }

    async fn get(&self, request: Request<GetPoints>) -> Answer<GetResponse> {
        let fault = self.enter("get", &request)?;
        let get = request.into_inner();
        let ids = get.ids.into_iter().map(|id| uuid(&Some(id)));
        let ids = ids.collect::<Result<Vec<_>, _>>()?;
        let known = self.store(&get.collection_name).await?.known(&ids).await.map_err(internal)?;
        let result = known
            .into_iter()
            .map(|known| RetrievedPoint { id: id(known), ..RetrievedPoint::default() });
        answer(fault, GetResponse { result: result.collect(), ..GetResponse::default() })
    }

    async fn scroll(&self, request: Request<ScrollPoints>) -> Answer<ScrollResponse> {
        let fault = self.enter("scroll", &request)?;
        let scroll = request.into_inner();
        let store = self.store(&scroll.collection_name).await?;
        let from = scroll.offset.map(|offset| uuid(&Some(offset))).transpose()?;
        let limit = scroll.limit.unwrap_or(10) as usize;
        let page = store.page(from, limit).await.map_err(internal)?;
        let response = ScrollResponse {
            next_page_offset: page.next.and_then(id),
            result: page.points.iter().map(retrieved).collect(),
            ..ScrollResponse::default()
        };
        answer(fault, response)
    }

    async fn count(&self, request: Request<CountPoints>) -> Answer<CountResponse> {
        let fault = self.enter("count", &request)?;
        let count = request.into_inner();
        let store = self.store(&count.collection_name).await?;
        let own = count.filter.as_ref().map(filter).transpose()?;
        let count = store.count(own.as_ref()).await.map_err(internal)?;
        let result = Some(CountResult { count });
        answer(fault, CountResponse { result, ..CountResponse::default() })
    }

    async fn query(&self, request: Request<QueryPoints>) -> Answer<QueryResponse> {
        let fault = self.enter("query", &request)?;
        let query = request.into_inner();
        let store = self.store(&query.collection_name).await?;
        let Some(query::Variant::Nearest(nearest)) = query.query.and_then(|q| q.variant) else {
            return Err(Status::unimplemented("only nearest"));
        };
        let Some(vector_input::Variant::Dense(dense)) = nearest.variant else {
            return Err(Status::unimplemented("only dense"));
        };
        let Some(own) = query.filter.as_ref().map(filter).transpose()? else {
            return Err(Status::unimplemented("a search without a filter"));
        };
        let limit = query.limit.unwrap_or(10) as usize;
        let near = store.search(dense.data, &own, limit).await.map_err(internal)?;
        let result = near.iter().map(|near| ScoredPoint {
            id: id(near.id),
            score: near.cosine,
            ..ScoredPoint::default()
        });
        answer(fault, QueryResponse { result: result.collect(), ..QueryResponse::default() })
    }

    async fn create_field_index(
        &self,
        request: Request<CreateFieldIndexCollection>,
    ) -> Answer<PointsOperationResponse> {
        let fault = self.enter("create_field_index", &request)?;
        self.store(&request.get_ref().collection_name).await?;
        answer(fault, done())
    }

    async fn update_vectors(
        &self,
        _: Request<UpdatePointVectors>,
    ) -> Answer<PointsOperationResponse> {
        Err(Status::unimplemented("update_vectors"))
    }

    async fn delete_vectors(
        &self,
        _: Request<DeletePointVectors>,
    ) -> Answer<PointsOperationResponse> {
        Err(Status::unimplemented("delete_vectors"))
    }

    async fn set_payload(&self, _: Request<SetPayloadPoints>) -> Answer<PointsOperationResponse> {
        Err(Status::unimplemented("set_payload"))
    }

    async fn overwrite_payload(
        &self,
        _: Request<SetPayloadPoints>,
    ) -> Answer<PointsOperationResponse> {
        Err(Status::unimplemented("overwrite_payload"))
    }

    async fn delete_payload(
        &self,
        _: Request<DeletePayloadPoints>,
    ) -> Answer<PointsOperationResponse> {
        Err(Status::unimplemented("delete_payload"))
    }

    async fn clear_payload(
        &self,
        _: Request<ClearPayloadPoints>,
    ) -> Answer<PointsOperationResponse> {
        Err(Status::unimplemented("clear_payload"))
    }

    async fn delete_field_index(
        &self,
        _: Request<DeleteFieldIndexCollection>,
    ) -> Answer<PointsOperationResponse> {
        Err(Status::unimplemented("delete_field_index"))
    }

    async fn create_vector_name(
        &self,
        _: Request<CreateVectorNameRequest>,
    ) -> Answer<PointsOperationResponse> {
        Err(Status::unimplemented("create_vector_name"))
    }

    async fn delete_vector_name(
        &self,
        _: Request<DeleteVectorNameRequest>,
    ) -> Answer<PointsOperationResponse> {
        Err(Status::unimplemented("delete_vector_name"))
    }

    async fn search(&self, _: Request<SearchPoints>) -> Answer<SearchResponse> {
        Err(Status::unimplemented("search"))
    }

    async fn search_batch(&self, _: Request<SearchBatchPoints>) -> Answer<SearchBatchResponse> {
        Err(Status::unimplemented("search_batch"))
    }

    async fn search_groups(&self, _: Request<SearchPointGroups>) -> Answer<SearchGroupsResponse> {
        Err(Status::unimplemented("search_groups"))
    }

    async fn recommend(&self, _: Request<RecommendPoints>) -> Answer<RecommendResponse> {
        Err(Status::unimplemented("recommend"))
    }

    async fn recommend_batch(
        &self,
        _: Request<RecommendBatchPoints>,
    ) -> Answer<RecommendBatchResponse> {
        Err(Status::unimplemented("recommend_batch"))
    }

    async fn recommend_groups(
        &self,
        _: Request<RecommendPointGroups>,
    ) -> Answer<RecommendGroupsResponse> {
        Err(Status::unimplemented("recommend_groups"))
    }

    async fn discover(&self, _: Request<DiscoverPoints>) -> Answer<DiscoverResponse> {
        Err(Status::unimplemented("discover"))
    }

    async fn discover_batch(
        &self,
        _: Request<DiscoverBatchPoints>,
    ) -> Answer<DiscoverBatchResponse> {
        Err(Status::unimplemented("discover_batch"))
    }

    async fn update_batch(&self, _: Request<UpdateBatchPoints>) -> Answer<UpdateBatchResponse> {
        Err(Status::unimplemented("update_batch"))
    }

    async fn query_batch(&self, _: Request<QueryBatchPoints>) -> Answer<QueryBatchResponse> {
        Err(Status::unimplemented("query_batch"))
    }

    async fn query_groups(&self, _: Request<QueryPointGroups>) -> Answer<QueryGroupsResponse> {
        Err(Status::unimplemented("query_groups"))
    }

    async fn facet(&self, _: Request<FacetCounts>) -> Answer<FacetResponse> {
        Err(Status::unimplemented("facet"))
    }

    async fn search_matrix_pairs(
        &self,
        _: Request<SearchMatrixPoints>,
    ) -> Answer<SearchMatrixPairsResponse> {
        Err(Status::unimplemented("search_matrix_pairs"))
    }

    async fn search_matrix_offsets(
        &self,
        _: Request<SearchMatrixPoints>,
    ) -> Answer<SearchMatrixOffsetsResponse> {
        Err(Status::unimplemented("search_matrix_offsets"))
    }
}
