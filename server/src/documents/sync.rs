//! How does a folder stay a collection? New files come in, changed ones replace, removed ones go.
//!
//! A file whose size and time of change are as they were is not read again. Links are not followed,
//! hidden files and editors' own are left out. A folder that cannot be read, or is empty where it was
//! not, removes nothing: a disk that is not mounted is no deletion.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use portico_shared::error::{ApiError, ErrorCode};
use tokio::io::AsyncReadExt as _;

use super::passages::internal;
use super::{Arrival, Documents, Taken};
use crate::files::{Received, storage_error, too_large};
use crate::models::sha256::BLOCK_BYTES;
use crate::people::{Right, Rights};

/// What a look at a folder came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncReport {
    pub n_new: usize,
    pub n_changed: usize,
    pub n_unchanged: usize,
    pub n_duplicates: usize,
    pub n_removed: usize,
    /// What could not be taken in, and why.
    pub refused: Vec<(String, ApiError)>,
}

impl SyncReport {
    /// Whether anything was added, replaced or removed.
    pub fn has_changes(&self) -> bool {
        self.n_new + self.n_changed + self.n_duplicates + self.n_removed > 0
    }

    pub(super) fn count(&mut self, taken: Taken) {
        match taken {
            Taken::New(_) => self.n_new += 1,
            Taken::Replaced(_) => self.n_changed += 1,
            Taken::Unchanged(_) => self.n_unchanged += 1,
            Taken::Duplicate(_) => self.n_duplicates += 1,
        }
    }
}

/// A file of the folder.
struct Seen {
    path: PathBuf,
    size_bytes: u64,
    date_s: i64,
    /// Size and time of change, as text.
    stamp: String,
}

#[derive(Default)]
struct Walk {
    /// By their path below the root, with `/` between.
    files: BTreeMap<String, Seen>,
    refused: Vec<(String, ApiError)>,
    /// Whether a folder could not be read.
    is_partial: bool,
}

impl Documents {
    /// Brings a collection's documents of a folder, or of one file, to what lies there now.
    ///
    /// # Errors
    /// `collection_not_found`, `collection_read_only`; `storage_failed` when the path cannot be read;
    /// `invalid_request` for a folder that is empty and was not; `disk_full`, `documents_full`. What
    /// is wrong with one file is in the report.
    pub async fn sync(
        &self,
        rights: &Rights,
        collection: &str,
        path: &Path,
    ) -> Result<SyncReport, ApiError> {
        self.require(rights, collection, Right::Contribute).await?;
        let path = path.to_owned();
        let (root, is_folder, walk) =
            tokio::task::spawn_blocking(move || look(&path)).await.map_err(internal)??;
        let known = self.known_places(collection, &root).await?;
        if is_folder && walk.files.is_empty() && !walk.is_partial && !known.is_empty() {
            let reason = format!("{root} is empty, and {} documents come from it", known.len());
            return Err(ApiError::new(ErrorCode::InvalidRequest).with("reason", reason));
        }
        let mut report = SyncReport { refused: walk.refused, ..SyncReport::default() };
        for (place, seen) in &walk.files {
            if known.get(place).is_some_and(|stamp| *stamp == seen.stamp) {
                report.n_unchanged += 1;
                continue;
            }
            match self.take_file(rights, collection, &root, place, seen).await {
                Ok(taken) => report.count(taken),
                // Nothing more would fit, or could be put anywhere.
                Err(error)
                    if matches!(
                        error.code,
                        ErrorCode::DiskFull
                            | ErrorCode::DocumentsFull
                            | ErrorCode::FilesUnreachable
                    ) =>
                {
                    return Err(error);
                }
                Err(error) => report.refused.push((place.clone(), error)),
            }
        }
        if is_folder && !walk.is_partial {
            let refused: BTreeSet<&str> =
                report.refused.iter().map(|(place, _)| place.as_str()).collect();
            let is_gone = |place: &&String| {
                !walk.files.contains_key(*place) && !refused.contains(place.as_str())
            };
            let gone: Vec<String> = known.keys().filter(is_gone).cloned().collect();
            for place in gone {
                if self.remove_place(rights, collection, &root, &place).await? {
                    report.n_removed += 1;
                }
                self.forget_stamp(collection, &root, &place).await?;
            }
        }
        Ok(report)
    }

    async fn take_file(
        &self,
        rights: &Rights,
        collection: &str,
        root: &str,
        place: &str,
        seen: &Seen,
    ) -> Result<Taken, ApiError> {
        let received = self.receive_file(&seen.path, seen.size_bytes).await?;
        let arrival = Arrival {
            collection: collection.to_owned(),
            root: root.to_owned(),
            place: place.to_owned(),
            name: super::intake::file_name(place),
            media_type: None,
            date_s: seen.date_s,
        };
        let taken = self.take_in(rights, arrival, received).await?;
        let (collection, root, place) = (collection.to_owned(), root.to_owned(), place.to_owned());
        let stamp = seen.stamp.clone();
        let noted = self.db.call(move |connection| {
            let sql = "INSERT INTO synced (collection, root, place, stamp) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (collection, root, place) DO UPDATE SET stamp = excluded.stamp";
            connection.execute(sql, (collection, root, place, stamp))
        });
        noted.await?;
        super::step("stamp noted");
        Ok(taken)
    }

