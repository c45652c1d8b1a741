//! The house's people, as the rest of the server asks for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use portico_shared::error::{ApiError, ErrorCode};
use uuid::Uuid;

use super::attempts::Attempts;
use super::audit::{self, AuditLog};
use super::links::{LinkKind, NewLink};
use super::password::{self, Hashing};
use super::policy::{self, May};
use super::secret::{SecretHash, hash_of_secret, new_secret};
use super::session::External;
use super::store::NewPerson;
use super::{Person, PersonId, Role, session, store};
use crate::db::{Db, DbError};
use crate::vault::{ID_TOKEN, Place, Vault};

/// How often the audit log is written.
const WRITE_EVERY: Duration = Duration::from_millis(500);
/// How often what is past its time is deleted.
const CLEAN_EVERY: Duration = Duration::from_secs(3_600);
/// How long the link for the first administrator can be opened.
const FIRST_LINK_S: u64 = 86_400;

/// People, their sessions, groups and rules.
#[derive(Debug)]
pub struct People {
    pub(super) db: Db,
    /// Once there is somebody, there always is: the last admin cannot go.
    has_any: AtomicBool,
    /// How long a session lasts, in seconds.
    pub(super) session_s: u64,
    pub(super) attempts: Attempts,
    pub(super) hashing: Hashing,
    pub(super) vault: Vault,
    pub audit: Arc<AuditLog>,
}

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    pub person: Person,
    /// The session's id.
    pub session: String,
    pub may: May,
}

impl People {
    pub fn new(db: Db, session_s: u64, vault: Vault) -> Arc<Self> {
        Arc::new(Self {
            db,
            has_any: AtomicBool::new(false),
            session_s,
            attempts: Attempts::default(),
            hashing: Hashing::default(),
            vault,
            audit: Arc::default(),
        })
    }

