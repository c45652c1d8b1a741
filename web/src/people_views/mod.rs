//! What do the views of the account (bin `people`) and of the house's administration (bin `house`) share? Each
//! is a Wasm of its own and has its own state. It is a module of both bins: in the library, every worker would
//! carry leptos.
//!
//! - [`state`]: what is shown, as signals; [`api`]: what the server says and is asked;
//! - [`gate`]: who sees a view; [`parts`]: what views are made of; [`written`]: lists of what people write;
//!   [`tab_strip`]: tabs that do not fit.

pub mod api;
pub mod gate;
pub mod parts;
pub mod state;
pub mod tab_strip;
pub mod written;
