//! What is announced, to whom, and for how long?

use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Board, MOMENT_MAX_S, group_not_found, invalid, line, long_text, missing_group};
use crate::db::sql::{self, Connection, Row};
use crate::keys::now_s;
use crate::people::{EVERYONE, Rights};

const TITLE_CHARS_MAX: usize = 120;
const TEXT_CHARS_MAX: usize = 10_000;
/// So many are read at once at most; who has more has stopped deleting old ones.
const ANNOUNCEMENTS_MAX: i64 = 100;
const GROUPS_MAX: usize = 50;

/// As it is shown. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Announcement {
    pub id: String,
    pub title: String,
    /// Markdown.
    pub text: String,
    /// Null: since it was made.
    pub from_s: Option<i64>,
    /// Not this moment itself. Null: until it is deleted.
    pub until_s: Option<i64>,
    pub changed_s: i64,
    /// For whom, as administrators see it; empty: for everyone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
}

/// As an administrator writes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewAnnouncement {
    pub title: String,
    pub text: String,
    pub from_s: Option<i64>,
    pub until_s: Option<i64>,
    /// Empty: for everyone.
    pub groups: Vec<String>,
}

impl NewAnnouncement {
    /// # Errors
    /// `invalid_request`
    fn checked(self) -> Result<Self, ApiError> {
        let moments = 0..=MOMENT_MAX_S;
        for (moment, param) in [(self.from_s, "from_s"), (self.until_s, "until_s")] {
            if moment.is_some_and(|moment| !moments.contains(&moment)) {
                return Err(invalid(param, "this is no moment, in seconds since 1970"));
            }
        }
        if self.until_s.is_some_and(|until_s| until_s <= self.from_s.unwrap_or(0)) {
            return Err(invalid("until_s", "it would end before it begins"));
        }
        let mut groups = self.groups;
        groups.sort_unstable();
        groups.dedup();
        if groups.len() > GROUPS_MAX {
            return Err(invalid("groups", "an announcement is for at most 50 groups"));
        }
        if groups.iter().any(|group| group == EVERYONE) {
            groups.clear();
        }
        Ok(Self {
            title: line(&self.title, "title", TITLE_CHARS_MAX, false)?,
            text: long_text(&self.text, "text", TEXT_CHARS_MAX)?,
            groups,
            ..self
        })
    }
}

const SELECT: &str = "SELECT id, title, text, from_s, until_s, changed_s,
        (SELECT json_group_array(group_name) FROM
            (SELECT group_name FROM announcement_groups WHERE announcement = announcements.id
                ORDER BY group_name) theirs) AS groups
    FROM announcements";
const ORDER: &str = "ORDER BY coalesce(from_s, created_s) DESC, id DESC";

fn from_row(row: &Row<'_>) -> sql::Result<Announcement> {
    let groups: String = row.get("groups")?;
    let groups: Vec<String> = serde_json::from_str(&groups).unwrap_or_default();
    Ok(Announcement {
        id: row.get("id")?,
        title: row.get("title")?,
        text: row.get("text")?,
        from_s: row.get("from_s")?,
        until_s: row.get("until_s")?,
        changed_s: row.get("changed_s")?,
        groups: Some(groups.into_iter().filter(|group| group != EVERYONE).collect()),
    })
}

impl Board {
    /// Those that are on now and for this caller, the newest first.
    pub async fn announcements(&self, rights: &Rights) -> Result<Vec<Announcement>, ApiError> {
        if !self.db.exists() {
            return Ok(Vec::new());
        }
        let groups = serde_json::json!(rights.groups).to_string();
        let read = self.db.call(move |connection| {
            let sql = format!(
                "{SELECT} WHERE (from_s IS NULL OR from_s <= ?1) AND (until_s IS NULL OR until_s > ?1)
                    AND EXISTS (SELECT 1 FROM announcement_groups WHERE announcement = announcements.id
                        AND group_name IN (SELECT value FROM json_each(?2)))
                {ORDER}"
            );
            let mut select = connection.prepare_cached(&sql)?;
            let rows = select.query_map((now_s() as i64, groups), from_row)?;
            rows.collect::<Result<Vec<_>, _>>()
        });
        // For whom else it is nobody needs to know.
        let shown = |announcement| Announcement { groups: None, ..announcement };
        Ok(read.await?.into_iter().map(shown).collect())
    }

    /// All of them, for administrators.
    pub async fn all_announcements(&self) -> Result<Vec<Announcement>, ApiError> {
        let read = self.db.call(|connection| {
            let mut select = connection.prepare_cached(&format!("{SELECT} {ORDER}"))?;
            let rows = select.query_map([], from_row)?;
            rows.collect::<Result<Vec<_>, _>>()
        });
        Ok(read.await?)
    }

