//! Which Chromium drives the browser tests?

use std::path::PathBuf;

use crate::command;

/// `PORTICO_CHROMIUM`, else the first of the usual names that starts.
pub fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("PORTICO_CHROMIUM").map(PathBuf::from);
    let usual = ["/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome"];
    named.into_iter().chain(usual.map(PathBuf::from)).find(|name| command::exists(name))
}
