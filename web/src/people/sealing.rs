//! What does a person do about the encryption of their conversations? The key is made and opened here; the
//! server gets only what it cannot open (`portico_sealing`).

use portico_sealing::{AccountKey, Keyring, RecoveryKey};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::sync::wire::{KeyringState, Position, PutKeyring};
use portico_web::log_store::{IdbError, LogStore};
use portico_web::server_call::http::sleep_ms;
use portico_web::sync_link::{Channel, ToSync};
use portico_web::sync_memory::{self, BACKFILL, POSITION};
use serde_json::Value;
use uuid::Uuid;

use crate::api;

const PATH: &str = "/api/sync/keyring";
/// A passphrase is stretched on the page's thread: what says so is painted before.
const PAINT_MS: i32 = 60;

/// How it stands with this device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// The log is not encrypted.
    Plain,
    /// It is, and this device has the key.
    Open,
    Locked,
    /// It was encrypted as far as this device knows, and the server says that it is no longer.
    Unsealed,
}

/// Keys that were made and are not with the server yet: the person first keeps the recovery key.
#[derive(Clone, PartialEq)]
pub struct Made {
    key: AccountKey,
    keyring: Keyring,
    revision: u64,
    /// The log is to be encrypted with them.
    begins: bool,
    /// As a person writes it down.
    pub recovery: String,
}

/// By what a device is unlocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Passphrase,
    RecoveryKey,
}

/// # Errors
/// The server's, `server_unreachable`, `device_storage_refused`; so of all of these.
pub async fn look(person: Uuid) -> Result<Lock, ApiError> {
    let state = state().await?;
    let kept = sync_memory::kept(&store().await?, person).await?;
    let Some(keyring) = state.keyring else {
        return Ok(if kept.is_some() { Lock::Unsealed } else { Lock::Plain });
    };
    let key = kept.and_then(|kept| AccountKey::from_text(&kept.key?));
    let fits = |key: &AccountKey| match Keyring::from_value(keyring) {
        Ok(keyring) => keyring.key_id == key.id(),
        // Damaged: whoever has a key can turn encryption off.
        Err(_) => true,
    };
    Ok(if key.as_ref().is_some_and(fits) { Lock::Open } else { Lock::Locked })
}

/// Makes a key for the account, under a passphrase and a recovery key.
///
/// # Errors
/// `seal_passphrase_short`.
pub async fn make(passphrase: String) -> Result<Made, ApiError> {
    let state = state().await?;
    let (key, recovery) = (AccountKey::new(random()?), RecoveryKey::new(random()?));
    let (salt, nonces) = (random()?, [random()?, random()?]);
    sleep_ms(PAINT_MS).await;
    let keyring = Keyring::new(&key, &passphrase, &recovery, salt, nonces)?;
    let (revision, recovery) = (state.revision, recovery.to_text());
    Ok(Made { key, keyring, revision, begins: true, recovery })
}

/// Another recovery key for the same account's key.
///
/// # Errors
/// `sync_log_sealed` where this device is locked.
pub async fn make_recovery(person: Uuid) -> Result<Made, ApiError> {
    let (state, keyring, key) = open(person).await?;
    let recovery = RecoveryKey::new(random()?);
    let keyring = keyring.with_recovery(&key, &recovery, random()?);
    let (revision, recovery) = (state.revision, recovery.to_text());
    Ok(Made { key, keyring, revision, begins: false, recovery })
}

/// The person has kept the recovery key: what was made holds from now on.
///
/// # Errors
/// `sync_not_settled`, `sync_keyring_changed`.
pub async fn hold(person: Uuid, made: Made) -> Result<(), ApiError> {
    let store = store().await?;
    let at = if made.begins { settled(&store).await? } else { Position::default() };
    // Before the server says it to who syncs, who would else take this device for a locked one.
    sync_memory::keep(&store, person, Some(made.key.to_text())).await?;
    let done = put(made.revision, at, Some(made.keyring.to_value())).await;
    if done.is_err() && made.begins {
        sync_memory::forget(&store).await?;
    }
    tell_sync();
    done
}

/// # Errors
/// `seal_passphrase_short`, `sync_log_sealed` where this device is locked, `sync_keyring_changed`.
pub async fn change_passphrase(person: Uuid, passphrase: String) -> Result<(), ApiError> {
    let (state, keyring, key) = open(person).await?;
    let (salt, nonce) = (random()?, random()?);
    sleep_ms(PAINT_MS).await;
    let keyring = keyring.with_passphrase(&key, &passphrase, salt, nonce)?;
    put(state.revision, Position::default(), Some(keyring.to_value())).await
}

