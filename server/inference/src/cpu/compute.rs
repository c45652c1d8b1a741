//! How is a product shared among the threads?

use std::ops::Range;
use std::sync::Arc;

use portico_kernels::{Activations, Isa, Matrix, Pool, SharedMut};

/// Tokens that are multiplied with a tile before the next tile: their bytes stay in the cache.
pub const TOKEN_BLOCK: usize = 64;
/// Rows from which row-wise work is shared among the threads.
pub const ROWS_TO_SHARE: usize = 4;

/// The threads and the kernels that a model computes with.
#[derive(Clone)]
pub struct Compute {
    pub pool: Arc<Pool>,
    pub isa: Isa,
}

/// A product whose result goes to `out[row · stride + …]`.
pub struct Product<'a> {
    pub matrix: &'a Matrix,
    pub out: SharedMut<'a, f32>,
    pub stride: usize,
}

impl<'a> Product<'a> {
    /// Makes room in `out`.
    pub fn new(matrix: &'a Matrix, n_rows: usize, out: &'a mut Vec<f32>) -> Self {
        let stride = matrix.padded_rows();
        out.resize(n_rows * stride, 0.0);
        Self { matrix, out: SharedMut::new(out), stride }
    }
}

/// Cuts `n_tiles` into chunks: many enough to share evenly, and of an even number of tiles, so that
/// a chunk's columns are whole runs of the next product's input.
pub fn tiles_per_chunk(n_tiles: usize, n_threads: usize) -> usize {
    (n_tiles / (n_threads * 6)).clamp(2, 64).next_multiple_of(2)
}

/// Rows `0..n_rows` in blocks.
pub fn token_blocks(n_rows: usize) -> impl Iterator<Item = Range<usize>> {
    (0..n_rows).step_by(TOKEN_BLOCK).map(move |from| from..(from + TOKEN_BLOCK).min(n_rows))
}

impl Compute {
    /// On these threads, with the best kernels that the CPU has.
    pub fn new(pool: Arc<Pool>) -> Self {
        Self { pool, isa: Isa::detect() }
    }

    /// Computes several products of the same input.
    pub fn multiply(&self, input: &Activations, products: &[Product<'_>]) {
        let n_tiles: usize = products.iter().map(|product| product.matrix.n_tiles()).sum();
        let per_chunk = tiles_per_chunk(n_tiles, self.pool.n_threads());
        let mut chunks = Vec::with_capacity(n_tiles / per_chunk + products.len());
        for (index, product) in products.iter().enumerate() {
            let n_tiles = product.matrix.n_tiles();
            let starts = (0..n_tiles).step_by(per_chunk);
            chunks.extend(starts.map(|from| (index, from..(from + per_chunk).min(n_tiles))));
        }
        self.pool.run(chunks.len(), &|chunk| {
            let (index, tiles) = &chunks[chunk];
            let product = &products[*index];
            for tokens in token_blocks(input.n_rows()) {
                // SAFETY: tiles are one chunk's; the kernels were chosen by what the CPU has.
                unsafe {
                    let (out, stride) = (product.out, product.stride);
                    product.matrix.multiply(self.isa, input, tokens, tiles.clone(), out, stride);
                }
            }
        });
    }

    /// Calls `each` for every row, on all threads where there are many.
    pub fn for_rows(&self, n_rows: usize, each: &(dyn Fn(usize) + Sync)) {
        if n_rows < ROWS_TO_SHARE {
            (0..n_rows).for_each(each);
        } else {
            self.pool.run(n_rows, each);
        }
    }
}
