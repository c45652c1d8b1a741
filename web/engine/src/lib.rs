//! WebGPU inference in our own kernels: the same code natively and in the browser.
//!
//! Model code records dispatches ([`record`]); one file speaks wgpu. The crate knows no DOM, no
//! fetch and no HTTP.

pub mod record;
