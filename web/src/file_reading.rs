//! What does a file say that someone chose, as far as this browser can read it? Texts are read by the
//! documents' worker, PDFs by pdf.js before that; nothing of it goes to the server.

use js_sys::Uint8Array;
use portico_library::kinds::{self, PDF};
use portico_library::shelf::PageText;
use portico_library::shelf::protocol::NewFile;
use portico_shared::error::{ApiError, ErrorCode};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// A larger file would take more memory than a tab has.
const FILE_BYTES_MAX: f64 = 256e6;

#[wasm_bindgen(raw_module = "./on_device.js")]
extern "C" {
    #[wasm_bindgen(js_name = linesOfPdf, catch)]
    async fn lines_of_pdf(bytes: &Uint8Array) -> Result<JsValue, JsValue>;
}

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
pub async fn take(file: &web_sys::File) -> Result<Taken, ApiError> {
    let name = file.name();
    let kind = kinds::kind_of(&name, &file.type_());
    let media_type = kind.map(|kind| kind.media_type).unwrap_or_default();
    if !kinds::is_readable_here(media_type) {
        return Err(ApiError::new(ErrorCode::DeviceTypeUnknown));
    }
    if file.size() > FILE_BYTES_MAX {
        return Err(ApiError::new(ErrorCode::DocumentTooLarge));
    }
    let buffer = JsFuture::from(file.array_buffer()).await.map_err(|error| unreadable(&error))?;
    let bytes = Uint8Array::new(&buffer);
    let date_s = (file.last_modified() / 1_000.0) as i64;
    let pages = match media_type {
        // pdf.js gives the bytes to its worker.
        PDF => Some(pages(&bytes.slice(0, bytes.length())).await?),
        _ => None,
    };
    Ok(Taken { file: NewFile { name, media_type: media_type.to_owned(), date_s }, pages, bytes })
}

async fn pages(bytes: &Uint8Array) -> Result<Vec<PageText>, ApiError> {
    let lines = lines_of_pdf(bytes).await.map_err(|error| unreadable(&error))?;
    serde_json::from_str(&lines.as_string().unwrap_or_default())
        .map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))
}

fn unreadable(error: &JsValue) -> ApiError {
    let field = |name: &str| {
        let value = js_sys::Reflect::get(error, &name.into()).ok();
        value.and_then(|value| value.as_string()).unwrap_or_default()
    };
    let name = field("name");
    let code = match name.as_str() {
        "PasswordException" => ErrorCode::DocumentEncrypted,
        _ => ErrorCode::DocumentUnreadable,
    };
    ApiError::new(code).detail(format!("{name}: {}", field("message")))
}
