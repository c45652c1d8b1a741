//! Where do the trials' inputs come from? A seeded generator, so that a failure can be repeated.

use half::f16;

use crate::repack::QuantType;

/// Numerical Recipes' linear congruential generator; its high bits are good enough for inputs.
pub struct Random(u32);

impl Random {
    pub fn new(seed: u32) -> Self {
        Self(seed.wrapping_mul(2_654_435_761).wrapping_add(12_345))
    }

    pub fn word(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 ^ (self.0 >> 16)
    }

    /// Between -1 and 1.
    pub fn float(&mut self) -> f32 {
        (self.word() >> 8) as f32 / 8_388_608.0 - 1.0
    }

    /// Blocks of a file: random codes, scales of a sensible size.
    pub fn blocks(&mut self, quant: QuantType, n_blocks: u32) -> Vec<u8> {
        let block_bytes = quant.block_bytes() as usize;
        let mut bytes = Vec::with_capacity(n_blocks as usize * block_bytes);
        for _ in 0..n_blocks {
            let at = bytes.len();
            bytes.extend((0..block_bytes).map(|_| (self.word() >> 11) as u8));
            // Where the block keeps its half-precision scale and minimum.
            let halves: &[usize] = match quant {
                QuantType::F32 => {
                    let value = self.float();
                    bytes[at..].copy_from_slice(&value.to_le_bytes());
                    &[]
                }
                QuantType::F16 | QuantType::Q4_0 | QuantType::Q5_0 | QuantType::Q8_0 => &[0],
                QuantType::Q4_1 | QuantType::Q5_1 | QuantType::Q4K | QuantType::Q5K => &[0, 2],
                QuantType::Q6K => &[208],
            };
            for half in halves {
                let value = f16::from_f32(self.float() / 16.0);
                bytes[at + half..at + half + 2].copy_from_slice(&value.to_le_bytes());
            }
        }
        bytes
    }
}
