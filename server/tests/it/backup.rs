//! Backups of the real program: taken under load, restored, damaged in every region, cut off.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use portico_server::models::sha256::of_bytes;
use portico_shared::sync::{Body, Hlc, Op, Setting, uuid_v7};
use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::json;

use crate::common::*;
use crate::sync_chaos::house::House;

const PROGRAM: &str = env!("CARGO_BIN_EXE_portico");

fn portico(data: &Path, args: &[&str]) -> Command {
    let mut portico = Command::new(PROGRAM);
    portico.arg("--data").arg(data).args(args).env("LANG", "C").env("RUST_LOG", "error");
    portico.env_remove("LC_ALL").env_remove("LC_MESSAGES");
    portico
}

fn done(output: &Output) -> String {
    let (said, told) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}{told}", String::from_utf8_lossy(said));
    String::from_utf8(said.clone()).unwrap()
}

fn run(data: &Path, args: &[&str]) -> String {
    done(&portico(data, args).output().unwrap())
}

/// What a verb that fails says.
fn refused(data: &Path, args: &[&str]) -> String {
    let output = portico(data, args).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    said
}

fn text_of(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Backs a data folder up as a file of another folder.
fn back_up(data: &Path, to: &Folder, name: &str) -> PathBuf {
    let file = to.0.join(name);
    run(data, &["backup", "--to", text_of(&file)]);
    file
}

fn restore(file: &Path, data: &Path) -> String {
    run(data, &["restore", text_of(file)])
}

/// Rows of all tables, each as text and in order.
fn rows(data: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let connection = Connection::open(data.join("portico.sqlite")).unwrap();
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let mut select = connection.prepare(sql).unwrap();
    let names = select.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let names: Vec<String> = names.map(Result::unwrap).collect();
    let of_table = |name: String| {
        let mut select = connection.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let n_columns = select.column_count();
        let rows = select.query_map([], |row| {
            let cells = (0..n_columns).map(|i| row.get::<_, Value>(i));
            Ok(format!("{:?}", cells.collect::<rusqlite::Result<Vec<_>>>()?))
        });
        let rows = rows.unwrap().map(Result::unwrap).collect();
        (name, rows)
    };
    names.into_iter().map(of_table).collect()
}

/// Documents' files by their path, with their digests.
fn files(data: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let root = data.join("files");
    for folder in fs::read_dir(&root).into_iter().flatten().flatten() {
        for file in fs::read_dir(folder.path()).into_iter().flatten().flatten() {
            let path = file.path();
            let name = path.strip_prefix(&root).unwrap().to_owned();
            if name.file_name().unwrap().len() == 64 {
                found.insert(name, of_bytes(&fs::read(&path).unwrap()));
            }
        }
    }
    found
}

/// A house with an administrator's key, a collection, and somebody who writes.
struct Town {
    house: House,
    key: String,
    agent: ureq::Agent,
}

impl Town {
    fn open(data: &Path) -> Self {
        let house = House::open(Path::new(PROGRAM), data);
        let said = run(data, &["keys", "create", "--name", "tests", "--admin"]);
        let key = said.split_whitespace().next_back().unwrap().to_owned();
        run(data, &["collections", "create", "Haus", "--id", "haus", "--embedder", "none"]);
        Self { house, key, agent: agent() }
    }

    fn upload(&self, name: &str, text: &str) -> u16 {
        let address = self.house.address();
        let path = format!("{address}api/collections/haus/documents?name={name}");
        let request = self.agent.post(path).header("authorization", format!("Bearer {}", self.key));
        request.send(text.as_bytes()).unwrap().status().as_u16()
    }

    fn push(&self, n: u32) {
        let id = |kind: u8| {
            let [a, b, c, d] = n.to_be_bytes();
            uuid_v7(1_000 + u64::from(n), &[kind, a, b, c, d, 0, 0, 0, 0, 0])
        };
        let at = |n| Hlc { ms: 10_000, n };
        let conversation = id(1);
        let title = Setting::Title(Some(format!("conversation {n}")));
        let ops = [
            Op::new(id(2), at(n), Body::CreateConversation { conversation }),
            Op::new(id(3), at(n + 1), Body::Set { conversation, setting: title }),
        ];
        let lines = ops.map(|op| op.to_json());
        let pushed = self.house.push(&[&lines[0], &lines[1]]).unwrap();
        assert!(pushed.refused.is_empty(), "{pushed:?}");
    }

    fn is_idle(&self) -> bool {
        let path = format!("{}api/jobs", self.house.address());
        let request = self.agent.get(path).header("authorization", format!("Bearer {}", self.key));
        let jobs: serde_json::Value =
            serde_json::from_str(&request.call().unwrap().body_mut().read_to_string().unwrap())
                .unwrap();
        jobs["total"]["n_documents"] == jobs["total"]["n_ready"]
            || jobs["jobs"].as_array().is_some_and(Vec::is_empty)
    }
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().proxy(None).http_status_as_error(false);
    config.timeout_global(Some(Duration::from_secs(30))).build().new_agent()
}

/// How many passages a server finds.
fn n_found(address: &str, key: &str, question: &str) -> usize {
    let request = agent().post(format!("{address}api/search"));
    let request = request.header("authorization", format!("Bearer {key}"));
    let body = json!({ "query": question, "limit": 50 }).to_string();
    let mut answer = request.header("content-type", "application/json").send(body).unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    let found: serde_json::Value = serde_json::from_str(&text).unwrap();
    found["hits"].as_array().map_or(0, Vec::len)
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Ends the load, also where the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn taken_under_load_it_restores_to_the_same_state() {
    let (data, kept) = (Folder::new(), Folder::new());
    data.write("portico.toml", "[limits]\nmax_batch = 7\n");
    let town = Town::open(&data.0);
    let (is_over, n_up, n_pushed) = (AtomicBool::new(false), AtomicU32::new(0), AtomicU32::new(0));
    let mut before = Vec::new();
    let goes_on = || !is_over.load(Ordering::Acquire);
    std::thread::scope(|scope| {
        let _over = Over(&is_over);
        scope.spawn(|| {
            while goes_on() {
                let n = n_up.load(Ordering::Acquire);
                // Every other one replaces one: its file loses its last reference.
                let name = format!("rules-{}.md", n / 2);
                let text = format!("# Rules {n}\n\nThe {n}th rule is about wombats.\n");
                assert!(town.upload(&name, &text) < 300);
                n_up.store(n + 1, Ordering::Release);
            }
        });
        scope.spawn(|| {
            while goes_on() {
                let n = n_pushed.load(Ordering::Acquire);
                town.push(n);
                n_pushed.store(n + 1, Ordering::Release);
            }
        });
        scope.spawn(|| {
            // What counting tokens does, by another process than the server.
            let db = portico_server::db::Db::new(data.0.join("portico.sqlite"));
            let sql = "INSERT INTO usage (who, day, model, requests) VALUES ('tests', '2026-11-26', 'm', 1)
                ON CONFLICT DO UPDATE SET requests = requests + 1";
            while goes_on() {
                db.call_blocking(|connection| connection.execute(sql, [])).unwrap();
            }
        });
        until("something to back up", || n_up.load(Ordering::Acquire) > 20);
        for n in 0..3 {
            before.push((n_up.load(Ordering::Acquire), n_pushed.load(Ordering::Acquire)));
            back_up(&data.0, &kept, &format!("{n}.tar.zst"));
        }
    });
    for (n, (n_up, n_pushed)) in before.into_iter().enumerate() {
        let folder = kept.0.join(format!("restored-{n}"));
        restore(&kept.0.join(format!("{n}.tar.zst")), &folder);
        let tables = rows(&folder);
        // What was answered before the backup began is in it, and every file that it speaks of.
        assert!(tables["documents"].len() as u32 >= n_up / 2);
        assert!(tables["sync_heads"].len() as u32 >= n_pushed);
        let here = files(&folder);
        let connection = Connection::open(folder.join("portico.sqlite")).unwrap();
        let sql =
            "SELECT sha256 FROM documents WHERE sha256 IS NOT NULL UNION SELECT sha256 FROM jobs";
        let mut select = connection.prepare(sql).unwrap();
        let mut n_referred = 0;
        for sha256 in select.query_map([], |row| row.get::<_, String>(0)).unwrap() {
            let sha256 = sha256.unwrap();
            let file = Path::new(&sha256[..2]).join(&sha256);
            assert_eq!(here.get(&file), Some(&sha256));
            n_referred += 1;
        }
        assert_eq!(here.len(), n_referred, "and no others");
    }

    // When all is calm the restored state is the very same.
    until("the queue's end", || town.is_idle());
    let (mut file, mut expected) = (PathBuf::new(), BTreeMap::new());
    until("a moment without a change", || {
        expected = rows(&data.0);
        file = back_up(&data.0, &kept, "calm.tar.zst");
        expected == rows(&data.0)
    });
    let folder = kept.0.join("calm");
    let said = restore(&file, &folder);
    assert!(said.contains("1 devices must sign in again"), "{said}");
    let mut restored = rows(&folder);
    for gone in ["sessions", "links", "attachment_uploads"] {
        expected.remove(gone);
        assert_eq!(restored.remove(gone), Some(BTreeSet::new()), "{gone}");
    }
    let (old, new) = (expected.remove("sync_logs").unwrap(), restored.remove("sync_logs").unwrap());
    assert!(old.len() == 1 && new.len() == 1 && old != new, "the log has a new epoch");
    let (old, new) = (expected.remove("audit").unwrap(), restored.remove("audit").unwrap());
    let added: Vec<_> = new.difference(&old).collect();
    assert!(old.is_subset(&new) && added.len() == 1 && added[0].contains("backup_restored"));
    assert!(expected == restored, "all rows of the other tables");
    let here = files(&folder);
    assert!(!here.is_empty() && here.iter().all(|(path, sha256)| path.ends_with(sha256)));
    let live: BTreeMap<_, _> =
        files(&data.0).into_iter().filter(|(path, _)| here.contains_key(path)).collect();
    assert_eq!(live, here);
    let read = |data: &Path| fs::read_to_string(data.join("portico.toml")).unwrap();
    assert_eq!(read(&folder), read(&data.0));
    #[cfg(unix)]
    for path in [&file, &folder.join("portico.sqlite"), &folder] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
    }

    // It starts, knows the key, and finds; the old session is over.
    let key = town.key.clone();
    let cookie = town.house.cookie().to_owned();
    drop(town);
    let server = crate::program::Server::start(&folder);
    until("the search that was made anew", || n_found(&server.address, &key, "wombats") > 0);
    let (status, _) = server.get("api/sync/snapshot", &[("cookie", &cookie)]);
    assert_eq!(status, 401);
    server.stop();
}

/// A small house with two documents, and its backup.
fn small() -> (Folder, Folder, PathBuf) {
    let (data, kept) = (Folder::new(), Folder::new());
    for n in 0..2 {
        let text = words(6_000, n + 1);
        data.write(&format!("in/{n}.md"), text);
    }
    let source = data.0.join("in");
    run(&data.0, &["ingest", text_of(&source), "--collection", "haus", "--embedder", "none"]);
    let file = back_up(&data.0, &kept, "whole.tar.zst");
    (data, kept, file)
}

#[test]
fn a_changed_byte_anywhere_and_every_cut_are_refused() {
    let (_data, kept, file) = small();
    let bytes = fs::read(&file).unwrap();
    let stop = portico_server::backup::Stop::default();
    let check = |bytes: &[u8]| {
        let path = kept.write("damaged.tar.zst", bytes);
        portico_server::backup::check(&path, &stop, "checking").map(|_| ())
    };
    check(&bytes).unwrap();
    let refused = ["backup_damaged", "backup_foreign"];
    let whole = zstd::decode_all(&bytes[..]).unwrap();
    let last = bytes.len() - 1;
    let spread = (0..60).map(|n| n * last / 60);
    for at in (0..12).chain(spread).chain(last - 6..=last) {
        for bit in [0, 3, 7] {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            match check(&changed) {
                Err(error) => assert!(refused.contains(&error.code.as_str()), "{at}: {error}"),
                // How much memory to read it with, and how long it is, are hints; some bits of a block mean nothing
                // (the padding of a table's last byte). What is read is the same then.
                Ok(()) => assert!(
                    zstd::decode_all(&changed[..]).is_ok_and(|read| read == whole),
                    "{at}, {bit} was not noticed"
                ),
            }
        }
    }
    for end in [0, 1, 3, 17, bytes.len() / 3, bytes.len() - 4, last] {
        let error = check(&bytes[..end]).unwrap_err();
        assert!(refused.contains(&error.code.as_str()), "{end}: {error}");
    }
    let more = [&bytes[..], b"more"].concat();
    assert_eq!(check(&more).unwrap_err().code.as_str(), "backup_damaged");

    // The program says so, and leaves nothing.
    let mut changed = bytes.clone();
    changed[last / 2] ^= 1;
    let path = kept.write("damaged.tar.zst", &changed);
    let folder = kept.0.join("none");
    let said = self::refused(&folder, &["restore", text_of(&path)]);
    assert!(said.contains("[backup_damaged]") && said.contains("damaged.tar.zst"), "{said}");
    assert!(!folder.exists());
    let said = self::refused(&folder, &["restore", "--check", text_of(&path), "--lang", "de"]);
    assert!(said.contains("Fehler [backup_damaged]") && said.contains("beschädigt"), "{said}");
    let hidden = fs::read_dir(&kept.0).unwrap().flatten().map(|entry| entry.file_name());
    assert!(hidden.into_iter().all(|name| !name.to_string_lossy().starts_with('.')));
    assert!(run(&folder, &["restore", "--check", text_of(&file)]).contains("is good"));
    let foreign = kept.write("foreign", "this is a text");
    assert!(self::refused(&folder, &["restore", text_of(&foreign)]).contains("[backup_foreign]"));
}

/// An archive's entries: path, kind, bytes.
type Entries = Vec<(String, tar::EntryType, Vec<u8>)>;

fn unpacked(file: &Path) -> Entries {
    let decoder = zstd::stream::read::Decoder::new(fs::File::open(file).unwrap()).unwrap();
    let mut archive = tar::Archive::new(decoder);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        (path, tar::EntryType::Regular, bytes)
    });
    entries.collect()
}

