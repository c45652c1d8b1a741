//! How does somebody else see how far a long work on bytes is, and stop it?

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::ModelsError;

/// Shared by who works and who looks on.
#[derive(Debug, Default)]
pub struct Watch {
    done_bytes: AtomicI64,
    /// 0: not known.
    total_bytes: AtomicU64,
    /// Without those that were there before: what a rate is made of.
    moved_bytes: AtomicU64,
    phase: AtomicU8,
    is_stopped: AtomicBool,
}

/// What is done with the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// They come from another machine.
    #[default]
    Fetching,
    /// They are read and compared.
    Checking,
    /// A file is made of them that browsers can load.
    Converting,
}

impl Watch {
    /// Bytes that are done; never less than none.
    pub fn done_bytes(&self) -> u64 {
        u64::try_from(self.done_bytes.load(Ordering::Relaxed)).unwrap_or(0)
    }

    pub fn total_bytes(&self) -> Option<u64> {
        Some(self.total_bytes.load(Ordering::Relaxed)).filter(|&bytes| bytes > 0)
    }

    pub fn moved_bytes(&self) -> u64 {
        self.moved_bytes.load(Ordering::Relaxed)
    }

    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            1 => Phase::Checking,
            2 => Phase::Converting,
            _ => Phase::Fetching,
        }
    }

    pub fn set_total(&self, bytes: u64) {
        self.total_bytes.store(bytes, Ordering::Relaxed);
    }

    pub fn set_phase(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// So many more bytes went by.
    pub fn advance(&self, bytes: u64) {
        self.moved_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.shift(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// What is done is more or less than it was, without a byte having moved.
    pub fn shift(&self, bytes: i64) {
        self.done_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The work ends at its next block.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    pub fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed)
    }

    /// # Errors
    /// `Cancelled` once somebody stopped it.
    pub fn go_on(&self) -> Result<(), ModelsError> {
        if self.is_stopped() { Err(ModelsError::Cancelled) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_before_is_done_and_did_not_move() {
        let watch = Watch::default();
        watch.shift(40);
        watch.advance(2);
        assert_eq!((watch.done_bytes(), watch.moved_bytes(), watch.total_bytes()), (42, 2, None));
        // The part was another file's: it begins anew.
        watch.shift(-50);
        assert_eq!(watch.done_bytes(), 0);
        assert!(watch.go_on().is_ok());
        watch.stop();
        assert!(matches!(watch.go_on(), Err(ModelsError::Cancelled)));
    }
}
