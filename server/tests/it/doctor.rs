//! `portico doctor` on houses that are well, and on those that have real faults.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;

use portico_server::keys::{day_of, now_s};
use portico_server::models::sha256::of_bytes;
use rusqlite::Connection;
use serde_json::Value;

use crate::common::*;
use crate::upstream::{TlsUpstream, dead_url};

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn doctor(folder: &Folder, args: &[&str]) -> Command {
    let mut portico = Command::new(env!("CARGO_BIN_EXE_portico"));
    portico.arg("--data").arg(&folder.0).arg("doctor").args(args).env("RUST_LOG", "error");
    portico.env("LANG", "C").env_remove("LC_ALL").env_remove("LC_MESSAGES");
    portico
}

/// Verdicts by name, `name of` where there are several; and whether the program said that all is well.
fn examined(folder: &Folder, args: &[&str]) -> (BTreeMap<String, Value>, bool) {
    let output = doctor(folder, &[&["--json"], args].concat()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let report: Value = serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    let named = |check: &Value| {
        let name = check["name"].as_str().unwrap();
        let name = check["of"].as_str().map_or(name.to_owned(), |of| format!("{name} {of}"));
        (name, check.clone())
    };
    (report["checks"].as_array().unwrap().iter().map(named).collect(), output.status.success())
}

fn verdict<'a>(checks: &'a BTreeMap<String, Value>, name: &str) -> &'a str {
    let check = checks.get(name).unwrap_or_else(|| panic!("no {name} in {checks:#?}"));
    let verdict = check["verdict"].as_str().unwrap();
    let advised = check["advice"].as_str().is_some_and(|advice| !advice.is_empty());
    let is_bad = matches!(verdict, "fault" | "warning");
    assert_eq!(advised, is_bad, "what is not well has advice, and nothing else: {check}");
    verdict
}

