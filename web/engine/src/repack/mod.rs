//! How do a file's weights become the kernels' planes, in slices of any size?
//!
//! Bytes of a matrix arrive in file order; a [`Repacker`] keeps what is less than a tile of 32 rows,
//! repacks whole tiles and hands on bounded writes. `quant` knows the file's blocks.

mod quant;
mod stream;
mod tile;

pub use quant::QuantType;
pub use stream::{Repacker, Write};
