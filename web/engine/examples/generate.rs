//! Continues a sequence of token ids on this machine's GPU and prints rates as JSON.
//!
//! ```text
//! cargo run --release -p portico-engine --example generate -- MODEL.gguf --ids 1,2,3 --max 48
//! ```

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::time::Instant;

use portico_engine::{Engine, Gpu, GpuOptions, LoadOptions, ModelLoader, Precision};
use portico_shared::gguf::{Gguf, Parsed, parse_header};
use portico_shared::sampling::GpuSampling;

type Error = Box<dyn std::error::Error>;

struct Arguments {
    model: String,
    ids: Vec<u32>,
    max: usize,
    precision: Precision,
    gpu: GpuOptions,
    n_ctx: u32,
    profile: bool,
}

fn arguments() -> Result<Arguments, Error> {
    let mut arguments = Arguments {
        model: String::new(),
        ids: vec![1],
        max: 32,
        precision: Precision::Auto,
        gpu: GpuOptions::default(),
        n_ctx: 2048,
        profile: false,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--ids" => {
                arguments.ids = value()?.split(',').map(str::parse).collect::<Result<_, _>>()?;
            }
            "--max" => arguments.max = value()?.parse()?,
            "--ctx" => arguments.n_ctx = value()?.parse()?,
            "--f32" => arguments.precision = Precision::F32,
            "--int8" => arguments.precision = Precision::Int8,
            "--plain" => arguments.gpu = GpuOptions::plain(),
            "--profile" => {
                arguments.profile = true;
                arguments.gpu.timestamps = true;
            }
            _ => arguments.model = word,
        }
    }
    Ok(arguments)
}

/// Reads a header from the file's growing beginning.
fn header(file: &mut File) -> Result<Gguf, Error> {
    let file_bytes = file.metadata()?.len();
    let mut prefix = Vec::new();
    loop {
        match parse_header(&prefix, file_bytes)? {
            Parsed::Done(gguf) => return Ok(*gguf),
            Parsed::NeedBytes(bytes) => {
                prefix.resize(bytes as usize, 0);
                file.seek(SeekFrom::Start(0))?;
                file.read_exact(&mut prefix)?;
            }
        }
    }
}

async fn load(arguments: &Arguments) -> Result<Engine, Error> {
    let mut file = File::open(&arguments.model)?;
    let gguf = header(&mut file)?;
    let gpu = Gpu::acquire(&arguments.gpu).await?;
    eprintln!("{:?}", gpu.caps());
    let options = LoadOptions { n_ctx: arguments.n_ctx, precision: arguments.precision };
    let mut loader = ModelLoader::new(&gpu, &gguf, &options).await?;
    file.seek(SeekFrom::Start(gguf.data_offset_bytes))?;
    let mut slice = vec![0; 1 << 20];
    loop {
        match file.read(&mut slice)? {
            0 => break,
            n => loader.push(&slice[..n])?,
        }
    }
    Ok(loader.finish().await?)
}

async fn run() -> Result<(), Error> {
    let arguments = arguments()?;
    let start = Instant::now();
    let mut engine = load(&arguments).await?;
    eprintln!("loaded in {:.1?}, {} MB", start.elapsed(), engine.gpu_bytes() >> 20);

    let start = Instant::now();
    engine.prefill(&arguments.ids, |_, _| ControlFlow::Continue(())).await?;
    let prefill_s = start.elapsed().as_secs_f64();
    let logits = engine.logits().await?;
    let mut best: Vec<usize> = (0..logits.len()).collect();
    best.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
    for &id in &best[..10.min(best.len())] {
        eprintln!("{id:>7} {:.4}", logits[id]);
    }

    if arguments.profile {
        // The first run compiles.
        engine.profile_decode().await?;
        for (label, us) in engine.profile_decode().await? {
            eprintln!("{us:>10.1} us {label}");
        }
    }
    engine.start_decode(GpuSampling::Greedy)?;
    let mut tokens = vec![engine.next_token().await?];
    let start = Instant::now();
    while tokens.len() < arguments.max {
        tokens.push(engine.next_token().await?);
    }
    let decode_s = start.elapsed().as_secs_f64();
    println!(
        "{{\"prefill_tokens\":{},\"prefill_tokens_per_s\":{:.2},\"decode_tokens_per_s\":{:.2},\
         \"tokens\":{tokens:?}}}",
        arguments.ids.len(),
        arguments.ids.len() as f64 / prefill_s,
        (tokens.len() - 1) as f64 / decode_s,
    );
    Ok(())
}

fn main() -> Result<(), Error> {
    pollster::block_on(run())
}
