//! Does the engine for GPUs, on candle's CPU device, compute what the server's own computes: for every
//! architecture, alone and in company, and with the same choices on a real model?

use candle_core::Device;
use candle_core::quantized::GgmlDType;
use portico_inference::{Decoding, Engine, Event, InferenceConfig, PageTable, Running};
use portico_shared::sampling::argmax;
use portico_tests::forced::{Agreement, ForcedReference, stored_prompts};
use portico_tests::hosted::{Hosted, Stepper};
use portico_tests::real::RealModel;
use portico_tests::reference::Arch;
use portico_tests::tiny;
use portico_tests::tolerance::{Tolerance, compare};

/// Longer than the sliding window and no multiple of a page.
const N_TOKENS: usize = 40;
const ARCHS: [Arch; 4] = [Arch::Llama, Arch::Qwen2, Arch::Qwen3, Arch::Gemma3];

fn candle() -> Engine {
    Engine::Candle(Device::Cpu)
}

fn check_rows(
    what: &str,
    actual: &[Vec<f32>],
    expected: &[Vec<f32>],
    tolerance: Tolerance,
) -> anyhow::Result<f32> {
    anyhow::ensure!(actual.len() == expected.len(), "{what}: {} rows", actual.len());
    let mut largest = 0f32;
    for (position, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        let relative = compare(actual, expected, tolerance)
            .map_err(|fault| anyhow::anyhow!("{what}, position {position}: {fault}"))?;
        largest = largest.max(relative);
    }
    Ok(largest)
}

#[test]
fn server_candle_computes_what_the_kernels_compute() -> anyhow::Result<()> {
    let types = [GgmlDType::F16, GgmlDType::Q4_1, GgmlDType::Q6K];
    for arch in ARCHS {
        for weight_type in types {
            let file = tiny::gguf(arch, weight_type, 7)?;
            let tokens = tiny::tokens(N_TOKENS, 8);
            let expected = Stepper::from_bytes(&file, 2)?.logits(&tokens, N_TOKENS)?;
            let actual = Stepper::from_bytes_on(&candle(), &file, 2)?.logits(&tokens, 16)?;
            let what = format!("{arch:?} {weight_type:?}");
            let tolerance = match weight_type {
                GgmlDType::F16 => Tolerance::F32,
                _ => Tolerance::REDUCED,
            };
            let largest = check_rows(&what, &actual, &expected, tolerance)?;
            println!("{what}: {largest:.1e}");
        }
    }
    Ok(())
}

/// Next tokens of some beside parts of others' prompts, and a cache that grows meanwhile. Near, not
/// the same bits: a product of more rows may sum in another order, and the cache rounds to halves.
#[test]
fn server_candle_logits_do_not_depend_on_the_company() -> anyhow::Result<()> {
    for arch in ARCHS {
        let file = tiny::gguf(arch, GgmlDType::F32, 11)?;
        let mut stepper = Stepper::from_bytes_on(&candle(), &file, 2)?;
        let sequences = [12, 13, 14, 15].map(|seed| tiny::tokens(N_TOKENS, seed));
        let mut tables = [(); 4].map(|()| PageTable::default());
        let mut together: [Vec<Vec<f32>>; 4] = Default::default();
        let mut round = 0;
        while together.iter().any(|rows| rows.len() < N_TOKENS) {
            round += 1;
            let mut parts = Vec::new();
            let mut taken = Vec::new();
            for (index, table) in tables.iter_mut().enumerate() {
                let done = together[index].len();
                let n = [1, 1, 5, 17][(index + round) % 4].min(N_TOKENS - done);
                if n > 0 {
                    parts.push((table, &sequences[index][done..done + n]));
                    taken.push((index, n));
                }
            }
            let mut rows = stepper.step(&mut parts)?.into_iter();
            for (index, n) in taken {
                together[index].extend(rows.by_ref().take(n));
            }
        }
        for table in tables {
            stepper.pages.close(table);
        }
        for (tokens, together) in sequences.iter().zip(&together) {
            let mut fresh = Stepper::from_bytes_on(&candle(), &file, 2)?;
            let alone = fresh.logits(tokens, N_TOKENS)?;
            check_rows(&format!("{arch:?}"), together, &alone, Tolerance::F32)?;
        }
    }
    Ok(())
}

/// Where the float32 reference is sure, it chooses the reference's token as often as the kernels do.
#[test]
fn server_candle_chooses_smollm2s_tokens() -> anyhow::Result<()> {
    const PROMPTS: &str = include_str!("../../reference/smollm2-135m-q4_1.f32.json");
    const TEXT: &str = include_str!("../../reference/smollm2-135m-q4_1.alice29.f32.json");
    const N_TEXT_POSITIONS: usize = 64;
    let agreement = |engine: &Engine| -> anyhow::Result<Agreement> {
        let mut stepper = Stepper::open_on(engine, &mut RealModel::SmolLm2.open()?, 2)?;
        let mut tops = |tokens: &[u32]| -> anyhow::Result<Vec<u32>> {
            let logits = stepper.logits(&tokens[..tokens.len() - 1], 64)?;
            Ok(logits.iter().filter_map(|logits| argmax(logits)).collect())
        };
        let reference: ForcedReference = serde_json::from_str(TEXT)?;
        let mut agreement = reference.agreement(tops(&reference.tokens[..=N_TEXT_POSITIONS])?);
        for prompt in stored_prompts(PROMPTS)?.into_iter().take(2) {
            let tops = tops(&prompt.sequence())?;
            prompt.add_agreement(&tops, &mut agreement);
        }
        Ok(agreement)
    };
    let (candle, kernels) = (agreement(&candle())?, agreement(&Engine::Cpu)?);
    println!("candle {candle:?}, kernels {kernels:?}");
    assert!(candle.n_clear >= 100);
    assert!(candle.n_clear_agree + 2 >= kernels.n_clear_agree);
    Ok(())
}

/// The same scheduler drives it: answers together are those alone.
#[test]
fn server_candle_answers_through_the_scheduler() -> anyhow::Result<()> {
    let config = InferenceConfig { n_threads: 2, n_ctx_max: 256, ..InferenceConfig::default() };
    let mut file = RealModel::SmolLm2.open()?;
    let hosted = Hosted::open_with(&mut file, &config, &candle(), |_| ())?;
    let ask = |from: u32, n: u32| {
        let prompt = (from..from + n).map(|i| 1000 + i * 37 % 4000).collect();
        anyhow::Ok(hosted.scheduler.submit(hosted.request(prompt, 6)?, Decoding::Answer)?)
    };
    let asked = [(0, 5), (0, 40), (90, 17)];
    let mut alone = Vec::new();
    for (from, n) in asked {
        alone.push(collect(ask(from, n)?)?);
    }
    let together = asked.map(|(from, n)| ask(from, n));
    for (running, expected) in together.into_iter().zip(alone) {
        assert_eq!(collect(running?)?, expected);
    }
    Ok(())
}

fn collect(mut running: Running) -> anyhow::Result<Vec<u32>> {
    let mut tokens = Vec::new();
    while let Some(event) = running.events.blocking_recv() {
        match event {
            Event::Delta(delta) => tokens.extend(delta.token_ids),
            Event::End { .. } => return Ok(tokens),
            Event::Failed(error) => return Err(error.into()),
        }
    }
    anyhow::bail!("an answer without an end")
}
