//! Which people are there?

use portico_shared::error::{ApiError, ErrorCode};
use serde::Serialize;

use super::{PersonId, Role};
use crate::db::sql::{self, Connection, OptionalExtension as _, Row};
use crate::keys::now_s;

const NAME_CHARS_MAX: usize = 100;
const EMAIL_CHARS_MAX: usize = 254;

/// A person as others see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    pub id: PersonId,
    /// By which somebody signs in.
    pub name: String,
    pub display_name: String,
    pub email: Option<String>,
    pub role: Role,
    pub created_s: u64,
    pub blocked_s: Option<u64>,
    pub has_password: bool,
    pub has_totp: bool,
    /// Whether a sign-in service vouches for them.
    pub is_external: bool,
    /// Without the group of everyone.
    pub groups: Vec<String>,
}

/// Somebody who is to be.
#[derive(Clone, Debug)]
pub struct NewPerson {
    pub name: String,
    /// Empty: the name.
    pub display_name: String,
    pub email: Option<String>,
    pub role: Role,
    /// Hashed.
    pub password: Option<String>,
    pub groups: Vec<String>,
}

/// A sign-in name as it is kept: `Anna@Example.org ` → `anna@example.org`.
///
/// # Errors
/// `invalid_request`
pub fn sign_in_name(text: &str) -> Result<String, ApiError> {
    let name = text.trim().to_lowercase();
    let is_short = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
    match is_short && !name.chars().any(|c| c.is_control() || c.is_whitespace()) {
        true => Ok(name),
        false => Err(invalid("name", "a sign-in name has 1 to 100 characters and no blanks")),
    }
}

/// # Errors
/// `invalid_request`
pub fn display_name(text: &str) -> Result<String, ApiError> {
    let name = text.trim();
    let is_short = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
    match is_short && !name.chars().any(char::is_control) {
        true => Ok(name.to_owned()),
        false => Err(invalid("display_name", "a name has 1 to 100 characters")),
    }
}

/// # Errors
/// `invalid_request`
pub fn email(text: &str) -> Result<Option<String>, ApiError> {
    let email = text.trim();
    if email.is_empty() {
        return Ok(None);
    }
    let is_short = email.chars().count() <= EMAIL_CHARS_MAX;
    let is_email = email.contains('@') && !email.chars().any(|c| c.is_control() || c == ' ');
    match is_short && is_email {
        true => Ok(Some(email.to_owned())),
        false => Err(invalid("email", "this is no e-mail address")),
    }
}

pub fn invalid(param: &str, reason: &str) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest).with("reason", reason).with("param", param)
}

const SELECT: &str = "SELECT id, name, display_name, email, role, created_s, blocked_s,
    password IS NOT NULL AS has_password, totp_since_s IS NOT NULL AS has_totp,
    issuer IS NOT NULL AS is_external,
    (SELECT json_group_array(group_name) FROM
        (SELECT group_name FROM memberships WHERE person = people.id ORDER BY group_name) theirs) AS groups
    FROM people";

fn person_from_row(row: &Row<'_>) -> sql::Result<Person> {
    let groups: String = row.get("groups")?;
    Ok(Person {
        id: row.get("id")?,
        name: row.get("name")?,
        display_name: row.get("display_name")?,
        email: row.get("email")?,
        role: row.get("role")?,
        created_s: row.get::<_, i64>("created_s")?.max(0) as u64,
        blocked_s: row.get::<_, Option<i64>>("blocked_s")?.map(|s| s.max(0) as u64),
        has_password: row.get("has_password")?,
        has_totp: row.get("has_totp")?,
        is_external: row.get("is_external")?,
        groups: serde_json::from_str(&groups).unwrap_or_default(),
    })
}

pub fn any(connection: &Connection) -> sql::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM people)", [], |row| row.get(0))
}

pub fn list(connection: &Connection) -> sql::Result<Vec<Person>> {
    let mut select = connection.prepare_cached(&format!("{SELECT} ORDER BY name"))?;
    select.query_map([], person_from_row)?.collect()
}

pub fn find(connection: &Connection, id: PersonId) -> sql::Result<Option<Person>> {
    let mut select = connection.prepare_cached(&format!("{SELECT} WHERE id = ?1"))?;
    select.query_row([id], person_from_row).optional()
}

pub fn find_by_name(connection: &Connection, name: &str) -> sql::Result<Option<Person>> {
    let mut select = connection.prepare_cached(&format!("{SELECT} WHERE name = ?1"))?;
    select.query_row([name], person_from_row).optional()
}

/// None when the name is taken. The names were checked; groups that are not there are made.
pub fn insert(connection: &Connection, new: &NewPerson) -> sql::Result<Option<PersonId>> {
    let id = PersonId::new();
    let sql = "INSERT INTO people (id, name, display_name, email, role, password, created_s)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
    let display_name = if new.display_name.is_empty() { &new.name } else { &new.display_name };
    let values = (id, &new.name, display_name, &new.email, new.role, &new.password, now_s() as i64);
    if connection.execute(sql, values)? == 0 {
        return Ok(None);
    }
    set_groups(connection, id, &new.groups, "house")?;
    Ok(Some(id))
}

/// These groups and no others of this source.
pub fn set_groups(
    connection: &Connection,
    person: PersonId,
    groups: &[String],
    source: &str,
) -> sql::Result<()> {
    let sql = "DELETE FROM memberships WHERE person = ?1 AND source = ?2";
    connection.execute(sql, (person, source))?;
    for group in groups {
        let sql = "INSERT INTO groups (name, created_s) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        connection.execute(sql, (group, now_s() as i64))?;
        let sql = "INSERT INTO memberships (person, group_name, source) VALUES (?1, ?2, ?3)
            ON CONFLICT DO NOTHING";
        connection.execute(sql, (person, group, source))?;
    }
    Ok(())
}

/// Whether somebody else could still decide about the house.
pub fn has_other_admin(connection: &Connection, person: PersonId) -> sql::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM people
        WHERE role = 'admin' AND blocked_s IS NULL AND id <> ?1)";
    connection.query_row(sql, [person], |row| row.get(0))
}

/// Keeps `name` for who is there already and makes a member of who is not.
pub fn find_or_insert(connection: &Connection, name: &str) -> sql::Result<Option<Person>> {
    if let Some(person) = find_by_name(connection, name)? {
        return Ok(Some(person));
    }
    let new = NewPerson {
        name: name.to_owned(),
        display_name: String::new(),
        email: None,
        role: Role::Member,
        password: None,
        groups: Vec::new(),
    };
    match insert(connection, &new)? {
        Some(id) => find(connection, id),
        None => Ok(None),
    }
}
