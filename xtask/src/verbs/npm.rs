//! Tools from npm, installed beside the models: wasm-opt, the browser's driver, the peers that
//! `bench` measures against. Nothing is installed into the checkout.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use xtask::places::Places;

use crate::command;

/// Installs `packages` (`name@version`) into the cache's folder `npm/<set>` unless exactly they are
/// there, and gives its `node_modules`.
pub fn install(places: &Places, set: &str, packages: &[&str]) -> anyhow::Result<PathBuf> {
    let folder = places.cache.join("npm").join(set);
    let wanted = packages.join("\n");
    let stamp = folder.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder.join("node_modules"));
    }
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("package.json"), "{\"private\": true}\n")?;
    command::output(npm(&folder).arg("install").args(packages))?;
    fs::write(&stamp, wanted)?;
    Ok(folder.join("node_modules"))
}

/// Installs what `manifest`'s lock file names (`npm ci`) into the cache, and links it into
/// `manifest` as `node_modules`, where node looks for what the scripts there import.
pub fn install_locked(places: &Places, set: &str, manifest: &Path) -> anyhow::Result<()> {
    let folder = places.cache.join("npm").join(set);
    fs::create_dir_all(&folder)?;
    let stamp = folder.join("installed.txt");
    let lock = manifest.join("package-lock.json");
    let wanted =
        fs::read_to_string(&lock).with_context(|| format!("reading {}", lock.display()))?;
    if !fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        fs::copy(manifest.join("package.json"), folder.join("package.json"))?;
        fs::copy(&lock, folder.join("package-lock.json"))?;
        command::output(npm(&folder).arg("ci"))?;
        fs::write(&stamp, wanted)?;
    }
    link(&folder.join("node_modules"), &manifest.join("node_modules"))
}

/// Makes `name` lead to `folder`, in place of an older link.
pub fn link(folder: &Path, name: &Path) -> anyhow::Result<()> {
    if fs::read_link(name).is_ok_and(|leads_to| leads_to == folder) {
        return Ok(());
    }
    match fs::remove_file(name) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("replacing {}", name.display()));
        }
        _ => {}
    }
    #[cfg(unix)]
    let linked = std::os::unix::fs::symlink(folder, name);
    #[cfg(windows)]
    let linked = std::os::windows::fs::symlink_dir(folder, name);
    linked.with_context(|| format!("linking {}", name.display()))
}

fn npm(folder: &Path) -> Command {
    let mut npm = Command::new("npm");
    // No install scripts: what they fetch comes from elsewhere. No optional parts: GPU libraries of
    // gigabytes.
    npm.current_dir(folder).args(["--no-fund", "--no-audit", "--loglevel=error"]);
    npm.args(["--ignore-scripts", "--omit=optional"]);
    npm
}
