//! What does `/api/catalogue` answer?

use serde::{Deserialize, Serialize};

use super::Model;

/// Answer of `GET /api/catalogue`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CatalogueView {
    /// Id of the model to offer first: the catalogue's default if the server has it, else the first
    /// chat model that it has.
    pub default_model: Option<String>,
    pub models: Vec<ModelView>,
}

/// A catalogue entry as this server offers it. `model.files` carry the real sizes and digests where
/// they are known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelView {
    #[serde(flatten)]
    pub model: Model,
    /// All files lie on this server, so a browser can load them.
    pub available: bool,
    /// All files together, or the one that browsers get in their place.
    pub size_bytes: u64,
    /// Estimate for a context of 4096 tokens.
    pub memory_bytes: u64,
}

impl ModelView {
    pub fn new(model: Model, available: bool) -> Self {
        let (size_bytes, memory_bytes) = (model.size_bytes(), model.usual_memory_bytes());
        Self { model, available, size_bytes, memory_bytes }
    }

    /// With another file in place of the model's own: what a browser loads of it.
    pub fn of_size(self, size_bytes: u64) -> Self {
        let memory_bytes = self.memory_bytes.saturating_sub(self.size_bytes) + size_bytes;
        Self { size_bytes, memory_bytes, ..self }
    }
}
