//! Does the page already stand as it would be built? A digest of everything that goes into it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::{Digest, Sha256};
use xtask::places::Places;

use super::Kind;

const FILE: &str = ".fingerprint";

/// SHA-256 (hex) over the bundler, `index.html`, the compiled bins, `web/assets` and `web/js`.
pub fn of(places: &Places, kind: Kind, wasm: &[(String, PathBuf)]) -> anyhow::Result<String> {
    let mut digest = Sha256::new();
    digest.update(format!("{kind:?}"));
    digest.update(fs::read(std::env::current_exe()?)?);
    let mut inputs = vec![places.root.join("index.html")];
    inputs.extend(wasm.iter().map(|(_, path)| path.clone()));
    inputs.extend(files_under(&places.root.join("web/assets"))?);
    inputs.extend(files_under(&places.root.join("web/js"))?);
    for input in inputs {
        let bytes = fs::read(&input).with_context(|| format!("reading {}", input.display()))?;
        digest.update(input.to_string_lossy().as_bytes());
        digest.update((bytes.len() as u64).to_le_bytes());
        digest.update(bytes);
    }
    Ok(hex(&digest.finalize()))
}

pub fn stands(page: &Path, wanted: &str) -> bool {
    fs::read_to_string(page.join(FILE)).is_ok_and(|recorded| recorded == wanted)
}

pub fn record(page: &Path, fingerprint: &str) -> anyhow::Result<()> {
    Ok(fs::write(page.join(FILE), fingerprint)?)
}

/// Every file below `folder`, sorted; none where there is no such folder.
pub fn files_under(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries.with_context(|| format!("listing {}", folder.display()))?,
        };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}

/// Lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
