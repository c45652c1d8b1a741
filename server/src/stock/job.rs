//! What is worked on now, how far is it, and how did the last one end?
//!
//! One job at a time: two downloads would only take each other's line. What runs stands in
//! `<data>/models.job.json`, so that a download that a restart cut off is taken up again.

use std::path::PathBuf;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Instant;

use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};

use super::Stock;
use crate::keys::now_s;
use crate::models::{Layout, Library, ModelsError, Phase, Verdict, Watch, store};
use crate::people::audit::Entry;

const FILE_NAME: &str = "models.job.json";

/// What is done with a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    Pull,
    Verify,
    Add,
}

impl Task {
    /// As the audit log has it.
    fn action(self) -> &'static str {
        match self {
            Self::Pull => "model_pulled",
            Self::Verify => "model_verified",
            Self::Add => "model_added",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Running,
    Done,
    Failed,
    /// Somebody stopped it. What had come stays for the next time.
    Cancelled,
}

/// A file as reading it found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    pub file: String,
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// As it is told, and as the last one is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    pub task: Task,
    pub model: String,
    /// A person's id.
    pub who: String,
    pub state: State,
    pub phase: Phase,
    pub started_s: u64,
    pub ended_s: Option<u64>,
    pub done_bytes: u64,
    pub total_bytes: Option<u64>,
    pub bytes_per_s: Option<u64>,
    pub left_s: Option<u64>,
    pub error: Option<ApiError>,
    /// What `verify` said.
    #[serde(default)]
    pub files: Vec<Checked>,
}

/// A job and how it is watched.
pub struct Work {
    job: Job,
    watch: Arc<Watch>,
    started: Instant,
}

impl Work {
    fn new(task: Task, model: &str, who: &str) -> Self {
        let job = Job {
            task,
            model: model.to_owned(),
            who: who.to_owned(),
            state: State::Running,
            phase: Phase::Fetching,
            started_s: now_s(),
            ended_s: None,
            done_bytes: 0,
            total_bytes: None,
            bytes_per_s: None,
            left_s: None,
            error: None,
            files: Vec::new(),
        };
        Self { job, watch: Arc::default(), started: Instant::now() }
    }

    /// One that an earlier start of the server left; what still ran then does not run now.
    pub fn of_earlier(mut job: Job) -> Self {
        if job.state == State::Running {
            job.state = State::Cancelled;
        }
        Self { job, watch: Arc::default(), started: Instant::now() }
    }

    fn seen(&self) -> Job {
        let mut job = self.job.clone();
        if job.state != State::Running {
            return job;
        }
        job.phase = self.watch.phase();
        job.total_bytes = self.watch.total_bytes();
        let total_bytes = job.total_bytes.unwrap_or(u64::MAX);
        job.done_bytes = self.watch.done_bytes().min(total_bytes);
        let elapsed_s = self.started.elapsed().as_secs_f64();
        let bytes_per_s = self.watch.moved_bytes() as f64 / elapsed_s.max(1e-3);
        job.bytes_per_s = (bytes_per_s >= 1.0).then_some(bytes_per_s as u64);
        let left_bytes = job.total_bytes.map(|total_bytes| total_bytes - job.done_bytes);
        job.left_s =
            job.bytes_per_s.zip(left_bytes).map(|(rate, left_bytes)| left_bytes.div_ceil(rate));
        job
    }
}

/// What came of a job.
type Outcome = Result<Vec<Checked>, ModelsError>;

/// The right to work; a job that is dropped without an end was given up.
pub struct Turn {
    stock: Arc<Stock>,
    pub watch: Arc<Watch>,
    is_over: bool,
}

impl Turn {
    pub fn end(mut self, outcome: Outcome) {
        self.is_over = true;
        self.stock.ended(outcome);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.is_over {
            self.stock.ended(Err(ModelsError::Cancelled));
        }
    }
}

impl Stock {
    /// What is worked on, or was last.
    pub fn job(&self) -> Option<Job> {
        self.work().as_ref().map(Work::seen)
    }

    /// Has the work end at its next block.
    pub fn cancel(&self) -> Option<Job> {
        let work = self.work();
        work.as_ref().inspect(|work| work.watch.stop()).map(Work::seen)
    }

    /// # Errors
    /// `models_busy`
    pub(super) fn begin(
        self: &Arc<Self>,
        task: Task,
        model: &str,
        who: &str,
    ) -> Result<Turn, ApiError> {
        let mut work = self.work();
        if let Some(Work { job, .. }) = work.as_ref().filter(|w| w.job.state == State::Running) {
            return Err(ApiError::new(ErrorCode::ModelsBusy).with("model", &job.model));
        }
        let begun = work.insert(Work::new(task, model, who));
        self.remember(&begun.job);
        Ok(Turn { stock: Arc::clone(self), watch: Arc::clone(&begun.watch), is_over: false })
    }