    /// Makes one, or puts it in the place of the one with this id.
    ///
    /// # Errors
    /// `invalid_request`, `group_not_found`, `announcements_full`, `announcement_not_found`.
    pub async fn put_announcement(
        &self,
        id: Option<String>,
        new: NewAnnouncement,
    ) -> Result<Announcement, ApiError> {
        let new = new.checked()?;
        let put = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let put = put(&transaction, id, &new)?;
            if put.is_ok() {
                transaction.commit()?;
            }
            Ok(put)
        });
        put.await?
    }

    /// # Errors
    /// `announcement_not_found`
    pub async fn remove_announcement(&self, id: String) -> Result<(), ApiError> {
        let sql = "DELETE FROM announcements WHERE id = ?1";
        match self.db.call(move |connection| connection.execute(sql, [id])).await? {
            0 => Err(ApiError::new(ErrorCode::AnnouncementNotFound)),
            _ => Ok(()),
        }
    }
}

fn put(
    connection: &Connection,
    id: Option<String>,
    new: &NewAnnouncement,
) -> sql::Result<Result<Announcement, ApiError>> {
    if let Some(group) = missing_group(connection, &new.groups)? {
        return Ok(Err(group_not_found(&group)));
    }
    let now_s = now_s() as i64;
    let values = (&new.title, &new.text, new.from_s, new.until_s, now_s);
    let id = match id {
        Some(id) => {
            let sql = "UPDATE announcements SET title = ?2, text = ?3, from_s = ?4, until_s = ?5,
                changed_s = ?6 WHERE id = ?1";
            let (title, text, from_s, until_s, now_s) = values;
            let n = connection.execute(sql, (&id, title, text, from_s, until_s, now_s))?;
            if n == 0 {
                return Ok(Err(ApiError::new(ErrorCode::AnnouncementNotFound)));
            }
            connection.execute("DELETE FROM announcement_groups WHERE announcement = ?1", [&id])?;
            id
        }
        None => {
            let sql = "SELECT count(*) FROM announcements";
            if connection.query_row(sql, [], |row| row.get::<_, i64>(0))? >= ANNOUNCEMENTS_MAX {
                let max = ANNOUNCEMENTS_MAX.to_string();
                return Ok(Err(ApiError::new(ErrorCode::AnnouncementsFull).with("max", max)));
            }
            let id = Uuid::now_v7().to_string();
            let sql = "INSERT INTO announcements
                    (id, title, text, from_s, until_s, created_s, changed_s)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)";
            let (title, text, from_s, until_s, now_s) = values;
            connection.execute(sql, (&id, title, text, from_s, until_s, now_s))?;
            id
        }
    };
    let everyone = [EVERYONE.to_owned()];
    let groups = if new.groups.is_empty() { everyone.as_slice() } else { &new.groups };
    for group in groups {
        let sql = "INSERT INTO announcement_groups (announcement, group_name) VALUES (?1, ?2)";
        connection.execute(sql, (&id, group))?;
    }
    Ok(Ok(Announcement {
        id,
        title: new.title.clone(),
        text: new.text.clone(),
        from_s: new.from_s,
        until_s: new.until_s,
        changed_s: now_s,
        groups: Some(new.groups.clone()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(title: &str, from_s: Option<i64>, until_s: Option<i64>) -> NewAnnouncement {
        let (title, text) = (title.to_owned(), "text".to_owned());
        NewAnnouncement { title, text, from_s, until_s, groups: Vec::new() }
    }

    #[test]
    fn an_announcement_has_a_title_and_ends_after_it_begins() {
        for (wrong, param) in [
            (new(" ", None, None), "title"),
            (new(&"x".repeat(121), None, None), "title"),
            (new("a", Some(-1), None), "from_s"),
            (new("a", None, Some(MOMENT_MAX_S + 1)), "until_s"),
            (new("a", Some(9), Some(9)), "until_s"),
            (NewAnnouncement { text: " ".to_owned(), ..new("a", None, None) }, "text"),
        ] {
            assert_eq!(wrong.checked().unwrap_err().params["param"], param);
        }
        let groups = ["b", "a", "b"].map(str::to_owned).to_vec();
        let sorted = NewAnnouncement { groups, ..new("a", Some(9), Some(10)) }.checked().unwrap();
        assert_eq!(sorted.groups, ["a", "b"]);
        let groups = ["b", EVERYONE].map(str::to_owned).to_vec();
        let all = NewAnnouncement { groups, ..new("a", None, None) }.checked().unwrap();
        assert!(all.groups.is_empty());
    }
}
