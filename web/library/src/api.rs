//! What do the server's answers about documents hold? As far as the views read them.

use std::collections::BTreeMap;

use portico_shared::documents::{Block, DocLang};
use portico_shared::error::ApiError;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a caller may do with a collection; the later ones hold the earlier ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    #[default]
    Read,
    Contribute,
    Manage,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Collection {
    pub id: String,
    pub title: String,
    pub rights: Right,
    pub n_documents: u64,
    pub n_passages: u64,
    /// None: it is searched by words alone.
    pub embedder: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Collections {
    pub collections: Vec<Collection>,
}

/// Where a document stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    #[default]
    Queued,
    Extracting,
    Embedding,
    Indexing,
    Ready,
    Failed,
}

impl State {
    pub fn is_pending(self) -> bool {
        !matches!(self, Self::Ready | Self::Failed)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Extracting => "extracting",
            Self::Embedding => "embedding",
            Self::Indexing => "indexing",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Document {
    pub id: Uuid,
    pub collection: String,
    pub name: String,
    pub media_type: String,
    pub size_bytes: u64,
    /// Of its last change, in seconds since 1970.
    pub date_s: i64,
    pub state: State,
    pub error: Option<ApiError>,
    pub title: Option<String>,
    pub lang: Option<String>,
    pub n_pages: Option<u32>,
    pub n_passages: u64,
    pub n_embedded: u64,
    pub job: Option<Uuid>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Documents {
    pub documents: Vec<Document>,
}

/// What an upload became.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Uploaded {
    pub document: Document,
    pub outcome: String,
}

/// A document's text with its structure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DocumentText {
    pub document: Document,
    pub title: Option<String>,
    pub text: String,
    pub blocks: Vec<Block>,
    pub pages: Option<u32>,
}

/// A passage and where it stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Passage {
    pub text: String,
    pub heading_path: Vec<String>,
    pub page: Option<u32>,
    pub section: Option<String>,
    /// Into the document's text.
    pub chars: [u32; 2],
}

/// The queue.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Jobs {
    pub total: Total,
    pub jobs: Vec<Job>,
}

impl Jobs {
    /// Whether a document came through, failed, went or took a step since `before`: what is listed of
    /// the documents is then old.
    pub fn moved_since(&self, before: &Self) -> bool {
        let ended = |jobs: &Self| {
            let Total { n_ready, newest_ready, n_failed, .. } = jobs.total;
            (n_ready, newest_ready, n_failed)
        };
        let states = |jobs: &Self| -> Vec<_> {
            jobs.jobs.iter().map(|job| (job.document.id, job.state)).collect()
        };
        ended(self) != ended(before) || states(self) != states(before)
    }
}

/// Since the queue was last empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Total {
    pub n_documents: u64,
    pub n_ready: u64,
    /// The newest job that is done.
    pub newest_ready: Option<Uuid>,
    pub n_failed: u64,
    pub bytes: u64,
    pub bytes_done: u64,
    pub bytes_per_s: Option<f64>,
    pub left_s: Option<f64>,
}

impl Total {
    pub fn n_pending(&self) -> u64 {
        self.n_documents.saturating_sub(self.n_ready + self.n_failed)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Job {
    pub id: Uuid,
    pub document: JobDocument,
    pub state: State,
    pub n_passages: u64,
    pub n_embedded: u64,
    pub error: Option<ApiError>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct JobDocument {
    pub id: Uuid,
    pub name: String,
    pub collection: String,
}

/// What is searched for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchRequest {
    pub query: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collections: Option<Vec<String>>,
    pub limit: u32,
    pub filter: Filter,
    /// Whether to count what was found.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub facets: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub langs: Vec<DocLang>,
    /// Seconds since 1970, both included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchResponse {
    pub hits: Vec<Hit>,
    pub took_ms: f64,
    pub facets: Option<Facets>,
}

/// How many passages were found, by what they may be filtered by; each takes the other filters into
/// account, and not its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facets {
    pub collections: BTreeMap<String, u64>,
    pub types: BTreeMap<String, u64>,
    pub langs: BTreeMap<String, u64>,
}

impl Facets {
    /// Takes in what was counted elsewhere.
    pub fn add(&mut self, other: Self) {
        for (own, other) in [
            (&mut self.collections, other.collections),
            (&mut self.types, other.types),
            (&mut self.langs, other.langs),
        ] {
            for (value, count) in other {
                *own.entry(value).or_default() += count;
            }
        }
    }

