//! What does the house use, and what can its people's devices do? For whoever administers it.
//!
//! What was used is counted by the gateway's meter (`keys::book`) by day, place and model, never with a word
//! of what was said; `counts` adds it up. What devices can do they say themselves, where house and person
//! want it (`devices`): only counts of it are kept. How much of it is shown, and by which figures energy and
//! a price are reckoned, are the house's `settings`. `docs/usage.md` describes each route.

mod api;
mod counts;
mod devices;
mod settings;

use portico_shared::error::ApiError;

pub use api::router;
pub use counts::{GroupUse, PEOPLE_MIN, Range, Row, Used, WhoUse, forget_older};
pub use devices::{DEVICES_MIN, DeviceReport, Month};
pub use settings::{Detail, Energy, Price, Settings};

use crate::db::{Db, Home};

/// The counts, as they lie in the database.
#[derive(Debug)]
pub struct Usage {
    pub(crate) db: Db,
}

impl Usage {
    pub fn new(home: &Home) -> Self {
        Self { db: Db::new(home.clone()) }
    }

    /// How the house wants it; what cannot be read is as it is without a word.
    pub async fn settings(&self) -> Result<Settings, ApiError> {
        if !self.db.exists() {
            return Ok(Settings::default());
        }
        Ok(self.db.call(|connection| settings::kept(connection)).await?)
    }
}
