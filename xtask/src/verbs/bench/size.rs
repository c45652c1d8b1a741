//! What does a browser download before it can chat, without the model?

use std::fs;

use anyhow::Context;
use xtask::places::Places;

use super::json;
use crate::page;

/// The bar for page and engine together, Brotli-compressed.
const MAX_BYTES: u64 = 1_500_000;

pub fn run(places: &Places) -> anyhow::Result<()> {
    let folder = page::build(places, page::Kind::Release)?;
    let list = fs::read_to_string(folder.join("assets.json")).context("assets.json")?;
    let list: serde_json::Value = serde_json::from_str(&list)?;
    let mut files = vec!["index.html".to_owned()];
    let listed = list["files"].as_array().context("assets.json has no `files`")?;
    files.extend(
        listed
            .iter()
            .filter_map(|file| file.as_str()?.strip_prefix('/'))
            .filter(|file| !file.is_empty())
            .map(str::to_owned),
    );
    let (mut total_bytes, mut transferred_bytes) = (0, 0);
    let mut rows = Vec::new();
    // Fetched when documents are first opened, or a request first asks for an answer's form.
    let later: Vec<String> = list["later"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|file| Some(file.as_str()?.strip_prefix('/')?.to_owned()))
        .collect();
    for file in files.into_iter().chain(later.iter().cloned()) {
        let path = folder.join(&file);
        let whole = fs::metadata(&path).with_context(|| file.clone())?.len();
        let compressed = fs::metadata(page::compressed_sibling(&path)).map_or(whole, |br| br.len());
        let is_later = later.contains(&file);
        if !is_later {
            total_bytes += whole;
            transferred_bytes += compressed;
        }
        let when = if is_later { "  (not counted: fetched when first needed)" } else { "" };
        println!("{whole:>10} {compressed:>10}  {file}{when}");
        rows.push(serde_json::json!({
            "file": file, "bytes": whole, "brotli_bytes": compressed, "later": is_later,
        }));
    }
    println!("{total_bytes:>10} {transferred_bytes:>10}  together (bar: {MAX_BYTES} compressed)");
    let report = serde_json::json!({
        "files": rows, "bytes": total_bytes, "brotli_bytes": transferred_bytes, "bar_bytes": MAX_BYTES,
    });
    fs::write(json(places, "size")?, format!("{report:#}\n"))?;
    anyhow::ensure!(
        transferred_bytes <= MAX_BYTES,
        "page and engine are {transferred_bytes} bytes compressed, more than {MAX_BYTES}"
    );
    Ok(())
}
