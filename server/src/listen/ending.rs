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
