//! What is a model, as its file's metadata tells it?

mod arch;
mod config;
mod rope;
mod tensors;

pub(crate) use arch::{Activation, Arch};
pub(crate) use config::Config;
pub(crate) use rope::{RopeStyle, rope_table};
pub(crate) use tensors::{LayerTensors, ModelTensors, VectorDesc, model_tensors};
