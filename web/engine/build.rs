//! Do all kernels compile? Preprocesses and validates every variant of `kernels/variants.toml` with
//! naga, and writes the table and the kernels' texts that `src/kernels.rs` includes. An invalid
//! kernel, or one beyond WebGPU's default limits, fails the build.

// A build script reports by failing.
#![allow(clippy::unwrap_used, reason = "a build script's errors are its panics")]

#[path = "build/preprocess.rs"]
mod preprocess;
#[path = "build/reflect.rs"]
mod reflect;
#[path = "build/table.rs"]
mod table;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=kernels");
    println!("cargo::rerun-if-changed=build");
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("kernels");
    let mut files = BTreeMap::new();
    collect(&root, &root, &mut files);
    let read = |path: &str| files.get(path).map(String::as_str);

    let mut failures = Vec::new();
    let mut rows = String::new();
    for variant in table::read(&root.join("variants.toml")) {
        let file = format!("{}.wgsl", variant.kernel);
        let outcome = preprocess::preprocess(&file, &read, &variant.symbols)
            .map_err(|error| error.to_string())
            .and_then(|source| reflect::reflect(&source));
        match outcome {
            Ok(info) => rows.push_str(&row(&variant, &info)),
            Err(reason) => {
                failures.push(format!("{} [{}]:\n{reason}", variant.kernel, variant.title));
            }
        }
    }
    assert!(failures.is_empty(), "invalid kernels:\n{}", failures.join("\n"));

    let mut out = String::from("/// Every file of `kernels/`, without comments and indentation.\n");
    out.push_str("static FILES: &[(&str, &str)] = &[\n");
    for (path, text) in &files {
        writeln!(out, "    ({path:?}, {text:?}),").unwrap();
    }
    out.push_str("];\n\n/// The variants that the build validated.\n");
    writeln!(out, "pub static VARIANTS: &[Variant] = &[\n{rows}];").unwrap();
    let target = PathBuf::from(std::env::var_os("OUT_DIR").unwrap()).join("kernels.rs");
    std::fs::write(target, out).unwrap();
}

/// Reads all `.wgsl` files below `folder`, by their path from `root`.
fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "wgsl") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            files.insert(name, compact(&std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Drops comments and indentation, but no line: errors keep their line numbers.
fn compact(text: &str) -> String {
    text.lines()
        .map(|line| line.split("//").next().unwrap_or("").trim().to_owned() + "\n")
        .collect()
}

fn row(variant: &table::Variant, info: &reflect::Info) -> String {
    let defines: Vec<String> =
        variant.symbols.iter().map(|(name, value)| format!("({name:?}, {value})")).collect();
    let bindings: Vec<&str> = info
        .bindings
        .iter()
        .map(|writes| if *writes { "Access::ReadWrite" } else { "Access::Read" })
        .collect();
    format!(
        "    Variant {{ kernel: {:?}, title: {:?}, defines: &[{}], bindings: &[{}], \
         workgroup_size: {:?}, workgroup_bytes: {}, subgroups: {}, f16: {} }},\n",
        variant.kernel,
        variant.title,
        defines.join(", "),
        bindings.join(", "),
        info.workgroup_size,
        info.workgroup_bytes,
        info.subgroups,
        info.f16,
    )
}
