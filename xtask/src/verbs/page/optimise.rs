//! wasm-opt, from npm's `binaryen`: Debian's and crates.io's are too old for today's rustc.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use xtask::places::Places;

use crate::{command, npm};

const BINARYEN: &str = "binaryen@132.0.0";

/// What rustc's wasm32 target uses.
const FEATURES: [&str; 8] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-simd",
];

/// The script that node runs; None, with a note, where npm is missing: the page works without it
/// and is about a tenth larger.
pub fn wasm_opt(places: &Places) -> Option<PathBuf> {
    if !command::exists("npm") {
        eprintln!("  npm is missing: the page stays unoptimised, and about a tenth larger");
        return None;
    }
    match npm::install(places, "binaryen", &[BINARYEN]) {
        Ok(modules) => Some(modules.join("binaryen/bin/wasm-opt")),
        Err(error) => {
            eprintln!("  {BINARYEN} cannot be installed; the page stays unoptimised: {error:#}");
            None
        }
    }
}

/// Rewrites the file in place, for size.
pub fn shrink(script: &Path, wasm: &Path) -> anyhow::Result<()> {
    let mut node = Command::new("node");
    node.arg(script).arg("-Oz").args(FEATURES).arg(wasm).arg("-o").arg(wasm);
    command::output(&mut node).with_context(|| format!("wasm-opt on {}", wasm.display()))?;
    Ok(())
}
