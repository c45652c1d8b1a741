//! What does who syncs remember in the store? Names in its memory, and the key of a person whose log is
//! sealed; who shows the account sets and erases it.

use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::log_store::{IdbError, LogStore, Write};

/// How far the server's log was read: `portico_shared::sync::wire::Position`.
pub const POSITION: &str = "position";
/// What was in the log before this device came and is not here yet; empty: nothing.
pub const BACKFILL: &str = "backfill";
/// The server's log began anew: what came from there goes back too, until all is sent. Empty: it did not.
pub const ANEW: &str = "anew";
/// Files that are not encrypted yet stay so, because the person says so; empty: they do not.
pub const PLAIN_PAUSED: &str = "plain_paused";
/// [`Kept`]; empty: nothing is known of a sealed log.
const SEAL: &str = "seal";

/// What this device knows of a person's sealed log.
#[derive(Clone, Serialize, Deserialize)]
pub struct Kept {
    pub person: Uuid,
    /// The account's key as text; none: it is sealed, and this device is locked.
    pub key: Option<String>,
}

/// What is known of this person's log; none: it was never seen sealed, or the person agreed that it is
/// plain.
///
/// # Errors
/// `device_storage_refused`, as of all of these.
pub async fn kept(store: &LogStore, person: Uuid) -> Result<Option<Kept>, ApiError> {
    let json = store.meta(SEAL).await.map_err(failed)?.unwrap_or_default();
    let kept: Option<Kept> = serde_json::from_str(&json).ok();
    Ok(kept.filter(|kept| kept.person == person))
}

/// The log is sealed; `key`: with this one.
pub async fn keep(store: &LogStore, person: Uuid, key: Option<String>) -> Result<(), ApiError> {
    // A struct of strings: JSON can always hold it.
    let json = serde_json::to_string(&Kept { person, key }).unwrap_or_default();
    put(store, json).await
}

/// The person is signed out: the key goes. That the log is sealed stays known, so that no server gets plain
/// text by saying otherwise.
pub async fn erase_key(store: &LogStore) -> Result<(), ApiError> {
    let json = store.meta(SEAL).await.map_err(failed)?.unwrap_or_default();
    match serde_json::from_str(&json) {
        Ok(Kept { person, key: Some(_) }) => keep(store, person, None).await,
        _ => Ok(()),
    }
}

/// The person agreed that the log is plain.
pub async fn forget(store: &LogStore) -> Result<(), ApiError> {
    put(store, String::new()).await
}

async fn put(store: &LogStore, json: String) -> Result<(), ApiError> {
    let write = Write { meta: vec![(SEAL, json)], ..Write::default() };
    store.write(write).await.map_err(failed).map(|_| ())
}

fn failed(error: IdbError) -> ApiError {
    ApiError::new(ErrorCode::DeviceStorageRefused).detail(error)
}
