//! Where do the bytes of documents and attachments lie?
//!
//! `files/ab/abcdef…`, each named by its SHA-256: the same file twice is one. A file is written under
//! another name, reaches the disk, and is then renamed: it lies whole or not at all. Triggers in the
//! database write down which files may have lost their last reference ([`FileStore::collect`]).
//! Renaming with the row that refers to it, and looking for references before a deletion, exclude each
//! other ([`Gate`]), also between processes.
//!
//! In S3-compatible storage (`s3`) they have the same names. A file still comes in here, is sent before
//! the gate is asked for, and under it looked for again; who reads it gets a copy that goes with its owner.

mod inert;
mod s3;
mod wire;

use std::fs::{self, File};
use std::io::{self, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::manifest::is_sha256_hex;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

use crate::backup::hold::{self, Removal};
use crate::config::{Config, ConfigError, Store};
use crate::db::Db;
use crate::db::sql::{self, Connection, OptionalExtension as _};
use crate::keys::now_s;
use crate::models::sha256::hex;
use crate::temporary::{self, Temporary};

pub use inert::Inert;
use s3::S3;

/// Bytes of a piece of an answer.
const PIECE_BYTES: u64 = 128 * 1024;

/// Files by their content.
#[derive(Clone, Debug)]
pub struct FileStore {
    /// Where they lie, or come through.
    dir: Arc<PathBuf>,
    /// Where they lie instead.
    s3: Option<Arc<S3>>,
    max_file_bytes: u64,
}

/// A file of this machine, while it is held.
#[derive(Debug)]
pub struct Local {
    path: PathBuf,
    #[expect(dead_code, reason = "a copy goes with its owner")]
    copy: Option<Received>,
}

impl Local {
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A file on its way in; dropped before its end, nothing of it is left.
#[derive(Debug)]
pub struct Incoming {
    temporary: Temporary,
    file: tokio::fs::File,
    hash: Sha256,
    size_bytes: u64,
    max_bytes: u64,
}

/// A file that is whole, on the disk, and nobody's yet.
#[derive(Debug)]
pub struct Received {
    temporary: Temporary,
    pub sha256: String,
    pub size_bytes: u64,
}

/// While it is held no other process adds or removes files.
#[derive(Debug)]
pub struct Gate(#[expect(dead_code, reason = "the lock goes when the file is closed")] File);

impl FileStore {
    /// # Errors
    /// When the configuration names a secret that cannot be read.
    pub fn new(data_dir: &Path, config: &Config, config_path: &Path) -> Result<Self, ConfigError> {
        let s3 = match config.files.store {
            Store::Folder => None,
            Store::S3 => Some(Arc::new(S3::new(&config.files, config_path)?)),
        };
        let max_file_bytes = config.documents.max_file_bytes;
        Ok(Self { dir: Arc::new(data_dir.join("files")), s3, max_file_bytes })
    }

    /// Sends what lies in the folder to the other machine, and removes it here; how many there were.
    ///
    /// # Errors
    /// `files_unreachable`, `storage_failed`.
    pub async fn send_all(&self) -> Result<usize, ApiError> {
        let Some(s3) = &self.s3 else { return Ok(0) };
        let entries = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten();
        let mut n_sent = 0;
        for file in entries(&self.dir).flat_map(|folder| entries(&folder.path())) {
            let (path, name) = (file.path(), file.file_name().to_string_lossy().into_owned());
            if !is_sha256_hex(&name) {
                continue;
            }
            let meta = fs::metadata(&path).map_err(|error| storage_error(&path, &error))?;
            s3.send(&path, &name, meta.len()).await?;
            fs::remove_file(&path).map_err(|error| storage_error(&path, &error))?;
            n_sent += 1;
        }
        Ok(n_sent)
    }

    /// Whether the other machine takes a file, gives it back and deletes it.
    ///
    /// # Errors
    /// `files_unreachable`, `digest_mismatch`, `storage_failed`.
    pub async fn probe(&self) -> Result<(), ApiError> {
        let Some(s3) = &self.s3 else { return Ok(()) };
        let mut incoming = self.begin().await?;
        let id = temporary::beside(Path::new("probe"));
        incoming.write(format!("portico doctor {} {}", now_s(), id.display()).as_bytes()).await?;
        let probe = incoming.finish().await?;
        s3.send(probe.temporary.path(), &probe.sha256, probe.size_bytes).await?;
        let got = self.local(&probe.sha256).await.map(|_| ());
        s3.remove(&probe.sha256).await.and(got)
    }

    /// The right to remove files; none while a backup copies them.
    fn may_remove(&self) -> Result<Option<Removal>, ApiError> {
        hold::may_remove(self.dir.parent().unwrap_or(&self.dir))
    }

    /// Whether files can be had.
    ///
    /// # Errors
    /// `files_unreachable`
    pub async fn check(&self) -> Result<(), ApiError> {
        match &self.s3 {
            Some(s3) => s3.check().await,
            None => Ok(()),
        }
    }

    /// What the storage is called that has them, where they do not lie in the data folder.
    pub fn elsewhere(&self) -> Option<&str> {
        self.s3.as_ref().map(|s3| s3.name())
    }

    pub fn max_file_bytes(&self) -> u64 {
        self.max_file_bytes
    }

    /// Callers give a SHA-256 in lower-case hex.
    fn path(&self, sha256: &str) -> PathBuf {
        self.dir.join(sha256.get(..2).unwrap_or("--")).join(sha256)
    }

    /// Where files lie that are on their way in.
    fn incoming(&self) -> PathBuf {
        self.dir.join("incoming")
    }

    /// # Errors
    /// `disk_full`, `storage_failed`.
    pub async fn begin(&self) -> Result<Incoming, ApiError> {
        let folder = self.incoming();
        let beside = folder.join("file");
        let made = tokio::task::spawn_blocking(move || {
            fs::create_dir_all(beside.parent().unwrap_or(&beside))?;
            Temporary::file(&beside)
        });
        let made = made.await.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
        let (temporary, file) = made.map_err(|error| storage_error(&folder, &error))?;
        Ok(Incoming {
            temporary,
            file: tokio::fs::File::from_std(file),
            hash: Sha256::new(),
            size_bytes: 0,
            max_bytes: self.max_file_bytes,
        })
    }

    /// Waits until no other process adds or removes files.
    pub async fn gate(&self) -> Result<Gate, ApiError> {
        let dir = Arc::clone(&self.dir);
        let locked = tokio::task::spawn_blocking(move || gate(&dir)).await;
        locked.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?
    }

    /// Sends a received file to where it will lie, if that is another machine: it takes too long to do it
    /// under the gate. What nothing comes to refer to is removed again.
    ///
    /// # Errors
    /// `files_unreachable`
    pub async fn send(&self, received: &Received, db: &Db) -> Result<(), ApiError> {
        let Some(s3) = &self.s3 else { return Ok(()) };
        s3.send(received.temporary.path(), &received.sha256, received.size_bytes).await?;
        let sha256 = received.sha256.clone();
        let noted = db.call(move |connection| {
            connection
                .execute("INSERT INTO file_removals VALUES (?1) ON CONFLICT DO NOTHING", [sha256])
        });
        noted.await?;
        Ok(())
    }

    /// Gives a received file its name. The caller writes the row that refers to it before it lets go of
    /// the gate.
    ///
    /// # Errors
    /// `disk_full`, `storage_failed`, `files_unreachable`.
    pub async fn keep(&self, received: &Received, _gate: &Gate) -> Result<(), ApiError> {
        if let Some(s3) = &self.s3 {
            // It may have been removed since it was sent.
            return s3.send(received.temporary.path(), &received.sha256, received.size_bytes).await;
        }
        let path = self.path(&received.sha256);
        let folder = path.parent().unwrap_or(&self.dir);
        let is_kept = fs::metadata(&path).is_ok_and(|meta| meta.len() == received.size_bytes);
        if is_kept {
            return Ok(());
        }
        let renamed = fs::create_dir_all(folder)
            .and_then(|()| fs::rename(received.temporary.path(), &path))
            .and_then(|()| File::open(folder)?.sync_all());
        renamed.map_err(|error| storage_error(&path, &error))
    }

    /// # Errors
    /// `storage_failed` where it is not, `files_unreachable`.
    pub async fn size_bytes(&self, sha256: &str) -> Result<u64, ApiError> {
        if let Some(s3) = &self.s3 {
            return s3.size_bytes(sha256).await?.ok_or_else(|| s3.missing(sha256));
        }
        let path = self.path(sha256);
        let meta = tokio::fs::metadata(&path).await;
        meta.map(|meta| meta.len()).map_err(|error| storage_error(&path, &error))
    }

    /// A part of a file, as it comes. It breaks off where the file does.
    ///
    /// # Errors
    /// `storage_failed`, `files_unreachable`.
    pub async fn read(
        &self,
        sha256: &str,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, io::Result<Bytes>>, ApiError> {
        if range.is_empty() {
            return Ok(stream::empty().boxed());
        }
        if let Some(s3) = &self.s3 {
            return s3.read(sha256, Some(range)).await;
        }
        let path = self.path(sha256);
        let failed = |error| storage_error(&path, &error);
        let mut file = tokio::fs::File::open(&path).await.map_err(failed)?;
        file.seek(SeekFrom::Start(range.start)).await.map_err(failed)?;
        let left_bytes = range.end - range.start;
        let pieces = stream::try_unfold((file, left_bytes), async |(mut file, left_bytes)| {
            if left_bytes == 0 {
                return Ok(None);
            }
            let mut piece = vec![0; left_bytes.min(PIECE_BYTES) as usize];
            file.read_exact(&mut piece).await?;
            let left_bytes = left_bytes - piece.len() as u64;
            Ok(Some((Bytes::from(piece), (file, left_bytes))))
        });
        Ok(pieces.boxed())
    }

    /// A file that a program of this machine can open.
    ///
    /// # Errors
    /// `disk_full`, `storage_failed`, `files_unreachable`; `digest_mismatch` for one that is another.
    pub async fn local(&self, sha256: &str) -> Result<Local, ApiError> {
        let Some(s3) = &self.s3 else { return Ok(Local { path: self.path(sha256), copy: None }) };
        let mut pieces = s3.read(sha256, None).await?;
        let mut incoming = self.begin().await?;
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| s3.unreachable().detail(error))?;
            incoming.write(&piece).await?;
        }
        let copy = incoming.finish().await?;
        if copy.sha256 != sha256 {
            let error = ApiError::new(ErrorCode::DigestMismatch).with("file", sha256);
            return Err(error.with("expected", sha256).with("actual", &copy.sha256));
        }
        Ok(Local { path: copy.temporary.path().to_owned(), copy: Some(copy) })
    }

    /// Removes the files that nothing refers to any more; how many.
    pub async fn collect(&self, db: &Db) -> Result<usize, ApiError> {
        let is_idle = db.call(|connection| {
            let now_s = now_s() as i64;
            connection.execute("DELETE FROM held_files WHERE until_s <= ?1", [now_s])?;
            let any = "SELECT 1 FROM file_removals LIMIT 1";
            Ok(connection.query_row(any, [], |_| Ok(())).optional()?.is_none())
        });
        if is_idle.await? {
            return Ok(0);
        }
        let Some(right) = self.may_remove()? else { return Ok(0) };
        let gate = self.gate().await?;
        let listed = db.call(|connection| {
            let mut select = connection.prepare_cached("SELECT sha256 FROM file_removals")?;
            let listed = select.query_map([], |row| row.get(0))?;
            let listed = listed.collect::<Result<Vec<String>, _>>()?;
            let is_free = |sha256: String| Ok((!is_referred_to(connection, &sha256)?, sha256));
            listed.into_iter().map(is_free).collect::<sql::Result<Vec<_>>>()
        });
        let mut n_removed = 0;
        for (is_free, sha256) in listed.await? {
            if is_free && is_sha256_hex(&sha256) {
                match self.remove(&sha256).await {
                    Ok(true) => n_removed += 1,
                    Ok(false) => {}
                    // The others would fare no better.
                    Err(error) if error.code == ErrorCode::FilesUnreachable => return Err(error),
                    Err(error) => {
                        tracing::warn!(sha256, %error, "not removed");
                        continue;
                    }
                }
            }
            let sql = "DELETE FROM file_removals WHERE sha256 = ?1";
            db.call(move |connection| connection.execute(sql, [&sha256])).await?;
        }
        drop((gate, right));
        Ok(n_removed)
    }

    async fn remove(&self, sha256: &str) -> Result<bool, ApiError> {
        if let Some(s3) = &self.s3 {
            return s3.remove(sha256).await.map(|()| true);
        }
        let path = self.path(sha256);
        match tokio::fs::remove_file(&path).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(storage_error(&path, &error)),
        }
    }

    /// Removes what a process left behind that was killed: parts of files, and whole ones that no row
    /// came to refer to. Only who owns the documents may.
    pub async fn sweep(&self, db: &Db) -> Result<(), ApiError> {
        let Some(right) = self.may_remove()? else { return Ok(()) };
        let gate = self.gate().await?;
        temporary::sweep_in(&self.incoming());
        let files = self.clone();
        let swept = db.call(move |connection| {
            let orphans = files.orphans(connection)?;
            for path in orphans {
                tracing::info!(path = %path.display(), "removed: nothing refers to it");
                let _ = fs::remove_file(path);
            }
            Ok(())
        });
        swept.await?;
        drop((gate, right));
        Ok(())
    }

    fn orphans(&self, connection: &Connection) -> sql::Result<Vec<PathBuf>> {
        let mut orphans = Vec::new();
        let entries = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten();
        for folder in entries(&self.dir).filter(|entry| entry.path().is_dir()) {
            for entry in entries(&folder.path()) {
                let name = entry.file_name().to_string_lossy().into_owned();
                if is_sha256_hex(&name) && !is_referred_to(connection, &name)? {
                    orphans.push(entry.path());
                }
            }
        }
        Ok(orphans)
    }
}

impl Incoming {
    /// # Errors
    /// `document_too_large`, `disk_full`, `storage_failed`.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        self.size_bytes += bytes.len() as u64;
        if self.size_bytes > self.max_bytes {
            return Err(too_large(self.max_bytes));
        }
        self.hash.update(bytes);
        let written = self.file.write_all(bytes).await;
        written.map_err(|error| storage_error(self.temporary.path(), &error))
    }

    /// # Errors
    /// `disk_full`, `storage_failed`.
    pub async fn finish(mut self) -> Result<Received, ApiError> {
        let synced = match self.file.flush().await {
            Ok(()) => self.file.sync_all().await,
            Err(error) => Err(error),
        };
        synced.map_err(|error| storage_error(self.temporary.path(), &error))?;
        Ok(Received {
            temporary: self.temporary,
            sha256: hex(self.hash),
            size_bytes: self.size_bytes,
        })
    }
}

