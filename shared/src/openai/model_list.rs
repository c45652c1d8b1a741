//! `models`: what can be asked for.

use serde::{Deserialize, Serialize};

use crate::catalogue::Kind;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelList {
    /// `list`
    pub object: String,
    pub data: Vec<ListedModel>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedModel {
    pub id: String,
    /// `model`
    pub object: String,
    /// Seconds since 1970; 0 where nobody knows.
    pub created: u64,
    /// `portico` where the model runs in this server, else `upstream`.
    pub owned_by: String,
    /// Portico's own.
    pub kind: Kind,
    /// Portico's own: tokens of its context, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_ctx: Option<u32>,
}
