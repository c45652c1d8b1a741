//! `[tokens, cols] · [rows, cols]ᵀ`: how is a tile of 16 rows multiplied with some tokens?
//!
//! For each token and row the runs are added one after the other: `acc += run · scale_w · scale_a`,
//! then `acc += min · scaled_sum`. The order is the same in every kernel for any number of tokens.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod plain;

use std::ops::Range;

use crate::activations::Activations;
use crate::isa::Isa;
use crate::matrix::{Matrix, TILE_ROWS};
use crate::shared::SharedMut;

impl Matrix {
    /// Writes the products of `tokens` with the rows of `tiles` to `out[token · stride + row]`.
    ///
    /// # Safety
    /// No other thread uses that part of `out` meanwhile. `isa` is one that this CPU has.
    ///
    /// # Panics
    /// When widths differ, or `out` or `stride` has no room for whole tiles.
    pub unsafe fn multiply(
        &self,
        isa: Isa,
        input: &Activations,
        tokens: Range<usize>,
        tiles: Range<usize>,
        out: SharedMut<'_, f32>,
        stride: usize,
    ) {
        assert_eq!(input.cols(), self.cols(), "widths of input and weights");
        assert!(tokens.end <= input.n_rows() && tiles.end <= self.n_tiles(), "outside of the rows");
        assert!(tiles.end * TILE_ROWS <= stride, "no room for a whole tile");
        for tile in tiles {
            let task = TileTask { matrix: self, tile, input, out, stride };
            match isa {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the caller promises that the CPU has the instructions.
                Isa::Avx512 => unsafe { avx512::multiply(&task, tokens.clone()) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: as above.
                Isa::Avx2 => unsafe { avx2::multiply(&task, tokens.clone()) },
                #[cfg(target_arch = "aarch64")]
                // SAFETY: as above.
                Isa::NeonDot => unsafe { neon::multiply(&task, tokens.clone()) },
                _ => plain::multiply(&task, tokens.clone()),
            }
        }
    }
}

/// What a kernel is given.
struct TileTask<'a> {
    matrix: &'a Matrix,
    tile: usize,
    input: &'a Activations,
    out: SharedMut<'a, f32>,
    stride: usize,
}

impl TileTask<'_> {
    /// Where a token's 16 results go.
    #[allow(clippy::mut_from_ref, reason = "as SharedMut::part")]
    fn out(&self, token: usize) -> &mut [f32] {
        // SAFETY: `multiply`'s caller promises that the tile's results are this thread's.
        unsafe { self.out.part(token * self.stride + self.tile * TILE_ROWS, TILE_ROWS) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocks::{WeightType, dequantise_row};
    use crate::pool::Pool;

    /// Bytes without a pattern.
    fn noise(n: usize, seed: u32) -> Vec<u8> {
        let mut state = seed.wrapping_mul(2_654_435_761) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 11) as u8
        };
        (0..n).map(|_| next()).collect()
    }

    /// Rows of random blocks whose scales are numbers of a usual size.
    fn rows(weight_type: WeightType, n_rows: usize, cols: usize) -> Vec<u8> {
        let (values, bytes) = weight_type.block();
        let mut rows = noise(n_rows * cols / values * bytes, 3);
        let scales: &[usize] = match weight_type {
            WeightType::F32 | WeightType::F16 => {
                let values = rows.iter().map(|&byte| (f32::from(byte) - 127.0) / 100.0);
                return match weight_type {
                    WeightType::F32 => values.step_by(4).flat_map(f32::to_le_bytes).collect(),
                    _ => values
                        .step_by(2)
                        .flat_map(|value| half::f16::from_f32(value).to_le_bytes())
                        .collect(),
                };
            }
            WeightType::Q4_1 | WeightType::Q5_1 | WeightType::Q4K | WeightType::Q5K => &[0, 2],
            WeightType::Q6K => &[208],
            _ => &[0],
        };
        for block in rows.chunks_exact_mut(bytes) {
            for &at in scales {
                // An exponent that makes it some hundredths, of either sign.
                block[at + 1] = block[at + 1] & 0x83 | 0x20;
            }
        }
        rows
    }

    fn multiply(matrix: &Matrix, isa: Isa, input: &Activations, tokens: Range<usize>) -> Vec<f32> {
        let stride = matrix.padded_rows();
        let mut out = vec![f32::NAN; input.n_rows() * stride];
        let shared = SharedMut::new(&mut out);
        // SAFETY: one thread, and a family that is here.
        unsafe { matrix.multiply(isa, input, tokens, 0..matrix.n_tiles(), shared, stride) };
        out
    }

    #[test]
    fn every_kernel_multiplies_as_the_plain_one_and_alone_as_in_company() {
        // Not a whole number of tiles; more tokens than a kernel takes at once.
        let (n_rows, cols, n_tokens) = (37, 512, 15);
        let pool = Pool::new(2);
        for weight_type in WeightType::ALL {
            let bytes = rows(weight_type, n_rows, cols);
            let matrix = Matrix::pack(weight_type, n_rows, cols, &bytes, &pool).unwrap();
            let mut input = Activations::default();
            input.resize(n_tokens, cols);
            for token in 0..n_tokens {
                let values = noise(cols, token as u32 + 5);
                input.set_row(Isa::Plain, token, |row| {
                    for (out, byte) in row.iter_mut().zip(values) {
                        *out = (f32::from(byte) - 120.0) / 64.0;
                    }
                });
            }
            let expected = multiply(&matrix, Isa::Plain, &input, 0..n_tokens);
            let largest = expected.iter().fold(0f32, |a, b| a.max(b.abs()));
            // The plain one against what the blocks say.
            let mut weights = vec![0.0; cols];
            let row_bytes = bytes.len() / n_rows;
            for row in 0..n_rows {
                dequantise_row(weight_type, &bytes[row * row_bytes..][..row_bytes], &mut weights);
                for token in 0..n_tokens {
                    let dot: f32 = weights.iter().zip(input.row(token)).map(|(w, x)| w * x).sum();
                    let actual = expected[token * matrix.padded_rows() + row];
                    let near = (actual - dot).abs() < 0.02 * largest;
                    assert!(near, "{weight_type:?} {row} {token}: {actual} {dot}");
                }
            }
            for isa in Isa::all_here() {
                let together = multiply(&matrix, isa, &input, 0..n_tokens);
                for (actual, expected) in together.iter().zip(&expected) {
                    let near = (actual - expected).abs() < 1e-5 * largest;
                    assert!(near, "{isa:?} {weight_type:?}: {actual} {expected}");
                }
                for first in 0..n_tokens {
                    let alone = multiply(&matrix, isa, &input, first..first + 1);
                    let at = first * matrix.padded_rows()..(first + 1) * matrix.padded_rows();
                    assert_eq!(alone[at.clone()], together[at], "{isa:?} {weight_type:?}");
                }
            }
        }
    }
}
