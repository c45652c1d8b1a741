//! How do the features become one application?

use std::path::Path;
use std::sync::Arc;

use axum::Router;

use crate::config::{Config, ConfigError};
use crate::gateway::{self, Gateway};
use crate::guard::{self, GuardConfig};
use crate::models::Library;
use crate::page::Page;
use crate::weights::WeightIndex;
use crate::{
    assistants, attachments, catalogue, documents, embed, first_hour, health, house, metrics,
    overview, page, people, shares, stock, sync, tools, usage, weights,
};

/// What the handlers share.
#[derive(Debug)]
pub struct App {
    pub library: Arc<Library>,
    pub weights: Arc<WeightIndex>,
    pub page: Page,
    pub gateway: Arc<Gateway>,
}

impl App {
    /// `config_path` is where the configuration stands, or would: its secrets' files lie beside it.
    ///
    /// # Errors
    /// When the configuration names a secret that cannot be read.
    pub fn new(
        library: Library,
        page: Page,
        config: Config,
        config_path: &Path,
    ) -> Result<Arc<Self>, ConfigError> {
        let library = Arc::new(library);
        let weights = Arc::new(WeightIndex::new(Arc::clone(&library)));
        let gateway = Gateway::new(Arc::clone(&library), config, config_path)?;
        Ok(Arc::new(Self { library, weights, page, gateway }))
    }
}

/// The whole application: every feature's routes behind the guards.
pub fn app(state: Arc<App>, config: GuardConfig) -> Router {
    let routes = Router::new()
        .merge(health::router(Arc::clone(&state)))
        .merge(metrics::router(Arc::clone(&state.gateway)))
        .merge(catalogue::router(Arc::clone(&state)))
        .merge(weights::router(Arc::clone(&state)))
        .merge(embed::router())
        .merge(page::router(Arc::clone(&state)));
    let routes = guard::limited(routes, config.request_timeout, config.max_body_bytes);
    // The gateway has limits of its own: an answer takes longer than a file.
    let routes = routes.merge(gateway::router(Arc::clone(&state.gateway)));
    // So have documents: a file takes longer to come than a request.
    let routes = routes.merge(documents::router(Arc::clone(&state.gateway)));
    let routes = routes.merge(attachments::router(Arc::clone(&state.gateway)));
    let routes = routes.merge(sync::router(Arc::clone(&state.gateway)));
    let routes = routes.merge(first_hour::router(Arc::clone(&state.gateway)));
    let routes = routes.merge(stock::router(Arc::clone(&state.gateway)));
    let routes = routes.merge(tools::router(Arc::clone(&state.gateway)));
    let routes = routes.merge(assistants::router(Arc::clone(&state.gateway)));
    let routes = routes.merge(people::router(Arc::clone(&state.gateway)));
    let routes = routes.merge(house::router(Arc::clone(&state.gateway)));
    let routes = routes.merge(shares::router(Arc::clone(&state.gateway)));
    let routes = routes.merge(usage::router(Arc::clone(&state.gateway)));
    let routes = routes.merge(overview::router(Arc::clone(&state.gateway)));
    guard::outer(routes, config.hosts, config.embedders)
}