/// # Errors
/// `seal_passphrase_wrong`, `seal_recovery_typo`, `seal_recovery_wrong`, `seal_keyring_damaged`.
pub async fn unlock(person: Uuid, by: By, secret: String) -> Result<(), ApiError> {
    let keyring = state().await?.keyring;
    let keyring = keyring.ok_or_else(|| ApiError::new(ErrorCode::SyncKeyringChanged))?;
    let keyring = Keyring::from_value(keyring)?;
    sleep_ms(PAINT_MS).await;
    let key = match by {
        By::Passphrase => keyring.open_by_passphrase(&secret)?,
        By::RecoveryKey => keyring.open_by_recovery(&secret)?,
    };
    sync_memory::keep(&store().await?, person, Some(key.to_text())).await?;
    tell_sync();
    Ok(())
}

/// Another device has let this one in.
///
/// # Errors
/// `sync_keyring_changed`: the key is not the one that the server's keyring is of.
pub async fn take(person: Uuid, key: AccountKey) -> Result<(), ApiError> {
    let changed = || ApiError::new(ErrorCode::SyncKeyringChanged);
    let keyring = Keyring::from_value(state().await?.keyring.ok_or_else(changed)?)?;
    if keyring.key_id != key.id() {
        return Err(changed());
    }
    sync_memory::keep(&store().await?, person, Some(key.to_text())).await?;
    tell_sync();
    Ok(())
}

/// The account's key.
///
/// # Errors
/// `sync_log_sealed` where this device is locked.
pub async fn account_key(person: Uuid) -> Result<AccountKey, ApiError> {
    open(person).await.map(|(_, _, key)| key)
}

/// This device forgets the key.
///
/// # Errors
/// See [`look`].
pub async fn lock(person: Uuid) -> Result<(), ApiError> {
    sync_memory::keep(&store().await?, person, None).await?;
    tell_sync();
    Ok(())
}

/// Conversations lie on the server in plain text from now on.
///
/// # Errors
/// `sync_not_settled`, `sync_keyring_changed`.
pub async fn turn_off() -> Result<(), ApiError> {
    let (state, store) = (state().await?, store().await?);
    put(state.revision, settled(&store).await?, None).await?;
    agree().await
}

/// The person agrees that the log is plain.
///
/// # Errors
/// See [`look`].
pub async fn agree() -> Result<(), ApiError> {
    sync_memory::forget(&store().await?).await?;
    tell_sync();
    Ok(())
}

/// Whoever comes next on this device must not find the key.
pub async fn sign_out() {
    let done = async { sync_memory::erase_key(&store().await?).await };
    if let Err(error) = done.await {
        web_sys::console::warn_1(&format!("portico: the key stays: {error}").into());
    }
}

async fn state() -> Result<KeyringState, ApiError> {
    api::get(PATH).await
}

/// What changes keys needs an unlocked device.
async fn open(person: Uuid) -> Result<(KeyringState, Keyring, AccountKey), ApiError> {
    let locked = || ApiError::new(ErrorCode::SyncLogSealed);
    let state = state().await?;
    let keyring = Keyring::from_value(state.keyring.clone().unwrap_or_default())?;
    let kept = sync_memory::kept(&store().await?, person).await?;
    let key = kept.and_then(|kept| AccountKey::from_text(&kept.key?)).ok_or_else(locked)?;
    if key.id() == keyring.key_id { Ok((state, keyring, key)) } else { Err(locked()) }
}

async fn put(revision: u64, at: Position, keyring: Option<Value>) -> Result<(), ApiError> {
    let (epoch, cursor) = (at.epoch.unwrap_or_default(), at.cursor);
    let body = PutKeyring { revision, epoch, cursor, keyring };
    api::send::<KeyringState>("PUT", PATH, &body).await.map(|_| ())
}

/// How far this device has the server's log, of which it has all that was there when it came.
async fn settled(store: &LogStore) -> Result<Position, ApiError> {
    let not_settled = || ApiError::new(ErrorCode::SyncNotSettled);
    let left = store.meta(BACKFILL).await.map_err(failed)?.unwrap_or_default();
    let position = store.meta(POSITION).await.map_err(failed)?.unwrap_or_default();
    if !left.is_empty() {
        return Err(not_settled());
    }
    serde_json::from_str(&position).map_err(|_| not_settled())
}

async fn store() -> Result<LogStore, ApiError> {
    LogStore::open().await.map_err(failed)
}

fn tell_sync() {
    if let Some(channel) = Channel::open() {
        channel.say(&ToSync::Session);
    }
}

pub fn random<const N: usize>() -> Result<[u8; N], ApiError> {
    let mut bytes = [0; N];
    let failed = |error| ApiError::new(ErrorCode::Internal).detail(error);
    getrandom04::fill(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn failed(error: IdbError) -> ApiError {
    ApiError::new(ErrorCode::DeviceStorageRefused).detail(error)
}
