//! Who makes the vectors of texts?
//!
//! An embedder is named by a model's id: one of the catalogue runs in this process, one of
//! `[[models]]` at its upstreams. Texts of documents wait for questions and for conversations, which
//! somebody waits for.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use portico_shared::catalogue::{EmbedKind, Kind, Prefixes};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::openai::{EmbeddingList, EmbeddingValue};
use portico_shared::tokenizer::{AddSpecial, ParseSpecial, Tokenizer};
use serde_json::{Map, Value};

use super::NO_EMBEDDER;
use crate::inference::{HostedModel, Inference};
use crate::models::Library;
use crate::stock::Defaults;
use crate::upstream::{Fleet, Place, SendError, Upstream};

/// What new collections get where nothing is said, if it lies in the models folder.
const USUAL: &str = "multilingual-e5-small";
/// Texts of one request to an upstream.
const UPSTREAM_BATCH: usize = 32;
/// How long work on documents lets conversations go first before it takes a turn all the same.
const PATIENCE: Duration = Duration::from_millis(400);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Shortest and longest that a vector can be and still be a unit vector, rounding included.
const UNIT: std::ops::Range<f32> = 0.98..1.02;

type Embedded<'a> = Pin<Box<dyn Future<Output = Result<Vec<Vec<f32>>, ApiError>> + Send + 'a>>;

/// Texts → unit vectors, `[n][dim]`.
trait Embedder: Send + Sync {
    /// Texts have their prefix already; what is too long for the model is cut off.
    fn embed(&self, texts: Vec<String>) -> Embedded<'_>;
}

/// All that there are.
pub struct Embedders {
    library: Arc<Library>,
    inference: Arc<Inference>,
    fleet: Arc<Fleet>,
    /// `[documents] embedder`
    wanted: Option<String>,
    /// What an administrator chose.
    defaults: Defaults,
    n_asking: AtomicUsize,
}

impl Embedders {
    pub fn new(
        library: Arc<Library>,
        inference: Arc<Inference>,
        fleet: Arc<Fleet>,
        wanted: Option<String>,
        defaults: Defaults,
    ) -> Self {
        Self { library, inference, fleet, wanted, defaults, n_asking: AtomicUsize::new(0) }
    }

    /// The embedder of new collections; none: they are searched by words alone.
    pub async fn default_id(&self) -> Option<String> {
        match self.wanted.as_deref() {
            Some(NO_EMBEDDER) => None,
            Some(id) => Some(id.to_owned()),
            None => match self.defaults.chosen().await.embedder {
                Some(id) if self.is_here(&id).await => Some(id),
                _ => self.is_here(USUAL).await.then(|| USUAL.to_owned()),
            },
        }
    }

    /// Whether an id names an embedder that could be asked now.
    pub async fn is_there(&self, id: &str) -> bool {
        let by_fleet = self.fleet.model(id).is_some_and(|model| model.kind == Kind::Embedding);
        by_fleet || self.is_here(id).await
    }

    async fn is_here(&self, id: &str) -> bool {
        let Ok(shelf) = self.library.shelf().await else { return false };
        let entry = shelf.entries.iter().find(|entry| entry.model.id == id);
        entry.is_some_and(|entry| entry.model.kind == Kind::Embedding && entry.is_available())
    }

    /// A question's unit vector.
    ///
    /// # Errors
    /// `model_absent` and the like, `upstream_unavailable`, `upstream_failed`.
    pub async fn query(&self, id: &str, query: &str) -> Result<Vec<f32>, ApiError> {
        self.n_asking.fetch_add(1, Ordering::Relaxed);
        let made = self.embed(id, EmbedKind::Query, &[query]).await;
        self.n_asking.fetch_sub(1, Ordering::Relaxed);
        made?.pop().ok_or_else(|| failed(id, "it gave no vector"))
    }

