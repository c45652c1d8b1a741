//! How is a backup made?

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use portico_shared::error::{ApiError, ErrorCode};
use serde::Serialize;
use tar::{Builder, EntryType, Header};
use tokio::runtime::Handle;
use zstd::stream::write::Encoder;

use super::about::{ABOUT, About, DATA, Elsewhere, FORMAT, KIND, ListedFile, MANIFEST, Manifest};
use super::contents::{self, From, Part};
use super::hold::hold;
use super::last::{LastBackup, remember};
use super::member::Watched;
use super::{Stop, io_error, snapshot};
use crate::config::Config;
use crate::db;
use crate::files::FileStore;
use crate::keys::{day_of, now_s};
use crate::models::{Library, Progress};
use crate::temporary::{Temporary, sweep_beside};
use crate::vault::KeyFile;

/// zstd's own default: some 200 MB/s of texts on one core.
const LEVEL: i32 = 3;

/// What is backed up, and where to.
#[derive(Debug)]
pub struct Request<'a> {
    pub library: &'a Library,
    pub config: &'a Config,
    pub config_path: &'a Path,
    pub files: &'a FileStore,
    /// The weights of models too.
    pub with_models: bool,
    /// Documents' files of another machine too.
    pub with_files: bool,
    /// The key of secrets, where it lies in the data folder: without it what it sealed cannot be opened.
    pub with_key: bool,
    /// The file that is made; one that is there is replaced once the new one is whole.
    pub to: PathBuf,
    pub stop: &'a Stop,
    /// What the two stages are called.
    pub labels: [&'a str; 2],
}

/// What was made.
#[derive(Clone, Debug, Serialize)]
pub struct Made {
    pub file: String,
    pub size_bytes: u64,
    pub about: About,
    /// Documents' files whose bytes are not what their name says.
    pub damaged: Vec<String>,
}

/// `portico-2026-11-26-091500.tar.zst`, UTC.
pub fn default_name() -> String {
    let now_s = now_s();
    let (hour, minute, second) = (now_s / 3600 % 24, now_s / 60 % 60, now_s % 60);
    format!("portico-{}-{hour:02}{minute:02}{second:02}.tar.zst", day_of(now_s))
}

/// Makes a backup. Called where blocking does no harm; `runtime` is for files of another machine.
///
/// # Errors
/// `data_absent`, `data_newer`, `cancelled`, `disk_full`, `storage_failed`, `files_unreachable`. Nothing is
/// left behind then.
pub fn back_up(request: &Request<'_>, runtime: &Handle) -> Result<Made, ApiError> {
    let Request { library, config, stop, to, .. } = request;
    let data_dir = library.layout.data_dir();
    let path = data_dir.join(db::FILE_NAME);
    let connection = snapshot::open(&path)?;
    let schema = snapshot::schema(&connection, &path)?;
    if schema > db::newest_schema() {
        return Err(db::DbError::newer(&path, schema).into());
    }
    let held = hold(data_dir)?;
    sweep_beside(to);
    let (temporary, file) = Temporary::file(to).map_err(|error| io_error(to, &error))?;
    let copy = temporary.companion("db").map_err(|error| io_error(to, &error))?;
    let mut progress = Progress::terminal(request.labels[0], None);
    snapshot::copy(&connection, &path, copy.path(), stop, &mut progress)?;
    drop((connection, progress));

    let copied = snapshot::open(copy.path())?;
    let referred = contents::referred(&copied, copy.path())?;
    drop(copied);
    let size_bytes = copy.path().metadata().map_err(|error| io_error(copy.path(), &error))?.len();
    let mut parts = vec![Part {
        name: db::FILE_NAME.to_owned(),
        from: From::Path(copy.path().to_owned()),
        size_bytes,
        sha256: None,
    }];
    let key = KeyFile::of(&config.server, data_dir, request.config_path);
    let settings = contents::settings(&library.layout, request.config_path, &key, request.with_key);
    parts.extend(settings);
    let models = contents::models(library, request.with_models);
    let (models, of_models) = models.map_err(|error| ApiError::from(&error))?;
    parts.extend(of_models);
    let store = contents::store_name(request.files);
    let (elsewhere, missing) = match store {
        Some(_) if request.with_files => {
            parts.extend(contents::in_store(&referred));
            (None, Vec::new())
        }
        Some(store) => (Some(Elsewhere { store, files: referred }), Vec::new()),
        None => {
            let (files, missing) = contents::in_folder(data_dir, &referred);
            parts.extend(files);
            (None, missing)
        }
    };
    let about = About {
        kind: KIND.to_owned(),
        format: FORMAT,
        made_by: env!("CARGO_PKG_VERSION").to_owned(),
        made_s: now_s(),
        schema,
        n_files: parts.len() as u64,
        n_bytes: parts.iter().map(|part| part.size_bytes).sum(),
        models,
        elsewhere,
        secrets: contents::secrets(config, &key, request.with_key),
        missing,
    };
    let progress = Progress::terminal(request.labels[1], Some(about.n_bytes));
    let mut archive = Archive::begin(file, temporary.path(), stop, progress, about.made_s)?;
    archive.json(ABOUT, &about)?;
    for part in &parts {
        archive.part(part, request.files, runtime)?;
    }
    let damaged = archive.finish()?;
    drop((held, copy));
    stop.check()?;
    let size_bytes = temporary.path().metadata().map_or(0, |meta| meta.len());
    temporary.rename(to).map_err(|error| io_error(to, &error))?;
    let file = std::path::absolute(to).unwrap_or_else(|_| to.clone()).display().to_string();
    let last = LastBackup { made_s: about.made_s, file: file.clone(), size_bytes, schema };
    remember(data_dir, &last)?;
    Ok(Made { file, size_bytes, about, damaged })
}

