//! How do the files that go with messages get to a person's other devices?
//!
//! The text that was read from a file is part of its message and synced with it; here are its bytes, by
//! their SHA-256, in the store that documents have too ([`crate::files`]). A device says what it has and for
//! which conversation, sends what is missing in chunks (`parts`), in any order and any number of times, and
//! asks for the end, which checks the digest. What came survives the server; who goes on is told what is
//! missing.
//!
//! Everything is asked for by person and digest together (`table`): that another person has the same file
//! shows in nothing. Bytes are kept as long as a conversation of the person refers to them (`tidy`): which
//! ones do the devices say, for a conversation can be encrypted. Of an encrypted log only what a device has
//! encrypted is taken, and found again by a name of the device's making: which file it is, and what it is called,
//! the server does not learn. What lay there before the log was encrypted waits for that (`plain`). Of a conversation
//! that the server does not have, nothing is taken.

mod api;
mod media_type;
mod parts;
mod plain;
mod table;
mod tidy;

use std::path::Path;
use std::sync::Arc;

use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::manifest::is_sha256_hex;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::{Db, Home};
use crate::files::{FileStore, too_large};
use crate::keys::now_s;
use crate::people::PersonId;
use parts::Parts;
pub use table::Attachment;
pub(crate) use table::export;

pub use api::router;

/// Bytes of a chunk; a file's last one may be shorter.
pub const CHUNK_BYTES: u64 = 1 << 20;

/// A file that a device has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub sha256: String,
    pub size_bytes: u64,
    /// The one that the file's message is in.
    pub conversation: Uuid,
    /// Of a file that the device has encrypted: by what the person's devices find it, 32 bytes in hex.
    #[serde(default)]
    pub name: Option<String>,
    /// Of such a file: the one that waits for it, which gives way once it is here. Its room counts for this one.
    #[serde(default)]
    pub replaces: Option<String>,
}

/// How an upload stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The person's server has it: there is nothing to do.
    pub is_whole: bool,
    pub chunk_bytes: u64,
    /// Where the chunks begin that are missing.
    pub missing: Vec<u64>,
}

/// How much of what a person may store is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    pub used_bytes: u64,
    /// None: it is not limited.
    pub max_bytes: Option<u64>,
    pub max_file_bytes: u64,
}

/// All people's attachments.
#[derive(Debug)]
pub struct Attachments {
    db: Db,
    files: FileStore,
    parts: Parts,
    /// Of the house.
    max_total_bytes: Option<u64>,
}

impl Attachments {
    pub fn new(
        home: &Home,
        data_dir: &Path,
        files: FileStore,
        max_total_bytes: Option<u64>,
    ) -> Arc<Self> {
        let db = Db::durable(home.clone());
        let parts = Parts::new(data_dir.join("files").join("uploads"));
        Arc::new(Self { db, files, parts, max_total_bytes })
    }

    /// How much a person has here, of documents and attachments.
    ///
    /// # Errors
    /// The database's.
    pub async fn room(&self, person: PersonId, max_bytes: Option<u64>) -> Result<Room, ApiError> {
        let used = self.db.call(move |connection| crate::people::stored_bytes(connection, person));
        let max_file_bytes = self.files.max_file_bytes();
        Ok(Room { used_bytes: used.await?, max_bytes, max_file_bytes })
    }

    /// Begins an upload, or goes on with it. What the person has here already is done at once.
    ///
    /// # Errors
    /// `invalid_request`, `payload_too_large`, `storage_quota_full`, `documents_full`, `sync_log_sealed`,
    /// `sync_log_plain`, `conversation_not_synced`.
    pub async fn open(
        &self,
        person: PersonId,
        offer: Offer,
        max_bytes: Option<u64>,
    ) -> Result<Standing, ApiError> {
        check_digest(&offer.sha256)?;
        offer.name.as_deref().map_or(Ok(()), check_digest)?;
        offer.replaces.as_deref().map_or(Ok(()), check_digest)?;
        let max_file_bytes = self.files.max_file_bytes();
        if offer.size_bytes > max_file_bytes {
            return Err(too_large(max_file_bytes));
        }
        let limits = table::Limits { of_person: max_bytes, of_house: self.max_total_bytes };
        let size_bytes = offer.size_bytes;
        let opened =
            self.db.call(move |connection| table::open(connection, person, &offer, limits));
        let chunk_bytes = CHUNK_BYTES;
        match opened.await?? {
            None => Ok(Standing { is_whole: true, chunk_bytes, missing: Vec::new() }),
            Some(upload) => {
                let missing = self.parts.missing(upload, size_bytes).await?;
                Ok(Standing { is_whole: false, chunk_bytes, missing })
            }
        }
    }

