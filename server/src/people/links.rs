//! Which links can still be opened: an invitation, a new password, the first admin?
//!
//! A link carries 256 random bits behind the address's `#`, which no browser sends and no log holds; the
//! database has their SHA-256. Opening it takes it away, in the transaction that does what it is for.

use portico_shared::error::{ApiError, ErrorCode};
use serde::Serialize;
use uuid::Uuid;

use super::secret::{SecretHash, hash_of_secret, new_secret};
use super::{PersonId, Role};
use crate::db::sql::{self, Connection, OptionalExtension as _, Row};
use crate::keys::now_s;

/// What a link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkKind {
    /// Makes an account.
    Invite,
    /// Sets a new password.
    Reset,
    /// Makes an administrator: the first, or whoever sits at the server's machine.
    Admin,
}

impl LinkKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::Reset => "reset",
            Self::Admin => "admin",
        }
    }
}

/// A link as it is kept: its secret is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    pub id: String,
    pub kind: LinkKind,
    pub person: Option<PersonId>,
    pub role: Role,
    pub groups: Vec<String>,
    pub note: String,
    pub created_s: u64,
    pub expires_s: u64,
}

/// A link that is wanted.
#[derive(Clone, Debug)]
pub struct NewLink {
    pub kind: LinkKind,
    pub person: Option<PersonId>,
    pub role: Role,
    pub groups: Vec<String>,
    pub note: String,
    pub made_by: String,
    pub lasts_s: u64,
}

/// Keeps it; its secret is in the answer and nowhere else.
pub fn insert(connection: &Connection, new: &NewLink) -> sql::Result<(Link, String)> {
    let broken = |error: String| sql::Error::ToSqlConversionFailure(error.into());
    let secret = new_secret().map_err(|error| broken(error.to_string()))?;
    let hash = hash_of_secret(&secret).ok_or_else(|| broken("no secret".to_owned()))?;
    let now_s = now_s();
    let link = Link {
        id: Uuid::now_v7().to_string(),
        kind: new.kind,
        person: new.person,
        role: new.role,
        groups: new.groups.clone(),
        note: new.note.clone(),
        created_s: now_s,
        expires_s: now_s.saturating_add(new.lasts_s),
    };
    let sql = "INSERT INTO links (hash, id, kind, person, role, groups, note, made_by, created_s,
            expires_s) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    connection.execute(
        sql,
        (
            hash,
            &link.id,
            link.kind.as_str(),
            link.person,
            link.role,
            serde_json::json!(link.groups).to_string(),
            &link.note,
            &new.made_by,
            link.created_s as i64,
            link.expires_s as i64,
        ),
    )?;
    Ok((link, secret))
}

const SELECT: &str = "SELECT id, kind, person, role, groups, note, created_s, expires_s FROM links";

fn link_from_row(row: &Row<'_>) -> sql::Result<Link> {
    let kind: String = row.get("kind")?;
    let groups: String = row.get("groups")?;
    Ok(Link {
        id: row.get("id")?,
        kind: match kind.as_str() {
            "admin" => LinkKind::Admin,
            "reset" => LinkKind::Reset,
            _ => LinkKind::Invite,
        },
        person: row.get("person")?,
        role: row.get("role")?,
        groups: serde_json::from_str(&groups).unwrap_or_default(),
        note: row.get("note")?,
        created_s: row.get::<_, i64>("created_s")?.max(0) as u64,
        expires_s: row.get::<_, i64>("expires_s")?.max(0) as u64,
    })
}

/// Those that can still be opened.
pub fn list(connection: &Connection) -> sql::Result<Vec<Link>> {
    let sql = format!("{SELECT} WHERE expires_s > ?1 ORDER BY created_s DESC, id DESC");
    let mut select = connection.prepare_cached(&sql)?;
    select.query_map([now_s() as i64], link_from_row)?.collect()
}

pub fn find(connection: &Connection, hash: &SecretHash) -> sql::Result<Option<Link>> {
    let sql = format!("{SELECT} WHERE hash = ?1 AND expires_s > ?2");
    let mut select = connection.prepare_cached(&sql)?;
    select.query_row((hash, now_s() as i64), link_from_row).optional()
}

/// Takes it away; false when another was faster.
pub fn take(connection: &Connection, hash: &SecretHash) -> sql::Result<bool> {
    Ok(connection.execute("DELETE FROM links WHERE hash = ?1", [hash])? == 1)
}

pub fn remove(connection: &Connection, id: &str) -> sql::Result<bool> {
    Ok(connection.execute("DELETE FROM links WHERE id = ?1", [id])? == 1)
}

/// Those of a person, when a new one replaces them or one was opened.
pub fn remove_of(connection: &Connection, person: PersonId) -> sql::Result<usize> {
    connection.execute("DELETE FROM links WHERE person = ?1", [person])
}

pub fn gone() -> ApiError {
    ApiError::new(ErrorCode::LinkInvalid)
}
