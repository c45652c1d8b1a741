//! What no compiler checks: that the tree holds nothing that belongs elsewhere or is unfinished.

mod features;
mod handbook;

use std::fs;
use std::path::Path;
use std::process::Command;

use xtask::places::Places;

use crate::command;

const MAX_FILE_BYTES: u64 = 1 << 20;

/// Fails with one line for each finding in the files that git tracks.
pub fn run(places: &Places) -> anyhow::Result<String> {
    let listing =
        command::output(Command::new("git").current_dir(&places.root).args(["ls-files", "-z"]))?;
    let listing = String::from_utf8_lossy(&listing.stdout).into_owned();
    let mut findings = handbook::findings(&places.root);
    findings.extend(features::findings(places)?);
    let mut n_files = 0;
    for name in listing.split('\0').filter(|name| !name.is_empty()) {
        let path = places.root.join(name);
        // A file that is deleted but not yet committed.
        let Ok(metadata) = fs::metadata(&path) else { continue };
        n_files += 1;
        if metadata.len() > MAX_FILE_BYTES {
            findings.push(format!(
                "{name}: {} bytes; build output and weights stay out of git",
                metadata.len()
            ));
        }
        let is_lock = name.ends_with(".lock") || name.ends_with("package-lock.json");
        if !is_lock && let Ok(text) = fs::read_to_string(&path) {
            findings.extend(unfinished(Path::new(name), &text));
        }
    }
    anyhow::ensure!(findings.is_empty(), "{}", findings.join("\n"));
    Ok(format!("{n_files} files"))
}

/// Lines that name one machine's folders, or work that is left undone.
fn unfinished(name: &Path, text: &str) -> Vec<String> {
    // Written apart, so that this file does not find itself.
    let source = [("TO", "DO"), ("FIX", "ME"), ("#[ig", "nore"), (".sk", "ip("), (".on", "ly(")];
    let everywhere = [("/ro", "ot/"), ("/wo", "rk/"), ("/ho", "me/")];
    let is_source = name
        .extension()
        .is_some_and(|kind| ["rs", "wgsl", "js", "mjs"].iter().any(|known| kind == *known));
    let banned: Vec<String> = everywhere
        .iter()
        .chain(if is_source { source.as_slice() } else { &[] })
        .map(|(a, b)| format!("{a}{b}"))
        .collect();
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for word in banned.iter().filter(|word| holds(line, word, is_source)) {
            findings.push(format!("{}:{}: holds `{word}`", name.display(), number + 1));
        }
    }
    findings
}

/// An iterator's own `skip` is a Rust method like any other; only tests in JavaScript are skipped so.
fn holds(line: &str, word: &str, is_source: bool) -> bool {
    let is_js_only = word.starts_with('.');
    if is_js_only && is_source {
        return ["test", "it", "describe"].iter().any(|f| line.contains(&format!("{f}{word}")));
    }
    line.contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_unfinished_work_and_machine_paths() {
        let todo = format!("// {}{}: later", "TO", "DO");
        assert_eq!(unfinished(Path::new("a.rs"), &todo).len(), 1);
        assert_eq!(unfinished(Path::new("notes.md"), &todo).len(), 0);
        let path = format!("see {}{}me/x", "/ro", "ot/");
        assert_eq!(unfinished(Path::new("notes.md"), &path).len(), 1);
        let left_out = format!("test.{}(\"x\")", "skip");
        assert_eq!(unfinished(Path::new("a.spec.mjs"), &left_out).len(), 1);
        assert_eq!(unfinished(Path::new("a.rs"), "bytes.iter().skip(1)").len(), 0);
    }
}
