//! Which passages answer a query? By words (BM25), by vectors (exactly, all of them), fused by rank.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use portico_shared::documents::Chunk;
use portico_shared::retrieval::{Fused, Fusion, Listed};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::words::{query_terms, words};
use super::{Shelved, Stored};
use crate::address::ON_DEVICE;
use crate::api::{Facets, Hit, HitDocument, Ranks, SearchRequest, SearchResponse};

/// How soon more of a word counts no more.
const K1: f32 = 1.2;
/// How much a long passage counts less.
const B: f32 = 0.75;
/// A word that only holds what was asked for: a compound, or the beginning of one.
const PART_WEIGHT: f32 = 0.5;
/// Shorter ones are in too many others.
const PART_CHARS_MIN: usize = 4;
/// Passages that each of both searches brings to the fusion.
const CANDIDATES: usize = 100;

/// A query as an embedder sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueryVector {
    pub embedder: String,
    pub values: Vec<f32>,
}

/// All passages, by their words.
#[derive(Default)]
pub(super) struct Index {
    passages: Vec<Place>,
    /// Term → passages and how often it stands there.
    postings: HashMap<String, Vec<(u32, u32)>>,
    n_words: u64,
}

/// A passage: which of which document.
struct Place {
    document: Uuid,
    ordinal: usize,
    n_words: u32,
}

impl Index {
    pub fn add(&mut self, stored: &Stored) {
        let title = stored.extracted.title.as_deref();
        for (ordinal, chunk) in stored.chunks.iter().enumerate() {
            let number = self.passages.len() as u32;
            let mut counts: HashMap<String, u32> = HashMap::new();
            let mut n_words = 0;
            let name = [stored.name.as_str(), &chunk.context_text(title)].join("\n");
            for word in words(&name) {
                n_words += 1;
                *counts.entry(word.term).or_default() += 1;
            }
            for (term, count) in counts {
                self.postings.entry(term).or_default().push((number, count));
            }
            self.n_words += u64::from(n_words);
            self.passages.push(Place { document: stored.id, ordinal, n_words });
        }
    }

    pub fn search(
        &self,
        documents: &BTreeMap<Uuid, Shelved>,
        request: &SearchRequest,
        vector: Option<&QueryVector>,
    ) -> SearchResponse {
        let chunk_of = |place: &Place| {
            let shelved = documents.get(&place.document)?;
            Some((shelved, shelved.stored.chunks.get(place.ordinal)?))
        };
        let passes = |number: u32| {
            let found = self.passages.get(number as usize).and_then(chunk_of);
            found.map(|(shelved, chunk)| Passes::new(request, &shelved.stored, chunk))
        };
        let is_wanted = |number: u32| passes(number).is_some_and(Passes::all);
        let terms = query_terms(&request.query);
        let groups: Vec<HashMap<&str, f32>> = terms.iter().map(|term| self.group(term)).collect();
        let (mut scores, n_matched) = self.by_words(&groups);
        let mut matched: HashSet<u32> = scores.keys().copied().collect();
        scores.retain(|number, _| is_wanted(*number));
        // One word of nine says less than all nine.
        let sureness = |number: &u32| match n_matched.get(number) {
            Some(n) => *n as f32 / terms.len().max(1) as f32,
            None => 0.0,
        };
        let by_words: Vec<Listed<u32>> = best(scores)
            .into_iter()
            .map(|(id, _)| Listed { id, sureness: sureness(&id) })
            .collect();
        let by_vector = match vector {
            Some(vector) => best(self.by_vector(documents, vector, &is_wanted)),
            None => Vec::new(),
        };
        let similarities: HashMap<u32, f32> = by_vector.iter().copied().collect();
        let by_vector: Vec<Listed<u32>> =
            by_vector.into_iter().map(|(id, _)| Listed { id, sureness: 1.0 }).collect();
        let ranked = Fusion::default().fuse(&by_words, &by_vector);
        let marked: HashSet<&str> = groups.iter().flat_map(|group| group.keys().copied()).collect();
        let hit = |found: Fused<u32>| {
            let place = self.passages.get(found.id as usize)?;
            let (shelved, chunk) = chunk_of(place)?;
            let stored = &shelved.stored;
            Some(Hit {
                passage: *stored.passages.get(place.ordinal)?,
                document: HitDocument {
                    id: stored.id,
                    name: stored.name.clone(),
                    collection: ON_DEVICE.to_owned(),
                    media_type: stored.media_type.clone(),
                },
                highlights: highlights(&chunk.text, &marked),
                text: chunk.text.clone(),
                heading_path: chunk.heading_path.clone(),
                page: chunk.page,
                section: chunk.section.clone(),
                score: f64::from(found.score),
                similarity: similarities.get(&found.id).copied(),
                ranks: Ranks { full_text: found.full_text_rank, vector: found.vector_rank },
            })
        };
        let n_hits = request.limit.max(1) as usize;
        // What was found by meaning alone has none of the words, and is counted as far as it is shown.
        let facets = request.facets.then(|| {
            matched.extend(ranked.iter().take(n_hits).map(|found| found.id));
            let mut facets = Facets::default();
            for number in matched {
                let found = self.passages.get(number as usize).and_then(chunk_of);
                if let (Some((shelved, chunk)), Some(passes)) = (found, passes(number)) {
                    passes.count(&mut facets, &shelved.stored, chunk);
                }
            }
            facets
        });
        let hits = ranked.into_iter().filter_map(hit).take(n_hits).collect();
        SearchResponse { hits, facets, ..SearchResponse::default() }
    }