    /// A copy of a file of this machine.
    async fn receive_file(&self, path: &Path, size_bytes: u64) -> Result<Received, ApiError> {
        let max_bytes = self.files.max_file_bytes();
        if size_bytes > max_bytes {
            return Err(too_large(max_bytes));
        }
        let failed = |error| storage_error(path, &error);
        let mut file = tokio::fs::File::open(path).await.map_err(failed)?;
        let mut incoming = self.files.begin().await?;
        let mut block = vec![0; BLOCK_BYTES];
        loop {
            let n = file.read(&mut block).await.map_err(failed)?;
            if n == 0 {
                return incoming.finish().await;
            }
            incoming.write(&block[..n]).await?;
        }
    }

    /// Places of a root that have a document, with how each was when it was last taken in.
    pub(super) async fn known_places(
        &self,
        collection: &str,
        root: &str,
    ) -> Result<BTreeMap<String, String>, ApiError> {
        let (collection, root) = (collection.to_owned(), root.to_owned());
        let known = self.db.call(move |connection| {
            let sql = "SELECT place, coalesce((SELECT stamp FROM synced s WHERE
                    s.collection = ?1 AND s.root = ?2 AND s.place = p.place), '')
                FROM (SELECT place FROM documents WHERE collection = ?1 AND root = ?2
                    UNION SELECT place FROM document_places WHERE collection = ?1 AND root = ?2) p";
            let mut select = connection.prepare_cached(sql)?;
            let rows =
                select.query_map((collection, root), |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<_, _>>()
        });
        Ok(known.await?)
    }

    async fn forget_stamp(
        &self,
        collection: &str,
        root: &str,
        place: &str,
    ) -> Result<(), ApiError> {
        let (collection, root, place) = (collection.to_owned(), root.to_owned(), place.to_owned());
        let sql = "DELETE FROM synced WHERE collection = ?1 AND root = ?2 AND place = ?3";
        self.db.call(move |connection| connection.execute(sql, (collection, root, place))).await?;
        Ok(())
    }
}

/// The root's name, whether it is a folder, and what lies there.
fn look(path: &Path) -> Result<(String, bool, Walk), ApiError> {
    let failed = |error| storage_error(path, &error);
    let path = path.canonicalize().map_err(failed)?;
    let meta = path.metadata().map_err(failed)?;
    let mut walk = Walk::default();
    if meta.is_dir() {
        std::fs::read_dir(&path).map_err(failed)?;
        walk.folder(&path, "");
        return Ok((path.to_string_lossy().into_owned(), true, walk));
    }
    let folder = path.parent().unwrap_or(&path).to_string_lossy().into_owned();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    walk.files.insert(name, Seen::new(path, &meta));
    Ok((folder, false, walk))
}

impl Seen {
    fn new(path: PathBuf, meta: &Metadata) -> Self {
        let since = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let since = since.unwrap_or_default();
        let stamp = format!("{}-{}", meta.len(), since.as_nanos());
        let date_s = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        Self { path, size_bytes: meta.len(), date_s, stamp }
    }
}

impl Walk {
    fn folder(&mut self, folder: &Path, below: &str) {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                self.is_partial = true;
                self.refused.push((below.to_owned(), storage_error(folder, &error)));
                return;
            }
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let lossy = name.to_string_lossy();
            if is_left_out(&lossy) {
                continue;
            }
            let place = match below {
                "" => lossy.clone().into_owned(),
                below => format!("{below}/{lossy}"),
            };
            if name.to_str().is_none() {
                let reason = "the file's name is not UTF-8";
                let error = ApiError::new(ErrorCode::InvalidRequest).with("reason", reason);
                self.refused.push((place, error));
                continue;
            }
            match entry.metadata() {
                // Of a link this is the link's own, which is neither.
                Ok(meta) if meta.is_dir() => self.folder(&entry.path(), &place),
                Ok(meta) if meta.is_file() => {
                    self.files.insert(place, Seen::new(entry.path(), &meta));
                }
                Ok(_) => {}
                Err(error) => {
                    self.is_partial = true;
                    self.refused.push((place, storage_error(&entry.path(), &error)));
                }
            }
        }
    }
}

/// Hidden files, and those that editors and file managers leave.
fn is_left_out(name: &str) -> bool {
    name.starts_with('.')
        || name.starts_with("~$")
        || name.ends_with('~')
        || matches!(name.to_ascii_lowercase().as_str(), "thumbs.db" | "desktop.ini")
}
