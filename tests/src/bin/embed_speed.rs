//! How many vectors a second does the server make? One measurement as a line of JSON, for
//! `cargo xtask bench server`, which sets it beside another engine's.

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Parser;
use portico_inference::EmbedderFile;
use portico_kernels::Pool;

#[derive(Debug, Parser)]
struct Arguments {
    /// The folder of all-MiniLM-L6-v2.
    #[arg(long)]
    model: PathBuf,
    /// A JSON list of token ids that the passages are made of.
    #[arg(long)]
    tokens: PathBuf,
    #[arg(long, default_value_t = 2)]
    threads: usize,
    #[arg(long, default_value_t = 1000)]
    passages: usize,
    /// Tokens of each.
    #[arg(long, default_value_t = 128)]
    length: usize,
}

/// Ids are below it: the vocabulary has some more.
const ID_END: u32 = 30_000;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let tokens: Vec<u32> = serde_json::from_slice(&fs::read(&arguments.tokens)?)?;
    let text = |name: &str| fs::read_to_string(arguments.model.join(name));
    let weights = File::open(arguments.model.join("model.safetensors"))?;
    let (config, tokenizer) = (text("config.json")?, text("tokenizer.json")?);
    let file =
        EmbedderFile::safetensors(&weights, &config, &tokenizer, &text("pooling.json")?, 256)?;
    let embedder = file.load(Arc::new(Pool::new(arguments.threads)))?;
    let passages: Vec<Vec<u32>> = (0..arguments.passages)
        .map(|i| {
            (0..arguments.length).map(|j| tokens[(i * 7 + j) % tokens.len()] % ID_END).collect()
        })
        .collect();
    // What is set up at the first call.
    embedder.embed(&passages[..16.min(passages.len())])?;
    let started = Instant::now();
    let vectors = embedder.embed(&passages)?;
    let seconds = started.elapsed().as_secs_f64();
    let result = serde_json::json!({
        "vectors_per_s": vectors.len() as f64 / seconds,
        "first": vectors.first(),
    });
    println!("{result}");
    Ok(())
}
