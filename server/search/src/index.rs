//! What does a data folder's search consist of, and how is it asked as one?

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use portico_shared::retrieval::Listed;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::full_text::{self, FullText, Hit};
use crate::vectors::{self, EmbedderId, Labels, Near, OpenStore, Point, StoreConfig, StoreInfo};
use crate::{DocLang, Facets, Filter, Found, FullTextConfig, Passage, Query, SearchError};

/// Where the index lies, and what makes its vectors.
#[derive(Clone, Debug)]
pub struct SearchConfig {
    pub folder: PathBuf,
    pub full_text: FullTextConfig,
    /// Without it words alone are searched.
    pub vectors: Option<(EmbedderId, StoreConfig)>,
}

impl SearchConfig {
    /// Full text alone.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), full_text: FullTextConfig::default(), vectors: None }
    }
}

/// What is to be put anew, from the texts, before the index has everything; and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rebuild {
    /// The index is new, another program's, or was damaged.
    pub full_text: bool,
    /// The embedder is another, or the store is empty or new.
    pub vectors: bool,
}

impl Rebuild {
    pub fn is_needed(self) -> bool {
        self.full_text || self.vectors
    }
}

/// What `state.json` says of the index beside it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct State {
    full_text_version: u32,
    has_full_text: bool,
    embedder: Option<EmbedderId>,
    /// [`StoreConfig::name`] of the store that `has_vectors` speaks of.
    store: Option<String>,
    has_vectors: bool,
}

/// How many hits each list gives for one that is asked for: fusion needs what only one has.
const LIST_FACTOR: usize = 4;
const LIST_MIN: usize = 50;
const LIST_MAX: usize = 400;

/// Full text and vectors of one data folder.
#[derive(Clone)]
pub struct SearchIndex {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    full_text: Arc<FullText>,
    stores: RwLock<Stores>,
    state: RwLock<State>,
    /// Points put and removed since the last [`SearchIndex::optimise`].
    n_changed: AtomicU64,
}

/// The store that answers, and one that is being filled to take its place.
#[derive(Clone, Default)]
struct Stores {
    answering: Option<OpenStore>,
    filling: Option<OpenStore>,
}

