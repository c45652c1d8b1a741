//! When did an operation happen, and what is it called? Time and chance come in as arguments.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Milliseconds since 1970 that fit a UUIDv7: 48 bits.
pub const MS_MAX: u64 = (1 << 48) - 1;

/// How far another device's clock may be ahead of ours before its operations are refused.
pub const DRIFT_MAX_MS: u64 = 24 * 60 * 60 * 1000;

/// A hybrid logical clock's reading: S. Kulkarni et al., "Logical Physical Clocks", OPODIS 2014.
/// It is close to the wall clock, yet what was written with knowledge of an operation is always
/// later than it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(deny_unknown_fields)]
pub struct Hlc {
    /// Milliseconds since 1970, at most [`MS_MAX`].
    pub ms: u64,
    /// Counts readings within a millisecond.
    pub n: u32,
}

/// A device whose clock is wrong would win every register for as long as it is ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the operation's clock is {ahead_ms} ms ahead of this device's, at most {DRIFT_MAX_MS} pass"
)]
pub struct ClockDrift {
    pub ahead_ms: u64,
}

/// This device's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    last: Hlc,
}

impl Clock {
    /// Goes on after the latest operation that is known ([`super::Merge::latest`]).
    pub fn after(last: Hlc) -> Self {
        Self { last }
    }

    /// A reading for a new operation, later than every reading given or observed.
    pub fn tick(&mut self, now_ms: u64) -> Hlc {
        let now_ms = now_ms.min(MS_MAX);
        self.last = if now_ms > self.last.ms {
            Hlc { ms: now_ms, n: 0 }
        } else if let Some(n) = self.last.n.checked_add(1) {
            Hlc { ms: self.last.ms, n }
        } else {
            Hlc { ms: self.last.ms + 1, n: 0 }
        };
        self.last
    }

    /// Takes note of another device's operation.
    ///
    /// # Errors
    /// When its clock is too far ahead; the operation should then be refused.
    pub fn observe(&mut self, remote: Hlc, now_ms: u64) -> Result<(), ClockDrift> {
        let ahead_ms = remote.ms.saturating_sub(now_ms);
        if ahead_ms > DRIFT_MAX_MS {
            return Err(ClockDrift { ahead_ms });
        }
        self.last = self.last.max(remote);
        Ok(())
    }
}

/// A UUID of version 7 (RFC 9562), made by a client: it sorts by the time of its making.
pub fn uuid_v7(now_ms: u64, random: &[u8; 10]) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(now_ms.min(MS_MAX), random).into_uuid()
}
