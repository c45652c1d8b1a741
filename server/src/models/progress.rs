//! How far is a long work on bytes, and how long will it take?

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{ModelsError, Phase, Watch};

/// Tells a person at a terminal, or a log, how bytes go by: done, rate, time left.
#[derive(Debug)]
pub struct Progress {
    label: String,
    done_bytes: u64,
    total_bytes: Option<u64>,
    started: Instant,
    /// Bytes that were there before: they do not count for the rate.
    resumed_bytes: u64,
    last_shown: Instant,
    way: Way,
    /// Who looks on, and can stop it.
    watch: Option<Arc<Watch>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Silent,
    /// One line of a terminal, written over and over.
    Line,
    /// A line now and then, through the log.
    Log,
}

impl Progress {
    /// On a terminal's standard error, else silent.
    pub fn terminal(label: impl Into<String>, total_bytes: Option<u64>) -> Self {
        let way = if std::io::stderr().is_terminal() { Way::Line } else { Way::Log };
        Self::new(label.into(), total_bytes, way)
    }

    /// Through the log.
    pub fn logged(label: impl Into<String>, total_bytes: Option<u64>) -> Self {
        Self::new(label.into(), total_bytes, Way::Log)
    }

    pub fn silent() -> Self {
        Self::new(String::new(), None, Way::Silent)
    }

    fn new(label: String, total_bytes: Option<u64>, way: Way) -> Self {
        let now = Instant::now();
        Self {
            label,
            done_bytes: 0,
            total_bytes,
            started: now,
            resumed_bytes: 0,
            last_shown: now,
            way,
            watch: None,
        }
    }

    /// The same, seen by `watch`, where there is one.
    pub fn watched(mut self, watch: Option<&Arc<Watch>>) -> Self {
        self.watch = watch.cloned();
        self
    }

    /// # Errors
    /// `Cancelled` once who looks on stopped it.
    pub fn go_on(&self) -> Result<(), ModelsError> {
        self.watch.as_ref().map_or(Ok(()), |watch| watch.go_on())
    }

    pub fn set_phase(&self, phase: Phase) {
        if let Some(watch) = &self.watch {
            watch.set_phase(phase);
        }
    }

    /// `bytes` were there before.
    pub fn resume_at(&mut self, bytes: u64) {
        if let Some(watch) = &self.watch {
            watch.shift(bytes.cast_signed() - self.done_bytes.cast_signed());
        }
        self.done_bytes = bytes;
        self.resumed_bytes = bytes;
        self.started = Instant::now();
    }

    pub fn set_total(&mut self, total_bytes: u64) {
        self.total_bytes = Some(total_bytes);
    }

    /// Sets how many bytes are done, for work that is watched from outside.
    pub fn set_done(&mut self, bytes: u64) {
        let bytes = bytes.max(self.done_bytes);
        if let Some(watch) = &self.watch {
            watch.advance(bytes - self.done_bytes);
        }
        self.done_bytes = bytes;
        self.show_now_and_then();
    }

    pub fn add(&mut self, bytes: u64) {
        if let Some(watch) = &self.watch {
            watch.advance(bytes);
        }
        self.done_bytes += bytes;
        self.show_now_and_then();
    }

    fn show_now_and_then(&mut self) {
        let every = match self.way {
            Way::Silent => return,
            Way::Line => Duration::from_millis(200),
            Way::Log => Duration::from_secs(5),
        };
        if self.last_shown.elapsed() >= every {
            self.last_shown = Instant::now();
            self.show();
        }
    }

    fn show(&self) {
        let text = describe(
            self.done_bytes,
            self.total_bytes,
            self.done_bytes.saturating_sub(self.resumed_bytes),
            self.started.elapsed(),
        );
        match self.way {
            Way::Silent => {}
            // A terminal that has gone away is no reason to stop the work.
            Way::Line => {
                let _ = write!(std::io::stderr(), "\r\x1b[2K{}: {text}", self.label);
            }
            Way::Log => tracing::info!("{}: {text}", self.label),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.way == Way::Line {
            self.show();
            let _ = writeln!(std::io::stderr());
        }
    }
}

/// `12.5 MB of 98.4 MB, 3.1 MB/s, 28 s left`
fn describe(done: u64, total: Option<u64>, moved: u64, elapsed: Duration) -> String {
    let rate = moved as f64 / elapsed.as_secs_f64().max(1e-3);
    let mut text = megabytes(done as f64);
    if let Some(total) = total {
        text = format!("{text} of {}", megabytes(total as f64));
    }
    if moved > 0 {
        text = format!("{text}, {}/s", megabytes(rate));
        if let Some(left) = total.and_then(|total| total.checked_sub(done)).filter(|&left| left > 0)
        {
            text = format!("{text}, {:.0} s left", (left as f64 / rate).ceil());
        }
    }
    text
}

fn megabytes(bytes: f64) -> String {
    format!("{:.1} MB", bytes / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_rate_and_time_left_of_what_moved() {
        let second = Duration::from_secs(1);
        assert_eq!(
            describe(30_000_000, Some(100_000_000), 10_000_000, second),
            "30.0 MB of 100.0 MB, 10.0 MB/s, 7 s left"
        );
        assert_eq!(describe(5_000_000, None, 5_000_000, second), "5.0 MB, 5.0 MB/s");
        assert_eq!(describe(7_000_000, Some(7_000_000), 0, second), "7.0 MB of 7.0 MB");
        assert_eq!(describe(9, Some(7), 9, second), "0.0 MB of 0.0 MB, 0.0 MB/s");
    }
}
