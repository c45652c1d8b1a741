//! What does a backup say of itself?

use serde::{Deserialize, Serialize};

/// What an archive's first file calls itself.
pub const KIND: &str = "portico backup";
/// Of the archive's own form.
pub const FORMAT: u32 = 1;

pub const ABOUT: &str = "about.json";
pub const MANIFEST: &str = "manifest.json";
/// Before the paths of the data folder.
pub const DATA: &str = "data/";

/// `about.json`, the first file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    pub kind: String,
    pub format: u32,
    /// Version of the program that made it.
    pub made_by: String,
    /// Seconds since 1970.
    pub made_s: u64,
    /// `PRAGMA user_version` of its database.
    pub schema: u32,
    /// Of what follows, `manifest.json` left out.
    pub n_files: u64,
    pub n_bytes: u64,
    /// Models that the server had; those that are not in here can be fetched again.
    pub models: Vec<ModelFile>,
    /// Documents' files that lie on another machine and are not in here.
    pub elsewhere: Option<Elsewhere>,
    /// Whose secrets the configuration names: environment variables and files. They are not in here.
    pub secrets: Vec<String>,
    /// Documents' files that the database refers to and that were not there.
    pub missing: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFile {
    pub model: String,
    pub file: String,
    pub size_bytes: u64,
    /// None where nothing says what it should be.
    pub sha256: Option<String>,
    /// Added by hand: no source has it.
    pub added: bool,
    pub included: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// Bucket and prefix.
    pub store: String,
    pub files: Vec<StoredFile>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    pub sha256: String,
    pub size_bytes: u64,
}

/// `manifest.json`, the last file: what the archive has, as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub files: Vec<ListedFile>,
    /// Documents' files whose bytes were others than their name says when they were copied.
    pub damaged: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedFile {
    pub path: String,
    pub size_bytes: u64,
    pub sha256: String,
}
