//! Which passages answer a question, and may the asker read them?
//!
//! What the asker may read goes into both indexes' queries; the database, when it gives the texts, asks
//! once more, and knows what is live.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use portico_search::vectors::EmbedderId;
use portico_search::{Filter, Found, Query};
use portico_shared::documents::{Chunk, DocLang};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::grounding::{Source, similarity};
use portico_shared::retrieval::{
    Candidate, Fusion, HitDocument, HitRanks, Neighbour, SearchFacets, SearchFilter, SearchHit,
    SearchMode, SearchRequest, SearchResponse, Spread, joined, spread, within_budget,
};
use uuid::Uuid;

use super::embedders::is_unit;
use super::passages::{chunk_from_row, id_from_blob};
use super::{DocumentView, Documents};
use crate::db::sql::{self, Connection};
use crate::people::{Right, Rights};

const USUAL_LIMIT: u32 = 10;
const LIMIT_MAX: u32 = 100;
const QUERY_CHARS_MAX: usize = 4_000;
/// Hits that are asked for beyond those that are wanted: a few may not be live any more.
const SPARE: usize = 8;
/// Candidates for an answer, and passages of them that are kept.
const CANDIDATES: usize = 24;
const SOURCES: usize = 10;
/// Passages that follow each other are one source, up to so many.
const JOINED_MAX: usize = 2;
/// Tokens around a source's text in a prompt.
const OVERHEAD_TOKENS: u32 = 12;

/// A live passage with what a hit says of its document.
struct Live {
    chunk: Chunk,
    document: HitDocument,
}

/// A whole document as sources, in its order.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentParts {
    pub document: DocumentView,
    pub sources: Vec<Source>,
}

/// What is asked of the indexes.
struct Asked<'a> {
    query: &'a str,
    collections: Option<&'a [String]>,
    filter: &'a SearchFilter,
    vector: Option<&'a [f32]>,
    mode: SearchMode,
    limit: usize,
}

impl Documents {
    /// The best passages, best first. The question is embedded here unless its vector came with it;
    /// where no embedder can be had, words alone are searched.
    ///
    /// # Errors
    /// `collection_not_found`, `invalid_request`, `vector_invalid`; `documents_elsewhere` while another
    /// process has the indexes; for vectors alone also what the embedder says.
    pub async fn search(
        &self,
        rights: &Rights,
        request: &SearchRequest,
    ) -> Result<SearchResponse, ApiError> {
        let start = Instant::now();
        let limit = request.limit.unwrap_or(USUAL_LIMIT).clamp(1, LIMIT_MAX) as usize;
        let asked = Asked {
            query: &request.query,
            collections: request.collections.as_deref(),
            filter: &request.filter,
            vector: request.vector.as_deref(),
            mode: request.mode,
            limit,
        };
        let mut found = self.find(rights, &asked).await?;
        found.truncate(limit);
        let facets = match request.facets {
            true => Some(self.facets(rights, request, &found).await?),
            false => None,
        };
        let marks = self.marks(request, &found).await?;
        let hits = found.into_iter().zip(marks).map(|((found, live), highlights)| {
            let Live { chunk, document } = live;
            SearchHit {
                passage: found.id.to_string(),
                document,
                text: chunk.text,
                heading_path: chunk.heading_path,
                page: chunk.page,
                section: chunk.section,
                chars: [chunk.chars.start, chunk.chars.end],
                score: found.score,
                ranks: HitRanks { full_text: found.full_text_rank, vector: found.vector_rank },
                similarity: found.cosine,
                highlights,
            }
        });
        let hits = hits.collect();
        self.metrics.search(start.elapsed());
        Ok(SearchResponse { hits, took_ms: start.elapsed().as_secs_f32() * 1000.0, facets })
    }

    /// What of each passage the index found it by.
    async fn marks(
        &self,
        request: &SearchRequest,
        found: &[(Found, Live)],
    ) -> Result<Vec<Vec<[u32; 2]>>, ApiError> {
        if request.mode == SearchMode::Vector || found.is_empty() {
            return Ok(vec![Vec::new(); found.len()]);
        }
        let texts = found.iter().map(|(_, live)| (live.chunk.text.clone(), live.chunk.lang));
        Ok(self.index()?.marks(request.query.trim(), texts.collect()).await?)
    }

