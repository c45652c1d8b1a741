//! Helpers of the tests that cross crates: what is right, how near is near enough, and where do the
//! inputs come from?

pub mod engine;
pub mod forced;
pub mod hosted;
pub mod perplexity;
pub mod real;
pub mod reference;
pub mod schemas;
pub mod tiny;
pub mod tolerance;
