//! The twin of `kernels/residual_norm.wgsl`.

use super::bundle::write_block;
use super::{Bindings, Symbols};

/// x += rms_norm(y)·weight, and the bundle of x.
pub fn residual_norm(symbols: &Symbols<'_>, mut bindings: Bindings<'_>) {
    let params = bindings.next();
    let y = bindings.next();
    let weight = bindings.next();
    let x = bindings.next();
    let next = bindings.next();
    let norm_weight = (symbols.get("NEXT_NORM") != 0).then(|| bindings.next());
    let cols = symbols.get("COLS");
    let epsilon = f32::from_bits(symbols.get("EPSILON_BITS") as u32);
    for token in 0..params[0] as usize {
        let row = token * cols..(token + 1) * cols;
        let squares: f32 = y[row.clone()].iter().map(|v| f32::from_bits(*v).powi(2)).sum();
        let norm = 1.0 / (squares / cols as f32 + epsilon).sqrt();
        for at in row.clone() {
            let branch = f32::from_bits(y[at]) * norm * f32::from_bits(weight[at - row.start]);
            x[at] = (f32::from_bits(x[at]) + branch).to_bits();
        }
        let values: Vec<f32> = x[row].iter().map(|v| f32::from_bits(*v)).collect();
        for (block, values) in values.chunks_exact(32).enumerate() {
            let norm_weight = norm_weight.as_deref().map(|w| &w[..]);
            write_block(next, symbols, token, block * 32, values, norm_weight);
        }
    }
}
