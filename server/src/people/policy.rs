//! What may a person do?
//!
//! The house has rules; each group may say otherwise, field by field. What a person may is, for each
//! field, the most generous of what their groups say about it, and what the house says where none of
//! them says anything. A group can so widen and narrow: who is in one that allows two models and in
//! none that allows more, may use these two, whatever the house allows to others. Lists are united,
//! the greater number counts, and `unlimited` is the greatest.

use std::collections::BTreeSet;

use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};

use super::{Person, Role};
use crate::db::sql::{self, Connection, OptionalExtension as _};

/// In a list: everything.
const ALL: &str = "*";
/// Most names in one list of rules.
const NAMES_MAX: usize = 1_000;
const NAME_BYTES_MAX: usize = 200;
/// Under which the house's rules are kept.
const HOUSE: &str = "policy";

/// A number, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Limit {
    Count(u64),
    Word(Unlimited),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unlimited {
    Unlimited,
}

impl Limit {
    fn count(self) -> Option<u64> {
        match self {
            Self::Count(count) => Some(count),
            Self::Word(Unlimited::Unlimited) => None,
        }
    }
}

/// What a group, or the house for all, says. What is missing is not said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Names of models; `*` is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models_on_device: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models_on_server: Option<Vec<String>>,
    /// Names of tools of the server; `*` is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<String>>,
    /// Of models on the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_day: Option<Limit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_month: Option<Limit>,
    /// Of documents and attachments on the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_bytes: Option<Limit>,
    /// Whether chats may be synced, and answered on the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chats_leave_device: Option<bool>,
    /// After how many days without use chats on the server are deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<Limit>,
    /// Whether somebody may make API keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub make_keys: Option<bool>,
    /// Whether somebody may share what they made with the groups that they are in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_with_groups: Option<bool>,
    /// Whether somebody may share a chat's snapshot inside the house.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_chats: Option<bool>,
}

/// What somebody may do who is not signed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Guests {
    /// Nothing.
    None,
    /// Chat on their own device; and read what everyone may.
    #[default]
    Device,
    /// The server's models too, as the house's rules are.
    Server,
}

/// What the house decided for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct House {
    pub guests: Guests,
    pub rules: Rules,
    /// Whether the page reports counts of what ran on the device.
    pub audit_device_use: bool,
    /// After how many days lines of the audit log are deleted.
    pub audit_days: u32,
}

impl Default for House {
    fn default() -> Self {
        Self {
            guests: Guests::default(),
            rules: Rules::default(),
            audit_device_use: false,
            audit_days: 365,
        }
    }
}

/// What it comes to for one person. A limit that is none is null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct May {
    pub models_on_device: Vec<String>,
    pub models_on_server: Vec<String>,
    pub tools: Vec<String>,
    pub tokens_per_day: Option<u64>,
    pub tokens_per_month: Option<u64>,
    pub storage_bytes: Option<u64>,
    pub chats_leave_device: bool,
    pub retention_days: Option<u64>,
    pub make_keys: bool,
    pub share_with_groups: bool,
    pub share_chats: bool,
}

impl May {
    /// Of whoever sits at a machine without accounts, and of the house's own keys.
    pub fn everything() -> Self {
        Self::of(&Rules::default(), &[])
    }

