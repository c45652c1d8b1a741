//! How are weights stored in a GGUF file, and what are they worth?
//!
//! Layouts after ggml's `ggml-common.h` (`block_q4_0` … `block_q6_K`) and
//! `dequantize_row_…` of its `ggml-quants.c`.

use half::f16;
use serde::{Deserialize, Serialize};

use crate::linear::WeightFormat;

/// A type of weights that can be repacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum QuantType {
    F32,
    F16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q4K,
    Q5K,
    Q6K,
}

/// 32 weights between file and planes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Block32 {
    /// Codes 0…31 (4 or 5 bits) or 0…63 (6 bits) with the scale word, or signed bytes.
    Codes {
        codes: [u8; 32],
        scales: (f16, f16),
    },
    F16([u16; 32]),
    F32([u32; 32]),
}

impl QuantType {
    pub const ALL: [Self; 10] = [
        Self::F32,
        Self::F16,
        Self::Q4_0,
        Self::Q4_1,
        Self::Q5_0,
        Self::Q5_1,
        Self::Q8_0,
        Self::Q4K,
        Self::Q5K,
        Self::Q6K,
    ];

    /// From the number that a GGUF tensor's directory entry has (`enum ggml_type`).
    pub fn from_ggml(id: u32) -> Option<Self> {
        Some(match id {
            0 => Self::F32,
            1 => Self::F16,
            2 => Self::Q4_0,
            3 => Self::Q4_1,
            6 => Self::Q5_0,
            7 => Self::Q5_1,
            8 => Self::Q8_0,
            12 => Self::Q4K,
            13 => Self::Q5K,
            14 => Self::Q6K,
            _ => return None,
        })
    }

    /// Weights of a block.
    pub fn block_len(self) -> u32 {
        match self {
            Self::F32 | Self::F16 => 1,
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 => 32,
            Self::Q4K | Self::Q5K | Self::Q6K => 256,
        }
    }

    /// Bytes of a block.
    pub fn block_bytes(self) -> u32 {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
            Self::Q4_0 => 18,
            Self::Q4_1 => 20,
            Self::Q5_0 => 22,
            Self::Q5_1 => 24,
            Self::Q8_0 => 34,
            Self::Q4K => 144,
            Self::Q5K => 176,
            Self::Q6K => 210,
        }
    }

    /// Bytes of a row of `cols` weights, a multiple of [`Self::block_len`].
    pub fn row_bytes(self, cols: u32) -> u64 {
        u64::from(cols / self.block_len()) * u64::from(self.block_bytes())
    }

    /// What kernels read it as.
    pub fn format(self) -> WeightFormat {
        match self {
            Self::F32 => WeightFormat::F32,
            Self::F16 => WeightFormat::F16,
            Self::Q4_0 | Self::Q4_1 | Self::Q4K => WeightFormat::Q4,
            Self::Q5_0 | Self::Q5_1 | Self::Q5K => WeightFormat::Q5,
            Self::Q6K => WeightFormat::Q6,
            Self::Q8_0 => WeightFormat::Q8,
        }
    }

    /// Bytes after which 32 weights are complete: those of a block or of 32 single weights.
    fn unit_bytes(self) -> usize {
        (self.block_bytes() * if self.block_len() == 1 { 32 } else { 1 }) as usize
    }

    /// Calls `each` for every 32 weights of a row, in order.
    pub(super) fn for_each_block(self, row: &[u8], mut each: impl FnMut(Block32)) {
        for unit in row.chunks_exact(self.unit_bytes()) {
            match self {
                Self::F32 => each(Block32::F32(std::array::from_fn(|i| u32_at(unit, 4 * i)))),
                Self::F16 => each(Block32::F16(std::array::from_fn(|i| u16_at(unit, 2 * i)))),
                Self::Q4_0 => {
                    let d = f16_at(unit, 0);
                    each(codes(nibbles(&unit[2..18]), d, times(d, -8.0)));
                }
                Self::Q4_1 => {
                    each(codes(nibbles(&unit[4..20]), f16_at(unit, 0), f16_at(unit, 2)));
                }
                Self::Q5_0 => {
                    let d = f16_at(unit, 0);
                    let with_high = fifth_bits(nibbles(&unit[6..22]), u32_at(unit, 2));
                    each(codes(with_high, d, times(d, -16.0)));
                }
                Self::Q5_1 => {
                    let with_high = fifth_bits(nibbles(&unit[8..24]), u32_at(unit, 4));
                    each(codes(with_high, f16_at(unit, 0), f16_at(unit, 2)));
                }
                Self::Q8_0 => {
                    let d = f16_at(unit, 0);
                    each(codes(std::array::from_fn(|i| unit[2 + i]), d, d));
                }
                Self::Q4K => k_with_minimum(unit, None, &unit[16..144], each_of(&mut each)),
                Self::Q5K => {
                    k_with_minimum(unit, Some(&unit[16..48]), &unit[48..176], each_of(&mut each));
                }
                Self::Q6K => q6_k(unit, each_of(&mut each)),
            }
        }
    }
}

