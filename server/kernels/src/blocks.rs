//! What stands in a block of a GGUF file's quantised rows?
//!
//! The layouts are ggml's (`ggml-common.h`): every type is read here as runs of 32 values
//! `scale · (q − zero) + min`.

use half::f16;

/// A type of weights in a GGUF file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightType {
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

/// Values of a run.
pub const RUN: usize = 32;

/// 32 quantised values of one row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Run {
    /// Unsigned.
    pub q: [u8; RUN],
    /// Of the first and the last 16 values.
    pub scale: [f32; 2],
    pub min: f32,
}

impl WeightType {
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

    /// By ggml's number of the type.
    pub fn from_ggml(type_id: u32) -> Option<Self> {
        Some(match type_id {
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

    /// Values of a block, and its bytes.
    pub fn block(self) -> (usize, usize) {
        match self {
            Self::F32 => (1, 4),
            Self::F16 => (1, 2),
            Self::Q4_0 => (32, 18),
            Self::Q4_1 => (32, 20),
            Self::Q5_0 => (32, 22),
            Self::Q5_1 => (32, 24),
            Self::Q8_0 => (32, 34),
            Self::Q4K => (256, 144),
            Self::Q5K => (256, 176),
            Self::Q6K => (256, 210),
        }
    }

    /// Bytes of a row of `cols` values; none when it does not consist of whole blocks.
    pub fn row_bytes(self, cols: usize) -> Option<usize> {
        let (values, bytes) = self.block();
        cols.is_multiple_of(values).then(|| cols / values * bytes)
    }

    pub fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F16)
    }

    /// What is subtracted from a quantised value.
    pub fn zero(self) -> i32 {
        match self {
            Self::Q4_0 => 8,
            Self::Q5_0 => 16,
            Self::Q6K => 32,
            Self::Q8_0 => 128,
            Self::F32 | Self::F16 | Self::Q4_1 | Self::Q5_1 | Self::Q4K | Self::Q5K => 0,
        }
    }

    /// Whether runs have a minimum.
    pub fn has_min(self) -> bool {
        matches!(self, Self::Q4_1 | Self::Q5_1 | Self::Q4K | Self::Q5K)
    }

    /// Bits of a quantised value.
    pub fn bits(self) -> u32 {
        match self {
            Self::Q4_0 | Self::Q4_1 | Self::Q4K => 4,
            Self::Q5_0 | Self::Q5_1 | Self::Q5K => 5,
            Self::Q6K => 6,
            Self::Q8_0 => 8,
            Self::F16 => 16,
            Self::F32 => 32,
        }
    }
}

fn half_at(bytes: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([bytes[at], bytes[at + 1]]).to_f32()
}

/// Nibbles of 16 bytes: low ones first, then high ones.
fn nibbles(bytes: &[u8], q: &mut [u8; RUN]) {
    for (at, &byte) in bytes.iter().enumerate() {
        q[at] = byte & 0xf;
        q[at + 16] = byte >> 4;
    }
}

fn fifth_bits(high: u32, q: &mut [u8; RUN]) {
    for (at, q) in q.iter_mut().enumerate() {
        *q |= ((high >> at) as u8 & 1) << 4;
    }
}

/// Scale and minimum of K-quants' sub-block `at`, 6 bits each (ggml's `get_scale_min_k4`).
fn scale_min_k4(scales: &[u8], at: usize) -> (u8, u8) {
    if at < 4 {
        (scales[at] & 63, scales[at + 4] & 63)
    } else {
        (
            (scales[at + 4] & 0xf) | ((scales[at - 4] >> 6) << 4),
            (scales[at + 4] >> 4) | ((scales[at] >> 6) << 4),
        )
    }
}

/// The `at`th run of a quantised row.
///
/// # Panics
/// For float types, and outside of the row.
pub fn run(weight_type: WeightType, row: &[u8], at: usize) -> Run {
    let (values, bytes) = weight_type.block();
    let n_runs = values / RUN;
    let block = &row[at / n_runs * bytes..][..bytes];
    let sub = at % n_runs;
    let mut run = Run::default();
    match weight_type {
        WeightType::F32 | WeightType::F16 => unreachable!("floats have no runs"),
        WeightType::Q4_0 => {
            run.scale = [half_at(block, 0); 2];
            nibbles(&block[2..], &mut run.q);
        }
        WeightType::Q4_1 => {
            run.scale = [half_at(block, 0); 2];
            run.min = half_at(block, 2);
            nibbles(&block[4..], &mut run.q);
        }
        WeightType::Q5_0 => {
            run.scale = [half_at(block, 0); 2];
            nibbles(&block[6..], &mut run.q);
            fifth_bits(u32::from_le_bytes([block[2], block[3], block[4], block[5]]), &mut run.q);
        }
        WeightType::Q5_1 => {
            run.scale = [half_at(block, 0); 2];
            run.min = half_at(block, 2);
            nibbles(&block[8..], &mut run.q);
            fifth_bits(u32::from_le_bytes([block[4], block[5], block[6], block[7]]), &mut run.q);
        }
        WeightType::Q8_0 => {
            run.scale = [half_at(block, 0); 2];
            for (q, &byte) in run.q.iter_mut().zip(&block[2..]) {
                *q = byte ^ 0x80;
            }
        }
        WeightType::Q4K | WeightType::Q5K => {
            let (scale, min) = scale_min_k4(&block[4..16], sub);
            run.scale = [half_at(block, 0) * f32::from(scale); 2];
            run.min = -half_at(block, 2) * f32::from(min);
            let is_q5 = weight_type == WeightType::Q5K;
            let low = &block[if is_q5 { 48 } else { 16 }..][sub / 2 * RUN..][..RUN];
            for (q, &byte) in run.q.iter_mut().zip(low) {
                *q = if sub.is_multiple_of(2) { byte & 0xf } else { byte >> 4 };
            }
            if is_q5 {
                for (q, &byte) in run.q.iter_mut().zip(&block[16..48]) {
                    *q |= ((byte >> sub) & 1) << 4;
                }
            }
        }
        WeightType::Q6K => {
            let (half, quarter) = (sub / 4, sub % 4);
            let low = &block[half * 64 + quarter % 2 * RUN..][..RUN];
            let high = &block[128 + half * RUN..][..RUN];
            for ((q, &low), &high) in run.q.iter_mut().zip(low).zip(high) {
                let low = if quarter < 2 { low & 0xf } else { low >> 4 };
                *q = low | (((high >> (2 * quarter)) & 3) << 4);
            }
            let scale = half_at(block, 208);
            let scales = &block[192 + sub * 2..][..2];
            run.scale = [scales[0], scales[1]].map(|part| scale * f32::from(part as i8));
        }
    }
    run
}

/// Writes a row's values.
///
/// # Panics
/// When `row` is not a row of `out.len()` values.
pub fn dequantise_row(weight_type: WeightType, row: &[u8], out: &mut [f32]) {
    assert_eq!(weight_type.row_bytes(out.len()), Some(row.len()), "a row's bytes");
    match weight_type {
        WeightType::F32 => {
            for (out, bytes) in out.iter_mut().zip(row.chunks_exact(4)) {
                *out = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            }
        }
        WeightType::F16 => {
            for (out, bytes) in out.iter_mut().zip(row.chunks_exact(2)) {
                *out = f16::from_le_bytes([bytes[0], bytes[1]]).to_f32();
            }
        }
        _ => {
            let zero = weight_type.zero() as f32;
            for (at, out) in out.chunks_exact_mut(RUN).enumerate() {
                let run = run(weight_type, row, at);
                for (k, (out, q)) in out.iter_mut().zip(run.q).enumerate() {
                    *out = run.scale[k / 16] * (f32::from(q) - zero) + run.min;
                }
            }
        }
    }
}

/// Rounds a row of floats to Q8_0: 8 bits in blocks of 32 with a scale each.
///
/// # Panics
/// For rows of no whole blocks.
pub fn q8_0_row(values: &[f32]) -> Vec<u8> {
    assert!(values.len().is_multiple_of(RUN), "a row of whole blocks");
    let (_, block_bytes) = WeightType::Q8_0.block();
    let mut row = Vec::with_capacity(values.len() / RUN * block_bytes);
    for block in values.chunks_exact(RUN) {
        let largest = block.iter().fold(0f32, |largest, value| largest.max(value.abs()));
        let scale = f16::from_f32(largest / 127.0);
        let inverse = if scale.to_f32() > 0.0 { 1.0 / scale.to_f32() } else { 0.0 };
        row.extend(scale.to_le_bytes());
        // A scale that was rounded down makes the largest value 128 of them.
        let rounded = block.iter().map(|value| (value * inverse).round().clamp(-127.0, 127.0));
        row.extend(rounded.map(|value| value as i8 as u8));
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back_from_8_bits_within_half_a_step() {
        let values: Vec<f32> =
            (0..96).map(|i| (i as f32 * 0.37).sin() * (i as f32 - 40.0)).collect();
        let row = q8_0_row(&values);
        assert_eq!(Some(row.len()), WeightType::Q8_0.row_bytes(96));
        let mut back = vec![0.0; 96];
        dequantise_row(WeightType::Q8_0, &row, &mut back);
        for (block, back) in values.chunks(RUN).zip(back.chunks(RUN)) {
            let step = block.iter().fold(0f32, |a, b| a.max(b.abs())) / 127.0;
            for (value, back) in block.iter().zip(back) {
                assert!((value - back).abs() <= 0.51 * step, "{value} {back}");
            }
        }
        let mut zeros = vec![1.0; 32];
        dequantise_row(WeightType::Q8_0, &q8_0_row(&[0.0; 32]), &mut zeros);
        assert_eq!(zeros, [0.0; 32]);
    }
}
