//! Who is signed in where?
//!
//! A session is a cookie of 256 random bits, of which the database has the SHA-256. It ends at its
//! time, by its person, by a new password, or with a block; each request reads its row, so that all of
//! these hold at once.

use axum::http::{HeaderMap, HeaderValue, header};
use serde::Serialize;

use super::secret::{SecretHash, hash_of_secret};
use super::{Person, PersonId, store};
use crate::db::sql::{self, Connection, OptionalExtension as _};
use crate::keys::now_s;

const COOKIE: &str = "portico_session";
/// Bound to this host and to HTTPS by the browser itself.
const HOST_COOKIE: &str = "__Host-portico_session";
/// How exactly it is known when a session was last used.
const SEEN_EVERY_S: u64 = 300;
const AGENT_CHARS_MAX: usize = 200;

/// A session as its person sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Session {
    pub id: String,
    pub created_s: u64,
    pub seen_s: u64,
    pub expires_s: u64,
    /// As the browser calls itself.
    pub agent: String,
    /// The one that asks.
    pub is_this: bool,
}

/// What a sign-in service knows of it.
#[derive(Clone, Debug, Default)]
pub struct External {
    pub sid: Option<String>,
    pub id_token: Option<String>,
}

/// The secret in a request's cookie, hashed. Where browsers come by HTTPS the bound one alone counts:
/// another host of the same domain could set the plain one, and so sign somebody in as another.
pub fn cookie_for(headers: &HeaderMap, is_https: bool) -> Option<SecretHash> {
    let is_bound = |text: &str| text.split(';').any(|pair| pair.trim().starts_with(HOST_COOKIE));
    let mut cookies = headers.get_all(header::COOKIE).iter();
    let has_bound = cookies.any(|value| value.to_str().is_ok_and(is_bound));
    if is_https && !has_bound { None } else { cookie_of(headers) }
}

/// The secret in a request's cookie, hashed, of either kind.
pub fn cookie_of(headers: &HeaderMap) -> Option<SecretHash> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.split_once('='));
    let mut plain = None;
    for (name, value) in pairs {
        match name.trim() {
            // Other names of the same domain cannot set this one.
            HOST_COOKIE => return hash_of_secret(value.trim()),
            COOKIE => plain = plain.or_else(|| hash_of_secret(value.trim())),
            _ => {}
        }
    }
    plain
}

/// `Set-Cookie` of a new session; an empty secret takes it away.
pub fn set_cookie(secret: &str, is_https: bool, max_age_s: u64) -> Option<HeaderValue> {
    let (name, secure) = if is_https { (HOST_COOKIE, "; Secure") } else { (COOKIE, "") };
    let text =
        format!("{name}={secret}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}");
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Begins one.
pub fn insert(
    connection: &Connection,
    id: &str,
    person: PersonId,
    hash: SecretHash,
    agent: &str,
    lasts_s: u64,
    external: &External,
) -> sql::Result<()> {
    let agent: String = agent.chars().take(AGENT_CHARS_MAX).collect();
    let now_s = now_s();
    let sql =
        "INSERT INTO sessions (hash, id, person, created_s, seen_s, expires_s, agent, oidc_sid,
            id_token) VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8)";
    connection.execute(
        sql,
        (
            hash,
            id,
            person,
            now_s as i64,
            now_s.saturating_add(lasts_s) as i64,
            agent,
            &external.sid,
            &external.id_token,
        ),
    )?;
    Ok(())
}

