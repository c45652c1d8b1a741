//! Does every store of vectors hold the same contract?
//!
//! Run against the engine in this process, against the client over real gRPC to a double, and against
//! the server that `PORTICO_TEST_QDRANT_URL` names.

use std::time::Duration;

use portico_search::vectors::{
    EdgeConfig, EdgeStore, EmbedderId, Labels, Point, QdrantConfig, QdrantStore, VectorStore,
};
use portico_search::{DocLang, Filter, SearchError};
use qdrant_client::qdrant::vectors_config::Config;
use tonic::Code;
use uuid::Uuid;

use crate::double::Double;

const DIMS: usize = 8;

fn embedder(name: &str) -> EmbedderId {
    EmbedderId { name: name.into(), n_dims: DIMS }
}

/// A unit vector that turns with `angle`.
fn vector(angle: f32) -> Vec<f32> {
    let mut vector = vec![0.0; DIMS];
    (vector[0], vector[1]) = (angle.cos(), angle.sin());
    vector
}

fn point(n: u128, collection: &str, lang: DocLang) -> Point {
    Point {
        id: Uuid::from_u128(n),
        vector: vector(n as f32 * 0.01),
        labels: Labels {
            collection: collection.into(),
            document: Uuid::from_u128(n / 10),
            media_type: if n.is_multiple_of(2) { "text/plain" } else { "application/pdf" }.into(),
            lang,
            date_s: i64::try_from(n).unwrap() * 100,
        },
    }
}

async fn ids(store: &dyn VectorStore, filter: &Filter) -> Vec<u128> {
    let near = store.search(vector(0.0), filter, 100).await.unwrap();
    near.iter().map(|near| near.id.as_u128()).collect()
}

