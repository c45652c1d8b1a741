//! A data folder of its own for each test, tiny models, and a client for the routes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::Response;
use candle_core::quantized::GgmlDType;
use futures_util::StreamExt;
use portico_server::app::{App, app};
use portico_server::config::Store;
use portico_server::guard::{GuardConfig, HostPolicy};
use portico_server::models::{Layout, Library};
use portico_server::page::Page;
use portico_shared::error::ApiError;
use portico_shared::gguf::GgufWriter;
use portico_shared::manifest::CHUNK_BYTES;
use tower::ServiceExt;

/// A folder that goes with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        // New for certain: a process that was killed may have left one under this one's number.
        Self(tempfile::Builder::new().prefix("portico-it-").tempdir().unwrap().keep())
    }

    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        crate::database::forget(&self.0);
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A GGUF header of a model that is none, with `n_bytes` of noise as its only tensor.
pub fn gguf(architecture: &str, n_bytes: usize, seed: u32) -> Vec<u8> {
    writer(architecture)
        .tensor("token_embd.weight", &[n_bytes as u64 / 4], GgmlDType::F32, noise(n_bytes, seed))
        .to_bytes()
}

pub fn writer(architecture: &str) -> GgufWriter {
    let key = |name: &str| format!("{architecture}.{name}");
    GgufWriter::new()
        .metadata("general.architecture", architecture)
        .metadata("general.name", "Tiny")
        .metadata("general.license", "mit")
        .metadata(key("context_length"), 128_u32)
        .metadata(key("block_count"), 2_u32)
        .metadata(key("embedding_length"), 64_u32)
        .metadata(key("attention.head_count"), 4_u32)
        .metadata(key("attention.head_count_kv"), 2_u32)
}

/// Bytes without a pattern, another for each seed.
pub fn noise(n_bytes: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    (0..n_bytes).map(|_| next()).collect()
}

/// Words without a pattern, of two letters each.
pub fn words(n_words: usize, seed: u32) -> String {
    noise(n_words, seed).iter().map(|byte| format!("{byte:02x} ")).collect()
}

/// Two and a half chunks.
pub fn big_gguf(seed: u32) -> Vec<u8> {
    gguf("llama", (CHUNK_BYTES * 5 / 2) as usize, seed)
}

/// An entry of a catalogue without digests or sources.
pub fn entry(id: &str, file: &str, size_bytes: usize, more: &str) -> String {
    format!(
        r#"
[[models]]
id = "{id}"
name = "{id}"
kind = "chat"
architecture = "llama"
format = "gguf"
quantisation = "F32"
parameters = 10
n_ctx = 128
kv_bytes_per_token = 8
languages = ["de"]
licence = {{ id = "MIT" }}
runs_in = ["browser"]
files = [{{ name = "{file}", size_bytes = {size_bytes} }}]
{more}
"#
    )
}

fn new_app(library: Library, page: Page, folder: &Folder) -> Arc<App> {
    let path = folder.0.join("portico.toml");
    let mut config = portico_server::config::load_with_env(&path, false, []).unwrap();
    // This program reads no documents.
    config.documents.reader = Some(env!("CARGO_BIN_EXE_portico").into());
    if crate::storage::is_for_all() && config.files.store == Store::Folder {
        let server = crate::storage::of_all();
        config.files = server.config(&folder.0);
    }
    if config.database.url.is_none() {
        config.database = crate::database::config(&folder.0);
    }
    App::new(library, page, config, &path).unwrap()
}

pub struct Site {
    pub folder: Folder,
    pub app: Arc<App>,
    pub config: GuardConfig,
}

impl Site {
    /// A server whose catalogue is `catalogue` and whose models are these files:
    /// `("model/file", bytes)`.
    pub fn new(catalogue: &str, files: &[(&str, &[u8])]) -> Self {
        let folder = Folder::new();
        folder.write("models.toml", catalogue);
        for (path, bytes) in files {
            folder.write(&format!("models/{path}"), bytes);
        }
        let library = Library::open(Layout::new(&folder.0, None)).unwrap();
        let app = new_app(library, Page::Missing, &folder);
        Self { folder, app, config: GuardConfig::default() }
    }

    /// A server with this `portico.toml`, and files beside it.
    pub fn with_config(toml: &str, files: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        for (path, text) in files {
            folder.write(path, text);
        }
        Self::in_folder(folder, toml)
    }

    /// A server with this `portico.toml`.
    pub fn in_folder(folder: Folder, toml: &str) -> Self {
        folder.write("portico.toml", toml);
        let library = Library::open(Layout::new(&folder.0, None)).unwrap();
        let app = new_app(library, Page::Missing, &folder);
        Self { folder, app, config: GuardConfig::default() }
    }

    /// With one model, `tiny`, of these bytes.
    pub fn of_model(bytes: &[u8]) -> Self {
        Self::new(&entry("tiny", "tiny.gguf", bytes.len(), ""), &[("tiny/tiny.gguf", bytes)])
    }

    pub fn of_page(page: Page) -> Self {
        let folder = Folder::new();
        let library = Library::open(Layout::new(&folder.0, None)).unwrap();
        let app = new_app(library, page, &folder);
        Self { folder, app, config: GuardConfig::default() }
    }

    pub fn hosts(mut self, hosts: HostPolicy) -> Self {
        self.config.hosts = hosts;
        self
    }

    pub fn model_path(&self) -> PathBuf {
        self.folder.0.join("models/tiny/tiny.gguf")
    }

    pub async fn send(&self, request: Request<Body>) -> Response {
        app(Arc::clone(&self.app), self.config.clone()).oneshot(request).await.unwrap()
    }

    pub async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(self.send(request.body(Body::empty()).unwrap()).await).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[]).await
    }

    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask(Method::GET, path, headers).await
    }
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// An error when the answer broke off.
    pub body: Result<Vec<u8>, String>,
}

impl Answer {
    pub async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let mut body = body.into_data_stream();
        let mut bytes = Vec::new();
        let mut fault = None;
        while let Some(piece) = body.next().await {
            match piece {
                Ok(piece) => bytes.extend_from_slice(&piece),
                Err(error) => fault = Some(error.to_string()),
            }
        }
        let body = fault.map_or(Ok(bytes), Err);
        Self { status: parts.status, headers: parts.headers, body }
    }

    pub fn bytes(&self) -> &[u8] {
        self.body.as_ref().unwrap()
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(self.bytes()).unwrap()
    }

    pub fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_slice(self.bytes()).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// The error of the table, its code as text.
    pub fn error(&self) -> (u16, String) {
        let body: serde_json::Value = self.json();
        let error: ApiError = serde_json::from_value(body["error"].clone()).unwrap();
        assert_eq!(error.code.status(), self.status.as_u16());
        (self.status.as_u16(), error.code.to_string())
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Overwrites a file and makes sure that its modification time moves.
pub fn overwrite(path: &Path, bytes: &[u8]) {
    let before = fs::metadata(path).unwrap().modified().unwrap();
    while fs::metadata(path).unwrap().modified().unwrap() == before {
        fs::write(path, bytes).unwrap();
    }
}
