//! How is a model computed on the CPU?
//!
//! A pass of our own over [`portico_kernels`]: the rows of a step, whichever sequences they belong
//! to, go through each product together.

mod compute;
mod forward;
mod weights;

pub use compute::{Compute, Product};
pub use weights::{CpuModel, kv_shape, memory_bytes};
