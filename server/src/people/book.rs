//! The house's people, as the rest of the server asks for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use portico_shared::error::{ApiError, ErrorCode};

use super::secret::{SecretHash, hash_of_secret, new_secret};
use super::session::External;
use super::store::NewPerson;
use super::{Person, PersonId, session, store};
use crate::db::Db;

/// People, their sessions, groups and rules.
#[derive(Debug)]
pub struct People {
    pub(super) db: Db,
    /// Once there is somebody, there always is: the last admin cannot go.
    has_any: AtomicBool,
    /// How long a session lasts, in seconds.
    pub(super) session_s: u64,
}

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    pub person: Person,
    /// The session's id.
    pub session: String,
}

impl People {
    pub fn new(db: Db, session_s: u64) -> Arc<Self> {
        Arc::new(Self { db, has_any: AtomicBool::new(false), session_s })
    }

    /// Whether anybody has an account here. Until then the page is whoever sits at it.
    pub async fn has_any(&self) -> Result<bool, ApiError> {
        if self.has_any.load(Ordering::Relaxed) {
            return Ok(true);
        }
        // What asks for nothing must not make a database.
        if !self.db.path().exists() {
            return Ok(false);
        }
        let has_any = self.db.call(|connection| store::any(connection)).await?;
        self.has_any.store(has_any, Ordering::Relaxed);
        Ok(has_any)
    }

    /// Who has this session.
    ///
    /// # Errors
    /// `person_blocked`
    pub async fn signed_in(&self, hash: SecretHash) -> Result<Option<SignedIn>, ApiError> {
        let found = self.db.call(move |connection| session::find(connection, &hash)).await?;
        match found {
            Some((person, _)) if person.blocked_s.is_some() => Err(ApiError::new(ErrorCode::PersonBlocked)),
            found => Ok(found.map(|(person, session)| SignedIn { person, session })),
        }
    }

    /// Makes somebody, whose password is hashed already.
    ///
    /// # Errors
    /// `person_exists`
    pub async fn add(&self, new: NewPerson) -> Result<PersonId, ApiError> {
        let name = new.name.clone();
        let added = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let id = store::insert(&transaction, &new)?;
            transaction.commit()?;
            Ok(id)
        });
        let exists = || ApiError::new(ErrorCode::PersonExists).with("person", name);
        added.await?.ok_or_else(exists)
    }

    /// Begins a session; its secret is for the cookie.
    pub async fn begin_session(
        &self,
        person: PersonId,
        agent: String,
        external: External,
    ) -> Result<String, ApiError> {
        let internal = |error| ApiError::new(ErrorCode::Internal).detail(error);
        let secret = new_secret().map_err(internal)?;
        let hash = hash_of_secret(&secret);
        let hash = hash.ok_or_else(|| ApiError::new(ErrorCode::Internal).detail("no secret"))?;
        let lasts_s = self.session_s;
        self.db
            .call(move |connection| {
                session::insert(connection, person, hash, &agent, lasts_s, &external)
            })
            .await?;
        Ok(secret)
    }
}
