//! What was used on which days, where, by which models, and by whom?

use portico_shared::error::ApiError;
use serde::{Deserialize, Serialize};

use super::{Detail, Usage};
use crate::db::sql::{self, Connection, Row as DbRow};
use crate::keys::{Spent, day_of, now_s};
use crate::people::invalid;

/// A group's use is shown by itself when so many people are behind it, unless each person's is.
pub const PEOPLE_MIN: u64 = 3;
/// Most lines by person.
const PEOPLE_MAX: u32 = 1_000;
/// Most calendar years that are looked at together.
const YEARS_MAX: u32 = 2;
const DAY_S: u64 = 86_400;
/// Under whom use stands that is older than the house keeps it by person.
const EARLIER: &str = "earlier";
/// A person's key counts twice, for itself and for its person.
const ONCE: &str = "usage.who NOT IN (SELECT id FROM api_keys WHERE person IS NOT NULL)";

/// Days, both of them in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Range {
    pub from: String,
    pub to: String,
}

/// As it is asked for; what is missing comes to the last thirty days.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct RangeQuery {
    from: Option<String>,
    to: Option<String>,
}

impl Range {
    /// # Errors
    /// `invalid_request`
    pub(super) fn new(query: RangeQuery) -> Result<Self, ApiError> {
        let to = query.to.unwrap_or_else(|| day_of(now_s()));
        let from = query.from.unwrap_or_else(|| day_of(now_s().saturating_sub(29 * DAY_S)));
        for (param, day) in [("from", &from), ("to", &to)] {
            if !is_day(day) {
                return Err(invalid(param, "a day is written YYYY-MM-DD"));
            }
        }
        let year = |day: &str| day.get(..4).and_then(|year| year.parse::<u32>().ok()).unwrap_or(0);
        if from > to {
            return Err(invalid("from", "it lies behind `to`"));
        }
        if year(&to) - year(&from) > YEARS_MAX {
            return Err(invalid("from", "at most three calendar years are looked at together"));
        }
        Ok(Self { from, to })
    }
}

fn is_day(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut number = |n_digits: usize, most: u32| {
        parts.next().is_some_and(|part| {
            part.len() == n_digits
                && part.bytes().all(|byte| byte.is_ascii_digit())
                && part.parse().is_ok_and(|number: u32| (1..=most).contains(&number))
        })
    };
    number(4, 9_999) && number(2, 12) && number(2, 31) && parts.next().is_none()
}

/// A model's use of one day in one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    pub day: String,
    /// `server`, `upstream`, `device`; empty where it was not counted yet.
    pub place: String,
    pub model: String,
    #[serde(flatten)]
    pub spent: Spent,
}

/// A group's. Who is in several counts in each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupUse {
    pub name: String,
    /// How many of it used something.
    pub n_people: u64,
    #[serde(flatten)]
    pub spent: Spent,
}

/// A person's, or who else asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WhoUse {
    /// `person`, `key` (of the house), `page` (nobody signed in), `earlier`
    pub kind: &'static str,
    pub who: String,
    pub name: String,
    #[serde(flatten)]
    pub spent: Spent,
}

/// All of it, as far as the house wants to see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Used {
    pub rows: Vec<Row>,
    /// None: the house does not look at groups.
    pub groups: Option<Vec<GroupUse>>,
    /// Groups with too few people behind them to be shown.
    pub n_small_groups: u64,
    /// None: the house does not look at people.
    pub people: Option<Vec<WhoUse>>,
}

impl Usage {
    /// What was written so far.
    pub async fn used(&self, range: Range, detail: Detail) -> Result<Used, ApiError> {
        let used = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let rows = rows(&transaction, &range)?;
            let by_person = detail == Detail::People;
            let mut groups = match detail {
                Detail::House => None,
                Detail::Groups | Detail::People => Some(groups(&transaction, &range)?),
            };
            let mut n_small_groups = 0;
            if let Some(groups) = groups.as_mut().filter(|_| !by_person) {
                let n_all = groups.len();
                groups.retain(|group| group.n_people >= PEOPLE_MIN);
                n_small_groups = (n_all - groups.len()) as u64;
            }
            let people = by_person.then(|| people(&transaction, &range)).transpose()?;
            Ok(Used { rows, groups, n_small_groups, people })
        });
        Ok(used.await?)
    }

    /// What each has used of the house's machines on the days that begin with `period`; who used nothing is
    /// not among them.
    pub async fn tokens_of_all(&self, period: String) -> Result<Vec<(String, u64)>, ApiError> {
        let found = self.db.call(move |connection| {
            let sql = "SELECT who, sum(prompt_tokens) + sum(completion_tokens) FROM usage
                WHERE day >= ?1 AND day < ?1 || 'x' AND place <> ?2 GROUP BY who";
            let mut select = connection.prepare_cached(sql)?;
            let rows = select.query_map([period.as_str(), crate::keys::DEVICE], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?.max(0) as u64))
            })?;
            rows.collect::<Result<Vec<_>, _>>()
        });
        Ok(found.await?)
    }
}

