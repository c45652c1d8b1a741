//! How well, and how quickly, are passages found? For `cargo xtask bench retrieval`.
//!
//! Quality on a set of questions with relevance judgements (`corpus.LANG.jsonl`, `queries.LANG.jsonl`,
//! `qrels.tsv`), by words, by meaning, and both. Speed on as many passages as are wanted, made of the
//! set's sentences in another order; their vectors are the set's real ones with a little noise.

mod held_out;

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use portico_inference::{Embedder, EmbedderFile};
use portico_kernels::Pool;
use portico_search::vectors::{EdgeConfig, EmbedderId, StoreConfig};
use portico_search::{DocLang, Filter, Found, Fusion, Passage, Query, SearchConfig, SearchIndex};
use portico_shared::tokenizer::{AddSpecial, ParseSpecial, Tokenizer};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use held_out::{Question, cross_check};

#[derive(Debug, Parser)]
struct Arguments {
    /// The folder of the set.
    #[arg(long)]
    set: PathBuf,
    /// What plain BM25 and the bare vectors reach on the set.
    #[arg(long)]
    baselines: Option<PathBuf>,
    /// multilingual-e5-small's file, as its package has it.
    #[arg(long)]
    model: PathBuf,
    /// Where the figures go.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Every hit of every question too, for a look at them.
    #[arg(long)]
    hits: Option<PathBuf>,
    /// Passages of the speed measure; none for quality alone.
    #[arg(long, default_value_t = 100_000)]
    passages: usize,
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

#[derive(Debug, Deserialize)]
struct Text {
    #[serde(rename = "_id")]
    id: String,
    text: String,
}

/// The model with its tokenizer, by the product's own rules.
struct E5 {
    embedder: Embedder,
    tokenizer: Tokenizer,
}

const LIMIT: usize = 100;
/// Both lists, whole.
const ALL: usize = 1_000;
const BATCH: usize = 16;
const DIRECTIONS: [(&str, &str); 3] = [("en", "en"), ("de", "de"), ("de", "en")];

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let e5 = E5::open(&arguments.model, arguments.threads)?;
    let (quality, held_out) = quality(&arguments, &e5).await?;
    let mut result = json!({ "quality": quality, "held_out": held_out });
    if arguments.passages > 0 {
        result["speed"] = speed(&arguments, &e5).await?;
    }
    if let Some(path) = &arguments.json {
        fs::write(path, serde_json::to_vec_pretty(&result)?)?;
    }
    Ok(())
}

impl E5 {
    fn open(path: &Path, threads: usize) -> anyhow::Result<Self> {
        let file = EmbedderFile::e5s1(&File::open(path)?)?;
        let tokenizer = Tokenizer::from_gguf(file.metadata())?;
        Ok(Self { embedder: file.load(Arc::new(Pool::new(threads)))?, tokenizer })
    }

    fn vectors(&self, prefix: &str, texts: &[&str]) -> anyhow::Result<Vec<Vec<f32>>> {
        let mut ids = Vec::with_capacity(texts.len());
        for text in texts {
            let text = format!("{prefix}{text}");
            let mut own = self.tokenizer.encode(&text, AddSpecial::Yes, ParseSpecial::No)?;
            if own.len() > self.embedder.n_ctx() {
                let end = own[own.len() - 1];
                own.truncate(self.embedder.n_ctx() - 1);
                own.push(end);
            }
            ids.push(own);
        }
        let mut vectors = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH) {
            vectors.extend(self.embedder.embed(batch)?);
        }
        Ok(vectors)
    }
}

