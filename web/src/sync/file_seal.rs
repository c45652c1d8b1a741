//! How are files of messages sealed and opened where the person's log is? `web/js/attachment_files.js` reads and
//! sends them in any tab, chunk by chunk; what it does with them is `portico_sealing`'s. The key does not leave
//! this Wasm.

use portico_sealing::{
    AccountKey, FILE_CHUNK_BYTES, FileDigest, FileOpener, FileSealer, SEALED_CHUNK_BYTES,
    file_digest, sealed_bytes,
};
use portico_shared::error::{ApiError, ErrorCode};
use portico_web::log_store::LogStore;
use wasm_bindgen::prelude::*;

use crate::net;
use crate::seal::Seal;
use crate::work::failed;

/// What seals the person's files and opens them; undefined where their log is plain.
///
/// # Errors
/// A JavaScript error with the table's one as JSON, so of all of these: `sync_log_sealed`, `sync_log_plain`,
/// `sign_in_needed`, else the server's or the store's.
#[wasm_bindgen(js_name = fileSeal)]
pub async fn file_seal() -> Result<Option<FileSeal>, JsValue> {
    let looked = async {
        let person = net::person().await?.ok_or_else(|| ApiError::new(ErrorCode::SignInNeeded))?;
        let store = LogStore::open().await.map_err(failed)?;
        Seal::look(&store, person).await
    };
    let seal = looked.await.map_err(thrown)?;
    Ok(seal.key().map(FileSeal::of))
}

#[wasm_bindgen]
pub struct FileSeal {
    key: AccountKey,
}

impl FileSeal {
    pub fn of(key: &AccountKey) -> Self {
        Self { key: key.clone() }
    }
}

#[wasm_bindgen]
impl FileSeal {
    /// Tells keys apart.
    #[wasm_bindgen(getter, js_name = keyId)]
    pub fn key_id(&self) -> String {
        self.key.id()
    }

    /// Bytes of a file in a chunk; the last one may be shorter.
    #[wasm_bindgen(getter, js_name = chunkBytes)]
    pub fn chunk_bytes(&self) -> f64 {
        FILE_CHUNK_BYTES as f64
    }

    /// The same of a sealed chunk.
    #[wasm_bindgen(getter, js_name = sealedChunkBytes)]
    pub fn sealed_chunk_bytes(&self) -> f64 {
        SEALED_CHUNK_BYTES as f64
    }

    /// How many bytes a file has when it is sealed.
    #[wasm_bindgen(js_name = sealedBytes)]
    pub fn sealed_bytes(&self, size_bytes: f64) -> f64 {
        sealed_bytes(size_bytes as u64) as f64
    }

    /// By what the server finds the file.
    #[wasm_bindgen(js_name = nameOf)]
    pub fn name_of(&self, sha256: &str) -> Result<String, JsValue> {
        Ok(self.key.file_name(&digest(sha256)?))
    }

    pub fn seal(&self, sha256: &str) -> Result<Sealing, JsValue> {
        Ok(Sealing(self.key.seal_file(digest(sha256)?)))
    }

    pub fn open(&self, sha256: &str) -> Result<Opening, JsValue> {
        Ok(Opening(self.key.open_file(digest(sha256)?)))
    }
}

/// A file on its way to the server.
#[wasm_bindgen]
pub struct Sealing(FileSealer);

#[wasm_bindgen]
impl Sealing {
    pub fn next(&mut self, chunk: &[u8], is_last: bool) -> Result<Vec<u8>, JsValue> {
        self.0.next(chunk, is_last).map_err(thrown)
    }

    /// Of the sealed file, after its last chunk.
    #[wasm_bindgen(js_name = sealedSha256)]
    pub fn sealed_sha256(&self) -> Result<String, JsValue> {
        self.0.sealed_digest().map_err(thrown)
    }
}

/// A file that came from there.
#[wasm_bindgen]
pub struct Opening(FileOpener);

#[wasm_bindgen]
impl Opening {
    /// What is in the next chunk; the file may be used after the last one.
    pub fn next(&mut self, sealed: &[u8], is_last: bool) -> Result<Vec<u8>, JsValue> {
        self.0.next(sealed, is_last).map_err(thrown)
    }
}

fn digest(sha256: &str) -> Result<FileDigest, JsValue> {
    let wrong = || ApiError::new(ErrorCode::InvalidRequest).with("reason", "it is no SHA-256");
    file_digest(sha256).ok_or_else(|| thrown(wrong()))
}

fn thrown(error: ApiError) -> JsValue {
    // A struct of strings: JSON can always hold it.
    js_sys::Error::new(&serde_json::to_string(&error).unwrap_or_default()).into()
}
