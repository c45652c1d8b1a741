//! How is a child held to its limits? It is watched from outside, and killed with all it started.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Condvar, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::{Answer, EXTRACT_VERB, Order};
use crate::{ExtractError, Extracted, Hint, Limits};

/// What is kept of a child's last words.
const WORDS_BYTES: u64 = 16 << 10;
/// Between the answer's end and the child's.
const END_WITHIN: Duration = Duration::from_secs(5);

/// Reads documents in child processes, so many at a time.
#[derive(Debug)]
pub struct Extractor {
    program: PathBuf,
    arguments: Vec<OsString>,
    limits: Limits,
    n_free: Mutex<usize>,
    freed: Condvar,
}

impl Extractor {
    /// Children of this same program, at most `n_children` at a time.
    ///
    /// # Errors
    /// [`ExtractError::Unavailable`] where the program cannot tell where it lies.
    pub fn new(limits: Limits, n_children: usize) -> Result<Self, ExtractError> {
        let program = std::env::current_exe()
            .map_err(|error| ExtractError::Unavailable { reason: error.to_string() })?;
        Ok(Self::of_program(program, &[EXTRACT_VERB], limits, n_children))
    }

    /// Children of another program, which is given `arguments` and an order.
    pub fn of_program(
        program: impl Into<PathBuf>,
        arguments: &[&str],
        limits: Limits,
        n_children: usize,
    ) -> Self {
        Self {
            program: program.into(),
            arguments: arguments.iter().map(OsString::from).collect(),
            limits,
            n_free: Mutex::new(n_children.max(1)),
            freed: Condvar::new(),
        }
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What the file says. Waits for a free place first, and then for at most the limit's time; to be
    /// called where waiting is allowed.
    ///
    /// # Errors
    /// Whatever happens to the child is an [`ExtractError`].
    pub fn run(&self, file: &Path, hint: &Hint) -> Result<Extracted, ExtractError> {
        let unavailable =
            |error: io::Error| ExtractError::Unavailable { reason: error.to_string() };
        let input = File::open(file).map_err(unavailable)?;
        let n_bytes = input.metadata().map_err(unavailable)?.len();
        if n_bytes > self.limits.file_bytes {
            return Err(ExtractError::TooLarge { what: format!("a file of {n_bytes} bytes") });
        }
        let _place = Place::take(self);
        let order = serde_json::to_string(&Order { hint: hint.clone(), limits: self.limits })
            .map_err(|error| ExtractError::Unavailable { reason: error.to_string() })?;
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .arg(order)
            .env_clear()
            .stdin(Stdio::from(input))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        in_own_group(&mut command);
        let child = Running(command.spawn().map_err(unavailable)?);
        self.watch(child)
    }

    fn watch(&self, mut child: Running) -> Result<Extracted, ExtractError> {
        let until = Instant::now() + Duration::from_secs(self.limits.wall_s);
        let answer = reader(child.0.stdout.take(), self.limits.answer_bytes.saturating_add(1));
        let words = reader(child.0.stderr.take(), WORDS_BYTES);
        let timeout = ExtractError::Timeout { limit_s: self.limits.wall_s };
        let left = until.saturating_duration_since(Instant::now());
        let answer = answer.recv_timeout(left).map_err(|_| timeout.clone())?;
        if answer.len() as u64 > self.limits.answer_bytes {
            return Err(ExtractError::TooLarge { what: "the text that it says".to_owned() });
        }
        // It has closed its answer, and so is about to end.
        let end = Instant::now() + END_WITHIN;
        let status = loop {
            match child.0.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if Instant::now() >= end => return Err(timeout),
                Ok(None) => thread::sleep(Duration::from_millis(1)),
                Err(error) => return Err(ExtractError::Crashed { how: error.to_string() }),
            }
        };
        if !status.success() {
            // What it left running may hold its standard error open.
            child.kill();
            let words = words.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
            return Err(self.ended(status, &String::from_utf8_lossy(&words)));
        }
        match serde_json::from_slice(&answer) {
            Ok(Answer::Extracted(extracted)) => Ok(extracted),
            Ok(Answer::Failed(error)) => Err(error),
            Err(error) => Err(ExtractError::Crashed { how: format!("no answer: {error}") }),
        }
    }

    /// What an end that is not the usual one means.
    fn ended(&self, status: ExitStatus, words: &str) -> ExtractError {
        if words.contains("memory allocation of") || words.contains("cannot allocate memory") {
            return ExtractError::Memory { limit_mb: self.limits.memory_mb };
        }
        #[cfg(unix)]
        {
            use std::os::unix::process::ExitStatusExt as _;
            match status.signal() {
                Some(libc::SIGXCPU) => return ExtractError::Timeout { limit_s: self.limits.cpu_s },
                // The kernel's way to end what takes too much of the machine's memory or, at the hard
                // limit, of its time. Nobody else kills a child of ours but we.
                Some(libc::SIGKILL) => {
                    return ExtractError::Memory { limit_mb: self.limits.memory_mb };
                }
                _ => {}
            }
        }
        let words: String = words.trim().chars().take(300).collect();
        ExtractError::Crashed { how: format!("{status}: {words}") }
    }
}

/// A child that does not outlive whoever waits for it.
struct Running(Child);

impl Running {
    fn kill(&self) {
        #[cfg(unix)]
        if let Ok(group) = i32::try_from(self.0.id()) {
            // SAFETY: takes numbers only. The group is the child's own, and its id is not given to
            // another as long as the child has not been waited for or a member of it lives.
            unsafe { libc::kill(-group, libc::SIGKILL) };
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            self.kill();
            #[cfg(not(unix))]
            let _ = self.0.kill();
            // Killed, it ends at once; without this it would stay in the table of processes.
            let _ = self.0.wait();
        }
    }
}

#[cfg(unix)]
fn in_own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
}

#[cfg(not(unix))]
fn in_own_group(_command: &mut Command) {}

/// The first `most` bytes of a pipe once it ends or is longer. What follows is not read: the writer
/// then waits until it is killed.
fn reader<R: Read + Send + 'static>(pipe: Option<R>, most: u64) -> mpsc::Receiver<Vec<u8>> {
    let (done, waiting) = mpsc::channel();
    if let Some(pipe) = pipe {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            // A pipe that breaks has said what it had to say.
            let _ = pipe.take(most).read_to_end(&mut bytes);
            // Nobody may be waiting any more.
            let _ = done.send(bytes);
        });
    }
    waiting
}

/// One of the places that children may take.
struct Place<'a>(&'a Extractor);

impl<'a> Place<'a> {
    fn take(extractor: &'a Extractor) -> Self {
        let free = extractor.n_free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = extractor
            .freed
            .wait_while(free, |n_free| *n_free == 0)
            .unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Self(extractor)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.n_free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}
