//! How does a model answer in this process?
//!
//! [`CpuModel`] is a model's weights and its forward pass; a [`Scheduler`] owns one on a thread of
//! its own, drives a [`Generation`](portico_shared::generation::Generation) for each answer and
//! computes a step of all of them together; an [`Embedder`] makes vectors. Files come in open, tokens
//! go out: this crate knows no folder, no catalogue and no HTTP.

mod budget;
mod config;
mod cpu;
mod embed;
mod event;
mod pages;
mod scheduler;
mod status;

pub use budget::Share;
pub use config::InferenceConfig;
pub use cpu::{Batch, CpuModel, Row};
pub use embed::{Embedder, EmbedderFile};
pub use event::{Decoding, Event, Running, Timings};
pub use pages::{PageId, PagePool, PageTable};
pub use scheduler::{Load, Scheduler, SchedulerOptions};
pub use status::{InferenceStatus, LoadState, ModelStatus};
