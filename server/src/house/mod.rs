//! What does the house say to its people, and which prompts does it have ready for them?
//!
//! Announcements are for everybody or for groups, for a time. Prompts belong to a person, to a group, or,
//! as the group of everyone, to the house. Who may read what stands inside each query.

mod announcements;
mod api;
mod prompts;

use portico_shared::error::{ApiError, ErrorCode};

pub use announcements::{Announcement, NewAnnouncement};
pub use api::router;
pub use prompts::{NewPrompt, Prompt, PromptChange};

use crate::db::Db;
use crate::db::sql::{self, Connection};
use crate::people::EVERYONE;

/// The last moment that can be named: the end of the year 9999.
const MOMENT_MAX_S: i64 = 253_402_300_799;

/// Both, in the database.
#[derive(Debug)]
pub struct Board {
    db: Db,
}

impl Board {
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}

fn invalid(param: &str, reason: &str) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest).with("reason", reason).with("param", param)
}

/// One line of at most so many characters.
///
/// # Errors
/// `invalid_request`
fn line(text: &str, param: &str, max_chars: usize, may_be_empty: bool) -> Result<String, ApiError> {
    let text = text.trim();
    let n_chars = text.chars().count();
    let fits = n_chars <= max_chars && (may_be_empty || n_chars > 0);
    match fits && !text.chars().any(char::is_control) {
        true => Ok(text.to_owned()),
        false => {
            Err(invalid(param, &format!("this is one line of at most {max_chars} characters")))
        }
    }
}

/// A text of at most so many characters.
///
/// # Errors
/// `invalid_request`
fn long_text(text: &str, param: &str, max_chars: usize) -> Result<String, ApiError> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim_matches('\n');
    let is_plain = |c: char| !c.is_control() || c == '\n' || c == '\t';
    let fits = text.chars().count() <= max_chars && text.chars().all(is_plain);
    match fits && !text.trim().is_empty() {
        true => Ok(text.to_owned()),
        false => Err(invalid(param, &format!("this is a text of 1 to {max_chars} characters"))),
    }
}

/// The first of these groups that the house does not have.
fn missing_group(connection: &Connection, groups: &[String]) -> sql::Result<Option<String>> {
    let mut select = connection.prepare_cached("SELECT count(*) FROM groups WHERE name = ?1")?;
    for group in groups.iter().filter(|group| *group != EVERYONE) {
        if select.query_row([group], |row| row.get::<_, i64>(0))? == 0 {
            return Ok(Some(group.clone()));
        }
    }
    Ok(None)
}

fn group_not_found(group: &str) -> ApiError {
    ApiError::new(ErrorCode::GroupNotFound).with("group", group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_texts_have_limits() {
        assert_eq!(line("  a b ", "title", 3, false).unwrap(), "a b");
        assert!(line("a\nb", "title", 9, false).is_err());
        assert!(line(" ", "title", 9, false).is_err());
        assert_eq!(line(" ", "title", 9, true).unwrap(), "");
        assert!(line("äöü", "title", 2, false).is_err());
        assert_eq!(long_text("\r\n  a\r\n\tb\n", "text", 9).unwrap(), "  a\n\tb");
        assert!(long_text(" \n ", "text", 9).is_err());
        assert!(long_text("a\u{0}", "text", 9).is_err());
        assert!(long_text("äöü", "text", 2).is_err());
    }
}
