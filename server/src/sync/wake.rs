//! Which of a person's devices listen, and what are they told?

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::sync::wire::Wake;
use tokio::sync::broadcast;

use crate::http_error::RETRY_AFTER_S;
use crate::people::PersonId;

/// Wakes that a slow listener may be behind; one that is further behind reads the log's end anew.
const BEHIND_MAX: usize = 32;
/// Devices and tabs of one person that listen at once.
const LISTENERS_MAX: usize = 64;

/// A channel for each person who listens.
#[derive(Debug, Default)]
pub struct Wakers(Mutex<HashMap<PersonId, broadcast::Sender<Wake>>>);

impl Wakers {
    /// # Errors
    /// `rate_limit_exceeded` when too many listen.
    pub fn listen(&self, person: PersonId) -> Result<broadcast::Receiver<Wake>, ApiError> {
        let mut channels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        channels.retain(|_, channel| channel.receiver_count() > 0);
        let channel = channels.entry(person).or_insert_with(|| broadcast::channel(BEHIND_MAX).0);
        if channel.receiver_count() >= LISTENERS_MAX {
            return Err(ApiError::new(ErrorCode::RateLimited).with(RETRY_AFTER_S, 60));
        }
        Ok(channel.subscribe())
    }

    pub fn tell(&self, person: PersonId, wake: Wake) {
        let channels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = channels.get(&person) {
            // Fails where nobody listens any more.
            channel.send(wake).ok();
        }
    }

    /// Ends what a person's devices listen to.
    pub fn forget(&self, person: PersonId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&person);
    }
}
