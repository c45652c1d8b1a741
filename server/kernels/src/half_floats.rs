//! Half-precision numbers as keys, values and scales are stored.

use half::f16;

/// The nearest half; what is too large becomes the largest.
pub fn half_bits(value: f32) -> u16 {
    f16::from_f32(value.clamp(-65_504.0, 65_504.0)).to_bits()
}

pub fn from_half_bits(bits: u16) -> f32 {
    f16::from_bits(bits).to_f32()
}
