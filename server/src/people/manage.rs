//! What do administrators decide about people and groups?

use std::sync::Arc;

use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};

use super::audit::{self, AuditQuery, Entry};
use super::links::{self, Link};
use super::policy::{self, House, May, Rules};
use super::{EVERYONE, People, Person, PersonId, Role, is_group_name, session, store};
use crate::db::sql::OptionalExtension as _;
use crate::keys::now_s;

/// Most groups of one person.
const GROUPS_MAX: usize = 200;
/// Tables whose `group_name` goes with the group. An announcement to nobody else is then shown to nobody.
const NAMED_BY_GROUP: [&str; 4] =
    ["collection_rights", "announcement_groups", "prompts", "share_groups"];

/// What is to be otherwise with somebody.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PersonChange {
    pub display_name: Option<String>,
    /// Empty: none.
    pub email: Option<String>,
    pub role: Option<Role>,
    /// These, beside those that a sign-in service gave.
    pub groups: Option<Vec<String>>,
    pub blocked: Option<bool>,
}

/// A group, and how many are in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    pub name: String,
    pub created_s: u64,
    pub n_people: u64,
    pub policy: Rules,
}

/// # Errors
/// `invalid_request`
pub fn check_groups(groups: &[String]) -> Result<(), ApiError> {
    let is_good = |group: &String| is_group_name(group) && group != EVERYONE;
    match groups.len() <= GROUPS_MAX && groups.iter().all(is_good) {
        true => Ok(()),
        false => Err(store::invalid(
            "groups",
            "a group's name has 1 to 64 characters, and `everyone` is nobody's alone",
        )),
    }
}

fn not_found() -> ApiError {
    ApiError::new(ErrorCode::PersonNotFound)
}

fn group_not_found(name: &str) -> ApiError {
    ApiError::new(ErrorCode::GroupNotFound).with("group", name)
}

impl People {
    pub async fn list(&self) -> Result<Vec<Person>, ApiError> {
        Ok(self.db.call(|connection| store::list(connection)).await?)
    }

    /// # Errors
    /// `person_not_found`
    pub async fn one(&self, id: PersonId) -> Result<Person, ApiError> {
        let found = self.db.call(move |connection| store::find(connection, id)).await?;
        found.ok_or_else(not_found)
    }

    /// Somebody, and what they may.
    ///
    /// # Errors
    /// `person_not_found`
    pub async fn one_with_rules(&self, id: PersonId) -> Result<(Person, May), ApiError> {
        let found = self.db.call(move |connection| {
            let Some(person) = store::find(connection, id)? else { return Ok(None) };
            let may = policy::may(connection, &person)?;
            Ok(Some((person, may)))
        });
        found.await?.ok_or_else(not_found)
    }

    /// # Errors
    /// `person_not_found`
    pub async fn named(&self, name: &str) -> Result<Person, ApiError> {
        let name = name.trim().to_lowercase();
        let found = self.db.call(move |connection| store::find_by_name(connection, &name)).await?;
        found.ok_or_else(not_found)
    }

