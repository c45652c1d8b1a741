//! How does the house speak to its database, whichever it is?
//!
//! The names and shapes are rusqlite's, as far as the house uses them; values are rusqlite's own (its
//! [`types`] know nothing of a connection). Statements are written so that SQLite and PostgreSQL both
//! understand them.

mod connection;
mod error;
mod params;
mod postgres;
mod row;
mod statement;

pub use rusqlite::types;

pub(super) use self::postgres::{Failure, Session};
pub(super) use connection::Backend;
pub use connection::{Connection, Transaction};
pub use error::{Error, OptionalExtension, Result};
pub use params::Params;
pub(crate) use params::params;
pub use row::{Row, RowIndex, Rows};
pub use statement::Statement;
