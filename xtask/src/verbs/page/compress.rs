//! Brotli siblings: what a browser downloads. Made once here, so that no request pays for it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Kinds of files that get smaller; images and fonts are compressed as they are.
const TEXTUAL: [&str; 9] =
    ["html", "js", "mjs", "css", "wasm", "json", "svg", "webmanifest", "txt"];
/// The largest window that browsers accept (16 MiB), as its logarithm.
const WINDOW_LOG2: u32 = 24;

/// Writes `X.br` beside each file of a textual kind, `threads` at a time.
pub fn compress_all(files: &[PathBuf], quality: u32, threads: usize) -> anyhow::Result<()> {
    let mut largest_first: Vec<(u64, &PathBuf)> = Vec::new();
    for file in files {
        let extension = file.extension().and_then(|name| name.to_str()).unwrap_or_default();
        if TEXTUAL.contains(&extension) {
            largest_first.push((fs::metadata(file)?.len(), file));
        }
    }
    largest_first.sort_by_key(|&(bytes, _)| std::cmp::Reverse(bytes));
    let queue = std::sync::Mutex::new(largest_first.into_iter());
    let next = || queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).next();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1))
            .map(|_| {
                scope.spawn(|| {
                    while let Some((_, file)) = next() {
                        compress(file, quality)?;
                    }
                    anyhow::Ok(())
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(result) => result,
            Err(_) => anyhow::bail!("a compressing thread panicked"),
        })
    })
}

/// Where the compressed form of `file` lies.
pub fn sibling(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".br");
    name.into()
}

fn compress(file: &Path, quality: u32) -> anyhow::Result<()> {
    let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 1 << 16, quality, WINDOW_LOG2);
    encoder.write_all(&bytes)?;
    let compressed = encoder.into_inner();
    let sibling = sibling(file);
    fs::write(&sibling, compressed).with_context(|| format!("writing {}", sibling.display()))
}