    /// Takes a chunk; the same one again changes nothing.
    ///
    /// # Errors
    /// `attachment_not_found` where no such upload was begun, `invalid_request` for what is no chunk of it,
    /// `disk_full`, `storage_failed`.
    pub async fn put(
        &self,
        person: PersonId,
        sha256: &str,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), ApiError> {
        let upload = self.upload(person, sha256).await?.ok_or_else(not_found)?;
        let expected = upload.size_bytes.saturating_sub(offset).min(CHUNK_BYTES);
        if !offset.is_multiple_of(CHUNK_BYTES) || expected == 0 || bytes.len() as u64 != expected {
            let reason = format!(
                "a chunk begins at a multiple of {CHUNK_BYTES} bytes and has {CHUNK_BYTES}, or what is left"
            );
            return Err(ApiError::new(ErrorCode::InvalidRequest).with("reason", reason));
        }
        self.parts.put(upload.id, offset, bytes).await?;
        let touched = self.db.call(move |connection| table::touch(connection, upload.id, now_s()));
        Ok(touched.await?)
    }

    /// Ends an upload: from now on the person has the file.
    ///
    /// # Errors
    /// `attachment_not_found`, `upload_incomplete`, `upload_damaged`: nothing of it is left then;
    /// `disk_full`, `storage_failed`, `files_unreachable`.
    pub async fn finish(&self, person: PersonId, sha256: &str) -> Result<Attachment, ApiError> {
        let Some(upload) = self.upload(person, sha256).await? else {
            // Another tab was faster.
            return self.one(person, sha256).await;
        };
        if !self.parts.missing(upload.id, upload.size_bytes).await?.is_empty() {
            return Err(ApiError::new(ErrorCode::UploadIncomplete));
        }
        let (received, media_type) = self.parts.join(upload, &self.files).await?;
        if received.sha256 != sha256 {
            self.cancel(person, sha256).await?;
            return Err(ApiError::new(ErrorCode::UploadDamaged));
        }
        self.files.send(&received, &self.db).await?;
        let gate = self.files.gate().await?;
        self.files.keep(&received, &gate).await?;
        let attachment = Attachment {
            sha256: sha256.to_owned(),
            size_bytes: received.size_bytes,
            media_type: media_type.to_owned(),
            created_s: now_s(),
        };
        let kept = attachment.clone();
        let is_kept =
            self.db.call(move |connection| table::keep(connection, person, upload.id, &kept));
        let is_kept = is_kept.await?;
        drop(gate);
        self.parts.remove(upload.id).await;
        // It was cancelled meanwhile, or its person is gone.
        if is_kept { Ok(attachment) } else { self.one(person, sha256).await }
    }

    /// Forgets an upload; false where there is none.
    ///
    /// # Errors
    /// The database's.
    pub async fn cancel(&self, person: PersonId, sha256: &str) -> Result<bool, ApiError> {
        let Some(upload) = self.upload(person, sha256).await? else { return Ok(false) };
        self.db.call(move |connection| table::cancel(connection, upload.id)).await?;
        self.parts.remove(upload.id).await;
        Ok(true)
    }

    /// What a person has under a digest, or under the name of an encrypted file.
    ///
    /// # Errors
    /// `attachment_not_found`, also where only others have it.
    pub async fn one(&self, person: PersonId, sha256: &str) -> Result<Attachment, ApiError> {
        check_digest(sha256).map_err(|_| not_found())?;
        let sha256 = sha256.to_owned();
        let found =
            self.db.call(move |connection| match table::find(connection, person, &sha256)? {
                Some(found) => Ok(Some(found)),
                None => table::named(connection, person, &sha256),
            });
        found.await?.ok_or_else(not_found)
    }

    async fn upload(
        &self,
        person: PersonId,
        sha256: &str,
    ) -> Result<Option<table::Upload>, ApiError> {
        check_digest(sha256).map_err(|_| not_found())?;
        let sha256 = sha256.to_owned();
        let found = self.db.call(move |connection| table::upload(connection, person, &sha256));
        Ok(found.await?)
    }
}

fn check_digest(sha256: &str) -> Result<(), ApiError> {
    if is_sha256_hex(sha256) {
        return Ok(());
    }
    let reason = "`sha256`, `name` and `replaces` are 32 bytes in lower-case hex";
    Err(ApiError::new(ErrorCode::InvalidRequest).with("reason", reason))
}

fn not_found() -> ApiError {
    ApiError::new(ErrorCode::AttachmentNotFound)
}

impl From<table::Refused> for ApiError {
    fn from(refused: table::Refused) -> Self {
        match refused {
            table::Refused::Sealed => Self::new(ErrorCode::AttachmentsSealed),
            table::Refused::Plain => Self::new(ErrorCode::SyncLogPlain),
            table::Refused::NotSynced => Self::new(ErrorCode::ConversationNotSynced),
            table::Refused::Quota(max_bytes) => {
                Self::new(ErrorCode::StorageQuotaFull).with("max_bytes", max_bytes)
            }
            table::Refused::House(max_bytes) => {
                Self::new(ErrorCode::DocumentsFull).with("max_bytes", max_bytes)
            }
        }
    }
}
