use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::http::Method;
use portico_server::models::sha256::of_bytes;
use portico_shared::manifest::{CHUNK_BYTES, Manifest};

use crate::common::*;

async fn manifest(site: &Site, model: &str) -> Manifest {
    let manifest: Manifest = site.get(&format!("/weights/{model}/manifest")).await.json();
    manifest.check().unwrap();
    manifest
}

fn chunk_path(manifest: &Manifest, i: usize) -> String {
    format!("/weights/chunks/{}", manifest.chunks[i].sha256)
}

#[tokio::test]
async fn chunks_joined_are_the_file() {
    let bytes = big_gguf(1);
    let site = Site::of_model(&bytes);
    let manifest = manifest(&site, "tiny").await;
    assert_eq!(manifest.sha256, of_bytes(&bytes));
    assert_eq!(manifest.size_bytes, bytes.len() as u64);
    assert_eq!(manifest.chunks.len(), 3);
    let mut joined = Vec::new();
    for i in 0..3 {
        let answer = site.get(&chunk_path(&manifest, i)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("etag"), format!("\"{}\"", manifest.chunks[i].sha256));
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(answer.header("accept-ranges"), "bytes");
        assert_eq!(answer.header("content-length"), manifest.chunks[i].size_bytes.to_string());
        joined.extend_from_slice(answer.bytes());
    }
    assert!(joined == bytes);
}

#[tokio::test]
async fn ranges_of_a_chunk() {
    let bytes = big_gguf(2);
    let site = Site::of_model(&bytes);
    let manifest = manifest(&site, "tiny").await;
    let (path, second) = (chunk_path(&manifest, 1), &bytes[CHUNK_BYTES as usize..]);
    let size = CHUNK_BYTES as usize;
    for (range, from, to) in [
        ("bytes=0-9", 0, 10),
        ("bytes=1000000-1500000", 1_000_000, 1_500_001),
        ("bytes=4194000-", 4_194_000, size),
        ("bytes=-7", size - 7, size),
        ("bytes=4194300-9999999", 4_194_300, size),
    ] {
        let answer = site.get_with(&path, &[("range", range)]).await;
        assert_eq!(answer.status, 206, "{range}");
        assert_eq!(answer.header("content-range"), format!("bytes {from}-{}/{size}", to - 1));
        assert_eq!(answer.header("content-length"), (to - from).to_string());
        assert!(answer.bytes() == &second[from..to], "{range}");
    }
    let beyond = site.get_with(&path, &[("range", "bytes=4194304-")]).await;
    assert_eq!(beyond.error(), (416, "range_not_satisfiable".into()));
    assert_eq!(beyond.header("content-range"), "bytes */4194304");
    let several = site.get_with(&path, &[("range", "bytes=0-1,5-6")]).await;
    assert_eq!((several.status.as_u16(), several.bytes().len()), (200, size));
}

#[tokio::test]
async fn conditions_decide_what_is_sent() {
    let bytes = big_gguf(3);
    let site = Site::of_model(&bytes);
    let manifest = manifest(&site, "tiny").await;
    let path = chunk_path(&manifest, 0);
    let etag = format!("\"{}\"", manifest.chunks[0].sha256);

    let same = site.get_with(&path, &[("if-none-match", &etag)]).await;
    assert_eq!((same.status.as_u16(), same.bytes().len()), (304, 0));
    assert_eq!(same.header("etag"), etag);
    let other = site.get_with(&path, &[("if-none-match", "\"other\"")]).await;
    assert_eq!(other.status, 200);
    let failed = site.get_with(&path, &[("if-match", "\"other\"")]).await;
    assert_eq!(failed.error(), (412, "precondition_failed".into()));

    let range = ("range", "bytes=5-9");
    let resumed = site.get_with(&path, &[range, ("if-range", &etag)]).await;
    assert_eq!((resumed.status.as_u16(), resumed.bytes()), (206, &bytes[5..10]));
    let anew = site.get_with(&path, &[range, ("if-range", "\"other\"")]).await;
    assert_eq!((anew.status.as_u16(), anew.bytes().len()), (200, CHUNK_BYTES as usize));

    let head = site.ask(Method::HEAD, &path, &[range]).await;
    assert_eq!((head.status.as_u16(), head.bytes().len()), (206, 0));
    assert_eq!(head.header("content-length"), "5");

    let answer = site.get("/weights/tiny/manifest").await;
    let etag = answer.header("etag");
    let same = site.get_with("/weights/tiny/manifest", &[("if-none-match", etag)]).await;
    assert_eq!((same.status.as_u16(), same.header("cache-control")), (304, "no-cache"));
}

