//! How fast does the engine prefill and decode on this machine's GPU? One measurement as a line of
//! JSON, for `cargo xtask bench native`, which sets it beside another engine's.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use portico_engine::{Engine, GpuOptions, Precision};
use portico_shared::sampling::GpuSampling;
use portico_tests::engine;

const N_CTX: u32 = 1024;

#[derive(Debug, Parser)]
struct Arguments {
    /// A GGUF file.
    #[arg(long)]
    model: PathBuf,
    /// A JSON list of the prompt's token ids.
    #[arg(long)]
    tokens: PathBuf,
    /// Tokens to generate, besides the first.
    #[arg(long, default_value_t = 24)]
    decode: u32,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let tokens: Vec<u32> = serde_json::from_slice(&std::fs::read(&arguments.tokens)?)?;
    let mut file = File::open(&arguments.model).context("the model's file")?;
    let gpu = engine::gpu(&GpuOptions::default())?;
    let engine = engine::load(&gpu, &mut file, N_CTX, Precision::Auto)?;
    println!("{}", pollster::block_on(measure(engine, &tokens, arguments.decode))?);
    Ok(())
}

async fn measure(
    mut engine: Engine,
    tokens: &[u32],
    n_decode: u32,
) -> anyhow::Result<serde_json::Value> {
    // Pipelines are compiled and the chunk size is found before the clock starts.
    engine.prefill(tokens, |_, _| ControlFlow::Continue(())).await?;
    engine.logits().await?;
    engine.rewind(0);

    let start = Instant::now();
    engine.prefill(tokens, |_, _| ControlFlow::Continue(())).await?;
    engine.start_decode(GpuSampling::Greedy)?;
    engine.next_token().await?;
    let prefill_s = start.elapsed().as_secs_f64();
    let start = Instant::now();
    for _ in 0..n_decode {
        engine.next_token().await?;
    }
    let decode_s = start.elapsed().as_secs_f64();
    Ok(serde_json::json!({
        "prefill_tokens_per_s": tokens.len() as f64 / prefill_s,
        "decode_tokens_per_s": f64::from(n_decode) / decode_s,
    }))
}
