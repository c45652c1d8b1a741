//! Which passages answer a question? Words by tantivy, meaning by Qdrant, and both together.
//!
//! Texts of passages live elsewhere: here are ids, what they are filtered by, index terms and vectors,
//! all of which can be made anew from the texts.

mod analysis;
mod error;
mod full_text;
mod index;
mod passage;
pub mod vectors;

pub use error::SearchError;
pub use full_text::{Facets, FullTextConfig};
pub use index::{Rebuild, SearchConfig, SearchIndex};
pub use passage::{Filter, Found, Passage, Query};
pub use portico_shared::documents::DocLang;
pub use portico_shared::retrieval::Fusion;
