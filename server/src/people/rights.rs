//! Which collections may a caller read, add to, manage?

use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};

use crate::db::sql::{self, Connection, OptionalExtension as _};

/// The group of all callers.
pub const EVERYONE: &str = "everyone";

/// Longest name of a group.
const GROUP_CHARS_MAX: usize = 64;

/// What may be done with a collection; each contains those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    Read = 1,
    /// Add, replace and delete documents.
    Contribute = 2,
    /// Change the collection, its rights, or delete it.
    Manage = 3,
}

impl Right {
    /// As the database keeps it; more than it knows is the most.
    pub fn from_level(level: i64) -> Option<Self> {
        match level {
            ..1 => None,
            1 => Some(Self::Read),
            2 => Some(Self::Contribute),
            3.. => Some(Self::Manage),
        }
    }

    pub fn level(self) -> i64 {
        self as i64
    }
}

/// What is known of a caller when it comes to documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// A key's id, or the page.
    pub who: String,
    /// [`EVERYONE`] among them.
    pub groups: Vec<String>,
    /// Manages every collection.
    pub is_admin: bool,
}

/// Whether a group may be called so.
pub fn is_group_name(name: &str) -> bool {
    let n_chars = name.chars().count();
    (1..=GROUP_CHARS_MAX).contains(&n_chars)
        && name.trim() == name
        && !name.chars().any(char::is_control)
}

/// The collections that a caller has a right on, at which level. `?1` whether it manages all, `?2` its
/// groups as a JSON list.
const COLLECTIONS: &str = "SELECT id, CASE WHEN ?1 THEN 3 ELSE
        (SELECT max(level) FROM collection_rights WHERE collection = id
            AND group_name IN (SELECT value FROM json_each(?2))) END AS level
    FROM collections";

impl Rights {
    pub fn new(who: &str, groups: &[String], is_admin: bool) -> Self {
        let mut groups = groups.to_vec();
        if !groups.iter().any(|group| group == EVERYONE) {
            groups.push(EVERYONE.to_owned());
        }
        Self { who: who.to_owned(), groups, is_admin }
    }

    /// Of whoever runs the program on the server's own machine.
    pub fn of_operator() -> Self {
        Self::new("operator", &[], true)
    }

    fn groups_json(&self) -> String {
        serde_json::json!(self.groups).to_string()
    }

    /// Ids of the collections on which the caller has at least this right, in their order.
    pub fn collections(&self, connection: &Connection, least: Right) -> sql::Result<Vec<String>> {
        let sql = format!("SELECT id FROM ({COLLECTIONS}) held WHERE level >= ?3 ORDER BY id");
        let mut select = connection.prepare_cached(&sql)?;
        let values = (self.is_admin, self.groups_json(), least.level());
        select.query_map(values, |row| row.get(0))?.collect()
    }

    /// The right on one collection; none for one that is not there either.
    pub fn on(&self, connection: &Connection, collection: &str) -> sql::Result<Option<Right>> {
        let sql = format!("SELECT level FROM ({COLLECTIONS}) held WHERE id = ?3");
        let mut select = connection.prepare_cached(&sql)?;
        let values = (self.is_admin, self.groups_json(), collection);
        let level = select.query_row(values, |row| row.get::<_, Option<i64>>(0)).optional()?;
        Ok(level.flatten().and_then(Right::from_level))
    }
}

/// Whether a right that was found is enough.
///
/// # Errors
/// `collection_not_found` where it may not even be read, `collection_read_only` where more is wanted.
pub(crate) fn enough(found: Option<Right>, least: Right, collection: &str) -> Result<(), ApiError> {
    match found {
        Some(right) if right >= least => Ok(()),
        Some(_) => Err(ApiError::new(ErrorCode::CollectionReadOnly).with("collection", collection)),
        None => Err(ApiError::new(ErrorCode::CollectionNotFound).with("collection", collection)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Db;

    #[test]
    fn groups_decide_and_each_right_contains_the_lower_ones() {
        let kept = tempfile::tempdir().unwrap();
        let folder = kept.path().join("folder");
        let db = Db::new(folder.join("p.sqlite"));
        db.call_blocking(|connection| {
            connection.execute_batch(
                "INSERT INTO collections VALUES ('all', '', NULL, 0), ('board', '', NULL, 0),
                    ('none', '', NULL, 0);
                INSERT INTO collection_rights VALUES ('all', 'everyone', 1), ('all', 'staff', 2),
                    ('board', 'board', 3), ('board', 'staff', 1);",
            )?;
            let rights = |groups: &[&str], is_admin| {
                let groups: Vec<String> = groups.iter().map(|&group| group.to_owned()).collect();
                Rights::new("x", &groups, is_admin)
            };
            let may = |rights: &Rights, least| rights.collections(connection, least);
            let nobody = rights(&[], false);
            assert_eq!(may(&nobody, Right::Read)?, ["all"]);
            assert!(may(&nobody, Right::Contribute)?.is_empty());
            let staff = rights(&["staff"], false);
            assert_eq!(may(&staff, Right::Read)?, ["all", "board"]);
            assert_eq!(may(&staff, Right::Contribute)?, ["all"]);
            assert_eq!(staff.on(connection, "board")?, Some(Right::Read));
            assert_eq!(nobody.on(connection, "board")?, None);
            assert_eq!(nobody.on(connection, "missing")?, None);
            // The highest of several groups counts.
            let both = rights(&["staff", "board"], false);
            assert_eq!(both.on(connection, "board")?, Some(Right::Manage));
            assert_eq!(may(&rights(&[], true), Right::Manage)?, ["all", "board", "none"]);
            // A group whose name looks like SQL or JSON is only a name.
            assert_eq!(may(&rights(&["\"],\"board\"", "' OR 1"], false), Right::Read)?, ["all"]);
            Ok(())
        })
        .unwrap();
    }

    #[test]
    fn a_right_that_is_not_enough_does_not_tell_what_is_hidden() {
        let code = |found, least| enough(found, least, "c").unwrap_err().code;
        assert_eq!(code(None, Right::Read), ErrorCode::CollectionNotFound);
        assert_eq!(code(None, Right::Manage), ErrorCode::CollectionNotFound);
        assert_eq!(code(Some(Right::Read), Right::Contribute), ErrorCode::CollectionReadOnly);
        assert!(enough(Some(Right::Manage), Right::Read, "c").is_ok());
    }
}
