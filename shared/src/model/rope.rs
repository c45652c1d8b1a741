//! By which angle is a pair of a head's values turned at a position?
//!
//! Angles are computed here, once for each position of the context, in f64: WGSL promises nothing
//! about `cos` of large numbers.

use std::f64::consts::PI;

use super::config::Rope;

/// Which values of a head make a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RopeStyle {
    /// `(2i, 2i + 1)`
    Interleaved,
    /// `(i, i + dim/2)`
    Neox,
}

/// How a model was stretched beyond its first context length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RopeScaling {
    None,
    Linear {
        factor: f32,
    },
    /// B. Peng et al., "YaRN", arXiv:2309.00071, with ggml's constants (`ggml_rope_ext`, β 32 and 1).
    Yarn {
        factor: f32,
        n_ctx_original: u32,
        attn_factor: f32,
    },
}

/// `(cos, sin)` of each pair at each position, `[n_ctx][rope_dim / 2][2]`. `freq_factors` are the
/// divisors of llama 3's scaling (`rope_freqs.weight`, `[rope_dim / 2]`).
pub fn rope_table(
    rope: &Rope,
    rope_dim: u32,
    n_ctx: u32,
    freq_factors: Option<&[f32]>,
) -> Vec<f32> {
    let n_pairs = rope_dim as usize / 2;
    let (frequencies, magnitude) = frequencies(rope, rope_dim, freq_factors);
    let mut table = Vec::with_capacity(n_ctx as usize * n_pairs * 2);
    for position in 0..n_ctx {
        for frequency in &frequencies {
            let (sin, cos) = (f64::from(position) * frequency).sin_cos();
            table.push((cos * magnitude) as f32);
            table.push((sin * magnitude) as f32);
        }
    }
    table
}

/// Radians a position for each pair, and the factor on cosine and sine.
fn frequencies(rope: &Rope, rope_dim: u32, freq_factors: Option<&[f32]>) -> (Vec<f64>, f64) {
    let base = f64::from(rope.base);
    let dim = f64::from(rope_dim);
    let plain = |pair: usize| {
        let divisor = freq_factors.and_then(|factors| factors.get(pair)).copied().unwrap_or(1.0);
        base.powf(-2.0 * pair as f64 / dim) / f64::from(divisor)
    };
    let pairs = 0..rope_dim as usize / 2;
    match rope.scaling {
        RopeScaling::None => (pairs.map(plain).collect(), 1.0),
        RopeScaling::Linear { factor } => {
            (pairs.map(|pair| plain(pair) / f64::from(factor)).collect(), 1.0)
        }
        RopeScaling::Yarn { factor, n_ctx_original, attn_factor } => {
            let factor = f64::from(factor);
            // The pair that turns `n` times over the original context.
            let pair_of_turns = |n: f64| {
                dim * (f64::from(n_ctx_original) / (n * 2.0 * PI)).ln() / (2.0 * base.ln())
            };
            let low = pair_of_turns(32.0).floor().max(0.0);
            let high = pair_of_turns(1.0).ceil().min(dim - 1.0);
            let frequencies = pairs
                .map(|pair| {
                    let ramp = (pair as f64 - low) / (high - low).max(0.001);
                    let extrapolated = 1.0 - ramp.clamp(0.0, 1.0);
                    let plain = plain(pair);
                    plain / factor * (1.0 - extrapolated) + plain * extrapolated
                })
                .collect();
            (frequencies, f64::from(attn_factor) * (1.0 + 0.1 * factor.ln()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rope(scaling: RopeScaling) -> Rope {
        Rope { base: 10_000.0, scaling }
    }

    #[test]
    fn turns_each_pair_by_position_times_frequency() {
        let table = rope_table(&rope(RopeScaling::None), 4, 3, None);
        // Pair 0 turns one radian a position, pair 1 a hundredth.
        let expect = [(2.0f64).cos(), (2.0f64).sin(), (0.02f64).cos(), (0.02f64).sin()];
        for (value, expect) in table[8..].iter().zip(expect) {
            assert!((f64::from(*value) - expect).abs() < 1e-6);
        }
    }

    #[test]
    fn linear_scaling_slows_all_pairs() {
        let plain = rope_table(&rope(RopeScaling::None), 8, 5, None);
        let slow = rope_table(&rope(RopeScaling::Linear { factor: 4.0 }), 8, 17, None);
        for (plain, slow) in plain[4 * 8..].iter().zip(&slow[16 * 8..]) {
            assert!((plain - slow).abs() < 1e-6);
        }
    }

    #[test]
    fn factors_divide_frequencies() {
        let table = rope_table(&rope(RopeScaling::None), 4, 2, Some(&[2.0, 1.0]));
        assert!((table[4] - 0.5f32.cos()).abs() < 1e-6);
    }

    #[test]
    fn yarn_keeps_fast_pairs_and_slows_slow_ones() {
        let yarn = RopeScaling::Yarn { factor: 4.0, n_ctx_original: 4096, attn_factor: 1.0 };
        let (plain, _) = frequencies(&rope(RopeScaling::None), 128, None);
        let (scaled, magnitude) = frequencies(&rope(yarn), 128, None);
        assert!((scaled[0] - plain[0]).abs() < 1e-12);
        assert!((scaled[63] - plain[63] / 4.0).abs() < 1e-12);
        assert!((magnitude - 1.138_629_4).abs() < 1e-6);
    }
}
