//! The browser tests: the real page and server, a real Chromium, node's own test runner.

use std::process::Command;

use anyhow::Context;
use xtask::places::Places;

use super::rust;
use crate::options::Options;
use crate::{browser, command, model, npm, packages, page, server};

/// Runs `tests/e2e/specs`; `--spec NAME` runs one of them, `--screenshots` renews
/// `docs/screenshots`.
pub fn run(places: &Places, options: &Options) -> anyhow::Result<String> {
    packages::ensure(&[packages::NODE, packages::CHROMIUM, packages::FONTS])?;
    let e2e = places.root.join("tests/e2e");
    npm::install_locked(places, "e2e", &e2e)?;
    let page = page::build(places, page::Kind::of(options))?;
    let program = server::build(places)?;
    let models = rust::models_folder(places, false)?;
    let data = models.parent().context("the models' data folder")?;
    model::pull(places, &program, data, model::EMBEDDER)?;

    let mut specs: Vec<_> = std::fs::read_dir(e2e.join("specs"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    specs.retain(|path| path.to_string_lossy().ends_with(".spec.mjs"));
    if let Some(name) = options.value("spec") {
        specs.retain(|path| path.to_string_lossy().contains(name));
    }
    specs.sort();
    anyhow::ensure!(!specs.is_empty(), "no such browser test in tests/e2e/specs");

    let mut node = Command::new(npm::node(places)?);
    node.current_dir(&e2e).args(["--test", "--test-concurrency=1", "--test-reporter=spec"]);
    node.args(&specs);
    node.env("PORTICO_BIN", program)
        .env("PORTICO_PAGE", page)
        .env("PORTICO_TEST_DATA", places.target.join("test-data"))
        .env("PORTICO_CHROMIUM", browser::chromium().context("Chromium")?);
    if options.has("screenshots") {
        node.env("PORTICO_SCREENSHOTS", places.root.join("docs/screenshots"));
    }
    command::run(&mut node)?;
    Ok(format!("{} files", specs.len()))
}
