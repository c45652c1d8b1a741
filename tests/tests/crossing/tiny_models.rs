//! Does the engine compute what candle computes, for every architecture and weight type, however the
//! work is cut?
//!
//! Every type by itself goes through one architecture; the others take the types mixed, as real files
//! have them: each model costs seconds, most of them for its pipelines. Every kernel by every type is
//! compared with its twin in the engine's own tests.

use std::io::Cursor;
use std::ops::ControlFlow;

use candle_core::quantized::GgmlDType;
use pollster::block_on;
use portico_engine::{Engine, EngineError, Gpu, GpuOptions, Precision};
use portico_shared::sampling::{GpuSampling, SamplingParams, argmax, sample, score_token};
use portico_tests::engine::{self, Path};
use portico_tests::reference::{Activations, Arch, FloatModel};
use portico_tests::tiny;
use portico_tests::tolerance::{Tolerance, compare};

/// Longer than the sliding window and no multiple of a tile.
const N_PREFILL: usize = 37;
/// Decoded one by one behind it.
const N_STEPS: usize = 3;
const N_TOKENS: usize = N_PREFILL + N_STEPS;

/// What a path is held to: its own numbers, and how near to them.
fn bar(path: &Path, gpu: &Gpu) -> (Activations, Tolerance) {
    match path.precision {
        Precision::F32 => (Activations::F32, Tolerance::F32),
        Precision::Auto if !(gpu.caps().dot4_i8 && path.options.dot4_i8) => {
            (Activations::F32, Tolerance::REDUCED)
        }
        Precision::Auto | Precision::Int8 => (Activations::Q8, Tolerance::REDUCED),
    }
}

/// Logits after a prefill and after each of a few steps against the reference.
fn check(gpu: &Gpu, path: &Path, arch: Arch, weight_types: &[GgmlDType]) -> anyhow::Result<f32> {
    let file = tiny::mixed(arch, weight_types, 7)?;
    let tokens = tiny::tokens(N_TOKENS, 8);
    let (activations, tolerance) = bar(path, gpu);
    let reference = FloatModel::load(&mut Cursor::new(&file), N_TOKENS)?;
    let reference = reference.with_activations(activations);
    let expected = reference.logits(&reference.hidden(&tokens)?, 0..N_TOKENS)?;

    let mut engine = engine::load(gpu, &mut Cursor::new(&file), 64, path.precision)?;
    let mut largest = 0f32;
    let mut near = |actual: &[f32], position: usize| -> anyhow::Result<()> {
        let relative = compare(actual, &expected[position], tolerance).map_err(|difference| {
            let name = path.name;
            anyhow::anyhow!("{arch:?} {weight_types:?} {name}, position {position}: {difference}")
        })?;
        largest = largest.max(relative);
        Ok(())
    };
    near(&engine::logits_after(&mut engine, &tokens[..N_PREFILL])?, N_PREFILL - 1)?;
    for (position, &token) in tokens.iter().enumerate().skip(N_PREFILL) {
        block_on(engine.step(token))?;
        near(&block_on(engine.logits())?, position)?;
    }
    // A prompt of a single token.
    near(&engine::logits_after(&mut engine, &tokens[..1])?, 0)?;
    Ok(largest)
}

