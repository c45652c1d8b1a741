//! Models of the server's own: loaded when first asked for, within a budget, refused by name.

use std::sync::Arc;

use candle_core::quantized::GgmlDType;
use portico_server::inference::{Event, HostedModel, Inference, InferenceConfig};
use portico_server::models::{Layout, Library};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::generation::GenerationRequest;
use portico_shared::gguf::{GgufWriter, StringArray};
use portico_shared::openai::CompletionRequest;

use crate::common::*;

const N_EMBD: usize = 32;
const PIECES: [&str; 8] = ["<unk>", "<s>", "</s>", "▁", "a", "b", "▁a", "▁b"];

/// A llama of one layer that can be run, without the tensor `without`.
fn llama(without: &str) -> Vec<u8> {
    let tokens: StringArray = PIECES.iter().collect();
    let mut writer = GgufWriter::new()
        .metadata("general.architecture", "llama")
        .metadata("llama.context_length", 128u32)
        .metadata("llama.block_count", 1u32)
        .metadata("llama.embedding_length", N_EMBD as u32)
        .metadata("llama.feed_forward_length", N_EMBD as u32)
        .metadata("llama.attention.head_count", 1u32)
        .metadata("llama.attention.head_count_kv", 1u32)
        .metadata("tokenizer.ggml.model", "llama")
        .metadata("tokenizer.ggml.tokens", tokens)
        .metadata("tokenizer.ggml.scores", (0..8).map(|i| -(i as f32)).collect::<Vec<f32>>())
        .metadata("tokenizer.ggml.token_type", vec![2i32, 3, 3, 1, 1, 1, 1, 1])
        .metadata("tokenizer.ggml.bos_token_id", 1u32)
        .metadata("tokenizer.ggml.eos_token_id", 2u32);
    let square = [N_EMBD as u64, N_EMBD as u64];
    let mut tensors = vec![
        ("token_embd.weight".to_owned(), vec![N_EMBD as u64, PIECES.len() as u64]),
        ("output_norm.weight".to_owned(), vec![N_EMBD as u64]),
    ];
    for part in ["attn_norm", "ffn_norm"] {
        tensors.push((format!("blk.0.{part}.weight"), vec![N_EMBD as u64]));
    }
    for part in ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"] {
        tensors.push((format!("blk.0.{part}.weight"), square.to_vec()));
    }
    for (seed, (name, dims)) in tensors.iter().enumerate().filter(|(_, (name, _))| name != without)
    {
        let n: u64 = dims.iter().product();
        let values = noise(n as usize, seed as u32 + 1);
        let bytes = values.iter().flat_map(|&byte| (f32::from(byte) / 128.0 - 1.0).to_le_bytes());
        writer = writer.tensor(name, dims, GgmlDType::F32, bytes.collect());
    }
    writer.to_bytes()
}

/// A data folder with models of these ids.
fn library(models: &[(&str, &[u8])]) -> (Folder, Arc<Library>) {
    let folder = Folder::new();
    let entries = models.iter().map(|(id, bytes)| entry(id, "m.gguf", bytes.len(), ""));
    let catalogue = entries.collect::<String>() + &entry("not-here", "m.gguf", 10, "");
    folder.write("models.toml", catalogue);
    for (id, bytes) in models {
        folder.write(&format!("models/{id}/m.gguf"), bytes);
    }
    let library = Library::open(Layout::new(&folder.0, None)).unwrap();
    (folder, Arc::new(library))
}

fn config(memory_bytes: u64) -> InferenceConfig {
    InferenceConfig { memory_bytes, max_sequences: 1, n_threads: 1, ..InferenceConfig::default() }
}

async fn refusal(inference: &Arc<Inference>, id: &str) -> ApiError {
    inference.model(id).await.expect_err("it cannot be had")
}

fn loaded(inference: &Inference) -> Vec<String> {
    inference.status().models.into_iter().map(|model| model.id).collect()
}

