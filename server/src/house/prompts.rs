//! Which prompts may somebody use, and which may they change?
//!
//! A person's own are theirs alone. Those of a group are read by who is in it; its members write them where
//! the rules let them share with groups, and change what they wrote. Administrators write all of them, and
//! those of the house: the group of everyone.

use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Board, group_not_found, line, long_text, missing_group};
use crate::db::sql::{self, Connection, OptionalExtension as _, Row};
use crate::gateway::Caller;
use crate::keys::now_s;
use crate::people::{EVERYONE, PersonId, Role};

const TITLE_CHARS_MAX: usize = 100;
const DESCRIPTION_CHARS_MAX: usize = 300;
const TEXT_CHARS_MAX: usize = 16_000;
/// Of a person, of a group, of the house.
const PROMPTS_MAX: i64 = 200;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Prompt {
    pub id: String,
    /// Null: the person's own; `everyone`: the house's.
    pub group: Option<String>,
    pub title: String,
    pub description: String,
    /// With `{{variables}}`.
    pub text: String,
    /// Seconds since 1970.
    pub changed_s: i64,
    /// Whether the caller may.
    pub may_change: bool,
}

/// What somebody writes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PromptChange {
    pub title: String,
    pub description: String,
    pub text: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPrompt {
    /// None: their own.
    pub group: Option<String>,
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub text: String,
}

impl PromptChange {
    /// # Errors
    /// `invalid_request`
    fn checked(&self) -> Result<Self, ApiError> {
        Ok(Self {
            title: line(&self.title, "title", TITLE_CHARS_MAX, false)?,
            description: line(&self.description, "description", DESCRIPTION_CHARS_MAX, true)?,
            text: long_text(&self.text, "text", TEXT_CHARS_MAX)?,
        })
    }
}

/// What a query needs to know of a caller.
struct Who {
    person: Option<PersonId>,
    /// JSON list.
    groups: String,
    shares: bool,
    is_admin: bool,
}

impl Who {
    fn of(caller: &Caller) -> Self {
        Self {
            person: caller.person(),
            groups: serde_json::json!(caller.rights.groups).to_string(),
            shares: caller.may.share_with_groups,
            is_admin: caller.role() == Some(Role::Admin),
        }
    }
}

fn prompt(row: &Row<'_>) -> sql::Result<Prompt> {
    Ok(Prompt {
        id: row.get("id")?,
        group: row.get("group_name")?,
        title: row.get("title")?,
        description: row.get("description")?,
        text: row.get("text")?,
        changed_s: row.get("changed_s")?,
        may_change: row.get("may_change")?,
    })
}

/// Which the caller may change. `?1` the person, `?2` their groups as a JSON list, `?3` whether they may
/// share, `?4` whether they administer the house.
const WRITABLE: &str = "(coalesce(person = ?1, FALSE) OR (group_name IS NOT NULL AND (?4
    OR (?3 AND coalesce(author = ?1, FALSE)
        AND group_name IN (SELECT value FROM json_each(?2))))))";

/// Those that the caller may use; `?5` whether every group's are wanted.
fn readable() -> String {
    format!(
        "SELECT id, group_name, title, description, text, changed_s, {WRITABLE} AS may_change
            FROM prompts
        WHERE (coalesce(person = ?1, FALSE) OR group_name IN (SELECT value FROM json_each(?2))
            OR (?5 AND group_name IS NOT NULL))"
    )
}

impl Board {
    /// Those that the caller may use; with `all`, those of every group too, for administrators.
    ///
    /// # Errors
    /// `administrator_needed`
    pub async fn prompts(&self, caller: &Caller, all: bool) -> Result<Vec<Prompt>, ApiError> {
        if all {
            caller.admin()?;
        }
        if !self.db.exists() {
            return Ok(Vec::new());
        }
        let who = Who::of(caller);
        let read = self.db.call(move |connection| {
            let sql = format!("{} ORDER BY title, id", readable());
            let mut select = connection.prepare_cached(&sql)?;
            let values = (who.person, &who.groups, who.shares, who.is_admin, all);
            let rows = select.query_map(values, prompt)?;
            rows.collect::<Result<Vec<_>, _>>()
        });
        Ok(read.await?)
    }

