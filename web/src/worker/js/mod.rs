//! The parts of the browser that the worker touches, each with a typed face.

pub mod error;
pub mod grammar;
pub mod locks;
pub mod scope;
pub mod signal;
