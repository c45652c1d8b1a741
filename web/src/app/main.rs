//! The page: leptos, client-side. It shows and asks; the engine's worker computes.
//!
//! - [`page`]: what is shown, as signals; [`setup`]: who writes them.
//! - [`log`]: conversations as the append-only operations of `shared::sync`, in IndexedDB.
//! - [`announcements`]: what the house says on the first page;
//! - [`answer`]: answers that are being written; [`place`]: where; [`documents`]: what they rest on.
//! - [`assistants`]: what somebody chose for it beforehand.
//! - [`attach`]: files that go with a message; [`files`]: their bytes, here and on the server.
//! - [`sync`]: how the person's other devices hear of it.
//! - [`view`]: the elements.

mod announcements;
mod answer;
mod assistants;
mod attach;
mod browser;
mod documents;
mod erase;
mod export;
mod files;
mod import;
#[path = "../later_views.rs"]
mod later_views;
mod log;
mod models;
mod offline;
mod page;
mod place;
mod prefs;
mod session;
mod setup;
mod sync;
mod tools;
mod view;

fn main() {
    setup::start();
}
