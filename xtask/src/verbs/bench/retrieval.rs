//! How well and how quickly are passages found? On Debian's FAQ in both languages, which is built from
//! its packages, and on 100,000 passages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use xtask::places::Places;
use xtask::selection::SELECTION;
use xtask::step::step;

use super::json;
use crate::{command, model, packages, pip, server};

const DEBIAN_PACKAGES: [&str; 2] = ["debian-faq", "debian-faq-de"];
const PYTHON_PACKAGES: [&str; 2] = ["beautifulsoup4==4.15.0", "lxml==6.1.3"];
const MODEL: &str = "multilingual-e5-small";
const MODEL_FILE: &str = "e5-small-q4.bin";

pub fn run(places: &Places) -> anyhow::Result<()> {
    packages::ensure(&[packages::C_COMPILER, packages::PYTHON_PIP])?;
    let set = build_set(places)?;
    let program = server::build(places)?;
    let data = places.target.join("test-data");
    model::pull(places, &program, &data, MODEL)?;
    step("building retrieval", || {
        let mut cargo = command::cargo(places);
        cargo.args(["build", "--quiet", "--example", "retrieval"]).args(SELECTION);
        command::run(&mut cargo).map(|()| ((), String::new()))
    })?;
    let mut program = Command::new(places.target.join("debug/examples/retrieval"));
    program.arg("--set").arg(set);
    program.arg("--baselines").arg(places.root.join("tests/reference/debian-faq-baselines.json"));
    program.arg("--model").arg(data.join("models").join(MODEL).join(MODEL_FILE));
    command::run(program.arg("--json").arg(json(places, "retrieval")?))
}

/// Questions and passages, built once into the cache: the packages' text stays out of the repository.
fn build_set(places: &Places) -> anyhow::Result<PathBuf> {
    let folder = places.cache.join("debian-faq");
    let set = folder.join("set");
    if set.join("qrels.tsv").is_file() {
        return Ok(set);
    }
    let unpacked = folder.join("unpacked");
    fs::create_dir_all(&unpacked).with_context(|| unpacked.display().to_string())?;
    let mut apt = Command::new("apt-get");
    command::output(apt.current_dir(&folder).arg("download").args(DEBIAN_PACKAGES))?;
    for package in debs(&folder)? {
        command::output(Command::new("dpkg-deb").arg("-x").arg(package).arg(&unpacked))?;
    }
    let python_path = pip::install(places, "faq", &PYTHON_PACKAGES)?;
    let mut python = Command::new(model::pip().context("Python with pip")?);
    python.env("PYTHONPATH", python_path).arg(places.root.join("tests/bench/faq.py"));
    command::run(python.arg(&unpacked).arg(&set))?;
    Ok(set)
}

fn debs(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|e| e == "deb")).collect())
}
