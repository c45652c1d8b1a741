//! What does a bundle hold, and how is one written? Layout in `linear/act.rs`.

use super::Symbols;

/// Value `col` of a token.
pub(super) fn value_at(bundle: &[u32], symbols: &Symbols<'_>, token: usize, col: usize) -> f32 {
    let cols = symbols.get("COLS");
    if symbols.get("ACT") == 32 {
        return f32::from_bits(bundle[token * cols + col]);
    }
    let word = bundle[token * cols / 4 + col / 4];
    let scale = block_at(bundle, symbols, token, col / 32)[0];
    scale * f32::from((word >> (8 * (col % 4))) as i8)
}

/// (scale, sum, squares, 0) of a block.
pub(super) fn block_at(
    bundle: &[u32],
    symbols: &Symbols<'_>,
    token: usize,
    block: usize,
) -> [f32; 4] {
    let at = symbols.get("BLOCKS_AT") + (token * symbols.get("BLOCKS") + block) * 4;
    std::array::from_fn(|i| f32::from_bits(bundle[at + i]))
}

/// Writes the block of 32 values that begins at `col`; `values` as they are before the norm's weight.
pub(super) fn write_block(
    next: &mut [u32],
    symbols: &Symbols<'_>,
    token: usize,
    col: usize,
    values: &[f32],
    norm_weight: Option<&[u32]>,
) {
    let cols = symbols.get("NEXT_COLS");
    let weighted: Vec<f32> = values
        .iter()
        .enumerate()
        .map(|(i, value)| value * norm_weight.map_or(1.0, |w| f32::from_bits(w[col + i])))
        .collect();
    let squares: f32 = values.iter().map(|value| value * value).sum();
    let (scale, sum);
    if symbols.get("NEXT") == 8 {
        let largest = weighted.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
        scale = largest / 127.0;
        let mut total = 0.0;
        for (i, value) in weighted.iter().enumerate() {
            let rounded = (value * inverse).round_ties_even();
            total += rounded;
            let at = token * cols / 4 + (col + i) / 4;
            let shift = 8 * ((col + i) % 4);
            next[at] = next[at] & !(0xff << shift) | u32::from(rounded as i8 as u8) << shift;
        }
        sum = scale * total;
    } else {
        scale = 1.0;
        sum = weighted.iter().sum();
        for (i, value) in weighted.iter().enumerate() {
            next[token * cols + col + i] = value.to_bits();
        }
    }
    let at = symbols.get("NEXT_BLOCKS_AT") + (token * cols / 32 + col / 32) * 4;
    for (i, value) in [scale, sum, squares, 0.0].into_iter().enumerate() {
        next[at + i] = value.to_bits();
    }
}
