//! How is the server doing? For Prometheus, at `/metrics`.

mod readers;
mod serve;

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

pub use readers::Peer;
pub use serve::router;

/// Where a model ran.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ModelLabels {
    pub model: String,
    /// `server`: in this process. Else `upstream`.
    pub place: &'static str,
    /// The upstream's id, or nothing.
    pub upstream: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    model: String,
    place: &'static str,
    upstream: String,
    route: &'static str,
    /// `ok`, `cut` where the client went, else an error's code.
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TokenLabels {
    model: String,
    place: &'static str,
    upstream: String,
    /// `prompt` or `completion`
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HostedLabels {
    model: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UpstreamLabels {
    upstream: String,
}

/// What a model in this process does at one moment.
#[derive(Clone, Debug, Default)]
pub struct HostedNow {
    pub model: String,
    pub memory_bytes: u64,
    pub n_running: usize,
    pub n_queued: usize,
    pub batch_size: usize,
}

/// What an upstream does at one moment.
#[derive(Clone, Debug)]
pub struct UpstreamNow {
    pub id: String,
    pub is_well: bool,
    pub n_running: usize,
}

type Times = Family<ModelLabels, Histogram, fn() -> Histogram>;

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    tokens: Family<TokenLabels, Counter>,
    first_token: Times,
    between_tokens: Times,
    open_streams: Gauge,
    kept_streams: Gauge,
    queue_depth: Family<HostedLabels, Gauge>,
    running: Family<HostedLabels, Gauge>,
    batch_size: Family<HostedLabels, Gauge>,
    memory: Family<HostedLabels, Gauge>,
    upstream_up: Family<UpstreamLabels, Gauge>,
    upstream_running: Family<UpstreamLabels, Gauge>,
    searches: Histogram,
    reranks: Family<RerankLabels, Counter>,
    rerank_times: Histogram,
    documents: Family<StateLabels, Gauge>,
    passages_left: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RerankLabels {
    /// `ok`, `failed`, `late`, or `paused` where it was not asked because it had failed before
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    /// `pending`, `ready` or `failed`
    state: &'static str,
}

fn search_times() -> Histogram {
    Histogram::new([0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5])
}

fn first_token_times() -> Histogram {
    Histogram::new([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0])
}

fn token_times() -> Histogram {
    Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5])
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("portico"),
            requests: Family::default(),
            tokens: Family::default(),
            first_token: Family::new_with_constructor(first_token_times),
            between_tokens: Family::new_with_constructor(token_times),
            open_streams: Gauge::default(),
            kept_streams: Gauge::default(),
            queue_depth: Family::default(),
            running: Family::default(),
            batch_size: Family::default(),
            memory: Family::default(),
            upstream_up: Family::default(),
            upstream_running: Family::default(),
            searches: search_times(),
            reranks: Family::default(),
            rerank_times: search_times(),
            documents: Family::default(),
            passages_left: Gauge::default(),
        };
        metrics.registered()
    }
}