    /// Counts within what the caller may read.
    async fn facets(
        &self,
        rights: &Rights,
        request: &SearchRequest,
        found: &[(Found, Live)],
    ) -> Result<SearchFacets, ApiError> {
        let text = request.query.trim();
        let mut facets = SearchFacets::default();
        if !text.is_empty() && request.mode != SearchMode::Vector {
            let index = self.index()?;
            let readable = self.readable(rights, request.collections.as_deref()).await?;
            let own = filter(&request.filter, readable)?;
            let counted = index.facets(text, &own).await?;
            facets = SearchFacets {
                collections: counted.collections,
                types: counted.media_types,
                langs: counted.langs,
            };
            // What another choice of the same filter would bring.
            if request.collections.is_some() {
                let collections = self.readable(rights, None).await?;
                let all = Filter { collections, ..own.clone() };
                facets.collections = index.facets(text, &all).await?.collections;
            }
            if !own.media_types.is_empty() {
                let all = Filter { media_types: Vec::new(), ..own.clone() };
                facets.types = index.facets(text, &all).await?.media_types;
            }
            if !own.langs.is_empty() {
                let all = Filter { langs: Vec::new(), ..own.clone() };
                facets.langs = index.facets(text, &all).await?.langs;
            }
        }
        let live = || found.iter().map(|(_, live)| live);
        at_least(&mut facets.collections, live().map(|live| live.document.collection.as_str()));
        at_least(&mut facets.types, live().map(|live| live.document.media_type.as_str()));
        at_least(&mut facets.langs, live().map(|live| live.chunk.lang.as_str()));
        Ok(facets)
    }

    /// What an answer to a question may rest on, best first: spread over what there is, neighbours as
    /// one, within `budget_tokens` as `count` counts. `documents` narrows it to some; empty: to none.
    ///
    /// # Errors
    /// As [`Self::search`].
    pub async fn passages_for_answer(
        &self,
        rights: &Rights,
        query: &str,
        collections: Option<&[String]>,
        documents: &[Uuid],
        budget_tokens: u32,
        count: &(dyn Fn(&str) -> u32 + Send + Sync),
    ) -> Result<Vec<Source>, ApiError> {
        let filter = SearchFilter {
            documents: documents.iter().map(Uuid::to_string).collect(),
            ..SearchFilter::default()
        };
        let asked = Asked {
            query,
            collections,
            filter: &filter,
            vector: None,
            mode: SearchMode::Hybrid,
            limit: CANDIDATES,
        };
        let found = self.find(rights, &asked).await?;
        let candidates: Vec<Candidate<'_>> = found
            .iter()
            .map(|(found, live)| Candidate {
                score: found.score,
                text: &live.chunk.text,
                document: document_number(&live.document.id),
            })
            .collect();
        let chosen = spread(&candidates, SOURCES, &Spread::default());
        let neighbours: Vec<Neighbour<usize, String>> = chosen
            .iter()
            .map(|&at| {
                let live = &found[at].1;
                let document = live.document.id.clone();
                Neighbour { id: at, document, ordinal: live.chunk.ordinal }
            })
            .collect();
        let mut sources: Vec<Source> = joined(&neighbours, JOINED_MAX)
            .iter()
            .filter_map(|group| source_of(group.iter().map(|neighbour| &found[neighbour.id])))
            .collect();
        let tokens: Vec<u32> = sources.iter().map(|source| count(&source.text)).collect();
        let fit = within_budget(&tokens, OVERHEAD_TOKENS, budget_tokens);
        // Better the best, which its reader cuts, than nothing.
        let keep = if fit.is_empty() { vec![0] } else { fit };
        let mut at = 0..;
        sources.retain(|_| at.next().is_some_and(|at| keep.contains(&at)));
        number(&mut sources);
        Ok(sources)
    }

    /// All passages of a document, for a question about the whole of it.
    ///
    /// # Errors
    /// `document_not_found`
    pub async fn document_parts(
        &self,
        rights: &Rights,
        document: Uuid,
    ) -> Result<DocumentParts, ApiError> {
        let view = self.document(rights, document).await?;
        let name = view.name.clone();
        let sources = self.db.call(move |connection| {
            let sql = format!(
                "SELECT id, {} FROM passages WHERE document = ?1 ORDER BY ordinal",
                super::passages::CHUNK_COLUMNS
            );
            let mut select = connection.prepare_cached(&sql)?;
            let rows = select.query_map([document.to_string()], |row| {
                let id = id_from_blob(&row.get::<_, Vec<u8>>("id")?);
                Ok(source(id, document, &name, chunk_from_row(row)?, None))
            })?;
            rows.collect::<Result<Vec<_>, _>>()
        });
        let mut sources = sources.await?;
        number(&mut sources);
        Ok(DocumentParts { document: view, sources })
    }