    /// Does it on a thread that may block; whoever asked need not wait.
    pub(super) fn work_on(
        self: &Arc<Self>,
        turn: Turn,
        work: impl FnOnce(&Library, &Arc<Watch>) -> Outcome + Send + 'static,
    ) -> tokio::task::JoinHandle<()> {
        let library = Arc::clone(&self.library);
        tokio::task::spawn_blocking(move || {
            let outcome = work(&library, &turn.watch);
            turn.end(outcome);
        })
    }

    fn ended(&self, outcome: Outcome) {
        let mut guard = self.work();
        let Some(work) = guard.as_mut() else { return };
        let mut job = work.seen();
        job.ended_s = Some(now_s());
        (job.bytes_per_s, job.left_s) = (None, None);
        job.state = match &outcome {
            Ok(files) if files.iter().any(|file| !file.verdict.is_good()) => State::Failed,
            Ok(_) => State::Done,
            Err(ModelsError::Cancelled) => State::Cancelled,
            Err(error) => {
                tracing::warn!(model = job.model, %error, "work on a model failed");
                State::Failed
            }
        };
        match outcome {
            Ok(files) => job.files = files,
            Err(ModelsError::Cancelled) => {}
            Err(error) => job.error = Some(told(&error)),
        }
        self.remember(&job);
        let code = job.error.as_ref().map(|error| error.code.as_str());
        let outcome = match job.state {
            State::Failed => code.unwrap_or(ErrorCode::DigestMismatch.as_str()),
            State::Cancelled => ErrorCode::Cancelled.as_str(),
            _ => "ok",
        };
        let (action, object) = (job.task.action(), job.model.as_str());
        let entry = Entry { outcome: outcome.to_owned(), ..Entry::act(&job.who, action, object) };
        self.people.audit.note(entry);
        work.job = job;
    }

    fn work(&self) -> MutexGuard<'_, Option<Work>> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is not remembered is not taken up after a restart; that is all that is lost.
    fn remember(&self, job: &Job) {
        // Numbers and texts: JSON can always hold them.
        let json = serde_json::to_vec_pretty(job).unwrap_or_default();
        if let Err(error) = store::write_whole(&path(&self.library.layout), &json) {
            tracing::warn!(%error, "the work on a model is not remembered");
        }
    }
}

fn path(layout: &Layout) -> PathBuf {
    layout.data_dir().join(FILE_NAME)
}

/// The last job; none before the first, or where it cannot be read.
pub fn remembered(layout: &Layout) -> Option<Job> {
    serde_json::from_slice(&std::fs::read(path(layout)).ok()?).ok()
}

/// As the page is told it: a path of this machine by its last part alone.
fn told(error: &ModelsError) -> ApiError {
    let mut told = ApiError::from(error);
    told.detail = None;
    if let Some(path) = told.params.get_mut("path") {
        let name = std::path::Path::new(path.as_str()).file_name();
        *path = name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_time_left_are_of_what_moved() {
        let mut work = Work::new(Task::Pull, "m", "w");
        assert_eq!(work.seen().left_s, None);
        work.watch.set_total(1_000);
        work.watch.shift(400);
        work.watch.advance(100);
        work.started = Instant::now() - std::time::Duration::from_secs(10);
        let seen = work.seen();
        assert_eq!((seen.done_bytes, seen.total_bytes), (500, Some(1_000)));
        assert!((9..=10).contains(&seen.bytes_per_s.unwrap()), "{seen:?}");
        assert!((50..=56).contains(&seen.left_s.unwrap()), "{seen:?}");
        // A wheel may be larger than the file in it.
        work.watch.advance(10_000);
        assert_eq!(work.seen().done_bytes, 1_000);
        let later = Work::of_earlier(work.seen());
        assert_eq!(later.seen().state, State::Cancelled);
    }

    #[test]
    fn a_path_of_this_machine_is_told_by_its_name() {
        let path = std::path::Path::new("/srv/secret/models/tiny/tiny.gguf.part");
        let error = ModelsError::io(path)(std::io::ErrorKind::StorageFull.into());
        let told = told(&error);
        assert_eq!(told.code, ErrorCode::DiskFull);
        assert!(!serde_json::to_string(&told).unwrap().contains("secret"), "{told:?}");
    }
}
