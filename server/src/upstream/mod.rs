//! How does a request reach an inference fleet that speaks OpenAI's dialect, and how does its answer
//! come back?
//!
//! `choose` decides who is asked, `health` who is well, `wire` speaks HTTP, `send` puts them
//! together: another endpoint is tried until the first byte of an answer is there, and never after.

mod choose;
mod fleet;
mod health;
mod record;
mod resolver;
mod secret;
mod send;
mod trust;
mod wire;

pub use fleet::{Endpoint, Fleet, FleetModel, Place, Upstream};
pub use record::Record;
pub(crate) use resolver::{Reachable, may_reach};
pub(crate) use secret::{Bearer, read_secret};
pub use send::{Refusal, SendError, Stream, Whole};
pub(crate) use trust::authorities;
pub(crate) use wire::{HttpsClient, Wire, https_client};
