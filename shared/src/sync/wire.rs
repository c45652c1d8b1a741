//! What goes between a device and its server?
//!
//! Operations travel as lines of JSON, one a line, as they were written: whoever carries them neither
//! changes nor drops one that it does not understand. A server numbers what it takes in; the number of
//! the last one that a device has is its cursor, and means something only together with the log's
//! epoch.
//!
//! - `POST /api/sync/push`: lines; answered with [`Pushed`]. Idempotent by the operations' ids.
//! - `GET /api/sync/pull?epoch=…&since=…&mark=…`: a line [`Page`], then operations.
//! - `GET /api/sync/snapshot?after=…`: a line [`SnapshotPage`], then [`super::Head`]s.
//! - `GET /api/sync/conversations/{id}?since=…`: a line [`Page`], then that conversation's operations.
//! - `POST /api/sync/conversations/{id}/withdraw`: the server forgets it.
//! - `GET /api/sync/events`: server-sent events, each a [`Wake`].
//! - `POST /api/sync/signal`: a [`Signal`] for the person's other devices.
//! - `GET /api/sync/keyring`: [`KeyringState`]; `PUT`: [`PutKeyring`], answered with the new state.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::error::ApiError;

/// Most operations of a push.
pub const PUSH_MAX_OPS: usize = 2_000;
/// Most bytes of a push, as lines before they are compressed.
pub const PUSH_MAX_BYTES: usize = 8 << 20;
/// How many bytes of lines a device gathers for a push, if no single operation is larger.
pub const PUSH_BATCH_BYTES: usize = 1 << 20;
/// A page of a pull ends with the operation that passes this many bytes.
pub const PAGE_MAX_BYTES: usize = 1 << 20;
/// Most operations of a page.
pub const PAGE_MAX_OPS: usize = 5_000;
/// Most heads of a snapshot's page.
pub const PAGE_MAX_HEADS: usize = 5_000;

/// Largest [`Signal`], as JSON.
pub const SIGNAL_MAX_BYTES: usize = 1 << 10;
/// Largest keyring, as JSON.
pub const KEYRING_MAX_BYTES: usize = 16 << 10;

/// The media type of lines of JSON.
pub const LINES: &str = "application/x-ndjson";

/// What became of a push.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pushed {
    pub epoch: Uuid,
    /// The log's end before the push and after it: a device whose cursor is the former may put it on
    /// the latter, for what lies between is its own.
    pub before: u64,
    pub cursor: u64,
    /// The log's mark at each of the two: see [`Position`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark_before: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Uuid>,
    /// Operations that the log did not have.
    pub n_new: usize,
    /// Operations that were not taken; the others were.
    pub refused: Vec<Refused>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refused {
    /// From 0, of the push.
    pub line: usize,
    /// None where the line is no operation.
    pub op: Option<Uuid>,
    pub error: ApiError,
}

/// Heads a page of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    pub epoch: Uuid,
    /// Of the last operation of the page: the next pull's `since`.
    pub cursor: u64,
    /// The log's mark there: the next pull's `mark`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Uuid>,
    /// More is there now.
    pub has_more: bool,
    /// The device's cursor means nothing here (another epoch or mark, or one beyond the log's end): the
    /// page is the log's first one, and the device pushes again what it has.
    pub restarted: bool,
}

/// Heads a page of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotPage {
    pub epoch: Uuid,
    /// Whoever has all pages, and pulls since the first one's cursor, misses nothing of any head.
    pub cursor: u64,
    /// The log's mark at the cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Uuid>,
    /// The next page's `after`; none: this is the last.
    pub after: Option<Uuid>,
}

/// Told to the person's devices that listen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Wake {
    /// The log has grown up to `cursor`.
    Log {
        epoch: Uuid,
        cursor: u64,
    },
    Signal(Signal),
}

/// What one device asks of the others. It is not kept: whoever does not listen misses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "signal", rename_all = "snake_case")]
pub enum Signal {
    /// Stop writing this answer.
    Stop {
        message: Uuid,
    },
    /// Whoever asks for the key of the encrypted log is to say it again.
    ApprovalsWanted,
    /// A locked device asks for that key; said again from time to time.
    ApprovalAsked(ApprovalAsk),
    /// A device that has the key has heard it: its person can approve.
    ApprovalHeard {
        request: Uuid,
    },
    ApprovalGiven(ApprovalGiven),
    ApprovalRefused {
        request: Uuid,
    },
    /// The device asks no more.
    ApprovalEnded {
        request: Uuid,
    },
}

/// A locked device's request (`portico_sealing`, module `approval`). Bytes are base64url.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalAsk {
    pub request: Uuid,
    /// X25519, 32 bytes.
    pub key: String,
    /// That who asks knows the code that the person carries; 32 bytes.
    pub proof: String,
}

/// The account's key, sealed for the device that asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalGiven {
    pub request: Uuid,
    /// X25519, 32 bytes.
    pub key: String,
    /// 48 bytes.
    pub sealed: String,
}

/// Whether a person's log is sealed, and where it ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyringState {
    pub epoch: Uuid,
    pub cursor: u64,
    /// Grows with each change of the keyring.
    pub revision: u64,
    /// The account's key under the person's secrets, which the server does not understand; none: the log
    /// is plain.
    pub keyring: Option<Value>,
}

/// Puts a keyring in the place of the one with this revision. Where the log was plain and becomes sealed,
/// or the other way round, it begins anew and devices push again what they have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PutKeyring {
    pub revision: u64,
    /// Up to where the device has the log: one that begins it anew must have all of it.
    pub epoch: Uuid,
    pub cursor: u64,
    pub keyring: Option<Value>,
}

/// How far a device has read the server's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub epoch: Option<Uuid>,
    pub cursor: u64,
    /// By which a log that was restored, and has grown past the cursor since, is told from the one that was
    /// read: a server that begins to write marks the place. None: it is not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Uuid>,
}

impl Position {
    /// Takes note of a page; true: the log is another one than before, and everything that the device
    /// has is to be pushed again.
    pub fn pulled(&mut self, page: &Page) -> bool {
        let is_other = page.restarted && self.epoch.is_some();
        *self = Self { epoch: Some(page.epoch), cursor: page.cursor, mark: page.mark };
        is_other
    }

    /// Takes note of the device's own push.
    pub fn pushed(&mut self, pushed: &Pushed) {
        let is_its_end = self.cursor == pushed.before && self.mark == pushed.mark_before;
        if self.epoch == Some(pushed.epoch) && is_its_end {
            (self.cursor, self.mark) = (pushed.cursor, pushed.mark);
        }
    }

    /// Whether the log has more than was read.
    pub fn is_behind(&self, epoch: Uuid, cursor: u64) -> bool {
        self.epoch != Some(epoch) || self.cursor < cursor
    }
}

/// Cuts lines into pushes; each has at least one.
pub fn batch_end(line_bytes: impl IntoIterator<Item = usize>) -> usize {
    let (mut n_lines, mut n_bytes) = (0, 0);
    for bytes in line_bytes.into_iter().take(PUSH_MAX_OPS) {
        n_bytes += bytes + 1;
        if n_lines > 0 && n_bytes > PUSH_BATCH_BYTES {
            break;
        }
        n_lines += 1;
    }
    n_lines
}