    /// Unit vectors of passages, when nobody else needs the processor.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub async fn passages(&self, id: &str, texts: &[&str]) -> Result<Vec<Vec<f32>>, ApiError> {
        self.let_others_go_first().await;
        self.embed(id, EmbedKind::Passage, texts).await
    }

    /// [`Self::passages`] for somebody who waits.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub async fn passages_now(&self, id: &str, texts: &[&str]) -> Result<Vec<Vec<f32>>, ApiError> {
        self.n_asking.fetch_add(1, Ordering::Relaxed);
        let made = self.embed(id, EmbedKind::Passage, texts).await;
        self.n_asking.fetch_sub(1, Ordering::Relaxed);
        made
    }

    /// What counts a text's tokens; none where the model is elsewhere.
    pub async fn tokenizer(&self, id: &str) -> Option<Arc<Tokenizer>> {
        match self.fleet.model(id) {
            Some(_) => None,
            None => Some(Arc::clone(&self.inference.model(id).await.ok()?.tokenizer)),
        }
    }

    async fn let_others_go_first(&self) {
        let start = tokio::time::Instant::now();
        while start.elapsed() < PATIENCE {
            let is_asked = self.n_asking.load(Ordering::Relaxed) > 0;
            let status = self.inference.status();
            let answers =
                status.models.iter().any(|model| model.batch_size > 0 && model.n_running > 0);
            if !is_asked && !answers {
                return;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn embed(
        &self,
        id: &str,
        kind: EmbedKind,
        texts: &[&str],
    ) -> Result<Vec<Vec<f32>>, ApiError> {
        let prefixes = self.prefixes(id);
        let texts: Vec<String> = texts.iter().map(|text| prefixes.apply(kind, text)).collect();
        let n_texts = texts.len();
        let mut last = None;
        for embedder in self.candidates(id) {
            match embedder.embed(texts.clone()).await {
                Ok(vectors) => {
                    check(id, &vectors, n_texts)?;
                    return Ok(vectors);
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| ApiError::new(ErrorCode::ModelNotFound).with("model", id)))
    }

    /// In the order in which they are tried.
    fn candidates(&self, id: &str) -> Vec<Box<dyn Embedder>> {
        let here = |id: &str| -> Box<dyn Embedder> {
            Box::new(Here { inference: Arc::clone(&self.inference), id: id.to_owned() })
        };
        let Some(model) = self.fleet.model(id) else { return vec![here(id)] };
        let candidate = |endpoint: &crate::upstream::Endpoint| match &endpoint.place {
            Place::Here => here(&endpoint.model),
            Place::Upstream(upstream) => {
                Box::new(There { upstream: Arc::clone(upstream), model: endpoint.model.clone() })
            }
        };
        model.order().into_iter().map(candidate).collect()
    }

    /// The catalogue's, or what `[[models]]` says.
    fn prefixes(&self, id: &str) -> Prefixes {
        if let Some(prefixes) = self.fleet.model(id).and_then(|model| model.prefixes.clone()) {
            return prefixes;
        }
        let model = self.library.catalogue.get(id);
        model.map(|model| model.prefixes.clone()).unwrap_or_default()
    }
}

impl std::fmt::Debug for Embedders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedders").field("wanted", &self.wanted).finish_non_exhaustive()
    }
}

/// In this process.
struct Here {
    inference: Arc<Inference>,
    id: String,
}

impl Embedder for Here {
    fn embed(&self, texts: Vec<String>) -> Embedded<'_> {
        Box::pin(async move {
            let model = self.inference.model(&self.id).await?;
            let hosted = Arc::clone(&model);
            let cut = tokio::task::spawn_blocking(move || token_ids(&hosted, &texts)).await;
            let ids = cut.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))??;
            self.inference.embed(&model, ids).await
        })
    }
}

