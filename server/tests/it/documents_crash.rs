//! The program is killed again and again while it takes a folder in: what is found in the end, and at
//! every moment between, is what would be found had nobody killed it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use portico_search::vectors::{EdgeConfig, EmbedderId, OpenStore, StoreConfig};
use portico_search::{Filter, Query, SearchConfig, SearchIndex};
use portico_server::db::sql::Connection;

use crate::common::*;

const KILLS: usize = 200;
/// Each start loads the embedder.
const KILLS_WITH_VECTORS: usize = 24;
const EMBEDDER: &str = "all-minilm-l6-v2";
const EMBEDDER_DIM: usize = 384;

fn ingest(data: &Path, source: &Path) -> Command {
    ingest_by(data, source, "none")
}

fn ingest_by(data: &Path, source: &Path, embedder: &str) -> Command {
    let mut ingest = Command::new(env!("CARGO_BIN_EXE_portico"));
    if embedder != "none" {
        let models = std::env::var_os("PORTICO_MODELS_DIR").unwrap_or_else(|| {
            panic!("PORTICO_MODELS_DIR names no folder with {embedder}: use cargo xtask")
        });
        ingest.arg("--models-dir").arg(models);
    }
    ingest.arg("--data").arg(data).args(["--lang", "en", "ingest"]).arg(source);
    ingest.args(["--collection", "haus", "--embedder", embedder]);
    ingest.stdout(Stdio::null()).stderr(Stdio::null()).env("RUST_LOG", "off");
    ingest.envs(crate::storage::environment(data));
    ingest
}

/// A document of several passages, each of which says its version.
fn text(name: &str, version: u32) -> String {
    let section = |n: u32| {
        let line = format!("Section {n} of {name} in version v{version} tells of the house. ");
        format!("## Part {n}\n\n{}\n\n", line.repeat(16))
    };
    format!("# {name}\n\n{}", (0..3).map(section).collect::<String>())
}

struct Random(u32);

impl Random {
    fn below(&mut self, n: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % n
    }
}

/// Changes a folder from one of its states to the next.
fn prepare(source: &Folder, state: u32) {
    let write = |n: u32, version: u32| {
        source.write(&format!("in/{n:02}.md"), text(&format!("file {n}"), version));
    };
    match state {
        0 => (0..16).for_each(|n| write(n, 1)),
        1 => {
            (0..6).for_each(|n| write(n, 2));
            (6..10).for_each(|n| fs::remove_file(source.0.join(format!("in/{n:02}.md"))).unwrap());
            (16..20).for_each(|n| write(n, 2));
            // The same bytes twice are one.
            source.write("in/copy.md", text("file 12", 1));
        }
        _ => {
            (10..16).for_each(|n| write(n, state + 1));
            (0..4).for_each(|n| write(n, state - 1));
        }
    }
}

/// Every document's live passages: (name, ordinal) → text and place.
type Live = BTreeMap<(String, u32), (String, u32, u32)>;

fn live(data: &Path) -> Live {
    let sql = "SELECT d.name, p.ordinal, p.text, p.from_char, p.to_char, d.n_passages
        FROM passages p JOIN documents d ON d.id = p.document";
    let mut counts: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    let live = crate::database::of(data).call_blocking(|connection| {
        let mut select = connection.prepare(sql)?;
        let rows = select.query_map([], |row| {
            let name: String = row.get(0)?;
            let count = counts.entry(name.clone()).or_default();
            *count = (count.0 + 1, row.get(5)?);
            Ok(((name, row.get(1)?), (row.get(2)?, row.get(3)?, row.get(4)?)))
        })?;
        rows.collect()
    });
    let live: Live = live.unwrap();
    for (name, (n, expected)) in counts {
        assert_eq!(n, expected, "{name} has not all of its passages");
    }
    live
}

/// Whole versions only.
fn check_versions(live: &Live) {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for ((name, _), (text, ..)) in live {
        let version = text.split("version ").nth(1).and_then(|rest| rest.split(' ').next());
        versions.entry(name).or_default().insert(version.unwrap_or("none"));
    }
    for (name, versions) in versions {
        assert_eq!(versions.len(), 1, "{name} is of several versions: {versions:?}");
    }
}

