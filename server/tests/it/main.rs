//! The server from outside: its routes by `oneshot`, its program as a process, a hub and a package
//! index that misbehave.

mod catalogue;
mod common;
mod guards;
mod hub;
mod models;
mod page;
mod program;
mod weights;
