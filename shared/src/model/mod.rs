//! What is a model, as its file's metadata tells it? The same answer for the browser's engine and
//! the server's.

mod arch;
mod config;
mod error;
mod rope;

pub use arch::{Activation, Arch};
pub use config::{Config, Rope};
pub use error::ModelError;
pub use rope::{RopeScaling, RopeStyle, rope_table};
