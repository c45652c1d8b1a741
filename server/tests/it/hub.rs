//! A hub on this machine: it redirects, cuts connections and changes its mind.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::StreamExt as _;
use portico_server::models::pull::{self, PullConfig};
use portico_server::models::sha256::of_bytes;
use portico_server::models::{Lock, ModelsError};

use crate::common::*;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What is read of a small header to judge it.
const HEADER_READ_BYTES: u64 = 1024 * 1024;

pub struct Hub {
    pub bytes: Mutex<Vec<u8>>,
    /// After so many bytes of a body the connection is cut.
    cut_after: AtomicU64,
    /// How many connections are still to be cut.
    cuts_left: AtomicU64,
    sent_bytes: AtomicU64,
    pub ranges: Mutex<Vec<String>>,
    pub address: SocketAddr,
    has_ranges: bool,
    /// How long each quarter of a megabyte takes, in milliseconds.
    pub pace_ms: AtomicU64,
}

impl Hub {
    pub async fn start(bytes: Vec<u8>, has_ranges: bool) -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hub = Arc::new(Self {
            bytes: Mutex::new(bytes),
            cut_after: AtomicU64::new(u64::MAX),
            cuts_left: AtomicU64::new(0),
            sent_bytes: AtomicU64::new(0),
            ranges: Mutex::default(),
            address: listener.local_addr().unwrap(),
            has_ranges,
            pace_ms: AtomicU64::new(0),
        });
        let routes = Router::new()
            .route("/owner/tiny/resolve/{revision}/tiny.gguf", get(resolve))
            .route("/bytes", get(send))
            .with_state(Arc::clone(&hub));
        let stop = std::future::pending();
        tokio::spawn(portico_server::listen::serve(listener, routes, Default::default(), stop));
        hub
    }

    fn config(&self) -> PullConfig {
        let hub_url = Some(format!("http://{}", self.address));
        PullConfig { hub_url, quiet: true, ..Default::default() }
    }
}

async fn resolve(State(hub): State<Arc<Hub>>, Path(revision): Path<String>) -> Response {
    if revision != "main" && revision != COMMIT {
        return StatusCode::NOT_FOUND.into_response();
    }
    let size = hub.bytes.lock().unwrap().len().to_string();
    let headers = [("location", "/bytes"), ("x-repo-commit", COMMIT), ("x-linked-size", &size)];
    (StatusCode::FOUND, headers).into_response()
}

async fn send(State(hub): State<Arc<Hub>>, headers: HeaderMap) -> Response {
    let bytes = hub.bytes.lock().unwrap().clone();
    let etag = format!("\"{}\"", of_bytes(&bytes));
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok()).unwrap_or("");
    hub.ranges.lock().unwrap().push(range.to_owned());
    let counts = headers.get(header::IF_RANGE).is_none_or(|tag| tag.as_bytes() == etag.as_bytes());
    let (first, last) = match range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) {
        Some((first, last)) if hub.has_ranges && counts => {
            (first.parse().unwrap(), last.parse().unwrap_or(bytes.len() - 1))
        }
        _ => (0, bytes.len() - 1),
    };
    let part = bytes[first..=last.min(bytes.len() - 1)].to_vec();
    let is_cut = hub.cut_after.load(Ordering::SeqCst) < part.len() as u64
        && hub
            .cuts_left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
            .is_ok();
    let sent = if is_cut { hub.cut_after.load(Ordering::SeqCst) } else { part.len() as u64 };
    hub.sent_bytes.fetch_add(sent, Ordering::SeqCst);
    let pieces = part[..sent as usize].chunks(256 << 10).map(Bytes::copy_from_slice);
    let cut = is_cut.then(|| Err(std::io::Error::other("cut")));
    let pieces: Vec<_> = pieces.map(Ok).chain(cut).collect();
    let pace = std::time::Duration::from_millis(hub.pace_ms.load(Ordering::SeqCst));
    let paced = futures_util::stream::iter(pieces).then(move |piece| async move {
        tokio::time::sleep(pace).await;
        piece
    });
    let body = Body::from_stream(paced);
    let range = format!("bytes {first}-{last}/{}", bytes.len());
    let length = part.len().to_string();
    let mut answer = ([("content-length", length), ("etag", etag)], body).into_response();
    if hub.has_ranges && counts {
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
        answer.headers_mut().insert("content-range", range.parse().unwrap());
    }
    answer
}