#[tokio::test]
async fn a_chunk_of_two_models_is_served_while_either_is_there() {
    let first = big_gguf(4);
    let mut second = first.clone();
    let end = second.len();
    second[end - 40..].fill(7);
    let catalogue =
        entry("tiny", "tiny.gguf", first.len(), "") + &entry("twin", "twin.gguf", 1, "");
    let site = Site::new(&catalogue, &[("tiny/tiny.gguf", &first), ("twin/twin.gguf", &second)]);
    let (one, other) = (manifest(&site, "tiny").await, manifest(&site, "twin").await);
    assert_eq!(one.chunks[..2], other.chunks[..2]);
    assert_ne!(one.chunks[2], other.chunks[2]);
    std::fs::remove_file(site.model_path()).unwrap();
    let answer = site.get(&chunk_path(&one, 0)).await;
    assert_eq!(answer.status, 200);
    assert!(answer.bytes() == &first[..CHUNK_BYTES as usize]);
}

#[tokio::test]
async fn a_changed_file_gives_an_error_and_then_new_digests() {
    let bytes = big_gguf(5);
    let site = Site::of_model(&bytes);
    let old = manifest(&site, "tiny").await;
    assert_eq!(site.get(&chunk_path(&old, 2)).await.status, 200);

    let changed = big_gguf(6);
    overwrite(&site.model_path(), &changed);
    for i in 0..2 {
        let answer = site.get(&chunk_path(&old, i)).await;
        assert_ne!(answer.status, 200, "old chunk {i} is gone");
    }
    let new = manifest(&site, "tiny").await;
    assert_eq!(new.sha256, of_bytes(&changed));
    assert!(
        site.get(&chunk_path(&new, 1)).await.bytes()
            == &changed[CHUNK_BYTES as usize..][..CHUNK_BYTES as usize]
    );
}

#[tokio::test]
async fn a_truncated_file_gives_an_error_for_each_chunk() {
    let bytes = big_gguf(7);
    let site = Site::of_model(&bytes);
    let manifest = manifest(&site, "tiny").await;
    overwrite(&site.model_path(), &bytes[..CHUNK_BYTES as usize + 5]);
    let answer = site.get(&chunk_path(&manifest, 2)).await;
    assert_eq!(answer.error(), (409, "weights_changed".into()));
}

/// Same size, and the modification time put back: only the hash can tell.
#[tokio::test]
async fn a_flipped_bit_that_no_stamp_shows_is_not_served() {
    let mut bytes = big_gguf(8);
    let site = Site::of_model(&bytes);
    let manifest = manifest(&site, "tiny").await;
    let modified = std::fs::metadata(site.model_path()).unwrap().modified().unwrap();
    bytes[CHUNK_BYTES as usize + 99] ^= 1;
    overwrite(&site.model_path(), &bytes);
    let file = std::fs::File::options().write(true).open(site.model_path()).unwrap();
    file.set_modified(modified).unwrap();
    drop(file);
    assert_eq!(site.get(&chunk_path(&manifest, 0)).await.status, 200, "this one is whole");
    let answer = site.get(&chunk_path(&manifest, 1)).await;
    assert_eq!(answer.error(), (409, "weights_changed".into()));
}

