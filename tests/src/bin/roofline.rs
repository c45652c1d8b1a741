//! How much of this machine's GPU do the engine's prefill and decode use, natively?

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use portico_engine::{GpuOptions, Precision, roofline};
use portico_tests::engine;
use portico_tests::real::RealModel;

const N_CTX: u32 = 1024;
/// The share that decode and prefill are held to.
const BAR: f64 = 0.6;

#[derive(Debug, Parser)]
struct Arguments {
    /// Where to write the results as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Tokens of the prompt.
    #[arg(long, default_value_t = 256)]
    prompt: u32,
    /// Tokens to decode after it.
    #[arg(long, default_value_t = 32)]
    decode: u32,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut file = RealModel::SmolLm2.open()?;
    let gpu = engine::gpu(&GpuOptions::default())?;
    let mut engine = engine::load(&gpu, &mut file, N_CTX, Precision::Auto)?;
    // Which tokens they are makes no difference to the time.
    let prompt: Vec<u32> = (0..arguments.prompt).map(|i| 1000 + i % 97).collect();
    let report = pollster::block_on(roofline::report(&mut engine, &prompt, arguments.decode))?;
    let rates = report.rates;
    println!(
        "rates: {:.1} GB/s streamed, {:.1} GMAC/s f32, {:.1} GMAC/s dot4, {:.1} µs a dispatch",
        rates.bytes_per_s / 1e9,
        rates.f32_macs_per_s / 1e9,
        rates.dot4_macs_per_s / 1e9,
        rates.dispatch_s * 1e6
    );
    println!(
        "{:8} {:>7} {:>9} {:>9} {:>9} {:>6}",
        "phase", "tokens", "tok/s", "taken s", "least s", "share"
    );
    for (name, phase) in [("prefill", report.prefill), ("decode", report.decode)] {
        println!(
            "{name:8} {:>7} {:>9.2} {:>9.3} {:>9.3} {:>6.2}",
            phase.n_tokens,
            f64::from(phase.n_tokens) / phase.taken_s,
            phase.taken_s,
            phase.least_s,
            phase.share
        );
    }
    if let Some(path) = arguments.json {
        std::fs::write(&path, serde_json::to_vec_pretty(&report)?)
            .with_context(|| path.display().to_string())?;
    }
    if report.prefill.share >= BAR && report.decode.share >= BAR {
        Ok(ExitCode::SUCCESS)
    } else {
        eprintln!("below {BAR} of the roofline");
        Ok(ExitCode::FAILURE)
    }
}
