//! Is the float32 reference right? It agrees with candle-transformers and with stored logits of
//! Hugging Face's transformers.

use std::collections::HashMap;
use std::io::Cursor;

use anyhow::Context;
use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::Content;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::{gemma3, quantized_llama, quantized_qwen2, quantized_qwen3};
use portico_tests::forced::{ForcedReference, stored_prompts};
use portico_tests::real::RealModel;
use portico_tests::reference::{Arch, FloatModel, log_sum_exp};
use portico_tests::tiny;
use portico_tests::tolerance::{Tolerance, compare};

const N_TOKENS: usize = 40;

/// candle-transformers' logits after the last token.
fn candle_logits(arch: Arch, file: &[u8], tokens: &[u32]) -> anyhow::Result<Vec<f32>> {
    let device = Device::Cpu;
    let mut file = Cursor::new(file);
    let content = Content::read(&mut file)?;
    let input = Tensor::new(tokens, &device)?.unsqueeze(0)?;
    let logits = match arch {
        Arch::Llama => quantized_llama::ModelWeights::from_gguf(content, &mut file, &device)?
            .forward(&input, 0)?,
        Arch::Qwen2 => quantized_qwen2::ModelWeights::from_gguf(content, &mut file, &device)?
            .forward(&input, 0)?,
        Arch::Qwen3 => quantized_qwen3::ModelWeights::from_gguf(content, &mut file, &device)?
            .forward(&input, 0)?,
        Arch::Gemma3 => candle_gemma3(&content, &mut file)?.forward(&input, 0)?,
    };
    Ok(logits.flatten_all()?.to_vec1()?)
}

/// The plain gemma3 of candle-transformers over a GGUF's weights, which are named and normed
/// differently there.
fn candle_gemma3(content: &Content, file: &mut Cursor<&[u8]>) -> anyhow::Result<gemma3::Model> {
    let mut tensors = HashMap::new();
    for name in content.tensor_infos.keys() {
        let tensor = content.tensor(file, name, &Device::Cpu)?.dequantize(&Device::Cpu)?;
        // A GGUF's norm weights have the 1 in them that gemma adds.
        let tensor = if name.contains("norm") { (tensor - 1.0)? } else { tensor };
        let mut renamed = name
            .replace("token_embd", "model.embed_tokens")
            .replace("output_norm", "model.norm")
            .replace("blk.", "model.layers.");
        for (from, to) in [
            ("attn_q_norm", "self_attn.q_norm"),
            ("attn_k_norm", "self_attn.k_norm"),
            ("attn_q.", "self_attn.q_proj."),
            ("attn_k.", "self_attn.k_proj."),
            ("attn_v.", "self_attn.v_proj."),
            ("attn_output", "self_attn.o_proj"),
            ("post_attention_norm", "post_attention_layernorm"),
            ("attn_norm", "input_layernorm"),
            ("post_ffw_norm", "post_feedforward_layernorm"),
            ("ffn_norm", "pre_feedforward_layernorm"),
            ("ffn_gate", "mlp.gate_proj"),
            ("ffn_up", "mlp.up_proj"),
            ("ffn_down", "mlp.down_proj"),
        ] {
            renamed = renamed.replace(from, to);
        }
        tensors.insert(renamed, tensor);
    }
    let number = |key: &str| -> anyhow::Result<usize> {
        let value = content.metadata.get(&format!("gemma3.{key}")).context("no such key")?;
        Ok(value.to_u32()? as usize)
    };
    let config = gemma3::Config {
        attention_bias: false,
        head_dim: number("attention.key_length")?,
        hidden_activation: candle_nn::Activation::GeluPytorchTanh,
        hidden_size: number("embedding_length")?,
        intermediate_size: number("feed_forward_length")?,
        num_attention_heads: number("attention.head_count")?,
        num_hidden_layers: number("block_count")?,
        num_key_value_heads: number("attention.head_count_kv")?,
        rms_norm_eps: 1e-5,
        rope_theta: 1e6,
        rope_local_base_freq: 1e4,
        vocab_size: tiny::N_VOCAB as usize,
        final_logit_softcapping: None,
        attn_logit_softcapping: None,
        query_pre_attn_scalar: number("attention.key_length")?,
        // candle's mask lets a query see this many keys beside its own.
        sliding_window: number("attention.sliding_window")? - 1,
        sliding_window_pattern: 6,
        max_position_embeddings: number("context_length")?,
    };
    let weights = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
    Ok(gemma3::Model::new(false, &config, weights)?)
}

