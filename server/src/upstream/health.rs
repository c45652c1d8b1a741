//! Is an upstream well? A circuit breaker, fed by requests and by health checks.

use std::time::{Duration, Instant};

/// Failures in a row that open the circuit.
const FAILURES_MAX: u32 = 3;
/// How long the circuit stays open at first; each failed trial doubles it.
const PAUSE: Duration = Duration::from_secs(5);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// What is known of an upstream.
#[derive(Clone, Debug)]
pub struct Breaker {
    n_failures: u32,
    pause: Duration,
    /// Set while the circuit is open: nobody asks before then.
    closed_until: Option<Instant>,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { n_failures: 0, pause: PAUSE, closed_until: None }
    }
}

impl Breaker {
    /// Whether a request may be sent. After a pause one is let through; the next waits for what came
    /// of it, or for another pause.
    pub fn admits(&mut self, now: Instant) -> bool {
        match self.closed_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                self.closed_until = Some(now + self.pause);
                true
            }
        }
    }

    /// Until a request may be sent.
    pub fn wait(&self, now: Instant) -> Duration {
        self.closed_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    pub fn is_well(&self) -> bool {
        self.closed_until.is_none()
    }

    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    pub fn failed(&mut self, now: Instant) {
        self.n_failures = self.n_failures.saturating_add(1);
        if self.n_failures < FAILURES_MAX {
            return;
        }
        if self.closed_until.is_some() {
            self.pause = (self.pause * 2).min(PAUSE_MAX);
        }
        self.closed_until = Some(now + self.pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_failures_open_it_and_a_success_closes_it() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut breaker = Breaker::default();
        breaker.failed(start);
        breaker.failed(start);
        assert!(breaker.admits(start) && breaker.is_well());
        breaker.failed(start);
        assert!(!breaker.admits(after(4)) && !breaker.is_well());
        assert_eq!(breaker.wait(after(1)), Duration::from_secs(4));
        assert!(breaker.admits(after(5)), "one is let through");
        assert!(!breaker.admits(after(5)), "and only one");
        breaker.failed(after(6));
        assert!(!breaker.admits(after(15)), "the pause has doubled");
        assert!(breaker.admits(after(16)));
        breaker.succeeded();
        assert!(breaker.admits(after(16)) && breaker.is_well());
        breaker.failed(after(17));
        assert!(breaker.admits(after(17)), "it counts from nothing again");
    }

    #[test]
    fn the_pause_has_a_limit() {
        let (mut now, mut breaker) = (Instant::now(), Breaker::default());
        for _ in 0..20 {
            breaker.failed(now);
            now += breaker.wait(now);
        }
        breaker.failed(now);
        assert_eq!(breaker.wait(now), PAUSE_MAX);
    }
}