    fn of(house: &Rules, groups: &[Rules]) -> Self {
        let limit = |field: fn(&Rules) -> Option<Limit>| {
            let said = groups.iter().filter_map(field).max().or_else(|| field(house));
            said.and_then(Limit::count)
        };
        let list = |field: fn(&Rules) -> Option<&Vec<String>>| {
            let said: Vec<_> = groups.iter().filter_map(field).collect();
            let said = if said.is_empty() { field(house).into_iter().collect() } else { said };
            if said.is_empty() {
                return vec![ALL.to_owned()];
            }
            let names: BTreeSet<&String> = said.into_iter().flatten().collect();
            match names.iter().any(|name| *name == ALL) {
                true => vec![ALL.to_owned()],
                false => names.into_iter().cloned().collect(),
            }
        };
        let flag = |field: fn(&Rules) -> Option<bool>| {
            groups.iter().filter_map(field).max().or_else(|| field(house)).unwrap_or(true)
        };
        let may = Self {
            models_on_device: list(|rules| rules.models_on_device.as_ref()),
            models_on_server: list(|rules| rules.models_on_server.as_ref()),
            tools: list(|rules| rules.tools.as_ref()),
            tokens_per_day: limit(|rules| rules.tokens_per_day),
            tokens_per_month: limit(|rules| rules.tokens_per_month),
            storage_bytes: limit(|rules| rules.storage_bytes),
            chats_leave_device: flag(|rules| rules.chats_leave_device),
            retention_days: limit(|rules| rules.retention_days),
            make_keys: flag(|rules| rules.make_keys),
            share_with_groups: flag(|rules| rules.share_with_groups),
            share_chats: flag(|rules| rules.share_chats),
        };
        if may.chats_leave_device { may } else { may.on_device() }
    }

    /// Nothing of it on the server.
    fn on_device(self) -> Self {
        Self {
            models_on_server: Vec::new(),
            chats_leave_device: false,
            share_chats: false,
            make_keys: false,
            ..self
        }
    }

    fn guest(self, guests: Guests) -> Self {
        let may = Self { make_keys: false, share_with_groups: false, share_chats: false, ..self };
        match guests {
            Guests::None => Self { models_on_device: Vec::new(), ..may.on_device() },
            Guests::Device => may.on_device(),
            Guests::Server => may,
        }
    }

    pub fn uses_on_server(&self, model: &str) -> bool {
        contains(&self.models_on_server, model)
    }

    pub fn uses_on_device(&self, model: &str) -> bool {
        contains(&self.models_on_device, model)
    }

    /// # Errors
    /// `tool_forbidden`
    pub fn may_call(&self, tool: &str) -> Result<(), ApiError> {
        match contains(&self.tools, tool) {
            true => Ok(()),
            false => Err(ApiError::new(ErrorCode::ToolForbidden).with("tool", tool)),
        }
    }
}

fn contains(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known == ALL || known == name)
}

impl Rules {
    /// # Errors
    /// `invalid_request`, for lists that are no lists of names.
    pub fn check(&self) -> Result<(), ApiError> {
        for (param, list) in [
            ("models_on_device", &self.models_on_device),
            ("models_on_server", &self.models_on_server),
            ("tools", &self.tools),
        ] {
            let Some(list) = list else { continue };
            let is_name = |name: &String| (1..=NAME_BYTES_MAX).contains(&name.len());
            if list.len() > NAMES_MAX || !list.iter().all(is_name) {
                let reason = "at most 1,000 names of 1 to 200 bytes";
                return Err(super::store::invalid(param, reason));
            }
        }
        Ok(())
    }
}

/// The house's decisions; what cannot be read lets guests do nothing.
pub fn house(connection: &Connection) -> sql::Result<House> {
    let mut select = connection.prepare_cached("SELECT value FROM house WHERE name = ?1")?;
    let kept: Option<String> = select.query_row([HOUSE], |row| row.get(0)).optional()?;
    let Some(kept) = kept else { return Ok(House::default()) };
    Ok(serde_json::from_str(&kept).unwrap_or_else(|error| {
        tracing::error!(%error, "the house's rules cannot be read: guests may do nothing");
        let nothing = Some(Vec::new());
        let rules = Rules {
            models_on_server: nothing.clone(),
            models_on_device: nothing.clone(),
            tools: nothing,
            ..Rules::default()
        };
        House { guests: Guests::None, rules, ..House::default() }
    }))
}

pub fn set_house(connection: &Connection, house: &House) -> sql::Result<()> {
    let sql = "INSERT INTO house (name, value) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    connection.execute(sql, (HOUSE, serde_json::json!(house).to_string()))?;
    Ok(())
}

