//! When a request fails, is it worth another try, and how soon?

/// First wait, milliseconds; each further one is twice as long.
const FIRST_MS: f64 = 250.0;
/// No wait is longer.
const LONGEST_MS: f64 = 8_000.0;
/// Tries of one chunk before the download is given up: with the waits above, about half a minute.
pub const MAX_TRIES: u32 = 8;

/// What a failed fetch says about the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No answer, or it broke off.
    Network,
    /// An HTTP status that is not success.
    Status(u16),
}

/// Milliseconds to wait before the next try after `n_failed` failures in a row (≥ 1), or None: give
/// up. `jitter` in 0..1 spreads many clients over time.
pub fn wait_ms(failure: Failure, n_failed: u32, jitter: f64) -> Option<f64> {
    let worth_it = match failure {
        Failure::Network => true,
        // Too early, too many, or a server that has trouble; everything else stays as it is.
        Failure::Status(status) => matches!(status, 408 | 425 | 429 | 500..),
    };
    if !worth_it || n_failed >= MAX_TRIES {
        return None;
    }
    let doubled = FIRST_MS * f64::from(2u32.saturating_pow(n_failed.saturating_sub(1)));
    Some(doubled.min(LONGEST_MS) * (0.5 + jitter.clamp(0.0, 1.0) / 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let waits: Vec<f64> =
            (1..MAX_TRIES).filter_map(|n| wait_ms(Failure::Network, n, 1.0)).collect();
        assert_eq!(waits, [250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0, 8_000.0]);
        assert_eq!(wait_ms(Failure::Network, MAX_TRIES, 1.0), None);
    }

    #[test]
    fn what_will_not_change_is_not_tried_again() {
        assert_eq!(wait_ms(Failure::Status(404), 1, 0.0), None);
        assert!(wait_ms(Failure::Status(503), 1, 0.0).is_some());
        assert!(wait_ms(Failure::Status(429), 1, 0.0).is_some());
    }
}
