//! What every native build asks cargo for: the whole workspace, whichever part of it is built.
//!
//! Cargo unites the features of the packages that a command selects. With one selection a crate has one
//! set of features and is compiled once; with `--package` for each command the server and what lies
//! below it, minutes of work, would be compiled for each.

/// Behind `cargo build`, `cargo nextest run`, …; the page is for WebAssembly alone.
pub const SELECTION: [&str; 5] =
    ["--workspace", "--exclude", "portico-web", "--features", "xtask/verbs"];
