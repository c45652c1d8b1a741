//! The twin of `kernels/shared/kv.wgsl`: values of the cache, four in a vec4.

use half::f16;

use super::Symbols;

fn is_half(symbols: &Symbols<'_>) -> bool {
    symbols.get("KV_HALF") != 0
}

/// Component `c` of the cache's vec4 `at`.
pub(super) fn read(symbols: &Symbols<'_>, cache: &[u32], at: usize, c: usize) -> f32 {
    if is_half(symbols) {
        let bits = cache[at * 2 + c / 2] >> (16 * (c % 2));
        f16::from_bits(bits as u16).to_f32()
    } else {
        f32::from_bits(cache[at * 4 + c])
    }
}

pub(super) fn write(symbols: &Symbols<'_>, cache: &mut [u32], at: usize, c: usize, value: f32) {
    if is_half(symbols) {
        let bits = f16::from_f32(value.clamp(-65504.0, 65504.0)).to_bits();
        let word = &mut cache[at * 2 + c / 2];
        let shift = 16 * (c % 2);
        *word = *word & !(0xffff << shift) | u32::from(bits) << shift;
    } else {
        cache[at * 4 + c] = value.to_bits();
    }
}
