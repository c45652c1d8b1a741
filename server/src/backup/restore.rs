//! How does a backup become a data folder again?
//!
//! Into a folder beside the one that it is to be, whole or not at all: everything is written there,
//! compared with the manifest, the database checked and made ready, and only then the folder gets its
//! name. What is stopped or fails on the way leaves nothing.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use portico_shared::error::{ApiError, ErrorCode};
use rusqlite::Connection;
use serde::Serialize;
use uuid::Uuid;

use super::about::About;
use super::contents::has_table;
use super::read::{self, Sink, damaged};
use super::{Stop, io_error, snapshot, sparse};
use crate::db;
use crate::keys::now_s;
use crate::temporary::{Temporary, private_file, private_folder, sweep_beside, sync_folder_of};

/// What a file system has in every folder that is its root.
const OF_THE_SYSTEM: &str = "lost+found";

/// What was restored.
#[derive(Clone, Debug, Serialize)]
pub struct Restored {
    pub folder: String,
    pub about: About,
    /// Documents' files whose bytes were wrong already when the backup was made.
    pub damaged: Vec<String>,
    /// Devices that were signed in, and links that could be opened: both ended.
    pub n_sessions: u64,
    pub n_links: u64,
    /// Logs of conversations that got a new epoch.
    pub n_logs: u64,
    /// Keys that are valid, among them what was revoked after the backup.
    pub n_keys: u64,
}

/// Restores `file` as `data_dir`; `finish` is given the folder when all is right and before it has its
/// name.
///
/// # Errors
/// `restore_not_empty`; those of `read::read`; `disk_full`, `storage_failed`; those of `finish`. Nothing
/// is left behind.
pub fn restore(
    file: &Path,
    data_dir: &Path,
    stop: &Stop,
    label: &str,
    finish: impl FnOnce(&Path) -> Result<(), ApiError>,
) -> Result<Restored, ApiError> {
    let failed = |error: io::Error| io_error(data_dir, &error);
    let data_dir = &std::path::absolute(data_dir).map_err(failed)?;
    must_be_empty(data_dir)?;
    let is_root = is_root_of_file_system(data_dir);
    let inside = data_dir.join("restore");
    // A folder that is another file system's root cannot be renamed over: what is in it can.
    let beside = if is_root { &inside } else { data_dir };
    if let Some(parent) = beside.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    sweep_beside(beside);
    let staging = Temporary::folder(beside).map_err(failed)?;
    let mut folder = Folder(staging.path().to_owned());
    let (about, manifest) = read::read(file, stop, label, &mut folder)?;
    let mut restored = made_ready(file, staging.path(), &about)?;
    restored.damaged = manifest.damaged;
    restored.folder = data_dir.display().to_string();
    finish(staging.path())?;
    take_owner(staging.path(), data_dir);
    stop.check()?;
    must_be_empty_but(data_dir, staging.path())?;
    match is_root {
        true => move_up(staging.path(), data_dir).map_err(failed)?,
        // Over an empty folder, too.
        false => staging.rename(data_dir).map_err(failed)?,
    }
    Ok(restored)
}

/// # Errors
/// `restore_not_empty`
fn must_be_empty(data_dir: &Path) -> Result<(), ApiError> {
    must_be_empty_but(data_dir, Path::new(""))
}

fn must_be_empty_but(data_dir: &Path, staging: &Path) -> Result<(), ApiError> {
    let entries = match fs::read_dir(data_dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(ApiError::new(ErrorCode::RestoreNotEmpty).with("path", data_dir.display()));
        }
        Err(error) => return Err(io_error(data_dir, &error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| io_error(data_dir, &error))?;
        // What a killed one left inside a file system's root is swept next.
        let is_left = entry.file_name().to_string_lossy().starts_with(".restore.");
        if entry.file_name() != OF_THE_SYSTEM && entry.path() != staging && !is_left {
            let error = ApiError::new(ErrorCode::RestoreNotEmpty).with("path", data_dir.display());
            return Err(error.detail(format!("{} is there", entry.path().display())));
        }
    }
    Ok(())
}

