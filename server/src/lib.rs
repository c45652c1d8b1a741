//! The organisation's server.
