//! What the page (bin `app`), its documents' views (bin `library`), their worker (bin `shelf`) and the
//! engine's worker (bin `worker`) share.

pub mod file_reading;
pub mod link;
pub mod log_store;
pub mod markdown_dom;
pub mod portico_api;
pub mod server_call;
pub mod shelf_link;
pub mod sync_link;
pub mod sync_memory;

pub use portico_relay::protocol;
