//! What do who syncs (bin `sync`) and who shows the account (bin `people`) say to each other of files that lie on the
//! server as they were before the log was encrypted? Over the channel of [`crate::sync_link`], whose own messages have
//! other names.

use portico_shared::error::ApiError;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `GET /api/attachments/plain`
pub const PATH: &str = "/api/attachments/plain";

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Listed {
    pub files: Vec<PlainFile>,
}

/// A file of a conversation, not encrypted yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PlainFile {
    pub conversation: Uuid,
    pub sha256: String,
    pub size_bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToPlain {
    /// How does it stand?
    Look,
    /// No more of them for now; also after the page was opened anew.
    Pause,
    /// On with them, also with those that could not be encrypted.
    GoOn,
    /// This one may go: the server is to forget it.
    GiveUp(PlainFile),
}

/// How it stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlainState {
    /// Files that are left, and their bytes.
    pub n_plain_files: usize,
    pub n_bytes: u64,
    pub now: Option<PlainNow>,
    pub is_paused: bool,
    /// Why it does not go on just now; it is tried again by itself.
    pub waits: Option<ApiError>,
    /// Those that this device cannot encrypt.
    pub stuck: Vec<StuckFile>,
}

/// The one that is on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlainNow {
    /// None: no message that is known here has it.
    pub name: Option<String>,
    /// On its way back, encrypted.
    pub is_sent: bool,
    pub done_bytes: u64,
    pub total_bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StuckFile {
    pub file: PlainFile,
    pub name: Option<String>,
    pub error: ApiError,
}

impl PlainState {
    /// Counts what is left; a file of two conversations is one.
    pub fn count(&mut self, left: &[PlainFile]) {
        let files: std::collections::BTreeMap<&str, u64> =
            left.iter().map(|file| (file.sha256.as_str(), file.size_bytes)).collect();
        (self.n_plain_files, self.n_bytes) = (files.len(), files.values().sum());
    }

    /// Whether it waits for the person.
    pub fn waits_for_person(&self) -> bool {
        self.n_plain_files > 0 && (self.is_paused || !self.stuck.is_empty())
    }
}
