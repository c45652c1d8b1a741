//! Is a file a backup, and is all of it as it was written?

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Component, Path};

use portico_shared::error::{ApiError, ErrorCode};
use serde::de::DeserializeOwned;
use tar::EntryType;
use zstd::stream::read::Decoder;

use super::about::{ABOUT, About, DATA, FORMAT, KIND, MANIFEST, Manifest};
use super::member::Watched;
use super::{Stop, io_error};
use crate::db;
use crate::models::Progress;

/// Of `about.json` and `manifest.json`: millions of files' names.
const JSON_BYTES_MAX: u64 = 1 << 30;
/// What settings may have grown by between being listed and being copied.
const SLACK_BYTES: u64 = 1 << 20;

/// Where a backup's files go.
pub trait Sink {
    /// Before the first of them.
    ///
    /// # Errors
    /// Whatever keeps it from taking them.
    fn begin(&mut self, about: &About) -> Result<(), ApiError>;

    /// `name` is below the data folder; all of `from` is read.
    ///
    /// # Errors
    /// Of the disk, not of the archive.
    fn take(&mut self, name: &str, from: &mut dyn Read) -> io::Result<()>;
}

/// Reads only.
struct Nowhere;

impl Sink for Nowhere {
    fn begin(&mut self, _about: &About) -> Result<(), ApiError> {
        Ok(())
    }

    fn take(&mut self, _name: &str, from: &mut dyn Read) -> io::Result<()> {
        io::copy(from, &mut io::sink()).map(|_| ())
    }
}

/// Reads a whole backup and compares every digest; writes nothing.
///
/// # Errors
/// `backup_foreign`, `backup_damaged`, `backup_newer`, `cancelled`, `storage_failed`
pub fn check(file: &Path, stop: &Stop, label: &str) -> Result<(About, Manifest), ApiError> {
    read(file, stop, label, &mut Nowhere)
}

/// Reads a whole backup into `sink`, which must not believe any of it before this returns.
///
/// # Errors
/// As [`check`]; those of the sink.
pub fn read(
    file: &Path,
    stop: &Stop,
    label: &str,
    sink: &mut dyn Sink,
) -> Result<(About, Manifest), ApiError> {
    let faults = Faults { file };
    let opened = File::open(file).map_err(|error| io_error(file, &error))?;
    let decoder = Decoder::new(opened).map_err(|error| faults.foreign(&error))?;
    let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 18, decoder));
    let mut progress = Progress::terminal(label, None);
    let (mut about, mut manifest): (Option<About>, Option<Manifest>) = (None, None);
    let mut found = BTreeMap::new();
    let (mut left_bytes, mut left_files) = (0_u64, 0_u64);
    // Without tar's own extensions: they would be read into memory, however long, and none is ours.
    let entries = archive.entries().map_err(|error| faults.damaged(&error))?.raw(true);
    for entry in entries {
        stop.check()?;
        let mut entry = entry.map_err(|error| match about {
            Some(_) => faults.damaged(&error),
            None => faults.foreign(&error),
        })?;
        let name = entry_name(&entry).map_err(|reason| match about {
            Some(_) => faults.damaged(&reason),
            None => faults.foreign(&reason),
        })?;
        if manifest.is_some() {
            return Err(faults.damaged(&format!("`{name}` stands behind the end")));
        }
        let size_bytes = entry.size();
        if about.is_none() {
            if name != ABOUT {
                return Err(faults.foreign(&format!("it begins with `{name}`")));
            }
            let (read, digest) = json::<About>(&mut entry, &name, stop, &faults)?;
            faults.understood(&read)?;
            progress.set_total(read.n_bytes);
            (left_bytes, left_files) = (read.n_bytes.saturating_add(SLACK_BYTES), read.n_files);
            sink.begin(&read)?;
            found.insert(name, digest);
            about = Some(read);
            continue;
        }
        if name == MANIFEST {
            manifest = Some(json::<Manifest>(&mut entry, &name, stop, &faults)?.0);
            continue;
        }
        let Some(below) = name.strip_prefix(DATA).filter(|below| !below.is_empty()) else {
            return Err(faults.damaged(&format!("`{name}` is no file of a data folder")));
        };
        if found.contains_key(&name) {
            return Err(faults.damaged(&format!("`{name}` is there twice")));
        }
        // What the archive says of itself is the most that it may take of the disk.
        left_files = left_files.checked_sub(1).ok_or_else(|| faults.damaged(&"too many files"))?;
        let left = left_bytes.checked_sub(size_bytes);
        left_bytes = left.ok_or_else(|| faults.damaged(&"more bytes than it says"))?;
        let mut watched = Watched::new(&mut entry, stop, &mut progress);
        let taken = sink.take(below, &mut watched);
        stop.check()?;
        if let Some(fault) = watched.fault.take() {
            return Err(faults.damaged(&format!("`{name}`: {fault}")));
        }
        taken.map_err(|error| io_error(Path::new(below), &error))?;
        let digest = watched.finish();
        if digest.1 != size_bytes {
            return Err(faults.damaged(&format!("`{name}` ends too early")));
        }
        found.insert(name, digest);
    }
    let Some(about) = about else { return Err(faults.foreign(&"it is empty")) };
    let Some(manifest) = manifest else {
        return Err(faults.damaged(&"it ends before its manifest"));
    };
    // zstd's checksum stands behind the last byte.
    let mut rest = archive.into_inner();
    io::copy(&mut rest, &mut io::sink()).map_err(|error| faults.damaged(&error))?;
    drop(progress);
    for listed in &manifest.files {
        match found.remove(&listed.path) {
            Some((sha256, size_bytes))
                if sha256 == listed.sha256 && size_bytes == listed.size_bytes => {}
            Some(_) => {
                return Err(faults.damaged(&format!("`{}` is not as listed", listed.path)));
            }
            None => return Err(faults.damaged(&format!("`{}` is missing", listed.path))),
        }
    }
    if let Some(name) = found.keys().next() {
        return Err(faults.damaged(&format!("`{name}` is not listed")));
    }
    if !manifest.files.iter().any(|listed| listed.path.strip_prefix(DATA) == Some(db::FILE_NAME)) {
        return Err(faults.damaged(&"it has no database"));
    }
    Ok((about, manifest))
}

