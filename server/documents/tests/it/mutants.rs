//! 500 mutated files of each format: no crash, no stall over the limit, each a named error or a text.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::{CHILD, sample};

const N_MUTANTS: u64 = 500;
/// One file may take so long.
const LIMIT: Duration = Duration::from_secs(20);
const FORMATS: [&str; 13] =
    ["pdf", "docx", "pptx", "xlsx", "xls", "ods", "odt", "epub", "html", "md", "txt", "csv", "eml"];

/// What became of each mutant of one format: how many by outcome.
type Outcomes = BTreeMap<String, u64>;

/// Reads all mutants of a file in as few children as they let live.
fn read_all(format: &str) -> Outcomes {
    let mut outcomes = Outcomes::new();
    let mut next = 0;
    while next < N_MUTANTS {
        let mut child = Command::new(CHILD)
            .args(["mutants"])
            .arg(sample(&format!("sample.{format}")))
            .args([next.to_string(), N_MUTANTS.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pipe = child.stdout.take().unwrap();
        let (line, lines) = mpsc::channel();
        let reader = thread::spawn(move || {
            for said in BufReader::new(pipe).lines().map_while(Result::ok) {
                if line.send(said).is_err() {
                    break;
                }
            }
        });
        let mut open = None;
        let how = loop {
            match lines.recv_timeout(LIMIT) {
                Ok(said) => {
                    let mut words = said.split(' ');
                    match (words.next(), words.next(), words.next()) {
                        (Some("begin"), Some(seed), _) => open = seed.parse::<u64>().ok(),
                        (Some("end"), Some(_), Some(outcome)) => {
                            *outcomes.entry(outcome.to_owned()).or_default() += 1;
                            next = open.take().unwrap() + 1;
                        }
                        _ => panic!("{format}: {said}"),
                    }
                }
                Err(mpsc::RecvTimeoutError::Timeout) => break "extract_timeout",
                Err(mpsc::RecvTimeoutError::Disconnected) => break "ended",
            }
        };
        // A stalled one is ended; one that has ended does not mind.
        let _ = child.kill();
        let status = child.wait().unwrap();
        reader.join().unwrap();
        if let Some(seed) = open {
            let outcome = if how == "ended" { format!("child: {status}") } else { how.to_owned() };
            eprintln!("{format} {seed}: {outcome}");
            *outcomes.entry(outcome).or_default() += 1;
            next = seed + 1;
        }
    }
    outcomes
}

#[test]
fn each_of_500_mutants_of_each_format_is_a_text_or_a_named_error() {
    let begun = Instant::now();
    let mut all = Vec::new();
    for formats in FORMATS.chunks(2) {
        thread::scope(|scope| {
            let running: Vec<_> =
                formats.iter().map(|format| (format, scope.spawn(|| read_all(format)))).collect();
            for (format, running) in running {
                all.push((format, running.join().unwrap()));
            }
        });
    }
    for (format, outcomes) in &all {
        eprintln!("{format}: {outcomes:?}");
        assert_eq!(outcomes.values().sum::<u64>(), N_MUTANTS, "{format}");
        for outcome in outcomes.keys() {
            let is_named = outcome == "text"
                || outcome.starts_with("document_")
                || outcome.starts_with("extract_")
                // Memory at its limit: the parent names it, as `children` tests.
                || outcome.contains("SIGABRT");
            assert!(is_named, "{format}: {outcome}");
        }
        assert!(!outcomes.contains_key("extract_timeout"), "{format} stalled: {outcomes:?}");
        assert!(
            outcomes.get("text").is_some_and(|n| *n > 20),
            "{format} is hardly read: {outcomes:?}"
        );
    }
    eprintln!("{:?}", begun.elapsed());
}