    /// # Errors
    /// `person_not_found`, `last_admin`, `invalid_request`.
    pub async fn change(
        &self,
        id: PersonId,
        change: PersonChange,
        who: &str,
    ) -> Result<Person, ApiError> {
        let display_name = change.display_name.as_deref().map(store::display_name).transpose()?;
        let email = change.email.as_deref().map(store::email).transpose()?;
        if let Some(groups) = &change.groups {
            check_groups(groups)?;
        }
        let PersonChange { role, groups, blocked, .. } = change.clone();
        let changed = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let Some(person) = store::find(&transaction, id)? else { return Ok(Err(not_found())) };
            let is_admin_no_more =
                role.is_some_and(|role| role != Role::Admin) || blocked == Some(true);
            if person.role == Role::Admin
                && is_admin_no_more
                && !store::has_other_admin(&transaction, id)?
            {
                return Ok(Err(ApiError::new(ErrorCode::LastAdmin)));
            }
            if let Some(name) = &display_name {
                transaction
                    .execute("UPDATE people SET display_name = ?2 WHERE id = ?1", (id, name))?;
            }
            if let Some(email) = &email {
                transaction.execute("UPDATE people SET email = ?2 WHERE id = ?1", (id, email))?;
            }
            if let Some(role) = role {
                transaction.execute("UPDATE people SET role = ?2 WHERE id = ?1", (id, role))?;
            }
            if let Some(groups) = &groups {
                store::set_groups(&transaction, id, groups, "house")?;
            }
            if let Some(blocked) = blocked {
                let since = blocked.then(|| now_s() as i64);
                let sql = "UPDATE people SET blocked_s = ?2 WHERE id = ?1";
                transaction.execute(sql, (id, since))?;
                if blocked {
                    session::end_others(&transaction, id, None)?;
                    links::remove_of(&transaction, id)?;
                }
            }
            let person = store::find(&transaction, id)?;
            transaction.commit()?;
            Ok(person.ok_or_else(not_found))
        });
        let person = changed.await??;
        for (is_said, action) in [
            (change.role.is_some(), format!("role_{}", person.role)),
            (change.groups.is_some(), "groups_changed".to_owned()),
            (change.blocked == Some(true), "blocked".to_owned()),
            (change.blocked == Some(false), "unblocked".to_owned()),
            (change.display_name.is_some() || change.email.is_some(), "renamed".to_owned()),
        ] {
            if is_said {
                self.audit.note(Entry::act(who, &action, &id.to_string()));
            }
        }
        Ok(person)
    }

    pub async fn sessions(
        &self,
        person: PersonId,
        this: Option<String>,
    ) -> Result<Vec<session::Session>, ApiError> {
        let sessions =
            self.db.call(move |connection| session::list(connection, person, this.as_deref()));
        Ok(sessions.await?)
    }

    /// # Errors
    /// `session_not_found`
    pub async fn end_session(&self, person: PersonId, id: String) -> Result<(), ApiError> {
        match self.db.call(move |connection| session::end(connection, person, &id)).await? {
            true => Ok(()),
            false => Err(ApiError::new(ErrorCode::SessionNotFound)),
        }
    }

    /// How many ended.
    pub async fn end_other_sessions(
        &self,
        person: PersonId,
        this: Option<String>,
    ) -> Result<usize, ApiError> {
        let ended = self
            .db
            .call(move |connection| session::end_others(connection, person, this.as_deref()));
        Ok(ended.await?)
    }

    pub async fn links(&self) -> Result<Vec<Link>, ApiError> {
        Ok(self.db.call(|connection| links::list(connection)).await?)
    }

    /// # Errors
    /// `link_invalid`
    pub async fn remove_link(&self, id: String) -> Result<(), ApiError> {
        match self.db.call(move |connection| links::remove(connection, &id)).await? {
            true => Ok(()),
            false => Err(links::gone()),
        }
    }

    pub async fn groups(&self) -> Result<Vec<Group>, ApiError> {
        let groups = self.db.call(|connection| {
            let sql = "SELECT name, created_s, policy,
                    (SELECT count(*) FROM memberships WHERE group_name = name)
                FROM groups ORDER BY name";
            let mut select = connection.prepare_cached(sql)?;
            let groups = select.query_map([], |row| {
                Ok(Group {
                    name: row.get(0)?,
                    created_s: row.get::<_, i64>(1)?.max(0) as u64,
                    policy: serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default(),
                    n_people: row.get::<_, i64>(3)?.max(0) as u64,
                })
            })?;
            groups.collect::<Result<Vec<_>, _>>()
        });
        Ok(groups.await?)
    }

    /// # Errors
    /// `group_exists`, `invalid_request`.
    pub async fn add_group(&self, name: String, rules: Rules, who: &str) -> Result<(), ApiError> {
        check_groups(std::slice::from_ref(&name))?;
        rules.check()?;
        let of_name = name.clone();
        let n = self.db.call(move |connection| {
            let sql = "INSERT INTO groups (name, created_s, policy) VALUES (?1, ?2, ?3)
                ON CONFLICT DO NOTHING";
            let rules = serde_json::json!(rules).to_string();
            connection.execute(sql, (&of_name, now_s() as i64, rules))
        });
        if n.await? == 0 {
            return Err(ApiError::new(ErrorCode::GroupExists).with("group", name));
        }
        self.audit.note(Entry::act(who, "group_added", &name));
        Ok(())
    }

    /// Another name, other rules; the rights that collections give the group go with its name.
    ///
    /// # Errors
    /// `group_not_found`, `group_exists`, `invalid_request`.
    pub async fn change_group(
        &self,
        name: String,
        new_name: Option<String>,
        rules: Option<Rules>,
        who: &str,
    ) -> Result<(), ApiError> {
        if let Some(new_name) = &new_name {
            check_groups(std::slice::from_ref(new_name))?;
        }
        if let Some(rules) = &rules {
            rules.check()?;
        }
        let of_name = name.clone();
        let changed = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let sql = "SELECT 1 FROM groups WHERE name = ?1";
            let is_there = |name: &str| transaction.query_row(sql, [name], |_| Ok(())).optional();
            if is_there(&of_name)?.is_none() {
                return Ok(Err(group_not_found(&of_name)));
            }
            if let Some(rules) = &rules {
                let sql = "UPDATE groups SET policy = ?2 WHERE name = ?1";
                transaction.execute(sql, (&of_name, serde_json::json!(rules).to_string()))?;
            }
            if let Some(new_name) = new_name.filter(|new_name| *new_name != of_name) {
                if is_there(&new_name)?.is_some() {
                    let error = ApiError::new(ErrorCode::GroupExists).with("group", new_name);
                    return Ok(Err(error));
                }
                let sql = "UPDATE groups SET name = ?2 WHERE name = ?1";
                transaction.execute(sql, (&of_name, &new_name))?;
                // Rights of a group that was called so and is gone.
                let sql = "DELETE FROM collection_rights WHERE group_name = ?2 AND collection IN
                    (SELECT collection FROM collection_rights WHERE group_name = ?1)";
                transaction.execute(sql, (&of_name, &new_name))?;
                let sql =
                    "DELETE FROM announcement_groups WHERE group_name = ?2 AND announcement IN
                    (SELECT announcement FROM announcement_groups WHERE group_name = ?1)";
                transaction.execute(sql, (&of_name, &new_name))?;
                for table in NAMED_BY_GROUP {
                    let sql = format!("UPDATE {table} SET group_name = ?2 WHERE group_name = ?1");
                    transaction.execute(&sql, (&of_name, &new_name))?;
                }
            }
            transaction.commit()?;
            Ok(Ok(()))
        });
        changed.await??;
        self.audit.note(Entry::act(who, "group_changed", &name));
        Ok(())
    }

    /// Takes it away, with the rights that it gave.
    ///
    /// # Errors
    /// `group_not_found`
    pub async fn remove_group(&self, name: String, who: &str) -> Result<(), ApiError> {
        let of_name = name.clone();
        let n = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let n = transaction.execute("DELETE FROM groups WHERE name = ?1", [&of_name])?;
            if n > 0 {
                for table in NAMED_BY_GROUP {
                    let sql = format!("DELETE FROM {table} WHERE group_name = ?1");
                    transaction.execute(&sql, [&of_name])?;
                }
            }
            transaction.commit()?;
            Ok(n)
        });
        if n.await? == 0 {
            return Err(group_not_found(&name));
        }
        self.audit.note(Entry::act(who, "group_removed", &name));
        Ok(())
    }

    pub async fn house(&self) -> Result<House, ApiError> {
        if !self.db.exists() {
            return Ok(House::default());
        }
        Ok(self.db.call(|connection| policy::house(connection)).await?)
    }

    /// # Errors
    /// `invalid_request`
    pub async fn set_house(&self, house: House, who: &str) -> Result<(), ApiError> {
        house.rules.check()?;
        self.db.call(move |connection| policy::set_house(connection, &house)).await?;
        self.audit.note(Entry::act(who, "policy_changed", ""));
        Ok(())
    }

    /// Lines of the audit log, the newest first, with what was not written yet.
    pub async fn audit_lines(&self, query: AuditQuery) -> Result<Vec<Entry>, ApiError> {
        let (log, db) = (Arc::clone(&self.audit), self.db.clone());
        let written = tokio::task::spawn_blocking(move || log.write(&db)).await;
        written.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))??;
        Ok(self.db.call(move |connection| audit::list(connection, &query)).await?)
    }
}
