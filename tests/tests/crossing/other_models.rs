//! Do the other real models run? With `cargo xtask test --models all`.

use std::fs::File;
use std::sync::Arc;

use pollster::block_on;
use portico_engine::{Engine, GpuOptions, Precision};
use portico_shared::sampling::GpuSampling;
use portico_shared::tokenizer::{AddSpecial, ParseSpecial, SkipSpecial, StreamDecoder, Tokenizer};
use portico_tests::engine;
use portico_tests::forced::{Agreement, ForcedReference, stored_prompts};
use portico_tests::real::{ALICE, RealModel};
use portico_tests::reference::FloatModel;

const SHARE: f64 = 0.97;
/// Positions of the text for forced decoding.
const N_POSITIONS: usize = 100;

struct Loaded {
    file: File,
    engine: Engine,
    tokenizer: Arc<Tokenizer>,
}

fn load(model: RealModel) -> anyhow::Result<Loaded> {
    let mut file = model.open()?;
    let tokenizer = Arc::new(Tokenizer::from_gguf(&engine::header(&mut file)?.metadata)?);
    let gpu = engine::gpu(&GpuOptions::default())?;
    let engine = engine::load(&gpu, &mut file, 256, Precision::Auto)?;
    Ok(Loaded { file, engine, tokenizer })
}

/// What the model says greedily behind `prompt`, up to its end token.
fn answer(loaded: &mut Loaded, prompt: &[u32], n_tokens: usize) -> anyhow::Result<String> {
    engine::logits_after(&mut loaded.engine, prompt)?;
    loaded.engine.start_decode(GpuSampling::Greedy)?;
    let mut decoder = StreamDecoder::continuing(loaded.tokenizer.clone(), SkipSpecial::Yes);
    let mut text = String::new();
    for _ in 0..n_tokens {
        let token = block_on(loaded.engine.next_token())?;
        if loaded.tokenizer.end_ids().contains(&token) {
            break;
        }
        text.push_str(&decoder.push(token));
    }
    Ok(text + &decoder.finish())
}

/// Forced decoding of the text against float32 on candle's tensors, computed here.
fn agreement(loaded: &mut Loaded) -> anyhow::Result<Agreement> {
    let mut tokens = loaded.tokenizer.encode(ALICE, AddSpecial::Yes, ParseSpecial::No)?;
    tokens.truncate(N_POSITIONS + 1);
    let reference = FloatModel::load(&mut loaded.file, tokens.len())?;
    let reference = ForcedReference::compute(&reference, &tokens)?;
    let scores = engine::scores(&mut loaded.engine, &tokens, 1)?;
    let agreement = reference.agreement(scores.iter().map(|score| score.top[0].0));
    println!("{agreement:?}");
    Ok(agreement)
}

#[test]
fn gpu_qwen2_answers_a_question() -> anyhow::Result<()> {
    let mut loaded = load(RealModel::QwenCoder)?;
    let stored =
        stored_prompts(include_str!("../../reference/qwen2.5-coder-0.5b-q4_k_m.f32.json"))?;
    for prompt in &stored {
        let ids = loaded.tokenizer.encode(&prompt.rendered, AddSpecial::No, ParseSpecial::Yes)?;
        assert_eq!(ids, prompt.prompt_ids, "{}", prompt.id);
        let text = answer(&mut loaded, &ids, 24)?;
        println!("{}: {text}", prompt.id);
        assert!(text.contains("Paris"), "{text}");
    }
    let agreement = agreement(&mut loaded)?;
    assert!(agreement.clear_share() >= SHARE, "{agreement:?}");
    Ok(())
}

#[test]
fn gpu_gemma3_continues_a_text() -> anyhow::Result<()> {
    let mut loaded = load(RealModel::Gemma3)?;
    let beginning = "The days of the week are Monday, Tuesday, Wednesday,";
    let prompt = loaded.tokenizer.encode(beginning, AddSpecial::Yes, ParseSpecial::No)?;
    let text = answer(&mut loaded, &prompt, 8)?;
    println!("{beginning}{text}");
    assert!(text.starts_with(" Thursday, Friday, Saturday, Sunday"), "{text}");
    let agreement = agreement(&mut loaded)?;
    assert!(agreement.clear_share() >= SHARE, "{agreement:?}");
    Ok(())
}
