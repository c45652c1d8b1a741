//! Which Rust toolchain builds the project, and how does a machine come by it?
//!
//! Asked for: at least [`MIN_MINOR`] with the wasm32 target, clippy and rustfmt. In this order: the
//! pinned version where rustup has it; the active toolchain; the pinned version fetched by rustup;
//! Debian's compiler with a std for Wasm built from Debian's Rust sources (module `debian`). There is no
//! `rust-toolchain.toml`, for it would make cargo fail before this could help.

mod debian;

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::places::Places;

/// What rustup is asked for.
pub const PINNED: &str = "1.96.0";
/// The oldest `1.x` that builds the project.
pub const MIN_MINOR: u32 = 96;
/// The browser's target.
pub const WASM: &str = "wasm32-unknown-unknown";

/// How cargo is started so that it and its compiler are the right ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// For `RUSTUP_TOOLCHAIN`.
    rustup_name: Option<String>,
    /// Comes first in `PATH`.
    bin: Option<PathBuf>,
    /// `1.96.0, by rustup`.
    pub described: String,
}

impl Toolchain {
    fn by_rustup(name: &str) -> Toolchain {
        Toolchain {
            rustup_name: Some(name.to_owned()),
            bin: None,
            described: format!("Rust {name}, by rustup"),
        }
    }

    /// `program` (`cargo`, `rustc`) of this toolchain.
    pub fn command(&self, program: &str) -> Command {
        // What cargo and rustup set for the process that they started points to that toolchain.
        let mut command = match &self.bin {
            Some(bin) => Command::new(bin.join(program)),
            None => Command::new(program),
        };
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(is_set_by_cargo) {
                command.env_remove(name);
            }
        }
        if let Some(name) = &self.rustup_name {
            command.env("RUSTUP_TOOLCHAIN", name);
        }
        if let Some(bin) = &self.bin {
            let path = env::var_os("PATH").unwrap_or_default();
            let all = std::iter::once(bin.clone()).chain(env::split_paths(&path));
            let joined: OsString = env::join_paths(all).unwrap_or(path);
            command.env("PATH", joined).env_remove("RUSTUP_TOOLCHAIN");
        }
        command
    }

    /// Whether it is new enough and has the wasm32 target, clippy and rustfmt.
    fn is_complete(&self) -> bool {
        self.minor().is_some_and(|minor| minor >= MIN_MINOR)
            && self.has_wasm_std()
            && ["clippy", "fmt"].iter().all(|tool| {
                self.command("cargo")
                    .args([tool, "--version"])
                    .output()
                    .is_ok_and(|output| output.status.success())
            })
    }

    /// The `x` of `rustc 1.x.y`; None where rustc does not start.
    fn minor(&self) -> Option<u32> {
        let output = self.command("rustc").arg("--version").stderr(Stdio::null()).output().ok()?;
        minor_of(&String::from_utf8_lossy(&output.stdout))
    }

    fn has_wasm_std(&self) -> bool {
        let Ok(output) = self.command("rustc").args(["--print", "sysroot"]).output() else {
            return false;
        };
        let sysroot = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        has_std(&Path::new(&sysroot).join("lib/rustlib").join(WASM).join("lib"))
    }
}

/// Whether the folder has a compiled standard library.
fn has_std(lib: &Path) -> bool {
    std::fs::read_dir(lib).is_ok_and(|entries| {
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
    })
}

/// The minor version in what `rustc --version` prints.
fn minor_of(version: &str) -> Option<u32> {
    version.strip_prefix("rustc 1.")?.split('.').next()?.parse().ok()
}

/// Variables of a `cargo run` that describe the started package or its toolchain; those that a
/// person sets (`CARGO_HOME`, `CARGO_TARGET_DIR`, `CARGO_TERM_*`, …) are passed on.
fn is_set_by_cargo(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.starts_with(prefix))
        || ["CARGO", "CARGO_BIN_NAME", "CARGO_CRATE_NAME", "RUST_RECURSION_COUNT"].contains(&name)
}

/// Finds a complete toolchain or installs one. `PORTICO_TOOLCHAIN=debian` takes Debian's at once.
pub fn ensure(places: &Places) -> io::Result<(Toolchain, String)> {
    if env::var("PORTICO_TOOLCHAIN").is_ok_and(|asked| asked == "debian") {
        return debian::ensure(places).map(described);
    }
    let pinned = Toolchain::by_rustup(PINNED);
    if has_rustup_toolchain(PINNED) && pinned.is_complete() {
        return Ok(described(pinned));
    }
    let active =
        Toolchain { rustup_name: None, bin: None, described: "the machine's Rust".to_owned() };
    if active.is_complete() {
        return Ok(described(active));
    }
    if install_by_rustup() && pinned.is_complete() {
        return Ok(described(pinned));
    }
    debian::ensure(places).map(described)
}

fn described(toolchain: Toolchain) -> (Toolchain, String) {
    let note = toolchain.described.clone();
    (toolchain, note)
}

fn has_rustup_toolchain(name: &str) -> bool {
    Command::new("rustup").args(["toolchain", "list"]).stderr(Stdio::null()).output().is_ok_and(
        |output| String::from_utf8_lossy(&output.stdout).lines().any(|line| line.starts_with(name)),
    )
}

/// Fetches the pinned toolchain; false where rustup is missing or cannot reach its server.
fn install_by_rustup() -> bool {
    eprintln!("  fetching Rust {PINNED} by rustup");
    Command::new("rustup")
        .args(["toolchain", "install", PINNED, "--profile", "minimal", "--no-self-update"])
        .args(["--component", "clippy", "--component", "rustfmt", "--target", WASM])
        .env("RUSTUP_MAX_RETRIES", "1")
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_rustc_versions() {
        assert_eq!(minor_of("rustc 1.96.0 (abc 2026-05-25)"), Some(96));
        assert_eq!(minor_of("rustc 1.101.0-nightly (abc 2026-10-29)"), Some(101));
        assert_eq!(minor_of("error: no toolchain"), None);
    }

    #[test]
    fn passes_a_persons_own_cargo_settings_on() {
        assert!(is_set_by_cargo("CARGO_PKG_NAME"));
        assert!(is_set_by_cargo("CARGO"));
        assert!(
            ["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_NET_OFFLINE"]
                .iter()
                .all(|name| !is_set_by_cargo(name))
        );
    }
}
