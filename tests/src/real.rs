//! Real models' files, and the text that they are run on.

use std::env;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// A real model, by its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RealModel {
    /// In every test run.
    SmolLm2,
    /// These with `cargo xtask test --models all`.
    QwenCoder,
    Gemma3,
}

impl RealModel {
    pub fn file_name(self) -> &'static str {
        match self {
            Self::SmolLm2 => "SmolLM2-135M-Instruct.Q4_1.gguf",
            Self::QwenCoder => "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            Self::Gemma3 => "gemma-3-270m-q4_k_m.gguf",
        }
    }

    /// The model's file below `PORTICO_MODELS_DIR`, at most one folder deep.
    ///
    /// # Errors
    /// Where no folder is named or the file is missing in it.
    pub fn open(self) -> anyhow::Result<File> {
        let folder = env::var_os("PORTICO_MODELS_DIR").with_context(|| {
            format!("PORTICO_MODELS_DIR names no folder with {}: use cargo xtask", self.file_name())
        })?;
        let path = self.find(Path::new(&folder))?;
        File::open(&path).with_context(|| path.display().to_string())
    }

    fn find(self, folder: &Path) -> anyhow::Result<PathBuf> {
        let direct = folder.join(self.file_name());
        if direct.is_file() {
            return Ok(direct);
        }
        for entry in folder.read_dir().with_context(|| folder.display().to_string())? {
            let path = entry?.path().join(self.file_name());
            if path.is_file() {
                return Ok(path);
            }
        }
        anyhow::bail!("{} is not in {}", self.file_name(), folder.display())
    }
}

/// The beginning of "Alice's Adventures in Wonderland" (Lewis Carroll, 1865, public domain) as
/// `alice29.txt` of the Canterbury corpus has it (here from the tests of PyPI's `brotli` 1.2.1), with
/// line feeds for line ends: somewhat more than 4096 tokens of any model here.
pub const ALICE: &str = include_str!("../reference/alice29-head.txt");
