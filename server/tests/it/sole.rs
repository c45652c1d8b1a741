//! Two servers on one house: the second is refused, a killed one is in nobody's way, and who has lost the
//! database to another stops.

use std::io::Read as _;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

use crate::common::*;
use crate::program::{Server, portico};

/// What a second server on this folder says, in each language.
fn refused(data: &Path) -> [String; 2] {
    let started = ["en", "de"].map(|lang| {
        let mut second = portico(data);
        second.args(["--lang", lang, "serve", "--addr", "127.0.0.1:0"]);
        second.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    });
    started.map(|second| {
        let Output { status, stderr, .. } = second.wait_with_output().unwrap();
        let said = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(1), "{said}");
        assert!(said.contains("[server_running]"), "{said}");
        said
    })
}

fn run(data: &Path, args: &[&str]) -> String {
    let output = portico(data).args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn verdict_of_doctor(data: &Path) -> String {
    let report = portico(data).args(["doctor", "--json"]).output().unwrap().stdout;
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == "server").unwrap();
    format!("{} {}", check["verdict"].as_str().unwrap(), check["found"].as_str().unwrap())
}

#[test]
fn the_second_server_of_a_folder_is_told_who_has_it_and_verbs_go_on() {
    let (folder, kept) = (Folder::new(), Folder::new());
    assert!(verdict_of_doctor(&folder.0).starts_with("skipped"));
    let first = Server::start(&folder.0);
    let (pid, addr) = (format!(" {} ", first.pid()), first.address.trim_end_matches('/'));
    let addr = addr.trim_start_matches("http://");
    let said = refused(&folder.0);
    for (said, words) in said.iter().zip(["Stop that one first", "Halten Sie jenen zuerst an"]) {
        assert!(said.contains(&pid) && said.contains(addr), "{said}");
        assert!(said.contains(words), "{said}");
    }
    let seen = verdict_of_doctor(&folder.0);
    assert!(seen.starts_with("good") && seen.contains(&pid) && seen.contains(addr), "{seen}");
    // The first has noticed nothing, and what the command line does beside it goes on.
    assert_eq!(first.get("healthz", &[]).0, 200);
    run(&folder.0, &["keys", "create", "--name", "tests"]);
    assert!(run(&folder.0, &["people", "link", "--admin"]).contains("#/link/"));
    run(&folder.0, &["collections", "create", "Haus", "--id", "haus", "--embedder", "none"]);
    let text = kept.write("text.md", "# Wombats\n\nThey dig.\n");
    run(&folder.0, &["ingest", text.to_str().unwrap(), "--collection", "haus"]);
    if crate::database::environment(&folder.0).is_none() {
        run(&folder.0, &["backup", "--to", kept.0.to_str().unwrap()]);
    }
    // One that had no time to say anything.
    first.kill();
    let next = Server::start(&folder.0);
    assert_eq!(next.get("healthz", &[]).0, 200);
    assert_eq!(next.stop(), Some(0));
}

/// What holds the lock of a house in its database: its process there.
const HOLDER: &str = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2
    AND granted AND classid::bigint = 1886351988 AND objid::bigint = 1768124193
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Two folders on one database of a PostgreSQL server; without one there is nothing to be seen.
#[test]
fn one_database_has_one_server_whose_lock_goes_with_its_connection() {
    let (one, other) = (Folder::new(), Folder::new());
    let Some((name, url)) = crate::database::environment(&one.0) else { return };
    let start = |data: &Path| {
        let mut serve = portico(data);
        serve.env(name, &url).args(["serve", "--addr", "127.0.0.1:0"]);
        Server::spawn(serve)
    };
    let first = start(&one.0);
    let mut second = portico(&other.0);
    second.env(name, &url).args(["serve", "--addr", "127.0.0.1:0"]);
    let Output { status, stderr, .. } = second.output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    let pid = format!(" {} ", first.pid());
    assert!(said.contains("[server_running]") && said.contains(&pid), "{said}");
    assert!(said.contains("postgres://"), "{said}");
    let seen = verdict_of_doctor(&one.0);
    assert!(seen.starts_with("good") && seen.contains(&pid), "{seen}");

    // A connection that breaks is made anew, with its lock.
    let mut client = Client::connect(&url, NoTls).unwrap();
    let holder = |client: &mut Client| -> Option<i32> {
        Some(client.query_opt(HOLDER, &[]).unwrap()?.get(0))
    };
    let before = holder(&mut client).unwrap();
    client.execute("SELECT pg_terminate_backend($1, 5000)", &[&before]).unwrap();
    let after = until("the lock again", || holder(&mut client));
    assert_ne!(before, after);
    assert_eq!(first.get("readyz", &[]).0, 200);

    // A killed one is in nobody's way, from whatever folder.
    first.kill();
    let next = start(&other.0);
    assert_eq!(next.get("readyz", &[]).0, 200);

    // Who has lost it to another stops, and says so.
    until("the lock for another", || {
        if let Some(holder) = holder(&mut client) {
            client.execute("SELECT pg_terminate_backend($1, 5000)", &[&holder]).unwrap();
        }
        let sql = "SELECT pg_try_advisory_lock(1886351988, 1768124193)";
        client.query_one(sql, &[]).unwrap().get::<_, bool>(0).then_some(())
    });
    let (code, said) = next.ended();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("[server_running]"), "{said}");
}

impl Server {
    /// How it ended by itself, and what it said.
    fn ended(mut self) -> (Option<i32>, String) {
        let status = until("its end", || self.child.try_wait().unwrap());
        let mut said = String::new();
        let stderr = self.child.stderr.take().unwrap();
        std::io::BufReader::new(stderr).read_to_string(&mut said).unwrap();
        (status.code(), said)
    }
}
