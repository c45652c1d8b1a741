//! A chat request's `retrieval`: its answer is to rest on documents of this server. Portico's own.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What may be searched for an answer; what the caller may not read is never found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retrieval {
    /// Ids of collections; none: all that the caller may read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collections: Option<Vec<String>>,
    /// Only these documents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<Uuid>,
    /// Most sources in the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The answer is to be about all of the one document that `documents` names, as a summary is.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub whole_document: bool,
    /// The request's tools stay on offer although text of documents stands in the prompt.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_tools: bool,
}