    /// Live passages that the caller may read, best first; somewhat more than the limit.
    async fn find(
        &self,
        rights: &Rights,
        asked: &Asked<'_>,
    ) -> Result<Vec<(Found, Live)>, ApiError> {
        if asked.query.chars().count() > QUERY_CHARS_MAX {
            return Err(invalid(format!("a question has at most {QUERY_CHARS_MAX} characters")));
        }
        let collections = self.readable(rights, asked.collections).await?;
        let text = match asked.mode {
            SearchMode::Vector => String::new(),
            _ => asked.query.trim().to_owned(),
        };
        let index = self.index()?;
        let limit = self.reranker.n_asked(asked.limit + SPARE);
        let mut found = loop {
            let embedder = index.vectors().map(|open| open.embedder);
            let vector = self.query_vector(asked, &collections, embedder.as_ref()).await?;
            if collections.is_empty() || (text.is_empty() && vector.is_none()) {
                return Ok(Vec::new());
            }
            let filter = filter(asked.filter, collections.clone())?;
            let query =
                Query { text: text.clone(), vector, filter, limit, fusion: Fusion::default() };
            let found = index.search(&query).await;
            // Vectors that moved meanwhile may be another embedder's: the question's is made anew.
            if index.vectors().map(|open| open.embedder) == embedder {
                let name = embedder.map(|embedder| embedder.name).unwrap_or_default();
                let mut found = found?;
                for found in &mut found {
                    // Cosines of two embedders cannot be compared; what they say can.
                    found.cosine = found.cosine.map(|cosine| similarity(&name, cosine));
                }
                break found;
            }
        };
        let ids: Vec<Uuid> = found.iter().map(|found| found.id).collect();
        let rights = rights.clone();
        let live = self.db.call(move |connection| live(connection, &rights, &ids));
        let mut live = live.await?;
        let take = |found: Found| Some((live.remove(&found.id)?, found));
        let known = found.drain(..).filter_map(take).map(|(live, found)| (found, live));
        let mut known = self.reranked(asked.query, known.collect()).await;
        known.truncate(asked.limit + SPARE);
        Ok(known)
    }

    /// In the reranker's order, where there is one and it answers in time.
    async fn reranked(&self, query: &str, found: Vec<(Found, Live)>) -> Vec<(Found, Live)> {
        if !self.reranker.is_there() {
            return found;
        }
        let texts = found.iter().map(|(_, live)| live.chunk.context_text(None)).collect();
        let Some(order) = self.reranker.order(&self.embedders, query.trim(), texts).await else {
            return found;
        };
        let mut found: Vec<Option<(Found, Live)>> = found.into_iter().map(Some).collect();
        let chosen = order.into_iter().filter_map(|at| found.get_mut(at)?.take());
        let mut reranked: Vec<(Found, Live)> = chosen.collect();
        reranked.extend(found.into_iter().flatten());
        for ((found, _), rank) in reranked.iter_mut().zip(1..) {
            // Scores of rerankers cannot be compared; places can, as those of the two lists.
            found.score = 1.0 / (Fusion::default().k + rank as f32);
        }
        reranked
    }

    /// The question's vector: the asker's, if it can be one of the collections' embedder, else made
    /// here.
    async fn query_vector(
        &self,
        asked: &Asked<'_>,
        collections: &[String],
        embedder: Option<&EmbedderId>,
    ) -> Result<Option<Vec<f32>>, ApiError> {
        if asked.mode == SearchMode::FullText {
            return Ok(None);
        }
        if let Some(vector) = asked.vector {
            check_vector(vector, embedder)?;
            return Ok(Some(vector.to_vec()));
        }
        let query = asked.query.trim();
        let has_vectors = self.embedder_of(collections).await?.is_some();
        let Some(embedder) = embedder.filter(|_| has_vectors && !query.is_empty()) else {
            return Ok(None);
        };
        match self.embedders.query(&embedder.name, query).await {
            Ok(vector) => Ok(Some(vector)),
            Err(error) if asked.mode == SearchMode::Vector => Err(error),
            Err(error) => {
                tracing::warn!(embedder = embedder.name, %error, "searched by words alone");
                Ok(None)
            }
        }
    }

    /// The embedder of collections; all that have one have the same.
    pub(super) async fn embedder_of(
        &self,
        collections: &[String],
    ) -> Result<Option<String>, ApiError> {
        let ids = serde_json::json!(collections).to_string();
        let embedder = self.db.call(move |connection| {
            let sql = "SELECT max(embedder) FROM collections
                WHERE id IN (SELECT value FROM json_each(?1))";
            connection.query_row(sql, [ids], |row| row.get(0))
        });
        Ok(embedder.await?)
    }
}

/// What was found by meaning has none of the words, and is counted all the same.
fn at_least<'a>(counts: &mut BTreeMap<String, u64>, found: impl Iterator<Item = &'a str>) {
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for value in found {
        *seen.entry(value).or_default() += 1;
    }
    for (value, n) in seen {
        let count = counts.entry(value.to_owned()).or_default();
        *count = n.max(*count);
    }
}

