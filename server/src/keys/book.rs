//! How much has each caller used?
//!
//! Counted in memory as it happens, written several times a second: a server that is killed forgets
//! no more than the last moment, a stream that is cut off is counted up to where it was cut.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::clock::{day_of, now_s};
use crate::db::sql::{self, Connection};
use crate::db::{Db, DbError};

/// How often what was counted is written.
const WRITE_EVERY: Duration = Duration::from_millis(200);

/// Place of what a person's own device computed: no quota counts it.
pub const DEVICE: &str = "device";

/// Requests and tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spent {
    pub requests: u64,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
}

impl Spent {
    pub fn tokens(&self) -> u64 {
        self.prompt_tokens + self.completion_tokens
    }

    pub fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.prompt_tokens += other.prompt_tokens;
        self.completion_tokens += other.completion_tokens;
    }
}

/// Who, day, model, place.
type Page = (String, String, String, &'static str);

#[derive(Debug, Default)]
struct Pages {
    open: BTreeMap<Page, Spent>,
    /// Being written.
    writing: BTreeMap<Page, Spent>,
}

/// What was used and is not written yet, over what the database has.
#[derive(Debug, Default)]
pub struct UsageBook {
    pages: Mutex<Pages>,
}

impl UsageBook {
    /// `place` is where it was computed: `server`, `upstream` or [`DEVICE`].
    pub fn add(&self, who: &str, model: &str, place: &'static str, spent: Spent) {
        let page = (who.to_owned(), day_of(now_s()), model.to_owned(), place);
        self.pages().open.entry(page).or_default().add(spent);
    }

    /// What `who` has used of the house's machines on the days that begin with `period` (`2026-11-25` or
    /// `2026-11`).
    pub fn spent(&self, connection: &Connection, who: &str, period: &str) -> sql::Result<Spent> {
        let mut sum = spent_by_database(connection, who, period)?;
        let pages = self.pages();
        for ((whose, day, _, place), spent) in pages.open.iter().chain(&pages.writing) {
            if whose == who && day.starts_with(period) && *place != DEVICE {
                sum.add(*spent);
            }
        }
        Ok(sum)
    }

    /// Writes what is open; on failure it stays open.
    pub fn write(&self, db: &Db) -> Result<(), DbError> {
        let writing = {
            let mut pages = self.pages();
            if pages.open.is_empty() {
                return Ok(());
            }
            pages.writing = std::mem::take(&mut pages.open);
            pages.writing.clone()
        };
        let written = db.call_blocking(|connection| write_pages(connection, &writing));
        let mut pages = self.pages();
        let was_writing = std::mem::take(&mut pages.writing);
        if written.is_err() {
            for (page, spent) in was_writing {
                pages.open.entry(page).or_default().add(spent);
            }
        }
        written
    }

    /// Writes again and again, for ever.
    pub async fn keep_writing(&self, db: &Db) {
        loop {
            tokio::time::sleep(WRITE_EVERY).await;
            if let Err(error) = tokio::task::block_in_place(|| self.write(db)) {
                tracing::error!(%error, "usage could not be written and is kept in memory");
            }
        }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is written already.
pub(super) fn spent_by_database(
    connection: &Connection,
    who: &str,
    period: &str,
) -> sql::Result<Spent> {
    let sql = "SELECT coalesce(sum(requests), 0), coalesce(sum(prompt_tokens), 0),
            coalesce(sum(completion_tokens), 0)
        FROM usage WHERE who = ?1 AND day >= ?2 AND day < ?2 || 'x' AND place <> ?3";
    connection.prepare_cached(sql)?.query_row([who, period, DEVICE], |row| {
        Ok(Spent {
            requests: row.get::<_, i64>(0)?.max(0) as u64,
            prompt_tokens: row.get::<_, i64>(1)?.max(0) as u64,
            completion_tokens: row.get::<_, i64>(2)?.max(0) as u64,
        })
    })
}

fn write_pages(connection: &mut Connection, pages: &BTreeMap<Page, Spent>) -> sql::Result<()> {
    let transaction = connection.transaction()?;
    let sql = "INSERT INTO usage (who, day, model, place, requests, prompt_tokens, completion_tokens)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (who, day, model, place) DO UPDATE SET requests = usage.requests + ?5,
            prompt_tokens = usage.prompt_tokens + ?6, completion_tokens = usage.completion_tokens + ?7";
    for ((who, day, model, place), spent) in pages {
        let Spent { requests, prompt_tokens, completion_tokens } = *spent;
        let counts = [requests, prompt_tokens, completion_tokens]
            .map(|count| i64::try_from(count).unwrap_or(i64::MAX));
        transaction
            .prepare_cached(sql)?
            .execute((who, day, model, *place, counts[0], counts[1], counts[2]))?;
    }
    transaction.commit()
}
