//! Where do shares lie, and whose query finds which?

use std::collections::BTreeSet;

use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::share::Snapshot;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{NewShare, SHARES_MAX, Share, ShareChange, Shared, Shares, may_share, written};
use crate::db::sql::{self, Connection, OptionalExtension as _, Row};
use crate::gateway::Caller;
use crate::keys::now_s;
use crate::people::{EVERYONE, PersonId, Role};
use crate::sync::{ConversationStanding, conversation_standing};

const OWN: &str =
    "SELECT id, conversation, title, n_messages, size_bytes, created_s, changed_s FROM shares";

impl Shares {
    /// Those of the caller, the newest first.
    ///
    /// # Errors
    /// `sign_in_needed`
    pub async fn own(&self, caller: &Caller) -> Result<Vec<Share>, ApiError> {
        let person = caller.in_person()?;
        let read = self.db.call(move |connection| own(connection, person));
        Ok(read.await?)
    }

    /// One that the caller may read.
    ///
    /// # Errors
    /// `sign_in_needed`, `share_not_found`.
    pub async fn read(&self, caller: &Caller, id: String) -> Result<Shared, ApiError> {
        let person = caller.in_person()?;
        let groups = json!(caller.rights.groups).to_string();
        let read = self.db.call(move |connection| {
            let sql = "SELECT s.id, coalesce(nullif(display_name, ''), name) AS by_name, person,
                    s.created_s, changed_s, snapshot
                FROM shares AS s JOIN people ON people.id = person
                WHERE s.id = ?1 AND (person = ?2 OR EXISTS (
                    SELECT 1 FROM share_groups WHERE share = s.id
                        AND group_name IN (SELECT value FROM json_each(?3))))";
            let mut select = connection.prepare_cached(sql)?;
            let found = select.query_row((&id, person, &groups), |row| {
                let shared = Shared {
                    id: row.get("id")?,
                    by: row.get("by_name")?,
                    is_own: row.get::<_, PersonId>("person")? == person,
                    created_s: row.get("created_s")?,
                    changed_s: row.get("changed_s")?,
                    snapshot: Snapshot::default(),
                };
                Ok((shared, row.get::<_, String>("snapshot")?))
            });
            found.optional()
        });
        let (shared, snapshot) = read.await?.ok_or_else(not_found)?;
        let snapshot = serde_json::from_str(&snapshot)
            .map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
        Ok(Shared { snapshot, ..shared })
    }

    /// # Errors
    /// `sign_in_needed`, `chats_stay_on_device`, `sharing_forbidden`, `invalid_request`, `share_too_large`,
    /// `group_not_found`, `conversation_stays_on_device`, `share_not_synced`, `share_readable`, `shares_full`,
    /// `share_exists`.
    pub async fn add(&self, caller: &Caller, new: NewShare) -> Result<Share, ApiError> {
        let person = may_share(caller, &new.groups)?;
        let json = written(&new.snapshot)?;
        let added = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let added = add(&transaction, person, &new, &json)?;
            if added.is_ok() {
                transaction.commit()?;
            }
            Ok(added)
        });
        added.await?
    }

    /// Another snapshot, or other readers.
    ///
    /// # Errors
    /// As [`Self::add`]; `share_not_found`.
    pub async fn change(
        &self,
        caller: &Caller,
        id: String,
        change: ShareChange,
    ) -> Result<Share, ApiError> {
        let person = match &change.groups {
            Some(groups) => may_share(caller, groups)?,
            None => may_share(caller, &[EVERYONE.to_owned()])?,
        };
        let json = change.snapshot.as_ref().map(written).transpose()?;
        let changed = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let changed = put(&transaction, person, &id, &change, json.as_deref())?;
            if changed.is_ok() {
                transaction.commit()?;
            }
            Ok(changed)
        });
        changed.await?
    }

    /// From now on nobody reads it. Its owner's, and an administrator's, to do.
    ///
    /// # Errors
    /// `sign_in_needed`, `share_not_found`.
    pub async fn end(&self, caller: &Caller, id: String) -> Result<(), ApiError> {
        let person = caller.in_person()?;
        let is_admin = caller.role() == Some(Role::Admin);
        let ended = self.db.call(move |connection| {
            let sql = "DELETE FROM shares WHERE id = ?1 AND (person = ?2 OR ?3)";
            let n_ended = connection.execute(sql, (&id, person, is_admin))?;
            connection.empty_log()?;
            Ok(n_ended)
        });
        if ended.await? == 0 { Err(not_found()) } else { Ok(()) }
    }

    /// The conversation stays on its device from now on.
    ///
    /// # Errors
    /// The database's.
    pub async fn withdraw(&self, person: PersonId, conversation: Uuid) -> Result<(), ApiError> {
        let withdrawn = self.db.call(move |connection| {
            let sql = "DELETE FROM shares WHERE person = ?1 AND conversation = ?2";
            connection.execute(sql, (person, conversation.to_string()))?;
            connection.empty_log()
        });
        Ok(withdrawn.await?)
    }

    /// Deletes those whose snapshot is older. Gives how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn expire(&self, person: PersonId, before_s: u64) -> Result<usize, ApiError> {
        let before_s = i64::try_from(before_s).unwrap_or(i64::MAX);
        let expired = self.db.call(move |connection| {
            let sql = "DELETE FROM shares WHERE person = ?1 AND changed_s < ?2";
            connection.execute(sql, (person, before_s))
        });
        Ok(expired.await?)
    }
}

