//! The twin of `kernels/linear.wgsl`.

use super::bundle::{block_at, value_at, write_block};
use super::weights::weight_at;
use super::{Bindings, Symbols};

fn gate(symbols: &Symbols<'_>, v: f64) -> f64 {
    if symbols.get("GATE") == 0 {
        v / (1.0 + (-v).exp())
    } else {
        let inner = (2.0 / std::f64::consts::PI).sqrt() * (v + 0.044_715 * v * v * v);
        0.5 * v * (1.0 + inner.tanh())
    }
}

/// GELU by the error function, whose series has terms of one sign.
fn gelu_erf(v: f64) -> f64 {
    let z = v.abs() / std::f64::consts::SQRT_2;
    let (mut term, mut sum) = (z, z);
    for n in 1..200 {
        term *= 2.0 * z * z / f64::from(2 * n + 1);
        sum += term;
    }
    let erf = if z > 6.0 { 1.0 } else { sum * (-z * z).exp() * 2.0 / std::f64::consts::PI.sqrt() };
    0.5 * v * (1.0 + erf.copysign(v))
}

/// Multiplies, adds up in float64 and writes what the kernel writes.
pub fn linear(symbols: &Symbols<'_>, mut bindings: Bindings<'_>) {
    let is_set = |name: &str| symbols.get(name) != 0;
    let weight = bindings.next();
    bindings.next();
    let bundle = bindings.next();
    let many = symbols.get("TOKENS") > 1;
    let params = (many || is_set("PICK_TOKEN")).then(|| bindings.next());
    let output = symbols.get("OUTPUT");
    let mut y = (output < 2).then(|| bindings.next());
    let bias = is_set("BIAS").then(|| bindings.next());
    let mut next = is_set("NEXT").then(|| bindings.next());
    let norm_weight = (is_set("NEXT") && is_set("NEXT_NORM")).then(|| bindings.next());

    let (cols, y_rows) = (symbols.get("COLS"), symbols.get("Y_ROWS"));
    let word = |at: usize| params.as_ref().map_or(0, |params| params[at] as usize);
    let n_tokens = if many { word(0).min(symbols.get("MAX_TOKENS")) } else { 1 };
    for token in 0..n_tokens {
        let source = if is_set("PICK_TOKEN") { word(1) } else { token };
        let x: Vec<f64> =
            (0..cols).map(|col| f64::from(value_at(bundle, symbols, source, col))).collect();
        let norm = if is_set("NORM") {
            let blocks = symbols.get("BLOCKS");
            let squares: f64 =
                (0..blocks).map(|b| f64::from(block_at(bundle, symbols, source, b)[2])).sum();
            let epsilon = f64::from(f32::from_bits(symbols.get("EPSILON_BITS") as u32));
            1.0 / (squares / cols as f64 + epsilon).sqrt()
        } else {
            1.0
        };
        let row_sum = |segment: usize, row: usize| -> f64 {
            let weights = (0..cols).map(|col| weight_at(weight, symbols, segment, row, col));
            norm * x.iter().zip(weights).map(|(x, w)| x * f64::from(w)).sum::<f64>()
        };
        let sets = symbols.get("SETS");
        for segment in 0..if sets == 2 { 1 } else { symbols.get("SEGMENTS") } {
            let out_at = symbols.get(&format!("SEG_OUT{segment}"));
            let rows = symbols.get(&format!("SEG_ROWS{segment}"));
            let mut results = vec![0.0_f32; rows];
            for (row, result) in results.iter_mut().enumerate() {
                let added = bias.as_ref().map_or(0.0, |b| f32::from_bits(b[out_at + row]));
                let value = row_sum(segment, row) + f64::from(added);
                let at = token * y_rows + out_at + row;
                match (&mut y, output) {
                    (Some(y), 0) => y[at] = (value as f32).to_bits(),
                    (Some(y), _) => {
                        *result = f32::from_bits(y[at]) + value as f32;
                        y[at] = result.to_bits();
                    }
                    (None, 3) => *result = gelu_erf(value) as f32,
                    (None, _) => *result = (gate(symbols, value) * row_sum(1, row)) as f32,
                }
            }
            if let Some(next) = next.as_mut() {
                for (block, values) in results.chunks_exact(32).enumerate() {
                    let norm_weight = norm_weight.as_deref();
                    let col = out_at + block * 32;
                    write_block(next, symbols, token, col, values, norm_weight.map(|w| &w[..]));
                }
            }
        }
    }
}
