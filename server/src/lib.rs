//! The organisation's server: it serves the page and the weights, and keeps the models.
//!
//! One module a feature; a feature that speaks HTTP has a `router`, and [`app::app`] puts them
//! together behind the guards that every request passes.

pub mod app;
pub mod catalogue;
pub mod cli;
pub mod guard;
pub mod health;
pub mod http_error;
pub mod inference;
pub mod listen;
pub mod models;
pub mod page;
pub mod weights;
