//! How does this server answer with models of its own?
//!
//! [`Inference`] keeps the loaded models within a memory budget. Each one is a [`HostedModel`]: what
//! turns text into tokens, and a scheduler on a thread of its own.

mod hosted;
mod registry;

pub use hosted::HostedModel;
pub use portico_inference::{
    Decoding, Event, InferenceConfig, InferenceStatus, LoadState, ModelStatus, Running, Timings,
};
pub use registry::Inference;
