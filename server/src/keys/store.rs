//! Which keys are there, and what may each do?

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use portico_shared::error::{ApiError, ErrorCode};
use subtle::ConstantTimeEq as _;

use super::book::spent_by_database;
use super::quota::{TokenQuota, UsedUp, month};
use super::{Bucket, KeySecret, Spent, UsageBook, day_of, hash_of, id_of, now_s};
use crate::db::sql::{self, Connection, OptionalExtension as _, Row};
use crate::db::{Db, DbError};
use crate::people::{PersonId, Scope, is_group_name};

/// Longest name of a key.
const NAME_CHARS_MAX: usize = 100;
/// Callers whose speed is remembered; beyond it, those who have been quiet are forgotten.
const BUCKETS_MAX: usize = 10_000;

/// What a key may use; none is without limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyLimits {
    /// Names of models, as they are asked for.
    pub models: Option<Vec<String>>,
    pub requests_per_minute: Option<u64>,
    pub tokens_per_minute: Option<u64>,
    pub tokens_per_day: Option<u64>,
    pub tokens_per_month: Option<u64>,
}

/// A key as it is kept: its text is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub id: String,
    pub name: String,
    /// Seconds since 1970.
    pub created_s: u64,
    pub expires_s: Option<u64>,
    pub revoked_s: Option<u64>,
    pub limits: KeyLimits,
    /// Whose documents it reads, beside everyone's.
    pub groups: Vec<String>,
    /// Whether it manages every collection.
    pub is_admin: bool,
    /// Whose it is; none: the house's own.
    pub person: Option<PersonId>,
    /// What it is for; none is everything but deciding about people.
    pub scopes: Option<Vec<Scope>>,
    /// To a minute.
    pub last_used_s: Option<u64>,
}

/// A key that is wanted.
#[derive(Clone, Debug, Default)]
pub struct NewKey {
    pub name: String,
    pub expires_s: Option<u64>,
    pub limits: KeyLimits,
    pub groups: Vec<String>,
    pub is_admin: bool,
    pub person: Option<PersonId>,
    pub scopes: Option<Vec<Scope>>,
}

#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
    #[error("a key's name has 1 to {NAME_CHARS_MAX} characters")]
    Name,
    #[error("`{0}` is no name of a group: 1 to 64 characters, none of them a control character")]
    Group(String),
    #[error("there already is a key named `{0}`")]
    Exists(String),
    #[error("there is no key `{0}`")]
    NotFound(String),
}

impl From<KeysError> for ApiError {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Db(error) => error.into(),
            KeysError::Random(_) => ApiError::new(ErrorCode::Internal).detail(error),
            KeysError::Name | KeysError::Group(_) => {
                ApiError::new(ErrorCode::InvalidRequest).with("reason", error)
            }
            KeysError::Exists(name) => ApiError::new(ErrorCode::KeyExists).with("key", name),
            KeysError::NotFound(name) => ApiError::new(ErrorCode::KeyNotFound).with("key", name),
        }
    }
}

/// The keys, what was used with them, and how fast.
#[derive(Debug)]
pub struct Keys {
    db: Db,
    pub book: UsageBook,
    speeds: Mutex<HashMap<String, Speed>>,
}

#[derive(Debug)]
struct Speed {
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    last: Instant,
}

impl Keys {
    pub fn new(db: Db) -> Arc<Self> {
        Arc::new(Self { db, book: UsageBook::default(), speeds: Mutex::default() })
    }