#[cfg(unix)]
fn is_root_of_file_system(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let device = |path: &Path| path.metadata().ok().map(|meta| meta.dev());
    match (device(folder), folder.parent().and_then(device)) {
        (Some(own), Some(parent)) => own != parent,
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_root_of_file_system(_folder: &Path) -> bool {
    false
}

/// The database last: without it a server does not take the folder for a house's.
fn move_up(staging: &Path, data_dir: &Path) -> io::Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(staging)? {
        names.push(entry?.file_name());
    }
    names.sort_by_key(|name| name == db::FILE_NAME);
    for name in names {
        fs::rename(staging.join(&name), data_dir.join(&name))?;
    }
    fs::remove_dir(staging)?;
    File::open(data_dir)?.sync_all()
}

/// Where root restores into a folder that the server's account owns, what comes is that account's.
#[cfg(unix)]
fn take_owner(staging: &Path, data_dir: &Path) {
    use std::os::unix::fs::{MetadataExt as _, lchown};
    let (Ok(wanted), Ok(own)) = (data_dir.metadata(), staging.metadata()) else { return };
    if (wanted.uid(), wanted.gid()) == (own.uid(), own.gid()) {
        return;
    }
    let mut waiting = vec![staging.to_owned()];
    while let Some(path) = waiting.pop() {
        if let Err(error) = lchown(&path, Some(wanted.uid()), Some(wanted.gid())) {
            tracing::warn!(path = %path.display(), %error, "the folder's owner does not own it");
            return;
        }
        let entries = fs::read_dir(&path).into_iter().flatten().flatten();
        waiting.extend(entries.map(|entry| entry.path()));
    }
}

#[cfg(not(unix))]
fn take_owner(_staging: &Path, _data_dir: &Path) {}

/// The staging folder takes an archive's files.
struct Folder(PathBuf);

impl Sink for Folder {
    fn begin(&mut self, about: &About) -> Result<(), ApiError> {
        let free = fs4::available_space(&self.0).unwrap_or(u64::MAX);
        match about.n_bytes > free {
            true => {
                let error = ApiError::new(ErrorCode::DiskFull);
                let folder = self.0.parent().unwrap_or(&self.0);
                let reason = format!("{} bytes are needed, {free} are free", about.n_bytes);
                Err(error.with("path", folder.display()).detail(reason))
            }
            false => Ok(()),
        }
    }

    fn take(&mut self, name: &str, from: &mut dyn Read) -> io::Result<()> {
        let path = self.0.join(name);
        let mut folder = self.0.clone();
        let parents = Path::new(name).parent().into_iter().flat_map(Path::components);
        for part in parents {
            folder.push(part);
            match private_folder(&folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        let mut from = from;
        let mut file = private_file(&path)?;
        sparse::write(&mut from, &mut file)?;
        file.sync_all()
    }
}

/// Checks the database, and ends in it what must not come back.
fn made_ready(file: &Path, folder: &Path, about: &About) -> Result<Restored, ApiError> {
    let path = folder.join(db::FILE_NAME);
    let mut connection = snapshot::open(&path)?;
    if let Some(fault) = snapshot::faults(&connection, &path, false)? {
        return Err(damaged(file, &format!("its database: {fault}")));
    }
    let schema = snapshot::schema(&connection, &path)?;
    if schema != about.schema {
        return Err(damaged(file, &format!("its database has schema {schema}")));
    }
    let prepared = prepare(&mut connection).map_err(|error| snapshot::failed(&path, &error))?;
    drop(connection);
    let synced = File::open(&path).and_then(|file| file.sync_all());
    synced.and_then(|()| sync_folder_of(&path)).map_err(|error| io_error(&path, &error))?;
    let [n_sessions, n_links, n_logs, n_keys] = prepared;
    Ok(Restored {
        folder: String::new(),
        about: about.clone(),
        damaged: Vec::new(),
        n_sessions,
        n_links,
        n_logs,
        n_keys,
    })
}

/// Numbers of sessions and links that ended, of logs with a new epoch, of keys.
fn prepare(connection: &mut Connection) -> rusqlite::Result<[u64; 4]> {
    let transaction = connection.transaction()?;
    let mut counts = [0; 4];
    // A device that was signed out, and a link that was used, after the backup would be let in again.
    for (count, table) in counts.iter_mut().zip(["sessions", "links"]) {
        if has_table(&transaction, table)? {
            *count = transaction.execute(&format!("DELETE FROM {table}"), [])? as u64;
        }
    }
    // A log that has outgrown a device's cursor since would not be noticed: devices begin anew with it,
    // and send what the backup lacks.
    if has_table(&transaction, "sync_logs")? {
        let ids = {
            let mut select = transaction.prepare("SELECT id FROM sync_logs")?;
            let rows = select.query_map([], |row| row.get::<_, i64>(0))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()?
        };
        let mut update = transaction.prepare("UPDATE sync_logs SET epoch = ?2 WHERE id = ?1")?;
        for &id in &ids {
            update.execute((id, Uuid::now_v7().into_bytes()))?;
        }
        counts[2] = ids.len() as u64;
    }
    // What of a file had come already is in no backup: its device sends it from the beginning.
    if has_table(&transaction, "attachment_uploads")? {
        transaction.execute("DELETE FROM attachment_uploads", [])?;
    }
    if has_table(&transaction, "api_keys")? {
        let sql = "SELECT count(*) FROM api_keys WHERE revoked_s IS NULL";
        counts[3] = transaction.query_row(sql, [], |row| row.get::<_, i64>(0))?.max(0) as u64;
    }
    if has_table(&transaction, "audit")? {
        let sql =
            "INSERT INTO audit (at_s, who, action) VALUES (?1, 'operator', 'backup_restored')";
        transaction.execute(sql, [now_s() as i64])?;
    }
    transaction.commit()?;
    Ok(counts)
}
