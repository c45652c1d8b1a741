//! What of a data folder is in a backup?

use std::path::{Path, PathBuf};

use portico_shared::error::ApiError;
use portico_shared::manifest::is_sha256_hex;
use rusqlite::Connection;

use super::about::{ModelFile, StoredFile};
use super::snapshot::failed;
use crate::config::{self, Config, Secret, Store};
use crate::files::FileStore;
use crate::models::{FileState, Layout, Library, ModelsError};
use crate::vault::{self, KeyFile};

/// Where files lie that are named by their content.
const FILES: &str = "files";

/// Queries of SHA-256 and size, each with the table that it needs: what the database refers to.
const REFERRED: &[(&str, &str)] = &[
    ("documents", "SELECT sha256, size_bytes FROM documents WHERE sha256 IS NOT NULL"),
    ("jobs", "SELECT sha256, size_bytes FROM jobs"),
    ("held_files", "SELECT sha256, size_bytes FROM held_files"),
    ("attachments", "SELECT sha256, size_bytes FROM attachments"),
];

/// A file that is copied.
#[derive(Clone, Debug)]
pub struct Part {
    /// Below the data folder, `/` between.
    pub name: String,
    pub from: From,
    pub size_bytes: u64,
    /// What its bytes must be.
    pub sha256: Option<String>,
}

/// Where a part is read.
#[derive(Clone, Debug)]
pub enum From {
    Path(PathBuf),
    /// On the machine that keeps the documents' files.
    Store(String),
}

/// Documents' files that a database refers to, each once.
///
/// # Errors
/// `storage_failed`
pub fn referred(connection: &Connection, path: &Path) -> Result<Vec<StoredFile>, ApiError> {
    let mut files = Vec::new();
    let listed: rusqlite::Result<()> = REFERRED.iter().try_for_each(|(table, sql)| {
        if !has_table(connection, table)? {
            return Ok(());
        }
        let mut select = connection.prepare(sql)?;
        let rows = select.query_map([], |row| {
            let size_bytes = row.get::<_, Option<i64>>(1)?.unwrap_or_default().max(0) as u64;
            Ok(StoredFile { sha256: row.get(0)?, size_bytes })
        })?;
        for row in rows {
            files.push(row?);
        }
        Ok(())
    });
    listed.map_err(|error| failed(path, &error))?;
    files.retain(|file: &StoredFile| is_sha256_hex(&file.sha256));
    files.sort_by(|a, b| a.sha256.cmp(&b.sha256));
    files.dedup_by(|a, b| a.sha256 == b.sha256);
    Ok(files)
}

pub fn has_table(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1)";
    connection.query_row(sql, [table], |row| row.get(0))
}

/// `files/ab/abcdef…`
pub fn stored_name(sha256: &str) -> String {
    format!("{FILES}/{}/{sha256}", sha256.get(..2).unwrap_or("--"))
}

/// Documents' files of the folder; and those that are not there.
pub fn in_folder(data_dir: &Path, files: &[StoredFile]) -> (Vec<Part>, Vec<String>) {
    let (mut parts, mut missing) = (Vec::new(), Vec::new());
    for StoredFile { sha256, .. } in files {
        let name = stored_name(sha256);
        let path = data_dir.join(&name);
        match std::fs::metadata(&path) {
            Ok(meta) if meta.is_file() => parts.push(Part {
                name,
                from: From::Path(path),
                size_bytes: meta.len(),
                sha256: Some(sha256.clone()),
            }),
            _ => missing.push(sha256.clone()),
        }
    }
    (parts, missing)
}

/// Documents' files of the store, to be fetched from there.
pub fn in_store(files: &[StoredFile]) -> Vec<Part> {
    let part = |file: &StoredFile| Part {
        name: stored_name(&file.sha256),
        from: From::Store(file.sha256.clone()),
        size_bytes: file.size_bytes,
        sha256: Some(file.sha256.clone()),
    };
    files.iter().map(part).collect()
}

/// Configuration, catalogue and the key of secrets, as far as they are files. A key that the configuration
/// names is kept by whoever did that; one of the data folder stays where that is wanted.
pub fn settings(layout: &Layout, config_path: &Path, key: &KeyFile, with_key: bool) -> Vec<Part> {
    let key = (with_key && !key.is_named).then(|| (vault::FILE_NAME, key.path.clone()));
    let named = [
        (config::FILE_NAME, config_path.to_owned()),
        ("models.toml", layout.catalogue()),
        ("models.lock.toml", layout.lock()),
    ];
    let part = |(name, path): (&str, PathBuf)| {
        let meta = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?;
        let (from, size_bytes) = (From::Path(path), meta.len());
        Some(Part { name: name.to_owned(), from, size_bytes, sha256: None })
    };
    named.into_iter().chain(key).filter_map(part).collect()
}

/// The models that are here, and of them what is copied: the descriptions of those that were added by
/// hand, and the weights where that is wanted.
pub fn models(
    library: &Library,
    is_wanted: bool,
) -> Result<(Vec<ModelFile>, Vec<Part>), ModelsError> {
    let (mut listed, mut parts) = (Vec::new(), Vec::new());
    for entry in library.look()?.available() {
        let id = &entry.model.id;
        for (file, state) in entry.model.files.iter().zip(&entry.files) {
            let FileState::Present { size_bytes } = *state else { continue };
            listed.push(ModelFile {
                model: id.clone(),
                file: file.name.clone(),
                size_bytes,
                sha256: file.sha256.clone(),
                added: entry.added,
                included: is_wanted,
            });
            if is_wanted {
                parts.push(Part {
                    name: format!("models/{id}/{}", file.name),
                    from: From::Path(library.layout.file(id, &file.name)),
                    size_bytes,
                    sha256: file.sha256.clone(),
                });
            }
        }
        if let Some(meta) = std::fs::metadata(library.layout.entry(id)).ok().filter(|_| entry.added)
        {
            parts.push(Part {
                name: format!("models/{id}/model.toml"),
                from: From::Path(library.layout.entry(id)),
                size_bytes: meta.len(),
                sha256: None,
            });
        }
    }
    Ok((listed, parts))
}

/// Where the configuration's secrets come from; none of them is copied.
pub fn secrets(config: &Config, key: &KeyFile, with_key: bool) -> Vec<String> {
    let named = |secret: &Secret| match secret {
        Secret::Env(name) => name.clone(),
        Secret::File(path) => path.display().to_string(),
    };
    let upstreams =
        config.upstreams.iter().filter_map(|upstream| upstream.get_ref().api_key.as_ref());
    let mut secrets: Vec<String> = upstreams.map(named).collect();
    if config.files.store == Store::S3 {
        secrets.extend([&config.files.access_key, &config.files.secret_key].map(named));
    }
    let oidc = config.people.oidc.as_ref().and_then(|oidc| oidc.client_secret.as_ref());
    secrets.extend(oidc.map(named));
    let vectors = &config.documents.vectors;
    secrets.extend(vectors.api_key_file.as_ref().map(|path| path.display().to_string()));
    if key.is_named || !with_key && key.path.exists() {
        secrets.push(key.path.display().to_string());
    }
    secrets.sort();
    secrets.dedup();
    secrets
}

/// As people are told where documents' files lie; none where they lie in the data folder.
pub fn store_name(files: &FileStore) -> Option<String> {
    files.elsewhere().map(str::to_owned)
}
