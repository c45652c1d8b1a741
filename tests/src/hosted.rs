//! A model on a scheduler of its own, as the server hosts it, from a file.

use std::fs::File;
use std::sync::Arc;

use portico_inference::{
    Batch, Engine, InferenceConfig, Model, PagePool, PageTable, Row, Scheduler, SchedulerOptions,
    Share,
};
use portico_kernels::Pool;
use portico_shared::generation::{GenerationRequest, ModelFacts};
use portico_shared::gguf::Gguf;
use portico_shared::openai::CompletionRequest;
use portico_shared::tokenizer::Tokenizer;

/// What the server holds of a model, without its registry.
pub struct Hosted {
    pub scheduler: Scheduler,
    pub tokenizer: Arc<Tokenizer>,
    pub facts: ModelFacts,
}

/// A model's weights, for those who step it themselves.
///
/// # Errors
/// What is wrong with the file.
pub fn load(
    file: &mut File,
    config: &InferenceConfig,
    engine: &Engine,
) -> anyhow::Result<(Box<dyn Model>, Gguf, Share)> {
    let gguf = crate::engine::header(file)?;
    let [share, _] = Share::wanted(&gguf, config, engine)?;
    let pool = Arc::new(Pool::new(config.n_threads));
    let model = engine.load(file, &gguf, share, pool, &|_| ())?;
    Ok((model, gguf, share))
}

impl Hosted {
    /// # Errors
    /// What is wrong with the file.
    pub fn open(file: &mut File, config: &InferenceConfig) -> anyhow::Result<Self> {
        Self::open_with(file, config, &Engine::Cpu, |_| ())
    }

    /// On another engine, with options that a configuration does not lead to.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn open_with(
        file: &mut File,
        config: &InferenceConfig,
        engine: &Engine,
        change: impl FnOnce(&mut SchedulerOptions),
    ) -> anyhow::Result<Self> {
        let (model, gguf, share) = load(file, config, engine)?;
        let tokenizer = Arc::new(Tokenizer::from_gguf(&gguf.metadata)?);
        let facts = ModelFacts::new(&tokenizer, None, share.n_ctx as u32, model.config().n_vocab);
        let mut options = SchedulerOptions::new(config, share);
        change(&mut options);
        let scheduler = Scheduler::start("test", model, Arc::clone(&tokenizer), options)?;
        Ok(Self { scheduler, tokenizer, facts })
    }

    /// A greedy answer of `max_tokens` tokens that no end token ends.
    ///
    /// # Errors
    /// For tokens outside of the vocabulary.
    pub fn request(
        &self,
        prompt_ids: Vec<u32>,
        max_tokens: u32,
    ) -> anyhow::Result<GenerationRequest> {
        let facts = ModelFacts { end_ids: Vec::new(), ..self.facts.clone() };
        let request: CompletionRequest = serde_json::from_value(serde_json::json!({
            "model": "test", "prompt": prompt_ids, "max_tokens": max_tokens, "temperature": 0,
            "stream": true,
        }))?;
        Ok(GenerationRequest::from_completion(&request, prompt_ids, &facts, 0)?)
    }
}

/// A model with pages for sequences of its own, stepped by hand.
pub struct Stepper {
    pub model: Box<dyn Model>,
    pub pages: PagePool,
    logits: Vec<f32>,
}

impl Stepper {
    /// # Errors
    /// What is wrong with the file.
    pub fn open(file: &mut File, n_threads: usize) -> anyhow::Result<Self> {
        Self::open_on(&Engine::Cpu, file, n_threads)
    }

    /// On another engine.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn open_on(engine: &Engine, file: &mut File, n_threads: usize) -> anyhow::Result<Self> {
        let config =
            InferenceConfig { n_threads, max_sequences: 8, n_ctx_max: 1024, ..Default::default() };
        let (model, _, share) = load(file, &config, engine)?;
        let pages = PagePool::new(share.max_pages);
        Ok(Self { model, pages, logits: Vec::new() })
    }

    /// From the bytes of a file.
    ///
    /// # Errors
    /// What is wrong with them, or where nothing can be written.
    pub fn from_bytes(bytes: &[u8], n_threads: usize) -> anyhow::Result<Self> {
        Self::from_bytes_on(&Engine::Cpu, bytes, n_threads)
    }

    /// On another engine.
    ///
    /// # Errors
    /// What is wrong with the bytes, or where nothing can be written.
    pub fn from_bytes_on(engine: &Engine, bytes: &[u8], n_threads: usize) -> anyhow::Result<Self> {
        let mut file = tempfile::tempfile()?;
        std::io::Write::write_all(&mut file, bytes)?;
        Self::open_on(engine, &mut file, n_threads)
    }

    /// Computes parts of sequences in one step, each a table and the tokens that come next, and
    /// gives every row's logits.
    ///
    /// # Errors
    /// Where the pages do not suffice.
    pub fn step(
        &mut self,
        parts: &mut [(&mut PageTable, &[u32])],
    ) -> anyhow::Result<Vec<Vec<f32>>> {
        let mut rows = Vec::new();
        for (sequence, (table, tokens)) in parts.iter_mut().enumerate() {
            let from = table.n_tokens;
            anyhow::ensure!(self.pages.reserve(table, from + tokens.len()), "no more pages");
            let positions = from..from + tokens.len();
            rows.extend(positions.zip(*tokens).map(|(position, &token)| Row {
                token,
                position,
                sequence,
            }));
            table.n_tokens += tokens.len();
        }
        let wanted = (0..rows.len()).collect();
        let tables = parts.iter().map(|(table, _)| table.pages.as_slice()).collect();
        let batch = Batch { rows, tables, wanted };
        self.model.hold_pages(self.pages.n_pages())?;
        self.model.step(&batch, &mut self.logits)?;
        let n_vocab = self.model.config().n_vocab as usize;
        let rows = self.logits.chunks_exact(self.model.logits_stride());
        Ok(rows.map(|row| row[..n_vocab].to_vec()).collect())
    }

    /// Every position's logits of a sequence that is computed `chunk` tokens at a time.
    ///
    /// # Errors
    /// Where the pages do not suffice.
    pub fn logits(&mut self, tokens: &[u32], chunk: usize) -> anyhow::Result<Vec<Vec<f32>>> {
        let mut table = PageTable::default();
        let mut logits = Vec::new();
        for tokens in tokens.chunks(chunk) {
            logits.extend(self.step(&mut [(&mut table, tokens)])?);
        }
        self.pages.close(table);
        Ok(logits)
    }
}
