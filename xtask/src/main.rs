//! `cargo xtask VERB`: the way in. It needs nothing but a cargo: it makes sure of the toolchain that
//! builds the project and starts the verbs (bin `xtask-verbs`) built by it.

use std::env;
use std::process::{Command, ExitCode};

use xtask::places::Places;
use xtask::selection::SELECTION;
use xtask::{checkout, step, toolchain};

fn main() -> ExitCode {
    match start_verbs() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start_verbs() -> std::io::Result<ExitCode> {
    let places = Places::find()?;
    if checkout::claim(&places)? {
        // This binary may be another checkout's.
        let mut again = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        again.args(["run", "--quiet", "--package", "xtask", "--bin", "xtask", "--manifest-path"]);
        again.arg(places.root.join("Cargo.toml")).arg("--").args(env::args_os().skip(1));
        return hand_over(again);
    }
    let toolchain = step::step("Rust toolchain", || toolchain::ensure(&places))?;
    let mut cargo = toolchain.command("cargo");
    cargo
        .args(["build", "--quiet", "--bin", "xtask-verbs"])
        .args(SELECTION)
        .arg("--manifest-path")
        .arg(places.root.join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", &places.target);
    step::step("the verbs of xtask", || {
        let status = cargo.status()?;
        if status.success() {
            Ok(((), String::new()))
        } else {
            Err(std::io::Error::other(format!("cargo ended with {status}")))
        }
    })?;
    // The verbs find the toolchain in the environment that `command` sets, and the checkout as this did.
    let binary = format!("debug/xtask-verbs{}", env::consts::EXE_SUFFIX);
    let mut verbs = toolchain.command("cargo");
    let mut direct = Command::new(places.target.join(binary));
    for (name, value) in verbs.get_envs() {
        match value {
            Some(value) => direct.env(name, value),
            None => direct.env_remove(name),
        };
    }
    verbs = direct;
    verbs.args(env::args_os().skip(1)).env("CARGO_TARGET_DIR", &places.target);
    hand_over(verbs)
}

/// Becomes the verbs' process, so that signals reach it.
#[cfg(unix)]
fn hand_over(mut verbs: Command) -> std::io::Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(verbs.exec())
}

#[cfg(not(unix))]
fn hand_over(mut verbs: Command) -> std::io::Result<ExitCode> {
    let code = verbs.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
