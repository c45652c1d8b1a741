//! The browser tests: the real page and server, a real Chromium, node's own test runner.

mod lanes;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Context;
use xtask::places::Places;

use super::rust;
use crate::options::Options;
use crate::{browser, command, model, npm, packages, page, server};

/// Runs `tests/e2e/specs`; `--spec NAME` runs one of them.
pub fn run(places: &Places, options: &Options) -> anyhow::Result<String> {
    let specs = specs(places, options)?;
    let node = Node::ready(places, options)?;
    lanes::run(&specs, |spec| node.tests(spec))?;
    Ok(format!("{} files", specs.len()))
}

/// `cargo xtask screens`: each state that the tests look at, in both sizes, themes and languages, as one
/// small picture in `docs/screens`.
pub fn screens(places: &Places, options: &Options) -> anyhow::Result<ExitCode> {
    let taken = places.target.join("screens");
    if taken.exists() {
        std::fs::remove_dir_all(&taken).with_context(|| taken.display().to_string())?;
    }
    let mut specs = specs(places, options)?;
    specs.retain(|path| std::fs::read_to_string(path).is_ok_and(|text| text.contains("look(")));
    let mut node = Node::ready(places, options)?;
    node.env.push(("PORTICO_SCREENSHOTS", taken.clone()));
    lanes::run(&specs, |spec| node.tests(spec))?;
    let mut sheets = Command::new(npm::node(places)?);
    sheets.current_dir(places.root.join("tests/e2e"));
    sheets.arg("screens.mjs").arg(&taken).arg(places.root.join("docs/screens"));
    command::run(sheets.env("PORTICO_CHROMIUM", browser::chromium().context("Chromium")?))?;
    Ok(ExitCode::SUCCESS)
}

/// A node that knows the page, the program and the browser.
struct Node {
    program: PathBuf,
    folder: PathBuf,
    env: Vec<(&'static str, PathBuf)>,
}

impl Node {
    /// Builds and fetches what the tests need.
    fn ready(places: &Places, options: &Options) -> anyhow::Result<Self> {
        packages::ensure(&[packages::NODE, packages::CHROMIUM, packages::FONTS])?;
        let e2e = places.root.join("tests/e2e");
        npm::install_locked(places, "e2e", &e2e)?;
        let page = page::build(places, page::Kind::of(options))?;
        let program = server::build(places)?;
        let models = rust::models_folder(places, false)?;
        let data = models.parent().context("the models' data folder")?;
        model::pull(places, &program, data, model::EMBEDDER)?;
        let env = vec![
            ("PORTICO_BIN", program),
            ("PORTICO_PAGE", page),
            ("PORTICO_TEST_DATA", places.target.join("test-data")),
            ("PORTICO_CHROMIUM", browser::chromium().context("Chromium")?),
        ];
        Ok(Self { program: npm::node(places)?, folder: e2e, env })
    }

    /// Runs one file's tests.
    fn tests(&self, spec: &Path) -> Command {
        let mut node = Command::new(&self.program);
        node.args(["--test", "--test-reporter=spec"]).arg(spec);
        node.current_dir(&self.folder);
        node.envs(self.env.iter().map(|(name, value)| (name, value)));
        node
    }
}

fn specs(places: &Places, options: &Options) -> anyhow::Result<Vec<PathBuf>> {
    let mut specs: Vec<_> = std::fs::read_dir(places.root.join("tests/e2e/specs"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    specs.retain(|path| path.to_string_lossy().ends_with(".spec.mjs"));
    if let Some(name) = options.value("spec") {
        specs.retain(|path| path.to_string_lossy().contains(name));
    }
    specs.sort();
    anyhow::ensure!(!specs.is_empty(), "no such browser test in tests/e2e/specs");
    Ok(specs)
}
