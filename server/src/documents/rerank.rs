//! In which order does a model that reads question and passage together put the passages?
//!
//! The best of a search go to the model that `[search] rerank` names: to its upstreams' `/rerank`, or to
//! an embedder of this process. One that fails or takes too long changes nothing but a counter, and is
//! let alone for a while: nobody waits for it again and again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use portico_shared::error::{ApiError, ErrorCode};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::embedders::{Embedders, cosine};
use crate::config::SearchConfig;
use crate::metrics::Metrics;
use crate::upstream::{Fleet, Place, SendError, Upstream};

/// How long one that failed is not asked.
const PAUSE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct Reranker {
    config: SearchConfig,
    fleet: Arc<Fleet>,
    metrics: Arc<Metrics>,
    paused_until: Mutex<Option<Instant>>,
}

/// What an upstream says of one passage.
#[derive(Debug, Deserialize)]
struct Scored {
    index: usize,
    #[serde(alias = "score")]
    relevance_score: f32,
}

#[derive(Debug, Deserialize)]
struct Scores {
    results: Vec<Scored>,
}

impl Reranker {
    pub fn new(config: SearchConfig, fleet: Arc<Fleet>, metrics: Arc<Metrics>) -> Self {
        Self { config, fleet, metrics, paused_until: Mutex::default() }
    }

    /// Whether one is configured.
    pub fn is_there(&self) -> bool {
        self.config.rerank.is_some()
    }

    /// How many passages a search is to find where `wanted` are needed.
    pub fn n_asked(&self, wanted: usize) -> usize {
        match self.is_there() {
            true => wanted.max(self.config.rerank_passages),
            false => wanted,
        }
    }

    /// Places of the first passages, best first; those that are not named follow as they were. None
    /// where the order is to stay.
    pub async fn order(
        &self,
        embedders: &Embedders,
        query: &str,
        mut texts: Vec<String>,
    ) -> Option<Vec<usize>> {
        let model = self.config.rerank.as_deref()?;
        texts.truncate(self.config.rerank_passages);
        if query.is_empty() || texts.len() < 2 {
            return None;
        }
        if self.is_paused() {
            self.metrics.rerank("paused", None);
            return None;
        }
        let start = Instant::now();
        let asked = tokio::time::timeout(
            self.config.rerank_wait,
            self.scores(embedders, model, query, &texts),
        );
        let (outcome, cause) = match asked.await {
            Ok(Ok(scores)) => match order(&scores, texts.len()) {
                Some(order) => {
                    self.metrics.rerank("ok", Some(start.elapsed()));
                    return Some(order);
                }
                None => ("failed", "it names passages that it was not given".to_owned()),
            },
            Ok(Err(error)) => ("failed", error.to_string()),
            Err(_) => ("late", format!("no answer in {:?}", self.config.rerank_wait)),
        };
        tracing::warn!(model, cause, "passages were not reranked");
        self.metrics.rerank(outcome, Some(start.elapsed()));
        *self.paused() = Some(Instant::now() + PAUSE);
        None
    }

    fn is_paused(&self) -> bool {
        self.paused().is_some_and(|until| Instant::now() < until)
    }

    fn paused(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.paused_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn scores(
        &self,
        embedders: &Embedders,
        model: &str,
        query: &str,
        texts: &[String],
    ) -> Result<Vec<Scored>, ApiError> {
        let Some(known) = self.fleet.model(model) else {
            return here(embedders, model, query, texts).await;
        };
        let mut last = ApiError::new(ErrorCode::UpstreamUnavailable).with("model", model);
        for endpoint in known.order() {
            let scores = match &endpoint.place {
                Place::Here => here(embedders, &endpoint.model, query, texts).await,
                Place::Upstream(upstream) => there(upstream, &endpoint.model, query, texts).await,
            };
            match scores {
                Ok(scores) => return Ok(scores),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

async fn there(
    upstream: &Arc<Upstream>,
    model: &str,
    query: &str,
    texts: &[String],
) -> Result<Vec<Scored>, ApiError> {
    let failed = |cause: String| {
        ApiError::new(ErrorCode::UpstreamFailed).detail(format!("{}: {cause}", upstream.id))
    };
    let mut body = Map::new();
    body.insert("query".to_owned(), Value::from(query));
    body.insert("documents".to_owned(), Value::from(texts.to_vec()));
    body.insert("top_n".to_owned(), Value::from(texts.len()));
    let whole = upstream.whole("/rerank", model, &body).await.map_err(|error| match error {
        SendError::Unreached { cause } | SendError::Failed { cause } => failed(cause),
        SendError::Busy(refusal) | SendError::Refused(refusal) => {
            failed(String::from_utf8_lossy(&refusal.body).into_owned())
        }
    })?;
    let scores: Scores =
        serde_json::from_slice(&whole.body).map_err(|error| failed(error.to_string()))?;
    Ok(scores.results)
}

/// By an embedder: the cosine of question and passage, as `/v1/rerank` has it.
async fn here(
    embedders: &Embedders,
    model: &str,
    query: &str,
    texts: &[String],
) -> Result<Vec<Scored>, ApiError> {
    let query = embedders.query(model, query).await?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let vectors = embedders.passages_now(model, &texts).await?;
    let scored = vectors
        .iter()
        .enumerate()
        .map(|(index, vector)| Scored { index, relevance_score: cosine(&query, vector) });
    Ok(scored.collect())
}

/// Best first; of equal scores as they were. None where a place is none, or is named twice.
fn order(scores: &[Scored], n: usize) -> Option<Vec<usize>> {
    let mut is_named = vec![false; n];
    for scored in scores {
        let named = is_named.get_mut(scored.index)?;
        if std::mem::replace(named, true) || !scored.relevance_score.is_finite() {
            return None;
        }
    }
    let mut sorted: Vec<&Scored> = scores.iter().collect();
    sorted.sort_by(|a, b| {
        b.relevance_score.total_cmp(&a.relevance_score).then(a.index.cmp(&b.index))
    });
    Some(sorted.into_iter().map(|scored| scored.index).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_names_each_passage_at_most_once_and_none_that_was_not_given() {
        let scored = |scores: &[(usize, f32)]| -> Vec<Scored> {
            let scored = |&(index, relevance_score)| Scored { index, relevance_score };
            scores.iter().map(scored).collect()
        };
        assert_eq!(order(&scored(&[(0, -3.0), (1, 2.0), (2, 2.0)]), 3), Some(vec![1, 2, 0]));
        assert_eq!(order(&scored(&[(2, 0.1)]), 3), Some(vec![2]));
        for bad in [&[(3, 1.0)][..], &[(0, 1.0), (0, 2.0)], &[(0, f32::NAN)]] {
            assert_eq!(order(&scored(bad), 3), None);
        }
        let json = r#"{"results":[{"index":1,"relevance_score":0.5},{"index":0,"score":2}]}"#;
        let scores: Scores = serde_json::from_str(json).unwrap();
        assert_eq!(order(&scores.results, 2), Some(vec![0, 1]));
    }
}
