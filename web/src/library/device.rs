//! Documents of this browser, kept by their worker.

use portico_library::address::ON_DEVICE;
use portico_library::api::Document;
use portico_library::shelf::protocol::{FromShelf, ToShelf};
use portico_shared::error::ApiError;
use portico_web::file_reading::{Taken, take};
use portico_web::shelf_link::ask;

use crate::js::Chosen;
use crate::net;

/// Takes a file in.
///
/// # Errors
/// As [`take`], and `document_empty`, `document_needs_ocr`, `device_storage_full`,
/// `device_storage_refused`.
pub async fn add(chosen: &Chosen) -> Result<Document, ApiError> {
    let Taken { file, pages, bytes } = take(&chosen.file).await?;
    match ask(&ToShelf::Add { file, pages }, Some(bytes)).await?.0 {
        FromShelf::Added { document } => Ok(document),
        other => Err(net::internal(format!("{other:?}"))),
    }
}

/// # Errors
/// `device_storage_refused`
pub async fn list() -> Result<Vec<Document>, ApiError> {
    match ask(&ToShelf::List, None).await?.0 {
        FromShelf::Listed { documents } => {
            // Conversations offer them without asking their worker.
            let storage = web_sys::window().and_then(|window| window.local_storage().ok()?);
            if let Some(storage) = storage {
                storage
                    .set_item(&format!("portico.{ON_DEVICE}"), &documents.len().to_string())
                    .ok();
            }
            Ok(documents)
        }
        other => Err(net::internal(format!("{other:?}"))),
    }
}

/// # Errors
/// `device_storage_refused`
pub async fn delete(id: uuid::Uuid) -> Result<(), ApiError> {
    ask(&ToShelf::Delete { id }, None).await.map(|_| ())
}
