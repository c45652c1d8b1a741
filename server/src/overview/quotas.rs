//! Whose quota is nearly used up?

use portico_shared::error::ApiError;
use serde::Serialize;

use crate::gateway::Gateway;
use crate::keys::{day_of, now_s};

/// From this share of a limit on.
const NEAR: f64 = 0.8;
/// Most that are named.
const NAMED_MAX: usize = 50;

/// A limit that somebody is near to, or has reached.
#[derive(Debug, Serialize)]
struct Near {
    person: String,
    name: String,
    /// `tokens_per_day`, `tokens_per_month`, `storage_bytes`
    limit: &'static str,
    used: u64,
    max: u64,
}

#[derive(Debug, Serialize)]
pub struct Quotas {
    /// How many people are near a limit of theirs.
    n_people: u64,
    /// The nearest first; null where the house does not look at what each person uses.
    near: Option<Vec<Near>>,
}

pub async fn near(gateway: &Gateway, names_people: bool) -> Result<Quotas, ApiError> {
    let limited = gateway.people.limited().await?;
    if limited.is_empty() {
        return Ok(Quotas { n_people: 0, near: names_people.then(Vec::new) });
    }
    let day = day_of(now_s());
    let month = day.get(..7).unwrap_or(&day).to_owned();
    let today = gateway.usage.tokens_of_all(day).await?;
    let this_month = gateway.usage.tokens_of_all(month).await?;
    let (mut near, mut n_people) = (Vec::new(), 0);
    for (person, may, stored) in limited {
        let id = person.id.to_string();
        let of = |used: &[(String, u64)]| {
            used.iter().find(|(who, _)| *who == id).map_or(0, |(_, tokens)| *tokens)
        };
        let n_before = near.len();
        for (limit, used, max) in [
            ("tokens_per_day", of(&today), may.tokens_per_day),
            ("tokens_per_month", of(&this_month), may.tokens_per_month),
            ("storage_bytes", stored, may.storage_bytes),
        ] {
            // Who may nothing has nothing to use up.
            let Some(max) = max.filter(|&max| max > 0) else { continue };
            if used as f64 >= NEAR * max as f64 {
                let name = Some(&person.display_name).filter(|name| !name.is_empty());
                let name = name.unwrap_or(&person.name).clone();
                near.push(Near { person: id.clone(), name, limit, used, max });
            }
        }
        n_people += u64::from(near.len() > n_before);
    }
    let share = |near: &Near| near.used as f64 / near.max as f64;
    near.sort_by(|a, b| share(b).total_cmp(&share(a)));
    near.truncate(NAMED_MAX);
    Ok(Quotas { n_people, near: names_people.then_some(near) })
}
