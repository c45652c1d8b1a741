//! Where do weights lie on this device, and how do they get there?
//!
//! [`Store`] knows the files; [`download::Download`] fetches one. Only the leader opens a store.

pub mod download;
mod fetch;
mod file;
mod opfs;
mod quota;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

pub use fetch::{FetchError, manifest_from_server};
pub use file::{Kept, WeightsFile};
use portico_shared::manifest::{Manifest, is_sha256_hex};
use portico_weights::eviction::{StoredFile, files_to_evict};
use portico_weights::journal;

use crate::js::error::JsError;
use crate::js::scope::{log_error, wall_ms};
use crate::protocol::StorageReport;
use file::{data_name, journal_name, manifest_name, used_name};
use opfs::Folder;

/// All weights on this device.
pub struct Store {
    /// None: the browser refused, everything lives in memory.
    folder: Option<Folder>,
    /// By SHA-256 of the file.
    entries: RefCell<BTreeMap<String, Entry>>,
    /// Something found no room on disk.
    overflowed: Cell<bool>,
}

struct Entry {
    manifest: Rc<Manifest>,
    last_used_ms: u64,
    /// What the journal said at the start; the open file knows better.
    present_bytes: u64,
    /// Once somebody has asked for it.
    file: Option<Rc<WeightsFile>>,
}

impl Entry {
    fn present_bytes(&self) -> u64 {
        self.file.as_ref().map_or(self.present_bytes, |file| file.present_bytes())
    }
}

/// How much of a model is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    pub model: String,
    pub present_bytes: u64,
    pub total_bytes: u64,
}

impl Store {
    /// Opens the store and throws away what no manifest explains. Never fails: without a file
    /// system there is memory.
    pub async fn open() -> Self {
        let folder = match Folder::open().await {
            Ok(folder) => Some(folder),
            Err(error) => {
                log_error(&format!("no file system, weights stay in memory: {error}"));
                None
            }
        };
        let store = Self { folder, entries: RefCell::default(), overflowed: Cell::new(false) };
        if let Some(folder) = &store.folder
            && let Err(error) = store.read_folder(folder).await
        {
            log_error(&format!("reading the weights folder: {error}"));
        }
        store
    }

    async fn read_folder(&self, folder: &Folder) -> Result<(), JsError> {
        let names = folder.names().await?;
        for name in &names {
            let Some((sha256, kind)) = name.split_once('.') else {
                folder.remove(name).await?;
                continue;
            };
            if kind != "manifest" {
                if !names.contains(&manifest_name(sha256)) {
                    folder.remove(name).await?;
                }
                continue;
            }
            let manifest = serde_json::from_slice::<Manifest>(&folder.read_small(name).await?).ok();
            let sound = manifest.filter(|manifest| {
                is_sha256_hex(sha256) && manifest.sha256 == sha256 && manifest.check().is_ok()
            });
            let Some(manifest) = sound else {
                remove_files(folder, sha256).await?;
                continue;
            };
            let journal = folder.read_small(&journal_name(sha256)).await?;
            let verified = journal::replay(&manifest, &journal).verified;
            let used = folder.read_small(&used_name(sha256)).await?;
            let entry = Entry {
                last_used_ms: used.try_into().map_or(0, u64::from_le_bytes),
                present_bytes: verified.iter().map(|i| manifest.chunks[i].size_bytes).sum(),
                manifest: Rc::new(manifest),
                file: None,
            };
            self.entries.borrow_mut().insert(sha256.to_owned(), entry);
        }
        Ok(())
    }

    /// Every model of which something is here.
    pub fn models(&self) -> Vec<Presence> {
        let entries = self.entries.borrow();
        entries
            .values()
            .map(|entry| Presence {
                model: entry.manifest.model.clone(),
                present_bytes: entry.present_bytes(),
                total_bytes: entry.manifest.size_bytes,
            })
            .collect()
    }

    pub fn model(&self, model: &str) -> Option<Presence> {
        self.models().into_iter().find(|presence| presence.model == model)
    }

    /// The manifest that was kept for `model`.
    pub fn manifest(&self, model: &str) -> Option<Rc<Manifest>> {
        let entries = self.entries.borrow();
        let entry = entries.values().find(|entry| entry.manifest.model == model)?;
        Some(entry.manifest.clone())
    }

