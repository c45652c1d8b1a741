//! Which passages have the question's words?

mod ask;
mod expand;
mod facets;
mod filter;
mod marks;
mod schema;

pub use facets::Facets;
pub(crate) use schema::VERSION;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};

use tantivy::collector::TopDocs;
use tantivy::directory::MmapDirectory;
use tantivy::directory::error::LockError;
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::query::{BooleanQuery, Occur, Query as TantivyQuery};
use tantivy::schema::Term;
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{
    Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, Searcher, TantivyDocument,
    TantivyError,
};
use uuid::Uuid;

use self::schema::Fields;
use crate::analysis::{Stems, Stops, Vocabulary, normal, plain, words};
use crate::{DocLang, Filter, Passage, SearchError};

/// What the full-text index may use.
#[derive(Clone, Debug)]
pub struct FullTextConfig {
    /// Memory of the passages that wait to be written, in bytes.
    pub writer_heap_bytes: usize,
}

impl Default for FullTextConfig {
    fn default() -> Self {
        Self { writer_heap_bytes: 32 << 20 }
    }
}

/// tantivy refuses less.
const WRITER_HEAP_BYTES_MIN: usize = 16 << 20;
/// A segment of so many passages is left alone.
const MERGED_PASSAGES_MAX: usize = 250_000;
/// A segment with this share of removed passages is written anew.
const REMOVED_SHARE_MAX: f32 = 0.3;

/// The full-text index of one folder.
pub(crate) struct FullText {
    folder: PathBuf,
    fields: Fields,
    writer: Mutex<IndexWriter>,
    reader: IndexReader,
    words: Words,
}

/// What analysis needs, shared by indexing and asking.
pub(crate) struct Words {
    pub stems: Stems,
    pub stops: Stops,
    pub vocabulary: RwLock<Vocabulary>,
}

/// A passage that has words of the question.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hit {
    pub id: Uuid,
    pub score: f32,
    /// The share of the question that its words hold, 0 to 1.
    pub matched: f32,
}

impl FullText {
    /// Opens the index, or makes an empty one.
    pub fn open(folder: &Path, config: &FullTextConfig) -> Result<Self, SearchError> {
        std::fs::create_dir_all(folder).map_err(SearchError::io(folder))?;
        let (schema, fields) = Fields::schema();
        let directory = MmapDirectory::open(folder).map_err(TantivyError::from)?;
        let index = Index::builder()
            .schema(schema)
            .settings(IndexSettings::default())
            .open_or_create(directory)?;
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(config.writer_heap_bytes.max(WRITER_HEAP_BYTES_MIN))
            .build();
        let writer: IndexWriter =
            index.writer_with_options(options).map_err(|error| match error {
                TantivyError::LockFailure(LockError::LockBusy, _) => {
                    SearchError::InUse(folder.to_owned())
                }
                other => other.into(),
            })?;
        let mut merging = LogMergePolicy::default();
        merging.set_max_docs_before_merge(MERGED_PASSAGES_MAX);
        merging.set_del_docs_ratio_before_merge(REMOVED_SHARE_MAX);
        writer.set_merge_policy(Box::new(merging));
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let stems = Stems::new();
        let vocabulary = learned(&reader.searcher(), &fields, &stems)?;
        let words = Words { stems, stops: Stops::new(), vocabulary: RwLock::new(vocabulary) };
        Ok(Self { folder: folder.to_owned(), fields, writer: Mutex::new(writer), reader, words })
    }

    /// Takes passages in; one of the same id is replaced. Seen after [`Self::commit`].
    pub fn put(&self, passages: &[Passage]) -> Result<(), SearchError> {
        let mut vocabulary = self.words.vocabulary.write().unwrap_or_else(PoisonError::into_inner);
        for passage in passages {
            self.words.learn(&mut vocabulary, &passage.text);
        }
        vocabulary.forget_splits();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        for passage in passages {
            writer.delete_term(Term::from_field_bytes(self.fields.id, passage.id.as_bytes()));
            writer.add_document(self.document(&mut vocabulary, passage))?;
        }
        Ok(())
    }

