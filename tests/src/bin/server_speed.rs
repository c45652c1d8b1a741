//! How fast does the server's inference answer? One measurement as a line of JSON, for
//! `cargo xtask bench server`, which sets it beside another engine's.

use std::fs::File;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use portico_inference::{Decoding, Event, InferenceConfig, Running};
use portico_tests::hosted::Hosted;

#[derive(Debug, Parser)]
struct Arguments {
    /// A GGUF file.
    #[arg(long)]
    model: PathBuf,
    /// A JSON list of the prompt's token ids, at least as many as the other options name.
    #[arg(long)]
    tokens: PathBuf,
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Tokens of the prompt whose reading is measured.
    #[arg(long, default_value_t = 512)]
    prefill: usize,
    /// Tokens to generate behind a short prompt.
    #[arg(long, default_value_t = 128)]
    decode: u32,
    /// Answers at once.
    #[arg(long, default_value_t = 8)]
    streams: usize,
    /// Tokens of the short prompts.
    #[arg(long, default_value_t = 64)]
    short: usize,
}

/// When an answer's first and last token came, and how many there were.
struct Times {
    first_s: f64,
    last_s: f64,
    n_tokens: usize,
}

fn wait(mut running: Running, start: Instant) -> anyhow::Result<Times> {
    let mut times = Times { first_s: 0.0, last_s: 0.0, n_tokens: 0 };
    while let Some(event) = running.events.blocking_recv() {
        match event {
            Event::Delta(delta) => {
                times.last_s = start.elapsed().as_secs_f64();
                if times.n_tokens == 0 {
                    times.first_s = times.last_s;
                }
                times.n_tokens += delta.token_ids.len();
            }
            Event::End { usage, .. } => {
                times.last_s = start.elapsed().as_secs_f64();
                times.n_tokens = usage.completion_tokens as usize;
                return Ok(times);
            }
            Event::Failed(error) => return Err(error.into()),
        }
    }
    anyhow::bail!("an answer without an end")
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let tokens: Vec<u32> = serde_json::from_slice(&std::fs::read(&arguments.tokens)?)?;
    let needed = arguments.prefill.max(arguments.short + arguments.streams);
    anyhow::ensure!(tokens.len() >= needed, "{} tokens are too few", tokens.len());
    let mut file = File::open(&arguments.model).context("the model's file")?;
    let config = InferenceConfig {
        n_threads: arguments.threads,
        n_ctx_max: 2048,
        ..InferenceConfig::default()
    };
    let loading = Instant::now();
    let hosted = Hosted::open(&mut file, &config)?;
    let load_s = loading.elapsed().as_secs_f64();
    let submit = |from: usize, n: usize, max_tokens: u32| {
        let request = hosted.request(tokens[from..from + n].to_vec(), max_tokens)?;
        anyhow::Ok(hosted.scheduler.submit(request, Decoding::Answer)?)
    };
    // What is set up at the first step.
    wait(submit(1, 16, 2)?, Instant::now())?;

    let start = Instant::now();
    let prefilled = wait(submit(0, arguments.prefill, 1)?, start)?;
    let start = Instant::now();
    let decoded = wait(submit(2, arguments.short, arguments.decode + 1)?, start)?;
    let start = Instant::now();
    // Each begins elsewhere, so that nothing of another's stands in the cache.
    let running: Vec<Running> = (0..arguments.streams)
        .map(|stream| submit(3 + stream, arguments.short, arguments.decode))
        .collect::<Result<_, _>>()?;
    let mut n_streamed = 0;
    let mut streamed_s = 0f64;
    for running in running {
        let times = wait(running, start)?;
        n_streamed += times.n_tokens;
        streamed_s = streamed_s.max(times.last_s);
    }
    let result = serde_json::json!({
        "load_s": load_s,
        "prefill_tokens_per_s": arguments.prefill as f64 / prefilled.first_s,
        "decode_tokens_per_s": (decoded.n_tokens - 1) as f64 / (decoded.last_s - decoded.first_s),
        "streams_tokens_per_s": n_streamed as f64 / streamed_s,
    });
    println!("{result}");
    Ok(())
}
