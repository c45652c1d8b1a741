//! Whatever becomes of a child, its parent gets an answer, and an error has a name.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use portico_documents::{EXTRACT_VERB, ExtractError, Extractor, Hint, Limits, extract};

use crate::{CHILD, sample};

fn reader(limits: Limits) -> Extractor {
    Extractor::of_program(CHILD, &[EXTRACT_VERB], limits, 2)
}

/// A shell in the child's place.
fn shell(script: &str, limits: Limits) -> Result<(), ExtractError> {
    let extractor = Extractor::of_program("/bin/sh", &["-c", script], limits, 1);
    extractor.run(&sample("sample.txt"), &Hint::default()).map(drop)
}

fn short() -> Limits {
    Limits { wall_s: 1, answer_bytes: 100_000, ..Limits::default() }
}

#[test]
fn a_child_reads_as_its_parent_would() {
    for name in ["sample.pdf", "sample.docx", "sample.xls", "sample.eml"] {
        let hint = Hint::named(name);
        let bytes = std::fs::read(sample(name)).unwrap();
        let here = extract(&bytes, &hint, &Limits::default()).unwrap();
        assert_eq!(reader(Limits::default()).run(&sample(name), &hint).unwrap(), here, "{name}");
    }
    let locked = reader(Limits::default()).run(&sample("locked.pdf"), &Hint::default());
    assert_eq!(locked, Err(ExtractError::Encrypted));
    let absent = reader(Limits::default()).run(Path::new("nowhere"), &Hint::default());
    assert!(matches!(absent, Err(ExtractError::Unavailable { .. })));
}

#[test]
fn a_child_that_stalls_is_ended_with_all_that_it_started() {
    let begun = Instant::now();
    let timeout = Err(ExtractError::Timeout { limit_s: 1 });
    assert_eq!(shell("sleep 60 & sleep 60", short()), timeout);
    // Done with its answer, but not with itself: a little is waited.
    assert_eq!(
        shell("exec >&-; sleep 60", Limits { wall_s: 2, ..short() }),
        Err(ExtractError::Timeout { limit_s: 2 })
    );
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

#[test]
fn signals_words_and_endless_answers_are_named() {
    let crashed = |script| matches!(shell(script, short()), Err(ExtractError::Crashed { .. }));
    assert!(crashed("kill -SEGV $$"));
    assert!(crashed("exit 3"));
    assert!(crashed("echo '{\"extracted\":'"));
    assert!(crashed("true"));
    let memory = ExtractError::Memory { limit_mb: short().memory_mb };
    let words = "echo 'memory allocation of 99 bytes failed' >&2; kill -ABRT $$";
    assert_eq!(shell(words, short()), Err(memory));
    let endless =
        shell("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done", short());
    assert!(matches!(endless, Err(ExtractError::TooLarge { .. })), "{endless:?}");
}

#[test]
fn a_child_that_needs_too_much_memory_says_so() {
    let limits = Limits { memory_mb: 48, ..Limits::default() };
    let file = std::env::temp_dir().join(format!("portico-large-{}.txt", std::process::id()));
    std::fs::write(&file, "Wort und Wort. ".repeat(1 << 21)).unwrap();
    let read = reader(limits).run(&file, &Hint::named("large.txt"));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(read, Err(ExtractError::Memory { limit_mb: 48 }));
}

#[test]
fn so_many_read_at_a_time_and_the_others_wait() {
    let script = "sleep 0.3; echo '{\"failed\":{\"error\":\"encrypted\"}}'";
    let extractor = Extractor::of_program("/bin/sh", &["-c", script], Limits::default(), 2);
    let n_done = AtomicUsize::new(0);
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let read = extractor.run(&sample("sample.txt"), &Hint::default());
                assert_eq!(read, Err(ExtractError::Encrypted));
                n_done.fetch_add(1, Ordering::Relaxed);
            });
        }
    });
    assert_eq!(n_done.into_inner(), 4);
    assert!(begun.elapsed() >= Duration::from_millis(550), "all at once: {:?}", begun.elapsed());
}
