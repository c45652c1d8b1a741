//! Half-precision numbers as keys, values and scales are stored.

use half::f16;

use crate::isa::Isa;

const LARGEST: f32 = 65_504.0;

/// The nearest half; what is too large becomes the largest.
pub fn half_bits(value: f32) -> u16 {
    f16::from_f32(value.clamp(-LARGEST, LARGEST)).to_bits()
}

/// The value of a half that is a number, without branches, so that the compiler makes vectors of it.
#[inline(always)]
pub fn from_half_bits(bits: u16) -> f32 {
    let bits = u32::from(bits);
    // The exponent's bias differs by 112; the product is exact, also of subnormal halves.
    let magnitude = f32::from_bits((bits & 0x7fff) << 13) * f32::from_bits((112 + 127) << 23);
    f32::from_bits(magnitude.to_bits() | (bits & 0x8000) << 16)
}

/// [`half_bits`] of many.
pub fn to_halves(isa: Isa, values: &[f32], out: &mut [u16]) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `Isa` is what was detected, and both have F16C.
        Isa::Avx2 | Isa::Avx512 => unsafe { to_halves_f16c(values, out) },
        _ => {
            for (out, &value) in out.iter_mut().zip(values) {
                *out = half_bits(value);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,f16c")]
fn to_halves_f16c(values: &[f32], out: &mut [u16]) {
    use std::arch::x86_64::*;
    let (most, least) = (_mm256_set1_ps(LARGEST), _mm256_set1_ps(-LARGEST));
    let chunks = values.chunks_exact(8);
    let rest = chunks.remainder();
    let n_whole = values.len() - rest.len();
    for (values, out) in chunks.zip(out.chunks_exact_mut(8)) {
        // SAFETY: 8 values each.
        unsafe {
            let values = _mm256_loadu_ps(values.as_ptr());
            let values = _mm256_max_ps(_mm256_min_ps(values, most), least);
            let halves = _mm256_cvtps_ph::<{ _MM_FROUND_TO_NEAREST_INT }>(values);
            _mm_storeu_si128(out.as_mut_ptr().cast(), halves);
        }
    }
    for (out, &value) in out[n_whole..].iter_mut().zip(rest) {
        *out = half_bits(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_that_is_a_number_has_its_value() {
        for bits in (0..=u16::MAX).filter(|&bits| f16::from_bits(bits).is_finite()) {
            let expected = f16::from_bits(bits).to_f32();
            assert_eq!(from_half_bits(bits).to_bits(), expected.to_bits(), "{bits:#x}");
        }
    }

    #[test]
    fn halves_are_the_same_by_every_way() {
        let values: Vec<f32> = (0..1003)
            .map(|i| (i as f32 - 500.0) * 0.37f32.powi(i % 31 - 10))
            .chain([0.0, -0.0, 1e9, -1e9, 6e-8, 65_504.0])
            .collect();
        let expected: Vec<u16> = values.iter().map(|&value| half_bits(value)).collect();
        for isa in Isa::all_here() {
            let mut halves = vec![0; values.len()];
            to_halves(isa, &values, &mut halves);
            assert_eq!(halves, expected, "{isa:?}");
        }
    }
}
