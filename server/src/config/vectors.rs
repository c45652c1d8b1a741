//! Where do the vectors of passages lie?

use std::path::{Path, PathBuf};
use std::time::Duration;

use portico_search::vectors::{EdgeConfig, QdrantConfig, StoreConfig};
use serde::{Deserialize, Serialize, Serializer};

use super::file::seconds;

/// `[documents.vectors]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct VectorsConfig {
    /// The gRPC address of a Qdrant server, `https://qdrant.example:6334`; unset: in the data folder.
    pub qdrant_url: Option<String>,
    /// A file with the server's key; unset: `PORTICO_QDRANT_API_KEY`, if it is set.
    pub api_key_file: Option<PathBuf>,
    /// Of one call.
    #[serde(rename = "timeout_s", deserialize_with = "seconds", serialize_with = "as_seconds")]
    pub timeout: Duration,
    /// Search vectors in 8 bits, and read the exact ones of the best.
    pub quantised: bool,
    // The server's, when it makes the collection; unset: as it is set up.
    pub shards: Option<u32>,
    pub replication_factor: Option<u32>,
    pub write_consistency_factor: Option<u32>,
}

impl Default for VectorsConfig {
    fn default() -> Self {
        Self {
            qdrant_url: None,
            api_key_file: None,
            timeout: Duration::from_secs(20),
            quantised: false,
            shards: None,
            replication_factor: None,
            write_consistency_factor: None,
        }
    }
}

impl VectorsConfig {
    /// The store for a data folder.
    pub fn store(&self, data_dir: &Path) -> StoreConfig {
        match self.qdrant_url.as_deref().filter(|url| !url.is_empty()) {
            Some(url) => StoreConfig::Qdrant(QdrantConfig {
                api_key_file: self.api_key_file.clone(),
                timeout: self.timeout,
                is_quantised: self.quantised,
                n_shards: self.shards,
                replication_factor: self.replication_factor,
                write_consistency_factor: self.write_consistency_factor,
                ..QdrantConfig::new(url)
            }),
            None => {
                let folder = data_dir.join("search").join("vectors");
                let config = EdgeConfig::new(folder);
                StoreConfig::Edge(EdgeConfig { is_quantised: self.quantised, ..config })
            }
        }
    }
}

fn as_seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}
