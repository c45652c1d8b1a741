//! How do the features become one application?

use std::sync::Arc;

use axum::Router;

use crate::guard::{self, GuardConfig};
use crate::models::Library;
use crate::page::Page;
use crate::weights::WeightIndex;
use crate::{catalogue, health, page, weights};

/// What the handlers share.
#[derive(Debug)]
pub struct App {
    pub library: Arc<Library>,
    pub weights: Arc<WeightIndex>,
    pub page: Page,
}

impl App {
    pub fn new(library: Library, page: Page) -> Arc<Self> {
        let library = Arc::new(library);
        let weights = Arc::new(WeightIndex::new(Arc::clone(&library)));
        Arc::new(Self { library, weights, page })
    }
}

/// The whole application: every feature's routes behind the guards.
pub fn app(state: Arc<App>, config: GuardConfig) -> Router {
    let routes = Router::new()
        .merge(health::router(Arc::clone(&state)))
        .merge(catalogue::router(Arc::clone(&state)))
        .merge(weights::router(Arc::clone(&state)))
        .merge(page::router(state));
    guard::guarded(routes, config)
}
