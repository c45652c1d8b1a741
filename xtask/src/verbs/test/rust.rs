//! The checks that cargo does.

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::Command;

use anyhow::Context;
use xtask::places::Places;
use xtask::selection::SELECTION;
use xtask::step::step;
use xtask::toolchain::WASM;

use crate::postgres::Cluster;
use crate::{command, model, packages, server};

/// Suites of the server that run on either database and either storage.
const KEEPERS: &str = "package(portico-server) & binary(it) & \
    test(/^(attachments|authorisation|database|documents|gateway|people|sole|sync|vault)/)";

/// What the browser runs: checked for wasm32 with the lints of `web/clippy-wasm`.
const BROWSER_CRATES: [&str; 8] = [
    "portico-web",
    "portico-library",
    "portico-page",
    "portico-people",
    "portico-relay",
    "portico-weights",
    "portico-engine",
    "portico-shared",
];

pub fn fmt(places: &Places) -> anyhow::Result<String> {
    command::run(command::cargo(places).args(["fmt", "--all", "--check"]))?;
    Ok(String::new())
}

/// Everything that runs natively, tests and benches included.
pub fn clippy(places: &Places) -> anyhow::Result<String> {
    let mut cargo = command::cargo(places);
    cargo.args(["clippy", "--quiet", "--all-targets"]).args(SELECTION);
    cargo.args(["--", "-D", "warnings"]);
    command::run(&mut cargo)?;
    Ok(String::new())
}

pub fn clippy_wasm(places: &Places) -> anyhow::Result<String> {
    let mut cargo = command::cargo(places);
    cargo.args(["clippy", "--quiet", "--target", WASM]);
    for package in BROWSER_CRATES {
        cargo.args(["--package", package]);
    }
    cargo.args(["--", "-D", "warnings"]);
    cargo.env("CLIPPY_CONF_DIR", places.root.join("web/clippy-wasm"));
    command::run(&mut cargo)?;
    Ok(String::new())
}

/// Tests, kernels on lavapipe and real models included.
pub fn unit(places: &Places, all_models: bool) -> anyhow::Result<String> {
    packages::ensure(&[packages::C_COMPILER, packages::PYTHON_PIP, packages::LAVAPIPE])?;
    let path = ensure_nextest(places)?;
    let lavapipe = packages::lavapipe().context("lavapipe's driver file")?;
    let models = models_folder(places, all_models)?;
    let mut cargo = command::cargo(places);
    cargo.args(["nextest", "run", "--cargo-quiet"]).args(SELECTION);
    cargo.env("PATH", path);
    cargo.env("VK_DRIVER_FILES", &lavapipe).env("VK_ICD_FILENAMES", &lavapipe);
    cargo.env("PORTICO_MODELS_DIR", models);
    if all_models {
        cargo.arg("--ignore-default-filter");
    }
    command::run(&mut cargo)?;
    Ok(String::new())
}

/// Tests of whatever keeps something, once more: on a PostgreSQL server that is started for them, with
/// their files in an S3 server that the tests start.
pub fn scale(places: &Places) -> anyhow::Result<String> {
    packages::ensure(&[packages::C_COMPILER, packages::PYTHON_PIP])?;
    let path = ensure_nextest(places)?;
    let cluster = Cluster::start()?;
    let mut cargo = command::cargo(places);
    cargo.args(["nextest", "run", "--cargo-quiet"]).args(SELECTION);
    cargo.args(["-E", KEEPERS]);
    cargo.env("PATH", path).env("PORTICO_TEST_FILES", "s3");
    cargo.env("PORTICO_TEST_DATABASE", cluster.url());
    cargo.env("PORTICO_MODELS_DIR", models_folder(places, false)?);
    command::run(&mut cargo)?;
    Ok(String::new())
}

/// A folder with the real models' files, fetched as `portico models pull` fetches them.
pub fn models_folder(places: &Places, all: bool) -> anyhow::Result<std::path::PathBuf> {
    let program = server::build(places)?;
    let data = places.target.join("test-data");
    model::ensure_default(places, &program, &data)?;
    model::pull(places, &program, &data, model::SMALL_EMBEDDER)?;
    if all {
        for id in model::FOR_TESTS {
            model::pull(places, &program, &data, id)?;
        }
    }
    Ok(data.join("models"))
}

pub fn doc(places: &Places) -> anyhow::Result<String> {
    let mut cargo = command::cargo(places);
    cargo.args(["doc", "--quiet", "--no-deps"]).args(SELECTION);
    let mut wasm = command::cargo(places);
    wasm.args(["doc", "--quiet", "--no-deps", "--package", "portico-web", "--target", WASM]);
    for mut command in [cargo, wasm] {
        command::run(command.env("RUSTDOCFLAGS", "-D warnings"))?;
    }
    Ok(String::new())
}

/// Licences, banned crates and sources, where cargo-deny is installed.
pub fn deny(places: &Places) -> anyhow::Result<String> {
    if !command::exists("cargo-deny") {
        return Ok("cargo-deny is not installed: left out".to_owned());
    }
    let mut cargo = command::cargo(places);
    command::run(cargo.args(["deny", "check", "licenses", "bans", "sources"]))?;
    Ok(String::new())
}

/// Installs cargo-nextest unless it is there (by its lock file, else, where a package mirror lags
/// behind that, by whatever resolves) and gives the `PATH` that it is found in.
fn ensure_nextest(places: &Places) -> anyhow::Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    if nextest_starts(&path) {
        return Ok(path);
    }
    let tools = places.cache.join("tools");
    let bin = tools.join("bin");
    let path = env::join_paths(std::iter::once(bin).chain(env::split_paths(&path)))?;
    if !nextest_starts(&path) {
        step("installing cargo-nextest", || {
            let install = |locked: bool| {
                let mut cargo = command::cargo(places);
                cargo.args(["install", "--quiet", "cargo-nextest", "--root"]).arg(&tools);
                command::run(cargo.args(locked.then_some("--locked")))
            };
            install(true).or_else(|_| install(false)).map(|()| ((), String::new()))
        })?;
    }
    anyhow::ensure!(nextest_starts(&path), "cargo-nextest does not start");
    Ok(path)
}

fn nextest_starts(path: &OsStr) -> bool {
    let mut cargo = Command::new("cargo");
    command::output(cargo.args(["nextest", "--version"]).env("PATH", path)).is_ok()
}
