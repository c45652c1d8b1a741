//! Do words and meaning work as one index?

use portico_search::vectors::{EdgeConfig, EmbedderId, StoreConfig};
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
