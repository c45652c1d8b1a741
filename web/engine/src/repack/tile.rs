//! How do 32 rows become a tile of each plane?

use super::QuantType;
use super::quant::Block32;
use crate::linear::{TILE, WeightFormat};

/// The planes of consecutive tiles, as bytes in the order of [`crate::linear::Segment`]: quants, then
/// words (scales, high bits).
pub(super) struct Planes {
    format: WeightFormat,
    /// Blocks of a row.
    n_blocks: usize,
    pub quants: Vec<u8>,
    /// Scales, first high plane, second high plane; those that the format has.
    pub words: [Vec<u8>; 3],
}

impl Planes {
    pub fn new(format: WeightFormat, cols: u32) -> Self {
        Self {
            format,
            n_blocks: (cols / 32) as usize,
            quants: Vec::new(),
            words: Default::default(),
        }
    }

    pub fn clear(&mut self) {
        self.quants.clear();
        self.words.iter_mut().for_each(Vec::clear);
    }

    pub fn size_bytes(&self) -> usize {
        self.quants.len() + self.words.iter().map(Vec::len).sum::<usize>()
    }

    /// Appends a tile of up to 32 rows; missing ones are zero.
    pub fn push_tile(&mut self, quant: QuantType, row_bytes: usize, rows: &[u8]) {
        let elements = self.n_blocks * TILE as usize;
        let vec4s = self.format.quant_vec4s() as usize;
        let quants_at = self.quants.len();
        self.quants.resize(quants_at + elements * vec4s * 16, 0);
        let words_at = self.words[0].len();
        let n_words = self.format.word_planes() as usize;
        for plane in &mut self.words[..n_words] {
            plane.resize(words_at + elements * 4, 0);
        }
        for (row, bytes) in rows.chunks_exact(row_bytes).enumerate() {
            let mut block = 0;
            quant.for_each_block(bytes, |values| {
                let element = block * TILE as usize + row;
                let mut word = |plane: usize, value: u32| {
                    let at = words_at + element * 4;
                    self.words[plane][at..at + 4].copy_from_slice(&value.to_le_bytes());
                };
                let mut quant_words = [0_u32; 32];
                match values {
                    Block32::Codes { codes, scales } => {
                        word(0, pair(scales.0.to_bits(), scales.1.to_bits()));
                        match self.format {
                            WeightFormat::Q8 => {
                                for (i, code) in codes.iter().enumerate() {
                                    quant_words[i / 4] |= u32::from(*code) << (8 * (i % 4));
                                }
                            }
                            format => {
                                let (low, high) = split_bits(&codes);
                                quant_words[..4].copy_from_slice(&low);
                                match format {
                                    WeightFormat::Q5 => word(1, high_1(&codes)),
                                    WeightFormat::Q6 => {
                                        word(1, high[0]);
                                        word(2, high[1]);
                                    }
                                    _ => {}
                                }
                            }
                        }
                    }
                    Block32::F16(values) => {
                        for (i, two) in values.chunks_exact(2).enumerate() {
                            quant_words[i] = pair(two[0], two[1]);
                        }
                    }
                    Block32::F32(values) => quant_words = values,
                }
                for vec4 in 0..vec4s {
                    let at = quants_at + ((block * vec4s + vec4) * TILE as usize + row) * 16;
                    let source: &[u32] = &quant_words[vec4 * 4..vec4 * 4 + 4];
                    self.quants[at..at + 16].copy_from_slice(bytemuck::cast_slice(source));
                }
                block += 1;
            });
        }
    }
}

fn pair(low: u16, high: u16) -> u32 {
    u32::from(low) | u32::from(high) << 16
}

/// Nibbles by word, and bits 4 and 5 by the two words of Q6's high planes.
fn split_bits(codes: &[u8; 32]) -> ([u32; 4], [u32; 2]) {
    let (mut low, mut high) = ([0; 4], [0; 2]);
    for (i, &code) in codes.iter().enumerate() {
        let (j, h, b) = (i / 8, i / 4 % 2, i % 4);
        low[j] |= u32::from(code & 15) << (8 * b + 4 * h);
        high[j / 2] |= u32::from((code >> 4) & 3) << (8 * b + 2 * (2 * (j % 2) + h));
    }
    (low, high)
}

/// Bit 4 of each code in Q5's plane.
fn high_1(codes: &[u8; 32]) -> u32 {
    codes.iter().enumerate().fold(0, |word, (i, &code)| {
        let (j, h, b) = (i / 8, i / 4 % 2, i % 4);
        word | u32::from((code >> 4) & 1) << (8 * b + 2 * j + h)
    })
}
