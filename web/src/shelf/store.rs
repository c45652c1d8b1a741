//! Files of documents in the origin's private file system: a folder `documents`, `<id>.<part>` in it. A
//! part that is not whole ([`record`]) counts as none.

use js_sys::Uint8Array;
use portico_library::shelf::record;
use portico_shared::error::{ApiError, ErrorCode};
use uuid::Uuid;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DedicatedWorkerGlobalScope, FileSystemDirectoryHandle, FileSystemFileHandle,
    FileSystemGetDirectoryOptions, FileSystemGetFileOptions, FileSystemReadWriteOptions,
    FileSystemSyncAccessHandle,
};

const FOLDER: &str = "documents";
/// The one that makes the document goes first, when it is removed.
const PARTS: [&str; 3] = ["doc", "vec", "file"];

/// The folder.
pub struct Store {
    folder: FileSystemDirectoryHandle,
}

impl Store {
    /// # Errors
    /// `device_storage_full`, `device_storage_refused`.
    pub async fn open() -> Result<Self, ApiError> {
        let refused = |error: JsValue| storage_error(&error);
        let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
        let storage = scope.navigator().storage();
        if storage.is_undefined() {
            return Err(
                ApiError::new(ErrorCode::DeviceStorageRefused).detail("not a secure context")
            );
        }
        let root = JsFuture::from(storage.get_directory()).await.map_err(refused)?;
        let create = FileSystemGetDirectoryOptions::new();
        create.set_create(true);
        let root: FileSystemDirectoryHandle = root.unchecked_into();
        let folder = root.get_directory_handle_with_options(FOLDER, &create);
        let folder = JsFuture::from(folder).await.map_err(refused)?.unchecked_into();
        Ok(Self { folder })
    }

    /// Of whatever there is a part.
    pub async fn ids(&self) -> Result<Vec<Uuid>, ApiError> {
        let keys = self.folder.keys();
        let mut ids = Vec::new();
        loop {
            let next = keys.next().map_err(|error| storage_error(&error))?;
            let next = JsFuture::from(next).await.map_err(|error| storage_error(&error))?;
            let next: js_sys::IteratorNext = next.unchecked_into();
            if next.done() {
                ids.sort_unstable();
                ids.dedup();
                return Ok(ids);
            }
            let name = next.value().as_string().unwrap_or_default();
            ids.extend(name.split('.').next().and_then(|id| id.parse::<Uuid>().ok()));
        }
    }

    /// A part's content; none where there is none, or not all of it.
    pub async fn read(&self, id: Uuid, part: &str) -> Result<Option<Vec<u8>>, ApiError> {
        let handle = JsFuture::from(self.folder.get_file_handle(&format!("{id}.{part}"))).await;
        let Ok(handle) = handle else { return Ok(None) };
        let handle: FileSystemFileHandle = handle.unchecked_into();
        let file =
            JsFuture::from(handle.get_file()).await.map_err(|error| storage_error(&error))?;
        let file: web_sys::File = file.unchecked_into();
        let bytes = JsFuture::from(file.array_buffer()).await;
        let bytes = Uint8Array::new(&bytes.map_err(|error| storage_error(&error))?).to_vec();
        Ok(record::content(&bytes).map(<[u8]>::to_vec))
    }

    /// Writes a part; its head comes last, when the rest is on the disk.
    ///
    /// # Errors
    /// `device_storage_full`, `device_storage_refused`.
    pub async fn write(&self, id: Uuid, part: &str, content: &[u8]) -> Result<(), ApiError> {
        let name = format!("{id}.{part}");
        let written = self.write_named(&name, content).await;
        if written.is_err() {
            // What was written of it counts as none, and takes room.
            JsFuture::from(self.folder.remove_entry(&name)).await.ok();
        }
        written.map_err(|error| storage_error(&error))
    }

    async fn write_named(&self, name: &str, content: &[u8]) -> Result<(), JsValue> {
        let create = FileSystemGetFileOptions::new();
        create.set_create(true);
        let handle = self.folder.get_file_handle_with_options(name, &create);
        let handle: FileSystemFileHandle = JsFuture::from(handle).await?.unchecked_into();
        let file = JsFuture::from(handle.create_sync_access_handle()).await?;
        let file = Open(file.unchecked_into());
        file.0.truncate_with_u32(0)?;
        file.write(record::HEAD_BYTES, content)?;
        file.0.flush()?;
        file.write(0, &record::head(content))?;
        file.0.flush()
    }

    /// Removes all that there is of a document.
    pub async fn remove(&self, id: Uuid) -> Result<(), ApiError> {
        for part in PARTS {
            let removed = JsFuture::from(self.folder.remove_entry(&format!("{id}.{part}"))).await;
            match removed {
                Err(error) if name(&error) != "NotFoundError" => return Err(storage_error(&error)),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Closed when dropped.
struct Open(FileSystemSyncAccessHandle);

impl Open {
    fn write(&self, at: usize, bytes: &[u8]) -> Result<(), JsValue> {
        let options = FileSystemReadWriteOptions::new();
        options.set_at(at as f64);
        let data = Uint8Array::from(bytes);
        let written = self.0.write_with_buffer_source_and_options(&data, &options)?;
        if written as usize == bytes.len() {
            return Ok(());
        }
        // Some browsers write what fits and say so only by the number.
        let text = format!("{written} of {} bytes were written", bytes.len());
        let error = js_sys::Error::new(&text);
        error.set_name("QuotaExceededError");
        Err(error.into())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn storage_error(error: &JsValue) -> ApiError {
    let code = match name(error).as_str() {
        "QuotaExceededError" => ErrorCode::DeviceStorageFull,
        _ => ErrorCode::DeviceStorageRefused,
    };
    ApiError::new(code).detail(said(error))
}

fn name(error: &JsValue) -> String {
    let name = js_sys::Reflect::get(error, &"name".into()).ok();
    name.and_then(|name| name.as_string()).unwrap_or_default()
}

fn said(error: &JsValue) -> String {
    let message = js_sys::Reflect::get(error, &"message".into()).ok();
    let message = message.and_then(|text| text.as_string()).unwrap_or_default();
    format!("{}: {message}", name(error))
}
