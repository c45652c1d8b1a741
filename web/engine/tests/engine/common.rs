//! A model of random float32 weights, small enough to load in a blink.

use std::ops::ControlFlow;

use pollster::block_on;
use portico_engine::{Engine, Gpu, GpuOptions, LoadOptions, ModelLoader, Precision};
use portico_shared::gguf::{Gguf, GgufWriter, Parsed, parse_header};
use portico_shared::sampling::uniform;

const N_VOCAB: u32 = 300;
pub const N_LAYERS: u32 = 2;
const N_EMBD: u32 = 64;
const N_FF: u32 = 96;
const N_HEADS: u32 = 4;
const N_KV_HEADS: u32 = 2;
const HEAD_DIM: u32 = 32;

struct Tensors {
    writer: GgufWriter,
    n_tensors: u64,
}

impl Tensors {
    fn add(&mut self, name: &str, dims: &[u64]) {
        self.n_tensors += 1;
        let n = dims.iter().product::<u64>() as u32;
        let data = (0..n)
            .flat_map(|at| {
                let value = uniform(self.n_tensors, at) - 0.5;
                // Norms around 1, matrices around 0.
                if dims.len() == 1 { 1.0 + value / 4.0 } else { value / 2.0 }.to_le_bytes()
            })
            .collect();
        let f32_type = candle_core::quantized::GgmlDType::F32;
        self.writer = std::mem::take(&mut self.writer).tensor(name, dims, f32_type, data);
    }
}

/// A file of `arch` (`llama`, `qwen2`, `qwen3` or `gemma3`).
pub fn model(arch: &str) -> Vec<u8> {
    let key = |part: &str| format!("{arch}.{part}");
    let writer = GgufWriter::new()
        .metadata("general.architecture", arch.to_owned())
        .metadata(key("block_count"), N_LAYERS)
        .metadata(key("context_length"), 4096u32)
        .metadata(key("embedding_length"), N_EMBD)
        .metadata(key("feed_forward_length"), N_FF)
        .metadata(key("attention.head_count"), N_HEADS)
        .metadata(key("attention.head_count_kv"), N_KV_HEADS)
        .metadata(key("attention.key_length"), HEAD_DIM)
        .metadata(key("attention.value_length"), HEAD_DIM)
        .metadata(key("attention.sliding_window"), 16u32)
        .metadata(key("attention.layer_norm_rms_epsilon"), 1e-5f32);
    let mut tensors = Tensors { writer, n_tensors: 0 };
    let (embd, ff) = (u64::from(N_EMBD), u64::from(N_FF));
    let (q, kv) = (u64::from(N_HEADS * HEAD_DIM), u64::from(N_KV_HEADS * HEAD_DIM));
    tensors.add("token_embd.weight", &[embd, N_VOCAB.into()]);
    tensors.add("output_norm.weight", &[embd]);
    for layer in 0..N_LAYERS {
        let name = |part: &str| format!("blk.{layer}.{part}");
        tensors.add(&name("attn_norm.weight"), &[embd]);
        for (part, rows) in [("attn_q", q), ("attn_k", kv), ("attn_v", kv)] {
            tensors.add(&name(&format!("{part}.weight")), &[embd, rows]);
            if arch == "qwen2" {
                tensors.add(&name(&format!("{part}.bias")), &[rows]);
            }
        }
        if matches!(arch, "qwen3" | "gemma3") {
            tensors.add(&name("attn_q_norm.weight"), &[HEAD_DIM.into()]);
            tensors.add(&name("attn_k_norm.weight"), &[HEAD_DIM.into()]);
        }
        if arch == "gemma3" {
            tensors.add(&name("post_attention_norm.weight"), &[embd]);
            tensors.add(&name("post_ffw_norm.weight"), &[embd]);
        }
        tensors.add(&name("attn_output.weight"), &[q, embd]);
        tensors.add(&name("ffn_norm.weight"), &[embd]);
        tensors.add(&name("ffn_gate.weight"), &[embd, ff]);
        tensors.add(&name("ffn_up.weight"), &[embd, ff]);
        tensors.add(&name("ffn_down.weight"), &[ff, embd]);
    }
    tensors.writer.finish().expect("the writer writes what the reader reads")
}

pub fn header(file: &[u8]) -> Gguf {
    match parse_header(file, file.len() as u64).expect("a sound header") {
        Parsed::Done(gguf) => *gguf,
        Parsed::NeedBytes(bytes) => panic!("{bytes} bytes of {}", file.len()),
    }
}

pub fn gpu() -> Gpu {
    block_on(Gpu::acquire(&GpuOptions::default())).expect("VK_DRIVER_FILES names an adapter")
}

/// How the tests load a model.
pub fn options(n_ctx: u32) -> LoadOptions {
    LoadOptions { n_ctx, precision: Precision::F32 }
}

pub fn load(gpu: &Gpu, file: &[u8], n_ctx: u32) -> Engine {
    let gguf = header(file);
    let options = options(n_ctx);
    let mut loader = block_on(ModelLoader::new(gpu, &gguf, &options)).expect("a loader");
    for slice in file[gguf.data_offset_bytes as usize..].chunks(1001) {
        loader.push(slice).expect("bytes in order");
    }
    block_on(loader.finish()).expect("an engine")
}

pub fn go_on(_done: usize, _total: usize) -> ControlFlow<()> {
    ControlFlow::Continue(())
}
