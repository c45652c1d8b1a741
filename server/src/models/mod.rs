//! Which models lie on this machine, and how do they get there?
//!
//! `<models>/<id>/<file>` holds the files; `<id>/model.toml` describes a model that was added by
//! hand; `<data>/models.toml` stands in for the catalogue that is built in; `<data>/models.lock.toml`
//! pins what was pulled; `<data>/browser/<id>.gguf` is made of files that only the server reads.

mod add;
pub mod browser_file;
mod encoder_file;
mod error;
pub(crate) mod header;
mod layout;
mod library;
mod lock;
mod progress;
pub mod pull;
mod remove;
pub mod sha256;
pub mod store;
mod verify;
mod watch;

pub use add::{add, add_watched};
pub use encoder_file::open_encoder;
pub use error::ModelsError;
pub use layout::Layout;
pub use library::{BUILT_IN_CATALOGUE, Entry, FileState, Library, Shelf};
pub use lock::{Lock, Pin};
pub use progress::Progress;
pub use remove::remove;
pub use verify::{Verdict, verify, verify_watched};
pub use watch::{Phase, Watch};
