//! How fast does it go, and how long will it take?

use std::collections::VecDeque;

/// Over how many milliseconds the rate is measured.
const WINDOW_MS: f64 = 5_000.0;
/// Below this the rate says nothing yet.
const LEAST_MS: f64 = 500.0;
/// Milliseconds between two reports: ten a second at most.
const REPORT_MS: f64 = 100.0;

/// Measures bytes over the last seconds. Times are milliseconds of any steady clock.
#[derive(Clone, Debug, Default)]
pub struct RateMeter {
    /// (time, bytes that arrived since the sample before), oldest first.
    samples: VecDeque<(f64, u64)>,
    reported_ms: Option<f64>,
}

impl RateMeter {
    /// `bytes` more have arrived by `now_ms`.
    pub fn add(&mut self, now_ms: f64, bytes: u64) {
        // Pieces come by the thousand: those of a tenth of a second are one sample.
        match self.samples.back_mut() {
            Some((at_ms, sum)) if now_ms - *at_ms < REPORT_MS && *sum > 0 => *sum += bytes,
            _ => self.samples.push_back((now_ms, bytes)),
        }
        while self.samples.front().is_some_and(|(at_ms, _)| now_ms - at_ms > WINDOW_MS) {
            self.samples.pop_front();
        }
    }

    /// Starts the clock, or restarts it after a pause.
    pub fn start(&mut self, now_ms: f64) {
        self.samples.clear();
        self.samples.push_back((now_ms, 0));
        self.reported_ms = None;
    }

    /// Bytes a second; 0 while unknown.
    pub fn bytes_per_s(&self, now_ms: f64) -> f64 {
        let Some((oldest_ms, _)) = self.samples.front() else { return 0.0 };
        let span_ms = now_ms - oldest_ms;
        if span_ms < LEAST_MS {
            return 0.0;
        }
        // The oldest sample's bytes arrived before the span began.
        let bytes: u64 = self.samples.iter().skip(1).map(|(_, bytes)| bytes).sum();
        bytes as f64 * 1_000.0 / span_ms
    }

    /// Seconds until `left_bytes` have arrived; None while the rate is unknown or nothing comes.
    pub fn seconds_left(&self, now_ms: f64, left_bytes: u64) -> Option<f64> {
        let rate = self.bytes_per_s(now_ms);
        (rate > 0.0).then(|| left_bytes as f64 / rate)
    }

    /// Whether it is time for the next report; if so, the one after it waits again.
    pub fn is_report_due(&mut self, now_ms: f64) -> bool {
        let due = self.reported_ms.is_none_or(|at_ms| now_ms - at_ms >= REPORT_MS);
        if due {
            self.reported_ms = Some(now_ms);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_stream_is_measured_and_a_new_speed_is_seen_within_seconds() {
        let mut meter = RateMeter::default();
        meter.start(0.0);
        assert_eq!(meter.seconds_left(0.0, 1), None);
        for i in 1..=100 {
            meter.add(f64::from(i) * 50.0, 500);
        }
        let rate = meter.bytes_per_s(5_000.0);
        assert!((9_000.0..=11_000.0).contains(&rate), "{rate}");
        for i in 1..=120 {
            meter.add(5_000.0 + f64::from(i) * 50.0, 50);
        }
        let rate = meter.bytes_per_s(11_000.0);
        assert!((900.0..=1_100.0).contains(&rate), "{rate}");
        let left = meter.seconds_left(11_000.0, 10_000).unwrap();
        assert!((9.0..=11.5).contains(&left), "{left}");
    }

    #[test]
    fn silence_wears_the_rate_down() {
        let mut meter = RateMeter::default();
        meter.start(0.0);
        meter.add(1_000.0, 10_000);
        assert_eq!(meter.bytes_per_s(1_000.0), 10_000.0);
        assert_eq!(meter.bytes_per_s(10_000.0), 1_000.0);
    }

    #[test]
    fn at_most_ten_reports_a_second() {
        let mut meter = RateMeter::default();
        let due = (0..1_000).filter(|&ms| meter.is_report_due(f64::from(ms))).count();
        assert_eq!(due, 10);
    }
}