/// A plain file's path, which stays below any folder.
fn entry_name(entry: &tar::Entry<'_, impl Read>) -> Result<String, String> {
    let path = entry.path_bytes();
    let name = std::str::from_utf8(&path).map_err(|_| "a name is no text".to_owned())?;
    if entry.header().entry_type() != EntryType::Regular {
        return Err(format!("`{name}` is no plain file"));
    }
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(part) if !part.as_encoded_bytes().starts_with(b"."));
    let is_below = Path::new(name).components().all(is_plain)
        && !name.is_empty()
        && !name.contains(['\\', ':', '\0'])
        && name.split('/').all(|part| !part.is_empty());
    match is_below {
        true => Ok(name.to_owned()),
        false => Err(format!("`{name}` leads out of the folder")),
    }
}

fn json<T: DeserializeOwned>(
    entry: &mut impl Read,
    name: &str,
    stop: &Stop,
    faults: &Faults<'_>,
) -> Result<(T, (String, u64)), ApiError> {
    let (mut silent, mut text) = (Progress::silent(), Vec::new());
    let mut watched = Watched::new(entry.take(JSON_BYTES_MAX), stop, &mut silent);
    let is_about = name == ABOUT;
    let refused = |reason: &dyn std::fmt::Display| match is_about {
        true => faults.foreign(reason),
        false => faults.damaged(reason),
    };
    watched.read_to_end(&mut text).map_err(|error| refused(&error))?;
    let value = serde_json::from_slice(&text);
    let value = value.map_err(|error| refused(&format!("`{name}`: {error}")))?;
    Ok((value, watched.finish()))
}

/// What is said of a file that is refused.
struct Faults<'a> {
    file: &'a Path,
}

impl Faults<'_> {
    fn foreign(&self, reason: &dyn std::fmt::Display) -> ApiError {
        let error = ApiError::new(ErrorCode::BackupForeign).with("file", self.file.display());
        error.with("reason", reason)
    }

    fn damaged(&self, reason: &dyn std::fmt::Display) -> ApiError {
        damaged(self.file, reason)
    }

    fn understood(&self, about: &About) -> Result<(), ApiError> {
        if about.kind != KIND {
            return Err(self.foreign(&"it says that it is something else"));
        }
        let known = db::newest_schema();
        if about.format <= FORMAT && about.schema <= known {
            return Ok(());
        }
        let error = ApiError::new(ErrorCode::BackupNewer).with("file", self.file.display());
        let error = error.with("made_by", &about.made_by).with("schema", about.schema);
        Err(error.with("known", known).with("version", env!("CARGO_PKG_VERSION")))
    }
}

pub fn damaged(file: &Path, reason: &dyn std::fmt::Display) -> ApiError {
    let error = ApiError::new(ErrorCode::BackupDamaged).with("file", file.display());
    error.with("reason", reason)
}