async fn contract(store: &dyn VectorStore) {
    let groups = ["acme corp", "acme corp two", "acme", "corp", "Straße & Söhne \"x\""];
    let points: Vec<Point> = (1..=50)
        .map(|n| {
            let lang = if n <= 25 { DocLang::De } else { DocLang::En };
            point(n, groups[n as usize % groups.len()], lang)
        })
        .collect();
    store.put(points.clone()).await.unwrap();
    assert_eq!(store.count(None).await.unwrap(), 50);
    assert_eq!(store.info().await.unwrap().n_points, 50);

    // Nearest first, cosines true, the limit kept.
    let near = store.search(vector(0.0), &Filter::collections(groups), 3).await.unwrap();
    assert_eq!(near.iter().map(|n| n.id.as_u128()).collect::<Vec<_>>(), [1, 2, 3]);
    assert!((near[1].cosine - 0.02f32.cos()).abs() < 1e-4);

    // Rights: whole keywords, never words of them.
    for (at, group) in groups.iter().enumerate() {
        let found = ids(store, &Filter::collections([*group])).await;
        assert_eq!(found.len(), 10, "{group}");
        assert!(found.iter().all(|n| *n as usize % groups.len() == at), "{group}");
        assert_eq!(store.count(Some(&Filter::collections([*group]))).await.unwrap(), 10);
    }
    for nobody in ["acme corp three", "ACME", "", " ", "corp two", "Straße"] {
        assert!(ids(store, &Filter::collections([nobody])).await.is_empty(), "{nobody}");
    }
    assert!(ids(store, &Filter::default()).await.is_empty());
    assert_eq!(store.count(Some(&Filter::default())).await.unwrap(), 0);
    assert_eq!(ids(store, &Filter::collections(["acme", "corp"])).await.len(), 20);

    // The other filters, alone and together.
    let all = Filter::collections(groups);
    let with = |change: fn(&mut Filter)| {
        let mut filter = all.clone();
        change(&mut filter);
        filter
    };
    assert_eq!(ids(store, &with(|f| f.langs = vec![DocLang::En])).await.len(), 25);
    assert_eq!(ids(store, &with(|f| f.media_types = vec!["text/plain".into()])).await.len(), 25);
    assert_eq!(ids(store, &with(|f| f.documents = vec![Uuid::from_u128(1)])).await.len(), 10);
    assert_eq!(ids(store, &with(|f| (f.from_s, f.to_s) = (Some(300), Some(500)))).await, [3, 4, 5]);
    let both = with(|f| {
        f.langs = vec![DocLang::De];
        f.from_s = Some(2_400);
    });
    assert_eq!(ids(store, &both).await, [24, 25]);

    // A put of a known id replaces vector and labels.
    let mut moved = point(1, "elsewhere", DocLang::De);
    moved.vector = vector(3.0);
    store.put(vec![moved]).await.unwrap();
    assert_eq!(store.count(None).await.unwrap(), 50);
    assert_eq!(ids(store, &Filter::collections(["elsewhere"])).await, [1]);
    assert_eq!(ids(store, &Filter::collections(["acme corp two"])).await.len(), 9);

    // Every point once by pages, with vectors and labels as they were put.
    let (mut seen, mut next) = (Vec::new(), None);
    loop {
        let page = store.page(next, 7).await.unwrap();
        assert!(page.points.len() <= 7);
        seen.extend(page.points);
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 50);
    assert!(seen.windows(2).all(|pair| pair[0].id < pair[1].id));
    let second = seen.iter().find(|p| p.id == points[1].id).unwrap();
    assert_eq!(second.labels, points[1].labels);
    assert!(second.vector.iter().zip(&points[1].vector).all(|(a, b)| (a - b).abs() < 1e-5));

    let mut known =
        store.known(&[Uuid::from_u128(2), Uuid::from_u128(999), Uuid::from_u128(1)]).await.unwrap();
    known.sort_unstable();
    assert_eq!(known, [Uuid::from_u128(1), Uuid::from_u128(2)]);

    // Gone is gone; what never was is no error; wrong sizes are.
    store.remove(&[Uuid::from_u128(2), Uuid::from_u128(999)]).await.unwrap();
    store.remove(&[]).await.unwrap();
    assert_eq!(store.count(None).await.unwrap(), 49);
    let short = Point { vector: vec![1.0], ..point(3, "acme", DocLang::De) };
    assert!(matches!(store.put(vec![short]).await, Err(SearchError::Dimensions { .. })));
    assert!(matches!(
        store.search(vec![1.0], &all, 1).await,
        Err(SearchError::Dimensions { wanted: DIMS, found: 1 })
    ));
    assert!(store.search(vector(0.0), &all, 0).await.unwrap().is_empty());
    store.optimise().await.unwrap();
    assert_eq!(ids(store, &all).await.len(), 48);
    store.clear().await.unwrap();
    assert_eq!(store.count(None).await.unwrap(), 0);
}

fn quick(url: String) -> QdrantConfig {
    QdrantConfig {
        first_wait: Duration::from_millis(1),
        batch_points: 16,
        api_key: Some("a key".into()),
        ..QdrantConfig::new(url)
    }
}