fn read(folder: &Path, name: &str) -> anyhow::Result<Vec<Text>> {
    let path = folder.join(name);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

fn strs(texts: &[Text]) -> Vec<&str> {
    texts.iter().map(|text| text.text.as_str()).collect()
}

fn lang_of(lang: &str) -> DocLang {
    if lang == "de" { DocLang::De } else { DocLang::En }
}

fn passage(id: Uuid, collection: &str, lang: &str, text: &str, date_s: i64) -> Passage {
    Passage {
        id,
        document: id,
        collection: collection.to_owned(),
        name: String::new(),
        heading_path: Vec::new(),
        text: text.to_owned(),
        lang: lang_of(lang),
        media_type: "text/html".to_owned(),
        date_s,
    }
}

fn config(folder: &Path, embedder: &Embedder) -> SearchConfig {
    let id = EmbedderId { name: "multilingual-e5-small".to_owned(), n_dims: embedder.dim() };
    let store = StoreConfig::Edge(EdgeConfig::new(folder.join("vectors")));
    SearchConfig { vectors: Some((id, store)), ..SearchConfig::new(folder) }
}

/// What a way of searching reaches: nDCG@10, recall and mean reciprocal rank over its questions.
fn measures(ranks: &[Option<usize>]) -> Value {
    let n = ranks.len().max(1) as f64;
    let within = |k: usize| ranks.iter().flatten().filter(|rank| **rank <= k).count() as f64 / n;
    let sum = |gain: fn(f64) -> f64| {
        let ten = ranks.iter().flatten().filter(|rank| **rank <= 10);
        ten.map(|rank| gain(*rank as f64)).sum::<f64>() / n
    };
    json!({
        "nDCG@10": sum(|rank| 1.0 / (rank + 1.0).log2()),
        "R@1": within(1), "R@5": within(5), "R@10": within(10),
        "MRR@10": sum(|rank| 1.0 / rank),
    })
}

/// What each way of searching reaches, and what fusion reaches on questions that it was not fitted to.
async fn quality(arguments: &Arguments, e5: &E5) -> anyhow::Result<(Value, Value)> {
    let folder = tempfile::tempdir()?;
    let index = SearchIndex::open(config(folder.path(), &e5.embedder)).await?;
    // Each language's passages are a collection of one index, as a house would have them.
    let mut names: HashMap<Uuid, String> = HashMap::new();
    for (at, lang) in ["en", "de"].into_iter().enumerate() {
        let corpus = read(&arguments.set, &format!("corpus.{lang}.jsonl"))?;
        let vectors = e5.vectors("passage: ", &strs(&corpus))?;
        let mut passages = Vec::new();
        for (n, text) in corpus.iter().enumerate() {
            let id = Uuid::from_u64_pair(at as u64 + 1, n as u64);
            names.insert(id, text.id.clone());
            passages.push(passage(id, lang, lang, &text.text, 0));
        }
        index.put(&passages, Some(&vectors)).await?;
    }
    index.commit().await?;
    let qrels = fs::read_to_string(arguments.set.join("qrels.tsv"))?;
    let relevant: HashMap<&str, &str> = qrels
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once('\t'))
        .filter_map(|(query, rest)| Some((query, rest.split_once('\t')?.0)))
        .collect();
    let baselines: Value = match &arguments.baselines {
        Some(path) => serde_json::from_slice(&fs::read(path)?)?,
        None => Value::Null,
    };
    let mut result = json!({});
    let mut all_hits = json!({});
    println!("| direction | by | nDCG@10 | R@1 | R@10 | MRR@10 | baseline nDCG@10 |");
    println!("|---|---|---|---|---|---|---|");
    let mut questions = Vec::new();
    for (direction_n, (from, to)) in DIRECTIONS.into_iter().enumerate() {
        let queries = read(&arguments.set, &format!("queries.{from}.jsonl"))?;
        let vectors = e5.vectors("query: ", &strs(&queries))?;
        let direction = format!("{from}->{to}");
        for (by, has_words, has_vector) in
            [("full text", true, false), ("vectors", false, true), ("hybrid", true, true)]
        {
            let mut ranks = Vec::new();
            for (text, vector) in queries.iter().zip(&vectors) {
                let wanted = relevant.get(text.id.as_str()).context("a question without answer")?;
                let query = Query {
                    text: if has_words { text.text.clone() } else { String::new() },
                    vector: has_vector.then(|| vector.clone()),
                    filter: Filter::collections([to]),
                    limit: if by == "hybrid" { ALL } else { LIMIT },
                    fusion: Fusion::default(),
                };
                let found = index.search_strictly(&query).await?;
                let rank = found.iter().position(|one| names[&one.id] == *wanted);
                ranks.push(rank.filter(|rank| *rank < LIMIT).map(|rank| rank + 1));
                if by == "hybrid" {
                    let answer = rank.map_or_else(Uuid::nil, |rank| found[rank].id);
                    questions.push(Question::new(&text.id, direction_n, &found, answer));
                }
                if by == "hybrid" && arguments.hits.is_some() {
                    all_hits[&direction][&text.id] = hits(&found, &names, wanted);
                }
            }
            let own = measures(&ranks);
            let base = match by {
                "full text" => &baselines[format!("bm25 {direction}")],
                "vectors" => &baselines[format!("multilingual-e5-small(Q4_0) {direction}")],
                _ => &Value::Null,
            };
            let figure = |value: &Value| value.as_f64().map_or("".into(), |v| format!("{v:.4}"));
            println!(
                "| {direction} | {by} | {} | {} | {} | {} | {} |",
                figure(&own["nDCG@10"]),
                figure(&own["R@1"]),
                figure(&own["R@10"]),
                figure(&own["MRR@10"]),
                figure(&base["nDCG@10"])
            );
            result[&direction][by] = own;
        }
    }
    if let Some(path) = &arguments.hits {
        fs::write(path, serde_json::to_vec(&all_hits)?)?;
    }
    let directions = DIRECTIONS.map(|(from, to)| format!("{from}->{to}"));
    Ok((result, cross_check(&questions, &directions)))
}

