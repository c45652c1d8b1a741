//! What is a weight worth, as the planes of a part hold it?

use half::f16;

use super::Symbols;

/// Element `index` of 16-bit halves packed in words.
fn half_at(words: &[u32], index: usize) -> f32 {
    f16::from_bits((words[index / 2] >> (16 * (index % 2))) as u16).to_f32()
}

/// The weight of a segment at (row, col); layouts in `linear/weight.rs`.
pub(super) fn weight_at(
    words: &[u32],
    symbols: &Symbols<'_>,
    segment: usize,
    row: usize,
    col: usize,
) -> f32 {
    let format = symbols.get(&format!("FMT{segment}"));
    let quants_at = symbols.get(&format!("QUANTS_AT{segment}")) * 4;
    let scales_at = symbols.get(&format!("SCALES_AT{segment}"));
    let high_at = symbols.get(&format!("HIGH_AT{segment}"));
    let blocks = symbols.get("BLOCKS");
    let plane = symbols.get(&format!("SEG_PADDED{segment}")) * blocks;
    let (tile, lane, block, i) = (row / 32, row % 32, col / 32, col % 32);
    let element = (tile * blocks + block) * 32 + lane;
    // The n-th vec4 of an element with `vec4s` of them, as a word offset.
    let vec4 = |vec4s: usize, n: usize| {
        quants_at + (((tile * blocks + block) * vec4s + n) * 32 + lane) * 4
    };
    let nibble = || {
        let (j, h, b) = (i / 8, i / 4 % 2, i % 4);
        (words[vec4(1, 0) + j] >> (8 * b + 4 * h)) & 15
    };
    let scales = |which: usize| half_at(words, (scales_at + element) * 2 + which);
    let (j, h, b) = (i / 8, i / 4 % 2, i % 4);
    match format {
        4 => scales(0) * nibble() as f32 + scales(1),
        5 => {
            let high = (words[high_at + element] >> (8 * b + 2 * j + h)) & 1;
            scales(0) * (nibble() | high << 4) as f32 + scales(1)
        }
        6 => {
            let word = words[high_at + (j / 2) * plane + element];
            let high = (word >> (8 * b + 2 * (2 * (j % 2) + h))) & 3;
            scales(i / 16) * ((nibble() | high << 4) as f32 - 32.0)
        }
        8 => {
            let word = words[vec4(2, i / 16) + i % 16 / 4];
            scales(i / 16) * f32::from((word >> (8 * (i % 4))) as i8)
        }
        16 => half_at(words, vec4(4, i / 8) * 2 + i % 8),
        _ => f32::from_bits(words[vec4(8, i / 4) + i % 4]),
    }
}
