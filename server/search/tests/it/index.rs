//! Do words and meaning work as one index?

use std::time::{Duration, Instant};

use portico_search::vectors::{EdgeConfig, EmbedderId, OpenStore, StoreConfig};
use portico_search::{
    DocLang, Filter, Fusion, Passage, Query, Rebuild, SearchConfig, SearchError, SearchIndex,
};
use uuid::Uuid;

fn passage(n: u128, text: &str) -> Passage {
    Passage {
        id: Uuid::from_u128(n),
        document: Uuid::from_u128(100 + n),
        collection: "haus".into(),
        name: "Hausordnung.pdf".into(),
        heading_path: vec!["Allgemeines".into()],
        text: text.into(),
        lang: DocLang::De,
        media_type: "application/pdf".into(),
        date_s: 0,
    }
}

fn unit(at: usize) -> Vec<f32> {
    (0..4).map(|i| if i == at { 1.0 } else { 0.0 }).collect()
}

fn config(folder: &std::path::Path, name: &str) -> SearchConfig {
    let embedder = EmbedderId { name: name.into(), n_dims: 4 };
    let store = StoreConfig::Edge(EdgeConfig::new(folder.join("vectors")));
    SearchConfig { vectors: Some((embedder, store)), ..SearchConfig::new(folder) }
}

fn query(text: &str, vector: Option<Vec<f32>>) -> Query {
    Query {
        text: text.into(),
        vector,
        filter: Filter::collections(["haus"]),
        limit: 10,
        fusion: Fusion::default(),
    }
}

const BOTH: Rebuild = Rebuild { full_text: true, vectors: true };

#[tokio::test(flavor = "multi_thread")]
async fn a_hit_says_which_list_found_it() {
    let folder = tempfile::tempdir().unwrap();
    let index = SearchIndex::open(config(folder.path(), "e")).await.unwrap();
    let passages = [passage(1, "Ruhezeiten gelten ab zehn."), passage(2, "Hunde sind erlaubt.")];
    index.put(&passages, Some(&[unit(0), unit(1)])).await.unwrap();
    index.commit().await.unwrap();
    let found = index.search(&query("Ruhezeiten", Some(unit(1)))).await.unwrap();
    let of = |n: u128| found.iter().find(|f| f.id == Uuid::from_u128(n)).unwrap();
    assert_eq!((of(1).full_text_rank, of(1).vector_rank), (Some(1), Some(2)));
    assert_eq!((of(2).full_text_rank, of(2).vector_rank), (None, Some(1)));
    assert!(of(2).cosine.unwrap() > 0.999);
    assert!(of(1).full_text_match.unwrap() > 0.2);
    let words = index.search(&query("Ruhezeiten", None)).await.unwrap();
    assert_eq!(words.len(), 1);
    // The name and the headings find every passage below them.
    assert_eq!(index.search(&query("Hausordnung", None)).await.unwrap().len(), 2);
    assert_eq!(index.search(&query("Allgemeines", None)).await.unwrap().len(), 2);

    index.remove(&[Uuid::from_u128(1)]).await.unwrap();
    index.commit().await.unwrap();
    let found = index.search(&query("Ruhezeiten Hunde", Some(unit(0)))).await.unwrap();
    assert_eq!(found.iter().map(|f| f.id.as_u128()).collect::<Vec<_>>(), [2]);
    let counts = index.put(&passages, Some(&[unit(0)])).await;
    assert!(matches!(counts, Err(SearchError::Counts { passages: 2, vectors: 1 })));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_be_put_anew_is_said_until_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let index = SearchIndex::open(config(folder.path(), "one")).await.unwrap();
    assert_eq!(index.rebuild_needed(), BOTH);
    index.put(&[passage(1, "Keller")], Some(&[unit(0)])).await.unwrap();
    index.commit().await.unwrap();
    index.rebuilt(BOTH).unwrap();
    assert!(!index.rebuild_needed().is_needed());
    let second = SearchIndex::open(config(folder.path(), "one")).await;
    assert!(matches!(second.err(), Some(SearchError::InUse(_))));
    drop(index);

    let index = SearchIndex::open(config(folder.path(), "one")).await.unwrap();
    assert!(!index.rebuild_needed().is_needed());
    assert_eq!(index.n_passages(), 1);
    drop(index);

    // Another embedder: its vectors are missing.
    let index = SearchIndex::open(config(folder.path(), "two")).await.unwrap();
    assert_eq!(index.rebuild_needed(), Rebuild { full_text: false, vectors: true });
    drop(index);

    // Another version of the program, or a damaged index: words are missing.
    let state = folder.path().join("state.json");
    let text = std::fs::read_to_string(&state).unwrap();
    std::fs::write(&state, text.replace("\"full_text_version\":1", "\"full_text_version\":0"))
        .unwrap();
    let index = SearchIndex::open(config(folder.path(), "one")).await.unwrap();
    assert!(index.rebuild_needed().full_text);
    assert_eq!(index.n_passages(), 0);
    index.put(&[passage(1, "Keller")], None).await.unwrap();
    index.commit().await.unwrap();
    index.rebuilt(BOTH).unwrap();
    drop(index);
    std::fs::write(folder.path().join("full_text/meta.json"), "{").unwrap();
    let index = SearchIndex::open(config(folder.path(), "one")).await.unwrap();
    assert!(index.rebuild_needed().full_text);
    assert!(index.search(&query("Keller", None)).await.unwrap().is_empty());
}

