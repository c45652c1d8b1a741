//! Has every crate the same features in the tests' build and in the server's?
//!
//! Tests bring dependencies of their own. Where such a one asks more of a crate that the server has, too,
//! cargo compiles that crate and all above it twice: `tests/Cargo.toml` then asks for it in both.

use std::collections::BTreeSet;

use xtask::places::Places;
use xtask::selection::SELECTION;

use crate::command;

/// A line for each crate that the server has with other features than the tests.
pub fn findings(places: &Places) -> anyhow::Result<Vec<String>> {
    let server = crates(places, "normal,build")?;
    let tests = crates(places, "normal,build,dev")?;
    let differ = server.difference(&tests);
    Ok(differ
        .map(|found| format!("{found}: other features in tests; see tests/Cargo.toml"))
        .collect())
}

/// `name version features`, of all that is compiled for these kinds of dependencies.
fn crates(places: &Places, kinds: &str) -> anyhow::Result<BTreeSet<String>> {
    let mut cargo = command::cargo(places);
    cargo.arg("tree").args(SELECTION);
    cargo.args(["--edges", kinds, "--prefix", "none", "--format", "{p} {f}"]);
    let listing = command::output(&mut cargo)?;
    let listing = String::from_utf8_lossy(&listing.stdout).into_owned();
    // What was printed before is marked.
    Ok(listing.lines().map(|line| line.trim_end_matches(" (*)").trim_end().to_owned()).collect())
}
