//! What does `/api/search` take and give?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Where to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchMode {
    #[default]
    Hybrid,
    FullText,
    Vector,
}

/// `POST /api/search`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchRequest {
    pub query: String,
    /// Ids; absent: all that the asker may read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collections: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    #[serde(default)]
    pub filter: SearchFilter,
    /// The question's vector by the collections' embedder, when the asker has it already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector: Option<Vec<f32>>,
    #[serde(default)]
    pub mode: SearchMode,
    /// Whether to count what was found by what it may be filtered by.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub facets: bool,
}

/// What is to be found; an empty list is no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchFilter {
    /// Media types.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// `de`, `en`, `other`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub langs: Vec<String>,
    /// Date of the document in seconds since 1970, both ends included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<i64>,
    /// Ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<String>,
}

/// The answer to [`SearchRequest`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchResponse {
    pub hits: Vec<SearchHit>,
    pub took_ms: f32,
    /// Where they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facets: Option<SearchFacets>,
}

/// How many passages have words of the question, and not fewer than are among the hits: by collection,
/// media type and language. Each takes the other filters into account, and not its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchFacets {
    pub collections: BTreeMap<String, u64>,
    pub types: BTreeMap<String, u64>,
    pub langs: BTreeMap<String, u64>,
}

/// A passage that was found, best first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchHit {
    /// The passage's id.
    pub passage: String,
    pub document: HitDocument,
    pub text: String,
    pub heading_path: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// Into the document's text, in chars.
    pub chars: [u32; 2],
    pub score: f32,
    pub ranks: HitRanks,
    /// How near it is to the question, 0 to 1 (`grounding::similarity`); absent where only words were
    /// compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f32>,
    /// What of `text` was asked for, in chars.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub highlights: Vec<[u32; 2]>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HitDocument {
    pub id: String,
    pub name: String,
    pub collection: String,
    pub media_type: String,
}

/// Places in each list, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HitRanks {
    pub full_text: Option<u32>,
    pub vector: Option<u32>,
}
