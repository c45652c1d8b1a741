//! `/weights`: a model's bytes, chunk by chunk, each named by its SHA-256.
//!
//! Never a wrong byte: a chunk is hashed before it is first served, and that verdict holds only as
//! long as the file's size, modification time and inode stay as they were; they are looked at again
//! before the last piece of an answer leaves, and an answer whose file changed under it breaks off.
//! What remains is a file overwritten in place with its old modification time put back: the browser
//! verifies every chunk too and would refuse it.

pub(crate) mod conditional;
mod digest;
mod index;
mod range;
mod serve;

pub use digest::{DigestFile, FileStamp, digest_file};
pub use index::WeightIndex;
pub(crate) use range::{Asked, asked};

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::app::App;

pub fn router(state: Arc<App>) -> Router {
    Router::new()
        .route("/weights/{model}/manifest", get(serve::manifest))
        .route("/weights/chunks/{sha256}", get(serve::chunk))
        .with_state(state)
}