/// Ids that the index finds, and those that are live.
async fn index_and_database(data: &Path) -> (BTreeSet<Vec<u8>>, BTreeSet<Vec<u8>>) {
    let index = SearchIndex::open(SearchConfig::new(data.join("search"))).await.unwrap();
    let mut found = BTreeSet::new();
    let rows = crate::database::of(data).call_blocking(|connection| {
        let mut select = connection.prepare("SELECT id, document FROM passages")?;
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    });
    let rows: Vec<(Vec<u8>, String)> = rows.unwrap();
    for document in rows.iter().map(|(_, document)| document).collect::<BTreeSet<_>>() {
        let filter =
            Filter { documents: vec![document.parse().unwrap()], ..Filter::collections(["haus"]) };
        let query =
            Query { text: "section house".to_owned(), filter, limit: 100, ..Query::default() };
        let hits = index.search(&query).await.unwrap();
        found.extend(hits.iter().map(|hit| hit.id.as_bytes().to_vec()));
    }
    assert_eq!(index.n_passages() as usize, rows.len(), "the index has others too");
    (found, rows.into_iter().map(|(id, _)| id).collect())
}

fn left_over(data: &Path) -> i64 {
    let sql = "SELECT (SELECT count(*) FROM staged_passages) + (SELECT count(*) FROM staged_texts)
        + (SELECT count(*) FROM index_removals)
        + (SELECT count(*) FROM jobs WHERE state <> 'done')";
    let database = crate::database::of(data);
    database.call_blocking(|database| database.query_row(sql, [], |row| row.get(0))).unwrap()
}

#[tokio::test]
async fn killed_two_hundred_times_it_finds_what_it_would_have_found() {
    let (source, killed, whole) = (Folder::new(), Folder::new(), Folder::new());
    let mut random = Random(2_463_534_242);
    let mut n_kills = 0;
    let start = Instant::now();
    let mut state = 0;
    while state < 3 || n_kills < KILLS {
        prepare(&source, state);
        let folder = source.0.join("in");
        assert!(ingest(&whole.0, &folder).status().unwrap().success());
        loop {
            let mut run = ingest(&killed.0, &folder);
            let ended = if random.below(8) == 0 {
                // At any moment, also in the middle of a step.
                let mut child = run.spawn().unwrap();
                std::thread::sleep(Duration::from_millis(random.below(250).into()));
                let _ = child.kill();
                child.wait().unwrap()
            } else {
                run.env("PORTICO_ABORT_AT", (1 + random.below(3)).to_string());
                run.status().unwrap()
            };
            if ended.success() {
                break;
            }
            assert_eq!(ended.code(), None, "it ended by itself");
            n_kills += 1;
            if crate::database::of(&killed.0).exists() {
                check_versions(&live(&killed.0));
            }
            assert!(start.elapsed() < Duration::from_secs(300), "{n_kills} kills, state {state}");
        }
        assert_eq!(live(&killed.0), live(&whole.0), "state {state} after {n_kills} kills");
        let (found, live) = index_and_database(&killed.0).await;
        assert_eq!(found, live, "state {state}");
        assert_eq!(left_over(&killed.0), 0);
        state += 1;
    }
    eprintln!("{n_kills} kills in {:.1} s", start.elapsed().as_secs_f32());
}

/// What the store of vectors has, each as the database has it too.
async fn stored_vectors(data: &Path) -> BTreeMap<Vec<u8>, Vec<f32>> {
    let folder = data.join("search").join("vectors");
    let id = EmbedderId { name: EMBEDDER.to_owned(), n_dims: EMBEDDER_DIM };
    let opened = OpenStore::open(id, StoreConfig::Edge(EdgeConfig::new(folder))).await.unwrap();
    let page = opened.store.page(None, 10_000).await.unwrap();
    assert!(page.next.is_none());
    let stored = page.points.into_iter();
    let stored: BTreeMap<Vec<u8>, Vec<f32>> =
        stored.map(|point| (point.id.as_bytes().to_vec(), point.vector)).collect();
    let kept = crate::database::of(data).call_blocking(|connection| {
        let mut select = connection.prepare("SELECT id, vector FROM passages")?;
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    });
    let kept: BTreeMap<Vec<u8>, Vec<u8>> = kept.unwrap();
    assert!(kept.keys().eq(stored.keys()), "the store has others than those that are live");
    for (id, vector) in &stored {
        let floats = kept[id].chunks_exact(4);
        let kept = floats.map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
        // The engine makes unit vectors of unit vectors.
        assert!(kept.zip(vector).all(|(kept, stored)| (kept - stored).abs() < 1e-5));
    }
    stored
}