/// What a person gets of themselves.
pub fn export(connection: &Connection, person: PersonId) -> sql::Result<Value> {
    let shares = own(connection, person)?;
    let mut select = connection.prepare_cached("SELECT snapshot FROM shares WHERE id = ?1")?;
    let exported = shares.into_iter().map(|share| {
        let snapshot: String = select.query_row([&share.id], |row| row.get(0))?;
        // It was JSON when it was written.
        let snapshot: Value = serde_json::from_str(&snapshot).unwrap_or_default();
        Ok(json!({ "share": share, "snapshot": snapshot }))
    });
    Ok(Value::Array(exported.collect::<sql::Result<_>>()?))
}

fn not_found() -> ApiError {
    ApiError::new(ErrorCode::ShareNotFound)
}

fn own(connection: &Connection, person: PersonId) -> sql::Result<Vec<Share>> {
    let sql = format!("{OWN} WHERE person = ?1 ORDER BY changed_s DESC, id");
    let mut select = connection.prepare_cached(&sql)?;
    let mut shares = select.query_map([person], share)?.collect::<Result<Vec<_>, _>>()?;
    for share in &mut shares {
        share.groups = groups_of(connection, &share.id)?;
    }
    Ok(shares)
}

fn share(row: &Row<'_>) -> sql::Result<Share> {
    let count = |name: &str| Ok::<_, sql::Error>(row.get::<_, i64>(name)?.max(0) as u64);
    Ok(Share {
        id: row.get("id")?,
        conversation: row.get("conversation")?,
        title: row.get("title")?,
        groups: Vec::new(),
        n_messages: count("n_messages")?,
        size_bytes: count("size_bytes")?,
        created_s: row.get("created_s")?,
        changed_s: row.get("changed_s")?,
    })
}

fn groups_of(connection: &Connection, share: &str) -> sql::Result<Vec<String>> {
    let sql = "SELECT group_name FROM share_groups WHERE share = ?1 ORDER BY group_name";
    let mut select = connection.prepare_cached(sql)?;
    let groups = select.query_map([share], |row| row.get(0))?;
    groups.collect()
}

fn one(connection: &Connection, person: PersonId, id: &str) -> sql::Result<Option<Share>> {
    let sql = format!("{OWN} WHERE id = ?1 AND person = ?2");
    let found = connection.prepare_cached(&sql)?.query_row((id, person), share).optional()?;
    let Some(found) = found else { return Ok(None) };
    Ok(Some(Share { groups: groups_of(connection, id)?, ..found }))
}

