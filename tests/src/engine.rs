//! The engine, natively, on the adapter that `VK_DRIVER_FILES` names.

use std::io::{Read, Seek, SeekFrom};
use std::ops::ControlFlow;

use anyhow::Context;
use pollster::block_on;
use portico_engine::{Engine, Gpu, GpuOptions, LoadOptions, ModelLoader, Precision};
use portico_shared::gguf::{Gguf, Parsed, parse_header};
use portico_shared::sampling::TokenScore;

/// Slices that fit no block size, so that whoever relies on alignment is caught.
const SLICE_BYTES: usize = (1 << 20) + 13;

/// One way to run a model.
#[derive(Clone, Debug)]
pub struct Path {
    pub name: &'static str,
    pub options: GpuOptions,
    pub precision: Precision,
}

/// Every off switch alone and all together; those that the adapter lacks anyway run as another does.
pub fn paths() -> Vec<Path> {
    let on = GpuOptions::default;
    let path = |name, options, precision| Path { name, options, precision };
    vec![
        path("f32", on(), Precision::F32),
        path("int8", on(), Precision::Int8),
        path("f32 without f16", GpuOptions { f16: false, ..on() }, Precision::F32),
        path("f32 without subgroups", GpuOptions { subgroups: false, ..on() }, Precision::F32),
        path("int8 without dot4", GpuOptions { dot4_i8: false, ..on() }, Precision::Int8),
        path("plain", GpuOptions::plain(), Precision::F32),
    ]
}

/// A device with these options.
///
/// # Errors
/// Where there is none.
pub fn gpu(options: &GpuOptions) -> anyhow::Result<Gpu> {
    block_on(Gpu::acquire(options)).context("no GPU adapter: is VK_DRIVER_FILES right?")
}

/// Reads a file's header from a growing prefix.
///
/// # Errors
/// What the parser refuses.
pub fn header<R: Read + Seek>(file: &mut R) -> anyhow::Result<Gguf> {
    let file_bytes = file.seek(SeekFrom::End(0))?;
    let mut prefix = Vec::new();
    loop {
        match parse_header(&prefix, file_bytes)? {
            Parsed::Done(gguf) => return Ok(*gguf),
            Parsed::NeedBytes(bytes) => {
                prefix.resize(usize::try_from(bytes)?, 0);
                file.seek(SeekFrom::Start(0))?;
                file.read_exact(&mut prefix)?;
            }
        }
    }
}

/// Puts a model file on the GPU slice by slice.
///
/// # Errors
/// What the engine refuses.
pub fn load<R: Read + Seek>(
    gpu: &Gpu,
    file: &mut R,
    n_ctx: u32,
    precision: Precision,
) -> anyhow::Result<Engine> {
    let gguf = header(file)?;
    let options = LoadOptions { n_ctx, precision };
    let mut loader = block_on(ModelLoader::new(gpu, &gguf, &options))?;
    file.seek(SeekFrom::Start(gguf.data_offset_bytes))?;
    let mut slice = vec![0; SLICE_BYTES];
    loop {
        let n_bytes = file.read(&mut slice)?;
        if n_bytes == 0 {
            return Ok(block_on(loader.finish())?);
        }
        loader.push(&slice[..n_bytes])?;
    }
}

/// The logits after `tokens`, by one prefill.
///
/// # Errors
/// What the engine refuses.
pub fn logits_after(engine: &mut Engine, tokens: &[u32]) -> anyhow::Result<Vec<f32>> {
    block_on(async {
        engine.prefill(tokens, |_, _| ControlFlow::Continue(())).await?;
        Ok(engine.logits().await?)
    })
}

/// The score of each token but the first, given those before it.
///
/// # Errors
/// What the engine refuses.
pub fn scores(
    engine: &mut Engine,
    tokens: &[u32],
    n_top: usize,
) -> anyhow::Result<Vec<TokenScore>> {
    Ok(block_on(engine.score(tokens, n_top))?)
}