/// What this person may.
pub fn may(connection: &Connection, person: &Person) -> sql::Result<May> {
    let house = house(connection)?;
    let sql = "SELECT policy FROM groups JOIN memberships ON group_name = name WHERE person = ?1";
    let mut select = connection.prepare_cached(sql)?;
    let rules = select.query_map([person.id], |row| {
        // What cannot be read says nothing.
        Ok(serde_json::from_str(&row.get::<_, String>(0)?).unwrap_or_default())
    })?;
    let may = May::of(&house.rules, &rules.collect::<Result<Vec<Rules>, _>>()?);
    Ok(if person.role == Role::Guest { may.guest(house.guests) } else { may })
}

/// What somebody may who is not signed in; none where guests may nothing.
pub fn may_of_guest(connection: &Connection) -> sql::Result<Option<May>> {
    let house = house(connection)?;
    let may = May::of(&house.rules, &[]).guest(house.guests);
    Ok((house.guests != Guests::None).then_some(may))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rules(value: Value) -> Rules {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn groups_say_otherwise_field_by_field_and_the_most_generous_counts() {
        #[track_caller]
        fn check(house: Value, groups: &[Value], field: &str, expected: Value) {
            let groups: Vec<Rules> = groups.iter().cloned().map(rules).collect();
            let may = json!(May::of(&rules(house.clone()), &groups));
            assert_eq!(may[field], expected, "{house} {groups:?}");
        }
        let models = |names: &[&str]| json!({ "models_on_server": names });
        check(json!({}), &[], "models_on_server", json!(["*"]));
        check(models(&["a"]), &[], "models_on_server", json!(["a"]));
        check(
            models(&["a"]),
            &[models(&["c", "b"]), models(&["b"])],
            "models_on_server",
            json!(["b", "c"]),
        );
        check(models(&["*"]), &[models(&["b"])], "models_on_server", json!(["b"]));
        check(models(&["a"]), &[models(&["*", "b"])], "models_on_server", json!(["*"]));
        check(models(&["a"]), &[json!({ "tools": [] })], "models_on_server", json!(["a"]));
        let day = |limit: Value| json!({ "tokens_per_day": limit });
        check(day(json!(5)), &[], "tokens_per_day", json!(5));
        check(day(json!(5)), &[day(json!(3)), day(json!(4))], "tokens_per_day", json!(4));
        check(
            day(json!(5)),
            &[day(json!(3)), day(json!("unlimited"))],
            "tokens_per_day",
            json!(null),
        );
        check(day(json!("unlimited")), &[day(json!(0))], "tokens_per_day", json!(0));
        let leave = |may: bool| json!({ "chats_leave_device": may });
        check(leave(false), &[], "chats_leave_device", json!(false));
        check(leave(false), &[leave(true)], "chats_leave_device", json!(true));
        // What may not leave the device is not answered elsewhere.
        check(leave(false), &[models(&["a"])], "models_on_server", json!([]));
        check(leave(false), &[json!({ "share_chats": true })], "share_chats", json!(false));
    }

    #[test]
    fn guests_are_held_to_what_the_house_decided() {
        let may = |guests| May::everything().guest(guests);
        assert!(!may(Guests::None).uses_on_device("a"));
        assert!(may(Guests::Device).uses_on_device("a"));
        assert!(!may(Guests::Device).uses_on_server("a"));
        assert!(may(Guests::Server).uses_on_server("a"));
        assert!(!may(Guests::Server).make_keys && !may(Guests::Server).share_with_groups);
    }

    #[test]
    fn a_tool_that_is_not_listed_is_not_called() {
        let may = May::of(&rules(json!({ "tools": ["other"] })), &[]);
        assert_eq!(may.may_call("search_documents").unwrap_err().code, ErrorCode::ToolForbidden);
        assert!(may.may_call("other").is_ok() && May::everything().may_call("any").is_ok());
    }

    #[test]
    fn a_misspelt_rule_is_refused() {
        assert!(serde_json::from_value::<Rules>(json!({ "token_per_day": 1 })).is_err());
        assert!(serde_json::from_value::<Rules>(json!({ "tokens_per_day": "many" })).is_err());
        assert!(rules(json!({ "tools": [""] })).check().is_err());
    }
}
