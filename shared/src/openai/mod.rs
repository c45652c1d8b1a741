//! The request and its answer, in the shape that OpenAI's clients speak.
//!
//! One value runs in two places: the page's worker and the server read the same types. Unknown
//! fields of a request are ignored, as OpenAI's servers ignore them.

mod chat;
mod completion;
mod embedding;
mod format;
mod model_list;
mod rerank;
mod responses;
mod retrieval;
mod tokenize;
mod tool;

pub use chat::*;
pub use completion::*;
pub use embedding::*;
pub use format::*;
pub use model_list::*;
pub use rerank::*;
pub use responses::*;
pub use retrieval::*;
pub use tokenize::*;
pub use tool::*;

use serde::{Deserialize, Serialize};

use crate::grounding::{Citation, Coverage, Source};

/// Where a request ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    Device,
    Server,
}

/// Portico's own part of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PorticoInfo {
    pub place: Place,
    /// The catalogue's id of the model that answered.
    pub model: String,
    /// From the request's arrival at the engine to its first token; null when there was none.
    pub time_to_first_token_ms: Option<f64>,
    /// Null when nothing was prefilled, for the whole prompt stood in the KV cache.
    pub prefill_tokens_per_s: Option<f64>,
    /// Null with fewer than two generated tokens.
    pub decode_tokens_per_s: Option<f64>,
    /// What was searched for in documents; absent where none were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The passages that the answer could rest on, in a stream on the first chunk and the last; empty
    /// where documents were asked and nothing relevant was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<Vec<Source>>,
    /// In a stream those of a chunk's text, and on the last chunk all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub citations: Vec<Citation>,
    /// Where the answer was to be about a whole document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
}

impl PorticoInfo {
    /// Before anything was measured or searched.
    pub fn new(place: Place, model: impl Into<String>) -> Self {
        Self {
            place,
            model: model.into(),
            time_to_first_token_ms: None,
            prefill_tokens_per_s: None,
            decode_tokens_per_s: None,
            query: None,
            sources: None,
            citations: Vec::new(),
            coverage: None,
        }
    }
}

/// Tokens counted for an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    pub total_tokens: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_tokens_details: Option<PromptTokensDetails>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptTokensDetails {
    /// Tokens whose keys and values stood in the cache from an earlier request.
    pub cached_tokens: u64,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// An end-of-turn token or a stop string.
    Stop,
    /// `max_tokens`, or the context is full.
    Length,
    ToolCalls,
    ContentFilter,
    /// It went round in circles. Portico's own, only where a request asks for it.
    Repetition,
}

/// One stop string or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Stop {
    One(String),
    Many(Vec<String>),
}

impl Stop {
    pub fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(stop) => vec![stop],
            Self::Many(stops) => stops,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamOptions {
    #[serde(default)]
    pub include_usage: bool,
}

/// What both kinds of request say about sampling. Ranges are checked where a request enters
/// ([`SamplingParams::new`](crate::sampling::SamplingParams::new)).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SamplingFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f32>,
    /// Not OpenAI's, but every local engine's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_p: Option<f32>,
    /// 1 leaves logits as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repetition_penalty: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Token id (as a decimal string, as JSON keys are) → bias added to its logit.
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub logit_bias: std::collections::BTreeMap<String, f32>,
}
