//! Has somebody used up what a key or a rule allows for a day or a month?

use portico_shared::error::{ApiError, ErrorCode};

use super::{KeyLimits, UsageBook, day_of, now_s};
use crate::db::sql::{self, Connection};

/// Tokens; none is without limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenQuota {
    pub per_day: Option<u64>,
    pub per_month: Option<u64>,
}

impl TokenQuota {
    pub fn of(limits: &KeyLimits) -> Self {
        Self { per_day: limits.tokens_per_day, per_month: limits.tokens_per_month }
    }
}

/// A quota that nothing is left of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedUp {
    pub quota: u64,
    /// `2026-11-25` or `2026-11`
    pub period: String,
}

impl UsedUp {
    pub fn error(&self, code: ErrorCode) -> ApiError {
        ApiError::new(code).with("quota", self.quota).with("period", &self.period)
    }
}

impl UsageBook {
    /// The first quota of which nothing is left.
    pub fn used_up(
        &self,
        connection: &Connection,
        who: &str,
        quota: TokenQuota,
    ) -> sql::Result<Option<UsedUp>> {
        let today = day_of(now_s());
        for (quota, period) in [(quota.per_day, today.as_str()), (quota.per_month, month(&today))] {
            let Some(quota) = quota else { continue };
            if self.spent(connection, who, period)?.tokens() >= quota {
                return Ok(Some(UsedUp { quota, period: period.to_owned() }));
            }
        }
        Ok(None)
    }
}

/// `2026-11` of `2026-11-25`
pub(super) fn month(day: &str) -> &str {
    day.get(..7).unwrap_or(day)
}
