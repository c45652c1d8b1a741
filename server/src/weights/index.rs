//! In which file, at which place, lies a chunk?

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use axum::http::{HeaderValue, header};
use portico_shared::error::ErrorCode;
use portico_shared::manifest::{CHUNK_BYTES, Manifest};

use super::digest::{DigestFile, FileStamp, digest_file};
use crate::http_error::HttpError;
use crate::models::browser_file::{self, BROWSER_FILE};
use crate::models::{Library, ModelsError, Progress};

/// How long a request waits for a model's digests before it is told to come again.
const PATIENCE: Duration = Duration::from_secs(10);

/// A model's file: model id and file name.
type FileKey = (String, String);

/// The digests of every file that is served.
#[derive(Debug)]
pub struct WeightIndex {
    library: Arc<Library>,
    files: RwLock<HashMap<FileKey, Arc<Digested>>>,
    /// One digest computation at a time for each file.
    turns: Mutex<HashMap<FileKey, Arc<tokio::sync::Mutex<()>>>>,
    /// Every file that was there at the start is in `files`.
    is_complete: AtomicBool,
}

/// A file whose digests are known.
#[derive(Debug)]
pub struct Digested {
    pub key: FileKey,
    pub path: PathBuf,
    pub stamp: FileStamp,
    pub manifest: Manifest,
    /// For each chunk: its bytes were hashed since the file took this stamp.
    pub verified: Vec<AtomicBool>,
}

/// A chunk's place in a file.
#[derive(Clone, Debug)]
pub struct Place {
    pub file: Arc<Digested>,
    pub chunk: usize,
}

impl Place {
    pub fn offset_bytes(&self) -> u64 {
        self.chunk as u64 * CHUNK_BYTES
    }

    pub fn size_bytes(&self) -> u64 {
        self.file.manifest.chunks[self.chunk].size_bytes
    }

    pub fn sha256(&self) -> &str {
        &self.file.manifest.chunks[self.chunk].sha256
    }
}

impl WeightIndex {
    pub fn new(library: Arc<Library>) -> Self {
        Self {
            library,
            files: RwLock::default(),
            turns: Mutex::default(),
            is_complete: AtomicBool::new(false),
        }
    }

    /// Indexes every model that is here. The server listens meanwhile; what is asked for before its
    /// turn is done out of turn.
    pub async fn fill(self: Arc<Self>) {
        match self.library.shelf().await {
            Err(error) => tracing::error!(%error, "cannot look at the models"),
            Ok(shelf) => {
                for entry in shelf.available() {
                    let converted = browser_file::is_converted(&entry.model);
                    let own = entry.model.files.iter().map(|file| file.name.as_str());
                    for name in own.chain(converted.then_some(BROWSER_FILE)) {
                        let key = (entry.model.id.clone(), name.to_owned());
                        if let Err(error) = Arc::clone(&self).digested(key).await {
                            tracing::error!(model = entry.model.id, %error, "cannot serve it");
                        }
                    }
                }
            }
        }
        self.is_complete.store(true, Ordering::Release);
    }

    /// The manifest of a model's file, its weights if `file` is none.
    pub async fn manifest(
        self: &Arc<Self>,
        model: &str,
        file: Option<&str>,
    ) -> Result<Manifest, HttpError> {
        let shelf = self.library.shelf().await?;
        let entry = shelf.get(model)?;
        if !entry.is_available() {
            return Err(ModelsError::Absent(model.to_owned()).into());
        }
        let name = match file {
            None if browser_file::is_converted(&entry.model) => Some(BROWSER_FILE),
            None => entry.model.weights().map(|file| file.name.as_str()),
            Some(name) => {
                let known = entry.model.files.iter().find(|file| file.name == name);
                known.map(|file| file.name.as_str())
            }
        };
        let Some(name) = name else { return Err(ErrorCode::NotFound.into()) };
        // A task of its own: the work goes on when this request is given up.
        let work = Arc::clone(self).digested((model.to_owned(), name.to_owned()));
        match tokio::time::timeout(PATIENCE, tokio::spawn(work)).await {
            Err(_) => Err(preparing()),
            Ok(Err(error)) => Err(HttpError::internal(error)),
            Ok(Ok(digested)) => {
                let prefixes = entry.model.prefixes.clone();
                Ok(Manifest { prefixes, ..digested?.manifest.clone() })
            }
        }
    }

    /// Where a chunk lies; several models may share it.
    pub fn places(&self, sha256: &str) -> Result<Vec<Place>, HttpError> {
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        let places = files.values().filter_map(|file| {
            let chunk = file.manifest.chunks.iter().position(|chunk| chunk.sha256 == sha256)?;
            Some(Place { file: Arc::clone(file), chunk })
        });
        let places: Vec<_> = places.collect();
        match places.is_empty() {
            false => Ok(places),
            true if self.is_complete.load(Ordering::Acquire) => {
                Err(ErrorCode::ChunkNotFound.into())
            }
            true => Err(preparing()),
        }
    }

