//! Scripts without what is written in them for people: a first visit fetches them, and none reads them there.

use std::fs;
use std::path::Path;

use anyhow::Context;

use super::fingerprint::files_under;

/// Takes the comments out of the scripts that lie in `folder` itself.
pub fn strip_all(folder: &Path) -> anyhow::Result<()> {
    for file in files_under(folder)? {
        let is_script = file.extension().is_some_and(|kind| kind == "js");
        if !is_script || file.parent() != Some(folder) {
            continue;
        }
        let script = fs::read_to_string(&file);
        let script = script.with_context(|| format!("reading {}", file.display()))?;
        fs::write(&file, without_comments(&script))?;
    }
    Ok(())
}

/// Without comments that have lines of their own. A script with a text over several lines stays as it is, for
/// what looks like a comment may stand in it.
fn without_comments(script: &str) -> String {
    if script.lines().any(|line| line.matches('`').count() % 2 == 1) {
        return script.to_owned();
    }
    let mut is_within = false;
    let mut kept = String::with_capacity(script.len());
    for line in script.lines() {
        let text = line.trim();
        let begins = text.starts_with("/*") && (text.ends_with("*/") || !text.contains("*/"));
        if is_within || begins {
            is_within = !text.ends_with("*/");
        } else if !text.is_empty() && !text.starts_with("//") {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_code_stays() {
        let script = "// Why.\nconst a = \"// no comment\"; // why\n\n/** @param {number} b\n * more */\n\
            /* short */\n/* before */ let b = 1;\n  // in\n  b /* c */ += 2;\n";
        let stripped =
            "const a = \"// no comment\"; // why\n/* before */ let b = 1;\n  b /* c */ += 2;\n";
        assert_eq!(without_comments(script), stripped);
        let text = "const t = `\n// a line\n`;\n// why\n";
        assert_eq!(without_comments(text), text);
    }
}
