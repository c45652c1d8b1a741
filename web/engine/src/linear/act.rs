//! How does a vector lie that linear kernels read?

/// In which numbers a bundle holds its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActKind {
    F32,
    /// Blocks of 32 signed bytes `q` with a float32 scale `d`: value = d·q, d = max|value|/127.
    Q8,
}

/// An activation bundle: one buffer with two planes, each for `max_tokens` tokens:
///
/// 1. values: `f32[max_tokens][cols]`, or for [`ActKind::Q8`] `u32[max_tokens][cols/4]`, the lowest
///    byte first (`pack4xI8`);
/// 2. blocks: `vec4<f32>[max_tokens][cols/32]` = (scale `d` (1 for float32), sum of the block's
///    values as they stand in plane 1 (`d·Σq`), Σx² of the block's values **before** they were
///    multiplied by the norm's weight (only read with a norm), 0).
///
/// `kernels/shared/act.wgsl` has the writers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ActLayout {
    pub kind: ActKind,
    /// Values of a token; a multiple of 32.
    pub cols: u32,
    pub max_tokens: u32,
}

/// Values that share a scale.
pub const BLOCK: u32 = 32;

impl ActLayout {
    /// Blocks of a token.
    pub fn n_blocks(self) -> u32 {
        self.cols / BLOCK
    }

    /// Words of a token in the first plane.
    pub fn value_words(self) -> u32 {
        match self.kind {
            ActKind::F32 => self.cols,
            ActKind::Q8 => self.cols / 4,
        }
    }

    /// Where the plane of blocks begins, in 32-bit words; a multiple of 4.
    pub fn blocks_at(self) -> u32 {
        self.max_tokens * self.value_words()
    }

    pub fn size_bytes(self) -> u64 {
        u64::from(self.blocks_at() + self.max_tokens * self.n_blocks() * 4) * 4
    }
}