/// The same with an embedder: both indexes are those of a run that nobody disturbed.
#[tokio::test]
async fn killed_while_it_embeds_its_vectors_are_those_of_an_undisturbed_run() {
    let (source, killed, whole) = (Folder::new(), Folder::new(), Folder::new());
    let mut random = Random(88_172_645);
    let (mut n_kills, mut state) = (0, 0);
    let start = Instant::now();
    let write = |n: u32, version: u32| {
        let line = format!("Note {n} in version v{version} tells of the house. ");
        source.write(&format!("in/{n:02}.md"), format!("# Note {n}\n\n{}", line.repeat(3)));
    };
    while state < 2 || n_kills < KILLS_WITH_VECTORS {
        match state {
            0 => (0..10).for_each(|n| write(n, 1)),
            1 => {
                fs::remove_file(source.0.join("in/09.md")).unwrap();
                (0..5).for_each(|n| write(n, 2));
                write(10, 2);
            }
            _ => (0..8).for_each(|n| write(n, state + 1)),
        }
        let folder = source.0.join("in");
        assert!(ingest_by(&whole.0, &folder, EMBEDDER).status().unwrap().success());
        loop {
            let mut run = ingest_by(&killed.0, &folder, EMBEDDER);
            run.env("PORTICO_ABORT_AT", (1 + random.below(7)).to_string());
            let ended = run.status().unwrap();
            if ended.success() {
                break;
            }
            assert_eq!(ended.code(), None, "it ended by itself");
            n_kills += 1;
            check_versions(&live(&killed.0));
            assert!(start.elapsed() < Duration::from_secs(300), "{n_kills} kills, state {state}");
        }
        assert_eq!(live(&killed.0), live(&whole.0), "state {state} after {n_kills} kills");
        let (found, live) = index_and_database(&killed.0).await;
        assert_eq!(found, live, "state {state}");
        // A passage's name is its document's, which is another in each folder.
        let vectors = async |data: &Path| {
            let mut vectors: Vec<Vec<u32>> = Vec::new();
            for vector in stored_vectors(data).await.into_values() {
                vectors.push(vector.iter().map(|x| x.to_bits()).collect());
            }
            vectors.sort_unstable();
            vectors
        };
        assert_eq!(vectors(&killed.0).await, vectors(&whole.0).await, "state {state}");
        assert_eq!(left_over(&killed.0), 0);
        state += 1;
    }
    eprintln!("{n_kills} kills with vectors in {:.1} s", start.elapsed().as_secs_f32());
}

/// A limit on the size of each file stands for a disk that has no more room.
#[test]
fn a_full_disk_is_named_and_nothing_half_stays() {
    let (source, data) = (Folder::new(), Folder::new());
    source.write("in/large.txt", "word ".repeat(2 << 20));
    let limited = |kib: &str| {
        let mut shell = Command::new("bash");
        let script = "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"";
        shell.args(["-c", script, kib, env!("CARGO_BIN_EXE_portico"), "--data"]).arg(&data.0);
        shell.args(["--lang", "en", "ingest"]).arg(source.0.join("in"));
        shell.args(["--collection", "haus", "--embedder", "none"]);
        shell.envs(crate::database::environment(&data.0)).output().unwrap()
    };
    let full = limited("4096");
    let said = String::from_utf8_lossy(&full.stderr);
    assert!(!full.status.success() && said.contains("[disk_full]"), "{said}");
    let incoming = data.0.join("files").join("incoming");
    assert_eq!(fs::read_dir(&incoming).unwrap().count(), 0);
    let database = crate::database::of(&data.0);
    let count = |sql: &str| {
        let count = |db: &mut Connection| db.query_row(sql, [], |row| row.get::<_, i64>(0));
        database.call_blocking(count).unwrap()
    };
    assert_eq!(count("SELECT count(*) FROM documents"), 0);
    // With room again the same command does it, and removes what was left by one that was killed in a
    // container, where each has the number of a process that lives.
    data.write("files/incoming/.file.1-0.tmp", "half");
    let source = source.0.join("in");
    assert!(ingest(&data.0, &source).status().unwrap().success());
    assert_eq!(fs::read_dir(&incoming).unwrap().count(), 0);
    assert_eq!(count("SELECT count(*) FROM jobs WHERE state = 'done'"), 1);
}
