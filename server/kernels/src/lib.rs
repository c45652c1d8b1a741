//! How does a CPU compute a language model quickly?
//!
//! Weights are repacked once, when a model is loaded, into tiles of 16 rows whose blocks of 32
//! values lie beside each other ([`Matrix`]); activations are rounded to 8 bits in blocks of 32
//! ([`Activations`]); a product then is a chain of integer dot products, the same chain for one
//! token as for many. So each row of a batch gets the very bits that it would get alone.
//!
//! Each kernel has a plain Rust twin; which one runs is asked once ([`Isa::detect`]).

mod activations;
mod attention;
mod blocks;
mod buffer;
mod half_floats;
mod isa;
mod kv;
mod matmul;
mod matrix;
mod pool;
mod shared;
mod vector;

pub use activations::Activations;
pub use attention::{AttentionTask, attend};
pub use blocks::{WeightType, dequantise_row, q8_0_row};
pub use isa::Isa;
pub use kv::{KvShape, PAGE_TOKENS, Page};
pub use matrix::{Matrix, MatrixError, TILE_ROWS};
pub use pool::Pool;
pub use shared::SharedMut;
pub use vector::{
    Activation, activate_biased, activate_mul, add, argmax, layer_norm, rms_norm, rotate, scale,
};
