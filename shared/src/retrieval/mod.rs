//! Which of the passages that were found go to the reader, and in which order?
//!
//! Pure: lists of ids and texts come in, so that a server's index and a browser's own documents are
//! fused, spread and cut by one code.

mod budget;
mod diversity;
mod fusion;
mod neighbours;
mod wire;

pub use budget::within_budget;
pub use diversity::{Candidate, Spread, spread};
pub use fusion::{Fused, Fusion, Listed};
pub use neighbours::{Neighbour, joined};
pub use wire::{
    HitDocument, HitRanks, SearchFacets, SearchFilter, SearchHit, SearchMode, SearchRequest,
    SearchResponse,
};

#[cfg(test)]
mod tests;
