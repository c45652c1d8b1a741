//! Packages from Python's index, installed beside the models and not into the machine's Python.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;
use xtask::places::Places;

use crate::{command, model};

/// Installs `packages` (`name==version`) into the cache's folder `pip/<set>` unless exactly they are
/// there, and gives it: a `PYTHONPATH`.
pub fn install(places: &Places, set: &str, packages: &[&str]) -> anyhow::Result<PathBuf> {
    let folder = places.cache.join("pip").join(set);
    let wanted = packages.join("\n");
    let stamp = folder.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(&folder)?;
    let python = model::pip().context("Python with pip")?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip.args(["--no-warn-conflicts", "--root-user-action=ignore", "--target"]).arg(&folder);
    command::output(pip.args(packages))?;
    fs::write(&stamp, wanted)?;
    Ok(folder)
}
