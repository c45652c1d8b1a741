//! Documents as people write them, and as nobody should.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bombs;
mod children;
mod fonts;
mod formats;
mod mutants;

use std::path::PathBuf;

/// A file beside these tests; `files/make.py` makes them.
fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)
}

/// The program that reads in the child's place.
const CHILD: &str = env!("CARGO_BIN_EXE_portico-extract");