#[tokio::test]
async fn an_answer_breaks_off_when_the_file_changes_under_it() {
    let bytes = big_gguf(9);
    let site = Site::of_model(&bytes);
    let manifest = manifest(&site, "tiny").await;
    let request = axum::http::Request::get(chunk_path(&manifest, 0));
    let response = site.send(request.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(response.status(), 200);
    overwrite(&site.model_path(), &big_gguf(10));
    assert!(Answer::of(response).await.body.is_err(), "never a whole answer of mixed bytes");
}

#[tokio::test]
async fn digests_are_made_once_and_kept() {
    let bytes = big_gguf(11);
    let site = Site::of_model(&bytes);
    manifest(&site, "tiny").await;
    let stored = site.folder.0.join("digests/tiny/tiny.gguf.json");
    let text = std::fs::read_to_string(&stored).unwrap();
    // What is stored is believed: a second start reads no weights.
    let marked = text.replace(&of_bytes(&bytes), &"a".repeat(64));
    assert_ne!(text, marked);
    std::fs::write(&stored, marked).unwrap();
    let second = portico_server::weights::WeightIndex::new(Arc::clone(&site.app.library));
    let manifest = Arc::new(second).manifest("tiny", None).await.unwrap();
    assert_eq!(manifest.sha256, "a".repeat(64));
}

#[tokio::test]
async fn what_is_pinned_is_not_served_as_anything_else() {
    let bytes = big_gguf(12);
    let pin = format!("size_bytes = {}, sha256 = \"{}\"", bytes.len(), "0".repeat(64));
    let size = format!("size_bytes = {}", bytes.len());
    let catalogue = entry("tiny", "tiny.gguf", bytes.len(), "").replace(&size, &pin);
    let site = Site::new(&catalogue, &[("tiny/tiny.gguf", &bytes)]);
    let answer = site.get("/weights/tiny/manifest").await;
    assert_eq!(answer.error(), (502, "digest_mismatch".into()));
}

#[tokio::test]
async fn the_index_is_filled_from_the_models_folder() {
    let bytes = big_gguf(13);
    let site = Site::of_model(&bytes);
    let path = format!("/weights/chunks/{}", of_bytes(&bytes[..CHUNK_BYTES as usize]));
    let early = site.get(&path).await;
    assert_eq!(early.error(), (503, "weights_preparing".into()));
    assert_eq!(early.header("retry-after"), "5");
    Arc::clone(&site.app.weights).fill().await;
    assert_eq!(site.get(&path).await.status, 200);
    let absent = site.get(&format!("/weights/chunks/{}", "0".repeat(64))).await;
    assert_eq!(absent.error(), (404, "chunk_not_found".into()));
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let site = Site::new(&entry("tiny", "tiny.gguf", 100, ""), &[]);
    for (path, code) in [
        ("/weights/absent/manifest", "model_not_found"),
        ("/weights/tiny/manifest", "model_absent"),
        ("/weights/tiny/other", "not_found"),
        ("/weights/chunks/xyz", "chunk_not_found"),
        ("/weights/..%2f..%2fmodels.toml/manifest", "model_not_found"),
        ("/weights/chunks/..%2f..%2fmodels.toml", "chunk_not_found"),
        ("/weights/tiny/../../models.toml", "not_found"),
        ("/weights", "not_found"),
    ] {
        assert_eq!(site.get(path).await.error(), (404, code.into()), "{path}");
    }
    let site = Site::of_model(&big_gguf(14));
    let other = site.get("/weights/tiny/manifest?file=..%2Fmodels.toml").await;
    assert_eq!(other.error(), (404, "not_found".into()));
}

/// 32 clients at once: no answer is mixed up with another.
#[tokio::test(flavor = "multi_thread")]
async fn many_at_once() {
    let bytes = Arc::new(big_gguf(15));
    let site = Arc::new(Site::of_model(&bytes));
    let manifest = Arc::new(manifest(&site, "tiny").await);
    let right = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let clients = (0..32).map(|i| {
        let (site, bytes) = (Arc::clone(&site), Arc::clone(&bytes));
        let (manifest, right) = (Arc::clone(&manifest), Arc::clone(&right));
        tokio::spawn(async move {
            let chunk = i % 3;
            let answer = site.get(&chunk_path(&manifest, chunk)).await;
            let from = chunk * CHUNK_BYTES as usize;
            let to = (from + CHUNK_BYTES as usize).min(bytes.len());
            assert!(answer.bytes() == &bytes[from..to]);
            right.fetch_add(1, Ordering::Relaxed);
        })
    });
    futures_util::future::join_all(clients.collect::<Vec<_>>()).await;
    assert_eq!(right.load(Ordering::Relaxed), 32);
}