impl SearchIndex {
    /// Opens the index, or makes an empty one; see [`Self::rebuild_needed`].
    ///
    /// # Errors
    /// [`SearchError::InUse`] while another process has the folder open.
    pub async fn open(config: SearchConfig) -> Result<Self, SearchError> {
        let folder = config.folder.clone();
        let vectors = match config.vectors.clone() {
            Some((embedder, store)) => Some(OpenStore::open(embedder, store).await?),
            None => None,
        };
        let (full_text, mut state) =
            blocking(move || open_full_text(&config.folder, &config.full_text)).await?;
        if let Some(OpenStore { embedder, config, .. }) = &vectors
            && (state.embedder.as_ref() != Some(embedder) || state.store != Some(config.name()))
        {
            state.embedder = Some(embedder.clone());
            state.store = Some(config.name());
            state.has_vectors = false;
        }
        let stores = Stores { answering: vectors, ..Stores::default() };
        let inner = Inner {
            folder,
            full_text: Arc::new(full_text),
            stores: RwLock::new(stores),
            state: RwLock::new(state),
            n_changed: AtomicU64::new(0),
        };
        inner.save()?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether the vectors of the index in this folder lay in this process when it was last open.
    pub fn lay_in_folder(folder: &Path) -> bool {
        load(folder).store.as_deref() == Some(vectors::IN_PROCESS)
    }

    /// What must be put anew before the index has everything. It answers meanwhile, with what it has.
    pub fn rebuild_needed(&self) -> Rebuild {
        let state = self.inner.state.read().unwrap_or_else(PoisonError::into_inner);
        let has_store = self.inner.stores().answering.is_some();
        Rebuild { full_text: !state.has_full_text, vectors: has_store && !state.has_vectors }
    }

    /// Everything was put: [`Self::rebuild_needed`] says so from now on, also after a restart.
    pub fn rebuilt(&self, what: Rebuild) -> Result<(), SearchError> {
        {
            let mut state = self.inner.state.write().unwrap_or_else(PoisonError::into_inner);
            state.has_full_text |= what.full_text;
            state.has_vectors |= what.vectors;
        }
        self.inner.save()
    }

    /// Takes passages in, with their vectors if there are any, in the same order; one of the same id is
    /// replaced. Vectors are kept when it returns, words after [`Self::commit`].
    pub async fn put(
        &self,
        passages: &[Passage],
        vectors: Option<&[Vec<f32>]>,
    ) -> Result<(), SearchError> {
        if let Some(vectors) = vectors {
            if vectors.len() != passages.len() {
                let (passages, vectors) = (passages.len(), vectors.len());
                return Err(SearchError::Counts { passages, vectors });
            }
            let points = passages.iter().zip(vectors).map(|(passage, vector)| Point {
                id: passage.id,
                vector: vector.clone(),
                labels: Labels::from(passage),
            });
            self.put_points(points.collect()).await?;
        }
        let (full_text, passages) = (Arc::clone(&self.inner.full_text), passages.to_vec());
        blocking(move || full_text.put(&passages)).await
    }

    /// Vectors of passages whose words are in the index already.
    pub async fn put_points(&self, points: Vec<Point>) -> Result<(), SearchError> {
        let Stores { answering, filling } = self.inner.stores();
        let Some(answering) = answering else { return Ok(()) };
        // Another embedder's vectors are for whoever fills that store to make.
        if let Some(filling) = filling.filter(|filling| filling.embedder == answering.embedder) {
            filling.store.put(points.clone()).await?;
        }
        self.inner.n_changed.fetch_add(points.len() as u64, Ordering::Relaxed);
        answering.store.put(points).await
    }

    /// Removes passages; unknown ones are no error. Words are gone after [`Self::commit`].
    pub async fn remove(&self, ids: &[Uuid]) -> Result<(), SearchError> {
        let stores = self.inner.stores();
        for open in stores.filling.iter().chain(&stores.answering) {
            open.store.remove(ids).await?;
        }
        self.inner.n_changed.fetch_add(ids.len() as u64, Ordering::Relaxed);
        let (full_text, ids) = (Arc::clone(&self.inner.full_text), ids.to_vec());
        blocking(move || {
            full_text.remove(&ids);
            Ok(())
        })
        .await
    }

    /// What was put and removed until now outlives a crash and is seen by searches.
    pub async fn commit(&self) -> Result<(), SearchError> {
        let full_text = Arc::clone(&self.inner.full_text);
        blocking(move || full_text.commit()).await
    }

    /// Words that were put and removed since the last [`Self::commit`] are as if they had not been.
    pub async fn rollback(&self) -> Result<(), SearchError> {
        let full_text = Arc::clone(&self.inner.full_text);
        blocking(move || full_text.rollback()).await
    }

    /// Words and meaning, fused. Where the vector store does not answer, words alone; see
    /// [`Self::search_strictly`].
    pub async fn search(&self, query: &Query) -> Result<Vec<Found>, SearchError> {
        let (hits, near) = self.lists(query).await;
        let near = match near {
            Err(error) if error.is_transient() && !query.text.trim().is_empty() => {
                tracing::warn!(%error, "searching by words alone");
                Vec::new()
            }
            other => other?,
        };
        Ok(fused(query, &hits?, &near))
    }

    /// [`Self::search`], for which a store that does not answer is an error.
    pub async fn search_strictly(&self, query: &Query) -> Result<Vec<Found>, SearchError> {
        let (hits, near) = self.lists(query).await;
        Ok(fused(query, &hits?, &near?))
    }

    async fn lists(
        &self,
        query: &Query,
    ) -> (Result<Vec<Hit>, SearchError>, Result<Vec<Near>, SearchError>) {
        let n_listed = (query.limit.saturating_mul(LIST_FACTOR)).clamp(LIST_MIN, LIST_MAX);
        let words = async {
            let (full_text, text, filter) =
                (Arc::clone(&self.inner.full_text), query.text.clone(), query.filter.clone());
            blocking(move || full_text.search(&text, &filter, n_listed)).await
        };
        let meaning = async {
            match (&query.vector, self.inner.stores().answering) {
                (Some(vector), Some(open)) => {
                    open.store.search(vector.clone(), &query.filter, n_listed).await
                }
                _ => Ok(Vec::new()),
            }
        };
        tokio::join!(words, meaning)
    }

    /// How many passages with the question's words there are of each collection, type, language, year.
    pub async fn facets(&self, text: &str, filter: &Filter) -> Result<Facets, SearchError> {
        let (full_text, text, filter) =
            (Arc::clone(&self.inner.full_text), text.to_owned(), filter.clone());
        blocking(move || full_text.facets(&text, &filter)).await
    }

    /// Where in each text the words stand by which the question finds it: ranges of chars, in order.
    /// The texts' languages are their passages'.
    pub async fn marks(
        &self,
        question: &str,
        texts: Vec<(String, DocLang)>,
    ) -> Result<Vec<Vec<[u32; 2]>>, SearchError> {
        let (full_text, question) = (Arc::clone(&self.inner.full_text), question.to_owned());
        blocking(move || full_text.marks(&question, &texts)).await
    }

    /// Work that makes searches faster and that nobody waits for: minutes of it where there are many
    /// passages, while searches and changes go on. True when there was some.
    pub async fn optimise(&self) -> Result<bool, SearchError> {
        self.inner.n_changed.store(0, Ordering::Relaxed);
        match self.inner.stores().answering {
            Some(open) => open.store.optimise().await,
            None => Ok(false),
        }
    }

    /// Points that were put or removed since [`Self::optimise`] was last called, or since the index was
    /// opened.
    pub fn n_changed(&self) -> u64 {
        self.inner.n_changed.load(Ordering::Relaxed)
    }

    /// Both indexes are emptied, for a rebuild from the texts.
    pub async fn clear(&self) -> Result<(), SearchError> {
        let stores = self.inner.stores();
        for open in stores.filling.iter().chain(&stores.answering) {
            open.store.clear().await?;
        }
        let full_text = Arc::clone(&self.inner.full_text);
        blocking(move || full_text.clear()).await
    }

    pub fn n_passages(&self) -> u64 {
        self.inner.full_text.n_passages()
    }

    /// Of the full-text index on the disk.
    pub fn full_text_bytes(&self) -> u64 {
        self.inner.full_text.size_bytes()
    }

    /// None without vectors.
    pub async fn store_info(&self) -> Result<Option<StoreInfo>, SearchError> {
        match self.inner.stores().answering {
            Some(open) => Ok(Some(open.store.info().await?)),
            None => Ok(None),
        }
    }

    /// The store that answers.
    pub fn vectors(&self) -> Option<OpenStore> {
        self.inner.stores().answering
    }

    /// From now on what is put with vectors of its embedder goes to this store too, and what is removed
    /// leaves it too, until it takes the place of the one that answers.
    pub fn fill(&self, store: OpenStore) {
        self.inner.stores.write().unwrap_or_else(PoisonError::into_inner).filling = Some(store);
    }

    /// The store that was being filled is let go.
    pub fn stop_filling(&self) {
        self.inner.stores.write().unwrap_or_else(PoisonError::into_inner).filling = None;
    }

    /// The store that was filled answers from now on; gives the one that did.
    pub fn take_over(&self) -> Result<Option<OpenStore>, SearchError> {
        let before = {
            let mut stores = self.inner.stores.write().unwrap_or_else(PoisonError::into_inner);
            let Some(filled) = stores.filling.take() else { return Ok(None) };
            let mut state = self.inner.state.write().unwrap_or_else(PoisonError::into_inner);
            state.embedder = Some(filled.embedder.clone());
            state.store = Some(filled.config.name());
            state.has_vectors = true;
            stores.answering.replace(filled)
        };
        self.inner.save()?;
        Ok(before)
    }
}

impl Inner {
    fn stores(&self) -> Stores {
        self.stores.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn save(&self) -> Result<(), SearchError> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner).clone();
        save(&self.folder, &state)
    }
}

