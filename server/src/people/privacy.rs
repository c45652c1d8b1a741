//! What does the house know of a person, and how does it forget?
//!
//! Both are lists of functions: whatever keeps something by person has a line in each, and runs within
//! one transaction.

use portico_shared::error::{ApiError, ErrorCode};
use serde_json::{Map, Value, json};

use super::secret::new_secret;
use super::{People, PersonId, Role, store};
use crate::db::sql::{self, Connection, Row};

type Forget = fn(&Connection, PersonId) -> sql::Result<()>;
type Export = fn(&Connection, PersonId) -> sql::Result<Value>;

/// What is deleted with a person beside what the database deletes by itself (sessions, groups, links,
/// keys).
const FORGET: &[(&str, Forget)] = &[
    ("usage", forget_usage),
    ("audit", pseudonymise_audit),
    ("assistants", crate::assistants::forget),
];

/// What a person gets of themselves.
const EXPORT: &[(&str, Export)] = &[
    ("person", export_person),
    ("chats", crate::sync::export),
    ("groups", |c, p| rows(c, p, "SELECT group_name, source FROM memberships WHERE person = ?1")),
    ("sessions", |c, p| {
        rows(c, p, "SELECT id, created_s, seen_s, expires_s, agent FROM sessions WHERE person = ?1")
    }),
    ("keys", |c, p| {
        rows(
            c,
            p,
            "SELECT id, name, created_s, expires_s, revoked_s, models, scopes, last_used_s
                    FROM api_keys WHERE person = ?1",
        )
    }),
    ("usage", |c, p| {
        rows(
            c,
            p,
            "SELECT who, day, model, place, requests, prompt_tokens, completion_tokens FROM usage
                    WHERE who = ?1 OR who IN (SELECT id FROM api_keys WHERE person = ?1)",
        )
    }),
    ("audit", |c, p| {
        rows(
            c,
            p,
            "SELECT at_s, action, object, model, place, prompt_tokens, completion_tokens, outcome
                    FROM audit WHERE who = ?1 ORDER BY id",
        )
    }),
    ("conversations", crate::sync::export),
    ("attachments", crate::attachments::export),
    ("assistants", crate::assistants::export),
    ("shares", crate::shares::export),
    ("prompts", |c, p| {
        rows(
            c,
            p,
            "SELECT id, group_name, title, description, text, created_s, changed_s FROM prompts
                    WHERE person = ?1 OR author = ?1",
        )
    }),
    ("documents", |c, p| {
        rows(
            c,
            p,
            "SELECT documents.id, collection, name, size_bytes FROM documents
                    JOIN document_people ON document = documents.id WHERE person = ?1",
        )
    }),
];

impl People {
    /// All that is known of somebody, as one JSON object.
    ///
    /// # Errors
    /// `person_not_found`
    pub async fn export(&self, id: PersonId) -> Result<Value, ApiError> {
        self.one(id).await?;
        let (audit, db) = (std::sync::Arc::clone(&self.audit), self.db.clone());
        let written = tokio::task::spawn_blocking(move || audit.write(&db)).await;
        written.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))??;
        let exported = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let mut all = Map::new();
            for (name, export) in EXPORT {
                all.insert((*name).to_owned(), export(&transaction, id)?);
            }
            Ok(Value::Object(all))
        });
        Ok(exported.await?)
    }

    /// Deletes somebody and all that is kept by person. What they did for the house (documents in its
    /// collections) stays; the audit log keeps its lines under a pseudonym that leads nowhere.
    ///
    /// # Errors
    /// `person_not_found`, `last_admin`.
    pub async fn forget(&self, id: PersonId, who: &str) -> Result<(), ApiError> {
        let (audit, db) = (std::sync::Arc::clone(&self.audit), self.db.clone());
        let written = tokio::task::spawn_blocking(move || audit.write(&db)).await;
        written.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))??;
        let forgotten = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let Some(person) = store::find(&transaction, id)? else {
                return Ok(Err(ApiError::new(ErrorCode::PersonNotFound)));
            };
            if person.role == Role::Admin && !store::has_other_admin(&transaction, id)? {
                return Ok(Err(ApiError::new(ErrorCode::LastAdmin)));
            }
            for (_, forget) in FORGET {
                forget(&transaction, id)?;
            }
            transaction.execute("DELETE FROM people WHERE id = ?1", [id])?;
            transaction.commit()?;
            // What was deleted lies in no page of the file, nor in its log.
            connection.empty_log()?;
            Ok(Ok(()))
        });
        forgotten.await??;
        let who = if who == id.to_string() { "gone" } else { who };
        self.audit.note(super::audit::Entry::act(who, "person_deleted", ""));
        Ok(())
    }
}

fn forget_usage(connection: &Connection, person: PersonId) -> sql::Result<()> {
    let sql = "DELETE FROM usage
        WHERE who = ?1 OR who IN (SELECT id FROM api_keys WHERE person = ?1)";
    connection.execute(sql, [person])?;
    Ok(())
}

fn pseudonymise_audit(connection: &Connection, person: PersonId) -> sql::Result<()> {
    let broken =
        |error: getrandom::Error| sql::Error::ToSqlConversionFailure(error.to_string().into());
    let secret = new_secret().map_err(broken)?;
    let pseudonym = format!("gone-{}", &secret[..12]);
    let keys = "SELECT id FROM api_keys WHERE person = ?1";
    let sql = format!("UPDATE audit SET who = ?2 WHERE who = ?1 OR who IN ({keys})");
    connection.execute(&sql, (person, &pseudonym))?;
    let sql = format!("UPDATE audit SET key = NULL WHERE key IN ({keys})");
    connection.execute(&sql, [person])?;
    let sql = format!("UPDATE audit SET object = ?2 WHERE object = ?1 OR object IN ({keys})");
    connection.execute(&sql, (person, &pseudonym))?;
    Ok(())
}

fn export_person(connection: &Connection, person: PersonId) -> sql::Result<Value> {
    Ok(json!(store::find(connection, person)?))
}

/// What a query finds, as objects.
fn rows(connection: &Connection, person: PersonId, sql: &str) -> sql::Result<Value> {
    use crate::db::sql::types::ValueRef;
    let mut select = connection.prepare(sql)?;
    let names = select.column_names();
    let object = |row: &Row<'_>| {
        let mut object = Map::new();
        for (i, name) in names.iter().enumerate() {
            let value = match row.get_ref(i)? {
                ValueRef::Null | ValueRef::Blob(_) => Value::Null,
                ValueRef::Integer(number) => number.into(),
                ValueRef::Real(number) => number.into(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
            };
            object.insert(name.clone(), value);
        }
        Ok(Value::Object(object))
    };
    let rows = select.query_map([person], object)?;
    Ok(Value::Array(rows.collect::<Result<_, _>>()?))
}
