//! Puts the page's folder together.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};
use xtask::places::Places;

use super::fingerprint::{files_under, hex};
use super::index_html::{self, Tag, What};
use super::{Kind, bindgen, compress, optimise, pdfjs, scripts};

/// The script that the page starts with, unless `web/js/start.js` takes its place.
const START: &str = "import init from \"./APP.js\";\n\
    await init({ module_or_path: new URL(\"./APP_bg.wasm\", import.meta.url) });\n";

/// Writes the whole page into `folder`; gives a line that says how large it is.
pub fn assemble(
    places: &Places,
    kind: Kind,
    source: &str,
    tags: &[Tag],
    wasm: &[(String, PathBuf)],
    wasm_opt: Option<PathBuf>,
    folder: &Path,
) -> anyhow::Result<String> {
    // Named when all its bytes are there.
    let unnamed = folder.join("assets/unnamed");
    fs::create_dir_all(&unnamed)?;
    for (bin, wasm) in wasm {
        bindgen::generate(bin, wasm, &unnamed, kind == Kind::Dev)?;
    }
    let app = tags.iter().find_map(|tag| match &tag.what {
        What::App { bin } => Some(bin.as_str()),
        _ => None,
    });
    let app = app.context("index.html has no <link data-trunk rel=\"rust\" data-bin=…>")?;
    fs::write(unnamed.join("start.js"), START.replace("APP", app))?;
    let web = places.root.join("web");
    let at_root = web.join("assets/root");
    for (from, to, left_out) in [
        (web.join("assets"), unnamed.as_path(), Some(&at_root)),
        (web.join("js"), &unnamed, None),
        (at_root.clone(), folder, None),
    ] {
        copy_under(&from, to, left_out.map(PathBuf::as_path))?;
    }
    if kind == Kind::Release {
        scripts::strip_all(&unnamed)?;
        scripts::strip_all(folder)?;
    }
    pdfjs::copy(places, &unnamed.join(pdfjs::FOLDER))?;
    if let Some(script) = &wasm_opt {
        shrink_all(script, &unnamed, wasm)?;
    }

    let build = digest_of_folder(&unnamed)?;
    let named = folder.join("assets").join(&build);
    fs::rename(&unnamed, &named)?;
    let base = format!("/assets/{build}");
    for tag in tags {
        if let What::Css { href } | What::Icon { href, .. } | What::Script { src: href } = &tag.what
            && !named.join(asset_name(href)).is_file()
        {
            bail!("index.html names {href}, which is neither under web/assets nor web/js");
        }
    }
    let html = index_html::replace(source, tags, |what| written(what, &base));
    fs::write(folder.join("index.html"), html)?;
    write_asset_list(folder, &build, &index_html::later(tags))?;

    let quality = if kind == Kind::Release { 11 } else { 4 };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    compress::compress_all(&files_under(folder)?, quality, threads)?;
    summary(&named, wasm)
}

/// What stands in `index.html` for a tag.
fn written(what: &What, base: &str) -> String {
    match what {
        What::App { bin } => format!(
            "<link rel=\"modulepreload\" href=\"{base}/{bin}.js\">\n\
             <link rel=\"preload\" href=\"{base}/{bin}_bg.wasm\" as=\"fetch\" \
             type=\"application/wasm\" crossorigin>\n\
             <script type=\"module\" src=\"{base}/start.js\"></script>"
        ),
        What::Worker { bin } => {
            format!("<meta name=\"portico-worker\" content=\"{base}/{bin}_entry.js\">")
        }
        // Who needs it knows its name.
        What::Later { .. } => String::new(),
        What::Css { href } => {
            format!("<link rel=\"stylesheet\" href=\"{base}/{}\">", asset_name(href))
        }
        What::Icon { href, rest } => {
            format!("<link rel=\"icon\"{rest} href=\"{base}/{}\">", asset_name(href))
        }
        What::Script { src } => {
            format!("<script type=\"module\" src=\"{base}/{}\"></script>", asset_name(src))
        }
    }
}

