//! Where does what lie in the data folder?

use std::path::{Path, PathBuf};

/// The folders of a server. Models may lie elsewhere (`--models-dir`), on a disk that is read only:
/// what the server writes about them goes under the data folder.
#[derive(Clone, Debug)]
pub struct Layout {
    data_dir: PathBuf,
    models_dir: PathBuf,
}

impl Layout {
    pub fn new(data_dir: impl Into<PathBuf>, models_dir: Option<PathBuf>) -> Self {
        let data_dir = data_dir.into();
        let models_dir = models_dir.unwrap_or_else(|| data_dir.join("models"));
        Self { data_dir, models_dir }
    }

    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    pub fn models_dir(&self) -> &Path {
        &self.models_dir
    }

    /// The organisation's own catalogue.
    pub fn catalogue(&self) -> PathBuf {
        self.data_dir.join("models.toml")
    }

    pub fn lock(&self) -> PathBuf {
        self.data_dir.join("models.lock.toml")
    }

    /// Callers give ids that `is_model_id` accepts and names that `is_file_name` accepts.
    pub fn model(&self, id: &str) -> PathBuf {
        self.models_dir.join(id)
    }

    pub fn file(&self, id: &str, name: &str) -> PathBuf {
        self.model(id).join(name)
    }

    /// Describes a model that was added by hand.
    pub fn entry(&self, id: &str) -> PathBuf {
        self.model(id).join("model.toml")
    }

    /// What browsers get of a model that lies in another format.
    pub fn browser_file(&self, id: &str) -> PathBuf {
        self.data_dir.join("browser").join(format!("{id}.gguf"))
    }

    pub fn digests(&self, id: &str) -> PathBuf {
        self.data_dir.join("digests").join(id)
    }

    pub fn digest(&self, id: &str, name: &str) -> PathBuf {
        self.digests(id).join(format!("{name}.json"))
    }
}