/// One model for each of `models`, which are the types that its matrices take in turn.
fn check_all(arch: Arch, models: &[&[GgmlDType]], paths: &[Path]) -> anyhow::Result<()> {
    let mut faults = Vec::new();
    for path in paths {
        let gpu = engine::gpu(&path.options)?;
        for &weight_types in models {
            match check(&gpu, path, arch, weight_types) {
                Ok(largest) => println!("{arch:?} {weight_types:?} {}: {largest:.1e}", path.name),
                Err(fault) => faults.push(format!("{fault:#}")),
            }
        }
    }
    anyhow::ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// As Q4_K_M files of models whose rows are no multiple of 256 have them.
const K_MIX: [GgmlDType; 4] = [GgmlDType::Q5_0, GgmlDType::Q6K, GgmlDType::Q8_0, GgmlDType::Q4K];
const OTHER_MIX: [GgmlDType; 4] =
    [GgmlDType::F16, GgmlDType::Q4_0, GgmlDType::Q5_1, GgmlDType::Q5K];

/// float32 and 8-bit activations.
fn main_paths() -> Vec<Path> {
    engine::paths().into_iter().take(2).collect()
}

#[test]
fn gpu_llama_is_candles() -> anyhow::Result<()> {
    let [f32_path, int8_path] = &main_paths()[..] else { anyhow::bail!("two main paths") };
    let each: Vec<&[GgmlDType]> = tiny::WEIGHT_TYPES.iter().map(std::slice::from_ref).collect();
    check_all(Arch::Llama, &each, std::slice::from_ref(int8_path))?;
    // What no mix below has.
    let rest: [&[GgmlDType]; 2] = [&[GgmlDType::F32], &[GgmlDType::Q4_1]];
    check_all(Arch::Llama, &rest, std::slice::from_ref(f32_path))
}

#[test]
fn gpu_qwen2_is_candles() -> anyhow::Result<()> {
    check_all(Arch::Qwen2, &[&K_MIX], &main_paths())
}

#[test]
fn gpu_qwen3_is_candles() -> anyhow::Result<()> {
    check_all(Arch::Qwen3, &[&OTHER_MIX], &main_paths())
}

#[test]
fn gpu_gemma3_is_candles() -> anyhow::Result<()> {
    check_all(Arch::Gemma3, &[&K_MIX], &main_paths())
}

/// Each off switch on a legacy quantisation; what differs by architecture on a K-quant too.
#[test]
fn gpu_variants_are_candles() -> anyhow::Result<()> {
    let others: Vec<Path> = engine::paths().into_iter().skip(2).collect();
    check_all(Arch::Llama, &[&[GgmlDType::Q4_1]], &others)?;
    let last: Vec<Path> = others.into_iter().rev().take(2).collect();
    check_all(Arch::Gemma3, &[&[GgmlDType::Q4K]], &last)
}

/// An engine and its tokens for tests of how the work is cut.
fn small(precision: Precision) -> anyhow::Result<(Engine, Vec<u32>)> {
    let file = tiny::gguf(Arch::Gemma3, GgmlDType::Q5_1, 9)?;
    let gpu = engine::gpu(&GpuOptions::default())?;
    let engine = engine::load(&gpu, &mut Cursor::new(file), 64, precision)?;
    Ok((engine, tiny::tokens(N_TOKENS, 10)))
}

#[test]
fn gpu_prefill_in_parts_gives_the_logits_of_a_whole_one() -> anyhow::Result<()> {
    for precision in [Precision::F32, Precision::Int8] {
        let (mut engine, tokens) = small(precision)?;
        let whole = engine::logits_after(&mut engine, &tokens)?;
        for cuts in [&[1][..], &[16, 17, 33], &[5, 39]] {
            engine.rewind(0);
            for &cut in cuts {
                let stats =
                    block_on(engine.prefill(&tokens[..cut], |_, _| ControlFlow::Continue(())))?;
                assert!(stats.computed > 0 && stats.reused + stats.computed == cut);
            }
            let stats = block_on(engine.prefill(&tokens, |_, _| ControlFlow::Continue(())))?;
            assert_eq!(stats.reused, cuts[cuts.len() - 1]);
            let parts = block_on(engine.logits())?;
            // Another kernel takes single tokens; a sum that differs in its last bit can turn an
            // 8-bit rounding over.
            let tolerance =
                if precision == Precision::F32 { Tolerance::SAME } else { Tolerance::REDUCED };
            compare(&parts, &whole, tolerance)
                .map_err(|difference| anyhow::anyhow!("{precision:?} {cuts:?}: {difference}"))?;
        }
        // One by one.
        engine::logits_after(&mut engine, &tokens[..1])?;
        for &token in &tokens[1..] {
            block_on(engine.step(token))?;
        }
        assert_eq!(engine.tokens(), tokens);
        let tolerance =
            if precision == Precision::F32 { Tolerance::F32 } else { Tolerance::REDUCED };
        let stepped = block_on(engine.logits())?;
        compare(&stepped, &whole, tolerance).map_err(anyhow::Error::msg)?;
    }
    Ok(())
}

#[test]
fn gpu_another_prompt_leaves_nothing_of_the_last() -> anyhow::Result<()> {
    let (mut engine, tokens) = small(Precision::F32)?;
    let other: Vec<u32> = tokens[..11].iter().copied().chain(tiny::tokens(20, 11)).collect();
    let fresh = engine::logits_after(&mut engine, &other)?;
    engine::logits_after(&mut engine, &tokens)?;
    let stats = block_on(engine.prefill(&other, |_, _| ControlFlow::Continue(())))?;
    assert!((1..=12).contains(&stats.reused), "{stats:?}");
    compare(&block_on(engine.logits())?, &fresh, Tolerance::SAME).map_err(anyhow::Error::msg)?;
    Ok(())
}

#[test]
fn gpu_scores_are_the_logits_own() -> anyhow::Result<()> {
    let (mut engine, tokens) = small(Precision::F32)?;
    let scores = engine::scores(&mut engine, &tokens, 5)?;
    assert_eq!(scores.len(), tokens.len() - 1);
    for n in [1, 17, tokens.len() - 1] {
        let logits = engine::logits_after(&mut engine, &tokens[..n])?;
        let (actual, expected) = (&scores[n - 1], score_token(&logits, tokens[n], 5));
        assert_eq!(actual.id, expected.id);
        assert!((actual.logprob - expected.logprob).abs() < 1e-2, "{actual:?} {expected:?}");
        assert_eq!(actual.top[0].0, expected.top[0].0);
        for (actual, expected) in actual.top.iter().zip(&expected.top) {
            assert!((actual.1 - expected.1).abs() < 1e-2);
        }
    }
    Ok(())
}

#[test]
fn gpu_choices_are_the_cpus() -> anyhow::Result<()> {
    let (mut engine, tokens) = small(Precision::F32)?;
    let prompt = &tokens[..10];
    let drawn = SamplingParams {
        temperature: 1.3,
        top_k: 20,
        top_p: 0.9,
        min_p: 0.02,
        seed: 0x1234_5678_9abc_def0,
        ..SamplingParams::greedy()
    };
    for params in [SamplingParams::greedy(), drawn] {
        let plan = params.gpu_plan().ok_or_else(|| anyhow::anyhow!("the GPU can do this"))?;
        block_on(engine.prefill(prompt, |_, _| ControlFlow::Continue(())))?;
        engine.start_decode(plan)?;
        let mut chosen = Vec::new();
        for _ in 0..12 {
            chosen.push(block_on(engine.next_token())?);
        }
        // The same sequence by logits read back, forced along the GPU's choices.
        let mut logits = engine::logits_after(&mut engine, prompt)?;
        for (at, &token) in chosen.iter().enumerate() {
            let position = (prompt.len() + at) as u32;
            let expected = match plan {
                GpuSampling::Greedy => argmax(&logits),
                GpuSampling::TopKTopP { .. } => {
                    sample(&mut logits, &params, prompt, &chosen[..at], position).ok()
                }
            };
            assert_eq!(Some(token), expected, "{plan:?}, choice {at}");
            block_on(engine.step(token))?;
            logits = block_on(engine.logits())?;
        }
    }
    Ok(())
}

#[test]
fn gpu_limits_are_typed_errors_and_the_engine_goes_on() -> anyhow::Result<()> {
    let (mut engine, tokens) = small(Precision::F32)?;
    let whole = engine::logits_after(&mut engine, &tokens)?;
    let n_ctx = engine.n_ctx() as usize;
    let too_long = tiny::tokens(n_ctx + 1, 12);
    let go_on = |_: usize, _: usize| ControlFlow::Continue(());
    let error = block_on(engine.prefill(&too_long, go_on)).expect_err("longer than the context");
    assert!(matches!(error, EngineError::ContextFull { .. }), "{error}");
    for senseless in [&[][..], &[tiny::N_VOCAB]] {
        let error = block_on(engine.prefill(senseless, go_on)).expect_err("no such tokens");
        assert!(matches!(error, EngineError::InvalidArgument { .. }), "{error}");
    }
    let other = tiny::tokens(20, 13);
    let error = block_on(engine.prefill(&other, |_, _| ControlFlow::Break(())))
        .expect_err("stopped at once");
    assert!(matches!(error, EngineError::Cancelled), "{error}");
    let again = engine::logits_after(&mut engine, &tokens)?;
    compare(&again, &whole, Tolerance::SAME).map_err(anyhow::Error::msg)?;
    Ok(())
}
