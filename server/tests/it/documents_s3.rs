//! Files in S3-compatible storage: they come in, are read and go as from the folder, and none is lost
//! while it is away.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};

use crate::common::*;
use crate::documents::until;
use crate::storage::Storage;

const PAGE: (&str, &str) = ("portico-page", "1");
/// More than one part.
const LARGE_BYTES: usize = 9 << 20;

fn site(storage: &Storage) -> Site {
    let folder = Folder::new();
    let files = storage.config(&folder.0);
    let secret = |secret| match secret {
        portico_server::config::Secret::File(path) => path.display().to_string(),
        other => panic!("{other:?}"),
    };
    let (key, word) = (secret(files.access_key), secret(files.secret_key));
    let toml = format!(
        "[documents]\nembedder = \"none\"\n[files]\nstore = \"s3\"\nbucket = \"house\"\n\
        endpoint = \"{}\"\nprefix = \"{}\"\ntimeout_s = 3\n\
        access_key = {{ file = \"{key}\" }}\nsecret_key = {{ file = \"{word}\" }}\n",
        files.endpoint.unwrap(),
        files.prefix,
    );
    let site = Site::in_folder(folder, &toml);
    site.app.gateway.start();
    site
}

fn upload(name: &str, bytes: Vec<u8>) -> Request<Body> {
    let path = format!("/api/collections/c/documents?name={name}");
    Request::post(path).header(PAGE.0, PAGE.1).body(bytes.into()).unwrap()
}

fn large() -> Vec<u8> {
    let line = b"The gasworks are for sale, and the orangery is not.\n";
    line.iter().copied().cycle().take(LARGE_BYTES).collect()
}

fn n_objects(storage: &Storage, site: &Site) -> usize {
    let folders = std::fs::read_dir(storage.folder(&site.folder.0)).into_iter().flatten().flatten();
    folders.flat_map(|each| std::fs::read_dir(each.path()).into_iter().flatten()).count()
}

fn n_local(site: &Site) -> usize {
    let incoming = site.folder.0.join("files").join("incoming");
    std::fs::read_dir(incoming).into_iter().flatten().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_lies_in_storage_is_found_read_in_part_and_gone() {
    let storage = Storage::start();
    let site = site(&storage);
    site.collection("c", json!({ "read": ["everyone"] })).await;
    for (name, bytes) in
        [("small.txt", b"The maze closes at dusk.".to_vec()), ("large.txt", large())]
    {
        let uploaded: Value = Answer::of(site.send(upload(name, bytes.clone())).await).await.json();
        let id = uploaded["document"]["id"].as_str().unwrap_or_else(|| panic!("{uploaded}"));
        let settled = site.settled(id).await;
        assert_eq!(settled["state"], "ready", "{settled}");
        assert_eq!((n_objects(&storage, &site), n_local(&site)), (1, 0));
        let word = if name == "small.txt" { "maze" } else { "orangery" };
        let hits = site.search(PAGE, json!({ "query": word })).await;
        assert_eq!(hits[0]["document"]["id"], id);

        // The same again is not sent again.
        let n_puts = storage.n_puts();
        let again = Answer::of(site.send(upload("copy.txt", bytes.clone())).await).await;
        assert_eq!(again.json::<Value>()["outcome"], "duplicate");
        assert_eq!(storage.n_puts(), n_puts);

        // As from a folder: whole, in part, if it changed.
        let path = format!("/api/documents/{id}/file");
        let whole = site.get_with(&path, &[PAGE]).await;
        assert!(whole.status == 200 && whole.bytes() == bytes);
        let sha256 = portico_server::models::sha256::of_bytes(&bytes);
        assert_eq!(whole.header("etag"), format!("\"{sha256}\""));
        assert!(whole.header("content-disposition").starts_with("attachment;"));
        assert!(whole.header("content-security-policy").starts_with("sandbox;"));
        let n = bytes.len();
        let part = site.get_with(&path, &[PAGE, ("range", "bytes=4-11")]).await;
        assert_eq!((part.status.as_u16(), part.bytes()), (206, &bytes[4..12]));
        assert_eq!(part.header("content-range"), format!("bytes 4-11/{n}"));
        let end = site.get_with(&path, &[PAGE, ("range", "bytes=-5")]).await;
        assert_eq!((end.status.as_u16(), end.bytes()), (206, &bytes[n - 5..]));
        let same = site.get_with(&path, &[PAGE, ("if-none-match", whole.header("etag"))]).await;
        assert_eq!(same.status, 304);

        let gone = site.ask(Method::DELETE, &format!("/api/documents/{id}"), &[PAGE]).await;
        assert_eq!(gone.status, 204);
        until("its object is removed", async || n_objects(&storage, &site) == 0).await;
        assert_eq!(site.get_with(&path, &[PAGE]).await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_that_dies_in_the_middle_loses_nothing() {
    let storage = Storage::start();
    let site = site(&storage);
    site.collection("c", json!({ "read": ["everyone"] })).await;
    assert_eq!(away(&site).await, json!([]));

    // In the middle of an upload: it is said, and nothing half stays.
    storage.die_at_part();
    let failed = Answer::of(site.send(upload("large.txt", large())).await).await;
    assert_eq!(failed.error(), (503, "files_unreachable".into()));
    assert_eq!(away(&site).await, json!(["files"]));
    assert_eq!(n_local(&site), 0);
    storage.come_back();
    let documents: Value = site.get_with("/api/collections/c/documents", &[PAGE]).await.json();
    assert_eq!(documents["documents"], json!([]), "{documents}");
    assert_eq!(n_objects(&storage, &site), 0);

    // Back again, the same upload comes in.
    let uploaded: Value = Answer::of(site.send(upload("large.txt", large())).await).await.json();
    let id = uploaded["document"]["id"].as_str().unwrap_or_else(|| panic!("{uploaded}")).to_owned();
    // Away before it is read, or while it is: it waits, and is read then.
    storage.die();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let path = format!("/api/documents/{id}/file");
    assert_eq!(site.get_with(&path, &[PAGE]).await.error(), (503, "files_unreachable".into()));
    assert_ne!(site.document(&id).await["state"], "failed");
    storage.come_back();
    let settled = site.settled(&id).await;
    assert_eq!(settled["state"], "ready", "{settled}");

    // What is deleted while it is away goes when it is back.
    storage.die();
    let gone = site.ask(Method::DELETE, &format!("/api/documents/{id}"), &[PAGE]).await;
    assert_eq!(gone.status, 204);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(n_objects(&storage, &site), 1);
    storage.come_back();
    until("its object is removed", async || n_objects(&storage, &site) == 0).await;
    assert_eq!(away(&site).await, json!([]));
}

/// What a server that is ready nevertheless says it lacks.
async fn away(site: &Site) -> Value {
    let ready: Value = site.get("/readyz").await.json();
    assert_eq!(ready["status"], "ready", "{ready}");
    ready["away"].clone()
}
