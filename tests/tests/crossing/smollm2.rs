//! Does the engine choose SmolLM2's tokens as float32 does?

use std::fs::File;

use pollster::block_on;
use portico_engine::{Engine, GpuOptions, Precision};
use portico_tests::engine;
use portico_tests::forced::{Agreement, ForcedReference, stored_prompts};
use portico_tests::real::RealModel;
use serde::Deserialize;

/// Positions of the text that each path is run over; with the stored prompts more than 500.
const N_TEXT_POSITIONS: usize = 448;
/// Positions that are also decoded one by one.
const N_STEPS: usize = 24;
const CLEAR_SHARE: f64 = 0.99;

/// What llama.cpp finds most likely on the same positions.
#[derive(Deserialize)]
struct Peer {
    tops: Vec<u32>,
}

const PROMPTS: &str = include_str!("../../reference/smollm2-135m-q4_1.f32.json");
const PEER_PROMPTS: &str = include_str!("../../reference/smollm2-135m-q4_1.forced.llama-cpp.json");
const PEER_TEXT: &str = include_str!("../../reference/smollm2-135m-q4_1.alice29.llama-cpp.json");

fn peer(json: &str) -> anyhow::Result<Vec<u32>> {
    Ok(serde_json::from_str::<Peer>(json)?.tops)
}

fn tops(engine: &mut Engine, tokens: &[u32]) -> anyhow::Result<Vec<u32>> {
    Ok(engine::scores(engine, tokens, 1)?.iter().map(|score| score.top[0].0).collect())
}

fn text_reference() -> anyhow::Result<ForcedReference> {
    let json = include_str!("../../reference/smollm2-135m-q4_1.alice29.f32.json");
    Ok(serde_json::from_str(json)?)
}

fn load(file: &mut File, precision: Precision) -> anyhow::Result<Engine> {
    let gpu = engine::gpu(&GpuOptions::default())?;
    engine::load(&gpu, file, 512, precision)
}

/// Over the stored prompts' continuations and over the text.
fn agreement(engine: &mut Engine) -> anyhow::Result<(Agreement, Agreement)> {
    let mut prompts = Agreement::default();
    for prompt in stored_prompts(PROMPTS)? {
        let tops = tops(engine, &prompt.sequence())?;
        prompt.add_agreement(&tops, &mut prompts);
    }
    let reference = text_reference()?;
    let text = reference.agreement(tops(engine, &reference.tokens[..=N_TEXT_POSITIONS])?);
    println!("stored prompts: {prompts:?}\ntext: {text:?}");
    Ok((prompts, text))
}

#[test]
fn gpu_float32_path_chooses_as_float32() -> anyhow::Result<()> {
    let mut file = RealModel::SmolLm2.open()?;
    let mut engine = load(&mut file, Precision::F32)?;
    let (prompts, text) = agreement(&mut engine)?;
    assert!(prompts.n_positions + text.n_positions >= 500);
    for agreement in [prompts, text] {
        assert!(agreement.clear_share() >= CLEAR_SHARE, "{agreement:?}");
    }
    // The decode path, position by position.
    let reference = text_reference()?;
    let mut decoded = Agreement::default();
    engine::logits_after(&mut engine, &reference.tokens[..8])?;
    for at in 8..8 + N_STEPS {
        block_on(engine.step(reference.tokens[at]))?;
        let logits = block_on(engine.logits())?;
        let (top, _) = portico_tests::reference::top_and_gap(&logits);
        decoded.add(top, reference.top[at], reference.gap[at]);
    }
    assert!(decoded.clear_share() >= CLEAR_SHARE, "{decoded:?}");
    Ok(())
}

#[test]
fn gpu_int8_path_chooses_as_often_as_llama_cpp() -> anyhow::Result<()> {
    let mut file = RealModel::SmolLm2.open()?;
    let mut engine = load(&mut file, Precision::Int8)?;
    let (prompts, text) = agreement(&mut engine)?;
    assert!(prompts.n_positions + text.n_positions >= 500);
    let peer_text =
        text_reference()?.agreement(peer(PEER_TEXT)?.into_iter().take(N_TEXT_POSITIONS));
    let mut peer_prompts = Agreement::default();
    let mut tops = peer(PEER_PROMPTS)?.into_iter();
    for prompt in stored_prompts(PROMPTS)? {
        prompt.add_answer_agreement(tops.by_ref(), &mut peer_prompts);
    }
    println!("llama.cpp: prompts {peer_prompts:?}, text {peer_text:?}");
    assert_eq!(prompts.n_clear + text.n_clear, peer_prompts.n_clear + peer_text.n_clear);
    assert!(
        prompts.n_clear_agree + text.n_clear_agree
            >= peer_prompts.n_clear_agree + peer_text.n_clear_agree,
        "{prompts:?} {text:?}, llama.cpp {peer_prompts:?} {peer_text:?}"
    );
    Ok(())
}
