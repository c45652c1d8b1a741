//! How much of what was used does the house want to see, and by which figures does it reckon?

use portico_shared::error::ApiError;
use serde::{Deserialize, Serialize};

use super::Usage;
use crate::db::sql::{self, Connection, OptionalExtension as _};
use crate::people::invalid;

/// Under which they are kept among the house's own.
const NAME: &str = "usage";
const NAME_CHARS_MAX: usize = 60;

/// Whose use is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Detail {
    /// The house's as a whole.
    House,
    /// That of groups, where enough people are behind it.
    #[default]
    Groups,
    /// Also each person's.
    People,
}

/// What the same tokens would cost elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// ISO 4217: `EUR`
    pub currency: String,
    pub per_million_prompt: f64,
    pub per_million_completion: f64,
    /// Whose price it is, in the house's words.
    #[serde(default)]
    pub of: String,
}

/// By what energy is reckoned: joules = tokens × joules a token × parameters in billions, a token of a prompt
/// counting as a share of one that is written, times what the place needs besides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Energy {
    /// Joules for a written token and a billion parameters, by place.
    pub device: f64,
    pub server: f64,
    pub upstream: f64,
    /// Of a written token's.
    pub prompt_share: f64,
    /// What cooling and supply add where the house's machines stand: 1 is nothing (PUE).
    pub overhead: f64,
    /// Parameters, in billions, of a model of which nothing is known.
    pub unknown_billions: f64,
}

impl Default for Energy {
    /// Assumptions, not measurements of this house; `docs/usage.md` says where each comes from.
    fn default() -> Self {
        Self {
            device: 1.0,
            server: 1.5,
            upstream: 0.05,
            prompt_share: 0.1,
            overhead: 1.5,
            unknown_billions: 8.0,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub detail: Detail,
    /// Whether people may say what their devices can do.
    pub asks_devices: bool,
    pub price: Option<Price>,
    pub energy: Energy,
}

impl Settings {
    /// # Errors
    /// `invalid_request`, for figures that are none.
    pub fn check(&self) -> Result<(), ApiError> {
        let within = |value: f64, least: f64, most: f64| value >= least && value <= most;
        if let Some(price) = &self.price {
            let is_code =
                price.currency.len() == 3 && price.currency.bytes().all(|b| b.is_ascii_uppercase());
            if !is_code {
                return Err(invalid("price.currency", "three capital letters, such as EUR"));
            }
            let prices = [price.per_million_prompt, price.per_million_completion];
            if !prices.iter().all(|&price| within(price, 0.0, 1e6)) {
                return Err(invalid("price", "a price for a million tokens is 0 to 1,000,000"));
            }
            let is_name = price.of.chars().count() <= NAME_CHARS_MAX;
            if !is_name || price.of.chars().any(char::is_control) {
                return Err(invalid("price.of", "at most 60 characters"));
            }
        }
        let energy = self.energy;
        for (param, value, least, most) in [
            ("energy.device", energy.device, 0.0, 1e4),
            ("energy.server", energy.server, 0.0, 1e4),
            ("energy.upstream", energy.upstream, 0.0, 1e4),
            ("energy.prompt_share", energy.prompt_share, 0.0, 1.0),
            ("energy.overhead", energy.overhead, 1.0, 10.0),
            ("energy.unknown_billions", energy.unknown_billions, 0.0, 1e4),
        ] {
            if !within(value, least, most) {
                return Err(invalid(param, &format!("a number from {least} to {most}")));
            }
        }
        Ok(())
    }
}

pub(super) fn kept(connection: &Connection) -> sql::Result<Settings> {
    let mut select = connection.prepare_cached("SELECT value FROM house WHERE name = ?1")?;
    let kept: Option<String> = select.query_row([NAME], |row| row.get(0)).optional()?;
    let read = kept.map(|kept| serde_json::from_str(&kept)).transpose();
    let read = read.inspect_err(|error| tracing::error!(%error, "the usage's settings are lost"));
    Ok(read.ok().flatten().unwrap_or_default())
}

impl Usage {
    /// # Errors
    /// `invalid_request`
    pub async fn set_settings(&self, settings: &Settings) -> Result<(), ApiError> {
        settings.check()?;
        let json = serde_json::json!(settings).to_string();
        let sql = "INSERT INTO house (name, value) VALUES (?1, ?2)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.db.call(move |connection| connection.execute(sql, (NAME, json))).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn figures_that_are_none_are_refused() {
        #[track_caller]
        fn check(settings: Value, is_good: bool) {
            let read = serde_json::from_value::<Settings>(settings.clone());
            let read = read.map_err(|error| error.to_string());
            let checked = read.and_then(|read| read.check().map_err(|error| error.to_string()));
            assert_eq!(checked.is_ok(), is_good, "{settings}");
        }
        let price = |currency: &str, prompt: f64| {
            json!({ "price": { "currency": currency, "per_million_prompt": prompt,
                "per_million_completion": 10.0 } })
        };
        check(json!({}), true);
        check(json!({ "detail": "people", "asks_devices": true }), true);
        check(json!({ "detail": "everything" }), false);
        check(price("EUR", 2.5), true);
        check(price("Euro", 2.5), false);
        check(price("EUR", -1.0), false);
        check(json!({ "energy": { "overhead": 1.2 } }), true);
        check(json!({ "energy": { "overhead": 0.5 } }), false);
        check(json!({ "energy": { "laptop": 1.0 } }), false);
    }
}
