//! The organisation's server: it serves the page and the weights, keeps the models, and answers with
//! them where a device cannot.
//!
//! One module a feature; a feature that speaks HTTP has a `router`, and [`app::app`] puts them
//! together behind the guards that every request passes.

pub mod app;
pub mod assistants;
pub mod attachments;
pub mod backup;
pub mod catalogue;
pub mod cli;
pub mod config;
pub mod db;
pub mod doctor;
pub mod documents;
pub mod embed;
pub mod files;
pub mod first_hour;
pub mod gateway;
pub mod guard;
pub mod health;
pub mod house;
pub mod http_error;
pub mod inference;
pub mod keys;
pub mod listen;
pub mod metrics;
pub mod models;
pub mod overview;
pub mod page;
pub mod people;
pub mod shares;
pub mod stock;
pub mod sync;
pub mod temporary;
pub mod tools;
pub mod upstream;
pub mod usage;
pub mod vault;
pub mod weights;
