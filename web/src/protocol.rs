//! What the page and the worker say to each other; see [`portico_relay::protocol`].

pub use portico_relay::protocol::*;
