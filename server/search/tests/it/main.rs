//! Does the index hold what it promises, on each store of vectors?
#![allow(clippy::unwrap_used, reason = "a test's helpers fail the test by panicking")]

mod contract;
mod double;
mod index;
mod quality;
