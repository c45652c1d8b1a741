//! What is a model, as its file's metadata tells it? The same answer for the browser's engine and
//! the server's.

mod arch;
mod config;
mod encoder;
mod error;
mod rope;

pub use arch::{Activation, Arch};
pub use config::{Config, Rope};
pub use encoder::{ENCODER_ARCHITECTURE, EncoderConfig, Pooling};
pub use error::ModelError;
pub use rope::{RopeScaling, RopeStyle, rope_table};
