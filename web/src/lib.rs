//! What the page (bin `app`) and the engine's worker (bin `worker`) share.

pub mod link;
pub mod portico_api;
pub mod server_call;

pub use portico_relay::protocol;
