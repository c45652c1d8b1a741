//! How is a file read that may be hostile? By a child process that has nothing but the open file.
//!
//! The child is this same program, started with [`EXTRACT_VERB`]: its standard input is the file, its
//! standard output the answer as JSON. Before it reads a byte it gives up memory and time beyond its
//! limits, and once the file is read, every way to open, call or start anything.

mod confine;
mod parent;
mod run;

pub use confine::limit;
pub use parent::Extractor;
pub use run::{guarded, run};

use serde::{Deserialize, Serialize};

use crate::{ExtractError, Extracted, Hint, Limits};

/// The first argument of the child; the second is an order in JSON.
pub const EXTRACT_VERB: &str = "extract";

/// What the child is to do, as JSON.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    hint: Hint,
    limits: Limits,
}

/// What it answers, as JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Extracted(Extracted),
    Failed(ExtractError),
}
