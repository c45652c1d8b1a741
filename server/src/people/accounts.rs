//! How does somebody sign in, and change by what?

use std::net::IpAddr;

use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};

use super::audit::Entry;
use super::links::{self, Link, LinkKind, NewLink};
use super::secret::hash_of_secret;
use super::session::External;
use super::store::NewPerson;
use super::{People, Person, PersonId, Role, password, session, store, totp};
use crate::db::sql::{self, Connection, OptionalExtension as _};
use crate::keys::now_s;
use crate::vault::{Place, TOTP};

/// What somebody signs in with.
#[derive(Clone, Deserialize)]
pub struct SignIn {
    pub name: String,
    pub password: String,
    /// Of the authenticator app, or a recovery code.
    pub code: Option<String>,
}

/// Who opens a link, and what for.
#[derive(Clone, Deserialize)]
pub struct OpenLink {
    pub secret: String,
    /// By which to sign in; not for a new password.
    pub name: Option<String>,
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub password: String,
}

/// What an opened link is for, before it is used.
#[derive(Debug, Serialize)]
pub struct LookedAt {
    pub kind: LinkKind,
    /// Of whose password it sets.
    pub name: Option<String>,
    pub role: Role,
    pub groups: Vec<String>,
    pub expires_s: u64,
}

struct Credentials {
    id: PersonId,
    password: Option<String>,
    is_blocked: bool,
    totp_secret: Option<Vec<u8>>,
    has_totp: bool,
    totp_step: u64,
}

fn credentials(connection: &Connection, name: &str) -> sql::Result<Option<Credentials>> {
    let sql = "SELECT id, password, blocked_s, totp_secret, totp_since_s, totp_step FROM people
        WHERE name = ?1";
    let mut select = connection.prepare_cached(sql)?;
    let row = select.query_row([name], |row| {
        Ok(Credentials {
            id: row.get(0)?,
            password: row.get(1)?,
            is_blocked: row.get::<_, Option<i64>>(2)?.is_some(),
            totp_secret: row.get(3)?,
            has_totp: row.get::<_, Option<i64>>(4)?.is_some(),
            totp_step: row.get::<_, i64>(5)?.max(0) as u64,
        })
    });
    row.optional()
}

impl People {
    /// Begins a session for whoever has this password; its secret is for the cookie.
    ///
    /// # Errors
    /// `too_many_attempts`, `sign_in_failed`, `person_blocked`, `code_needed`, `code_wrong`,
    /// `code_unreadable`.
    pub async fn sign_in(
        &self,
        asked: SignIn,
        address: Option<IpAddr>,
        agent: String,
    ) -> Result<(String, PersonId), ApiError> {
        let name = asked.name.trim().to_lowercase();
        self.attempts.count(address, Some(&name))?;
        let person = self.check_sign_in(&name, asked).await;
        let note = |who: &str, outcome: &str| {
            self.audit
                .note(Entry { outcome: outcome.to_owned(), ..Entry::act(who, "sign_in", "") });
        };
        match &person {
            Ok(person) => note(&person.to_string(), "ok"),
            // A name that was typed may be a password: it is not kept.
            Err(error) => note("nobody", error.code.as_str()),
        }
        let person = person?;
        self.attempts.forgive(address, &name);
        Ok((self.begin_session(person, agent, External::default()).await?, person))
    }

    async fn check_sign_in(&self, name: &str, asked: SignIn) -> Result<PersonId, ApiError> {
        let failed = || ApiError::new(ErrorCode::SignInFailed);
        let name = name.to_owned();
        let found = self.db.call(move |connection| credentials(connection, &name)).await?;
        let kept = found.as_ref().and_then(|found| found.password.clone());
        let password =
            if password::can_be(&asked.password) { asked.password } else { String::new() };
        // Hashed also where nobody has the name: it takes as long.
        let is_right = self.hashing.is_right(password, kept).await?;
        let Some(found) = found.filter(|_| is_right) else { return Err(failed()) };
        if found.is_blocked {
            return Err(ApiError::new(ErrorCode::PersonBlocked));
        }
        if found.has_totp {
            let code = asked.code.filter(|code| !code.trim().is_empty());
            let code = code.ok_or_else(|| ApiError::new(ErrorCode::CodeNeeded))?;
            let (id, last) = (found.id, found.totp_step);
            // Recovery codes are hashes: they are good also while the key is away.
            let secret = match found.totp_secret {
                Some(kept) if !totp::is_recovery(&code) => self.totp_secret(id, &kept).await?,
                _ => Vec::new(),
            };
            let used =
                self.db.call(move |connection| use_code(connection, id, &secret, &code, last));
            if !used.await? {
                return Err(ApiError::new(ErrorCode::CodeWrong));
            }
        }
        Ok(found.id)
    }

