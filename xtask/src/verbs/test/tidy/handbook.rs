//! Does the handbook say the same in both languages, and do its links lead anywhere?

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const LANGUAGES: [&str; 2] = ["en", "de"];

/// Below the repository's root.
const FOLDER: &str = "docs/handbook";

/// A page's outline: levels of its headings, number of its blocks of code, rows of its tables.
type Outline = (Vec<usize>, usize, usize);

/// One line for each page that is missing, differs in its outline, or has a dead link.
pub fn findings(root: &Path) -> Vec<String> {
    let mut findings = Vec::new();
    let mut pages: BTreeMap<String, Vec<Option<Outline>>> = BTreeMap::new();
    for (n, language) in LANGUAGES.iter().enumerate() {
        let folder = root.join(FOLDER).join(language);
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Ok(text) = fs::read_to_string(entry.path()) else { continue };
            findings.extend(
                links(&text)
                    .filter(|link| !folder.join(link).exists())
                    .map(|link| format!("{FOLDER}/{language}/{name}: nothing is at `{link}`")),
            );
            let outlines = pages.entry(name).or_insert_with(|| vec![None; LANGUAGES.len()]);
            outlines[n] = Some(outline(&text));
        }
    }
    for (name, outlines) in pages {
        match outlines.as_slice() {
            [Some(one), Some(other)] if one == other => {}
            [Some(one), Some(other)] => {
                findings.push(format!("{FOLDER}: {name} is built otherwise: {one:?}, {other:?}"));
            }
            _ => findings.push(format!("{FOLDER}: {name} is in one language only")),
        }
    }
    findings
}

fn outline(text: &str) -> Outline {
    let (mut headings, mut n_fences, mut n_rows, mut is_code) = (Vec::new(), 0, 0, false);
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
            n_fences += 1;
        } else if !is_code && line.starts_with('#') {
            headings.push(line.bytes().take_while(|&byte| byte == b'#').count());
        } else if !is_code && line.starts_with('|') {
            n_rows += 1;
        }
    }
    (headings, n_fences, n_rows)
}

/// Targets of `[text](target)` that are files here, without what stands behind `#`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let files = targets.map(|(target, _)| target.split('#').next().unwrap_or_default());
    files.filter(|file| !file.is_empty() && !file.contains("://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_differ_and_dead_links_are_found() {
        let root = std::env::temp_dir().join(format!("handbook-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let path = root.join(FOLDER).join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "en/a.md",
            "# A\n\n[b](b.md#c), [out](https://example.org)\n\n| x |\n\n```\n# no\n```\n",
        );
        write("de/a.md", "# A\n\n[b](b.md)\n\n| x |\n\n```\n```\n");
        write("en/b.md", "# B\n");
        write("de/b.md", "# B\n\n## More\n");
        assert_eq!(findings(&root).len(), 1, "{:?}", findings(&root));
        write("en/c.md", "[x](absent.md)");
        assert_eq!(findings(&root).len(), 3, "{:?}", findings(&root));
        fs::remove_dir_all(root).unwrap();
    }
}
