//! Which chunks of a file?

/// A set of chunk indices below a file's chunk count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkSet {
    bits: Vec<bool>,
}

impl ChunkSet {
    /// The empty set for a file of `n_chunks`.
    pub fn empty(n_chunks: usize) -> Self {
        Self { bits: vec![false; n_chunks] }
    }

    pub fn n_chunks(&self) -> usize {
        self.bits.len()
    }

    pub fn contains(&self, chunk: usize) -> bool {
        self.bits.get(chunk).copied().unwrap_or(false)
    }

    /// An index beyond the file is ignored.
    pub fn set(&mut self, chunk: usize, present: bool) {
        if let Some(bit) = self.bits.get_mut(chunk) {
            *bit = present;
        }
    }

    pub fn is_full(&self) -> bool {
        self.bits.iter().all(|&bit| bit)
    }

    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.bits.iter().enumerate().filter(|(_, bit)| **bit).map(|(chunk, _)| chunk)
    }
}