    /// All that were found in a collection; in all of them where none is named.
    pub fn total(&self, collection: Option<&str>) -> u64 {
        match collection {
            Some(id) => self.collections.get(id).copied().unwrap_or_default(),
            None => self.collections.values().sum(),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hit {
    pub passage: Uuid,
    pub document: HitDocument,
    pub text: String,
    pub heading_path: Vec<String>,
    pub page: Option<u32>,
    pub section: Option<String>,
    pub score: f64,
    /// Of its vector to the query's; none where vectors were not asked.
    pub similarity: Option<f32>,
    pub ranks: Ranks,
    /// Ranges of chars in `text`.
    pub highlights: Vec<[u32; 2]>,
}

/// From 1; none where that search did not find it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ranks {
    pub full_text: Option<u32>,
    pub vector: Option<u32>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HitDocument {
    pub id: Uuid,
    pub name: String,
    pub collection: String,
    pub media_type: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_may_hold_more_than_is_read_and_less() {
        let json = r#"{"total": {"n_documents": 3, "n_ready": 1, "n_failed": 1, "new": 1}, "jobs": [
            {"id": "0192d2a1-0000-7000-8000-000000000000", "state": "embedding",
             "document": {"id": "0192d2a1-0000-7000-8000-000000000001", "name": "a", "collection": "c"}}]}"#;
        let jobs: Jobs = serde_json::from_str(json).unwrap();
        assert_eq!((jobs.total.n_pending(), jobs.jobs[0].state), (1, State::Embedding));
        let request = SearchRequest { query: "x".into(), limit: 5, ..SearchRequest::default() };
        let json = serde_json::to_value(&request).unwrap();
        assert_eq!(json, serde_json::json!({"query": "x", "limit": 5, "filter": {}}));
    }

    #[test]
    fn a_document_that_came_through_between_two_looks_is_news() {
        let one = |ready: &str| Jobs {
            total: Total {
                n_documents: 1,
                n_ready: 1,
                newest_ready: ready.parse().ok(),
                ..Total::default()
            },
            jobs: Vec::new(),
        };
        let before = one("0192d2a1-0000-7000-8000-000000000000");
        assert!(!before.clone().moved_since(&before));
        assert!(one("0192d2a1-0000-7000-8000-000000000001").moved_since(&before));
        let working = |n_embedded, state| Jobs {
            jobs: vec![Job { state, n_embedded, ..Job::default() }],
            ..before.clone()
        };
        let embedding = working(1, State::Embedding);
        assert!(embedding.moved_since(&before) && before.moved_since(&embedding));
        assert!(!working(2, State::Embedding).moved_since(&embedding));
        assert!(working(2, State::Indexing).moved_since(&embedding));
    }

    #[test]
    fn counts_of_two_places_are_one() {
        let read = |json: &str| serde_json::from_str::<Facets>(json).unwrap();
        let mut all = read(r#"{"collections": {"a": 2, "b": 3}, "langs": {"de": 5}}"#);
        all.add(read(
            r#"{"collections": {"on.device": 1}, "langs": {"de": 1}, "types": {"x": 1}}"#,
        ));
        assert_eq!((all.total(None), all.total(Some("b")), all.total(Some("c"))), (6, 3, 0));
        assert_eq!((all.langs["de"], all.types["x"]), (6, 1));
    }
}
