//! May something more happen now, at so many a minute?

use std::time::{Duration, Instant};

/// A token bucket: it holds what a minute allows and fills evenly.
#[derive(Clone, Debug)]
pub struct Bucket {
    per_minute: f64,
    /// May fall below zero by what was only counted afterwards.
    level: f64,
    at: Instant,
}

impl Bucket {
    /// Full.
    pub fn new(per_minute: u64, now: Instant) -> Self {
        let per_minute = per_minute as f64;
        Self { per_minute, level: per_minute, at: now }
    }

    pub fn per_minute(&self) -> u64 {
        self.per_minute as u64
    }

    /// Takes `n` if at least that is there.
    ///
    /// # Errors
    /// How long until it is; for ever (a day) where nothing is allowed.
    pub fn take(&mut self, n: u64, now: Instant) -> Result<(), Duration> {
        self.fill(now);
        let lacking = n as f64 - self.level;
        if lacking <= 0.0 {
            self.level -= n as f64;
            return Ok(());
        }
        let seconds = lacking * 60.0 / self.per_minute;
        Err(Duration::try_from_secs_f64(seconds.min(86_400.0))
            .unwrap_or(Duration::from_secs(86_400)))
    }

    /// Takes what was used already, there or not.
    pub fn spend(&mut self, n: u64, now: Instant) {
        self.fill(now);
        self.level -= n as f64;
    }

    fn fill(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        self.level = (self.level + seconds * self.per_minute / 60.0).min(self.per_minute);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minutes_worth_at_once_then_evenly() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut bucket = Bucket::new(6, start);
        for _ in 0..6 {
            assert_eq!(bucket.take(1, start), Ok(()));
        }
        assert_eq!(bucket.take(1, start), Err(Duration::from_secs(10)));
        assert_eq!(bucket.take(1, after(9)), Err(Duration::from_secs(1)));
        assert_eq!(bucket.take(1, after(10)), Ok(()));
        assert!(bucket.take(1, after(11)).is_err());
        assert!(bucket.take(7, after(1_000)).is_err(), "more than a minute's worth is never there");
    }

    #[test]
    fn what_was_counted_afterwards_is_waited_for() {
        let start = Instant::now();
        let mut bucket = Bucket::new(60, start);
        assert_eq!(bucket.take(1, start), Ok(()));
        bucket.spend(119, start);
        assert_eq!(bucket.take(1, start), Err(Duration::from_secs(61)));
        assert_eq!(bucket.take(1, start + Duration::from_secs(61)), Ok(()));
        assert!(Bucket::new(0, start).take(1, start).is_err());
    }
}
