//! What the documents' views and the on-device documents decide, without a browser, so that it is tested
//! natively.
//!
//! - [`address`], [`texts`], [`api`], [`kinds`], [`marks`]: of the views (`web/src/library`);
//! - [`shelf`]: documents that never leave the browser, of its worker (`web/src/shelf`).

pub mod address;
pub mod api;
pub mod kinds;
pub mod marks;
pub mod shelf;
pub mod texts;
