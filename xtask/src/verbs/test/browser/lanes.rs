//! Which files of browser tests run beside each other?
//!
//! Two at a time: each waits for much of its time, for what a page shows or a server does, and leaves a core
//! idle. Every file has a server, a browser and a profile of its own, so that they do not meet.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::Context;
use xtask::step::seconds;

const LANES: usize = 2;

/// Files that judge frames by the clock: nothing else may run then.
const ALONE: [&str; 1] = ["long_chat"];

/// Files that take a minute of a core and more, the longest first. They begin before the others, so that no
/// lane is left with one at the end.
const LONG: [&str; 11] = [
    "kernels",
    "tabs",
    "tools",
    "documents_meaning",
    "documents",
    "people_house",
    "embeddings",
    "documents_chat",
    "place",
    "attachments",
    "forced_decoding",
];

/// Runs every file by the command that `tests` makes of it, and fails with the names of those that failed.
pub fn run(specs: &[PathBuf], tests: impl Fn(&Path) -> Command + Sync) -> anyhow::Result<()> {
    let (alone, mut beside): (Vec<&PathBuf>, Vec<&PathBuf>) =
        specs.iter().partition(|spec| ALONE.contains(&name(spec)));
    beside
        .sort_by_key(|spec| LONG.iter().position(|long| *long == name(spec)).unwrap_or(LONG.len()));
    let mut failed = run_in(1, alone, &tests)?;
    failed.extend(run_in(LANES, beside, &tests)?);
    anyhow::ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

/// Gives the names of the files that failed.
fn run_in(
    n_lanes: usize,
    specs: Vec<&PathBuf>,
    tests: &(impl Fn(&Path) -> Command + Sync),
) -> anyhow::Result<Vec<String>> {
    let waiting = Mutex::new(VecDeque::from(specs));
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let lane = || {
        let mut failed = Vec::new();
        while let Some(spec) = next() {
            if !passes(spec, tests(spec))? {
                failed.push(name(spec).to_owned());
            }
        }
        anyhow::Ok(failed)
    };
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..n_lanes).map(|_| scope.spawn(lane)).collect();
        let mut failed = Vec::new();
        for lane in lanes {
            failed.extend(lane.join().map_err(|_| anyhow::anyhow!("a lane panicked"))??);
        }
        Ok(failed)
    })
}

/// Prints what a file's tests said once they are over: two that speak at once are not understood.
fn passes(spec: &Path, mut tests: Command) -> anyhow::Result<bool> {
    let start = Instant::now();
    let output = tests.stdin(Stdio::null()).output().with_context(|| spec.display().to_string())?;
    let said = [output.stdout, output.stderr].concat();
    let took = seconds(start.elapsed());
    println!("{}: {took}\n{}", name(spec), String::from_utf8_lossy(&said).trim_end());
    Ok(output.status.success())
}

/// `tabs` of `tabs.spec.mjs`.
fn name(spec: &Path) -> &str {
    let file = spec.file_name().and_then(|file| file.to_str()).unwrap_or_default();
    file.split('.').next().unwrap_or_default()
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use super::*;

    /// A folder of its own, and a way to run a script of the shell in it for each file.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder =
                std::env::temp_dir().join(format!("portico-{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).expect("a folder for the test");
            Self(folder)
        }

        fn run(&self, specs: &[&str], script: &str) -> anyhow::Result<()> {
            let specs: Vec<_> = specs.iter().map(PathBuf::from).collect();
            run(&specs, |spec| {
                let mut shell = Command::new("sh");
                shell.arg("-c").arg(script).arg(name(spec)).current_dir(&self.0);
                shell
            })
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn two_files_run_at_once_and_every_failure_is_named() {
        let folder = Folder::new("beside");
        // Each waits for the other to have begun.
        let meets = "touch $0.began; for n in $(seq 500); do \
            test -e look.began -a -e home.began && exit 0; sleep 0.02; done; exit 1";
        folder.run(&["look.spec.mjs", "home.spec.mjs"], meets).unwrap();
        let failed = folder.run(&["a.spec.mjs", "b.spec.mjs", "c.spec.mjs"], "test $0 = b");
        let failed = failed.unwrap_err().to_string();
        assert!(matches!(&*failed, "failed: a, c" | "failed: c, a"), "{failed}");
    }

    #[test]
    fn nothing_runs_beside_what_judges_by_the_clock_and_long_files_begin() {
        let folder = Folder::new("alone");
        let specs = ["home.spec.mjs", "tabs.spec.mjs", "long_chat.spec.mjs", "kernels.spec.mjs"];
        folder.run(&specs, "echo $0 >> log; sleep 0.2; echo $0 >> log").unwrap();
        let log = fs::read_to_string(folder.0.join("log")).unwrap();
        let lines: Vec<&str> = log.lines().collect();
        assert_eq!(lines[..2], ["long_chat"; 2], "{log}");
        assert!(lines[2..4].iter().all(|name| ["kernels", "tabs"].contains(name)), "{log}");
        assert_eq!(lines.len(), 8, "{log}");
    }
}