/// Each text's tokens, at most as many as the model holds: the last stays, which is its end mark.
fn token_ids(model: &HostedModel, texts: &[String]) -> Result<Vec<Vec<u32>>, ApiError> {
    let n_ctx = model.facts.n_ctx as usize;
    let ids = texts.iter().map(|text| {
        let mut ids = model.tokenizer.encode(text, AddSpecial::Yes, ParseSpecial::No)?;
        if ids.len() > n_ctx {
            tracing::warn!(n_tokens = ids.len(), n_ctx, "a passage's end is not in its vector");
            let end = ids.last().copied();
            ids.truncate(n_ctx - 1);
            ids.extend(end);
        }
        Ok(ids)
    });
    ids.collect()
}

/// At an upstream, which cuts by itself.
struct There {
    upstream: Arc<Upstream>,
    model: String,
}

impl Embedder for There {
    fn embed(&self, texts: Vec<String>) -> Embedded<'_> {
        Box::pin(async move {
            let mut vectors = Vec::with_capacity(texts.len());
            for batch in texts.chunks(UPSTREAM_BATCH) {
                let mut body = Map::new();
                body.insert("input".to_owned(), Value::from(batch.to_vec()));
                body.insert("encoding_format".to_owned(), Value::from("float"));
                let whole = self.upstream.whole("/embeddings", &self.model, &body).await;
                let whole = whole.map_err(|error| self.error(error))?;
                let list: EmbeddingList = serde_json::from_slice(&whole.body)
                    .map_err(|error| failed(&self.upstream.id, error))?;
                let mut data = list.data;
                data.sort_by_key(|embedding| embedding.index);
                for embedding in data {
                    let EmbeddingValue::Floats(mut vector) = embedding.embedding else {
                        return Err(failed(&self.upstream.id, "it sends no floats"));
                    };
                    make_unit(&mut vector);
                    vectors.push(vector);
                }
            }
            Ok(vectors)
        })
    }
}

impl There {
    fn error(&self, error: SendError) -> ApiError {
        match error {
            SendError::Unreached { cause } => {
                let error = ApiError::new(ErrorCode::UpstreamUnavailable);
                error.with("model", &self.model).with("retry_after_s", 5).detail(cause)
            }
            SendError::Failed { cause } => failed(&self.upstream.id, cause),
            SendError::Busy(refusal) | SendError::Refused(refusal) => {
                failed(&self.upstream.id, String::from_utf8_lossy(&refusal.body))
            }
        }
    }
}

fn failed(who: &str, cause: impl std::fmt::Display) -> ApiError {
    ApiError::new(ErrorCode::UpstreamFailed).detail(format!("{who}: {cause}"))
}

/// What comes back must be as many unit vectors of one length.
fn check(id: &str, vectors: &[Vec<f32>], n_texts: usize) -> Result<(), ApiError> {
    let dim = vectors.first().map_or(0, Vec::len);
    let is_right = vectors.len() == n_texts
        && (n_texts == 0 || dim > 0)
        && vectors.iter().all(|vector| vector.len() == dim && is_unit(vector));
    match is_right {
        true => Ok(()),
        false => Err(failed(id, "it does not give one unit vector for each text")),
    }
}

pub fn is_unit(vector: &[f32]) -> bool {
    UNIT.contains(&norm(vector))
}

fn norm(vector: &[f32]) -> f32 {
    vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt() as f32
}

fn make_unit(vector: &mut [f32]) {
    let norm = norm(vector);
    if norm > 0.0 {
        vector.iter_mut().for_each(|x| *x /= norm);
    }
}

/// Of unit vectors.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_as_many_unit_vectors_of_one_length_are_taken() {
        let unit = vec![0.6, 0.8];
        assert!(check("m", &[unit.clone(), unit.clone()], 2).is_ok());
        for bad in
            [vec![unit.clone()], vec![unit.clone(), vec![1.0, 1.0]], vec![unit.clone(), vec![1.0]]]
        {
            assert_eq!(check("m", &bad, 2).unwrap_err().code, ErrorCode::UpstreamFailed);
        }
        assert!(check("m", &[vec![f32::NAN, 0.0]], 1).is_err());
        let mut long = vec![3.0, 4.0];
        make_unit(&mut long);
        assert!(is_unit(&long) && cosine(&long, &unit) > 0.999);
    }
}
