//! How good is the engine's arithmetic? Perplexity on a text and forced decoding against float32,
//! for the float32 and the 8-bit path, on the adapter that `VK_DRIVER_FILES` names.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use portico_engine::{GpuOptions, Precision};
use portico_shared::tokenizer::{AddSpecial, ParseSpecial, Tokenizer};
use portico_tests::engine;
use portico_tests::forced::{Agreement, ForcedReference};
use portico_tests::perplexity::{CHUNK_TOKENS, Perplexity, REFERENCE_F32, chunks, of_reference};
use portico_tests::real::{ALICE, RealModel};
use portico_tests::reference::FloatModel;
use serde::Serialize;

#[derive(Parser)]
struct Options {
    /// Where to write the results as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Chunks of 512 tokens of the text, at most 8; the bars are for 8.
    #[arg(long, default_value_t = 8)]
    chunks: usize,
    /// Also runs the float32 reference, which takes about a minute.
    #[arg(long)]
    reference: bool,
}

#[derive(Serialize)]
struct Row {
    path: &'static str,
    perplexity: f64,
    /// Against the float32 reference's, as a share.
    perplexity_error: f64,
    perplexity_bar: f64,
    agreement: Option<Agreement>,
    seconds: f64,
    passes: bool,
}

#[derive(Serialize)]
struct Report {
    model: &'static str,
    text: &'static str,
    n_chunks: usize,
    reference_perplexity: f64,
    rows: Vec<Row>,
}

const FORCED: &str = include_str!("../../reference/smollm2-135m-q4_1.alice29.f32.json");

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let mut file = RealModel::SmolLm2.open()?;
    let gguf = engine::header(&mut file)?;
    let tokens =
        Tokenizer::from_gguf(&gguf.metadata)?.encode(ALICE, AddSpecial::No, ParseSpecial::No)?;
    let chunks: Vec<&[u32]> = chunks(&tokens, options.chunks).collect();
    let mut reference_perplexity = REFERENCE_F32;
    if options.reference || chunks.len() != 8 {
        let model = FloatModel::load(&mut file, CHUNK_TOKENS)?;
        reference_perplexity = of_reference(&model, &chunks)?.value();
    }
    println!(
        "{:<8} {:>10} {:>8} {:>8} {:>18} {:>8}",
        "path", "perplexity", "error", "bar", "same top (clear)", "seconds"
    );
    println!("{:<8} {reference_perplexity:>10.3}", "float32");

    let forced: ForcedReference = serde_json::from_str(FORCED)?;
    let mut rows = Vec::new();
    for (path, precision, perplexity_bar) in
        [("f32", Precision::F32, 0.002), ("int8", Precision::Int8, 0.01)]
    {
        let started = Instant::now();
        let gpu = engine::gpu(&GpuOptions::default())?;
        let mut engine = engine::load(&gpu, &mut file, CHUNK_TOKENS as u32, precision)?;
        let mut perplexity = Perplexity::default();
        let mut agreement = None;
        for chunk in &chunks {
            let scores = engine::scores(&mut engine, chunk, 1)?;
            perplexity.add(scores.iter().map(|score| f64::from(score.logprob)));
            if *chunk == forced.tokens {
                let tops = scores.iter().map(|score| score.top[0].0);
                agreement = Some(forced.agreement(tops));
            }
        }
        let perplexity = perplexity.value();
        let perplexity_error = perplexity / reference_perplexity - 1.0;
        let row = Row {
            path,
            perplexity,
            perplexity_error,
            perplexity_bar,
            agreement,
            seconds: started.elapsed().as_secs_f64(),
            passes: perplexity_error.abs() <= perplexity_bar,
        };
        let same = agreement.map_or(f64::NAN, |agreement| 100.0 * agreement.clear_share());
        println!(
            "{path:<8} {perplexity:>10.3} {:>7.3}% {:>7.1}% {same:>17.2}% {:>8.1}",
            100.0 * perplexity_error,
            100.0 * perplexity_bar,
            row.seconds,
        );
        rows.push(row);
    }
    let passes = rows.iter().all(|row| row.passes);
    let report = Report {
        model: RealModel::SmolLm2.file_name(),
        text: "alice29.txt",
        n_chunks: chunks.len(),
        reference_perplexity,
        rows,
    };
    if let Some(path) = options.json {
        std::fs::write(&path, serde_json::to_string_pretty(&report)?)
            .with_context(|| path.display().to_string())?;
    }
    anyhow::ensure!(passes, "a perplexity is out of its bar");
    Ok(())
}