/// # Errors
/// `vector_invalid` for one of another length, or that is no unit vector.
fn check_vector(vector: &[f32], embedder: Option<&EmbedderId>) -> Result<(), ApiError> {
    let invalid =
        |reason: String| Err(ApiError::new(ErrorCode::VectorInvalid).with("reason", reason));
    match embedder.map(|embedder| embedder.n_dims) {
        None => invalid("no passage here has one".to_owned()),
        Some(n) if n != vector.len() => {
            invalid(format!("it has {} numbers and not {n}", vector.len()))
        }
        Some(_) if !is_unit(vector) => invalid("its length is not 1".to_owned()),
        Some(_) => Ok(()),
    }
}

fn filter(asked: &SearchFilter, collections: Vec<String>) -> Result<Filter, ApiError> {
    let lang = |text: &String| match text.as_str() {
        "de" => Ok(DocLang::De),
        "en" => Ok(DocLang::En),
        "other" => Ok(DocLang::Other),
        _ => Err(invalid(format!("`{text}` is no language: de, en or other"))),
    };
    let document = |text: &String| {
        text.parse::<Uuid>().map_err(|_| invalid(format!("`{text}` is no document's id")))
    };
    Ok(Filter {
        collections,
        media_types: asked.types.clone(),
        langs: asked.langs.iter().map(lang).collect::<Result<_, _>>()?,
        from_s: asked.from,
        to_s: asked.to,
        documents: asked.documents.iter().map(document).collect::<Result<_, _>>()?,
    })
}

/// Those of the passages that are live, in collections that the caller may read now.
fn live(
    connection: &Connection,
    rights: &Rights,
    ids: &[Uuid],
) -> sql::Result<HashMap<Uuid, Live>> {
    let readable = serde_json::json!(rights.collections(connection, Right::Read)?).to_string();
    let ids: Vec<String> = ids.iter().map(|id| id.simple().to_string()).collect();
    let sql = "SELECT p.id AS id, p.ordinal AS ordinal, p.text AS text,
            p.heading_path AS heading_path, p.page AS page, p.section AS section,
            p.from_char AS from_char, p.to_char AS to_char, p.n_tokens AS n_tokens, p.lang AS lang,
            d.id AS document, d.name AS name, d.collection AS collection, d.media_type AS media_type
        FROM passages p JOIN documents d ON d.id = p.document
        WHERE p.id IN (SELECT unhex(value) FROM json_each(?1))
            AND d.collection IN (SELECT value FROM json_each(?2))";
    let mut select = connection.prepare_cached(sql)?;
    let rows = select.query_map((serde_json::json!(ids).to_string(), readable), |row| {
        let id = id_from_blob(&row.get::<_, Vec<u8>>("id")?);
        let document = HitDocument {
            id: row.get("document")?,
            name: row.get("name")?,
            collection: row.get("collection")?,
            media_type: row.get::<_, Option<String>>("media_type")?.unwrap_or_default(),
        };
        Ok((id, Live { chunk: chunk_from_row(row)?, document }))
    })?;
    rows.collect()
}

/// A group of neighbours in reading order as one source, named after its best passage.
fn source_of<'a>(group: impl Iterator<Item = &'a (Found, Live)>) -> Option<Source> {
    let group: Vec<&(Found, Live)> = group.collect();
    let best = group.iter().copied().max_by(|a, b| a.0.score.total_cmp(&b.0.score))?;
    let (found, live) = best;
    let document = live.document.id.parse().ok()?;
    let mut source =
        source(found.id, document, &live.document.name, live.chunk.clone(), found.cosine);
    let texts: Vec<&str> = group.iter().map(|(_, live)| live.chunk.text.as_str()).collect();
    source.text = texts.join("\n");
    Some(source)
}

fn source(
    passage: Uuid,
    document: Uuid,
    name: &str,
    chunk: Chunk,
    similarity: Option<f32>,
) -> Source {
    Source {
        n: 0,
        passage,
        document,
        name: name.to_owned(),
        heading_path: chunk.heading_path,
        page: chunk.page,
        section: chunk.section,
        text: chunk.text,
        similarity,
    }
}

fn number(sources: &mut [Source]) {
    for (source, n) in sources.iter_mut().zip(1..) {
        source.n = n;
    }
}

/// Equal for equal documents.
fn document_number(id: &str) -> u64 {
    id.parse::<Uuid>().map_or(0, |id| id.as_u64_pair().1)
}

fn invalid(reason: String) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest).with("reason", reason)
}

#[cfg(test)]
mod tests;