/// Whose session this is, and its id; also of somebody who is blocked.
pub fn find(connection: &Connection, hash: &SecretHash) -> sql::Result<Option<(Person, String)>> {
    let now_s = now_s();
    let sql = "SELECT id, person, seen_s FROM sessions WHERE hash = ?1 AND expires_s > ?2";
    let mut select = connection.prepare_cached(sql)?;
    let found = select.query_row((hash, now_s as i64), |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, PersonId>(1)?, row.get::<_, i64>(2)?))
    });
    let Some((id, person, seen_s)) = found.optional()? else { return Ok(None) };
    if now_s.saturating_sub(seen_s.max(0) as u64) >= SEEN_EVERY_S {
        let sql = "UPDATE sessions SET seen_s = ?2 WHERE hash = ?1";
        connection.execute(sql, (hash, now_s as i64))?;
    }
    Ok(store::find(connection, person)?.map(|person| (person, id)))
}

pub fn list(
    connection: &Connection,
    person: PersonId,
    this: Option<&str>,
) -> sql::Result<Vec<Session>> {
    let sql = "SELECT id, created_s, seen_s, expires_s, agent FROM sessions
        WHERE person = ?1 AND expires_s > ?2 ORDER BY seen_s DESC, id";
    let mut select = connection.prepare_cached(sql)?;
    let sessions = select.query_map((person, now_s() as i64), |row| {
        let id: String = row.get(0)?;
        Ok(Session {
            is_this: this == Some(id.as_str()),
            id,
            created_s: row.get::<_, i64>(1)?.max(0) as u64,
            seen_s: row.get::<_, i64>(2)?.max(0) as u64,
            expires_s: row.get::<_, i64>(3)?.max(0) as u64,
            agent: row.get(4)?,
        })
    })?;
    sessions.collect()
}

/// The token that ends a session at the sign-in service too, as it is kept.
pub fn id_token(connection: &Connection, id: &str) -> sql::Result<Option<String>> {
    let sql = "SELECT id_token FROM sessions WHERE id = ?1";
    Ok(connection.query_row(sql, [id], |row| row.get(0)).optional()?.flatten())
}

/// Ends one of a person's; false when it is not there.
pub fn end(connection: &Connection, person: PersonId, id: &str) -> sql::Result<bool> {
    let sql = "DELETE FROM sessions WHERE person = ?1 AND id = ?2";
    Ok(connection.execute(sql, (person, id))? > 0)
}

/// Ends all of a person's but one.
pub fn end_others(
    connection: &Connection,
    person: PersonId,
    this: Option<&str>,
) -> sql::Result<usize> {
    let sql = "DELETE FROM sessions WHERE person = ?1 AND id IS DISTINCT FROM ?2";
    connection.execute(sql, (person, this))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::secret::new_secret;

    fn headers(cookies: &[&str]) -> HeaderMap {
        let header = |cookie: &&str| (header::COOKIE, cookie.parse().unwrap());
        cookies.iter().map(header).collect()
    }

    #[test]
    fn a_cookie_is_found_among_others_and_the_bound_one_wins() {
        let (one, other) = (new_secret().unwrap(), new_secret().unwrap());
        let hash = |text: &str| hash_of_secret(text);
        assert_eq!(cookie_of(&headers(&[])), None);
        let plain = format!("a=b; portico_session={one}; c=d");
        assert_eq!(cookie_of(&headers(&[&plain])), hash(&one));
        let bound = format!("__Host-portico_session={other}");
        assert_eq!(cookie_of(&headers(&[&plain, &bound])), hash(&other));
        assert_eq!(cookie_of(&headers(&["portico_session=short"])), None);
        assert_eq!(cookie_for(&headers(&[&plain]), true), None);
        assert_eq!(cookie_for(&headers(&[&plain]), false), hash(&one));
        assert_eq!(cookie_for(&headers(&[&plain, &bound]), true), hash(&other));
        // A broken one that is bound is not replaced by one that any subdomain may set.
        assert_eq!(cookie_of(&headers(&["__Host-portico_session=x", &plain])), None);
    }

    #[test]
    fn a_cookie_is_kept_from_scripts_and_other_sites() {
        let text = |is_https| set_cookie("s", is_https, 60).unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            text(true),
            "__Host-portico_session=s; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(text(false), "portico_session=s; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
    }
}
