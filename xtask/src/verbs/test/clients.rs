//! The clients that people use, unmodified, against a real server and a real model.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use xtask::places::Places;

use super::rust;
use crate::{bench, command, model, npm, packages, pip, server};

/// `cargo xtask bench chaos` plays a thousand.
const CHAOS_ROUNDS: u32 = 50;

/// Pinned: another version is another test.
const PYTHON_CLIENT: &str = "openai==3.57.0";
const NODE_CLIENT: &str = "openai@7.57.0";

/// Runs `tests/clients`. The one for Rust is in the server's own tests.
pub fn run(places: &Places) -> anyhow::Result<String> {
    packages::ensure(&[packages::PYTHON_PIP, packages::NODE])?;
    let python_path = pip::install(places, "clients", &[PYTHON_CLIENT])?;
    let modules = npm::install(places, "clients", &[NODE_CLIENT])?;
    let program = server::build(places)?;
    let models = rust::models_folder(places, false)?;
    let data = places.target.join("test-clients");
    // Keys and quotas of an earlier run.
    if data.exists() {
        fs::remove_dir_all(&data).with_context(|| data.display().to_string())?;
    }
    let running = Server::start(places, &program, &data, &models)?;
    let key = new_key(places, &program, &data)?;
    let clients = places.root.join("tests/clients");

    let python = model::pip().context("Python with pip")?;
    let mut scripts = [Command::new(python), Command::new(npm::node(places)?)];
    scripts[0].arg(clients.join("openai_python.py")).env("PYTHONPATH", &python_path);
    scripts[1].args(["--test", "--test-reporter=spec"]).arg(clients.join("openai_node.mjs"));
    for script in &mut scripts {
        script.env("OPENAI_BASE_URL", format!("{}v1", running.address));
        script.env("OPENAI_API_KEY", &key).env("PORTICO_CLIENTS", &modules);
        script.env("PORTICO_MODEL", model::DEFAULT).env("PORTICO_EMBEDDER", model::SMALL_EMBEDDER);
        // Bytecode stays out of the checkout, and a proxy out of the way to this machine.
        script.env("PYTHONDONTWRITEBYTECODE", "1").env("NO_PROXY", "127.0.0.1");
    }
    let [mut python, mut node] = scripts;
    let ran = command::run(&mut python);
    command::run(&mut node).and(ran)?;
    drop(running);
    sign_in(places, &program)?;
    bench::chaos(places, CHAOS_ROUNDS)?;
    Ok(format!("{PYTHON_CLIENT}, {NODE_CLIENT}"))
}

/// Signing in with a certified OpenID provider, and with one that lies.
fn sign_in(places: &Places, program: &Path) -> anyhow::Result<()> {
    let folder = places.root.join("tests/oidc");
    npm::install_locked(places, "oidc", &folder)?;
    let mut node = Command::new(npm::node(places)?);
    node.current_dir(&folder).args(["--test", "--test-reporter=spec", "sign_in.mjs"]);
    node.env("PORTICO_BIN", program).env("NO_PROXY", "127.0.0.1");
    command::run(&mut node)
}

/// A server of its own, which ends with this value.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(places: &Places, program: &Path, data: &Path, models: &Path) -> anyhow::Result<Self> {
        let mut portico = server::command(places, program);
        portico.args(["--lang", "en", "serve", "--addr", "127.0.0.1:0", "--data"]).arg(data);
        portico.arg("--models-dir").arg(models).env("RUST_LOG", "warn");
        let mut child = portico.stdout(Stdio::piped()).spawn().context("starting the server")?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let address = line.trim().strip_prefix("Portico is running: ").map(str::to_owned);
        let mut server = Self { child, address: String::new() };
        server.address = address.with_context(|| format!("the server says `{line}`"))?;
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes a key while the server runs: it is the last word printed.
fn new_key(places: &Places, program: &Path, data: &Path) -> anyhow::Result<String> {
    let mut create = server::command(places, program);
    let output =
        command::output(create.args(["keys", "create", "--name", "test", "--data"]).arg(data))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.split_whitespace().next_back().map(str::to_owned).context("a key")
}