fn site() -> Site {
    let source = "[[models.sources]]\ntype = \"hub\"\nrepo = \"owner/tiny\"";
    Site::new(&entry("tiny", "tiny.gguf", 100, source), &[])
}

async fn pull(site: &Site, hub: &Hub) -> Result<(), ModelsError> {
    let (library, config) = (Arc::clone(&site.app.library), hub.config());
    let pulled = tokio::task::spawn_blocking(move || pull::pull(&library, "tiny", &config));
    pulled.await.unwrap().map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn first_pull_pins_commit_size_and_digest() {
    let bytes = big_gguf(1);
    let (hub, site) = (Hub::start(bytes.clone(), true).await, site());
    pull(&site, &hub).await.unwrap();
    assert!(std::fs::read(site.model_path()).unwrap() == bytes);
    let lock = Lock::read(&site.app.library.layout.lock()).unwrap();
    let pin = lock.pin("tiny", "tiny.gguf").unwrap();
    assert_eq!((pin.size_bytes, &pin.sha256), (bytes.len() as u64, &of_bytes(&bytes)));
    assert!(pin.source.ends_with(&format!("owner/tiny@{COMMIT}/tiny.gguf")), "{}", pin.source);

    // From now on it is as binding as the catalogue's.
    std::fs::remove_file(site.model_path()).unwrap();
    *hub.bytes.lock().unwrap() = big_gguf(2);
    let error = pull(&site, &hub).await.unwrap_err();
    assert!(
        matches!(&error, ModelsError::NoSource { causes, .. } if causes[0].to_string().contains(&pin.sha256)),
        "{error}"
    );
    assert!(!site.model_path().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_connection_is_taken_up_where_it_broke() {
    let bytes = big_gguf(3);
    let (hub, site) = (Hub::start(bytes.clone(), true).await, site());
    hub.cut_after.store(3_000_000, Ordering::SeqCst);
    hub.cuts_left.store(2, Ordering::SeqCst);
    pull(&site, &hub).await.unwrap();
    assert!(std::fs::read(site.model_path()).unwrap() == bytes);
    let ranges = hub.ranges.lock().unwrap();
    let starts = ranges.iter().rev().take(3).rev().map(String::as_str);
    assert_eq!(starts.collect::<Vec<_>>()[0], "bytes=0-");
    let sent = hub.sent_bytes.load(Ordering::SeqCst);
    // The first megabyte is read twice: once to judge the header, once as part of the whole.
    assert!(sent <= bytes.len() as u64 + HEADER_READ_BYTES, "{sent} bytes for {}", bytes.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_pull_goes_on_at_its_part_unless_the_file_is_another_one() {
    let bytes = big_gguf(4);
    let (hub, site) = (Hub::start(bytes.clone(), true).await, site());
    hub.cut_after.store(5_000_000, Ordering::SeqCst);
    hub.cuts_left.store(1, Ordering::SeqCst);
    pull(&site, &hub).await.unwrap();
    // As a killed one would have left it.
    let note = format!(
        r#"{{"url":"http://{}/owner/tiny/resolve/{COMMIT}/tiny.gguf","size_bytes":{},"etag":"\"{}\""}}"#,
        hub.address,
        bytes.len(),
        of_bytes(&bytes)
    );
    let leave_part = |part: &[u8]| {
        std::fs::remove_file(site.model_path()).unwrap();
        site.folder.write("models/tiny/tiny.gguf.part", part);
        site.folder.write("models/tiny/tiny.gguf.part.json", &note);
        hub.sent_bytes.store(0, Ordering::SeqCst);
    };
    leave_part(&bytes[..9_000_000]);
    pull(&site, &hub).await.unwrap();
    let sent = hub.sent_bytes.load(Ordering::SeqCst);
    assert!(
        sent <= bytes.len() as u64 - 9_000_000 + HEADER_READ_BYTES,
        "{sent} bytes were sent for the rest"
    );
    assert!(std::fs::read(site.model_path()).unwrap() == bytes);

    // The hub's entity tag no longer fits: it sends all, and the part is not mixed in.
    leave_part(&noise(9_000_000, 1));
    let note = note.replace(&of_bytes(&bytes), "another");
    site.folder.write("models/tiny/tiny.gguf.part.json", &note);
    pull(&site, &hub).await.unwrap();
    assert!(std::fs::read(site.model_path()).unwrap() == bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_damaged_is_refused_and_thrown_away() {
    let bytes = big_gguf(5);
    let (hub, site) = (Hub::start(bytes.clone(), true).await, site());
    pull(&site, &hub).await.unwrap();
    std::fs::remove_file(site.model_path()).unwrap();
    let note = format!(
        r#"{{"url":"http://{}/owner/tiny/resolve/{COMMIT}/tiny.gguf","size_bytes":{},"etag":null}}"#,
        hub.address,
        bytes.len()
    );
    site.folder.write("models/tiny/tiny.gguf.part", noise(1000, 9));
    site.folder.write("models/tiny/tiny.gguf.part.json", note);
    assert!(pull(&site, &hub).await.is_err(), "the pin catches it");
    pull(&site, &hub).await.unwrap();
    assert!(std::fs::read(site.model_path()).unwrap() == bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_run_is_refused_before_it_is_downloaded() {
    let mamba = gguf("mamba", 8_000_000, 6);
    let (hub, site) = (Hub::start(mamba, true).await, site());
    let error = pull(&site, &hub).await.unwrap_err();
    assert!(
        matches!(&error, ModelsError::Unsupported { reason, .. } if reason.contains("mamba")),
        "{error}"
    );
    let sent = hub.sent_bytes.load(Ordering::SeqCst);
    assert!(sent <= HEADER_READ_BYTES, "{sent} bytes were sent");
    assert!(!site.model_path().with_extension("gguf.part").exists());

    let other = gguf("qwen2", 1000, 6);
    let (hub, site) = (Hub::start(other, true).await, self::site());
    let error = pull(&site, &hub).await.unwrap_err();
    assert!(error.to_string().contains("the catalogue says llama"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_without_ranges_will_do() {
    let bytes = gguf("llama", 700_000, 7);
    let (hub, site) = (Hub::start(bytes.clone(), false).await, site());
    pull(&site, &hub).await.unwrap();
    assert!(std::fs::read(site.model_path()).unwrap() == bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_is_not_there_or_has_no_such_file_is_named() {
    let site = site();
    let hub = Hub::start(gguf("llama", 400, 8), true).await;
    let source = "repo = \"owner/tiny\"\nrevision = \"v2\"";
    let catalogue = entry("tiny", "tiny.gguf", 100, "[[models.sources]]\ntype = \"hub\"\nREPO")
        .replace("REPO", source);
    let error = pull(&Site::new(&catalogue, &[]), &hub).await.unwrap_err();
    assert!(error.to_string().contains("404"), "{error}");

    let unused = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = pull(&site, &unbound(unused)).await.unwrap_err();
    assert!(matches!(error, ModelsError::NoSource { .. }), "{error}");
}

/// A hub of which only the address counts.
fn unbound(address: SocketAddr) -> Hub {
    Hub {
        bytes: Mutex::default(),
        cut_after: AtomicU64::new(0),
        cuts_left: AtomicU64::new(0),
        sent_bytes: AtomicU64::new(0),
        ranges: Mutex::default(),
        address,
        has_ranges: true,
        pace_ms: AtomicU64::new(0),
    }
}
