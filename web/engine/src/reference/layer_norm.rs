//! The twin of `kernels/layer_norm.wgsl`.

use super::bundle::write_block;
use super::{Bindings, Symbols};

/// Adds embeddings where the kernel does, norms each row, and writes its bundle.
pub fn layer_norm(symbols: &Symbols<'_>, mut bindings: Bindings<'_>) {
    let params = bindings.next();
    let x = bindings.next();
    let weight = bindings.next();
    let bias = bindings.next();
    let next = bindings.next();
    let embeddings = (symbols.get("EMBED") != 0)
        .then(|| (&*bindings.next(), &*bindings.next(), &*bindings.next()));
    let cols = symbols.get("COLS");
    let epsilon = f64::from(f32::from_bits(symbols.get("EPSILON_BITS") as u32));
    let float = |words: &[u32], at: usize| f64::from(f32::from_bits(words[at]));
    for token in 0..params[0] as usize {
        let mut row: Vec<f64> = (0..cols).map(|col| float(x, token * cols + col)).collect();
        if let Some((positions, position_embd, type_embd)) = embeddings {
            for (col, value) in row.iter_mut().enumerate() {
                *value += float(position_embd, positions[token] as usize * cols + col);
                *value += float(type_embd, col);
            }
        }
        let mean = row.iter().sum::<f64>() / cols as f64;
        let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / cols as f64;
        let norm = 1.0 / (variance + epsilon).sqrt();
        let normed = row.iter().enumerate();
        let normed = normed.map(|(i, v)| (v - mean) * norm * float(weight, i) + float(bias, i));
        let values: Vec<f32> = normed.map(|value| value as f32).collect();
        for (col, value) in values.iter().enumerate() {
            x[token * cols + col] = value.to_bits();
        }
        for (block, values) in values.chunks_exact(32).enumerate() {
            write_block(next, symbols, token, block * 32, values, None);
        }
    }
}
