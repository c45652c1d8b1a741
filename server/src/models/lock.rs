//! What was pulled when the catalogue did not say what to expect?
//!
//! The first pull of a file without a digest writes one down; from then on it is as binding as the
//! catalogue's.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use portico_shared::catalogue::Model;
use portico_shared::manifest::is_sha256_hex;
use serde::{Deserialize, Serialize};

use super::{ModelsError, store};

const HEADING: &str =
    "# Written by `portico models pull`: digests of the files that came first.\n\n";

/// `models.lock.toml`: model id → file name → pin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    #[serde(default)]
    models: BTreeMap<String, BTreeMap<String, Pin>>,
}

/// What a file is held to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    pub size_bytes: u64,
    pub sha256: String,
    /// Repository and commit, or the file that was added.
    pub source: String,
}

impl Lock {
    /// Reads the file; a missing one is empty.
    pub fn read(path: &Path) -> Result<Self, ModelsError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(ModelsError::io(path)(error)),
        };
        let bad = |reason: String| ModelsError::Lock { path: path.to_owned(), reason };
        let lock: Self = toml::from_str(&text).map_err(|error| bad(error.to_string()))?;
        let pins = lock.models.values().flat_map(BTreeMap::values);
        match pins.map(|pin| &pin.sha256).find(|digest| !is_sha256_hex(digest)) {
            Some(digest) => Err(bad(format!("`{digest}` is not a SHA-256 in lower-case hex"))),
            None => Ok(lock),
        }
    }

    pub fn write(&self, path: &Path) -> Result<(), ModelsError> {
        let text = toml::to_string(self)
            .map_err(|error| ModelsError::io(path)(io::Error::other(error)))?;
        store::write_whole(path, format!("{HEADING}{text}").as_bytes())
    }

    pub fn pin(&self, model: &str, file: &str) -> Option<&Pin> {
        self.models.get(model)?.get(file)
    }

    /// Pins a file unless it is pinned already.
    pub fn add(&mut self, model: &str, file: &str, pin: Pin) {
        self.models.entry(model.to_owned()).or_default().entry(file.to_owned()).or_insert(pin);
    }

    /// Forgets a model's pins.
    pub fn forget(&mut self, model: &str) -> bool {
        self.models.remove(model).is_some()
    }

    /// Fills in sizes and digests that the catalogue leaves open.
    pub fn apply(&self, model: &mut Model) {
        let id = model.id.clone();
        for file in model.files.iter_mut().filter(|file| file.sha256.is_none()) {
            if let Some(pin) = self.pin(&id, &file.name) {
                file.size_bytes = pin.size_bytes;
                file.sha256 = Some(pin.sha256.clone());
            }
        }
    }
}
