//! Does the server choose SmolLM2's tokens at least as well as llama.cpp does?

use portico_shared::sampling::argmax;
use portico_tests::forced::{Agreement, ForcedReference, stored_prompts};
use portico_tests::hosted::Stepper;
use portico_tests::real::RealModel;
use serde::Deserialize;

/// Positions of the text; with the stored prompts more than 500.
const N_TEXT_POSITIONS: usize = 448;

/// What llama.cpp finds most likely on the same positions.
#[derive(Deserialize)]
struct Peer {
    tops: Vec<u32>,
}

const PROMPTS: &str = include_str!("../../reference/smollm2-135m-q4_1.f32.json");
const PEER_PROMPTS: &str = include_str!("../../reference/smollm2-135m-q4_1.forced.llama-cpp.json");
const TEXT: &str = include_str!("../../reference/smollm2-135m-q4_1.alice29.f32.json");
const PEER_TEXT: &str = include_str!("../../reference/smollm2-135m-q4_1.alice29.llama-cpp.json");

fn peer(json: &str) -> anyhow::Result<Vec<u32>> {
    Ok(serde_json::from_str::<Peer>(json)?.tops)
}

/// The most likely token after each one but the last.
fn tops(stepper: &mut Stepper, tokens: &[u32]) -> anyhow::Result<Vec<u32>> {
    let logits = stepper.logits(&tokens[..tokens.len() - 1], 64)?;
    Ok(logits.iter().filter_map(|logits| argmax(logits)).collect())
}

#[test]
fn server_int8_chooses_as_often_as_llama_cpp() -> anyhow::Result<()> {
    let mut stepper = Stepper::open(&mut RealModel::SmolLm2.open()?, 2)?;
    let mut prompts = Agreement::default();
    let mut peer_prompts = Agreement::default();
    let mut peer_tops = peer(PEER_PROMPTS)?.into_iter();
    for prompt in stored_prompts(PROMPTS)? {
        let tops = tops(&mut stepper, &prompt.sequence())?;
        prompt.add_agreement(&tops, &mut prompts);
        prompt.add_answer_agreement(peer_tops.by_ref(), &mut peer_prompts);
    }
    let reference: ForcedReference = serde_json::from_str(TEXT)?;
    let text = reference.agreement(tops(&mut stepper, &reference.tokens[..=N_TEXT_POSITIONS])?);
    let peer_text = reference.agreement(peer(PEER_TEXT)?.into_iter().take(N_TEXT_POSITIONS));
    println!("prompts {prompts:?}, text {text:?}");
    println!("llama.cpp: prompts {peer_prompts:?}, text {peer_text:?}");
    assert!(prompts.n_positions + text.n_positions >= 500);
    assert_eq!(prompts.n_clear + text.n_clear, peer_prompts.n_clear + peer_text.n_clear);
    assert!(
        prompts.n_clear_agree + text.n_clear_agree
            >= peer_prompts.n_clear_agree + peer_text.n_clear_agree
    );
    Ok(())
}