    /// Removes passages; unknown ones are no error. Gone after [`Self::commit`].
    pub fn remove(&self, ids: &[Uuid]) {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            writer.delete_term(Term::from_field_bytes(self.fields.id, id.as_bytes()));
        }
    }

    /// What was put and removed until now lies on the disk and is seen by searches.
    pub fn commit(&self) -> Result<(), SearchError> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).commit()?;
        self.reader.reload()?;
        Ok(())
    }

    /// What was put and removed since the last commit is as if it had not been.
    pub fn rollback(&self) -> Result<(), SearchError> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).rollback()?;
        Ok(())
    }

    /// Everything is removed.
    pub fn clear(&self) -> Result<(), SearchError> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).delete_all_documents()?;
        self.commit()
    }

    pub fn n_passages(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    /// On the disk, in bytes.
    pub fn size_bytes(&self) -> u64 {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return 0 };
        entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|meta| meta.len()).sum()
    }

    /// Best first, at most `limit`. Any text is a question; one without words finds nothing.
    pub fn search(
        &self,
        text: &str,
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<Hit>, SearchError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let Some(within) = filter::query(&self.fields, filter) else { return Ok(Vec::new()) };
        let searcher = self.reader.searcher();
        let asked = ask::Asked::new(&self.words, text);
        let Some(form) = asked.query(&searcher, &self.fields, true)? else {
            return Ok(Vec::new());
        };
        let hits = self.hits(&searcher, &form, within.box_clone(), limit)?;
        // Nobody has the words in this order: then in any.
        if hits.is_empty()
            && asked.has_phrases()
            && let Some(form) = asked.query(&searcher, &self.fields, false)?
        {
            return self.hits(&searcher, &form, within, limit);
        }
        Ok(hits)
    }

    /// How many passages that have the question's words there are of each kind; of everything within
    /// the filter for a text without words.
    pub fn facets(&self, text: &str, filter: &Filter) -> Result<Facets, SearchError> {
        let Some(within) = filter::query(&self.fields, filter) else {
            return Ok(Facets::default());
        };
        let searcher = self.reader.searcher();
        let asked = ask::Asked::new(&self.words, text);
        if !asked.has_words() {
            return Ok(searcher.search(&*within, &facets::Counting)?);
        }
        let count = |in_order| -> Result<Facets, SearchError> {
            let Some(form) = asked.query(&searcher, &self.fields, in_order)? else {
                return Ok(Facets::default());
            };
            let clauses = vec![(Occur::Must, within.box_clone()), (Occur::Must, form.query)];
            Ok(searcher.search(&BooleanQuery::new(clauses), &facets::Counting)?)
        };
        let counted = count(true)?;
        // As the search does: nobody has the words in this order.
        match counted.n_passages == 0 && asked.has_phrases() {
            true => count(false),
            false => Ok(counted),
        }
    }

    /// Where in each text the words stand by which the question finds it: ranges of chars, in order.
    pub fn marks(
        &self,
        question: &str,
        texts: &[(String, DocLang)],
    ) -> Result<Vec<Vec<[u32; 2]>>, SearchError> {
        let searcher = self.reader.searcher();
        let terms = ask::Asked::new(&self.words, question).terms(&searcher, &self.fields)?;
        let mut vocabulary = self.words.vocabulary.write().unwrap_or_else(PoisonError::into_inner);
        let mut marker = marks::Marker::new(&self.words, &mut vocabulary, &self.fields, terms);
        Ok(texts.iter().map(|(text, lang)| marker.marks(text, *lang)).collect())
    }

    fn hits(
        &self,
        searcher: &Searcher,
        form: &ask::Form,
        within: Box<dyn TantivyQuery>,
        limit: usize,
    ) -> Result<Vec<Hit>, SearchError> {
        let query =
            BooleanQuery::new(vec![(Occur::Must, within), (Occur::Must, form.query.box_clone())]);
        let top = searcher.search(&query, &TopDocs::with_limit(limit).order_by_score())?;
        top.into_iter()
            .map(|(score, address)| {
                let fast = searcher.segment_reader(address.segment_ord).fast_fields();
                let half = |name| -> tantivy::Result<u64> {
                    Ok(fast.u64(name)?.first(address.doc_id).unwrap_or(0))
                };
                let id = Uuid::from_u64_pair(half(schema::ID_HIGH)?, half(schema::ID_LOW)?);
                Ok(Hit { id, score, matched: (score / form.score_ideal).clamp(0.0, 1.0) })
            })
            .collect()
    }

    fn document(&self, vocabulary: &mut Vocabulary, passage: &Passage) -> TantivyDocument {
        let (fields, own) = (&self.fields, &self.words);
        let mut document = TantivyDocument::new();
        document.add_bytes(fields.id, passage.id.as_bytes());
        let (high, low) = passage.id.as_u64_pair();
        document.add_u64(fields.id_high, high);
        document.add_u64(fields.id_low, low);
        document.add_bytes(fields.document, passage.document.as_bytes());
        document.add_text(fields.collection, &passage.collection);
        document.add_text(fields.media_type, &passage.media_type);
        document.add_text(fields.lang, passage.lang.as_str());
        document.add_i64(fields.date, passage.date_s);

        let text = normal(&passage.text);
        let (mut stemmed, mut spelled, mut parts) = (Terms::new(), Terms::new(), Terms::new());
        for (position, word) in words(&text).enumerate() {
            let lower = word.to_lowercase();
            let plain = plain(&lower);
            stemmed.push(position, own.stems.of(passage.lang, &lower));
            if passage.lang != DocLang::En && !own.stops.is_german(&lower) {
                own.parts(vocabulary, &plain, |part| parts.push(position, part));
            }
            spelled.push(position, plain);
        }
        document.add_pre_tokenized_text(fields.stemmed, stemmed.into());
        document.add_pre_tokenized_text(fields.spelled, spelled.into());
        document.add_pre_tokenized_text(fields.parts, parts.into());

        let mut heads = Terms::new();
        let lines = std::iter::once(&passage.name).chain(&passage.heading_path);
        for (position, line) in lines.enumerate() {
            for word in words(&normal(line)) {
                let lower = word.to_lowercase();
                let plain = plain(&lower);
                let mut terms = vec![own.stems.of(passage.lang, &lower)];
                if passage.lang != DocLang::En {
                    own.parts(vocabulary, &plain, |part| terms.push(part));
                }
                terms.push(plain);
                terms.sort_unstable();
                terms.dedup();
                for term in terms {
                    heads.push(position, term);
                }
            }
        }
        document.add_pre_tokenized_text(fields.heads, heads.into());
        document
    }
}

