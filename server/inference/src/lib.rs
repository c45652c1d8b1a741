//! How does a model answer in this process?
//!
//! A [`Model`] is weights and a forward pass: [`CpuModel`], or on a GPU `CandleModel` (features `cuda`
//! and `metal`); [`Engine`] says which. A [`Scheduler`] owns one on a thread of its own, drives a
//! [`Generation`](portico_shared::generation::Generation) for each answer and computes a step of all of
//! them together; an [`Embedder`] makes vectors. Files come in open, tokens go out: this crate knows no
//! folder, no catalogue and no HTTP.

mod budget;
#[cfg(feature = "candle")]
mod candle;
mod config;
mod cpu;
mod embed;
mod engine;
mod event;
mod pages;
mod scheduler;
mod status;
mod step;
mod tensors;
mod weight_file;

pub use budget::Share;
#[cfg(feature = "candle")]
pub use candle::CandleModel;
pub use config::InferenceConfig;
pub use cpu::CpuModel;
pub use embed::{Embedder, EmbedderFile};
pub use engine::{Device, Engine};
pub use event::{Decoding, Event, Running, Timings};
pub use pages::{PageId, PagePool, PageTable};
pub use scheduler::{Load, Scheduler, SchedulerOptions};
pub use status::{InferenceStatus, LoadState, ModelStatus};
pub use step::{Batch, Model, Row};
