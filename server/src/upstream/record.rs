//! How did an upstream do lately? For whoever administers the house; since this program started.

use std::time::Duration;

use crate::keys::now_s;

/// How much the newest answer counts in what is told of how long answers take.
const NEWEST_SHARE: f64 = 0.2;
/// Characters of a cause that are kept.
const CAUSE_CHARS_MAX: usize = 300;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    pub n_requests: u64,
    /// Those of which nothing came.
    pub n_failed: u64,
    /// Until an answer begins, smoothed; none before the first.
    pub latency: Option<Duration>,
    /// Of the last health check that was answered.
    pub checked_in: Option<Duration>,
    /// When it last did well, in seconds since 1970.
    pub well_s: Option<u64>,
    /// The last fault: when, and what.
    pub fault: Option<(u64, String)>,
}

impl Record {
    /// A request of which something came in `took`, or nothing for `cause`.
    pub fn note(&mut self, took: Duration, cause: Option<&str>) {
        self.n_requests += 1;
        let Some(cause) = cause else {
            self.latency = Some(match self.latency {
                Some(usual) => usual.mul_f64(1.0 - NEWEST_SHARE) + took.mul_f64(NEWEST_SHARE),
                None => took,
            });
            return self.note_well();
        };
        self.n_failed += 1;
        self.note_fault(cause);
    }

    pub fn note_check(&mut self, took: Duration) {
        self.checked_in = Some(took);
        self.note_well();
    }

    pub fn note_fault(&mut self, cause: &str) {
        self.fault = Some((now_s(), cause.chars().take(CAUSE_CHARS_MAX).collect()));
    }

    fn note_well(&mut self) {
        self.well_s = Some(now_s());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_requests_is_counted_and_slow_ones_are_smoothed() {
        let mut record = Record::default();
        record.note(Duration::from_millis(100), None);
        record.note(Duration::from_millis(600), None);
        record.note(Duration::from_secs(30), Some("status 500"));
        assert_eq!((record.n_requests, record.n_failed), (3, 1));
        assert_eq!(record.latency, Some(Duration::from_millis(200)));
        assert_eq!(record.fault.as_ref().map(|(_, cause)| cause.as_str()), Some("status 500"));
        record.note_fault(&"x".repeat(1_000));
        assert_eq!(record.fault.map(|(_, cause)| cause.len()), Some(CAUSE_CHARS_MAX));
    }
}