fn run(folder: &Folder, args: &[&str]) {
    let mut portico = Command::new(env!("CARGO_BIN_EXE_portico"));
    let output = portico.arg("--data").arg(&folder.0).args(args).env("RUST_LOG", "error").output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_house_that_is_well_is_told_so_and_nothing_is_left_in_it() {
    let folder = Folder::new();
    let bytes = gguf("llama", 4000, 3);
    let text = entry("tiny", "tiny.gguf", bytes.len(), "")
        .replace("size_bytes", &format!("sha256 = \"{}\", size_bytes", of_bytes(&bytes)));
    folder.write("models.toml", text);
    folder.write("models/tiny/tiny.gguf", &bytes);
    folder.write("page/index.html", "<!doctype html>");
    let port = free_port();
    let page = folder.0.join("page");
    let toml = format!("[server]\naddr = \"127.0.0.1:{port}\"\npage = \"{}\"\n", page.display());
    folder.write("portico.toml", toml);
    run(&folder, &["keys", "create", "--name", "tests"]);
    let kept = Folder::new();
    let names = || {
        let entries = fs::read_dir(&folder.0).unwrap().flatten();
        entries.map(|entry| entry.file_name()).collect::<std::collections::BTreeSet<_>>()
    };
    let (checks, _) = examined(&folder, &[]);
    assert_eq!(verdict(&checks, "backup"), "warning");
    run(&folder, &["backup", "--to", kept.0.to_str().unwrap()]);
    let before = names();
    let (checks, is_well) = examined(&folder, &["--thorough"]);
    assert!(is_well, "{checks:#?}");
    for name in [
        "data_folder",
        "disk_space",
        "configuration",
        "database",
        "schema",
        "backup",
        "files_store",
        "device",
        "page",
        "port",
        "models tiny",
        "licences",
        "vectors",
    ] {
        assert_eq!(verdict(&checks, name), "good", "{name}");
    }
    for name in ["search_index", "sign_in", "public_url", "clock", "server", "secret_key"] {
        assert_eq!(verdict(&checks, name), "skipped", "{name}");
    }
    let after: Vec<_> = names().difference(&before).cloned().collect();
    assert!(
        after.iter().all(|name| name.to_string_lossy().starts_with("portico.sqlite")),
        "{after:?}"
    );
    let german = doctor(&folder, &["--lang", "de"]).output().unwrap();
    let german = String::from_utf8(german.stdout).unwrap();
    assert!(
        german.contains("Die Datenbank ist unversehrt.") && german.contains("0 Fehler"),
        "{german}"
    );

    // The server itself, and then another program, at its address.
    let server = crate::program::Server::start(&folder.0);
    let address = server.address.trim_start_matches("http://").trim_end_matches('/').to_owned();
    folder.write("portico.toml", format!("[server]\naddr = \"{address}\"\n"));
    let (checks, _) = examined(&folder, &[]);
    assert_eq!(verdict(&checks, "port"), "good");
    assert!(checks["port"]["found"].as_str().unwrap().contains("Portico"));
    server.stop();
    let _other = TcpListener::bind(&address).unwrap();
    let (checks, is_well) = examined(&folder, &[]);
    assert_eq!((verdict(&checks, "port"), is_well), ("fault", false));
}

#[test]
fn faults_of_the_data_are_found() {
    let absent = Folder::new();
    fs::remove_dir_all(&absent.0).unwrap();
    let (checks, _) = examined(&absent, &[]);
    assert_eq!(verdict(&checks, "data_folder"), "skipped");
    assert!(!absent.0.exists(), "nothing is made");
    fs::write(&absent.0, "a file").unwrap();
    let (checks, is_well) = examined(&absent, &[]);
    assert_eq!((verdict(&checks, "data_folder"), is_well), ("fault", false));
    fs::remove_file(&absent.0).unwrap();

    let folder = Folder::new();
    let text = words(60_000, 5);
    let source = folder.write("in/rules.md", text);
    let source = source.to_str().unwrap();
    run(&folder, &["ingest", source, "--collection", "haus", "--embedder", "none"]);
    let path = folder.0.join("portico.sqlite");
    let sql = "SELECT sha256 FROM documents";
    let connection = Connection::open(&path).unwrap();
    let sha256: String = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    let (checks, _) = examined(&folder, &[]);
    assert_eq!(verdict(&checks, "files_store"), "good");
    fs::remove_file(folder.0.join("files").join(&sha256[..2]).join(&sha256)).unwrap();
    let (checks, is_well) = examined(&folder, &[]);
    assert_eq!((verdict(&checks, "files_store"), is_well), ("fault", false));
    assert!(checks["files_store"]["found"].as_str().unwrap().contains("rules.md"));

    // What the program does not know, and what no database is.
    connection.pragma_update(None, "user_version", 1_000_000).unwrap();
    let (checks, is_well) = examined(&folder, &[]);
    assert_eq!((verdict(&checks, "schema"), is_well), ("fault", false));
    connection.pragma_update(None, "user_version", 3).unwrap();
    let (checks, _) = examined(&folder, &[]);
    assert_eq!(verdict(&checks, "schema"), "warning");
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(connection);
    let mut bytes = fs::read(&path).unwrap();
    // Behind the first page, which says what the file is.
    bytes[4_096..5 * 4_096].fill(0xA5);
    fs::write(&path, bytes).unwrap();
    let (checks, is_well) = examined(&folder, &[]);
    assert_eq!((verdict(&checks, "database"), is_well), ("fault", false));
}

#[test]
fn damaged_models_and_a_faulty_configuration_are_found() {
    let folder = Folder::new();
    let bytes = gguf("llama", 4000, 3);
    let digest = of_bytes(&bytes);
    let text = entry("tiny", "tiny.gguf", bytes.len(), "");
    let text = text.replace("size_bytes", &format!("sha256 = \"{digest}\", size_bytes"));
    folder.write(
        "models.toml",
        text.replace(
            "id = \"MIT\"",
            "id = \"LicenseRef-own\", name = \"Own\", url = \"https://terms.example\"",
        ),
    );
    let path = folder.write("models/tiny/tiny.gguf", &bytes);
    let (checks, _) = examined(&folder, &[]);
    assert_eq!(verdict(&checks, "models tiny"), "good");
    assert_eq!(verdict(&checks, "licences"), "warning");
    let mut flipped = bytes.clone();
    flipped[3000] ^= 1;
    overwrite(&path, &flipped);
    let (checks, is_well) = examined(&folder, &[]);
    assert_eq!((verdict(&checks, "models tiny"), is_well), ("fault", false));
    overwrite(&path, &bytes[..2000]);
    let (checks, _) = examined(&folder, &[]);
    assert_eq!(verdict(&checks, "models tiny"), "fault");

    folder.write("portico.toml", "[limits]\nmax_batch = \"many\"\n");
    let (checks, is_well) = examined(&folder, &[]);
    assert_eq!(checks["configuration"]["verdict"], "fault");
    assert!(!is_well && checks["configuration"]["found"].as_str().unwrap().contains("line 2"));
    assert_eq!(verdict(&checks, "models tiny"), "fault", "the rest is examined nevertheless");
    folder.write(
        "portico.toml",
        "[[upstreams]]\nid = \"u\"\nurl = \"http://u\"\napi_key = { file = \"absent\" }\n",
    );
    let (checks, _) = examined(&folder, &[]);
    assert_eq!(verdict(&checks, "configuration"), "fault");
}

/// Answers every request with 200, this body, and this time of day.
fn answering(date: &'static str, body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = stream.read(&mut [0; 4096]);
            let length = body.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\ndate: {date}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_that_do_not_answer_as_they_should_are_found() {
    let in_days = day_of(now_s() + 5 * 86_400);
    let mut parts = in_days.split('-').map(|part| part.parse::<u16>().unwrap());
    let [year, month, day] = std::array::from_fn(|_| parts.next().unwrap());
    let soon = TlsUpstream::start_until(Some((year.into(), month as u8, day as u8))).await;
    let later = TlsUpstream::start().await;
    let ended = TlsUpstream::start_until(Some((2024, 1, 1))).await;
    let late = answering("Tue, 01 Jan 2030 00:00:00 GMT", "{}".to_owned());
    let other =
        answering("Tue, 01 Jan 2030 00:00:00 GMT", r#"{"issuer":"https://other"}"#.to_owned());
    let folder = Folder::new();
    let (mut toml, mut add) = (String::new(), Vec::new());
    for (id, upstream) in [("soon", &soon), ("later", &later), ("ended", &ended)] {
        add.push((format!("{id}.pem"), upstream.authority.clone()));
        toml += &format!(
            "[[upstreams]]\nid = \"{id}\"\nurl = \"{}\"\nca_file = \"{id}.pem\"\n",
            upstream.url
        );
    }
    add.push(("stranger.pem".to_owned(), later.other.clone()));
    for (name, pem) in add {
        folder.write(&name, pem);
    }
    toml += &format!(
        "[[upstreams]]\nid = \"stranger\"\nurl = \"{}\"\nca_file = \"stranger.pem\"\n",
        later.url
    );
    toml += &format!("[[upstreams]]\nid = \"dead\"\nurl = \"{}\"\n", dead_url());
    toml += &format!("[[upstreams]]\nid = \"late\"\nurl = \"{late}\"\n");
    toml += &format!("[people.oidc]\nissuer = \"{other}\"\nclient_id = \"x\"\n");
    toml += &format!("[documents.vectors]\nqdrant_url = \"{}\"\ntimeout_s = 2\n", dead_url());
    toml += "[server]\npublic_url = \"https://chat.example.invalid\"\n";
    folder.write("portico.toml", &toml);
    let (checks, is_well) = tokio::task::block_in_place(|| examined(&folder, &[]));
    assert!(!is_well);
    for (name, expected) in [
        ("upstream soon", "good"),
        ("certificate soon", "warning"),
        ("upstream later", "good"),
        ("certificate later", "good"),
        ("upstream ended", "fault"),
        ("certificate ended", "fault"),
        ("upstream stranger", "fault"),
        ("certificate stranger", "fault"),
        ("upstream dead", "fault"),
        ("upstream late", "good"),
        ("sign_in", "fault"),
        ("vectors", "fault"),
        ("public_url", "warning"),
    ] {
        assert_eq!(verdict(&checks, name), expected, "{name}: {checks:#?}");
    }
    assert!(checks["certificate soon"]["found"].as_str().unwrap().contains(&in_days));
    assert!(checks["sign_in"]["found"].as_str().unwrap().contains("https://other"));
    // Those whose clock agrees outvote one that is wrong; alone it is a reason to look.
    assert_eq!(verdict(&checks, "clock"), "good");
    folder.write("portico.toml", format!("[[upstreams]]\nid = \"late\"\nurl = \"{late}\"\n"));
    let (checks, is_well) = tokio::task::block_in_place(|| examined(&folder, &[]));
    assert_eq!((verdict(&checks, "clock"), is_well), ("fault", false));
}

#[test]
fn storage_elsewhere_is_tried_and_its_end_is_told() {
    let folder = Folder::new();
    let storage = crate::storage::Storage::start();
    let config = storage.config(&folder.0);
    let secrets = [("key", "portico"), ("secret", "a secret of the house")];
    for (name, text) in secrets {
        folder.write(name, text);
    }
    let toml = format!(
        "[files]\nstore = \"s3\"\nbucket = \"{}\"\nendpoint = \"{}\"\nprefix = \"{}\"\ntimeout_s = 2\n\
         access_key = {{ file = \"key\" }}\nsecret_key = {{ file = \"secret\" }}\n",
        config.bucket.unwrap(),
        config.endpoint.unwrap(),
        config.prefix,
    );
    folder.write("portico.toml", toml);
    let (checks, _) = examined(&folder, &[]);
    assert_eq!(verdict(&checks, "files_store"), "good", "{checks:#?}");
    let left = walk(&storage.folder(&folder.0));
    assert!(left.is_empty(), "the probe is gone: {left:?}");
    storage.die();
    let (checks, is_well) = examined(&folder, &[]);
    assert_eq!((verdict(&checks, "files_store"), is_well), ("fault", false));
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path().is_dir() {
            true => found.extend(walk(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found
}
