//! What is a model, as its file's metadata tells it?

mod encoder;
mod tensors;

pub(crate) use encoder::{EncoderTensors, encoder_tensors};
pub(crate) use portico_shared::model::{
    Activation, Arch, Config, EncoderConfig, RopeStyle, rope_table,
};
pub(crate) use tensors::{LayerTensors, ModelTensors, VectorDesc, model_tensors};