    /// Makes a key; its text is in the answer and nowhere else.
    pub fn create(&self, new: &NewKey) -> Result<(Key, KeySecret), KeysError> {
        let name = new.name.trim();
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
            return Err(KeysError::Name);
        }
        if let Some(group) = new.groups.iter().find(|group| !is_group_name(group)) {
            return Err(KeysError::Group(group.clone()));
        }
        let secret = KeySecret::new().map_err(KeysError::Random)?;
        let key = Key {
            id: secret.id.clone(),
            name: name.to_owned(),
            created_s: now_s(),
            expires_s: new.expires_s,
            revoked_s: None,
            limits: new.limits.clone(),
            groups: new.groups.clone(),
            is_admin: new.is_admin,
            person: new.person,
            scopes: new.scopes.clone(),
            last_used_s: None,
        };
        let is_new = self.db.call_blocking(|connection| insert(connection, &key, &secret))?;
        if is_new { Ok((key, secret)) } else { Err(KeysError::Exists(key.name)) }
    }

    /// All keys, with what each has used today and this month.
    pub fn list(&self) -> Result<Vec<(Key, Spent, Spent)>, KeysError> {
        self.list_of(None)
    }

    /// Those of one person.
    pub fn list_of(&self, person: Option<PersonId>) -> Result<Vec<(Key, Spent, Spent)>, KeysError> {
        let today = day_of(now_s());
        let listed = self.db.call_blocking(|connection| {
            let sql = format!("{SELECT} WHERE person = ?1 OR ?1 IS NULL ORDER BY created_s, name");
            let mut select = connection.prepare(&sql)?;
            let keys = select.query_map([person], key_from_row)?.collect::<Result<Vec<_>, _>>()?;
            keys.into_iter()
                .map(|key| {
                    let day = spent_by_database(connection, &key.id, &today)?;
                    let month = spent_by_database(connection, &key.id, month(&today))?;
                    Ok((key, day, month))
                })
                .collect()
        });
        Ok(listed?)
    }

    /// Ends a key, by its id or its name; running answers finish.
    pub fn revoke(&self, id_or_name: &str) -> Result<Key, KeysError> {
        let found = self.db.call_blocking(|connection| {
            let sql = format!("{SELECT} WHERE (id = ?1 OR name = ?1) AND revoked_s IS NULL");
            let key = connection.query_row(&sql, [id_or_name], key_from_row).optional()?;
            if let Some(key) = &key {
                let sql = "UPDATE api_keys SET revoked_s = ?2 WHERE id = ?1";
                connection.execute(sql, (&key.id, now_s() as i64))?;
            }
            Ok(key)
        });
        found?.ok_or_else(|| KeysError::NotFound(id_or_name.to_owned()))
    }

    /// Ends one of a person's own.
    pub fn revoke_of(&self, person: PersonId, id: &str) -> Result<(), KeysError> {
        let n = self.db.call_blocking(|connection| {
            let sql = "UPDATE api_keys SET revoked_s = ?3
                WHERE id = ?1 AND person = ?2 AND revoked_s IS NULL";
            connection.execute(sql, (id, person, now_s() as i64))
        })?;
        if n == 1 { Ok(()) } else { Err(KeysError::NotFound(id.to_owned())) }
    }

    /// Whether a caller has used up what it may, and what it was; the quota of a key or of a person.
    pub async fn used_up(
        self: &Arc<Self>,
        who: String,
        quota: TokenQuota,
    ) -> Result<Option<UsedUp>, ApiError> {
        if quota == TokenQuota::default() {
            return Ok(None);
        }
        let keys = Arc::clone(self);
        let used_up =
            self.db.call(move |connection| keys.book.used_up(connection, &who, quota)).await?;
        Ok(used_up)
    }

    /// What a caller has used today and this month.
    pub async fn spent(self: &Arc<Self>, who: String) -> Result<(Spent, Spent), ApiError> {
        if !self.db.exists() {
            return Ok(Default::default());
        }
        let keys = Arc::clone(self);
        let spent = self.db.call(move |connection| {
            let today = day_of(now_s());
            let day = keys.book.spent(connection, &who, &today)?;
            Ok((day, keys.book.spent(connection, &who, month(&today))?))
        });
        Ok(spent.await?)
    }

    /// Who sent this key, if it may be used now and its quota is not used up.
    ///
    /// # Errors
    /// `invalid_api_key`, `insufficient_quota`, `rate_limit_exceeded`.
    pub async fn admit(self: &Arc<Self>, text: &str) -> Result<Key, ApiError> {
        let invalid = || ApiError::new(ErrorCode::InvalidApiKey);
        let id = id_of(text).ok_or_else(invalid)?.to_owned();
        let hash = hash_of(text);
        let keys = Arc::clone(self);
        let found = self.db.call(move |connection| {
            let sql = format!("{SELECT} WHERE id = ?1");
            let mut select = connection.prepare_cached(&sql)?;
            let row = |row: &Row<'_>| Ok((key_from_row(row)?, row.get::<_, Vec<u8>>("hash")?));
            let found = select.query_row([&id], row).optional()?;
            drop(select);
            let Some((key, kept)) = found else { return Ok(None) };
            if !bool::from(kept.ct_eq(&hash)) {
                return Ok(None);
            }
            note_use(connection, &key)?;
            let quota = TokenQuota::of(&key.limits);
            let used_up = keys.book.used_up(connection, &key.id, quota)?;
            Ok(Some((key, used_up)))
        });
        let (key, used_up) = found.await?.ok_or_else(invalid)?;
        if key.revoked_s.is_some() || key.expires_s.is_some_and(|expires_s| expires_s <= now_s()) {
            return Err(invalid());
        }
        if let Some(used_up) = used_up {
            return Err(used_up.error(ErrorCode::QuotaUsedUp));
        }
        self.pace(&key.id, &key.limits)?;
        Ok(key)
    }

    /// Counts tokens that were used against the caller's speed.
    pub fn spend(&self, who: &str, tokens: u64) {
        let mut speeds = self.speeds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = speeds.get_mut(who).and_then(|speed| speed.tokens.as_mut()) {
            bucket.spend(tokens, Instant::now());
        }
    }

    /// Whether the database can be read.
    pub async fn check(&self) -> Result<(), ApiError> {
        Ok(self.db.call(|connection| connection.execute_batch("SELECT 1")).await?)
    }

    /// Writes what was counted, at the end.
    pub fn close(&self) -> Result<(), DbError> {
        self.book.write(&self.db)
    }

    /// Writes what was counted, for ever.
    pub async fn keep_writing(&self) {
        self.book.keep_writing(&self.db).await;
    }

    /// Takes one request from the caller's buckets; the tokens of earlier ones must be paid off.
    fn pace(&self, who: &str, limits: &KeyLimits) -> Result<(), ApiError> {
        if limits.requests_per_minute.is_none() && limits.tokens_per_minute.is_none() {
            return Ok(());
        }
        let now = Instant::now();
        let mut speeds = self.speeds.lock().unwrap_or_else(PoisonError::into_inner);
        if speeds.len() >= BUCKETS_MAX {
            // A bucket that was left alone for a minute is full again.
            speeds.retain(|_, speed| now - speed.last < Duration::from_secs(60));
        }
        let speed = speeds.entry(who.to_owned()).or_insert_with(|| Speed {
            requests: None,
            tokens: None,
            last: now,
        });
        speed.last = now;
        renew(&mut speed.requests, limits.requests_per_minute, now);
        renew(&mut speed.tokens, limits.tokens_per_minute, now);
        let take = |bucket: &mut Option<Bucket>| match bucket {
            Some(bucket) => bucket.take(1, now),
            None => Ok(()),
        };
        let taken = take(&mut speed.tokens).and_then(|()| take(&mut speed.requests));
        taken.map_err(|wait| {
            let retry_after_s = wait.as_secs_f64().ceil().max(1.0);
            ApiError::new(ErrorCode::RateLimited).with("retry_after_s", retry_after_s)
        })
    }
}

