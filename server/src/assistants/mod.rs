//! Which assistants are there, and for whom?
//!
//! A person's own are theirs alone until they share them: with groups that they are in, where the rules let
//! them (`share_with_groups`); administrators with any group and with the whole house. Who may use one is
//! part of the query that reads it. Its maker changes it, and administrators what is shared.
//!
//! An assistant gives nobody a right. Its collections, model and tools are names; what comes of them is
//! decided where it is decided for everybody, with the rights of who uses it.

mod api;
mod table;

use portico_shared::assistant::Definition;
use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::Db;
use crate::gateway::Caller;
use crate::people::{PersonId, Rights};

pub use api::router;
pub(crate) use table::{export, forget};

/// An assistant as a caller sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assistant {
    pub id: Uuid,
    /// Grows by one with each change.
    pub revision: u64,
    pub changed_s: u64,
    pub definition: Definition,
    /// Who made it, as others call them; null: somebody who is gone.
    pub maker: Option<String>,
    pub is_own: bool,
    pub may_change: bool,
    /// Of its collections those that the caller may not read; they are not named.
    pub n_withheld: u64,
    pub for_house: bool,
    /// For those who may change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
}

/// What somebody writes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    pub definition: Definition,
    #[serde(default)]
    pub groups: Vec<String>,
    #[serde(default)]
    pub for_house: bool,
    /// The one that was read; of a new one none.
    pub revision: Option<u64>,
}

/// With whom somebody may share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sharing {
    pub groups: Vec<String>,
    pub house: bool,
}

/// What queries need to know of a caller.
#[derive(Clone, Debug)]
struct Who {
    person: PersonId,
    rights: Rights,
    shares: bool,
}

impl Who {
    /// # Errors
    /// `sign_in_needed`
    fn of(caller: &Caller) -> Result<Self, ApiError> {
        Ok(Self {
            person: caller.signed_in()?,
            rights: caller.rights.clone(),
            shares: caller.may.share_with_groups,
        })
    }

    fn groups_json(&self) -> String {
        serde_json::json!(self.rights.groups).to_string()
    }
}

#[derive(Debug)]
pub struct Assistants {
    db: Db,
}

impl Assistants {
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Those that the caller may use, by name, and with whom they may share.
    ///
    /// # Errors
    /// `sign_in_needed`
    pub async fn all(&self, caller: &Caller) -> Result<(Vec<Assistant>, Sharing), ApiError> {
        let who = Who::of(caller)?;
        let read = self.db.call(move |connection| {
            Ok((table::seen(connection, &who, None)?, table::sharing(connection, &who)?))
        });
        Ok(read.await?)
    }

    /// # Errors
    /// `sign_in_needed`, `assistant_not_found`
    pub async fn one(&self, caller: &Caller, id: Uuid) -> Result<Assistant, ApiError> {
        let who = Who::of(caller)?;
        let read = self.db.call(move |connection| table::seen(connection, &who, Some(id)));
        read.await?.pop().ok_or_else(|| ApiError::new(ErrorCode::AssistantNotFound))
    }

    /// # Errors
    /// `sign_in_needed`, `invalid_request`, `sharing_forbidden`, `group_not_found`, `collection_not_found`.
    pub async fn add(&self, caller: &Caller, written: Written) -> Result<Assistant, ApiError> {
        let who = Who::of(caller)?;
        let written = tidied(written)?;
        let added = self.db.call(move |connection| table::add(connection, &who, &written));
        let id = added.await??;
        self.one(caller, id).await
    }

    /// # Errors
    /// As [`Self::add`]; `assistant_not_found`, `administrator_needed` where it is another's,
    /// `assistant_changed` where somebody else wrote meanwhile.
    pub async fn change(
        &self,
        caller: &Caller,
        id: Uuid,
        written: Written,
    ) -> Result<Assistant, ApiError> {
        let who = Who::of(caller)?;
        let written = tidied(written)?;
        let changed = self.db.call(move |connection| table::change(connection, &who, id, &written));
        changed.await??;
        self.one(caller, id).await
    }

    /// # Errors
    /// `sign_in_needed`, `assistant_not_found`, `administrator_needed` where it is another's.
    pub async fn remove(&self, caller: &Caller, id: Uuid) -> Result<(), ApiError> {
        let who = Who::of(caller)?;
        self.db.call(move |connection| table::remove(connection, &who, id)).await?
    }
}

fn tidied(written: Written) -> Result<Written, ApiError> {
    let definition = written.definition.clone().tidied().map_err(|wrong| {
        let error = ApiError::new(ErrorCode::InvalidRequest).with("param", wrong.field);
        error.with("reason", wrong.reason)
    })?;
    crate::people::check_groups(&written.groups)?;
    Ok(Written { definition, ..written })
}
