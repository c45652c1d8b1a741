//! Puts a built page into the binary.
//!
//! `PORTICO_PAGE_DIR` names the folder of the built page; without it the binary carries none and
//! serves one from `--page`. A file `x` with a sibling `x.br` is also served compressed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() {
    if let Err(error) = generate() {
        // A build script speaks to cargo by its output and fails by its exit code.
        println!("cargo::error=embedding the page: {error}");
    }
}

fn generate() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=PORTICO_PAGE_DIR");
    let mut files = BTreeMap::new();
    if let Some(dir) = env::var_os("PORTICO_PAGE_DIR").filter(|dir| !dir.is_empty()) {
        let dir = fs::canonicalize(dir)?;
        println!("cargo::rerun-if-changed={}", dir.display());
        collect(&dir, &dir, &mut files)?;
    }

    let mut table = String::from("static FILES: &[EmbeddedFile] = &[\n");
    for (path, file) in &files {
        if path.strip_suffix(".br").is_some_and(|plain| files.contains_key(plain)) {
            continue;
        }
        let brotli = match files.get(&format!("{path}.br")) {
            Some(brotli) => format!("Some(include_bytes!({brotli:?}))"),
            None => "None".to_owned(),
        };
        let entry = format!(
            "    EmbeddedFile {{ path: {path:?}, plain: include_bytes!({file:?}), brotli: {brotli} }},"
        );
        writeln!(table, "{entry}").map_err(io::Error::other)?;
    }
    table.push_str("];\n");
    let out_dir = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("no OUT_DIR"))?;
    fs::write(Path::new(&out_dir).join("embedded_page.rs"), table)
}

/// Fills `files`: path below `root` with `/` between its parts → absolute path.
fn collect(root: &Path, dir: &Path, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        println!("cargo::rerun-if-changed={}", path.display());
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if let Ok(below) = path.strip_prefix(root) {
            let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
            files.insert(parts.join("/"), path);
        }
    }
    Ok(())
}
