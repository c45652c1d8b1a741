//! How does an administrator take a model off the server, and what forbids it?

use std::sync::Arc;

use portico_shared::error::{ApiError, ErrorCode};
use serde::Serialize;

use super::{State, Stock};
use crate::models;
use crate::people::PersonId;
use crate::people::audit::Entry;

/// What became free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Removed {
    pub freed_bytes: u64,
}

impl Stock {
    /// # Errors
    /// `model_not_found`, `model_absent`; `models_busy` while it is worked on; `model_in_use` while
    /// collections are searched with it.
    pub async fn remove(self: &Arc<Self>, id: &str, person: PersonId) -> Result<Removed, ApiError> {
        if self.job().is_some_and(|job| job.state == State::Running && job.model == id) {
            return Err(ApiError::new(ErrorCode::ModelsBusy).with("model", id));
        }
        if let Some(collections) = self.collections_by_embedder().await?.get(id) {
            let collections = collections.join(", ");
            return Err(ApiError::new(ErrorCode::ModelInUse)
                .with("model", id)
                .with("collections", collections));
        }
        let (library, named) = (Arc::clone(&self.library), id.to_owned());
        let removed = tokio::task::spawn_blocking(move || models::remove(&library, &named)).await;
        let removed = removed.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
        let freed_bytes = removed.map_err(|error| ApiError::from(&error))?;
        self.people.audit.note(Entry::act(&person.to_string(), "model_removed", id));
        Ok(Removed { freed_bytes })
    }
}
