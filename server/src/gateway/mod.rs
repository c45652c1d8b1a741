//! How do OpenAI's clients use this server? Everything that knows that dialect's HTTP is here.
//!
//! A request comes in as JSON (`body`), from a caller (`access`); its model's name leads to those who
//! answer for it (`served`): a model in this process (`here`) or upstreams. Streams are `events`
//! wherever they come from; an `assistant` that is named in a model's place is put into the request; what
//! documents say goes into it by `ground` or, where the model asks for it, by `searching`, and its answer is
//! read for citations (`citing`). A `meter` counts what each request used, also one that is cut off; `kept`
//! streams outlive their connection.

mod access;
mod answering;
mod assistant;
mod body;
mod chat;
mod citing;
mod completions;
mod embeddings;
mod events;
mod fault;
mod ground;
mod here;
mod kept;
mod meter;
mod models;
mod openapi;
mod relay;
mod rerank;
mod responses;
mod searching;
mod served;
mod tokenize;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};

use crate::assistants::Assistants;
use crate::attachments::Attachments;
use crate::config::{Config, ConfigError};
use crate::db::{Db, DbError, Home};
use crate::documents::{Around, Documents, FileStore};
use crate::guard::{Routes, routed};
use crate::house::Board;
use crate::inference::{Inference, InferenceConfig};
use crate::keys::Keys;
use crate::listen::Ending;
use crate::metrics::{HostedNow, Metrics};
use crate::models::Library;
use crate::people::{Oidc, People};
use crate::shares::Shares;
use crate::stock::{Defaults, Stock};
use crate::sync::Sync;
use crate::tools::Tools;
use crate::upstream::Fleet;
use crate::usage::Usage;
use crate::vault::{KeyFile, Vault};

pub use access::{Address, Caller, OwnPage};
pub use body::Body as JsonBody;

/// How long an answer's head may take: as long as an answer, and somewhat more, so that the answer's
/// own limit speaks first.
const HEAD_GRACE: Duration = Duration::from_secs(5);

/// What the dialect's handlers share.
pub struct Gateway {
    /// Where the database lies.
    pub home: Home,
    /// For what reads several features' tables.
    pub db: Db,
    pub config: Config,
    pub library: Arc<Library>,
    pub inference: Arc<Inference>,
    pub fleet: Arc<Fleet>,
    pub keys: Arc<Keys>,
    pub people: Arc<People>,
    pub oidc: Option<Oidc>,
    /// Announcements and prompts.
    pub board: Board,
    pub shares: Shares,
    pub metrics: Arc<Metrics>,
    pub kept: Arc<kept::KeptStreams>,
    pub documents: Arc<Documents>,
    pub attachments: Arc<Attachments>,
    /// Where the bytes of documents and attachments lie.
    pub files: FileStore,
    pub sync: Arc<Sync>,
    pub tools: Tools,
    /// The key of secrets.
    pub vault: Vault,
    pub usage: Usage,
    /// The models, as administrators see to them.
    pub stock: Arc<Stock>,
    /// Which of them are offered first.
    pub defaults: Defaults,
    pub assistants: Assistants,
    /// What lasts until its listener goes hears of it.
    pub ending: Ending,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").finish_non_exhaustive()
    }
}

