//! The page from a folder, read at every request.

use std::io;
use std::path::Path;

use axum::body::Bytes;

use super::Asset;

/// `path` is made of plain names (see [`super::plain_path`]).
pub async fn asset(folder: &Path, path: &str, accepts_brotli: bool) -> io::Result<Option<Asset>> {
    let file = folder.join(path);
    let brotli_file = folder.join(format!("{path}.br"));
    let varies = tokio::fs::metadata(&brotli_file).await.is_ok_and(|meta| meta.is_file());
    let is_brotli = varies && accepts_brotli;
    let read = tokio::fs::read(if is_brotli { &brotli_file } else { &file }).await;
    match read {
        Ok(bytes) => {
            let bytes = Bytes::from(bytes);
            Ok(Some(Asset { path: path.to_owned(), bytes, is_brotli, varies }))
        }
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_absent(error: &io::Error) -> bool {
    use io::ErrorKind::*;
    matches!(error.kind(), NotFound | IsADirectory | NotADirectory | InvalidFilename)
}
