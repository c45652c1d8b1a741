//! Who may use the gateway from outside the page, how fast, and how much?
//!
//! A key is `portico-<id>-<secret>`, shown once. Its id finds the row, of which the SHA-256 of the
//! whole key is compared in constant time: 256 random bits need no slow hash. Every request reads
//! the row, so that what another process did (`portico keys revoke`) holds at once.

mod book;
mod bucket;
mod clock;
mod quota;
mod secret;
mod store;

pub use book::{DEVICE, Spent, UsageBook};
pub use bucket::Bucket;
pub use clock::{day_of, now_s};
pub use quota::{TokenQuota, UsedUp};
pub use secret::{KeySecret, hash_of, id_of};
pub use store::{Key, KeyLimits, Keys, KeysError, NewKey};
