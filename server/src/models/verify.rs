//! Are a model's bytes the ones that the catalogue or the lock file names?

use std::sync::Arc;

use portico_shared::catalogue::Format;
use serde::{Deserialize, Serialize};

use super::sha256::of_file;
use super::{Entry, FileState, Library, ModelsError, Phase, Progress, Watch, header};

/// What reading a file said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The digest is the expected one.
    Ok {
        sha256: String,
    },
    /// Readable, and a sound model, but nothing says what it should be.
    Unpinned {
        sha256: String,
    },
    Damaged {
        reason: String,
    },
    Missing,
}

impl Verdict {
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Ok { .. } | Self::Unpinned { .. })
    }
}

/// Reads all of a model's files. One verdict for each, in order.
pub fn verify(library: &Library, entry: &Entry) -> Result<Vec<Verdict>, ModelsError> {
    verify_watched(library, entry, None)
}

/// [`verify`], seen by `watch`.
///
/// # Errors
/// `Io`, `Cancelled`.
pub fn verify_watched(
    library: &Library,
    entry: &Entry,
    watch: Option<&Arc<Watch>>,
) -> Result<Vec<Verdict>, ModelsError> {
    let model = &entry.model;
    if let Some(watch) = watch {
        watch.set_phase(Phase::Checking);
        watch.set_total(entry.present_bytes());
    }
    let files = model.files.iter().zip(&entry.files).enumerate();
    let verdicts = files.map(|(i, (file, state))| {
        let size_bytes = match *state {
            FileState::Missing => return Ok(Verdict::Missing),
            FileState::Present { size_bytes } | FileState::WrongSize { size_bytes } => size_bytes,
        };
        let path = library.layout.file(&model.id, &file.name);
        let label = format!("reading {}", file.name);
        let mut progress = match watch {
            Some(_) => Progress::silent().watched(watch),
            None => Progress::terminal(label, Some(size_bytes)),
        };
        let (sha256, _) = of_file(&path, &mut progress)?;
        drop(progress);
        match &file.sha256 {
            Some(expected) if *expected == sha256 => return Ok(Verdict::Ok { sha256 }),
            Some(expected) => {
                let reason = format!(
                    "SHA-256 {sha256} ({size_bytes} bytes) instead of {expected} ({} bytes)",
                    file.size_bytes
                );
                return Ok(Verdict::Damaged { reason });
            }
            None => {}
        }
        // Without a digest the header is what can be judged.
        let is_weights = i == 0 && model.format == Format::Gguf;
        let judged = match is_weights {
            true => {
                header::read_file(&path).and_then(|gguf| header::check(model, &file.name, &gguf))
            }
            false => Ok(()),
        };
        match judged {
            Ok(()) => Ok(Verdict::Unpinned { sha256 }),
            Err(error @ ModelsError::Io { .. }) => Err(error),
            Err(error) => Ok(Verdict::Damaged { reason: error.to_string() }),
        }
    });
    verdicts.collect()
}
