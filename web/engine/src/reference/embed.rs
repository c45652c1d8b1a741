//! The twin of `kernels/embed.wgsl`.

use super::bundle::write_block;
use super::weights::weight_at;
use super::{Bindings, Symbols};

/// Looks each token's row up, if it is in this part.
pub fn embed(symbols: &Symbols<'_>, mut bindings: Bindings<'_>) {
    let weight = bindings.next();
    bindings.next();
    let params = bindings.next();
    let token_ids = bindings.next();
    let x = bindings.next();
    let next = bindings.next();
    let norm_weight = (symbols.get("NEXT_NORM") != 0).then(|| bindings.next());
    let cols = symbols.get("BLOCKS") * 32;
    let (rows, first) = (symbols.get("SEG_ROWS0"), symbols.get("FIRST_ROW"));
    let max_tokens = symbols.get("MAX_TOKENS");
    let n_tokens = if max_tokens > 1 { (params[0] as usize).min(max_tokens) } else { 1 };
    let scale = f32::from_bits(symbols.get("SCALE_BITS") as u32);
    for token in 0..n_tokens {
        let id = token_ids[token] as usize;
        let row = if symbols.get("IS_FIRST") != 0 {
            if id >= rows && id < symbols.get("VOCAB") {
                continue;
            }
            id.min(rows - 1)
        } else {
            if id < first || id >= first + rows {
                continue;
            }
            id - first
        };
        let values: Vec<f32> =
            (0..cols).map(|col| weight_at(weight, symbols, 0, row, col) * scale).collect();
        for (block, values) in values.chunks_exact(32).enumerate() {
            for (i, value) in values.iter().enumerate() {
                x[token * cols + block * 32 + i] = value.to_bits();
            }
            let norm_weight = norm_weight.as_deref().map(|w| &w[..]);
            write_block(next, symbols, token, block * 32, values, norm_weight);
        }
    }
}
