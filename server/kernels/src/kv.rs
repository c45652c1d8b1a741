//! Where do keys and values lie?
//!
//! In pages of 16 tokens. A page holds all layers; for each layer and key-value head the keys lie
//! with the 16 tokens beside each other (`[dim][16]`), the values token by token (`[16][dim]`), both
//! in half precision.

use crate::buffer::Buffer;
use crate::half_floats::to_halves;
use crate::isa::Isa;

/// Tokens of a page.
pub const PAGE_TOKENS: usize = 16;

/// What a model keeps of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KvShape {
    pub n_layers: usize,
    pub n_kv_heads: usize,
    pub head_dim: usize,
}

impl KvShape {
    /// Halves of one head's keys, and as many of its values, in a page.
    fn head_len(self) -> usize {
        PAGE_TOKENS * self.head_dim
    }

    pub fn page_bytes(self) -> usize {
        self.n_layers * self.n_kv_heads * self.head_len() * 2 * 2
    }

    fn offset(self, layer: usize, head: usize) -> usize {
        (layer * self.n_kv_heads + head) * self.head_len() * 2
    }
}

/// Keys and values of 16 tokens.
pub struct Page {
    shape: KvShape,
    data: Buffer,
}

impl Page {
    pub fn new(shape: KvShape) -> Self {
        Self { shape, data: Buffer::zeroed(shape.page_bytes()) }
    }

    fn halves(&self) -> &[u16] {
        let bytes = self.data.as_bytes();
        // SAFETY: aligned to 64, of even length, and any bits are a u16.
        unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len() / 2) }
    }

    fn halves_mut(&mut self) -> &mut [u16] {
        let bytes = self.data.as_bytes_mut();
        // SAFETY: as above, and borrowed alone.
        unsafe { std::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), bytes.len() / 2) }
    }

    /// `[dim][16 tokens]`
    pub fn keys(&self, layer: usize, head: usize) -> &[u16] {
        &self.halves()[self.shape.offset(layer, head)..][..self.shape.head_len()]
    }

    /// `[16 tokens][dim]`
    pub fn values(&self, layer: usize, head: usize) -> &[u16] {
        let len = self.shape.head_len();
        &self.halves()[self.shape.offset(layer, head) + len..][..len]
    }

    /// Stores a token's key and value.
    ///
    /// # Panics
    /// Outside of the page, or with other head sizes.
    pub fn store(
        &mut self,
        isa: Isa,
        layer: usize,
        head: usize,
        slot: usize,
        key: &[f32],
        value: &[f32],
    ) {
        let (dim, len) = (self.shape.head_dim, self.shape.head_len());
        assert!(slot < PAGE_TOKENS && key.len() == dim && value.len() == dim, "a head's shape");
        let start = self.shape.offset(layer, head);
        let (keys, values) = self.halves_mut()[start..][..2 * len].split_at_mut(len);
        to_halves(isa, value, &mut values[slot * dim..][..dim]);
        let mut halves = [0; 16];
        for (keys, key) in keys.chunks_exact_mut(PAGE_TOKENS * 16).zip(key.chunks_exact(16)) {
            to_halves(isa, key, &mut halves);
            for (keys, half) in keys.chunks_exact_mut(PAGE_TOKENS).zip(halves) {
                keys[slot] = half;
            }
        }
    }
}