fn packed(entries: &Entries, to: &Path) {
    let encoder = zstd::stream::write::Encoder::new(fs::File::create(to).unwrap(), 1).unwrap();
    let mut builder = tar::Builder::new(encoder);
    for (path, kind, bytes) in entries {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        if *kind == tar::EntryType::Symlink {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        builder.append(&header, bytes.as_slice()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap().flush().unwrap();
}

/// Lists `data/…` files as `manifest.json` does, whatever they are.
fn list_all(entries: &mut Entries) {
    let listed: Vec<_> = entries.iter().filter(|(path, ..)| path != "manifest.json").map(|(path, _, bytes)| {
        json!({ "path": path, "size_bytes": bytes.len(), "sha256": of_bytes(bytes) })
    }).collect();
    let manifest = json!({ "files": listed, "damaged": [] }).to_string().into_bytes();
    entries.retain(|(path, ..)| path != "manifest.json");
    entries.push(("manifest.json".to_owned(), tar::EntryType::Regular, manifest));
}

#[test]
fn what_was_made_to_do_harm_is_refused_by_name() {
    let (_data, kept, file) = small();
    let whole = unpacked(&file);
    let path = kept.0.join("made.tar.zst");
    let folder = kept.0.join("none");
    let refuse = |what: &str, code: &str, change: &dyn Fn(&mut Entries), relists: bool| {
        let mut entries = whole.clone();
        change(&mut entries);
        if relists {
            list_all(&mut entries);
        }
        packed(&entries, &path);
        let said = refused(&folder, &["restore", text_of(&path)]);
        assert!(said.contains(&format!("[{code}]")), "{what}: {said}");
        assert!(!folder.exists() && !kept.0.join("escaped").exists(), "{what}");
    };
    let insert = |name: &'static str, kind: tar::EntryType| {
        move |entries: &mut Entries| entries.insert(2, (name.to_owned(), kind, Vec::new()))
    };
    let regular = tar::EntryType::Regular;
    let damaged = "backup_damaged";
    for name in [
        "data/../escaped",
        "../escaped",
        "/tmp/escaped",
        "data//escaped",
        "data/.hidden",
        "elsewhere",
    ] {
        refuse(name, damaged, &insert(name, regular), true);
    }
    refuse("a link", damaged, &insert("data/link", tar::EntryType::Symlink), true);
    refuse("a folder", damaged, &insert("data/folder", tar::EntryType::Directory), true);
    refuse("a name twice", damaged, &insert("data/portico.sqlite", regular), true);
    refuse("a file that is missing", damaged, &|entries| drop(entries.remove(2)), false);
    refuse("a file that is not listed", damaged, &insert("data/more", regular), false);
    refuse("no manifest", damaged, &|entries| drop(entries.pop()), false);
    refuse("another beginning", "backup_foreign", &|entries| drop(entries.remove(0)), true);
    refuse("more than it says", damaged, &|entries| entries[1].2.extend(vec![0; 2 << 20]), true);
    let about = |name: &'static str, value: serde_json::Value| {
        move |entries: &mut Entries| {
            let mut about: serde_json::Value = serde_json::from_slice(&entries[0].2).unwrap();
            about[name] = value.clone();
            entries[0].2 = about.to_string().into_bytes();
        }
    };
    refuse("a newer schema", "backup_newer", &about("schema", json!(1_000_000)), true);
    refuse("a newer form", "backup_newer", &about("format", json!(1_000_000)), true);
    refuse("another program", "backup_foreign", &about("kind", json!("x")), true);
    refuse("another schema than it says", damaged, &about("schema", json!(1)), true);
    let spoilt = |entries: &mut Entries| {
        let database = &mut entries[1].2;
        let middle = database.len() / 2;
        database[middle..middle + 8192].fill(0xA5);
    };
    refuse("a database that is none", damaged, &spoilt, true);
    // The same way back, nothing changed, is good.
    let mut entries = whole.clone();
    list_all(&mut entries);
    packed(&entries, &path);
    restore(&path, &folder);
    let said = refused(&folder, &["restore", text_of(&path)]);
    assert!(said.contains("[restore_not_empty]"), "{said}");
}

#[cfg(unix)]
#[test]
fn stopped_on_the_way_it_leaves_nothing() {
    let (data, kept) = (Folder::new(), Folder::new());
    run(&data.0, &["keys", "create", "--name", "tests"]);
    // Enough to be stopped in.
    let sha256 = of_bytes(&noise(64 << 20, 7));
    let file = data.write(&format!("files/{}/{sha256}", &sha256[..2]), noise(64 << 20, 7));
    let connection = Connection::open(data.0.join("portico.sqlite")).unwrap();
    let sql = "INSERT INTO held_files VALUES (?1, ?2, 99999999999)";
    connection.execute(sql, (&sha256, 64 << 20)).unwrap();
    drop(connection);
    let whole = back_up(&data.0, &kept, "whole.tar.zst");
    let is_clean = || {
        let names = fs::read_dir(&kept.0).unwrap().flatten().map(|entry| entry.file_name());
        names.into_iter().all(|name| name == "whole.tar.zst")
    };
    let to = kept.0.join("stopped.tar.zst");
    let folder = kept.0.join("stopped");
    let verbs = [
        portico(&data.0, &["backup", "--to", text_of(&to)]),
        portico(&folder, &["restore", text_of(&whole)]),
    ];
    for mut verb in verbs {
        let child = verb.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        until("the first bytes", || !is_clean());
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("[cancelled]") && is_clean(), "{said}");
    }
    // A disk that is full: as to a file that may not grow further.
    for args in [
        ["--data", text_of(&data.0), "backup", "--to", text_of(&to)].as_slice(),
        &["--data", text_of(&folder), "restore", text_of(&whole)],
    ] {
        let small = "trap '' XFSZ; ulimit -f 16384; exec \"$0\" \"$@\"";
        let mut shell = Command::new("bash");
        shell.args(["-c", small, PROGRAM]).args(args).args(["--lang", "en"]);
        let output = shell.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("[disk_full]") && is_clean(), "{said}");
    }
    // Killed it can clean nothing up: the next run does.
    for mut verb in [
        portico(&data.0, &["backup", "--to", text_of(&to)]),
        portico(&folder, &["restore", text_of(&whole)]),
    ] {
        let mut child = verb.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        until("the first bytes", || !is_clean());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!folder.exists() && !to.exists());
        done(&verb.output().unwrap());
        fs::remove_file(&to).or_else(|_| fs::remove_dir_all(&folder)).unwrap();
        assert!(is_clean());
    }
    // A file that rots, and one that is gone, are told of and are no reason to have no backup.
    fs::write(&file, "rotten").unwrap();
    let output = portico(&data.0, &["backup", "--to", text_of(&to)]).output().unwrap();
    assert!(output.status.success() && String::from_utf8_lossy(&output.stderr).contains("damaged"));
    fs::remove_file(&file).unwrap();
    let output = portico(&data.0, &["backup", "--to", text_of(&to)]).output().unwrap();
    assert!(output.status.success() && String::from_utf8_lossy(&output.stderr).contains("missing"));
}

#[test]
fn without_data_or_with_those_of_a_newer_program_nothing_is_backed_up() {
    let folder = Folder::new();
    let said = refused(&folder.0.join("none"), &["backup", "--to", text_of(&folder.0)]);
    assert!(said.contains("[data_absent]"), "{said}");
    run(&folder.0, &["keys", "create", "--name", "tests"]);
    let connection = Connection::open(folder.0.join("portico.sqlite")).unwrap();
    connection.pragma_update(None, "user_version", 1_000_000).unwrap();
    drop(connection);
    let to = folder.0.join("x.tar.zst");
    for verb in [&["backup", "--to", text_of(&to)][..], &["keys", "list"]] {
        let said = refused(&folder.0, verb);
        assert!(said.contains("[data_newer]") && said.contains("1000000"), "{said}");
        let german = refused(&folder.0, &[verb, &["--lang", "de"]].concat());
        assert!(german.contains("Fehler [data_newer]") && german.contains("1000000"), "{german}");
    }
    assert!(!to.exists());
}