/// Another limit than before begins anew.
fn renew(bucket: &mut Option<Bucket>, per_minute: Option<u64>, now: Instant) {
    if bucket.as_ref().map(Bucket::per_minute) != per_minute {
        *bucket = per_minute.map(|per_minute| Bucket::new(per_minute, now));
    }
}

const SELECT: &str = "SELECT id, name, hash, created_s, expires_s, revoked_s, models,
    requests_per_minute, tokens_per_minute, tokens_per_day, tokens_per_month, groups, is_admin, person,
    scopes, last_used_s FROM api_keys";

/// How exactly it is known when a key was last used.
const SEEN_EVERY_S: u64 = 60;

fn note_use(connection: &Connection, key: &Key) -> sql::Result<()> {
    let now_s = now_s();
    if key.last_used_s.is_none_or(|last_s| now_s.saturating_sub(last_s) >= SEEN_EVERY_S) {
        let sql = "UPDATE api_keys SET last_used_s = ?2 WHERE id = ?1";
        connection.execute(sql, (&key.id, now_s as i64))?;
    }
    Ok(())
}

fn key_from_row(row: &Row<'_>) -> sql::Result<Key> {
    let count = |name: &str| -> sql::Result<Option<u64>> {
        Ok(row.get::<_, Option<i64>>(name)?.map(|count| count.max(0) as u64))
    };
    let models = row.get::<_, Option<String>>("models")?;
    Ok(Key {
        id: row.get("id")?,
        name: row.get("name")?,
        created_s: count("created_s")?.unwrap_or_default(),
        expires_s: count("expires_s")?,
        revoked_s: count("revoked_s")?,
        limits: KeyLimits {
            // What cannot be read allows nothing.
            models: models.map(|json| serde_json::from_str(&json).unwrap_or_default()),
            requests_per_minute: count("requests_per_minute")?,
            tokens_per_minute: count("tokens_per_minute")?,
            tokens_per_day: count("tokens_per_day")?,
            tokens_per_month: count("tokens_per_month")?,
        },
        // What cannot be read is nobody's group.
        groups: serde_json::from_str(&row.get::<_, String>("groups")?).unwrap_or_default(),
        is_admin: row.get("is_admin")?,
        person: row.get("person")?,
        // What cannot be read is for nothing.
        scopes: row
            .get::<_, Option<String>>("scopes")?
            .map(|json| serde_json::from_str(&json).unwrap_or_default()),
        last_used_s: count("last_used_s")?,
    })
}

/// False when a key of this name is in use.
fn insert(connection: &Connection, key: &Key, secret: &KeySecret) -> sql::Result<bool> {
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let limits = &key.limits;
    let models = limits.models.as_ref().map(|models| serde_json::json!(models).to_string());
    let sql = "INSERT INTO api_keys (id, name, hash, created_s, expires_s, models,
            requests_per_minute, tokens_per_minute, tokens_per_day, tokens_per_month, groups, is_admin,
            person, scopes)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT DO NOTHING";
    let n_rows = connection.execute(
        sql,
        (
            &key.id,
            &key.name,
            hash_of(&secret.text),
            count(key.created_s),
            key.expires_s.map(count),
            models,
            limits.requests_per_minute.map(count),
            limits.tokens_per_minute.map(count),
            limits.tokens_per_day.map(count),
            limits.tokens_per_month.map(count),
            serde_json::json!(key.groups).to_string(),
            key.is_admin,
            key.person,
            key.scopes.as_ref().map(|scopes| serde_json::json!(scopes).to_string()),
        ),
    )?;
    Ok(n_rows == 1)
}
