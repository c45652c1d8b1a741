//! Does the server compute what candle computes, for every architecture and weight type, alone and
//! in company?

use std::io::Cursor;

use candle_core::quantized::GgmlDType;
use portico_inference::PageTable;
use portico_tests::hosted::Stepper;
use portico_tests::reference::{Activations, Arch, FloatModel};
use portico_tests::tiny;
use portico_tests::tolerance::{Tolerance, compare};

/// Longer than the sliding window and no multiple of a page.
const N_TOKENS: usize = 40;

fn check(arch: Arch, weight_type: GgmlDType) -> anyhow::Result<f32> {
    let file = tiny::gguf(arch, weight_type, 7)?;
    let tokens = tiny::tokens(N_TOKENS, 8);
    let (activations, tolerance) = match weight_type {
        GgmlDType::F32 | GgmlDType::F16 => (Activations::F32, Tolerance::F32),
        _ => (Activations::Q8, Tolerance::REDUCED),
    };
    let reference = FloatModel::load(&mut Cursor::new(&file), N_TOKENS)?;
    let reference = reference.with_activations(activations);
    let expected = reference.logits(&reference.hidden(&tokens)?, 0..N_TOKENS)?;
    let actual = Stepper::from_bytes(&file, 2)?.logits(&tokens, N_TOKENS)?;
    let mut largest = 0f32;
    for (position, (actual, expected)) in actual.iter().zip(&expected).enumerate() {
        let relative = compare(actual, expected, tolerance).map_err(|difference| {
            anyhow::anyhow!("{arch:?} {weight_type:?}, position {position}: {difference}")
        })?;
        largest = largest.max(relative);
    }
    Ok(largest)
}

fn check_all(arch: Arch) -> anyhow::Result<()> {
    let mut faults = Vec::new();
    for weight_type in tiny::WEIGHT_TYPES {
        match check(arch, weight_type) {
            Ok(largest) => println!("{arch:?} {weight_type:?}: {largest:.1e}"),
            Err(fault) => faults.push(format!("{fault:#}")),
        }
    }
    anyhow::ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

#[test]
fn server_llama_is_candles() -> anyhow::Result<()> {
    check_all(Arch::Llama)
}

#[test]
fn server_qwen2_is_candles() -> anyhow::Result<()> {
    check_all(Arch::Qwen2)
}

#[test]
fn server_qwen3_is_candles() -> anyhow::Result<()> {
    check_all(Arch::Qwen3)
}

#[test]
fn server_gemma3_is_candles() -> anyhow::Result<()> {
    check_all(Arch::Gemma3)
}

/// Not near: the same bits.
#[test]
fn server_logits_do_not_depend_on_how_the_work_is_cut() -> anyhow::Result<()> {
    for (arch, weight_type) in [
        (Arch::Llama, GgmlDType::Q4_1),
        (Arch::Gemma3, GgmlDType::Q6K),
        (Arch::Qwen2, GgmlDType::F16),
    ] {
        let file = tiny::gguf(arch, weight_type, 9)?;
        let tokens = tiny::tokens(N_TOKENS, 10);
        let mut stepper = Stepper::from_bytes(&file, 2)?;
        let whole = stepper.logits(&tokens, N_TOKENS)?;
        for chunk in [1, 3, 16, 23] {
            assert_eq!(stepper.logits(&tokens, chunk)?, whole, "{arch:?}, chunks of {chunk}");
        }
    }
    Ok(())
}

/// Three sequences at different places in one step: next tokens, and parts of prompts.
#[test]
fn server_logits_do_not_depend_on_the_company() -> anyhow::Result<()> {
    for arch in [Arch::Llama, Arch::Gemma3] {
        let file = tiny::gguf(arch, GgmlDType::Q5_0, 11)?;
        let mut stepper = Stepper::from_bytes(&file, 2)?;
        let sequences = [12, 13, 14].map(|seed| tiny::tokens(N_TOKENS, seed));
        let mut alone = Vec::new();
        for tokens in &sequences {
            alone.push(stepper.logits(tokens, N_TOKENS)?);
        }
        let mut tables = [(); 3].map(|()| PageTable::default());
        let mut done = [0; 3];
        let mut round = 0;
        while done.iter().any(|&n| n < N_TOKENS) {
            round += 1;
            let mut parts = Vec::new();
            let mut expected = Vec::new();
            for (index, table) in tables.iter_mut().enumerate() {
                let n = [1, 5, 17][(index + round) % 3].min(N_TOKENS - done[index]);
                if n > 0 {
                    let range = done[index]..done[index] + n;
                    parts.push((table, &sequences[index][range.clone()]));
                    expected.extend(alone[index][range].iter().cloned());
                    done[index] += n;
                }
            }
            assert_eq!(stepper.step(&mut parts)?, expected, "{arch:?}, round {round}");
        }
        for table in tables {
            stepper.pages.close(table);
        }
        assert_eq!(stepper.pages.n_held(), 0);
    }
    Ok(())
}
