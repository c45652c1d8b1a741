//! What is done when nothing else is to do? Files that nothing refers to go, and vectors that are
//! scanned until now get their graph.

use std::sync::Arc;
use std::time::Duration;

use portico_search::vectors::StoreInfo;
use portico_shared::error::ApiError;
use tokio::time::Instant;

use super::{LONGEST_WAIT_MS, Until, Work};
use crate::documents::queue;

/// The queue must have been empty for so long before vectors are optimised.
const QUIET: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_millis(LONGEST_WAIT_MS as u64);
/// Fewer points than this are scanned in a few milliseconds.
const POINTS_MIN: u64 = 2_000;
/// Of all points, one in so many may have changed.
const ONE_IN: u64 = 10;

impl Work {
    /// Tidies until told to stop. Vectors are optimised by a server only: the command line would have
    /// its user wait.
    pub(super) async fn keep_tidy(self: Arc<Self>, until: Until) {
        let mut quiet_since = None;
        // A store that was just opened is looked at once.
        let mut looked_at = None;
        let (mut collect_at, mut wait) = (Instant::now(), QUIET);
        while !self.is_over() {
            if Instant::now() >= collect_at {
                let removed = self.documents.files.collect(self.work_db()).await;
                // Where files lie on another machine, it may be away.
                match self.logged("removing files", removed) {
                    Some(_) => wait = QUIET,
                    None => {
                        collect_at = Instant::now() + wait;
                        wait = (wait * 2).min(LONGEST_WAIT);
                    }
                }
            }
            if until == Until::Ever {
                let is_idle = self.work_db().call(|connection| queue::is_idle(connection)).await;
                match self.logged("looking at the queue", is_idle.map_err(ApiError::from)) {
                    Some(true) => {
                        let since = *quiet_since.get_or_insert_with(Instant::now);
                        if since.elapsed() >= QUIET {
                            let optimised = self.optimise(&mut looked_at).await;
                            self.logged("optimising vectors", optimised);
                        }
                    }
                    _ => quiet_since = None,
                }
            }
            self.pause_long().await;
        }
    }

    /// Optimises the vectors where enough of them changed; `looked_at` is how many had when that was
    /// last looked at.
    async fn optimise(&self, looked_at: &mut Option<u64>) -> Result<(), ApiError> {
        let n_changed = self.index.n_changed();
        if looked_at.is_some_and(|before| n_changed < before.saturating_add(POINTS_MIN)) {
            return Ok(());
        }
        *looked_at = Some(n_changed);
        let Some(info) = self.index.store_info().await? else { return Ok(()) };
        if !is_worth_it(&info, n_changed) {
            return Ok(());
        }
        let start = Instant::now();
        let has_changed = self.index.optimise().await?;
        *looked_at = Some(self.index.n_changed());
        if has_changed {
            let took_s = start.elapsed().as_secs_f32();
            tracing::info!(n_points = info.n_points, took_s, "the vectors were optimised");
        }
        Ok(())
    }
}

/// Whether so much is scanned, or was removed from graphs, that searches feel it.
fn is_worth_it(info: &StoreInfo, n_changed: u64) -> bool {
    let n_scanned = info.n_points.saturating_sub(info.n_indexed);
    n_scanned.max(n_changed) >= POINTS_MIN.max(info.n_points / ONE_IN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_many_or_a_few_thousand_points_are_worth_it() {
        let worth = |n_points, n_indexed, n_changed| {
            is_worth_it(&StoreInfo { n_points, n_indexed, version: None }, n_changed)
        };
        assert!(worth(2_500, 0, 0), "an index that was opened says how much is scanned");
        assert!(!worth(1_500, 0, 1_500) && !worth(100_000, 95_000, 5_000));
        assert!(worth(100_000, 90_000, 0) && worth(100_000, 100_000, 10_000));
    }
}
