//! What is a model, as its file's metadata tells it?

mod tensors;

pub(crate) use portico_shared::model::{Activation, Arch, Config, RopeStyle, rope_table};
pub(crate) use tensors::{LayerTensors, ModelTensors, VectorDesc, model_tensors};
