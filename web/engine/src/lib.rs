//! WebGPU inference in our own kernels: the same code natively and in the browser.
//!
//! Model code records dispatches ([`record`]); one folder speaks wgpu (`gpu`). The crate knows no
//! DOM, no fetch and no HTTP.
//!
//! ```no_run
//! # async fn run(gguf: &portico_shared::gguf::Gguf, data: &[u8]) -> Result<(), portico_engine::EngineError> {
//! use portico_engine::{Gpu, GpuOptions, LoadOptions, ModelLoader};
//!
//! let gpu = Gpu::acquire(&GpuOptions::default()).await?;
//! let mut loader = ModelLoader::new(&gpu, gguf, &LoadOptions::default()).await?;
//! for slice in data.chunks(1 << 20) {
//!     loader.push(slice)?;
//! }
//! let mut engine = loader.finish().await?;
//! engine.prefill(&[1, 2, 3], |_, _| std::ops::ControlFlow::Continue(())).await?;
//! engine.start_decode(portico_shared::sampling::GpuSampling::Greedy)?;
//! let token = engine.next_token().await?;
//! # let _ = token; Ok(()) }
//! ```

mod caps;
mod error;
mod gpu;
pub mod kernels;
pub mod linear;
mod model;
mod plan;
pub mod record;
pub mod reference;
pub mod repack;
pub mod roofline;
pub mod selftest;
mod session;

pub use caps::{Capabilities, GpuOptions, Precision, Variants, choose};
pub use error::EngineError;
pub use gpu::{Counters, Gpu};
pub use session::{
    Encoder, EncoderLoader, Engine, LoadOptions, ModelLoader, PrefillStats, Scored, by_length,
    memory_estimate, supports,
};