impl Gateway {
    /// # Errors
    /// When the configuration names a secret that cannot be read.
    pub fn new(
        library: Arc<Library>,
        config: Config,
        config_path: &Path,
    ) -> Result<Arc<Self>, ConfigError> {
        let data_dir = library.layout.data_dir();
        let home = Home::new(&config.database, data_dir, config_path)?;
        let db = Db::new(home.clone());
        let inference = Inference::new(Arc::clone(&library), inference_config(&config));
        let sync = Sync::new(&home);
        let usage = Usage::new(&home);
        let fleet = Arc::new(Fleet::new(&config, config_path)?);
        let server = &config.server;
        let oidc = config
            .people
            .oidc
            .as_ref()
            .map(|oidc| Oidc::new(oidc, config_path, server.public_url.as_ref(), server.addr));
        let oidc = oidc.transpose()?;
        let metrics: Arc<Metrics> = Arc::default();
        let files = FileStore::new(library.layout.data_dir(), &config, config_path)?;
        let max_total_bytes = config.documents.max_total_bytes;
        let attachments =
            Attachments::new(&home, library.layout.data_dir(), files.clone(), max_total_bytes);
        let around = Around {
            library: Arc::clone(&library),
            home: home.clone(),
            inference: Arc::clone(&inference),
            fleet: Arc::clone(&fleet),
            metrics: Arc::clone(&metrics),
            search: config.search.clone(),
            files: files.clone(),
        };
        let documents = Documents::new(config.documents.clone(), around);
        let vault = Vault::new(KeyFile::of(server, data_dir, config_path), db.clone());
        let session_s = u64::from(config.people.session_days) * 86_400;
        let people = People::new(db.clone(), session_s, vault.clone());
        let defaults = Defaults::new(db.clone());
        let stock = Stock::new(
            Arc::clone(&library),
            Arc::clone(&inference),
            Arc::clone(&people),
            db.clone(),
            defaults.clone(),
        );
        Ok(Arc::new(Self {
            home,
            documents,
            attachments,
            files,
            tools: Tools::new(&config, config_path, db.clone(), vault.clone())?,
            vault,
            assistants: Assistants::new(db.clone()),
            ending: Ending::default(),
            sync,
            usage,
            fleet,
            library,
            inference,
            people,
            stock,
            defaults,
            oidc,
            board: Board::new(db.clone()),
            shares: Shares::new(db.clone()),
            keys: Keys::new(db.clone()),
            db,
            metrics,
            kept: kept::KeptStreams::new(&config.limits),
            config,
        }))
    }

    /// What goes on beside requests: health checks, writing what was used, forgetting old streams, the
    /// work on documents.
    pub fn start(self: &Arc<Self>) {
        self.documents.start();
        self.stock.resume();
        self.fleet.keep_checking();
        let keys = Arc::clone(&self.keys);
        tokio::spawn(async move { keys.keep_writing().await });
        let people = Arc::clone(&self.people);
        tokio::spawn(async move { people.keep_writing().await });
        let gateway = Arc::clone(self);
        tokio::spawn(async move { gateway.keep_expiring().await });
        let attachments = Arc::clone(&self.attachments);
        tokio::spawn(async move { attachments.keep_tidy().await });
        let kept = Arc::clone(&self.kept);
        tokio::spawn(async move { kept.keep_forgetting().await });
    }

    /// Writes what was counted, when no request is left.
    pub fn close(&self) -> Result<(), DbError> {
        self.keys.close()?;
        self.people.close()
    }

    /// How each loaded model is doing.
    pub fn hosted_now(&self) -> Vec<HostedNow> {
        let status = self.inference.status();
        let models = status.models.into_iter().map(|model| HostedNow {
            model: model.id,
            memory_bytes: model.memory_bytes,
            n_running: model.n_running,
            n_queued: model.n_queued,
            batch_size: model.batch_size,
        });
        models.collect()
    }
}

pub(crate) fn inference_config(config: &Config) -> InferenceConfig {
    let mut inference = InferenceConfig::default();
    let limits = &config.inference;
    inference.device = limits.device;
    if let Some(memory_bytes) = limits.memory_bytes {
        inference.memory_bytes = memory_bytes;
    }
    if let Some(max_queue) = limits.max_queue {
        inference.max_queue = max_queue;
    }
    if let Some(max_sequences) = limits.max_sequences {
        inference.max_sequences = max_sequences;
    }
    if let Some(n_ctx_max) = limits.n_ctx_max {
        inference.n_ctx_max = n_ctx_max;
    }
    if let Some(n_threads) = limits.n_threads {
        inference.n_threads = n_threads;
    }
    inference
}

pub fn router(gateway: Arc<Gateway>) -> Router {
    let limits = &gateway.config.limits;
    let (head, max_body_bytes) = (limits.answer + HEAD_GRACE, limits.max_body_bytes);
    routed(&gateway, routes(), head, max_body_bytes)
}

/// What `openapi.json` describes.
fn routes() -> Routes {
    vec![
        ("/v1/models", get(models::list)),
        // An id may hold slashes, as a hub's names do.
        ("/v1/models/{*id}", get(models::one)),
        ("/v1/chat/completions", post(chat::chat)),
        ("/v1/completions", post(completions::completions)),
        ("/v1/embeddings", post(embeddings::embeddings)),
        ("/v1/responses", post(responses::responses)),
        ("/v1/rerank", post(rerank::rerank)),
        ("/v1/streams/{id}", get(kept::pick_up)),
        ("/v1/streams/{id}/cancel", post(kept::cancel)),
        ("/tokenize", post(tokenize::tokenize)),
        ("/detokenize", post(tokenize::detokenize)),
        ("/openapi.json", get(openapi::document)),
    ]
}