    /// The terms of the index that stand for one of the query's, and how much each counts.
    fn group(&self, term: &str) -> HashMap<&str, f32> {
        let mut group = HashMap::new();
        if let Some((own, _)) = self.postings.get_key_value(term) {
            group.insert(own.as_str(), 1.0);
        }
        if term.chars().count() >= PART_CHARS_MIN {
            for known in self.postings.keys().filter(|known| known.contains(term)) {
                group.entry(known.as_str()).or_insert(PART_WEIGHT);
            }
        }
        group
    }

    /// Scores, and how many of the query's words each passage holds.
    fn by_words(&self, groups: &[HashMap<&str, f32>]) -> (HashMap<u32, f32>, HashMap<u32, u32>) {
        let n_passages = self.passages.len() as f32;
        let usual_words = self.n_words as f32 / n_passages.max(1.0);
        let mut scores: HashMap<u32, f32> = HashMap::new();
        let mut n_matched: HashMap<u32, u32> = HashMap::new();
        for group in groups {
            let mut counts: HashMap<u32, f32> = HashMap::new();
            for (term, weight) in group {
                for (number, count) in self.postings.get(*term).into_iter().flatten() {
                    *counts.entry(*number).or_default() += weight * *count as f32;
                }
            }
            let n_with = counts.len() as f32;
            let rarity = (1.0 + (n_passages - n_with + 0.5) / (n_with + 0.5)).ln();
            for (number, count) in counts {
                let Some(place) = self.passages.get(number as usize) else { continue };
                *n_matched.entry(number).or_default() += 1;
                let length = 1.0 - B + B * place.n_words as f32 / usual_words.max(1.0);
                *scores.entry(number).or_default() +=
                    rarity * count * (K1 + 1.0) / (count + K1 * length);
            }
        }
        (scores, n_matched)
    }

    fn by_vector(
        &self,
        documents: &BTreeMap<Uuid, Shelved>,
        query: &QueryVector,
        is_wanted: &dyn Fn(u32) -> bool,
    ) -> HashMap<u32, f32> {
        let mut scores = HashMap::new();
        for (number, place) in (0..).zip(&self.passages) {
            let vectors = documents.get(&place.document).and_then(|found| found.vectors.as_ref());
            let Some(vectors) = vectors.filter(|vectors| vectors.embedder == query.embedder) else {
                continue;
            };
            let from = place.ordinal * vectors.dims;
            let own = vectors.values.get(from..from + vectors.dims);
            let Some(own) = own.filter(|own| own.len() == query.values.len()) else { continue };
            if is_wanted(number) {
                scores.insert(number, own.iter().zip(&query.values).map(|(a, b)| a * b).sum());
            }
        }
        scores
    }
}

/// The best ones, best first; equals in the order of the documents.
fn best(scores: HashMap<u32, f32>) -> Vec<(u32, f32)> {
    let mut ranked: Vec<(u32, f32)> = scores.into_iter().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    ranked.truncate(CANDIDATES);
    ranked
}

/// Which filters let a passage through.
#[derive(Clone, Copy)]
struct Passes {
    by_collection: bool,
    by_type: bool,
    by_lang: bool,
    by_date: bool,
}

impl Passes {
    fn new(request: &SearchRequest, stored: &Stored, chunk: &Chunk) -> Self {
        let filter = &request.filter;
        let is_asked = |ids: &Vec<String>| ids.iter().any(|id| id == ON_DEVICE);
        Self {
            by_collection: request.collections.as_ref().is_none_or(is_asked),
            by_type: filter.types.is_empty() || filter.types.contains(&stored.media_type),
            by_lang: filter.langs.is_empty() || filter.langs.contains(&chunk.lang),
            by_date: filter.from.is_none_or(|from| stored.date_s >= from)
                && filter.to.is_none_or(|to| stored.date_s <= to),
        }
    }

    fn all(self) -> bool {
        self.by_collection && self.by_type && self.by_lang && self.by_date
    }

    /// Under each filter that, but for itself, lets it through.
    fn count(self, facets: &mut Facets, stored: &Stored, chunk: &Chunk) {
        let counts = [
            (Self { by_collection: true, ..self }, &mut facets.collections, ON_DEVICE),
            (Self { by_type: true, ..self }, &mut facets.types, stored.media_type.as_str()),
            (Self { by_lang: true, ..self }, &mut facets.langs, chunk.lang.as_str()),
        ];
        for (passes, counts, value) in counts {
            if passes.all() {
                *counts.entry(value.to_owned()).or_default() += 1;
            }
        }
    }
}

fn highlights(text: &str, terms: &HashSet<&str>) -> Vec<[u32; 2]> {
    let found = words(text).into_iter().filter(|word| terms.contains(word.term.as_str()));
    found.map(|word| word.chars).map(|Range { start, end }| [start, end]).collect()
}
