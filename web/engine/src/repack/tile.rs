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
                        // Four codes a word, the first one lowest.
                        let codes: [u32; 8] = bytemuck::cast(codes);
                        match self.format {
                            WeightFormat::Q8 => quant_words[..8].copy_from_slice(&codes),
                            format => {
                                quant_words[..4].copy_from_slice(&nibbles(&codes));
                                match format {
                                    WeightFormat::Q5 => word(1, bit_4(&codes)),
                                    WeightFormat::Q6 => {
                                        let [first, second] = bits_4_and_5(&codes);
                                        word(1, first);
                                        word(2, second);
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

/// Code `8j + 4h + b` of a block is byte `b` of word `2j + h`; its low nibble becomes bits `8b + 4h` of
/// word `j`.
fn nibbles(codes: &[u32; 8]) -> [u32; 4] {
    const LOW: u32 = 0x0f0f_0f0f;
    std::array::from_fn(|j| (codes[2 * j] & LOW) | (codes[2 * j + 1] & LOW) << 4)
}

/// Q5's plane: bit 4 of word `w`'s codes by `w`.
fn bit_4(codes: &[u32; 8]) -> u32 {
    codes.iter().enumerate().fold(0, |plane, (w, word)| plane | (word >> 4 & 0x0101_0101) << w)
}

/// Q6's two planes: bits 4 and 5 of word `w`'s codes by `2(w mod 4)` in plane `w / 4`.
fn bits_4_and_5(codes: &[u32; 8]) -> [u32; 2] {
    let mut planes = [0; 2];
    for (w, word) in codes.iter().enumerate() {
        planes[w / 4] |= (word >> 4 & 0x0303_0303) << (2 * (w % 4));
    }
    planes
}
