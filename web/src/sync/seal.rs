//! Is the person's log sealed, and may this device read and write it? Operations lie in the store as they
//! were written; they are sealed on their way out and opened on their way in, here and nowhere else.

use portico_sealing::{AccountKey, Keyring};
use portico_shared::error::{ApiError, ErrorCode};
use portico_web::log_store::{LogStore, Record};
use portico_web::sync_memory;
use uuid::Uuid;

use crate::net;

/// How the log is that a device reads and writes now: becoming sealed or plain, it gets another epoch.
pub struct Seal {
    epoch: Uuid,
    /// None: the log is plain.
    key: Option<AccountKey>,
}

impl Seal {
    /// Asks the server, and believes it only what does not give anything away.
    ///
    /// # Errors
    /// `sync_log_sealed`: this device has no key for it, or another one. `sync_log_plain`: it was sealed, and
    /// the person has not said that it is so no longer. Else the server's, or the store's.
    pub async fn look(store: &LogStore, person: Uuid) -> Result<Self, ApiError> {
        let state = net::keyring().await?;
        let kept = sync_memory::kept(store, person).await?;
        let Some(keyring) = state.keyring else {
            return match kept {
                None => Ok(Self { epoch: state.epoch, key: None }),
                Some(_) => Err(ApiError::new(ErrorCode::SyncLogPlain)),
            };
        };
        if kept.is_none() {
            sync_memory::keep(store, person, None).await?;
        }
        let key_id = Keyring::from_value(keyring)?.key_id;
        let key = kept.and_then(|kept| AccountKey::from_text(&kept.key?));
        match key.filter(|key| key.id() == key_id) {
            Some(key) => Ok(Self { epoch: state.epoch, key: Some(key) }),
            None => Err(ApiError::new(ErrorCode::SyncLogSealed)),
        }
    }

    /// None: the log is plain.
    pub fn key(&self) -> Option<&AccountKey> {
        self.key.as_ref()
    }

    pub fn is_sealed(&self) -> bool {
        self.key.is_some()
    }

    /// # Errors
    /// `sync_keyring_changed` where an answer is of another log than was looked at.
    pub fn is_of(&self, epoch: Uuid) -> Result<(), ApiError> {
        match self.epoch == epoch {
            true => Ok(()),
            false => Err(ApiError::new(ErrorCode::SyncKeyringChanged)),
        }
    }

    /// An operation as it goes to the server. `place`: its conversation, which it may not name itself.
    ///
    /// # Errors
    /// `invalid_request`: it is none.
    pub fn close(&self, json: &str, place: Option<Uuid>) -> Result<String, ApiError> {
        let Some(key) = &self.key else { return Ok(json.to_owned()) };
        let mut random = [0; 24];
        let failed = |error| ApiError::new(ErrorCode::Internal).detail(error);
        getrandom04::fill(&mut random).map_err(failed)?;
        key.seal(json, place, random)
    }

    /// Records of lines that came, and how many of them were left out for being nothing that a device of the
    /// person sealed.
    pub fn open<'a>(&self, lines: impl Iterator<Item = &'a str>) -> (Vec<String>, usize) {
        let Some(key) = &self.key else { return (lines.map(Record::pulled).collect(), 0) };
        let (mut records, mut n_damaged) = (Vec::new(), 0);
        for line in lines {
            match key.open(line) {
                Ok(json) => records.push(Record::pulled(&json)),
                Err(_) => n_damaged += 1,
            }
        }
        (records, n_damaged)
    }
}
