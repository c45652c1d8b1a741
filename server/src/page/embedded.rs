//! The page that the binary carries; `build.rs` makes the table.

use axum::body::Bytes;

use super::Asset;

struct EmbeddedFile {
    path: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/embedded_page.rs"));

pub fn is_there() -> bool {
    FILES.iter().any(|file| file.path == "index.html")
}

pub fn asset(path: &str, accepts_brotli: bool) -> Option<Asset> {
    let file = FILES.iter().find(|file| file.path == path)?;
    let brotli = file.brotli.filter(|_| accepts_brotli);
    Some(Asset {
        path: path.to_owned(),
        bytes: Bytes::from_static(brotli.unwrap_or(file.plain)),
        is_brotli: brotli.is_some(),
        varies: file.brotli.is_some(),
    })
}
