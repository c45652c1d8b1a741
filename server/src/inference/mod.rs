//! How does this server answer with models of its own?
//!
//! [`Inference`] keeps the loaded models within a memory budget. Each one is a [`HostedModel`]: what
//! turns text into tokens, and a scheduler on a thread of its own that drives one
//! [`Generation`](portico_shared::generation::Generation) for each answer and computes a step of all
//! of them together.

mod budget;
mod config;
mod cpu;
mod event;
mod hosted;
mod pages;
mod registry;
mod scheduler;
mod status;

pub use config::InferenceConfig;
pub use event::{Decoding, Event, Running, Timings};
pub use hosted::HostedModel;
pub use registry::Inference;
pub use status::{InferenceStatus, LoadState, ModelStatus};
