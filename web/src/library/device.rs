//! Documents of this browser: files are read by its worker, PDFs by pdf.js before that.

use js_sys::Uint8Array;
use portico_library::address::ON_DEVICE;
use portico_library::api::Document;
use portico_library::kinds::{self, PDF};
use portico_library::shelf::PageText;
use portico_library::shelf::protocol::{FromShelf, NewFile, ToShelf};
use portico_shared::error::{ApiError, ErrorCode};
use portico_web::shelf_link::ask;
use wasm_bindgen::JsValue;

use crate::js::{self, Chosen};
use crate::net;

/// A larger file would take more memory than a tab has.
const FILE_BYTES_MAX: f64 = 256e6;

/// A file as its worker takes it: what it is, what pdf.js read of it, and its bytes.
pub struct Taken {
    pub file: NewFile,
    pub pages: Option<Vec<PageText>>,
    pub bytes: Uint8Array,
}

/// Reads what was chosen as far as the page's scripts have to.
///
/// # Errors
/// `device_type_unknown`, `document_too_large`, `document_encrypted`, `document_unreadable`.
pub async fn take(chosen: &Chosen) -> Result<Taken, ApiError> {
    let name = chosen.file.name();
    let kind = kinds::kind_of(&name, &chosen.file.type_());
    let media_type = kind.map(|kind| kind.media_type).unwrap_or_default();
    if !kinds::is_readable_here(media_type) {
        return Err(ApiError::new(ErrorCode::DeviceTypeUnknown));
    }
    if chosen.file.size() > FILE_BYTES_MAX {
        return Err(ApiError::new(ErrorCode::DocumentTooLarge));
    }
    let unreadable =
        |error: JsValue| ApiError::new(ErrorCode::DocumentUnreadable).detail(js::thrown(&error).1);
    let bytes = js::bytes_of(&chosen.file).await.map_err(unreadable)?;
    let date_s = (chosen.file.last_modified() / 1_000.0) as i64;
    let file = NewFile { name, media_type: media_type.to_owned(), date_s };
    let pages = match media_type {
        PDF => Some(pages(&bytes).await?),
        _ => None,
    };
    Ok(Taken { file, pages, bytes })
}

async fn pages(bytes: &Uint8Array) -> Result<Vec<PageText>, ApiError> {
    let failed = |error: JsValue| {
        let (name, message) = js::thrown(&error);
        let code = match name.as_str() {
            "PasswordException" => ErrorCode::DocumentEncrypted,
            _ => ErrorCode::DocumentUnreadable,
        };
        ApiError::new(code).detail(format!("{name}: {message}"))
    };
    // pdf.js gives the bytes to its worker.
    let pdf = js::open_pdf(&bytes.slice(0, bytes.length())).await.map_err(failed)?;
    let lines = js::pdf_lines(&pdf).await;
    js::close_pdf(&pdf);
    let json = lines.map_err(failed)?.as_string().unwrap_or_default();
    serde_json::from_str(&json).map_err(net::internal)
}

/// Takes a file in.
///
/// # Errors
/// As [`take`], and `document_empty`, `document_needs_ocr`, `device_storage_full`,
/// `device_storage_refused`.
pub async fn add(chosen: &Chosen) -> Result<Document, ApiError> {
    let Taken { file, pages, bytes } = take(chosen).await?;
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
