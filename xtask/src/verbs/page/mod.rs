//! From `index.html` and the web crate to the folder that the server serves.
//!
//! `index.html` stays the page's source, in Trunk's notation (`<link data-trunk …>`). Instead of
//! Trunk and the wasm-bindgen command line, whose installation from source costs a fresh machine
//! twenty CPU minutes, the same library that they use runs in here, at the version that the lock
//! file pins for the web crate itself.
//!
//! ```text
//! page/index.html            tags replaced, no inline script
//! page/assets.json           what the service worker keeps: {"build", "files"}, and what it keeps
//!                            once it was needed: "later"
//! page/sw.js, …              what must lie at the root: the files in web/assets/root
//! page/assets/<build>/…      glue, wasm, scripts, styles: immutable, named by their content
//! page/assets/<build>/pdfjs  what shows PDFs, from npm
//! page/**.br                 Brotli siblings
//! ```

mod assemble;
mod bindgen;
mod compress;
mod fingerprint;
mod index_html;
mod optimise;
mod pdfjs;
mod scripts;

pub use compress::sibling as compressed_sibling;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use xtask::places::Places;
use xtask::step::step;

use crate::command;
use crate::options::Options;

/// Of the page's own crate.
const MANIFEST: &str = "web/Cargo.toml";

/// How much work goes into the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Optimised for size, run through wasm-opt, compressed hard.
    Release,
    /// Quick to build, for work on the page.
    Dev,
}

impl Kind {
    pub fn of(options: &Options) -> Kind {
        if options.has("dev") { Kind::Dev } else { Kind::Release }
    }

    fn profile(self) -> &'static str {
        match self {
            Kind::Release => "web",
            Kind::Dev => "dev",
        }
    }

    fn profile_folder(self) -> &'static str {
        match self {
            Kind::Release => "web",
            Kind::Dev => "debug",
        }
    }
}

/// Builds the page, or finds that it stands as it would be built. Gives its folder.
pub fn build(places: &Places, kind: Kind) -> anyhow::Result<PathBuf> {
    let source = fs::read_to_string(places.root.join("index.html")).context("index.html")?;
    let tags = index_html::tags(&source)?;
    let bins = index_html::bins(&tags);
    let later = index_html::later(&tags);
    step("compiling the page to WebAssembly", || {
        let mut crates: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let page = bins.iter().map(|bin| (bin, MANIFEST));
        for (bin, manifest) in
            page.chain(later.iter().map(|(bin, manifest)| (bin, manifest.as_str())))
        {
            crates.entry(manifest).or_default().push(bin);
        }
        // A crate's bins at once, which the machine's cores share. Crates apart: built together, each would
        // get the features of what it is not to contain.
        for (manifest, bins) in crates {
            let mut cargo = command::cargo(places);
            cargo.args(["build", "--quiet", "--manifest-path", manifest]);
            cargo.args(["--profile", kind.profile(), "--target", xtask::toolchain::WASM]);
            for bin in bins {
                cargo.args(["--bin", bin]);
            }
            command::run(&mut cargo)?;
        }
        anyhow::Ok(((), String::new()))
    })?;
    let compiled = places.target.join(xtask::toolchain::WASM).join(kind.profile_folder());
    let wasm: Vec<(String, PathBuf)> = bins
        .iter()
        .chain(later.iter().map(|(bin, _)| bin))
        .map(|bin| (bin.clone(), compiled.join(format!("{bin}.wasm"))))
        .collect();
    let page = places.page();
    step("bundling the page", || {
        let wanted = fingerprint::of(places, kind, &wasm)?;
        if fingerprint::stands(&page, &wanted) {
            return Ok((page.clone(), "unchanged".to_owned()));
        }
        // Laid aside and moved into place whole, so that a server never serves half a page.
        let fresh = places.target.join("page-fresh");
        remove(&fresh)?;
        let optimiser = match kind {
            Kind::Release => optimise::wasm_opt(places),
            Kind::Dev => None,
        };
        let summary = assemble::assemble(places, kind, &source, &tags, &wasm, optimiser, &fresh)?;
        fingerprint::record(&fresh, &wanted)?;
        remove(&page)?;
        fs::rename(&fresh, &page)?;
        anyhow::Ok((page.clone(), summary))
    })
}

fn remove(folder: &std::path::Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", folder.display()))
        }
        _ => Ok(()),
    }
}