    /// Whether anybody has an account here. Until then the page is whoever sits at it.
    pub async fn has_any(&self) -> Result<bool, ApiError> {
        if self.has_any.load(Ordering::Relaxed) {
            return Ok(true);
        }
        // What asks for nothing must not make a database.
        if !self.db.exists() {
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
        let found = self.db.call(move |connection| {
            let Some((person, session)) = session::find(connection, &hash)? else {
                return Ok(None);
            };
            let may = policy::may(connection, &person)?;
            Ok(Some(SignedIn { person, session, may }))
        });
        unblocked(found.await?, |found| &found.person)
    }

    /// Somebody whose key asks, and what they may.
    ///
    /// # Errors
    /// `person_blocked`
    pub async fn standing(&self, id: PersonId) -> Result<Option<(Person, May)>, ApiError> {
        let found = self.db.call(move |connection| {
            let Some(person) = store::find(connection, id)? else { return Ok(None) };
            let may = policy::may(connection, &person)?;
            Ok(Some((person, may)))
        });
        unblocked(found.await?, |(person, _)| person)
    }

    /// Whom a proxy names that the house trusts; a member from the first time on.
    ///
    /// # Errors
    /// `person_blocked`, `invalid_request`.
    pub async fn vouched_for(&self, name: &str) -> Result<(Person, May), ApiError> {
        let name = store::sign_in_name(name)?;
        let found = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let Some(person) = store::find_or_insert(&transaction, &name)? else { return Ok(None) };
            let may = policy::may(&transaction, &person)?;
            transaction.commit()?;
            Ok(Some((person, may)))
        });
        let found = unblocked(found.await?, |(person, _)| person)?;
        found.ok_or_else(|| ApiError::new(ErrorCode::SignInNeeded))
    }

    /// What somebody may who is not signed in; none where guests may nothing.
    pub async fn may_of_guest(&self) -> Result<Option<May>, ApiError> {
        Ok(self.db.call(|connection| policy::may_of_guest(connection)).await?)
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

    /// A password as it is kept.
    ///
    /// # Errors
    /// `password_weak`
    pub async fn hash_new(&self, password: String, about: &[&str]) -> Result<String, ApiError> {
        password::check_new(&password, about)?;
        self.hashing.hash(password).await
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
        let (id, lasts_s) = (Uuid::now_v7().to_string(), self.session_s);
        let external = self.sealed(&id, external).await;
        self.db
            .call(move |connection| {
                session::insert(connection, &id, person, hash, &agent, lasts_s, &external)
            })
            .await?;
        Ok(secret)
    }

    /// With a token that only the house's key opens. Without one somebody is signed in nevertheless, and
    /// signs out here alone.
    async fn sealed(&self, session: &str, external: External) -> External {
        let Some(token) = &external.id_token else { return external };
        let place = Place { column: ID_TOKEN, row: session };
        let sealed = self.vault.keys().await.and_then(|keys| keys.seal(place, token.as_bytes()));
        let id_token = sealed
            .inspect_err(|error| tracing::warn!(%error, "the token of a sign-in is not kept"))
            .ok();
        External { id_token, ..external }
    }

    /// The token that ends a session at the sign-in service too.
    pub(super) async fn id_token(&self, session: &str) -> Option<String> {
        let id = session.to_owned();
        let kept =
            self.db.call(move |connection| session::id_token(connection, &id)).await.ok()??;
        let place = Place { column: ID_TOKEN, row: session };
        let opened = self.vault.keys().await.ok()?.open(place, kept.as_bytes());
        let opened = opened
            .inspect_err(|reason| tracing::warn!(%reason, "a sign-in's token cannot be opened"));
        String::from_utf8(opened.ok()?).ok()
    }

    /// The secret of the link that makes the first administrator; none once there is somebody. The one
    /// of an earlier start holds no more.
    pub async fn first_link(&self) -> Result<Option<String>, ApiError> {
        if self.has_any().await? {
            return Ok(None);
        }
        self.db
            .call(|connection| connection.execute("DELETE FROM links WHERE kind = 'admin'", []))
            .await?;
        let (_, secret) = self.make_link(admin_link("serve", FIRST_LINK_S)).await?;
        Ok(Some(secret))
    }

    /// Writes what waits, at the end.
    pub fn close(&self) -> Result<(), DbError> {
        self.audit.write(&self.db)
    }

    /// Writes the audit log and deletes what is past its time, for ever.
    pub async fn keep_writing(&self) {
        let mut cleaned = None::<std::time::Instant>;
        loop {
            tokio::time::sleep(WRITE_EVERY).await;
            if let Err(error) = tokio::task::block_in_place(|| self.audit.write(&self.db)) {
                tracing::error!(%error, "the audit log could not be written and is kept in memory");
            }
            if cleaned.is_none_or(|at| at.elapsed() > CLEAN_EVERY) && self.db.exists() {
                cleaned = Some(std::time::Instant::now());
                if let Err(error) = self.clean().await {
                    tracing::error!(%error, "what is past its time could not be deleted");
                }
            }
        }
    }

    /// Deletes sessions and links whose time is over, and old lines of the audit log.
    pub async fn clean(&self) -> Result<(), DbError> {
        self.db
            .call(|connection| {
                let now_s = crate::keys::now_s() as i64;
                connection.execute("DELETE FROM sessions WHERE expires_s <= ?1", [now_s])?;
                connection.execute("DELETE FROM links WHERE expires_s <= ?1", [now_s])?;
                let days = policy::house(connection)?.audit_days;
                crate::usage::forget_older(connection, days)?;
                audit::forget_older(connection, days).map(|_| ())
            })
            .await
    }
}

/// A link that makes an administrator.
pub fn admin_link(made_by: &str, lasts_s: u64) -> NewLink {
    NewLink {
        kind: LinkKind::Admin,
        person: None,
        role: Role::Admin,
        groups: Vec::new(),
        note: String::new(),
        made_by: made_by.to_owned(),
        lasts_s,
    }
}

fn unblocked<T>(found: Option<T>, person: impl Fn(&T) -> &Person) -> Result<Option<T>, ApiError> {
    match found {
        Some(found) if person(&found).blocked_s.is_some() => {
            Err(ApiError::new(ErrorCode::PersonBlocked))
        }
        found => Ok(found),
    }
}