fn gate(dir: &Path) -> Result<Gate, ApiError> {
    let path = dir.join("gate.lock");
    let locked = fs::create_dir_all(dir)
        .and_then(|()| File::options().create(true).append(true).open(&path))
        .and_then(|file| file.lock().map(|()| file));
    locked.map(Gate).map_err(|error| storage_error(&path, &error))
}

/// Whether a document, a job, an upload or somebody's attachment has it.
pub fn is_referred_to(connection: &Connection, sha256: &str) -> sql::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM documents WHERE sha256 = ?1)
        OR EXISTS (SELECT 1 FROM jobs WHERE sha256 = ?1)
        OR EXISTS (SELECT 1 FROM held_files WHERE sha256 = ?1)
        OR EXISTS (SELECT 1 FROM attachments WHERE sha256 = ?1)";
    connection.prepare_cached(sql)?.query_row([sha256], |row| row.get(0))
}

/// Bytes of all files that documents, jobs, uploads and attachments refer to.
pub fn total_bytes(connection: &Connection) -> sql::Result<u64> {
    let sql = "SELECT coalesce(sum(size_bytes), 0) FROM (
        SELECT sha256, size_bytes FROM documents WHERE sha256 IS NOT NULL
        UNION SELECT sha256, size_bytes FROM jobs UNION SELECT sha256, size_bytes FROM held_files
        UNION SELECT sha256, size_bytes FROM attachments) kept";
    connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|bytes| bytes as u64)
}

pub fn too_large(max_bytes: u64) -> ApiError {
    ApiError::new(ErrorCode::PayloadTooLarge).with("max_bytes", max_bytes)
}

/// A full disk by its name.
pub fn storage_error(path: &Path, error: &io::Error) -> ApiError {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let code = match error.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => ErrorCode::DiskFull,
        _ => ErrorCode::StorageFailed,
    };
    let folder = path.parent().unwrap_or(path);
    ApiError::new(code).with("path", folder.display()).detail(error)
}