impl Words {
    fn learn(&self, vocabulary: &mut Vocabulary, text: &str) {
        for word in words(&normal(text)) {
            let lower = word.to_lowercase();
            if !self.stops.is_german(&lower) {
                vocabulary.add(&self.stems, &plain(&lower), 1);
            }
        }
    }

    /// The stems of a compound's parts, or of the word itself.
    fn parts(&self, vocabulary: &mut Vocabulary, plain: &str, mut push: impl FnMut(String)) {
        match vocabulary.parts(&self.stems, plain) {
            Some(parts) => parts.into_iter().for_each(push),
            None => push(self.stems.german(plain)),
        }
    }
}

/// The vocabulary of the passages that an index has.
fn learned(searcher: &Searcher, fields: &Fields, stems: &Stems) -> Result<Vocabulary, SearchError> {
    let mut vocabulary = Vocabulary::new(stems);
    let stops: std::collections::HashSet<String> = Stops::new().german().map(plain).collect();
    for segment in searcher.segment_readers() {
        let index = segment.inverted_index(fields.spelled)?;
        let unreadable = |error: std::io::Error| SearchError::FullText(error.into());
        let mut terms = index.terms().stream().map_err(unreadable)?;
        while terms.advance() {
            if let Ok(word) = std::str::from_utf8(terms.key())
                && !stops.contains(word)
            {
                vocabulary.add(stems, word, terms.value().doc_freq);
            }
        }
    }
    Ok(vocabulary)
}

/// Terms with their places, as tantivy takes them.
struct Terms(Vec<Token>);

impl Terms {
    fn new() -> Self {
        Self(Vec::new())
    }

    fn push(&mut self, position: usize, text: String) {
        if !text.is_empty() {
            self.0.push(Token { position, text, ..Token::default() });
        }
    }
}

impl From<Terms> for PreTokenizedString {
    fn from(terms: Terms) -> Self {
        Self { text: String::new(), tokens: terms.0 }
    }
}

#[cfg(test)]
mod tests;
