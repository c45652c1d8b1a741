//! How do weights lie in memory, so that a product reads them once and in order?
//!
//! Rows are taken 16 at a time, a tile; a tile's runs of 32 columns follow each other. Within a run,
//! four neighbouring columns of a row make 4 bytes and the 16 rows' bytes make 64: one operand of
//! `vpdpbusd`. There are 8 such groups in a run.
//!
//! | part of a run | bytes | what |
//! |---|---|---|
//! | 4 to 6 bits: nibbles | 256 | vector `j` holds group `2j` in its low nibbles, `2j + 1` in its high ones |
//! | fifth bits, sixth bits | 64 each | of 8 groups, a bit for each byte |
//! | 8 bits | 512 | 8 groups |
//! | scales | 32, or 64 for Q6_K | halves, of 16 rows; Q6_K: of the first 16 columns, then of the last |
//! | minima | 32 | halves, of 16 rows |
//!
//! Float matrices keep their precision: a tile holds for each column the 16 rows' values.

use crate::blocks::{RUN, WeightType, run};
use crate::buffer::Buffer;
use crate::half_floats::half_bits;
use crate::pool::Pool;
use crate::shared::SharedMut;

/// Rows of a tile.
pub const TILE_ROWS: usize = 16;

/// Why bytes are no matrix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatrixError {
    #[error("{bytes} bytes for {rows} rows of {cols} values")]
    Bytes { rows: usize, cols: usize, bytes: usize },
    #[error("rows of {cols} values, not a multiple of 32")]
    Cols { cols: usize },
}

/// Weights `[rows, cols]`, packed.
pub struct Matrix {
    pub(crate) layout: Layout,
    rows: usize,
    cols: usize,
    data: Buffer,
}

/// How a tile's run is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    F32,
    F16,
    Quantised {
        /// 4, 5, 6 or 8.
        bits: u32,
        /// Scales for each 16 columns, not for 32.
        fine: bool,
        has_min: bool,
        /// A power of two, or 0.
        zero: i32,
    },
}

impl Layout {
    pub fn of(weight_type: WeightType) -> Self {
        match weight_type {
            WeightType::F32 => Self::F32,
            WeightType::F16 => Self::F16,
            _ => Self::Quantised {
                bits: weight_type.bits(),
                fine: weight_type == WeightType::Q6K,
                has_min: weight_type.has_min(),
                zero: weight_type.zero(),
            },
        }
    }

    /// Bytes of a tile's run of 32 columns.
    pub fn run_bytes(self) -> usize {
        match self {
            Self::F32 => TILE_ROWS * RUN * 4,
            Self::F16 => TILE_ROWS * RUN * 2,
            Self::Quantised { bits, fine, has_min, .. } => {
                TILE_ROWS * RUN * bits as usize / 8
                    + if fine { 64 } else { 32 }
                    + if has_min { 32 } else { 0 }
            }
        }
    }
}

impl Matrix {
    /// Packs a file's rows.
    ///
    /// # Errors
    /// [`MatrixError`] where the bytes are not `rows` rows of `cols` values.
    pub fn pack(
        weight_type: WeightType,
        rows: usize,
        cols: usize,
        bytes: &[u8],
        pool: &Pool,
    ) -> Result<Self, MatrixError> {
        if !cols.is_multiple_of(RUN) {
            return Err(MatrixError::Cols { cols });
        }
        let wrong = MatrixError::Bytes { rows, cols, bytes: bytes.len() };
        let Some(row_bytes) = weight_type.row_bytes(cols) else { return Err(wrong) };
        if rows.checked_mul(row_bytes) != Some(bytes.len()) {
            return Err(wrong);
        }
        let layout = Layout::of(weight_type);
        let n_tiles = rows.div_ceil(TILE_ROWS);
        let tile_bytes = cols / RUN * layout.run_bytes();
        let mut data = Buffer::zeroed(n_tiles * tile_bytes);
        let shared = SharedMut::new(data.as_bytes_mut());
        pool.run(n_tiles, &|tile| {
            // SAFETY: each tile is one chunk's.
            let out = unsafe { shared.part(tile * tile_bytes, tile_bytes) };
            let first = tile * TILE_ROWS;
            for row in first..rows.min(first + TILE_ROWS) {
                let bytes = &bytes[row * row_bytes..][..row_bytes];
                pack_row(weight_type, layout, bytes, row - first, out);
            }
        });
        Ok(Self { layout, rows, cols, data })
    }

    /// Bytes that [`Matrix::pack`] takes for such a matrix.
    pub fn packed_bytes(weight_type: WeightType, rows: usize, cols: usize) -> u64 {
        let tile_bytes = cols.div_ceil(RUN) * Layout::of(weight_type).run_bytes();
        rows.div_ceil(TILE_ROWS) as u64 * tile_bytes as u64
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn cols(&self) -> usize {
        self.cols
    }

    pub fn n_tiles(&self) -> usize {
        self.rows.div_ceil(TILE_ROWS)
    }

    /// Rows with those that fill up the last tile.
    pub fn padded_rows(&self) -> usize {
        self.n_tiles() * TILE_ROWS
    }

    pub fn size_bytes(&self) -> usize {
        self.data.len()
    }

    pub(crate) fn tile(&self, tile: usize) -> &[u8] {
        let tile_bytes = self.cols / RUN * self.layout.run_bytes();
        &self.data.as_bytes()[tile * tile_bytes..][..tile_bytes]
    }
}

/// Puts one row of a file into its place `at` of a tile.
fn pack_row(weight_type: WeightType, layout: Layout, row: &[u8], at: usize, tile: &mut [u8]) {
    match layout {
        Layout::F32 | Layout::F16 => {
            let width = if layout == Layout::F32 { 4 } else { 2 };
            for (col, value) in row.chunks_exact(width).enumerate() {
                tile[(col * TILE_ROWS + at) * width..][..width].copy_from_slice(value);
            }
        }
        Layout::Quantised { bits, fine, has_min, .. } => {
            for (index, out) in tile.chunks_exact_mut(layout.run_bytes()).enumerate() {
                let run = run(weight_type, row, index);
                let (values, scales) = out.split_at_mut(TILE_ROWS * RUN * bits as usize / 8);
                for (k, &q) in run.q.iter().enumerate() {
                    // The byte among a group's 64.
                    let byte = at * 4 + k % 4;
                    let group = k / 4;
                    if bits == 8 {
                        values[group * 64 + byte] = q;
                        continue;
                    }
                    values[group / 2 * 64 + byte] |= (q & 0xf) << (group % 2 * 4);
                    for plane in 0..bits as usize - 4 {
                        let bit = (q >> (4 + plane)) & 1;
                        values[256 + plane * 64 + group * 8 + byte / 8] |= bit << (byte % 8);
                    }
                }
                let mut put = |half: usize, value: f32| {
                    let bits = half_bits(value).to_le_bytes();
                    scales[half * 32 + at * 2..][..2].copy_from_slice(&bits);
                };
                put(0, run.scale[0]);
                if fine {
                    put(1, run.scale[1]);
                }
                if has_min {
                    put(1, run.min);
                }
            }
        }
    }
}
