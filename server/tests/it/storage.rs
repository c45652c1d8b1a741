//! An S3 server in the test's process, that can die and come back.
//!
//! `PORTICO_TEST_FILES=s3` has the documents' other tests keep their files there too.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use portico_server::config::{FilesConfig, Secret, Store};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

use crate::common::Folder;

const BUCKET: &str = "house";
const KEY: &str = "portico";
const SECRET: &str = "a secret of the house";

pub struct Storage {
    root: Folder,
    addr: SocketAddr,
    service: S3Service,
    state: Arc<State>,
    running: Mutex<Option<JoinHandle<()>>>,
    /// Tests have runtimes that end with them.
    runtime: Option<Runtime>,
}

#[derive(Default)]
struct State {
    n_puts: AtomicU64,
    /// At the second part of an upload.
    dies_at_part: AtomicBool,
    dies: Notify,
}

impl Storage {
    pub fn start() -> Self {
        let root = Folder::new();
        std::fs::create_dir_all(root.0.join("s3").join(BUCKET)).unwrap();
        root.write("secret", SECRET);
        root.write("key", KEY);
        let mut builder =
            S3ServiceBuilder::new(s3s_fs::FileSystem::new(root.0.join("s3")).unwrap());
        builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let storage = Self {
            root,
            addr: listener.local_addr().unwrap(),
            service: builder.build(),
            state: Arc::default(),
            running: Mutex::default(),
            runtime: Some(runtime),
        };
        drop(listener);
        storage.come_back();
        storage
    }

    /// Requests that put a file or a part of one.
    pub fn n_puts(&self) -> u64 {
        self.state.n_puts.load(Ordering::SeqCst)
    }

    pub fn die_at_part(&self) {
        self.state.dies_at_part.store(true, Ordering::SeqCst);
    }

    /// Every connection breaks, and none is taken.
    pub fn die(&self) {
        let running = self.running.lock().unwrap().take();
        if let Some(running) = running {
            running.abort();
            while !running.is_finished() {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        }
    }

    pub fn come_back(&self) {
        self.die();
        self.state.dies_at_part.store(false, Ordering::SeqCst);
        let runtime = self.runtime.as_ref().unwrap();
        let _inside = runtime.enter();
        let listener = std::net::TcpListener::bind(self.addr).unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let (service, state) = (self.service.clone(), Arc::clone(&self.state));
        let running = runtime.spawn(serve(listener, service, state));
        *self.running.lock().unwrap() = Some(running);
    }

    /// Of a data folder.
    pub fn config(&self, data: &Path) -> FilesConfig {
        FilesConfig {
            store: Store::S3,
            bucket: Some(BUCKET.to_owned()),
            endpoint: Some(format!("http://{}", self.addr).parse().unwrap()),
            prefix: prefix(data),
            access_key: Secret::File(self.root.0.join("key")),
            secret_key: Secret::File(self.root.0.join("secret")),
            ..FilesConfig::default()
        }
    }

    /// Where the server keeps what a data folder has there.
    pub fn folder(&self, data: &Path) -> PathBuf {
        self.root.0.join("s3").join(BUCKET).join(prefix(data))
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        self.die();
        // A runtime must not be waited for where a test's own one runs.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn prefix(data: &Path) -> String {
    data.file_name().unwrap().to_str().unwrap().to_owned()
}

async fn serve(listener: TcpListener, service: S3Service, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        let (socket, _) = tokio::select! {
            accepted = listener.accept() => accepted.unwrap(),
            () = state.dies.notified() => return,
        };
        let (service, state) = (service.clone(), Arc::clone(&state));
        connections.spawn(async move {
            let answer = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let (service, state) = (service.clone(), Arc::clone(&state));
                async move {
                    if request.method() == hyper::Method::PUT {
                        state.n_puts.fetch_add(1, Ordering::SeqCst);
                    }
                    let is_part = request.uri().query().is_some_and(|q| q.contains("partNumber=2"));
                    if is_part && state.dies_at_part.load(Ordering::SeqCst) {
                        state.dies.notify_one();
                        std::future::pending::<()>().await;
                    }
                    let response = service.call(request.map(s3s::Body::from)).await;
                    Ok::<_, Infallible>(response.unwrap())
                }
            });
            let http = hyper::server::conn::http1::Builder::new();
            let _ = http.serve_connection(TokioIo::new(socket), answer).await;
        });
    }
}

pub fn is_for_all() -> bool {
    std::env::var_os("PORTICO_TEST_FILES").is_some_and(|store| store == "s3")
}

/// The one that all tests of this process share.
pub fn of_all() -> &'static Storage {
    static STORAGE: LazyLock<Storage> = LazyLock::new(Storage::start);
    &STORAGE
}

/// For a program on this data folder: where its files lie, and its database.
pub fn environment(data: &Path) -> Vec<(&'static str, String)> {
    let mut environment: Vec<_> = crate::database::environment(data).into_iter().collect();
    if !is_for_all() {
        return environment;
    }
    let endpoint = of_all().config(data).endpoint.unwrap().to_string();
    environment.extend([
        ("PORTICO_FILES_STORE", "s3".to_owned()),
        ("PORTICO_FILES_BUCKET", BUCKET.to_owned()),
        ("PORTICO_FILES_ENDPOINT", endpoint),
        ("PORTICO_FILES_PREFIX", prefix(data)),
        ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
    ]);
    environment
}