    /// Whether this is the signed-in person's own password; limited as signing in is.
    ///
    /// # Errors
    /// `too_many_attempts`, `sign_in_failed`.
    pub async fn check_password(
        &self,
        person: &Person,
        password: String,
        address: Option<IpAddr>,
    ) -> Result<(), ApiError> {
        self.attempts.count(address, Some(&person.name))?;
        let name = person.name.clone();
        let found = self.db.call(move |connection| credentials(connection, &name)).await?;
        // Who signs in elsewhere has proved it there.
        if found.as_ref().is_some_and(|found| found.password.is_none()) && person.is_external {
            return Ok(());
        }
        let password = if password::can_be(&password) { password } else { String::new() };
        match self.hashing.is_right(password, found.and_then(|found| found.password)).await? {
            true => {
                self.attempts.forgive(address, &person.name);
                Ok(())
            }
            false => Err(ApiError::new(ErrorCode::SignInFailed)),
        }
    }

    /// A new password; all other sessions end.
    ///
    /// # Errors
    /// `too_many_attempts`, `sign_in_failed`, `password_weak`.
    pub async fn change_password(
        &self,
        person: &Person,
        session: Option<String>,
        old: String,
        new: String,
        address: Option<IpAddr>,
    ) -> Result<(), ApiError> {
        self.check_password(person, old, address).await?;
        password::check_new(&new, &[&person.name, &person.display_name])?;
        let hash = self.hashing.hash(new).await?;
        let id = person.id;
        self.db
            .call(move |connection| {
                let transaction = connection.transaction()?;
                set_password(&transaction, id, &hash)?;
                session::end_others(&transaction, id, session.as_deref())?;
                transaction.commit()
            })
            .await?;
        self.audit.note(Entry::act(&id.to_string(), "password_changed", &id.to_string()));
        Ok(())
    }

    /// What an app's codes are made of.
    ///
    /// # Errors
    /// `code_unreadable`
    async fn totp_secret(&self, person: PersonId, kept: &[u8]) -> Result<Vec<u8>, ApiError> {
        let person = person.to_string();
        let unreadable = |reason: String| {
            tracing::error!(person, reason, "the secret of an authenticator app: portico doctor");
            ApiError::new(ErrorCode::CodeUnreadable)
        };
        let keys = self.vault.keys().await.map_err(|error| unreadable(error.to_string()))?;
        let place = Place { column: TOTP, row: &person };
        keys.open(place, kept).map_err(|reason| unreadable(reason.to_string()))
    }

    /// Begins to set an authenticator app up: its secret in base32, and what a QR code says.
    ///
    /// # Errors
    /// `invalid_request`, `secret_key_unusable`.
    pub async fn begin_totp(
        &self,
        person: &Person,
        house: &str,
    ) -> Result<(String, String), ApiError> {
        let random = |error| ApiError::new(ErrorCode::Internal).detail(error);
        let secret = totp::new_secret().map_err(random)?;
        let id = person.id;
        let place = Place { column: TOTP, row: &id.to_string() };
        let sealed = self.vault.keys().await?.seal(place, &secret)?.into_bytes();
        let sql = "UPDATE people SET totp_secret = ?2, totp_step = 0
            WHERE id = ?1 AND totp_since_s IS NULL";
        let n = self.db.call(move |connection| connection.execute(sql, (id, sealed))).await?;
        if n == 0 {
            return Err(store::invalid("totp", "an authenticator app is set up already"));
        }
        Ok((totp::base32(&secret), totp::uri(&secret, &person.name, house)))
    }

