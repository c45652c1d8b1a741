//! What does somebody who has just started a house do first, and what of it is done?
//!
//! Each item is seen from what the server has, never ticked: a house that was set up on the command line is
//! as far as one that was set up on the page. What a house does without is put aside.

mod api;

use std::collections::BTreeSet;

use portico_shared::catalogue::Kind;
use portico_shared::error::ApiError;
use serde::{Deserialize, Serialize};

use crate::backup;
use crate::db::sql::{self, Connection, OptionalExtension as _};
use crate::gateway::Gateway;
use crate::people::{Guests, House, Rules};

pub use api::router;

/// Under which it is kept what was put aside.
const FIRST_HOUR: &str = "first_hour";

/// In the order in which they are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// There is an administrator.
    Admin,
    /// A model that chats is there, here or at an upstream.
    Models,
    /// A document can be searched.
    Documents,
    /// Somebody else has an account or an invitation.
    Invite,
    /// A sign-in service, or a proxy that vouches for people.
    SignIn,
    /// The house or a group has rules of its own.
    Limits,
    /// There was a backup.
    Backup,
}

impl Step {
    const ALL: [Self; 7] = [
        Self::Admin,
        Self::Models,
        Self::Documents,
        Self::Invite,
        Self::SignIn,
        Self::Limits,
        Self::Backup,
    ];
}

/// What administrators decided about the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Chosen {
    pub aside: BTreeSet<Step>,
    /// It is shown no more.
    pub hidden: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    pub id: Step,
    pub is_done: bool,
    pub is_aside: bool,
}

/// The whole list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FirstHour {
    pub items: Vec<Item>,
    pub is_hidden: bool,
    /// Of those that were not put aside.
    pub n_done: usize,
    pub n_items: usize,
}

/// What the database says.
struct Known {
    chosen: Chosen,
    n_admins: i64,
    n_people: i64,
    n_invitations: i64,
    has_documents: bool,
    has_rules: bool,
}

fn known(connection: &Connection) -> sql::Result<Known> {
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let sql = "SELECT value FROM house WHERE name = ?1";
    let kept = |name: &str| -> sql::Result<Option<String>> {
        connection.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()
    };
    // What cannot be read is as good as nothing: the list is shown.
    let chosen = kept(FIRST_HOUR)?.and_then(|kept| serde_json::from_str(&kept).ok());
    let house: House =
        kept("policy")?.and_then(|kept| serde_json::from_str(&kept).ok()).unwrap_or_default();
    let house_has = house.rules != Rules::default() || house.guests != Guests::default();
    let mut select = connection.prepare_cached("SELECT policy FROM groups")?;
    let mut groups_have = false;
    for policy in select.query_map([], |row| row.get::<_, String>(0))? {
        let rules: Rules = serde_json::from_str(&policy?).unwrap_or_default();
        groups_have |= rules != Rules::default();
    }
    Ok(Known {
        chosen: chosen.unwrap_or_default(),
        n_admins: count("SELECT count(*) FROM people WHERE role = 'admin'")?,
        n_people: count("SELECT count(*) FROM people")?,
        n_invitations: count("SELECT count(*) FROM links WHERE kind = 'invite'")?,
        has_documents: count("SELECT count(*) FROM documents WHERE sha256 IS NOT NULL")? > 0,
        has_rules: house_has || groups_have,
    })
}

impl Gateway {
    /// # Errors
    /// When the database or the models folder cannot be read.
    pub async fn first_hour(&self) -> Result<FirstHour, ApiError> {
        let known = self.db.call(|connection| known(connection)).await?;
        let shelf = self.library.shelf().await.map_err(|error| ApiError::from(&error))?;
        let mut here = shelf.available();
        let chats_here = here.any(|one| one.model.kind == Kind::Chat && !one.model.test_only);
        let config = &self.config;
        let has_models = chats_here || !config.models.is_empty();
        let is_done = |step| match step {
            Step::Admin => known.n_admins > 0,
            Step::Models => has_models,
            Step::Documents => known.has_documents,
            Step::Invite => known.n_people > 1 || known.n_invitations > 0,
            Step::SignIn => config.people.oidc.is_some() || config.people.trusted_header.is_some(),
            Step::Limits => known.has_rules,
            Step::Backup => backup::last_backup(self.library.layout.data_dir()).is_some(),
        };
        let items = Step::ALL.map(|id| Item {
            id,
            is_done: is_done(id),
            is_aside: known.chosen.aside.contains(&id),
        });
        let counted = || items.iter().filter(|item| !item.is_aside);
        Ok(FirstHour {
            n_done: counted().filter(|item| item.is_done).count(),
            n_items: counted().count(),
            is_hidden: known.chosen.hidden,
            items: items.to_vec(),
        })
    }

    async fn keep_first_hour(&self, chosen: &Chosen) -> Result<(), ApiError> {
        let json = serde_json::json!(chosen).to_string();
        let kept = self.db.call(move |connection| {
            let sql = "INSERT INTO house (name, value) VALUES (?1, ?2)
                ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            connection.execute(sql, (FIRST_HOUR, json.as_str()))
        });
        kept.await?;
        Ok(())
    }
}
