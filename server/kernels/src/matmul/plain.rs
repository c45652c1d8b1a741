//! The product in plain Rust.

use std::ops::Range;

use super::TileTask;
use crate::blocks::RUN;
use crate::half_floats::from_half_bits;
use crate::matrix::{Layout, TILE_ROWS};

pub(super) fn multiply(task: &TileTask<'_>, tokens: Range<usize>) {
    match task.matrix.layout {
        Layout::F32 | Layout::F16 => float(task, tokens),
        Layout::Quantised { .. } => quantised(task, tokens),
    }
}

fn float(task: &TileTask<'_>, tokens: Range<usize>) {
    let tile = task.matrix.tile(task.tile);
    let is_f32 = task.matrix.layout == Layout::F32;
    for token in tokens {
        let mut acc = [0f32; TILE_ROWS];
        for (col, &x) in task.input.row(token).iter().enumerate() {
            for (row, acc) in acc.iter_mut().enumerate() {
                let at = col * TILE_ROWS + row;
                *acc += x * if is_f32 { f32_at(tile, at) } else { half_at(tile, at) };
            }
        }
        task.out(token).copy_from_slice(&acc);
    }
}

fn f32_at(bytes: &[u8], at: usize) -> f32 {
    let bytes = &bytes[at * 4..][..4];
    f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

fn half_at(bytes: &[u8], at: usize) -> f32 {
    from_half_bits(u16::from_le_bytes([bytes[at * 2], bytes[at * 2 + 1]]))
}

/// A run's weights as `[group][row][column in group]`.
fn unpack(bits: u32, values: &[u8], q: &mut [u8; TILE_ROWS * RUN]) {
    if bits == 8 {
        q.copy_from_slice(values);
        return;
    }
    for (pair, q) in q.chunks_exact_mut(128).enumerate() {
        let (low, high) = q.split_at_mut(64);
        for ((low, high), &byte) in low.iter_mut().zip(high).zip(&values[pair * 64..][..64]) {
            *low = byte & 0xf;
            *high = byte >> 4;
        }
    }
    for plane in 0..bits as usize - 4 {
        let plane_bits = &values[256 + plane * 64..][..64];
        for (at, q) in q.iter_mut().enumerate() {
            *q |= ((plane_bits[at / 8] >> (at % 8)) & 1) << (4 + plane);
        }
    }
}

fn quantised(task: &TileTask<'_>, tokens: Range<usize>) {
    let Layout::Quantised { bits, fine, has_min, zero } = task.matrix.layout else { return };
    let (tile, input) = (task.matrix.tile(task.tile), task.input);
    let (cols, n_runs) = (input.cols(), input.cols() / RUN);
    let values_bytes = TILE_ROWS * RUN * bits as usize / 8;
    let mut q = [0u8; TILE_ROWS * RUN];
    for token in tokens.clone() {
        task.out(token).fill(0.0);
    }
    for (index, run) in tile.chunks_exact(task.matrix.layout.run_bytes()).enumerate() {
        let (values, scales) = run.split_at(values_bytes);
        unpack(bits, values, &mut q);
        for token in tokens.clone() {
            let x = &input.q[token * cols + index * RUN..][..RUN];
            let at = token * n_runs + index;
            let (scale, sum) = (input.scale[at], input.scaled_sum[at]);
            let negative_sum = &input.negative_sum[at * 2..][..2];
            let out = task.out(token);
            for (row, out) in out.iter_mut().enumerate() {
                let dot = |groups: Range<usize>| -> i32 {
                    let products = groups.map(|group| {
                        let q = &q[group * 64 + row * 4..][..4];
                        let x = &x[group * 4..][..4];
                        q.iter().zip(x).map(|(&q, &x)| i32::from(q) * i32::from(x)).sum::<i32>()
                    });
                    products.sum()
                };
                if fine {
                    for half in 0..2 {
                        let dot = dot(half * 4..half * 4 + 4) + zero * negative_sum[half];
                        *out += dot as f32 * (half_at(&scales[half * 32..], row) * scale);
                    }
                } else {
                    let dot = dot(0..8) + zero * (negative_sum[0] + negative_sum[1]);
                    *out += dot as f32 * (half_at(scales, row) * scale);
                }
                if has_min {
                    *out += half_at(&scales[32..], row) * sum;
                }
            }
        }
    }
}