    /// From the first right code on it is wanted at each sign-in; these are the codes for who loses it.
    ///
    /// # Errors
    /// `code_wrong`
    pub async fn finish_totp(
        &self,
        person: &Person,
        code: String,
        address: Option<IpAddr>,
    ) -> Result<Vec<String>, ApiError> {
        self.attempts.count(address, Some(&person.name))?;
        let random = |error| ApiError::new(ErrorCode::Internal).detail(error);
        let codes = totp::new_recovery_codes().map_err(random)?;
        let hashes: Vec<[u8; 32]> = codes.iter().map(|(_, hash)| *hash).collect();
        let id = person.id;
        let keys = self.vault.keys().await?;
        let is_right = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let sql = "SELECT totp_secret, totp_step FROM people
                WHERE id = ?1 AND totp_since_s IS NULL AND totp_secret IS NOT NULL";
            let row = transaction.query_row(sql, [id], |row| {
                Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?.max(0) as u64))
            });
            let Some((kept, last)) = row.optional()? else { return Ok(false) };
            let place = Place { column: TOTP, row: &id.to_string() };
            // One that another key sealed is no app's: it is begun anew.
            let Ok(secret) = keys.open(place, &kept) else { return Ok(false) };
            let Some(step) = totp::step_of(&secret, &code, now_s(), last) else { return Ok(false) };
            let sql = "UPDATE people SET totp_since_s = ?2, totp_step = ?3 WHERE id = ?1";
            transaction.execute(sql, (id, now_s() as i64, step as i64))?;
            transaction.execute("DELETE FROM recovery_codes WHERE person = ?1", [id])?;
            for hash in &hashes {
                let sql = "INSERT INTO recovery_codes (hash, person) VALUES (?1, ?2)";
                transaction.execute(sql, (hash, id))?;
            }
            transaction.commit()?;
            Ok(true)
        });
        if !is_right.await? {
            return Err(ApiError::new(ErrorCode::CodeWrong));
        }
        self.attempts.forgive(address, &person.name);
        self.audit.note(Entry::act(&id.to_string(), "totp_on", &id.to_string()));
        Ok(codes.into_iter().map(|(text, _)| text).collect())
    }

    /// Signs in without an app from now on.
    pub async fn end_totp(&self, person: PersonId, who: &str) -> Result<(), ApiError> {
        self.db
            .call(move |connection| {
                let transaction = connection.transaction()?;
                let sql = "UPDATE people SET totp_secret = NULL, totp_since_s = NULL WHERE id = ?1";
                transaction.execute(sql, [person])?;
                transaction.execute("DELETE FROM recovery_codes WHERE person = ?1", [person])?;
                transaction.commit()
            })
            .await?;
        self.audit.note(Entry::act(who, "totp_off", &person.to_string()));
        Ok(())
    }

    /// Makes a link; its secret is in the answer and nowhere else.
    pub async fn make_link(&self, new: NewLink) -> Result<(Link, String), ApiError> {
        let (who, person) = (new.made_by.clone(), new.person);
        let made = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            if let Some(person) = new.person {
                links::remove_of(&transaction, person)?;
            }
            let made = links::insert(&transaction, &new)?;
            transaction.commit()?;
            Ok(made)
        });
        let made = made.await?;
        let object = person.map_or_else(|| made.0.id.clone(), |person| person.to_string());
        let action = format!("link_{}", made.0.kind.as_str());
        self.audit.note(Entry::act(&who, &action, &object));
        Ok(made)
    }

    /// What a link is for.
    ///
    /// # Errors
    /// `too_many_attempts`, `link_invalid`.
    pub async fn look_at_link(
        &self,
        secret: &str,
        address: Option<IpAddr>,
    ) -> Result<LookedAt, ApiError> {
        self.attempts.count(address, None)?;
        let hash = hash_of_secret(secret).ok_or_else(links::gone)?;
        let found = self.db.call(move |connection| {
            let Some(link) = links::find(connection, &hash)? else { return Ok(None) };
            let person = match link.person {
                Some(person) => store::find(connection, person)?,
                None => None,
            };
            Ok(Some((link, person)))
        });
        let (link, person) = found.await?.ok_or_else(links::gone)?;
        Ok(LookedAt {
            kind: link.kind,
            name: person.map(|person| person.name),
            role: link.role,
            groups: link.groups,
            expires_s: link.expires_s,
        })
    }

    /// Does what the link is for, once. None where a code is wanted to sign in afterwards.
    ///
    /// # Errors
    /// `link_invalid`, `password_weak`, `person_exists`, `person_blocked`, `invalid_request`.
    pub async fn open_link(
        &self,
        open: OpenLink,
        address: Option<IpAddr>,
        agent: String,
    ) -> Result<Option<(String, PersonId)>, ApiError> {
        self.attempts.count(address, None)?;
        let hash = hash_of_secret(&open.secret).ok_or_else(links::gone)?;
        let link = self.db.call(move |connection| links::find(connection, &hash)).await?;
        let link = link.ok_or_else(links::gone)?;
        let person = match link.person {
            Some(person) => self.reset_password(person, hash, open.password).await?,
            None => self.accept(link, hash, open).await?,
        };
        let Some(person) = person else { return Ok(None) };
        let secret = self.begin_session(person, agent, External::default()).await?;
        Ok(Some((secret, person)))
    }

    async fn accept(
        &self,
        link: Link,
        hash: [u8; 32],
        open: OpenLink,
    ) -> Result<Option<PersonId>, ApiError> {
        let name = store::sign_in_name(open.name.as_deref().unwrap_or_default())?;
        let display_name = match open.display_name.as_deref().map(str::trim) {
            None | Some("") => name.clone(),
            Some(text) => store::display_name(text)?,
        };
        let email = store::email(open.email.as_deref().unwrap_or_default())?;
        password::check_new(&open.password, &[&name, &display_name])?;
        let password = self.hashing.hash(open.password).await?;
        let new = NewPerson {
            name: name.clone(),
            display_name,
            email,
            role: link.role,
            password: Some(password),
            groups: link.groups,
        };
        let kind = link.kind;
        let made = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            if !links::take(&transaction, &hash)? {
                return Ok(Err(links::gone()));
            }
            let Some(id) = store::insert(&transaction, &new)? else {
                // Rolled back: the link can be opened again with another name.
                let error = ApiError::new(ErrorCode::PersonExists).with("person", &new.name);
                return Ok(Err(error));
            };
            if kind == LinkKind::Admin {
                // The first one's link is printed by each start of the program until it was opened.
                transaction.execute("DELETE FROM links WHERE kind = 'admin'", [])?;
            }
            transaction.commit()?;
            Ok(Ok(id))
        });
        let id = made.await??;
        self.audit.note(Entry::act(&id.to_string(), "joined", kind.as_str()));
        Ok(Some(id))
    }

    async fn reset_password(
        &self,
        person: PersonId,
        hash: [u8; 32],
        new: String,
    ) -> Result<Option<PersonId>, ApiError> {
        let found = self.db.call(move |connection| store::find(connection, person)).await?;
        let found = found.ok_or_else(links::gone)?;
        if found.blocked_s.is_some() {
            return Err(ApiError::new(ErrorCode::PersonBlocked));
        }
        password::check_new(&new, &[&found.name, &found.display_name])?;
        let password = self.hashing.hash(new).await?;
        let is_taken = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            if !links::take(&transaction, &hash)? {
                return Ok(false);
            }
            set_password(&transaction, person, &password)?;
            session::end_others(&transaction, person, None)?;
            links::remove_of(&transaction, person)?;
            transaction.commit()?;
            Ok(true)
        });
        if !is_taken.await? {
            return Err(links::gone());
        }
        self.audit.note(Entry::act(&person.to_string(), "password_reset", &person.to_string()));
        Ok((!found.has_totp).then_some(person))
    }
}

fn set_password(connection: &Connection, person: PersonId, hash: &str) -> sql::Result<usize> {
    connection.execute("UPDATE people SET password = ?2 WHERE id = ?1", (person, hash))
}

/// Whether a code is right; it is used up by that.
fn use_code(
    connection: &Connection,
    person: PersonId,
    secret: &[u8],
    code: &str,
    last: u64,
) -> sql::Result<bool> {
    if totp::is_recovery(code) {
        let sql = "DELETE FROM recovery_codes WHERE person = ?1 AND hash = ?2";
        return Ok(connection.execute(sql, (person, totp::recovery_hash(code)))? == 1);
    }
    let Some(step) = totp::step_of(secret, code, now_s(), last) else { return Ok(false) };
    // Of two that come at once with the same code, one is too late.
    let sql = "UPDATE people SET totp_step = ?2 WHERE id = ?1 AND totp_step < ?2";
    Ok(connection.execute(sql, (person, step as i64))? == 1)
}