async fn say(inference: &Arc<Inference>, model: &Arc<HostedModel>, n: u32) -> Vec<u32> {
    let request: CompletionRequest = serde_json::from_value(serde_json::json!({
        "model": "tiny", "prompt": [1, 4, 5], "max_tokens": n, "temperature": 0,
        "logit_bias": { "2": -100 },
    }))
    .unwrap();
    let request =
        GenerationRequest::from_completion(&request, vec![1, 4, 5], &model.facts, 0).unwrap();
    let mut running = inference.generate(model, request).await.unwrap();
    let mut tokens = Vec::new();
    while let Some(event) = running.events.recv().await {
        match event {
            Event::Delta(delta) => tokens.extend(delta.token_ids),
            Event::End { .. } => return tokens,
            Event::Failed(error) => panic!("{error}"),
        }
    }
    panic!("an answer without an end");
}

#[tokio::test]
async fn a_model_is_loaded_once_by_those_who_ask_at_once_and_answers() {
    let bytes = llama("");
    let (_folder, library) = library(&[("tiny", &bytes)]);
    let inference = Inference::new(library, config(1 << 30));
    assert!(inference.status().models.is_empty(), "nothing is loaded before it is asked for");
    let (first, second) = tokio::join!(inference.model("tiny"), inference.model("tiny"));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!((first.facts.n_ctx, first.facts.n_vocab), (128, 8));
    assert_eq!(say(&inference, &first, 9).await.len(), 9);
    assert_eq!(say(&inference, &first, 9).await, say(&inference, &second, 9).await);
    let vectors = inference.embed(&first, vec![vec![1]]).await.expect_err("it makes none");
    assert_eq!(vectors.code, ErrorCode::ModelUnsupported);
}

#[tokio::test]
async fn what_cannot_be_loaded_is_refused_by_its_fault() {
    let (bytes, cut) = (llama(""), llama("blk.0.ffn_up.weight"));
    let (folder, library) = library(&[("tiny", &bytes), ("cut", &cut), ("short", &bytes)]);
    folder.write("models/short/m.gguf", &bytes[..bytes.len() - 64]);
    let inference = Inference::new(library, config(1 << 30));
    assert_eq!(refusal(&inference, "nobody").await.code, ErrorCode::ModelNotFound);
    assert_eq!(refusal(&inference, "not-here").await.code, ErrorCode::ModelAbsent);
    let error = refusal(&inference, "cut").await;
    assert_eq!(error.code, ErrorCode::ModelInvalid);
    assert!(error.params["reason"].contains("blk.0.ffn_up.weight"), "{error}");
    assert_eq!(refusal(&inference, "short").await.code, ErrorCode::ModelInvalid);
    assert!(inference.status().models.is_empty());
    assert!(inference.model("tiny").await.is_ok());
}

#[tokio::test]
async fn the_longest_unused_model_makes_room_and_one_in_use_does_not() {
    let bytes = llama("");
    let (_folder, library) = library(&[("one", &bytes), ("two", &bytes), ("three", &bytes)]);
    let roomy = Inference::new(Arc::clone(&library), config(1 << 30));
    let needed_bytes = roomy.model("one").await.unwrap().memory_bytes;
    // Room for two.
    let inference = Inference::new(Arc::clone(&library), config(needed_bytes * 5 / 2));
    for id in ["one", "two", "one"] {
        inference.model(id).await.unwrap();
    }
    let three = inference.model("three").await.unwrap();
    assert_eq!(loaded(&inference), ["one", "three"], "two was not used for longest");
    let one = inference.model("one").await.unwrap();
    let error = refusal(&inference, "two").await;
    assert_eq!(error.code, ErrorCode::ServerMemoryFull);
    drop(one);
    assert!(inference.model("two").await.is_ok());
    assert_eq!(loaded(&inference), ["three", "two"]);
    assert_eq!(say(&inference, &three, 3).await.len(), 3);

    let tight = Inference::new(library, config(needed_bytes - 1));
    assert_eq!(refusal(&tight, "one").await.code, ErrorCode::ServerMemoryFull);
}
