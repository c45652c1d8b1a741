//! The page: where its files come from and how browsers keep them.
//!
//! Embedded in the binary, or read from a folder at every request (so that a rebuilt page is served
//! at once). `index.html` and `sw.js` are asked for anew each time; files whose name carries a hash
//! of their content are kept for ever.

mod asset;
mod embedded;
mod folder;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use portico_shared::error::ErrorCode;

use crate::app::App;
use crate::http_error::HttpError;

pub use asset::Asset;

/// Where the page's files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    Embedded,
    Folder(PathBuf),
    /// This binary was built without a page and got none.
    Missing,
}

impl Page {
    /// The folder if there is one, else what the binary carries.
    pub fn new(folder: Option<PathBuf>) -> Self {
        match folder {
            Some(folder) => Self::Folder(folder),
            None if embedded::is_there() => Self::Embedded,
            None => Self::Missing,
        }
    }

    pub fn is_there(&self) -> bool {
        match self {
            Self::Embedded => true,
            Self::Folder(folder) => folder.join("index.html").is_file(),
            Self::Missing => false,
        }
    }

    /// A file of the page; `path` has no leading `/`.
    async fn asset(&self, path: &str, accepts_brotli: bool) -> Result<Option<Asset>, HttpError> {
        match self {
            Self::Embedded => Ok(embedded::asset(path, accepts_brotli)),
            Self::Folder(folder) => {
                folder::asset(folder, path, accepts_brotli).await.map_err(HttpError::internal)
            }
            Self::Missing => Ok(None),
        }
    }
}

pub fn router(state: Arc<App>) -> Router {
    Router::new().fallback(serve).with_state(state)
}

/// Paths of the server's own that a view of the page never has.
const RESERVED: &[&str] = &["api", "weights", "healthz", "v1"];

async fn serve(
    State(app): State<Arc<App>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let path = uri.path().trim_start_matches('/');
    let first = path.split('/').next().unwrap_or_default();
    if RESERVED.contains(&first) {
        return Err(ErrorCode::NotFound.into());
    }
    if method != Method::GET && method != Method::HEAD {
        return Err(ErrorCode::MethodNotAllowed.into());
    }
    let Some(path) = plain_path(path) else { return Err(ErrorCode::NotFound.into()) };
    let accepts_brotli = asset::accepts_brotli(&headers);
    let name = if path.is_empty() { "index.html" } else { path };
    if let Some(asset) = app.page.asset(name, accepts_brotli).await? {
        return Ok(asset.respond(&method, &headers));
    }
    // A view of the page, such as `/c/<conversation>`: the page itself finds out which.
    let is_view = !name.rsplit('/').next().unwrap_or_default().contains('.') || path.is_empty();
    if is_view && let Some(index) = app.page.asset("index.html", accepts_brotli).await? {
        return Ok(index.respond(&method, &headers));
    }
    match is_view {
        true => Ok(no_page()),
        false => Err(ErrorCode::NotFound.into()),
    }
}

/// The path if it is made of plain names only. The page's files need no percent signs, and what has
/// no percent signs cannot hide a `..` from the eye.
fn plain_path(path: &str) -> Option<&str> {
    let is_plain = |part: &str| {
        !part.starts_with('.')
            && !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~@".contains(&b))
    };
    let path = path.strip_suffix('/').unwrap_or(path);
    (path.is_empty() || path.split('/').all(is_plain)).then_some(path)
}

fn no_page() -> Response {
    let text = "Portico runs, but no page was built.\n\
        Start it with: cargo xtask serve\n\
        or name a built page with: portico serve --page DIR\n\n\
        Portico läuft, aber es wurde keine Seite gebaut.\n\
        Starten Sie mit: cargo xtask serve\n\
        oder nennen Sie eine gebaute Seite mit: portico serve --page ORDNER\n";
    let headers =
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::OK, headers, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_paths_are_no_paths() {
        for bad in ["../x", "a/../x", "..%2fx", "a//b", "./x", ".git/config", "a\\b", "a%00", "%2e"]
        {
            assert_eq!(plain_path(bad), None, "{bad}");
        }
        for good in ["", "index.html", "c/0192-ab", "snippets/x-1/a.js", "c/"] {
            assert!(plain_path(good).is_some(), "{good}");
        }
    }
}