    /// Forgets a file that is no longer what its digests say, and computes them anew.
    pub fn renew(self: &Arc<Self>, file: &Arc<Digested>) {
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        if files.get(&file.key).is_some_and(|current| Arc::ptr_eq(current, file)) {
            files.remove(&file.key);
        }
        drop(files);
        // A file whose stamp stayed while its bytes did not must not be believed again.
        let stored = self.library.layout.digest(&file.key.0, &file.key.1);
        if let Err(error) = std::fs::remove_file(&stored)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::error!(path = %stored.display(), %error, "cannot remove outdated digests");
        }
        let (index, key) = (Arc::clone(self), file.key.clone());
        tokio::spawn(async move {
            if let Err(error) = index.digested(key).await {
                tracing::warn!(%error, "a changed model cannot be served");
            }
        });
    }

    /// Digests of a file as it is now: known, stored or computed.
    async fn digested(self: Arc<Self>, key: FileKey) -> Result<Arc<Digested>, ModelsError> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(key.clone()).or_default())
        };
        let _turn = turn.lock().await;
        let layout = &self.library.layout;
        let path = match key.1 == BROWSER_FILE {
            true => layout.browser_file(&key.0),
            false => layout.file(&key.0, &key.1),
        };
        let index = Arc::clone(&self);
        let work = tokio::task::spawn_blocking(move || index.digested_blocking(key, path));
        work.await.unwrap_or_else(|error| {
            let path = self.library.layout.models_dir();
            Err(ModelsError::io(path)(std::io::Error::other(error)))
        })
    }

    fn digested_blocking(&self, key: FileKey, path: PathBuf) -> Result<Arc<Digested>, ModelsError> {
        let known = {
            let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
            files.get(&key).cloned()
        };
        let is_current =
            |known: &Digested| FileStamp::of(&path).ok().as_ref() == Some(&known.stamp);
        if let Some(known) = known.filter(|known| is_current(known)) {
            return Ok(known);
        }
        let stored = self.library.layout.digest(&key.0, &key.1);
        if key.1 == BROWSER_FILE {
            self.make_anew_unless_stored(&key.0, &path, &stored)?;
        }
        let stamp = FileStamp::of(&path)?;
        let digests = match DigestFile::read(&stored, &key.0, &stamp) {
            Some(digests) => digests,
            None => {
                tracing::info!(model = key.0, file = key.1, "computing digests");
                let label = format!("digests of {}", key.0);
                let progress = Progress::logged(label, Some(stamp.size_bytes));
                let digests = digest_file(&path, &key.0, progress)?;
                if let Err(error) = digests.write(&stored) {
                    // They serve as well unwritten; the next start computes them again.
                    tracing::warn!(%error, "the digests cannot be kept");
                }
                digests
            }
        };
        self.hold_to_pin(&key, &digests.manifest)?;
        let verified = digests.manifest.chunks.iter().map(|_| AtomicBool::new(false)).collect();
        let DigestFile { stamp, manifest, .. } = digests;
        let digested = Arc::new(Digested { key: key.clone(), path, stamp, manifest, verified });
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        files.insert(key, Arc::clone(&digested));
        Ok(digested)
    }

    /// Nothing says what a converted file should be but the conversion: one without digests of it as
    /// it is now is made again.
    fn make_anew_unless_stored(
        &self,
        model: &str,
        path: &Path,
        stored: &Path,
    ) -> Result<(), ModelsError> {
        let shelf = self.library.look()?;
        let entry = shelf.get(model)?;
        let stamp = FileStamp::of(path).ok();
        let is_stored =
            stamp.is_some_and(|stamp| DigestFile::read(stored, model, &stamp).is_some());
        match is_stored && browser_file::stands(&self.library, &entry.model) {
            true => Ok(()),
            false => browser_file::make(&self.library, entry),
        }
    }

    /// A file whose digest is known beforehand is served as that or not at all.
    fn hold_to_pin(&self, key: &FileKey, manifest: &Manifest) -> Result<(), ModelsError> {
        let shelf = self.library.look()?;
        let file = shelf.get(&key.0)?.model.files.iter().find(|file| file.name == key.1);
        match file.and_then(|file| file.sha256.clone()) {
            Some(expected) if expected != manifest.sha256 => Err(ModelsError::Digest {
                file: key.1.clone(),
                expected,
                actual: manifest.sha256.clone(),
            }),
            _ => Ok(()),
        }
    }
}

fn preparing() -> HttpError {
    HttpError::from(ErrorCode::WeightsPreparing)
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("5"))
}
