//! Which chats are shared inside the house, and who may read them?
//!
//! A share is a snapshot of one conversation, made by its person's device and kept here as it was then
//! (`portico_shared::share` says what is in it). It is for whoever is signed in (the group of everyone) or for
//! groups that the person is in; who may read it is part of the query that reads it. Its owner renews it and
//! ends it; administrators can end it too, and read only what is shared with them.
//!
//! A snapshot is readable to the server, also where the person's log is encrypted: then the request must say that
//! the person accepts it. What stays on its device is not shared.

mod api;
mod table;

use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::share::{SNAPSHOT_MAX_BYTES, Snapshot};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::Db;
use crate::gateway::Caller;
use crate::people::{EVERYONE, PersonId, Role};

pub use api::router;
pub(crate) use table::export;

/// Of one person.
const SHARES_MAX: i64 = 100;
const GROUPS_MAX: usize = 50;

/// A share as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    pub id: String,
    pub conversation: String,
    pub title: String,
    /// `everyone` is whoever is signed in.
    pub groups: Vec<String>,
    pub n_messages: u64,
    pub size_bytes: u64,
    /// Seconds since 1970.
    pub created_s: i64,
    /// When the snapshot was made.
    pub changed_s: i64,
}

/// A share as it is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shared {
    pub id: String,
    /// Who shared it, as others call them.
    pub by: String,
    pub is_own: bool,
    pub created_s: i64,
    pub changed_s: i64,
    pub snapshot: Snapshot,
}

/// What somebody shares.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewShare {
    pub conversation: Uuid,
    pub groups: Vec<String>,
    pub snapshot: Snapshot,
    /// The person accepts that the server can read the snapshot, though their log is encrypted.
    #[serde(default)]
    pub accepts_readable: bool,
}

/// What is to be otherwise with a share.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShareChange {
    pub groups: Option<Vec<String>>,
    pub snapshot: Option<Snapshot>,
    pub accepts_readable: bool,
}

/// All shares.
#[derive(Debug)]
pub struct Shares {
    db: Db,
}

impl Shares {
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}

/// With whom the caller may share.
///
/// # Errors
/// `sign_in_needed`, `chats_stay_on_device`, `sharing_forbidden`, `invalid_request`.
fn may_share(caller: &Caller, groups: &[String]) -> Result<PersonId, ApiError> {
    let person = caller.in_person()?;
    caller.may_sync()?;
    let forbidden = |with: &str| ApiError::new(ErrorCode::SharingForbidden).with("with", with);
    if !caller.may.share_chats {
        return Err(forbidden(groups.first().map_or(EVERYONE, String::as_str)));
    }
    if groups.is_empty() || groups.len() > GROUPS_MAX {
        let reason = format!("a chat is shared with 1 to {GROUPS_MAX} groups");
        return Err(ApiError::new(ErrorCode::InvalidRequest).with("reason", reason));
    }
    // Everyone is among a person's groups.
    let is_theirs = |group: &&String| caller.rights.groups.contains(group);
    let is_admin = caller.role() == Some(Role::Admin);
    match groups.iter().find(|group| !is_admin && !is_theirs(group)) {
        Some(other) => Err(forbidden(other)),
        None => Ok(person),
    }
}

/// A snapshot as it is kept.
///
/// # Errors
/// `invalid_request`, `share_too_large`.
fn written(snapshot: &Snapshot) -> Result<String, ApiError> {
    snapshot.check()?;
    let json = serde_json::to_string(snapshot)
        .map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
    match json.len() <= SNAPSHOT_MAX_BYTES {
        true => Ok(json),
        false => Err(ApiError::new(ErrorCode::ShareTooLarge)),
    }
}
