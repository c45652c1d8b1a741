//! How fast does the queue move, and how long will it take?

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::queue::Total;

/// Over which the rate is taken.
const WINDOW: Duration = Duration::from_secs(60);
/// Samples are no closer than this.
const APART: Duration = Duration::from_millis(250);
/// No rate from less.
const LEAST: Duration = Duration::from_millis(750);

/// Remembers how far the queue was.
#[derive(Debug, Default)]
pub struct Pace {
    samples: Mutex<VecDeque<Sample>>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Instant,
    bytes_done: u64,
    n_embedded: u64,
}

impl Pace {
    /// Takes note of the whole queue's total.
    pub fn note(&self, total: &Total) {
        self.note_at(total, Instant::now());
    }

    /// Fills in rates, and what is left of this total at that rate.
    pub fn fill(&self, total: &mut Total) {
        self.fill_at(total, Instant::now());
    }

    fn note_at(&self, total: &Total, now: Instant) {
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let sample = Sample { at: now, bytes_done: total.bytes_done, n_embedded: total.n_embedded };
        // A new run, or a job that was taken out.
        let went_back = samples.back().is_some_and(|last| last.bytes_done > sample.bytes_done);
        if went_back || total.n_pending() == 0 {
            samples.clear();
        }
        if samples.back().is_none_or(|last| now - last.at >= APART) {
            samples.push_back(sample);
        }
        while samples.len() > 2 && samples.front().is_some_and(|first| now - first.at > WINDOW) {
            samples.pop_front();
        }
    }

    fn fill_at(&self, total: &mut Total, now: Instant) {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(first), Some(last)) = (samples.front(), samples.back()) else { return };
        let took = now - first.at;
        if took < LEAST || total.n_pending() == 0 {
            return;
        }
        let per_s = |n: u64| n as f64 / took.as_secs_f64();
        let bytes_per_s = per_s(last.bytes_done - first.bytes_done);
        total.bytes_per_s = Some(bytes_per_s);
        total.passages_per_s = Some(per_s(last.n_embedded.saturating_sub(first.n_embedded)));
        let left = total.bytes.saturating_sub(total.bytes_done) as f64;
        total.left_s = (bytes_per_s > 0.0).then(|| left / bytes_per_s);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_minute_and_a_new_run_begins_anew() {
        let pace = Pace::default();
        let start = Instant::now();
        let total = |bytes_done| Total {
            n_documents: 10,
            bytes: 10_000,
            bytes_done,
            n_embedded: bytes_done / 10,
            ..Total::default()
        };
        let filled = |bytes_done, at_s| {
            let mut total = total(bytes_done);
            pace.fill_at(&mut total, start + Duration::from_secs(at_s));
            total
        };
        pace.note_at(&total(0), start);
        assert_eq!(filled(0, 0).left_s, None);
        pace.note_at(&total(1000), start + Duration::from_secs(10));
        let now = filled(1000, 10);
        assert_eq!((now.bytes_per_s, now.passages_per_s), (Some(100.0), Some(10.0)));
        assert_eq!(now.left_s, Some(90.0));
        // Standing still, there is no time to tell.
        pace.note_at(&total(1000), start + Duration::from_secs(69));
        pace.note_at(&total(1000), start + Duration::from_secs(75));
        assert_eq!(filled(1000, 75).left_s, None);
        pace.note_at(&total(10), start + Duration::from_secs(80));
        assert_eq!(filled(10, 80).bytes_per_s, None);
    }
}
