//! What page, engine worker and server all speak: one request, one generation, one error table.
//!
//! Pure: no IO, no async, no clock and no randomness of its own. Seeds and times come in as
//! arguments, so that everything here runs the same natively and in the browser.

pub mod assistant;
pub mod catalogue;
pub mod documents;
pub mod error;
pub mod events;
pub mod generation;
pub mod gguf;
pub mod grammar;
pub mod grounding;
pub mod manifest;
pub mod model;
pub mod openai;
pub mod retrieval;
pub mod sampling;
pub mod share;
pub mod sync;
pub mod template;
pub mod tokenizer;
pub mod tools;