fn hits(found: &[Found], names: &HashMap<Uuid, String>, wanted: &str) -> Value {
    found
        .iter()
        .map(|one| {
            json!([
                names[&one.id] == wanted,
                one.full_text_rank,
                one.full_text_match,
                one.vector_rank,
                one.cosine
            ])
        })
        .collect()
}

/// Numbers that look random and are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    /// −1 to 1.
    fn float(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

const N_COLLECTIONS: usize = 10;
/// Of each number of a vector, against numbers of about 0.05.
const NOISE: f32 = 0.02;

async fn speed(arguments: &Arguments, e5: &E5) -> anyhow::Result<Value> {
    let folder = tempfile::tempdir()?;
    let index = SearchIndex::open(config(folder.path(), &e5.embedder)).await?;
    let mut dice = Dice::new(0x5eed);
    let mut sources = Vec::new();
    for lang in ["de", "en"] {
        let corpus = read(&arguments.set, &format!("corpus.{lang}.jsonl"))?;
        let vectors = e5.vectors("passage: ", &strs(&corpus))?;
        let sentences: Vec<String> = corpus
            .iter()
            .flat_map(|text| text.text.split_inclusive(". "))
            .map(str::to_owned)
            .collect();
        sources.push((lang, sentences, vectors));
    }
    let started = Instant::now();
    let mut n = 0;
    while n < arguments.passages {
        let n_batch = 1_000.min(arguments.passages - n);
        let (mut passages, mut vectors) = (Vec::new(), Vec::new());
        for at in n..n + n_batch {
            let (lang, sentences, real) = &sources[at % 2];
            let mut text = String::new();
            while text.len() < 900 {
                text.push_str(&sentences[dice.below(sentences.len())]);
            }
            // Words that no other passage has, as names and numbers are.
            text.push_str(&format!(" Nr. {at} ref{:x}", dice.next() % 1_000_000));
            let mut vector = real[dice.below(real.len())].clone();
            vector.iter_mut().for_each(|x| *x += NOISE * dice.float());
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            vector.iter_mut().for_each(|x| *x /= length);
            let collection = format!("collection {}", at % N_COLLECTIONS);
            let id = Uuid::from_u64_pair(7, at as u64);
            let date_s = (at as i64 % 3_650) * 86_400;
            passages.push(passage(id, &collection, lang, &text, date_s));
            vectors.push(vector);
        }
        index.put(&passages, Some(&vectors)).await?;
        if n % 10_000 == 0 {
            index.commit().await?;
        }
        n += n_batch;
    }
    index.commit().await?;
    let put_s = started.elapsed().as_secs_f64();
    let mut queries = read(&arguments.set, "queries.de.jsonl")?;
    queries.extend(read(&arguments.set, "queries.en.jsonl")?);
    let optimising = optimise_beside_searches(&index, e5, &queries).await?;
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for (n, text) in queries.iter().enumerate().cycle().take(queries.len() + 50) {
        let started = Instant::now();
        let vector = e5.vectors("query: ", &[text.text.as_str()])?.swap_remove(0);
        let embedded = started.elapsed();
        let query = filtered(n, &text.text, vector);
        let started = Instant::now();
        let found = index.search_strictly(&query).await?;
        let searched = started.elapsed();
        anyhow::ensure!(!found.is_empty(), "nothing for `{}`", text.text);
        without.push(searched.as_secs_f64() * 1e3);
        with.push((searched + embedded).as_secs_f64() * 1e3);
    }
    // The first ones read files that were never read before.
    let (without, with) = (percentiles(&mut without[50..]), percentiles(&mut with[50..]));
    let result = json!({
        "passages": arguments.passages,
        "put_s": put_s,
        "optimising": optimising,
        "without_embedding_ms": without,
        "with_embedding_ms": with,
        "full_text_bytes": index.full_text_bytes(),
        "memory_peak_kib": memory("VmHWM:"),
        "memory_kib": memory("VmRSS:"),
        "vectors_bytes": size(&folder.path().join("vectors")),
    });
    println!("{result:#}");
    Ok(result)
}

/// A question within three of the collections, since a date, every other one in German.
fn filtered(n: usize, text: &str, vector: Vec<f32>) -> Query {
    let filter = Filter {
        langs: if n.is_multiple_of(2) { vec![lang_of("de")] } else { Vec::new() },
        from_s: Some(365 * 86_400),
        ..Filter::collections((0..3).map(|c| format!("collection {}", (n + c) % N_COLLECTIONS)))
    };
    let (text, vector) = (text.to_owned(), Some(vector));
    Query { text, vector, filter, limit: 10, fusion: Fusion::default() }
}

/// What searches and uploads wait while the vectors are optimised.
async fn optimise_beside_searches(
    index: &SearchIndex,
    e5: &E5,
    queries: &[Text],
) -> anyhow::Result<Value> {
    let started = Instant::now();
    let work = tokio::spawn({
        let index = index.clone();
        async move { index.optimise().await }
    });
    let (mut searches, mut puts) = (Vec::new(), Vec::new());
    for (n, text) in queries.iter().enumerate().cycle() {
        if work.is_finished() {
            break;
        }
        let vector = e5.vectors("query: ", &[text.text.as_str()])?.swap_remove(0);
        if n.is_multiple_of(8) {
            let id = Uuid::from_u64_pair(8, n as u64);
            let added = passage(id, "collection 0", "de", &text.text, 0);
            let started = Instant::now();
            index.put(&[added], Some(std::slice::from_ref(&vector))).await?;
            puts.push(started.elapsed().as_secs_f64() * 1e3);
        }
        let query = filtered(n, &text.text, vector);
        let started = Instant::now();
        let found = index.search_strictly(&query).await?;
        searches.push(started.elapsed().as_secs_f64() * 1e3);
        anyhow::ensure!(!found.is_empty(), "nothing for `{}`", text.text);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    work.await??;
    let took_s = started.elapsed().as_secs_f64();
    Ok(json!({
        "took_s": took_s, "n_searches": searches.len(),
        "search_ms": percentiles(&mut searches), "put_ms": percentiles(&mut puts),
    }))
}

fn percentiles(times: &mut [f64]) -> Value {
    times.sort_by(f64::total_cmp);
    if times.is_empty() {
        return Value::Null;
    }
    let at = |share: f64| times[((times.len() as f64 * share) as usize).min(times.len() - 1)];
    json!({"p50": at(0.5), "p95": at(0.95), "max": at(1.0)})
}

fn memory(key: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix(key))?.split_whitespace().next()?.parse().ok()
}

/// What a folder takes on the disk: files of the engine have holes.
fn size(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => size(&entry.path()),
            Ok(meta) => meta.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}