fn embedder(name: &str) -> EmbedderId {
    EmbedderId { name: name.into(), n_dims: 4 }
}

/// What is near the first direction, by meaning; equally near, so in the order of ids.
async fn near(index: &SearchIndex) -> Vec<u128> {
    let found = index.search_strictly(&query("", Some(unit(0)))).await.unwrap();
    let mut ids: Vec<u128> = found.iter().map(|found| found.id.as_u128()).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_filled_takes_over_with_what_was_put_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let index = SearchIndex::open(config(folder.path(), "one")).await.unwrap();
    index.put(&[passage(1, "Keller")], Some(&[unit(0)])).await.unwrap();
    let elsewhere = |name: &str| StoreConfig::Edge(EdgeConfig::new(folder.path().join(name)));
    let open = |name, place| OpenStore::open(embedder(name), elsewhere(place));

    // Of the same embedder: what is put and removed goes to both.
    let same = open("one", "same").await.unwrap();
    index.fill(same.clone());
    index.put(&[passage(2, "Dach"), passage(3, "Tor")], Some(&[unit(0), unit(0)])).await.unwrap();
    index.remove(&[Uuid::from_u128(3)]).await.unwrap();
    assert_eq!(near(&index).await, [1, 2]);
    let old = index.take_over().unwrap().unwrap();
    assert_eq!((near(&index).await, old.store.count(None).await.unwrap()), (vec![2], 2));
    // Let go, a store gets nothing more.
    index.fill(old.clone());
    index.stop_filling();
    index.put(&[passage(4, "Hof")], Some(&[unit(0)])).await.unwrap();
    assert_eq!(old.store.count(None).await.unwrap(), 2);
    assert!(index.take_over().unwrap().is_none());

    // Of another embedder, though its vectors are as long: these are not its own.
    let other = open("other", "other").await.unwrap();
    index.fill(other.clone());
    index.put(&[passage(5, "Turm")], Some(&[unit(0)])).await.unwrap();
    assert_eq!(other.store.count(None).await.unwrap(), 0);
    index.take_over().unwrap();
    assert_eq!(index.vectors().unwrap().embedder.name, "other");
    drop((index, same, old, other));

    // So it stays: nothing is to be put anew, unless the configuration says otherwise.
    assert!(SearchIndex::lay_in_folder(folder.path()));
    let vectors = Some((embedder("other"), elsewhere("other")));
    let config = SearchConfig { vectors, ..SearchConfig::new(folder.path()) };
    let index = SearchIndex::open(config).await.unwrap();
    assert!(!index.rebuild_needed().vectors);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn searches_and_uploads_do_not_wait_for_vectors_to_be_optimised() {
    const DIM: usize = 256;
    const N: u128 = 12_000;
    let folder = tempfile::tempdir().unwrap();
    let store = StoreConfig::Edge(EdgeConfig::new(folder.path().join("vectors")));
    let vectors = Some((EmbedderId { name: "e".into(), n_dims: DIM }, store));
    let config = SearchConfig { vectors, ..SearchConfig::new(folder.path()) };
    let index = SearchIndex::open(config).await.unwrap();
    let vector = |n: u128| -> Vec<f32> {
        let mut state = (n as u32).wrapping_mul(2_654_435_761) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as f32 / u32::MAX as f32 - 0.5
        };
        (0..DIM).map(|_| next()).collect()
    };
    let point = |n: u128| portico_search::vectors::Point {
        id: Uuid::from_u128(n),
        vector: vector(n),
        labels: portico_search::vectors::Labels::from(&passage(n, "")),
    };
    for from in (0..N).step_by(2_000) {
        index.put_points((from..from + 2_000).map(point).collect()).await.unwrap();
    }
    assert_eq!(index.n_changed(), N as u64);
    let work = tokio::spawn({
        let index = index.clone();
        async move { index.optimise().await.unwrap() }
    });
    let (start, mut longest, mut n_asked) = (Instant::now(), Duration::ZERO, 0);
    while !work.is_finished() {
        let asked = Instant::now();
        let new = N + n_asked;
        index.put_points(vec![point(new)]).await.unwrap();
        let found = index.search_strictly(&query("", Some(vector(new)))).await.unwrap();
        assert_eq!(found[0].id.as_u128(), new, "what came meanwhile is found");
        longest = longest.max(asked.elapsed());
        n_asked += 1;
    }
    assert!(work.await.unwrap(), "there was something to do");
    let took = start.elapsed();
    eprintln!("{n_asked} uploads with searches in {took:?}, the longest {longest:?}");
    assert!(n_asked >= 5 && longest < took / 2, "{n_asked} in {took:?}, the longest {longest:?}");
    let info = index.store_info().await.unwrap().unwrap();
    assert!(info.n_indexed >= N as u64, "{info:?}");
    // What is there is found by the graph, too.
    for n in (0..N).step_by(1_000) {
        let found = index.search_strictly(&query("", Some(vector(n)))).await.unwrap();
        assert_eq!(found[0].id.as_u128(), n);
    }
}
