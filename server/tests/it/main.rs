//! The server from outside: its routes by `oneshot`, its program as a process, a hub and a package
//! index that misbehave.
#![allow(clippy::unwrap_used, reason = "a test's helpers fail the test by panicking")]

mod assistants;
mod attachments;
mod authorisation;
mod backup;
mod catalogue;
mod common;
mod database;
#[cfg(unix)]
mod database_tls;
mod doctor;
mod documents;
mod documents_chat;
mod documents_crash;
mod documents_crawl;
mod documents_moving;
mod documents_s3;
#[allow(dead_code, reason = "the search's own tests ask more of it")]
#[path = "../../search/tests/it/double.rs"]
mod double;
mod first_hour;
mod gateway;
mod guards;
mod house;
mod hub;
mod inference;
mod look;
mod models;
mod openapi;
mod page;
mod people;
mod program;
mod rust_client;
mod shares;
mod sole;
mod stock;
mod storage;
mod sync;
mod sync_chaos;
mod sync_sealed;
mod tools;
mod upstream;
mod usage;
mod vault;
mod weights;
mod words;
