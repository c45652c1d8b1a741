//! What does each kernel compute? A plain CPU twin a kernel, of the same name and over the same
//! bindings, slow and obvious: tests and the self-test hold the kernels to them.

mod attention;
mod bundle;
mod embed;
mod kv;
mod layer_norm;
mod linear;
mod pool;
mod residual_norm;
mod rope_kv;
mod sample;
mod weights;

pub use attention::{attention, attention_reduce};
pub use embed::embed;
pub use layer_norm::layer_norm;
pub use linear::linear;
pub use pool::pool;
pub use residual_norm::residual_norm;
pub use rope_kv::rope_kv;
pub use sample::{sample_choose, sample_groups};

use crate::record::KernelKey;

/// The values of a variant's symbols.
pub struct Symbols<'a>(pub &'a KernelKey);

impl Symbols<'_> {
    /// The value, 0 where the symbol is missing.
    pub fn get(&self, name: &str) -> usize {
        let find = |(known, _): &&(&str, u32)| *known == name;
        self.0.defines.iter().find(find).map_or(0, |(_, value)| *value as usize)
    }
}

/// The buffers of a dispatch in order of `@binding`.
pub struct Bindings<'a>(pub std::vec::IntoIter<&'a mut Vec<u32>>);

impl<'a> Bindings<'a> {
    /// The next buffer's words.
    ///
    /// # Panics
    /// If the dispatch binds fewer buffers than its kernel has: a bug of the plan.
    #[expect(clippy::should_implement_trait, reason = "running out is a bug here, not an end")]
    pub fn next(&mut self) -> &'a mut Vec<u32> {
        self.0.next().unwrap_or_else(|| panic!("a binding is missing"))
    }
}
