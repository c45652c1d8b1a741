//! Which upstreams and models did the organisation declare, and how is each doing?

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use portico_shared::catalogue::{Kind, Prefixes};

use super::choose;
use super::health::Breaker;
use super::record::Record;
use super::secret::Bearer;
use super::trust::authorities;
use super::wire::Wire;
use crate::config::{Config, ConfigError, EndpointConfig, UpstreamConfig};

/// How often one that is not well is looked at.
const CHECK_WHEN_DOWN: Duration = Duration::from_secs(2);
/// How long a health check may take.
const CHECK_PATIENCE: Duration = Duration::from_secs(5);

/// Everything that `portico.toml` says about models.
#[derive(Debug)]
pub struct Fleet {
    pub upstreams: Vec<Arc<Upstream>>,
    models: Vec<Arc<FleetModel>>,
    /// Ids and aliases → place in `models`.
    names: BTreeMap<String, usize>,
}

/// A model under a name of this server.
#[derive(Debug)]
pub struct FleetModel {
    pub id: String,
    pub aliases: Vec<String>,
    pub kind: Kind,
    /// Before an embedder's texts, where the configuration says.
    pub prefixes: Option<Prefixes>,
    pub endpoints: Vec<Endpoint>,
}

/// One of those who answer for a model.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub place: Place,
    /// Its name there.
    pub model: String,
    weight: u32,
}

#[derive(Clone, Debug)]
pub enum Place {
    /// In this process.
    Here,
    Upstream(Arc<Upstream>),
}

/// An OpenAI-compatible server.
#[derive(Debug)]
pub struct Upstream {
    pub id: String,
    pub(super) wire: Wire,
    pub(super) first_byte: Duration,
    pub(super) idle: Duration,
    health_every: Duration,
    health_path: String,
    max_running: usize,
    running: AtomicUsize,
    breaker: Mutex<Breaker>,
    record: Mutex<Record>,
}

impl Fleet {
    /// # Errors
    /// When a secret cannot be read.
    pub fn new(config: &Config, config_path: &Path) -> Result<Self, ConfigError> {
        let upstreams = config
            .upstreams
            .iter()
            .map(|upstream| Upstream::new(upstream.get_ref(), config_path).map(Arc::new));
        let upstreams = upstreams.collect::<Result<Vec<_>, _>>()?;
        let endpoint = |model: &str, endpoint: &EndpointConfig| {
            let named = endpoint.upstream.as_ref();
            let place = named.and_then(|id| upstreams.iter().find(|upstream| upstream.id == *id));
            Endpoint {
                place: place.map_or(Place::Here, |place| Place::Upstream(Arc::clone(place))),
                model: endpoint.model.clone().unwrap_or_else(|| model.to_owned()),
                weight: endpoint.weight,
            }
        };
        let (mut models, mut names) = (Vec::new(), BTreeMap::new());
        for model in &config.models {
            let model = model.get_ref();
            for name in std::iter::once(&model.id).chain(&model.aliases) {
                names.insert(name.clone(), models.len());
            }
            let endpoints = model.endpoints.iter().map(|each| endpoint(&model.id, each));
            models.push(Arc::new(FleetModel {
                id: model.id.clone(),
                aliases: model.aliases.clone(),
                kind: model.kind,
                prefixes: model.prefixes.clone(),
                endpoints: endpoints.collect(),
            }));
        }
        Ok(Self { upstreams, models, names })
    }

    /// By its id or an alias.
    pub fn model(&self, name: &str) -> Option<&Arc<FleetModel>> {
        self.names.get(name).and_then(|&i| self.models.get(i))
    }

    pub fn models(&self) -> impl Iterator<Item = &Arc<FleetModel>> {
        self.models.iter()
    }

    /// Asks each upstream for its health, for ever.
    pub fn keep_checking(&self) {
        for upstream in &self.upstreams {
            if !upstream.health_every.is_zero() {
                tokio::spawn(Arc::clone(upstream).keep_checking());
            }
        }
    }
}

impl FleetModel {
    /// Its endpoints in the order in which they are tried this time.
    pub fn order(&self) -> Vec<&Endpoint> {
        let weights: Vec<u32> = self.endpoints.iter().map(|endpoint| endpoint.weight).collect();
        let order = choose::order(&weights, choose::draw);
        order.into_iter().map(|i| &self.endpoints[i]).collect()
    }
}

impl Upstream {
    fn new(config: &UpstreamConfig, config_path: &Path) -> Result<Self, ConfigError> {
        let bearer = match &config.api_key {
            Some(secret) => Some(Bearer::read(secret, config_path)?),
            None => None,
        };
        let authorities = match &config.ca_file {
            Some(file) => Some(authorities(file, config_path)?),
            None => None,
        };
        let wire = Wire::new(config.url.clone(), bearer, authorities, config.connect);
        let wire = wire.map_err(|error| ConfigError::Inconsistent {
            path: config_path.to_owned(),
            reason: format!("the upstream `{}`: {error}", config.id),
        })?;
        Ok(Self {
            id: config.id.clone(),
            wire,
            first_byte: config.first_byte,
            idle: config.idle,
            health_every: config.health_every,
            health_path: config.health_path.clone(),
            max_running: config.max_running,
            running: AtomicUsize::new(0),
            breaker: Mutex::default(),
            record: Mutex::default(),
        })
    }

    pub fn is_well(&self) -> bool {
        self.breaker().is_well()
    }

    /// How it did since this program started.
    pub fn record(&self) -> Record {
        self.noted().clone()
    }

    pub fn max_running(&self) -> usize {
        self.max_running
    }

    pub fn n_running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// Until it may be asked again.
    pub fn wait(&self) -> Duration {
        self.breaker().wait(Instant::now())
    }

    /// A place among its running requests, unless it is unwell or busy.
    pub(super) fn enter(self: &Arc<Self>) -> Result<Running, &'static str> {
        let running = Running(Arc::clone(self));
        if self.running.fetch_add(1, Ordering::Relaxed) >= self.max_running {
            return Err("it is busy");
        }
        if !self.breaker().admits(Instant::now()) {
            return Err("it has failed lately");
        }
        Ok(running)
    }

    pub(super) fn succeeded(&self) {
        let mut breaker = self.breaker();
        if !breaker.is_well() {
            tracing::info!(upstream = self.id, "is well again");
        }
        breaker.succeeded();
    }

    pub(super) fn failed(&self, cause: &str) {
        self.noted().note_fault(cause);
        let mut breaker = self.breaker();
        let was_well = breaker.is_well();
        breaker.failed(Instant::now());
        if was_well && !breaker.is_well() {
            tracing::warn!(upstream = self.id, cause, "is not asked for a while");
        }
    }

    async fn keep_checking(self: Arc<Self>) {
        loop {
            let start = Instant::now();
            match self.wire.send(&self.health_path, None, CHECK_PATIENCE).await {
                Ok(answer) if answer.status().is_success() => {
                    self.noted().note_check(start.elapsed());
                    self.succeeded();
                }
                Ok(answer) => self.failed(&format!("health check: status {}", answer.status())),
                Err(error) => self.failed(&format!("health check: {error}")),
            }
            let every = match self.is_well() {
                true => self.health_every,
                false => self.health_every.min(CHECK_WHEN_DOWN),
            };
            tokio::time::sleep(every).await;
        }
    }

    pub(super) fn noted(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of an upstream's running requests.
#[derive(Debug)]
pub(super) struct Running(Arc<Upstream>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}