/// Whether a snapshot of this conversation may lie here.
fn standing(
    connection: &Connection,
    person: PersonId,
    conversation: Uuid,
    accepts_readable: bool,
) -> sql::Result<Result<(), ApiError>> {
    let code = match conversation_standing(connection, person, conversation)? {
        ConversationStanding::There => return Ok(Ok(())),
        ConversationStanding::Sealed if accepts_readable => return Ok(Ok(())),
        ConversationStanding::Sealed => ErrorCode::ShareReadable,
        ConversationStanding::Withdrawn => ErrorCode::ConversationStaysOnDevice,
        ConversationStanding::Gone => ErrorCode::ShareNotSynced,
    };
    Ok(Err(ApiError::new(code)))
}

fn set_groups(
    connection: &Connection,
    share: &str,
    groups: &[String],
) -> sql::Result<Result<(), ApiError>> {
    let mut known = connection.prepare_cached("SELECT count(*) FROM groups WHERE name = ?1")?;
    connection.execute("DELETE FROM share_groups WHERE share = ?1", [share])?;
    for group in groups.iter().collect::<BTreeSet<_>>() {
        let n_known: i64 = known.query_row([group], |row| row.get(0))?;
        if group != EVERYONE && n_known == 0 {
            return Ok(Err(ApiError::new(ErrorCode::GroupNotFound).with("group", group)));
        }
        connection.execute("INSERT INTO share_groups VALUES (?1, ?2)", (share, group))?;
    }
    Ok(Ok(()))
}

fn add(
    connection: &Connection,
    person: PersonId,
    new: &NewShare,
    json: &str,
) -> sql::Result<Result<Share, ApiError>> {
    if let Err(refused) = standing(connection, person, new.conversation, new.accepts_readable)? {
        return Ok(Err(refused));
    }
    let conversation = new.conversation.to_string();
    let sql = "SELECT count(*), coalesce(sum(CASE WHEN conversation = ?2 THEN 1 ELSE 0 END), 0)
        FROM shares WHERE person = ?1";
    let (n, n_same): (i64, i64) =
        connection.query_row(sql, (person, &conversation), |row| Ok((row.get(0)?, row.get(1)?)))?;
    if n_same > 0 {
        return Ok(Err(ApiError::new(ErrorCode::ShareExists)));
    }
    if n >= SHARES_MAX {
        return Ok(Err(ApiError::new(ErrorCode::SharesFull).with("max", SHARES_MAX)));
    }
    let (id, now_s) = (Uuid::now_v7().to_string(), now_s() as i64);
    let sql = "INSERT INTO shares
            (id, person, conversation, title, snapshot, n_messages, size_bytes, created_s, changed_s)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)";
    let (n_messages, size_bytes) = (new.snapshot.messages.len() as i64, json.len() as i64);
    let title = &new.snapshot.title;
    connection
        .execute(sql, (&id, person, &conversation, title, json, n_messages, size_bytes, now_s))?;
    if let Err(refused) = set_groups(connection, &id, &new.groups)? {
        return Ok(Err(refused));
    }
    Ok(one(connection, person, &id)?.ok_or_else(not_found))
}

fn put(
    connection: &Connection,
    person: PersonId,
    id: &str,
    change: &ShareChange,
    json: Option<&str>,
) -> sql::Result<Result<Share, ApiError>> {
    let Some(found) = one(connection, person, id)? else { return Ok(Err(not_found())) };
    if let (Some(json), Some(snapshot)) = (json, &change.snapshot) {
        // Kept by this server, and a UUID when it was.
        let conversation = found.conversation.parse().unwrap_or_default();
        if let Err(refused) = standing(connection, person, conversation, change.accepts_readable)? {
            return Ok(Err(refused));
        }
        let sql = "UPDATE shares SET title = ?2, snapshot = ?3, n_messages = ?4, size_bytes = ?5, changed_s = ?6
            WHERE id = ?1";
        let (n_messages, size_bytes) = (snapshot.messages.len() as i64, json.len() as i64);
        let now_s = now_s() as i64;
        connection.execute(sql, (id, &snapshot.title, json, n_messages, size_bytes, now_s))?;
    }
    if let Some(groups) = &change.groups
        && let Err(refused) = set_groups(connection, id, groups)?
    {
        return Ok(Err(refused));
    }
    Ok(one(connection, person, id)?.ok_or_else(not_found))
}