    /// # Errors
    /// `sharing_forbidden`, `invalid_request`, `group_not_found`, `prompts_full`.
    pub async fn add_prompt(&self, caller: &Caller, new: NewPrompt) -> Result<Prompt, ApiError> {
        let NewPrompt { group, title, description, text } = new;
        let person = caller.in_person()?;
        if let Some(group) = &group {
            may_share(caller, group)?;
        }
        let said = PromptChange { title, description, text }.checked()?;
        let added = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let added = add(&transaction, person, group, said)?;
            if added.is_ok() {
                transaction.commit()?;
            }
            Ok(added)
        });
        added.await?
    }

    /// # Errors
    /// `invalid_request`, `prompt_not_found`, `prompt_read_only`.
    pub async fn change_prompt(
        &self,
        caller: &Caller,
        id: String,
        change: PromptChange,
    ) -> Result<Prompt, ApiError> {
        caller.in_person()?;
        let said = change.checked()?;
        let who = Who::of(caller);
        let changed = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let sql = format!(
                "UPDATE prompts SET title = ?6, description = ?7, text = ?8, changed_s = ?9
                    WHERE id = ?5 AND {WRITABLE}"
            );
            let Who { person, groups, shares, is_admin } = &who;
            let PromptChange { title, description, text } = &said;
            let now_s = now_s() as i64;
            let values = (person, groups, shares, is_admin, &id, title, description, text, now_s);
            let n = transaction.execute(&sql, values)?;
            let found = one(&transaction, &who, &id)?;
            transaction.commit()?;
            Ok(match n {
                0 => Err(refused(found)),
                _ => found.ok_or_else(|| ApiError::new(ErrorCode::PromptNotFound)),
            })
        });
        changed.await?
    }

    /// What it was.
    ///
    /// # Errors
    /// `prompt_not_found`, `prompt_read_only`.
    pub async fn remove_prompt(&self, caller: &Caller, id: String) -> Result<Prompt, ApiError> {
        caller.in_person()?;
        let who = Who::of(caller);
        let removed = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let found = one(&transaction, &who, &id)?;
            let sql = format!("DELETE FROM prompts WHERE id = ?5 AND {WRITABLE}");
            let values = (who.person, &who.groups, who.shares, who.is_admin, &id);
            let n = transaction.execute(&sql, values)?;
            transaction.commit()?;
            Ok(match (n, found) {
                (0, found) => Err(refused(found)),
                (_, found) => found.ok_or_else(|| ApiError::new(ErrorCode::PromptNotFound)),
            })
        });
        removed.await?
    }
}

/// Members share with the groups that they are in, administrators with any, and with everyone.
///
/// # Errors
/// `sharing_forbidden`
fn may_share(caller: &Caller, group: &str) -> Result<(), ApiError> {
    let is_theirs = group != EVERYONE && caller.rights.groups.iter().any(|own| own == group);
    match caller.role() == Some(Role::Admin) || caller.may.share_with_groups && is_theirs {
        true => Ok(()),
        false => Err(ApiError::new(ErrorCode::SharingForbidden).with("with", group)),
    }
}

/// Why one was not changed: it cannot even be read, or only that.
fn refused(found: Option<Prompt>) -> ApiError {
    ApiError::new(match found {
        Some(_) => ErrorCode::PromptReadOnly,
        None => ErrorCode::PromptNotFound,
    })
}

fn one(connection: &Connection, who: &Who, id: &str) -> sql::Result<Option<Prompt>> {
    let mut select = connection.prepare_cached(&format!("{} AND id = ?6", readable()))?;
    let Who { person, groups, shares, is_admin } = who;
    // Administrators see every group's.
    let values = (person, groups, shares, is_admin, is_admin, id);
    select.query_row(values, prompt).optional()
}

fn add(
    connection: &Connection,
    person: PersonId,
    group: Option<String>,
    said: PromptChange,
) -> sql::Result<Result<Prompt, ApiError>> {
    if let Some(missing) = missing_group(connection, group.as_slice())? {
        return Ok(Err(group_not_found(&missing)));
    }
    let owner = group.is_none().then_some(person);
    let sql = "SELECT count(*) FROM prompts WHERE person = ?1 OR group_name = ?2";
    let n: i64 = connection.query_row(sql, (owner, &group), |row| row.get(0))?;
    if n >= PROMPTS_MAX {
        let max = PROMPTS_MAX.to_string();
        return Ok(Err(ApiError::new(ErrorCode::PromptsFull).with("max", max)));
    }
    let (id, now_s) = (Uuid::now_v7().to_string(), now_s() as i64);
    let PromptChange { title, description, text } = said;
    let sql = "INSERT INTO prompts
            (id, person, author, group_name, title, description, text, created_s, changed_s)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)";
    let values = (&id, owner, person, &group, &title, &description, &text, now_s);
    connection.execute(sql, values)?;
    Ok(Ok(Prompt { id, group, title, description, text, changed_s: now_s, may_change: true }))
}
