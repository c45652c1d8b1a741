//! Who did what, when, with which model, where, and with how many tokens? Never what was said.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::db::sql::{self, Connection};
use crate::db::{Db, DbError};
use crate::gateway::{Caller, Gateway};
use crate::keys::now_s;

/// Kept in memory while the database cannot be written; beyond it the oldest are lost, and that is
/// logged.
const WAITING_MAX: usize = 100_000;
/// Most lines of one answer.
pub const LIMIT_MAX: u32 = 1_000;

/// A line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub id: i64,
    pub at_s: u64,
    /// A person's id, a key's, `page`, `operator`, or `gone-…` of who was deleted.
    pub who: String,
    /// The key by which a person asked.
    pub key: Option<String>,
    pub action: String,
    /// On what: an id, a group, a route.
    pub object: String,
    pub model: Option<String>,
    /// `server`, `upstream`, `device`
    pub place: Option<String>,
    pub prompt_tokens: Option<u64>,
    pub completion_tokens: Option<u64>,
    /// `ok`, or an error's code.
    pub outcome: String,
}

impl Entry {
    /// Something that somebody did about people or rules.
    pub fn act(who: &str, action: &str, object: &str) -> Self {
        Self {
            at_s: now_s(),
            who: who.to_owned(),
            action: action.to_owned(),
            object: object.to_owned(),
            outcome: "ok".to_owned(),
            ..Self::default()
        }
    }
}

impl Gateway {
    /// Notes what somebody did, themselves or by their key.
    pub fn note_act(&self, caller: &Caller, action: &str, object: &str) {
        self.note_outcome(caller, action, object, "ok");
    }

    /// The same, with `ok` or an error's code.
    pub fn note_outcome(&self, caller: &Caller, action: &str, object: &str, outcome: &str) {
        let person = caller.person().filter(|_| caller.has_key()).map(|id| id.to_string());
        self.people.audit.note(Entry {
            key: person.as_ref().map(|_| caller.who.clone()),
            outcome: outcome.to_owned(),
            ..Entry::act(person.as_ref().unwrap_or(&caller.who), action, object)
        });
    }
}

/// Which lines are asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AuditQuery {
    pub from_s: Option<u64>,
    /// Not this moment itself.
    pub to_s: Option<u64>,
    pub who: Option<String>,
    pub action: Option<String>,
    /// Lines older than this one.
    pub before: Option<i64>,
    pub limit: Option<u32>,
}

/// What is not written yet.
#[derive(Debug, Default)]
pub struct AuditLog {
    waiting: Mutex<Vec<Entry>>,
}

impl AuditLog {
    pub fn note(&self, entry: Entry) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING_MAX {
            tracing::error!("the audit log cannot be written: its oldest line in memory is lost");
            waiting.remove(0);
        }
        waiting.push(entry);
    }

    /// Writes what waits; on failure it goes on waiting.
    pub fn write(&self, db: &Db) -> Result<(), DbError> {
        let entries = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *waiting)
        };
        if entries.is_empty() {
            return Ok(());
        }
        let written = db.call_blocking(|connection| {
            let transaction = connection.transaction()?;
            for entry in &entries {
                insert(&transaction, entry)?;
            }
            transaction.commit()
        });
        if written.is_err() {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let newer = std::mem::replace(&mut *waiting, entries);
            waiting.extend(newer);
        }
        written
    }
}

fn insert(connection: &Connection, entry: &Entry) -> sql::Result<()> {
    let count = |count: Option<u64>| count.map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    let sql = "INSERT INTO audit (at_s, who, key, action, object, model, place, prompt_tokens,
            completion_tokens, outcome) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    connection.prepare_cached(sql)?.execute((
        count(Some(entry.at_s)),
        &entry.who,
        &entry.key,
        &entry.action,
        &entry.object,
        &entry.model,
        &entry.place,
        count(entry.prompt_tokens),
        count(entry.completion_tokens),
        &entry.outcome,
    ))?;
    Ok(())
}

/// The newest first.
pub fn list(connection: &Connection, query: &AuditQuery) -> sql::Result<Vec<Entry>> {
    let sql = "SELECT id, at_s, who, key, action, object, model, place, prompt_tokens,
            completion_tokens, outcome FROM audit
        WHERE (at_s >= ?1 OR ?1 IS NULL) AND (at_s < ?2 OR ?2 IS NULL)
            AND (who = ?3 OR ?3 IS NULL) AND (action = ?4 OR ?4 IS NULL)
            AND (id < ?5 OR ?5 IS NULL)
        ORDER BY id DESC LIMIT ?6";
    let mut select = connection.prepare_cached(sql)?;
    let seconds = |seconds: Option<u64>| seconds.map(|s| i64::try_from(s).unwrap_or(i64::MAX));
    let values = (
        seconds(query.from_s),
        seconds(query.to_s),
        &query.who,
        &query.action,
        query.before,
        query.limit.unwrap_or(100).clamp(1, LIMIT_MAX),
    );
    let entries = select.query_map(values, |row| {
        let count = |i| -> sql::Result<Option<u64>> {
            Ok(row.get::<_, Option<i64>>(i)?.map(|count| count.max(0) as u64))
        };
        Ok(Entry {
            id: row.get(0)?,
            at_s: count(1)?.unwrap_or_default(),
            who: row.get(2)?,
            key: row.get(3)?,
            action: row.get(4)?,
            object: row.get(5)?,
            model: row.get(6)?,
            place: row.get(7)?,
            prompt_tokens: count(8)?,
            completion_tokens: count(9)?,
            outcome: row.get(10)?,
        })
    })?;
    entries.collect()
}

/// Deletes what is older than the house keeps it.
pub fn forget_older(connection: &Connection, days: u32) -> sql::Result<usize> {
    let before_s = now_s().saturating_sub(u64::from(days) * 86_400);
    connection.execute("DELETE FROM audit WHERE at_s < ?1", [before_s as i64])
}

pub const CSV_HEAD: &str = "id,at_s,who,key,action,object,model,place,prompt_tokens,\
    completion_tokens,outcome\r\n";

/// A line of RFC 4180.
pub fn csv_line(entry: &Entry) -> String {
    let count = |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
    let text = |text: &Option<String>| csv_cell(text.as_deref().unwrap_or_default());
    let cells = [
        entry.id.to_string(),
        entry.at_s.to_string(),
        csv_cell(&entry.who),
        text(&entry.key),
        csv_cell(&entry.action),
        csv_cell(&entry.object),
        text(&entry.model),
        text(&entry.place),
        count(entry.prompt_tokens),
        count(entry.completion_tokens),
        csv_cell(&entry.outcome),
    ];
    cells.join(",") + "\r\n"
}

/// A text that no spreadsheet takes for a formula: OWASP's apostrophe before what could begin one.
pub(crate) fn csv_cell(text: &str) -> String {
    let is_formula =
        text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '|', '%', '＝', '＋', '－', '＠']);
    let mark = if is_formula { "'" } else { "" };
    let text = format!("{mark}{text}");
    match text.contains([',', '"', '\n', '\r', ';', '\'']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (text, cell) in [
            ("plain", "plain"),
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            ("+1", "\"'+1\""),
            ("@a", "\"'@a\""),
            ("a,b", "\"a,b\""),
            ("a\r\n=b", "\"a\r\n=b\""),
            ("", ""),
        ] {
            assert_eq!(csv_cell(text), cell);
        }
    }
}