impl Metrics {
    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register("requests", "Requests by what came of them", self.requests.clone());
        registry.register("tokens", "Tokens read and written", self.tokens.clone());
        registry.register_with_unit(
            "time_to_first_token",
            "From a request's arrival to its first token",
            Unit::Seconds,
            self.first_token.clone(),
        );
        registry.register_with_unit(
            "inter_token_latency",
            "Between two pieces of a streamed answer",
            Unit::Seconds,
            self.between_tokens.clone(),
        );
        registry.register("open_streams", "Streams on their way", self.open_streams.clone());
        registry.register(
            "kept_streams",
            "Answers that can be picked up again",
            self.kept_streams.clone(),
        );
        registry.register("queue_depth", "Requests that wait", self.queue_depth.clone());
        registry.register("running", "Answers in the making", self.running.clone());
        registry.register("batch_size", "Sequences of the last step", self.batch_size.clone());
        registry.register_with_unit(
            "model_memory",
            "What a loaded model takes",
            Unit::Bytes,
            self.memory.clone(),
        );
        registry.register("upstream_up", "1 where it is well", self.upstream_up.clone());
        registry.register(
            "upstream_running",
            "Requests on their way there",
            self.upstream_running.clone(),
        );
        registry.register_with_unit(
            "document_search",
            "From a question to its passages",
            Unit::Seconds,
            self.searches.clone(),
        );
        registry.register(
            "document_reranks",
            "Searches whose passages a model was to put in order, by what came of it",
            self.reranks.clone(),
        );
        registry.register_with_unit(
            "document_rerank",
            "What a search waited for the model that puts its passages in order",
            Unit::Seconds,
            self.rerank_times.clone(),
        );
        registry.register(
            "queued_documents",
            "Documents since the queue was last empty, by what became of them",
            self.documents.clone(),
        );
        registry.register(
            "passages_to_embed",
            "Passages that wait for their vectors",
            self.passages_left.clone(),
        );
        self
    }

    pub fn request(&self, labels: &ModelLabels, route: &'static str, outcome: &'static str) {
        let ModelLabels { model, place, upstream } = labels.clone();
        self.requests
            .get_or_create(&RequestLabels { model, place, upstream, route, outcome })
            .inc();
    }

    pub fn tokens(&self, labels: &ModelLabels, kind: &'static str, n: u64) {
        if n > 0 {
            let ModelLabels { model, place, upstream } = labels.clone();
            self.tokens.get_or_create(&TokenLabels { model, place, upstream, kind }).inc_by(n);
        }
    }

    pub fn first_token(&self, labels: &ModelLabels, took: Duration) {
        self.first_token.get_or_create(labels).observe(took.as_secs_f64());
    }

    pub fn next_token(&self, labels: &ModelLabels, took: Duration) {
        self.between_tokens.get_or_create(labels).observe(took.as_secs_f64());
    }

    pub fn search(&self, took: Duration) {
        self.searches.observe(took.as_secs_f64());
    }

    /// What came of reranking a search's passages, and how long it took if it was tried.
    pub fn rerank(&self, outcome: &'static str, took: Option<Duration>) {
        self.reranks.get_or_create(&RerankLabels { outcome }).inc();
        if let Some(took) = took {
            self.rerank_times.observe(took.as_secs_f64());
        }
    }

    /// How far the queue of documents is.
    pub fn documents(&self, total: &crate::documents::Total) {
        let gauge = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        for (state, n) in
            [("pending", total.n_pending()), ("ready", total.n_ready), ("failed", total.n_failed)]
        {
            self.documents.get_or_create(&StateLabels { state }).set(gauge(n));
        }
        self.passages_left.set(gauge(total.n_passages.saturating_sub(total.n_embedded)));
    }

    /// A stream is on its way until this is dropped.
    pub fn open_stream(&self) -> OpenStream {
        self.open_streams.inc();
        OpenStream(self.open_streams.clone())
    }

    pub fn n_open_streams(&self) -> i64 {
        self.open_streams.get()
    }

    /// The text that Prometheus reads, with what is true only now filled in.
    pub fn text(
        &self,
        hosted: &[HostedNow],
        upstreams: &[UpstreamNow],
        n_kept_streams: usize,
    ) -> Result<String, std::fmt::Error> {
        // A model that was unloaded is gone.
        for family in [&self.queue_depth, &self.running, &self.batch_size, &self.memory] {
            family.clear();
        }
        let gauge = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        for now in hosted {
            let labels = HostedLabels { model: now.model.clone() };
            self.queue_depth.get_or_create(&labels).set(gauge(now.n_queued));
            self.running.get_or_create(&labels).set(gauge(now.n_running));
            self.batch_size.get_or_create(&labels).set(gauge(now.batch_size));
            let memory = i64::try_from(now.memory_bytes).unwrap_or(i64::MAX);
            self.memory.get_or_create(&labels).set(memory);
        }
        for now in upstreams {
            let labels = UpstreamLabels { upstream: now.id.clone() };
            self.upstream_up.get_or_create(&labels).set(now.is_well.into());
            self.upstream_running.get_or_create(&labels).set(gauge(now.n_running));
        }
        self.kept_streams.set(gauge(n_kept_streams));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Counts one open stream while it lives.
#[derive(Debug)]
pub struct OpenStream(Gauge);

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_can_be_read() {
        let metrics = Metrics::default();
        let labels = ModelLabels { model: "m".into(), place: "server", upstream: String::new() };
        metrics.request(&labels, "chat", "ok");
        metrics.tokens(&labels, "prompt", 7);
        metrics.first_token(&labels, Duration::from_millis(30));
        let stream = metrics.open_stream();
        let hosted =
            HostedNow { model: "m".into(), n_queued: 2, batch_size: 3, ..HostedNow::default() };
        let text = metrics.text(std::slice::from_ref(&hosted), &[], 0).unwrap();
        for line in [
            "portico_requests_total{model=\"m\",place=\"server\",upstream=\"\",route=\"chat\",outcome=\"ok\"} 1",
            "portico_tokens_total{model=\"m\",place=\"server\",upstream=\"\",kind=\"prompt\"} 7",
            "portico_time_to_first_token_seconds_bucket{le=\"0.05\",model=\"m\",place=\"server\",upstream=\"\"} 1",
            "portico_queue_depth{model=\"m\"} 2",
            "portico_batch_size{model=\"m\"} 3",
            "portico_open_streams 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        drop(stream);
        let text = metrics.text(&[], &[], 0).unwrap();
        assert!(
            text.contains("portico_open_streams 0") && !text.contains("queue_depth{"),
            "{text}"
        );
    }
}