fn each_of(each: &mut impl FnMut(Block32)) -> &mut dyn FnMut(Block32) {
    each
}

fn codes(codes: [u8; 32], scale: f16, minimum: f16) -> Block32 {
    Block32::Codes { codes, scales: (scale, minimum) }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn f16_at(bytes: &[u8], at: usize) -> f16 {
    f16::from_bits(u16_at(bytes, at))
}

/// Exact for a power of two; otherwise rounded to 11 bits.
fn times(d: f16, factor: f32) -> f16 {
    f16::from_f32(d.to_f32() * factor)
}

/// Low nibbles are the first 16 codes, high nibbles the last.
fn nibbles(bytes: &[u8]) -> [u8; 32] {
    std::array::from_fn(|i| if i < 16 { bytes[i] & 15 } else { bytes[i - 16] >> 4 })
}

fn fifth_bits(codes: [u8; 32], high: u32) -> [u8; 32] {
    std::array::from_fn(|i| codes[i] | (((high >> i) & 1) as u8) << 4)
}

/// Scale and minimum of sub-block `j` of eight: six bits each, packed in 12 bytes
/// (`get_scale_min_k4`).
fn scale_minimum(packed: &[u8], j: usize) -> (u8, u8) {
    if j < 4 {
        (packed[j] & 63, packed[j + 4] & 63)
    } else {
        (
            (packed[j + 4] & 15) | ((packed[j - 4] >> 6) << 4),
            (packed[j + 4] >> 4) | ((packed[j] >> 6) << 4),
        )
    }
}

/// Q4_K and Q5_K. `d·scale` and `dmin·minimum` are rounded to half precision: 2^-12 at most, a
/// sixteenth of what quantising to 5 bits costs.
fn k_with_minimum(unit: &[u8], high: Option<&[u8]>, low: &[u8], each: &mut dyn FnMut(Block32)) {
    let (d, dmin) = (f16_at(unit, 0), f16_at(unit, 2));
    for j in 0..8 {
        let (scale, minimum) = scale_minimum(&unit[4..16], j);
        let values = std::array::from_fn(|i| {
            let byte = low[32 * (j / 2) + i];
            let nibble = if j % 2 == 0 { byte & 15 } else { byte >> 4 };
            nibble | high.map_or(0, |high| ((high[i] >> j) & 1) << 4)
        });
        each(codes(values, times(d, f32::from(scale)), times(dmin, -f32::from(minimum))));
    }
}

/// Q6_K: codes 0…63, worth `d·scale·(code - 32)`, scales for 16.
fn q6_k(unit: &[u8], each: &mut dyn FnMut(Block32)) {
    let (low, high, scales) = (&unit[..128], &unit[128..192], &unit[192..208]);
    let d = f16_at(unit, 208);
    let scale = |index: usize| times(d, f32::from(scales[index].cast_signed()));
    for j in 0..8 {
        let (half, quarter) = (j / 4, j % 4);
        let values = std::array::from_fn(|i| {
            let byte = low[64 * half + 32 * (quarter % 2) + i];
            let nibble = if quarter < 2 { byte & 15 } else { byte >> 4 };
            nibble | (((high[32 * half + i] >> (2 * quarter)) & 3) << 4)
        });
        each(codes(values, scale(2 * j), scale(2 * j + 1)));
    }
}
