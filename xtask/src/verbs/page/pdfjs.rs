//! pdf.js, which shows PDFs, from npm's `pdfjs-dist` (Apache-2.0): its build for older browsers, and the
//! fonts, character maps and decoders that it asks for. What would run a PDF's scripts stays out.

use std::fs;
use std::path::Path;

use anyhow::Context;
use xtask::places::Places;

use super::fingerprint::files_under;
use crate::{command, npm};

const PDFJS: &str = "pdfjs-dist@6.5.438";
/// Beside the page's scripts.
pub const FOLDER: &str = "pdfjs";

/// Where it is in the package, and where in the page: files and folders.
const PARTS: [(&str, &str); 12] = [
    ("LICENSE", "LICENSE.txt"),
    ("legacy/build/pdf.min.mjs", "pdf.min.mjs"),
    ("legacy/build/pdf.worker.min.mjs", "pdf.worker.min.mjs"),
    ("cmaps", "cmaps"),
    ("iccs", "iccs"),
    ("standard_fonts", "standard_fonts"),
    ("wasm/jbig2.wasm", "wasm/jbig2.wasm"),
    ("wasm/openjpeg.wasm", "wasm/openjpeg.wasm"),
    ("wasm/qcms_bg.wasm", "wasm/qcms_bg.wasm"),
    ("wasm/LICENSE_JBIG2", "wasm/LICENSE_JBIG2.txt"),
    ("wasm/LICENSE_OPENJPEG", "wasm/LICENSE_OPENJPEG.txt"),
    ("wasm/LICENSE_QCMS", "wasm/LICENSE_QCMS.txt"),
];

/// Copies it into `folder`. Without npm the page does without: it shows a PDF's text.
pub fn copy(places: &Places, folder: &Path) -> anyhow::Result<()> {
    if !command::exists("npm") {
        eprintln!("  npm is missing: the page shows the text of PDFs, not their pages");
        return Ok(());
    }
    let package = match npm::install(places, "pdfjs", &[PDFJS]) {
        Ok(modules) => modules.join("pdfjs-dist"),
        Err(error) => {
            eprintln!("  {PDFJS} cannot be installed; the page shows the text of PDFs: {error:#}");
            return Ok(());
        }
    };
    for (from, to) in PARTS {
        let (from, to) = (package.join(from), folder.join(to));
        let files = if from.is_dir() { files_under(&from)? } else { vec![from.clone()] };
        for file in files {
            // Of a file itself nothing is left to be joined.
            let target = match file.strip_prefix(&from)? {
                rest if rest.as_os_str().is_empty() => to.clone(),
                rest => to.join(rest),
            };
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::copy(&file, &target).with_context(|| format!("copying {}", file.display()))?;
        }
    }
    Ok(())
}
