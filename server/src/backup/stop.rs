//! Did somebody ask to stop?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use portico_shared::error::{ApiError, ErrorCode};

/// Told once, seen by all its clones.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    pub fn tell(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub fn is_told(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// # Errors
    /// `cancelled`
    pub fn check(&self) -> Result<(), ApiError> {
        match self.is_told() {
            true => Err(ApiError::new(ErrorCode::Cancelled)),
            false => Ok(()),
        }
    }
}