async fn edge(folder: &std::path::Path) -> EdgeStore {
    EdgeStore::open(EdgeConfig::new(folder), &embedder("one")).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_in_this_process_holds_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    contract(&edge(folder.path()).await).await;
    let config = EdgeConfig { is_quantised: true, ..EdgeConfig::new(folder.path()) };
    contract(&EdgeStore::open(config, &embedder("two")).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_holds_the_contract_over_grpc() {
    let (double, url) = Double::start().await;
    let store = QdrantStore::open(quick(url), &embedder("e5 small")).await.unwrap();
    contract(&store).await;
    assert!(double.keys.lock().unwrap().iter().all(|key| key.as_deref() == Some("a key")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_qdrant_server_holds_the_contract() {
    let Ok(url) = std::env::var("PORTICO_TEST_QDRANT_URL") else {
        eprintln!("no server: PORTICO_TEST_QDRANT_URL names none");
        return;
    };
    let id = EmbedderId { name: format!("contract {}", std::process::id()), n_dims: DIMS };
    contract(&QdrantStore::open(QdrantConfig::new(url), &id).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_the_server_are_met_by_trying_again() {
    let (double, url) = Double::start().await;
    double.fail("create", Code::Unavailable, true);
    double.fail("create_field_index", Code::DeadlineExceeded, true);
    let store = QdrantStore::open(quick(url.clone()), &embedder("one")).await.unwrap();
    // In the middle of batches: before and after they took effect.
    for (code, after) in [
        (Code::Unavailable, false),
        (Code::DeadlineExceeded, true),
        (Code::ResourceExhausted, false),
    ] {
        double.fail("upsert", code, after);
        double.fail("upsert", code, after);
    }
    let points: Vec<Point> = (1..=40).map(|n| point(n, "acme", DocLang::De)).collect();
    store.put(points).await.unwrap();
    assert_eq!(store.count(None).await.unwrap(), 40);
    for call in ["query", "scroll", "delete", "count", "get"] {
        double.fail(call, Code::Unavailable, false);
    }
    assert_eq!(ids(&store, &Filter::collections(["acme"])).await.len(), 40);
    assert_eq!(store.page(None, 100).await.unwrap().points.len(), 40);
    store.remove(&[Uuid::from_u128(1)]).await.unwrap();
    assert!(store.known(&[Uuid::from_u128(1)]).await.unwrap().is_empty());

    // One that stays away is named so, after as many tries as were allowed; one that refuses, at once.
    let n_before = double.n_calls("query");
    for _ in 0..20 {
        double.fail("query", Code::Unavailable, false);
    }
    let error = store.search(vector(0.0), &Filter::collections(["acme"]), 5).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    // The client asks over a second connection each time.
    assert_eq!(double.n_calls("query") - n_before, 2 * 6);
    double.fail("upsert", Code::PermissionDenied, false);
    let n_before = double.n_calls("upsert");
    let error = store.put(vec![point(7, "acme", DocLang::De)]).await.unwrap_err();
    assert!(!error.is_transient(), "{error}");
    assert_eq!(double.n_calls("upsert") - n_before, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_reach_the_server_and_a_collection_of_other_vectors_is_refused() {
    let (double, url) = Double::start().await;
    let config = QdrantConfig {
        is_quantised: true,
        n_shards: Some(3),
        replication_factor: Some(2),
        write_consistency_factor: Some(2),
        ..quick(url.clone())
    };
    QdrantStore::open(config.clone(), &embedder("one")).await.unwrap();
    let created = double.created(&embedder("one").place()).await;
    assert_eq!(
        (created.shard_number, created.replication_factor, created.write_consistency_factor),
        (Some(3), Some(2), Some(2))
    );
    assert!(created.quantization_config.is_some());
    let Some(Config::Params(params)) = created.vectors_config.unwrap().config else { panic!() };
    assert_eq!(params.size, DIMS as u64);
    assert_eq!(double.n_calls("create_field_index"), 5);
    // A second program finds it made.
    QdrantStore::open(config.clone(), &embedder("one")).await.unwrap();
    assert_eq!(double.n_calls("create"), 1);
    assert!(!format!("{config:?}").contains("a key"));

    let nobody = QdrantConfig { n_tries: 2, ..quick("http://127.0.0.1:1".into()) };
    let error = QdrantStore::open(nobody, &embedder("one")).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_has_one_process_and_outlives_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = edge(folder.path()).await;
    store.put(vec![point(1, "acme", DocLang::De)]).await.unwrap();
    let again = EdgeStore::open(EdgeConfig::new(folder.path()), &embedder("one")).await;
    assert!(matches!(again, Err(SearchError::InUse(_))), "{again:?}");
    drop(store);
    let store = edge(folder.path()).await;
    assert_eq!(ids(&store, &Filter::collections(["acme"])).await, [1]);
}
