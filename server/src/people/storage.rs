//! Is there room for what somebody stores here?

use portico_shared::error::{ApiError, ErrorCode};
use uuid::Uuid;

use super::{People, PersonId};
use crate::db::sql::{self, Connection};
use crate::gateway::{Caller, Gateway};

impl People {
    /// How many bytes of documents and attachments somebody has put here.
    pub async fn stored_bytes(&self, id: PersonId) -> Result<u64, ApiError> {
        Ok(self.db.call(move |connection| stored_bytes(connection, id)).await?)
    }
}

impl Gateway {
    /// Whether `size_bytes` more are within the caller's rules; what nobody signed in for is the house's.
    ///
    /// # Errors
    /// `storage_quota_full`
    pub async fn check_storage(&self, caller: &Caller, size_bytes: u64) -> Result<(), ApiError> {
        let (Some(person), Some(max_bytes)) = (caller.person(), caller.may.storage_bytes) else {
            return Ok(());
        };
        let stored = self.people.stored_bytes(person).await?;
        match stored.saturating_add(size_bytes) <= max_bytes {
            true => Ok(()),
            false => Err(ApiError::new(ErrorCode::StorageQuotaFull).with("max_bytes", max_bytes)),
        }
    }

    /// Counts a document against whoever put it here last.
    pub async fn note_stored(&self, caller: &Caller, document: Uuid) -> Result<(), ApiError> {
        let Some(person) = caller.person() else { return Ok(()) };
        let document = document.to_string();
        let sql = "INSERT INTO document_people (document, person) VALUES (?1, ?2)
            ON CONFLICT (document) DO UPDATE SET person = excluded.person";
        self.people.db.call(move |connection| connection.execute(sql, (document, person))).await?;
        Ok(())
    }
}

/// Of documents and attachments; what is on its way counts too.
pub(crate) fn stored_bytes(connection: &Connection, person: PersonId) -> sql::Result<u64> {
    let sql = "SELECT coalesce(sum(coalesce(documents.size_bytes, jobs.size_bytes, 0)), 0)
        FROM document_people JOIN documents ON documents.id = document_people.document
            LEFT JOIN jobs ON jobs.document = documents.id
        WHERE person = ?1";
    let sum = |sql: &str| connection.query_row(sql, [person], |row| row.get::<_, i64>(0));
    let mut bytes = sum(sql)?;
    for table in ["attachments", "attachment_uploads"] {
        let sql = format!("SELECT coalesce(sum(size_bytes), 0) FROM {table} WHERE person = ?1");
        bytes += sum(&sql)?;
    }
    Ok(bytes.max(0) as u64)
}
