//! What does a formula or a piece of code look like? Pure: text in, an allow-listed tree or spans out.

pub mod code;
pub mod maths;