fn rows(connection: &Connection, range: &Range) -> sql::Result<Vec<Row>> {
    let sql = format!(
        "SELECT day, place, model, sum(requests), sum(prompt_tokens), sum(completion_tokens)
        FROM usage WHERE day >= ?1 AND day <= ?2 AND {ONCE}
        GROUP BY day, place, model ORDER BY day, place, model"
    );
    let mut select = connection.prepare_cached(&sql)?;
    let rows = select.query_map([&range.from, &range.to], |row| {
        let (day, place, model) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Row { day, place, model, spent: spent(row, 3)? })
    })?;
    rows.collect()
}

fn groups(connection: &Connection, range: &Range) -> sql::Result<Vec<GroupUse>> {
    let sql = "SELECT group_name, count(DISTINCT who), sum(requests), sum(prompt_tokens),
            sum(completion_tokens)
        FROM usage JOIN memberships ON person = who WHERE day >= ?1 AND day <= ?2
        GROUP BY group_name ORDER BY group_name";
    let mut select = connection.prepare_cached(sql)?;
    let rows = select.query_map([&range.from, &range.to], |row| {
        let n_people = row.get::<_, i64>(1)?.max(0) as u64;
        Ok(GroupUse { name: row.get(0)?, n_people, spent: spent(row, 2)? })
    })?;
    rows.collect()
}

fn people(connection: &Connection, range: &Range) -> sql::Result<Vec<WhoUse>> {
    let sql = format!(
        "SELECT who, people.name, people.display_name, api_keys.name, sum(requests),
            sum(prompt_tokens), sum(completion_tokens)
        FROM usage LEFT JOIN people ON people.id = who LEFT JOIN api_keys ON api_keys.id = who
        WHERE day >= ?1 AND day <= ?2 AND {ONCE}
        GROUP BY who, people.name, people.display_name, api_keys.name
        ORDER BY sum(prompt_tokens) + sum(completion_tokens) DESC, who LIMIT {PEOPLE_MAX}"
    );
    let mut select = connection.prepare_cached(&sql)?;
    let rows = select.query_map([&range.from, &range.to], |row| {
        let who: String = row.get(0)?;
        let person: Option<String> = row.get(1)?;
        let shown: Option<String> = row.get(2)?;
        let key: Option<String> = row.get(3)?;
        let kind = match (&person, &key) {
            (Some(_), _) => "person",
            (None, Some(_)) => "key",
            (None, None) if who == EARLIER => EARLIER,
            (None, None) => "page",
        };
        let name = shown.filter(|shown| !shown.is_empty()).or(person).or(key).unwrap_or_default();
        Ok(WhoUse { kind, who, name, spent: spent(row, 4)? })
    })?;
    rows.collect()
}

/// Three sums, from this column on.
fn spent(row: &DbRow<'_>, from: usize) -> sql::Result<Spent> {
    let count = |i: usize| -> sql::Result<u64> { Ok(row.get::<_, i64>(from + i)?.max(0) as u64) };
    Ok(Spent { requests: count(0)?, prompt_tokens: count(1)?, completion_tokens: count(2)? })
}

/// Use that is older than the house keeps who did what is nobody's any more; its sums stay. Quotas look at
/// no more than a month.
pub fn forget_older(connection: &Connection, days: u32) -> sql::Result<()> {
    let days = u64::from(days).max(62);
    let before = day_of(now_s().saturating_sub(days * DAY_S));
    let sql = format!(
        "INSERT INTO usage (who, day, model, place, requests, prompt_tokens, completion_tokens)
        SELECT '{EARLIER}', day, model, place, sum(requests), sum(prompt_tokens),
            sum(completion_tokens)
        FROM usage WHERE day < ?1 AND who <> '{EARLIER}' AND {ONCE} GROUP BY day, model, place
        ON CONFLICT (who, day, model, place) DO UPDATE SET
            requests = usage.requests + excluded.requests,
            prompt_tokens = usage.prompt_tokens + excluded.prompt_tokens,
            completion_tokens = usage.completion_tokens + excluded.completion_tokens"
    );
    connection.execute(&sql, [&before])?;
    let sql = "DELETE FROM usage WHERE day < ?1 AND who <> ?2";
    connection.execute(sql, [before.as_str(), EARLIER])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_days() {
        for (text, is_one) in [
            ("2026-11-26", true),
            ("2026-1-26", false),
            ("2026-13-01", false),
            ("2026-11-00", false),
            ("2026-11-26-1", false),
            ("2026-11-'x", false),
            ("", false),
        ] {
            assert_eq!(is_day(text), is_one, "{text}");
        }
        let range = |from: &str, to: &str| {
            let query = RangeQuery { from: Some(from.to_owned()), to: Some(to.to_owned()) };
            Range::new(query).is_ok()
        };
        assert!(range("2026-01-01", "2026-01-01") && range("2024-01-01", "2026-12-31"));
        assert!(!range("2026-01-02", "2026-01-01") && !range("2023-12-31", "2026-01-01"));
    }
}
