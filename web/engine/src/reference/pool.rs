//! The twin of `kernels/pool.wgsl`.

use super::{Bindings, Symbols};

/// The sum of each text's rows, or its first one, at length 1.
pub fn pool(symbols: &Symbols<'_>, mut bindings: Bindings<'_>) {
    let params = bindings.next();
    let texts = bindings.next();
    let x = bindings.next();
    let vectors = bindings.next();
    let cols = symbols.get("COLS");
    for text in 0..params[3] as usize {
        let first = texts[2 * text] as usize;
        let end = if symbols.get("CLS") != 0 { first + 1 } else { texts[2 * text + 1] as usize };
        let sum = |col: usize| -> f64 {
            (first..end).map(|token| f64::from(f32::from_bits(x[token * cols + col]))).sum()
        };
        let sums: Vec<f64> = (0..cols).map(sum).collect();
        let length = sums.iter().map(|sum| sum * sum).sum::<f64>().sqrt();
        for (col, sum) in sums.iter().enumerate() {
            vectors[text * cols + col] = ((sum / length) as f32).to_bits();
        }
    }
}
