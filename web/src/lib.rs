//! What the page (bin `app`), its documents' views (bin `library`), their worker (bin `shelf`), the views of the
//! account (bin `people`) and of the administration (bin `house`), and the engine's worker (bin `worker`) share.
//! Nothing of leptos: workers would carry it.

pub mod file_reading;
pub mod later_link;
pub mod link;
pub mod log_store;
pub mod markdown_dom;
pub mod plain_link;
pub mod portico_api;
pub mod server_call;
pub mod shelf_link;
pub mod sync_link;
pub mod sync_memory;
pub mod turns;

pub use portico_relay::protocol;