/// The name of a file of `web/assets` or `web/js` in the bundle.
fn asset_name(href: &str) -> &str {
    let href = href.trim_start_matches("./").trim_start_matches('/');
    ["web/assets/", "web/js/"].iter().find_map(|folder| href.strip_prefix(folder)).unwrap_or(href)
}

fn copy_under(from: &Path, to: &Path, left_out: Option<&Path>) -> anyhow::Result<()> {
    for file in files_under(from)? {
        if left_out.is_some_and(|folder| file.starts_with(folder)) {
            continue;
        }
        let target = to.join(file.strip_prefix(from)?);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&file, &target).with_context(|| format!("copying {}", file.display()))?;
    }
    Ok(())
}

fn shrink_all(script: &Path, folder: &Path, wasm: &[(String, PathBuf)]) -> anyhow::Result<()> {
    std::thread::scope(|scope| {
        let workers: Vec<_> = wasm
            .iter()
            .map(|(bin, _)| folder.join(format!("{bin}_bg.wasm")))
            .map(|path| scope.spawn(move || optimise::shrink(script, &path)))
            .collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(result) => result,
            Err(_) => bail!("a thread that waits for wasm-opt panicked"),
        })
    })
}

/// 16 hex digits of a SHA-256 over names and bytes.
fn digest_of_folder(folder: &Path) -> anyhow::Result<String> {
    let mut digest = Sha256::new();
    for file in files_under(folder)? {
        digest.update(file.strip_prefix(folder)?.to_string_lossy().as_bytes());
        let bytes = fs::read(&file)?;
        digest.update((bytes.len() as u64).to_le_bytes());
        digest.update(bytes);
    }
    Ok(hex(&digest.finalize()[..8]))
}

/// `assets.json`: the URLs that the service worker keeps for work without the server, and those that
/// it keeps once they were needed.
fn write_asset_list(
    folder: &Path,
    build: &str,
    needed_later: &[(String, String)],
) -> anyhow::Result<()> {
    let (mut files, mut later) = (vec!["/".to_owned()], Vec::new());
    // A bin's own files bear its name: `grammar.js`, `library_pdf.js`, `library.css`.
    let is_of_bin = |file: &str| {
        let bins = needed_later.iter();
        let mut rests = bins.filter_map(|(bin, _)| file.strip_prefix(bin.as_str()));
        rests.any(|rest| rest.starts_with(['.', '_']))
    };
    let is_later = |name: &str| {
        let mut parts = name.rsplit('/');
        is_of_bin(parts.next().unwrap_or_default()) || parts.any(|folder| folder == pdfjs::FOLDER)
    };
    for file in files_under(folder)? {
        let name = file.strip_prefix(folder)?.to_string_lossy().replace('\\', "/");
        if is_later(&name) {
            later.push(format!("/{name}"));
        } else if !["index.html", "sw.js", "assets.json"].contains(&name.as_str()) {
            files.push(format!("/{name}"));
        }
    }
    let list = serde_json::json!({ "build": build, "files": files, "later": later });
    fs::write(folder.join("assets.json"), format!("{list:#}\n"))?;
    Ok(())
}

fn summary(named: &Path, wasm: &[(String, PathBuf)]) -> anyhow::Result<String> {
    let mut parts = Vec::new();
    for (bin, _) in wasm {
        let file = named.join(format!("{bin}_bg.wasm"));
        let whole = fs::metadata(&file)?.len();
        let compressed = fs::metadata(compress::sibling(&file))?.len();
        parts.push(format!("{bin} {} kB, {} kB compressed", whole / 1000, compressed / 1000));
    }
    Ok(parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_become_hashed_links_without_inline_script() {
        let app = written(&What::App { bin: "app".into() }, "/assets/b");
        assert!(app.contains("<script type=\"module\" src=\"/assets/b/start.js\"></script>"));
        let worker = written(&What::Worker { bin: "worker".into() }, "/assets/b");
        assert!(worker.contains("content=\"/assets/b/worker_entry.js\""));
        let css = written(&What::Css { href: "web/assets/app.css".into() }, "/assets/b");
        assert_eq!(css, "<link rel=\"stylesheet\" href=\"/assets/b/app.css\">");
    }
}
