//! How does a model get from the server into the browser's storage and from there to the GPU, piece
//! by piece, whatever happens on the way?
//!
//! The decisions of the weight store, without the browser: which chunks are to be fetched
//! ([`fetch_plan`]), what of a file stands after a crash ([`journal`]), whether a retry makes sense
//! ([`retry`]), how fast it goes ([`rate`]) and what must leave when space runs out ([`eviction`]).
//! `web/src/worker/store` does what they say with OPFS and `fetch`.

pub mod chunk_set;
pub mod eviction;
pub mod fetch_plan;
pub mod journal;
pub mod rate;
pub mod retry;
