//! How much of the device do a model's prefill and decode use?

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::{Cost, Rates, measure};
use crate::EngineError;
use crate::gpu::now_ms;
use crate::session::Engine;
use portico_shared::sampling::GpuSampling;

/// The best of so many rounds counts: other work on the machine can only slow one down.
const ROUNDS: usize = 3;

/// A model on a device, held against what the device can do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub rates: Rates,
    pub prefill: Phase,
    pub decode: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    pub n_tokens: u32,
    pub taken_s: f64,
    /// What its dispatches need at least.
    pub least_s: f64,
    /// `least_s / taken_s`.
    pub share: f64,
}

impl Phase {
    fn new(n_tokens: u32, taken_s: f64, least_s: f64) -> Self {
        Self { n_tokens, taken_s, least_s, share: least_s / taken_s }
    }
}

/// Prefills `prompt` and decodes `n_decode` tokens, between two measurements of the device's rates.
///
/// # Errors
/// As [`measure`], [`Engine::prefill`] and [`Engine::next_token`].
pub async fn report(
    engine: &mut Engine,
    prompt: &[u32],
    n_decode: u32,
) -> Result<Report, EngineError> {
    let gpu = engine.gpu().clone();
    let n_prompt = prompt.len() as u32;
    let before = measure(&gpu).await?;
    // Pipelines are compiled and the chunk size is found before the clock starts.
    round(engine, prompt, 1).await?;
    let (mut prefill_s, mut decode_s) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        let (prefill, decode) = round(engine, prompt, n_decode).await?;
        prefill_s = prefill_s.min(prefill);
        decode_s = decode_s.min(decode);
    }
    let rates = best(before, measure(&gpu).await?);

    let least = |costs: &[Cost]| rates.least_seconds(costs);
    let prefill_least_s = least(&engine.prefill_costs(n_prompt)?);
    let mut decode_least_s = 0.0;
    for step in 0..n_decode {
        decode_least_s += least(&engine.decode_costs(n_prompt + 1 + step)?);
    }
    Ok(Report {
        rates,
        prefill: Phase::new(n_prompt, prefill_s, prefill_least_s),
        decode: Phase::new(n_decode, decode_s, decode_least_s),
    })
}

/// What the device did at its best in two measurements.
fn best(a: Rates, b: Rates) -> Rates {
    Rates {
        bytes_per_s: a.bytes_per_s.max(b.bytes_per_s),
        f32_macs_per_s: a.f32_macs_per_s.max(b.f32_macs_per_s),
        dot4_macs_per_s: a.dot4_macs_per_s.max(b.dot4_macs_per_s),
        dispatch_s: a.dispatch_s.min(b.dispatch_s),
    }
}

/// Seconds of a prefill and of the tokens after it.
async fn round(
    engine: &mut Engine,
    prompt: &[u32],
    n_decode: u32,
) -> Result<(f64, f64), EngineError> {
    engine.rewind(0);
    let start_ms = now_ms();
    engine.prefill(prompt, |_, _| ControlFlow::Continue(())).await?;
    engine.logits().await?;
    let prefilled_ms = now_ms();
    engine.start_decode(GpuSampling::Greedy)?;
    engine.next_token().await?;
    let decoding_ms = now_ms();
    for _ in 0..n_decode {
        engine.next_token().await?;
    }
    let end_ms = now_ms();
    Ok(((prefilled_ms - start_ms) / 1000.0, (end_ms - decoding_ms) / 1000.0))
}