fn agrees_with_candle(arch: Arch) -> anyhow::Result<()> {
    let file = tiny::gguf(arch, GgmlDType::F32, 1)?;
    let model = FloatModel::load(&mut Cursor::new(&file), N_TOKENS)?;
    let tokens = tiny::tokens(N_TOKENS, 2);
    let hidden = model.hidden(&tokens)?;
    for n in [1, 7, N_TOKENS] {
        let actual = model.logits(&hidden, n - 1..n)?;
        let expected = candle_logits(arch, &file, &tokens[..n])?;
        compare(&actual[0], &expected, Tolerance::SAME)
            .map_err(|difference| anyhow::anyhow!("{arch:?} after {n} tokens: {difference}"))?;
    }
    Ok(())
}

#[test]
fn llama_is_candles() -> anyhow::Result<()> {
    agrees_with_candle(Arch::Llama)
}

#[test]
fn qwen2_is_candles() -> anyhow::Result<()> {
    agrees_with_candle(Arch::Qwen2)
}

#[test]
fn qwen3_is_candles() -> anyhow::Result<()> {
    agrees_with_candle(Arch::Qwen3)
}

#[test]
fn gemma3_is_candles() -> anyhow::Result<()> {
    agrees_with_candle(Arch::Gemma3)
}

/// Dequantised weights in a float32 file give what the quantised file gives.
#[test]
fn every_weight_type_is_read() -> anyhow::Result<()> {
    let tokens = tiny::tokens(8, 3);
    let exact = FloatModel::load(&mut Cursor::new(tiny::gguf(Arch::Llama, GgmlDType::F32, 1)?), 8)?;
    let exact = exact.logits(&exact.hidden(&tokens)?, 7..8)?.remove(0);
    for weight_type in tiny::WEIGHT_TYPES {
        let file = tiny::gguf(Arch::Llama, weight_type, 1)?;
        let model = FloatModel::load(&mut Cursor::new(file), 8)?;
        let logits = model.logits(&model.hidden(&tokens)?, 7..8)?.remove(0);
        let distance = |a: &[f32], b: &[f32]| -> f32 {
            a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
        };
        let norm = distance(&exact, &vec![0.0; exact.len()]);
        let relative = distance(&logits, &exact) / norm;
        assert!(relative < 0.3, "{weight_type:?} is {relative} away from its source");
    }
    Ok(())
}

/// The reference against another program: transformers in float32, stored.
#[test]
fn smollm2_is_transformers() -> anyhow::Result<()> {
    let mut file = RealModel::SmolLm2.open()?;
    let model = FloatModel::load(&mut file, 128)?;
    let stored = stored_prompts(include_str!("../../reference/smollm2-135m-q4_1.f32.json"))?;
    for prompt in &stored {
        let sequence = prompt.sequence();
        let hidden = model.hidden(&sequence[..sequence.len() - 1])?;
        let first = prompt.prompt_ids.len() - 1;
        let rows = model.logits(&hidden, first..sequence.len() - 1)?;
        let expected: Vec<f32> = prompt.first_logits.top10.iter().map(|top| top.logit).collect();
        let actual: Vec<f32> =
            prompt.first_logits.top10.iter().map(|top| rows[0][top.id as usize]).collect();
        compare(&actual, &expected, Tolerance::SAME)
            .map_err(|difference| anyhow::anyhow!("{}: {difference}", prompt.id))?;
        assert!((log_sum_exp(&rows[0]) - prompt.first_logits.logsumexp).abs() < 1e-3);
        for (row, step) in rows.iter().zip(&prompt.steps) {
            let (top, gap) = portico_tests::reference::top_and_gap(row);
            assert_eq!(top, step.id, "{}", prompt.id);
            assert!((gap - step.gap_to_2nd).abs() < 2e-3, "{gap} {}", step.gap_to_2nd);
        }
    }
    Ok(())
}

/// The committed reference is what the code computes now, on its first positions.
#[test]
fn the_stored_positions_are_the_references() -> anyhow::Result<()> {
    let mut file = RealModel::SmolLm2.open()?;
    let stored: ForcedReference =
        serde_json::from_str(include_str!("../../reference/smollm2-135m-q4_1.alice29.f32.json"))?;
    let n = 48;
    let live = ForcedReference::compute(&FloatModel::load(&mut file, n)?, &stored.tokens[..n])?;
    for at in 0..n {
        assert!((live.gap[at] - stored.gap[at]).abs() < 2e-3, "gap at {at}");
        assert!((live.log_sum_exp[at] - stored.log_sum_exp[at]).abs() < 2e-3, "sum at {at}");
        if stored.gap[at] > 4e-3 {
            assert_eq!(live.top[at], stored.top[at], "top at {at}");
        }
    }
    Ok(())
}