/// The archive that is being written.
struct Archive<'a> {
    tar: Builder<Encoder<'static, BufWriter<File>>>,
    path: &'a Path,
    stop: &'a Stop,
    progress: Progress,
    made_s: u64,
    manifest: Manifest,
}

impl<'a> Archive<'a> {
    fn begin(
        file: File,
        path: &'a Path,
        stop: &'a Stop,
        progress: Progress,
        made_s: u64,
    ) -> Result<Self, ApiError> {
        let encoder = Encoder::new(BufWriter::new(file), LEVEL).and_then(|mut encoder| {
            encoder.include_checksum(true)?;
            Ok(encoder)
        });
        let tar = Builder::new(encoder.map_err(|error| io_error(path, &error))?);
        let manifest = Manifest::default();
        Ok(Self { tar, path, stop, progress, made_s, manifest })
    }

    fn header(&self, name: &str, size_bytes: u64) -> Result<Header, ApiError> {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o600);
        header.set_mtime(self.made_s);
        header.set_size(size_bytes);
        header.set_path(name).map_err(|error| io_error(Path::new(name), &error))?;
        header.set_cksum();
        Ok(header)
    }

    fn json(&mut self, name: &str, value: &impl Serialize) -> Result<(), ApiError> {
        let json = serde_json::to_vec_pretty(value)
            .map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
        let header = self.header(name, json.len() as u64)?;
        let mut silent = Progress::silent();
        let mut watched = Watched::new(json.as_slice(), self.stop, &mut silent);
        let written = self.tar.append(&header, &mut watched);
        self.stop.check()?;
        written.map_err(|error| io_error(self.path, &error))?;
        let (sha256, size_bytes) = watched.finish();
        self.manifest.files.push(ListedFile { path: name.to_owned(), size_bytes, sha256 });
        Ok(())
    }

    fn part(&mut self, part: &Part, files: &FileStore, runtime: &Handle) -> Result<(), ApiError> {
        // A copy from another machine goes when it was read.
        let local;
        let path = match &part.from {
            From::Path(path) => path.as_path(),
            From::Store(sha256) => {
                local = runtime.block_on(files.local(sha256))?;
                local.path()
            }
        };
        let unread = |error: io::Error| io_error(path, &error);
        let file = File::open(path).map_err(unread)?;
        let size_bytes = file.metadata().map_err(unread)?.len();
        let name = format!("{DATA}{}", part.name);
        let header = self.header(&name, size_bytes)?;
        let mut watched = Watched::new(file.take(size_bytes), self.stop, &mut self.progress);
        let written = self.tar.append(&header, &mut watched);
        self.stop.check()?;
        if let Some(fault) = watched.fault.take() {
            return Err(unread(fault));
        }
        written.map_err(|error| io_error(self.path, &error))?;
        let (sha256, read_bytes) = watched.finish();
        if read_bytes != size_bytes {
            // The header promised more: what follows could not be read.
            let reason =
                format!("{read_bytes} bytes instead of {size_bytes}: it changed meanwhile");
            return Err(unread(io::Error::other(reason)));
        }
        if part.sha256.as_ref().is_some_and(|expected| *expected != sha256) {
            self.manifest.damaged.push(part.name.clone());
        }
        self.manifest.files.push(ListedFile { path: name, size_bytes, sha256 });
        Ok(())
    }

    /// Writes the manifest and waits for the disk; gives what was damaged.
    fn finish(mut self) -> Result<Vec<String>, ApiError> {
        let manifest = std::mem::take(&mut self.manifest);
        self.json(MANIFEST, &manifest)?;
        let failed = |error: io::Error| io_error(self.path, &error);
        let finished = self.tar.into_inner().and_then(Encoder::finish);
        let mut writer = finished.map_err(failed)?;
        writer.flush().and_then(|()| writer.get_ref().sync_all()).map_err(failed)?;
        Ok(manifest.damaged)
    }
}