    /// The file that `manifest` describes, opened or made. An older file of the same model leaves.
    /// Where the disk refuses, the file lives in memory.
    pub async fn file(&self, manifest: Manifest) -> Rc<WeightsFile> {
        let sha256 = manifest.sha256.clone();
        let known = self.entries.borrow_mut().get_mut(&sha256).and_then(|entry| {
            entry.last_used_ms = wall_ms();
            entry.file.clone()
        });
        if let Some(file) = known {
            return file;
        }
        let outdated: Vec<String> = {
            let entries = self.entries.borrow();
            let of_model = entries.values().filter(|e| e.manifest.model == manifest.model);
            of_model.map(|e| e.manifest.sha256.clone()).filter(|other| *other != sha256).collect()
        };
        for other in outdated {
            self.remove(&other).await;
        }

        let manifest = Rc::new(manifest);
        let file = match self.file_on_disk(&manifest).await {
            Ok(Some(file)) => file,
            Ok(None) => WeightsFile::in_memory(manifest.clone()),
            Err(error) => {
                log_error(&format!("{} stays in memory: {error}", manifest.model));
                WeightsFile::in_memory(manifest.clone())
            }
        };
        let file = Rc::new(file);
        let last_used_ms = wall_ms();
        let entry = Entry { manifest, last_used_ms, present_bytes: 0, file: Some(file.clone()) };
        self.entries.borrow_mut().insert(sha256, entry);
        self.note_overflow(&file);
        file
    }

    /// None: there is no disk, or no room on it.
    async fn file_on_disk(&self, manifest: &Rc<Manifest>) -> Result<Option<WeightsFile>, JsError> {
        let Some(folder) = &self.folder else { return Ok(None) };
        let sha256 = &manifest.sha256;
        let is_new = !self.entries.borrow().contains_key(sha256);
        if is_new {
            let json = serde_json::to_vec(&**manifest).unwrap_or_default();
            folder.write_small(&manifest_name(sha256), &json).await?;
        }
        folder.write_small(&used_name(sha256), &wall_ms().to_le_bytes()).await?;
        let file = WeightsFile::on_disk(folder, manifest.clone()).await?;
        let missing_bytes = manifest.size_bytes.saturating_sub(file.present_bytes());
        if missing_bytes > 0 && !self.make_room(missing_bytes, sha256).await {
            file.keep_in_memory();
        }
        Ok(Some(file))
    }

    /// Evicts least-used models until `need_bytes` fit beside `keep_sha256`. False: they never will.
    pub async fn make_room(&self, need_bytes: u64, keep_sha256: &str) -> bool {
        let (used_bytes, quota_bytes) = quota::used_and_quota_bytes().await;
        if quota_bytes == 0 {
            // Unknown: let the writes find out.
            return true;
        }
        let files: Vec<StoredFile> = {
            let entries = self.entries.borrow();
            let stored = entries.iter().map(|(sha256, entry)| StoredFile {
                sha256: sha256.clone(),
                stored_bytes: entry.present_bytes(),
                last_used_ms: entry.last_used_ms,
                in_use: sha256 == keep_sha256
                    || entry.file.as_ref().is_some_and(|file| Rc::strong_count(file) > 1),
            });
            stored.collect()
        };
        match files_to_evict(&files, need_bytes, used_bytes, quota_bytes) {
            Some(evicted) => {
                for file in evicted {
                    self.remove(&file.sha256).await;
                }
                true
            }
            None => false,
        }
    }

    /// Deletes a model from the device. Its file must not be in use.
    pub async fn remove_model(&self, model: &str) {
        let manifest = self.manifest(model);
        if let Some(manifest) = manifest {
            self.remove(&manifest.sha256).await;
        }
    }

    async fn remove(&self, sha256: &str) {
        if let Some(entry) = self.entries.borrow_mut().remove(sha256)
            && let Some(file) = entry.file
        {
            file.close();
        }
        if let Some(folder) = &self.folder
            && let Err(error) = remove_files(folder, sha256).await
        {
            log_error(&format!("removing weights: {error}"));
        }
    }

    /// Remembers that not all that is here will be here tomorrow.
    pub fn note_overflow(&self, file: &WeightsFile) {
        if !file.is_persistent() {
            self.overflowed.set(true);
        }
    }

    pub async fn report(&self) -> StorageReport {
        let (used_bytes, quota_bytes) = quota::used_and_quota_bytes().await;
        StorageReport {
            persistent_store: self.folder.is_some() && !self.overflowed.get(),
            persisted: quota::is_persisted().await,
            used_bytes,
            quota_bytes,
        }
    }
}

/// The manifest goes last: files without one are thrown away at the next start.
async fn remove_files(folder: &Folder, sha256: &str) -> Result<(), JsError> {
    for name in [data_name, journal_name, used_name, manifest_name] {
        folder.remove(&name(sha256)).await?;
    }
    Ok(())
}
