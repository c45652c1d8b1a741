//! Does the index hold what it promises, on each store of vectors?

mod contract;
mod double;
mod index;
mod quality;
