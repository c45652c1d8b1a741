//! `[tokens, cols] · [rows, cols]ᵀ`: how is a tile of 16 rows multiplied with some tokens?
//!
//! For each token and row the runs are added one after the other: `acc += run · scale_w · scale_a`,
//! then `acc += min · scaled_sum`. The order is the same in every kernel for any number of tokens.

#[cfg(target_arch = "x86_64")]
mod avx512;
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
