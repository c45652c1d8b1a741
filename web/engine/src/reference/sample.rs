//! The twins of `kernels/sample_groups.wgsl` and `kernels/sample_choose.wgsl`. The choice itself is
//! [`portico_shared::sampling`]'s.

use portico_shared::sampling::{argmax, choose, keep, top_candidates, uniform};

use super::{Bindings, Symbols};

/// Logits as whole numbers of the same order; NaN is 0.
fn key_from_logit(logit: f32) -> u32 {
    match logit {
        _ if logit.is_nan() => 0,
        0.0 => 0x8000_0000,
        _ if logit.is_sign_negative() => !logit.to_bits(),
        _ => logit.to_bits() | 0x8000_0000,
    }
}

/// Each group's largest key.
pub fn sample_groups(symbols: &Symbols<'_>, mut bindings: Bindings<'_>) {
    let logits = bindings.next();
    let group_keys = bindings.next();
    let groups = symbols.get("GROUPS");
    group_keys[..groups].fill(0);
    for (id, logit) in logits[..symbols.get("N_VOCAB")].iter().enumerate() {
        let key = &mut group_keys[id % groups];
        *key = (*key).max(key_from_logit(f32::from_bits(*logit)));
    }
}

/// The next token, and the params of its step.
pub fn sample_choose(symbols: &Symbols<'_>, mut bindings: Bindings<'_>) {
    let logits = bindings.next();
    bindings.next();
    let sampling = bindings.next();
    let params = bindings.next();
    let token_ids = bindings.next();
    let sampled = bindings.next();
    let cap = f32::from_bits(symbols.get("SOFTCAP_BITS") as u32);
    let logits: Vec<f32> = logits[..symbols.get("N_VOCAB")]
        .iter()
        .map(|bits| f32::from_bits(*bits))
        .map(|logit| if cap == 0.0 { logit } else { cap * (logit / cap).tanh() })
        .collect();
    let float = |at: usize| f32::from_bits(sampling[at]);
    let position = params[2] + params[0];
    let token = if sampling[0] == 1 {
        argmax(&logits)
    } else {
        let seed = u64::from(sampling[4]) | u64::from(sampling[5]) << 32;
        let mut candidates = top_candidates(&logits, sampling[0] as usize);
        keep(&mut candidates, float(1), float(2), float(3));
        choose(&candidates, float(1), uniform(seed, position))
    }
    .unwrap_or(u32::MAX);
    token_ids[0] = token;
    params[..3].copy_from_slice(&[1, 0, position]);
    sampled[..2].copy_from_slice(&[token, position]);
}
