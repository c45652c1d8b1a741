//! Is the server about to stop? What lasts as long as its listener, and so never ends by itself, ends then.

use tokio::sync::watch;

#[derive(Debug, Default)]
pub struct Ending(watch::Sender<bool>);

impl Ending {
    /// From now on.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Comes to its end when the server is about to stop.
    pub async fn begun(&self) {
        // Its sender is here and outlives the call: there is always an answer.
        self.0.subscribe().wait_for(|has_begun| *has_begun).await.ok();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn whoever_waits_and_whoever_comes_later_is_told_and_nobody_before() {
        let ending = Arc::new(Ending::default());
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let ending = ending.clone();
                tokio::spawn(async move { ending.begun().await })
            })
            .collect();
        // One thread: all of them have come to where they wait.
        tokio::task::yield_now().await;
        assert!(waiting.iter().all(|one| !one.is_finished()));
        ending.begin();
        for one in waiting {
            timeout(PATIENCE, one).await.expect("told in time").expect("no panic");
        }
        timeout(PATIENCE, ending.begun()).await.expect("who comes later");
        ending.begin();
        timeout(PATIENCE, ending.begun()).await.expect("said twice");
        let unheard = Ending::default();
        unheard.begin();
        timeout(PATIENCE, unheard.begun()).await.expect("begun while nobody listened");
    }
}
