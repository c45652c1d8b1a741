//! One model's weights on this device: each chunk on disk, in memory, or not there.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use js_sys::Uint8Array;
use portico_shared::manifest::{CHUNK_BYTES, Manifest};
use portico_weights::chunk_set::ChunkSet;
use portico_weights::journal;

use super::opfs::{Folder, SyncFile};
use crate::js::error::JsError;

/// Names of a weights file's parts in the folder.
pub fn data_name(sha256: &str) -> String {
    format!("{sha256}.gguf")
}

pub fn journal_name(sha256: &str) -> String {
    format!("{sha256}.journal")
}

pub fn manifest_name(sha256: &str) -> String {
    format!("{sha256}.manifest")
}

pub fn used_name(sha256: &str) -> String {
    format!("{sha256}.used")
}

/// Where a chunk was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    OnDisk,
    InMemory,
}

/// A weights file, whole or in part. Chunks that are here were verified when they came.
pub struct WeightsFile {
    manifest: Rc<Manifest>,
    disk: RefCell<Option<Disk>>,
    /// Chunks that found no room on disk, as buffers outside the Wasm memory.
    memory: RefCell<BTreeMap<usize, Uint8Array>>,
    present: RefCell<ChunkSet>,
    /// Nothing more goes to disk.
    disk_is_full: Cell<bool>,
}

struct Disk {
    data: SyncFile,
    journal: SyncFile,
    /// Where the next record goes.
    journal_bytes: u64,
}

impl WeightsFile {
    /// A file that lives in memory alone.
    pub fn in_memory(manifest: Rc<Manifest>) -> Self {
        let present = ChunkSet::empty(manifest.chunks.len());
        Self {
            manifest,
            disk: RefCell::new(None),
            memory: RefCell::default(),
            present: RefCell::new(present),
            disk_is_full: Cell::new(true),
        }
    }

    /// Opens or makes the file in `folder` and reads its journal.
    pub async fn on_disk(folder: &Folder, manifest: Rc<Manifest>) -> Result<Self, JsError> {
        let sha256 = &manifest.sha256;
        let data = folder.open_file(&data_name(sha256)).await?;
        let journal = folder.open_file(&journal_name(sha256)).await?;
        let old = Uint8Array::new_with_length(journal.size_bytes()? as u32);
        journal.read(0, &old)?;
        let replay = journal::replay(&manifest, &old.to_vec());
        let mut journal_bytes = replay.end_bytes as u64;
        if journal_bytes == 0 {
            let header = journal::header(&manifest);
            journal.truncate(0)?;
            journal.write(0, &Uint8Array::from(&header[..]))?;
            journal.flush()?;
            journal_bytes = header.len() as u64;
        }
        let mut present = replay.verified;
        // A chunk that the journal knows and the disk lost is not there.
        let data_bytes = data.size_bytes()?;
        for chunk in 0..manifest.chunks.len() {
            let end_bytes = chunk as u64 * CHUNK_BYTES + manifest.chunks[chunk].size_bytes;
            if end_bytes > data_bytes {
                present.set(chunk, false);
            }
        }
        Ok(Self {
            manifest,
            disk: RefCell::new(Some(Disk { data, journal, journal_bytes })),
            memory: RefCell::default(),
            present: RefCell::new(present),
            disk_is_full: Cell::new(false),
        })
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub fn present(&self) -> ChunkSet {
        self.present.borrow().clone()
    }

    pub fn present_bytes(&self) -> u64 {
        self.present.borrow().iter().map(|chunk| self.manifest.chunks[chunk].size_bytes).sum()
    }

    pub fn is_whole(&self) -> bool {
        self.present.borrow().is_full()
    }

    /// Whether all that is here will be here tomorrow.
    pub fn is_persistent(&self) -> bool {
        self.disk.borrow().is_some() && self.memory.borrow().is_empty() && !self.disk_is_full.get()
    }

    /// From now on chunks go to memory.
    pub fn keep_in_memory(&self) {
        self.disk_is_full.set(true);
    }

    /// Keeps a chunk whose digest was checked: first its bytes, then the word that they are there.
    ///
    /// # Errors
    /// What the disk says; then the chunk is not kept and may be put again.
    pub fn put(&self, chunk: usize, bytes: &Uint8Array) -> Result<Kept, JsError> {
        if self.disk_is_full.get() {
            self.memory.borrow_mut().insert(chunk, bytes.slice(0, bytes.length()));
            self.present.borrow_mut().set(chunk, true);
            return Ok(Kept::InMemory);
        }
        if let Some(disk) = self.disk.borrow_mut().as_mut() {
            disk.data.write(chunk as u64 * CHUNK_BYTES, bytes)?;
            disk.data.flush()?;
            disk.record(&self.manifest, chunk, true)?;
        }
        self.present.borrow_mut().set(chunk, true);
        Ok(Kept::OnDisk)
    }

    /// Reads a chunk into the front of `buffer`. What comes was verified once; disks rot, so it is
    /// to be hashed again before it is used.
    ///
    /// # Errors
    /// The chunk cannot be read, or is shorter than it should be.
    pub fn get(&self, chunk: usize, buffer: &Uint8Array) -> Result<Uint8Array, JsError> {
        let size_bytes = self.manifest.chunks[chunk].size_bytes as u32;
        let part = buffer.subarray(0, size_bytes);
        if let Some(bytes) = self.memory.borrow().get(&chunk) {
            part.set(bytes, 0);
            return Ok(part);
        }
        let read_bytes = match self.disk.borrow().as_ref() {
            Some(disk) => disk.data.read(chunk as u64 * CHUNK_BYTES, &part)?,
            None => 0,
        };
        if read_bytes == size_bytes {
            return Ok(part);
        }
        Err(JsError {
            name: "NotReadableError".to_owned(),
            message: format!("chunk {chunk}: {read_bytes} of {size_bytes} bytes"),
        })
    }

    /// Lets go of the disk and the memory: the file is about to be deleted.
    pub fn close(&self) {
        self.disk.take();
        self.memory.take();
        *self.present.borrow_mut() = ChunkSet::empty(self.manifest.chunks.len());
    }

    /// A chunk turned out to be damaged: it is not here any more.
    pub fn forget(&self, chunk: usize) -> Result<(), JsError> {
        self.present.borrow_mut().set(chunk, false);
        if self.memory.borrow_mut().remove(&chunk).is_none()
            && let Some(disk) = self.disk.borrow_mut().as_mut()
        {
            disk.record(&self.manifest, chunk, false)?;
        }
        Ok(())
    }
}

impl Disk {
    fn record(&mut self, manifest: &Manifest, chunk: usize, present: bool) -> Result<(), JsError> {
        let record = journal::record(manifest, chunk, present);
        self.journal.write(self.journal_bytes, &Uint8Array::from(&record[..]))?;
        self.journal.flush()?;
        self.journal_bytes += record.len() as u64;
        Ok(())
    }
}
