//! `portico vectors migrate` beside a running server and without one: to another embedder, to a Qdrant
//! server and back, while searches answer.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::*;
use crate::double::Double;
use crate::words::{Words, vector};

const N_FILES: usize = 48;
const PATIENCE: Duration = Duration::from_secs(60);

fn portico(data: &Path, args: &[&str]) -> Command {
    let mut portico = Command::new(env!("CARGO_BIN_EXE_portico"));
    portico.arg("--data").arg(data).args(["--lang", "en"]).args(args).env("RUST_LOG", "off");
    portico.envs(crate::storage::environment(data));
    portico
}

fn run(data: &Path, args: &[&str]) -> Output {
    portico(data, args).output().unwrap()
}

fn good(output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The program as a server; it is killed with the test.
struct Server {
    child: Child,
    /// Open as long as the program has something to say.
    _said: BufReader<ChildStdout>,
    address: String,
    key: String,
}

impl Server {
    fn start(data: &Path) -> Self {
        let mut serve = portico(data, &["serve", "--addr", "127.0.0.1:0"]);
        let mut child = serve.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("Portico is running: ").unwrap().to_owned();
        let name = format!("key {}", child.id());
        let made = good(run(data, &["keys", "create", "--name", &name]));
        let key = made.split_whitespace().next_back().unwrap().to_owned();
        Self { child, _said: said, address, key }
    }

    fn search(&self, body: &Value) -> Vec<Value> {
        search(&self.address, &self.key, body)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// By meaning alone: a search that falls back to words finds nothing.
fn by_meaning(n: usize) -> Value {
    json!({ "query": text(n), "mode": "vector", "limit": 1 })
}

fn search(address: &str, key: &str, body: &Value) -> Vec<Value> {
    let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build();
    let start = Instant::now();
    loop {
        let request = agent.new_agent().post(format!("{address}api/search"));
        let request = request.header("authorization", format!("Bearer {key}"));
        let mut answer = request.send(body.to_string()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        // The index opens with the first look at it.
        if answer.status() == 503 && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(20));
            continue;
        }
        assert_eq!(answer.status(), 200, "{text}");
        let found: Value = serde_json::from_str(&text).unwrap();
        return found["hits"].as_array().unwrap().clone();
    }
}

fn text(n: usize) -> String {
    format!("Datei {n}: {} wort{n} ding{}.", "Haus ".repeat(n % 5), n * 7)
}

fn is_found(hits: &[Value], n: usize) -> bool {
    hits.first().is_some_and(|hit| hit["document"]["name"] == format!("{n:02}.txt"))
}

/// Searches by meaning until it is dropped; each must find its file.
struct Searcher {
    is_over: Arc<AtomicBool>,
    n_found: Arc<AtomicUsize>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Searcher {
    fn start(server: &Server) -> Self {
        let (is_over, n_found) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let (address, key) = (server.address.clone(), server.key.clone());
        let (over, found): (_, Arc<AtomicUsize>) = (Arc::clone(&is_over), Arc::clone(&n_found));
        let thread = std::thread::spawn(move || {
            for n in (0..N_FILES).cycle() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let hits = search(&address, &key, &by_meaning(n));
                assert!(is_found(&hits, n), "{n}: {hits:?}");
                found.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { is_over, n_found, thread: Some(thread) }
    }

    fn end(mut self) -> usize {
        self.is_over.store(true, Ordering::SeqCst);
        self.thread.take().unwrap().join().unwrap();
        self.n_found.load(Ordering::SeqCst)
    }
}

/// What the database has: embedder, and each passage's vector with its text.
fn kept(data: &Path) -> (String, Vec<(String, Vec<f32>)>) {
    let kept = crate::database::of(data).call_blocking(|connection| {
        let embedder = "SELECT embedder FROM collections";
        let embedder = connection.query_row(embedder, [], |row| row.get(0))?;
        let mut select = connection.prepare("SELECT text, vector FROM passages")?;
        let rows = select.query_map([], |row| {
            let bytes: Vec<u8> = row.get(1)?;
            let floats = bytes.chunks_exact(4);
            let floats =
                floats.map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
            Ok((row.get(0)?, floats.collect()))
        })?;
        Ok((embedder, rows.collect::<Result<_, _>>()?))
    });
    kept.unwrap()
}

fn check_kept(data: &Path, embedder: &str, n: usize) {
    let (name, passages) = kept(data);
    assert_eq!((name.as_str(), passages.len()), (embedder, n));
    for (text, kept) in passages {
        let cosine: f32 = vector(embedder, &text).iter().zip(&kept).map(|(a, b)| a * b).sum();
        assert!(cosine > 0.999, "{text}: {cosine}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn vectors_move_while_searches_answer_and_no_server_restarts() {
    let words = Words::start().await;
    let (double, qdrant) = Double::start().await;
    let (folder, source) = (Folder::new(), Folder::new());
    let model = |id: &str| {
        format!(
            "[[models]]\nid = \"{id}\"\nkind = \"embedding\"\nendpoints = [{{ upstream = \"u\" }}]\n"
        )
    };
    let config = |more: &str| {
        let fleet = format!("[[upstreams]]\nid = \"u\"\nurl = \"{}\"\n", words.url);
        let documents = format!("[documents]\nembedder = \"words\"\n{more}\n");
        documents + &fleet + &model("words") + &model("others") + &model("thirds")
    };
    let work = {
        let words = Arc::clone(&words);
        let data = folder.0.clone();
        folder.write("portico.toml", config(""));
        (0..N_FILES).for_each(|n| drop(source.write(&format!("{n:02}.txt"), text(n))));
        let with_qdrant = config(&format!("[documents.vectors]\nqdrant_url = \"{qdrant}\""));
        let plain = config("");
        move || moves(&words, &double, &data, &source, &with_qdrant, &plain)
    };
    tokio::task::spawn_blocking(work).await.unwrap();
}

fn moves(
    words: &Words,
    double: &Double,
    data: &Path,
    source: &Folder,
    with_qdrant: &str,
    plain: &str,
) {
    let ingest = || {
        let source = source.0.to_str().unwrap();
        good(run(data, &["ingest", source, "--collection", "haus"]));
    };
    let nothing = run(data, &["vectors", "migrate", "--embedder", "others"]);
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("[invalid_request]"));
    let server = Server::start(data);
    ingest();
    check_kept(data, "words", N_FILES);

    // Another embedder, beside the server.
    let unknown = run(data, &["vectors", "migrate", "--embedder", "nobody"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("[model_absent]"));
    words.wait_ms.store(60, Ordering::SeqCst);
    let searcher = Searcher::start(&server);
    let migrate = |args: &[&str]| {
        let said = good(run(data, &[&["vectors", "migrate", "--json"], args].concat()));
        let said: Value = serde_json::from_str(&said).unwrap();
        said["points"].as_u64().unwrap() as usize
    };
    assert_eq!(migrate(&["--embedder", "others"]), N_FILES);
    words.wait_ms.store(0, Ordering::SeqCst);
    // None twice; a question that comes right after the switch is embedded by it, too.
    let n_embedded = words.n_embedded("others");
    assert!((N_FILES..2 * N_FILES).contains(&n_embedded), "{n_embedded}");
    check_kept(data, "others", N_FILES);
    // Found by the new ones: a question is embedded by the new embedder.
    assert!((0..N_FILES).all(|n| is_found(&server.search(&by_meaning(n)), n)));
    assert!(searcher.end() > 5, "searches were answered meanwhile");

    // To a Qdrant server that the server that runs was not told of when it started.
    std::fs::write(data.join("portico.toml"), with_qdrant).unwrap();
    let searcher = Searcher::start(&server);
    assert_eq!(migrate(&["--to", "qdrant"]), N_FILES);
    let n_asked = double.n_calls("query");
    assert!((0..N_FILES).all(|n| is_found(&server.search(&by_meaning(n)), n)));
    assert!(double.n_calls("query") >= n_asked + N_FILES, "it is the Qdrant server that answers");
    searcher.end();
    let n_put = double.n_calls("upsert");
    source.write("new.txt", "Datei neu: etwas anderes.");
    std::fs::remove_file(source.0.join("00.txt")).unwrap();
    ingest();
    assert!(double.n_calls("upsert") > n_put && double.n_calls("delete") > 0);
    // Done already.
    assert_eq!(migrate(&["--to", "qdrant"]), 0);

    // The server is killed in the midst of a move; without one the same command goes on.
    words.wait_ms.store(150, Ordering::SeqCst);
    let mut watching = portico(data, &["vectors", "migrate", "--embedder", "thirds"]);
    let mut watching = watching.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while words.n_embedded("thirds") < 2 {
        assert!(start.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(10));
    }
    watching.kill().unwrap();
    watching.wait().unwrap();
    drop(server);
    let n_before = words.n_embedded("thirds");
    assert!(n_before < N_FILES, "{n_before}");
    check_embedder(data, "others");
    words.wait_ms.store(0, Ordering::SeqCst);
    assert_eq!(migrate(&["--embedder", "thirds"]), N_FILES);
    // What one batch had when it was killed is embedded again, and nothing else.
    assert!(words.n_embedded("thirds") <= N_FILES + 32, "{}", words.n_embedded("thirds"));
    check_kept(data, "thirds", N_FILES);

    // Back into the data folder, without a server; the next one has nothing to put anew.
    assert_eq!(migrate(&["--to", "edge"]), N_FILES);
    std::fs::write(data.join("portico.toml"), plain).unwrap();
    let n_asked = double.n_calls("query");
    let server = Server::start(data);
    assert!((1..N_FILES).all(|n| is_found(&server.search(&by_meaning(n)), n)));
    assert_eq!(double.n_calls("query"), n_asked);
    let state = std::fs::read_to_string(data.join("search").join("state.json")).unwrap();
    assert!(state.contains("\"store\":\"edge\"") && state.contains("thirds"), "{state}");

    // Called off, the old ones stay.
    words.wait_ms.store(300, Ordering::SeqCst);
    let mut watching = portico(data, &["vectors", "migrate", "--embedder", "words"]);
    let watching = watching.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(400));
    good(run(data, &["vectors", "cancel"]));
    let ended = watching.wait_with_output().unwrap();
    assert!(!ended.status.success());
    assert!(String::from_utf8_lossy(&ended.stderr).contains("called off"));
    words.wait_ms.store(0, Ordering::SeqCst);
    check_kept(data, "thirds", N_FILES);
    assert!((1..N_FILES).all(|n| is_found(&server.search(&by_meaning(n)), n)));
}

fn check_embedder(data: &Path, name: &str) {
    assert_eq!(kept(data).0, name);
}