/// Opens the full text; what another program wrote, or what cannot be read, is set aside and made new.
fn open_full_text(
    folder: &Path,
    config: &FullTextConfig,
) -> Result<(FullText, State), SearchError> {
    std::fs::create_dir_all(folder).map_err(SearchError::io(folder))?;
    let mut state = load(folder);
    let own = folder.join("full_text");
    if state.full_text_version != full_text::VERSION {
        remove(&own)?;
        state.has_full_text = false;
        state.full_text_version = full_text::VERSION;
        // Said before the new index is there: a crash between them leaves an empty one that knows it.
        save(folder, &state)?;
    }
    let opened = match FullText::open(&own, config) {
        Err(SearchError::FullText(error)) => {
            tracing::warn!(%error, "the full-text index is made anew");
            remove(&own)?;
            state.has_full_text = false;
            save(folder, &state)?;
            FullText::open(&own, config)?
        }
        other => other?,
    };
    Ok((opened, state))
}

fn remove(folder: &Path) -> Result<(), SearchError> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(SearchError::io(folder)(error))
        }
        _ => Ok(()),
    }
}

/// Unreadable is as good as absent: then everything is put anew.
fn load(folder: &Path) -> State {
    let text = std::fs::read(folder.join("state.json")).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

fn save(folder: &Path, state: &State) -> Result<(), SearchError> {
    let path = folder.join("state.json");
    let beside = folder.join("state.json.new");
    let text = serde_json::to_vec(state).map_err(|error| SearchError::Config(error.to_string()))?;
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(&beside)?;
        std::io::Write::write_all(&mut file, &text)?;
        file.sync_all()?;
        std::fs::rename(&beside, &path)
    };
    write().map_err(SearchError::io(&path))
}

fn fused(query: &Query, hits: &[Hit], near: &[Near]) -> Vec<Found> {
    let words: Vec<Listed<Uuid>> =
        hits.iter().map(|hit| Listed { id: hit.id, sureness: sureness(hit.matched) }).collect();
    let meaning: Vec<Listed<Uuid>> =
        near.iter().map(|near| Listed { id: near.id, sureness: 1.0 }).collect();
    let mut fused = query.fusion.fuse(&words, &meaning);
    fused.truncate(query.limit);
    let place = |rank: Option<u32>| rank.and_then(|rank| usize::try_from(rank - 1).ok());
    fused
        .into_iter()
        .map(|one| Found {
            id: one.id,
            score: one.score,
            full_text_rank: one.full_text_rank,
            vector_rank: one.vector_rank,
            full_text_match: place(one.full_text_rank)
                .and_then(|at| hits.get(at))
                .map(|hit| hit.matched),
            cosine: place(one.vector_rank).and_then(|at| near.get(at)).map(|near| near.cosine),
        })
        .collect()
}

/// How much a place in the list of words is worth, by the share of the question that was found: with
/// more than half of it all, and hardly anything for the few words that two languages share.
fn sureness(matched: f32) -> f32 {
    ((matched - 0.1) / 0.5).clamp(0.1, 1.0)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SearchError> + Send + 'static,
) -> Result<T, SearchError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(SearchError::CutOff(error.to_string())),
    }
}
