//! What can the house's devices do, without anybody being able to tell whose is which?
//!
//! A browser says it where house and person want it, at most once a month, in classes that many devices
//! share. Each fact is counted by itself: no row of the database is one device's, and which memory goes with
//! which graphics is not kept. New answers wait until there are three of them and are then shown together, so
//! that who looks before and after somebody came learns nothing of them; a class is shown when three devices
//! are in it and three are not.

use std::collections::BTreeMap;

use portico_shared::error::ApiError;
use serde::{Deserialize, Serialize};

use super::Usage;
use crate::db::sql::{self, Connection};
use crate::keys::{day_of, now_s};
use crate::people::invalid;

/// So many devices are shown together at least.
pub const DEVICES_MIN: u64 = 3;
const MODELS_MAX: usize = 500;
/// Months that are kept and shown.
const MONTHS_MAX: u64 = 12;
const MONTH_S: u64 = 31 * 86_400;
/// Counts the answers themselves.
const ALL: &str = "all";
/// Where what is too rare to be shown stands together.
const OTHERS: &str = "others";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gpu {
    /// The browser has no WebGPU.
    None,
    Apple,
    Amd,
    Arm,
    Intel,
    Nvidia,
    Qualcomm,
    Other,
}

impl Gpu {
    fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Apple => "apple",
            Self::Amd => "amd",
            Self::Arm => "arm",
            Self::Intel => "intel",
            Self::Nvidia => "nvidia",
            Self::Qualcomm => "qualcomm",
            Self::Other => "other",
        }
    }
}

/// What a device says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceReport {
    pub gpu: Gpu,
    /// As browsers round it; 0 where it is not told.
    pub memory_gib: u32,
    pub f16: bool,
    pub subgroups: bool,
    /// The longest buffer, rounded down; 0 without WebGPU.
    pub buffer_mib: u32,
    /// Ids of the catalogue's models that it can run.
    pub models: Vec<String>,
}

impl DeviceReport {
    /// # Errors
    /// `invalid_request`, for what is no class: it would tell one device from others.
    pub fn check(&self) -> Result<(), ApiError> {
        if ![0, 1, 2, 4, 8, 16, 32].contains(&self.memory_gib) {
            return Err(invalid("memory_gib", "0, 1, 2, 4, 8, 16 or 32"));
        }
        if ![0, 128, 256, 1024, 2048, 4096].contains(&self.buffer_mib) {
            return Err(invalid("buffer_mib", "0, 128, 256, 1024, 2048 or 4096"));
        }
        match self.models.len() <= MODELS_MAX {
            true => Ok(()),
            false => Err(invalid("models", "at most 500")),
        }
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![
            (ALL, String::new()),
            ("gpu", self.gpu.as_str().to_owned()),
            ("memory", self.memory_gib.to_string()),
            ("f16", self.f16.to_string()),
            ("subgroups", self.subgroups.to_string()),
            ("buffer", self.buffer_mib.to_string()),
        ];
        let models: std::collections::BTreeSet<&String> = self.models.iter().collect();
        facts.extend(models.into_iter().map(|model| ("model", model.clone())));
        facts
    }
}

/// So many devices are in a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Class {
    /// `others`: what is too rare to be shown.
    pub value: String,
    pub n: u64,
}

/// How many devices can run a model: exactly, or between two bounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelShare {
    pub model: String,
    pub at_least: u64,
    pub at_most: u64,
}

/// What devices said in a month.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Month {
    pub month: String,
    /// How many devices answered.
    pub n: u64,
    /// `gpu`, `memory`, `f16`, `subgroups`, `buffer`: each adds up to all devices.
    pub facts: BTreeMap<String, Vec<Class>>,
    pub models: Vec<ModelShare>,
}

impl Usage {
    /// Counts what a device said.
    pub async fn count_device(&self, report: &DeviceReport) -> Result<(), ApiError> {
        let facts = report.facts();
        let month = month_of(now_s());
        let oldest = month_of(now_s().saturating_sub(MONTHS_MAX * MONTH_S));
        let counted = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let sql = "DELETE FROM device_counts WHERE month < ?1";
            transaction.execute(sql, [&oldest])?;
            count(&transaction, &month, &facts)?;
            transaction.commit()
        });
        Ok(counted.await?)
    }

    /// The months in which enough devices answered, the newest first.
    pub async fn devices(&self) -> Result<Vec<Month>, ApiError> {
        if !self.db.exists() {
            return Ok(Vec::new());
        }
        let counts = self.db.call(|connection| {
            let sql = "SELECT month, fact, value, n FROM device_counts WHERE n > 0
                ORDER BY month DESC, fact, value";
            let mut select = connection.prepare_cached(sql)?;
            let rows = select.query_map([], |row| {
                let n = row.get::<_, i64>(3)?.max(0) as u64;
                Ok((row.get(0)?, Counted { fact: row.get(1)?, value: row.get(2)?, n }))
            })?;
            rows.collect::<Result<Vec<(String, Counted)>, _>>()
        });
        let mut months: Vec<(String, Vec<Counted>)> = Vec::new();
        for (month, counted) in counts.await? {
            match months.last_mut().filter(|(last, _)| *last == month) {
                Some((_, all)) => all.push(counted),
                None => months.push((month, vec![counted])),
            }
        }
        Ok(months.into_iter().map(|(month, all)| shown(month, all)).collect())
    }
}

/// How many devices said one thing.
struct Counted {
    fact: String,
    value: String,
    n: u64,
}

/// `2026-11`
fn month_of(unix_s: u64) -> String {
    day_of(unix_s).chars().take(7).collect()
}

fn count(connection: &Connection, month: &str, facts: &[(&str, String)]) -> sql::Result<()> {
    let sql = "INSERT INTO device_counts (month, fact, value, held) VALUES (?1, ?2, ?3, 1)
        ON CONFLICT (month, fact, value) DO UPDATE SET held = device_counts.held + 1";
    for (fact, value) in facts {
        connection.prepare_cached(sql)?.execute((month, fact, value))?;
    }
    let sql = "SELECT held FROM device_counts WHERE month = ?1 AND fact = ?2";
    let held = connection.query_row(sql, [month, ALL], |row| row.get::<_, i64>(0))?;
    if held >= DEVICES_MIN as i64 {
        let sql = "UPDATE device_counts SET n = n + held, held = 0 WHERE month = ?1";
        connection.execute(sql, [month])?;
    }
    Ok(())
}

/// What of a month's counts nobody can be told from.
fn shown(month: String, counts: Vec<Counted>) -> Month {
    let n = counts.iter().find(|counted| counted.fact == ALL).map_or(0, |counted| counted.n);
    let mut shown = Month { month, n, ..Month::default() };
    let mut by_fact: BTreeMap<String, Vec<Class>> = BTreeMap::new();
    for Counted { fact, value, n: count } in counts {
        match fact.as_str() {
            ALL => {}
            "model" => shown.models.push(share(value, count, n)),
            _ => by_fact.entry(fact).or_default().push(Class { value, n: count }),
        }
    }
    shown.facts = by_fact.into_iter().map(|(fact, all)| (fact, apart(all, n))).collect();
    shown
}

/// Classes with enough devices in them. The others stand together, and so many with them that they too are
/// enough: what is left over would else be known from the sum.
fn apart(mut classes: Vec<Class>, n: u64) -> Vec<Class> {
    classes.sort_by(|a, b| b.n.cmp(&a.n).then_with(|| a.value.cmp(&b.value)));
    classes.retain(|class| class.n >= DEVICES_MIN);
    let mut rest = n.saturating_sub(classes.iter().map(|class| class.n).sum());
    while rest > 0 && rest < DEVICES_MIN {
        let Some(smallest) = classes.pop() else { break };
        rest += smallest.n;
    }
    if rest > 0 {
        classes.push(Class { value: OTHERS.to_owned(), n: rest });
    }
    classes
}

fn share(model: String, count: u64, n: u64) -> ModelShare {
    let few = DEVICES_MIN - 1;
    let (at_least, at_most) = match (count < DEVICES_MIN, n.saturating_sub(count) < DEVICES_MIN) {
        // Of so few nothing is said.
        (true, true) => (0, n),
        (true, false) => (0, few),
        (false, true) => (n.saturating_sub(few), n),
        (false, false) => (count, count),
    };
    ModelShare { model, at_least, at_most }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(counts: &[(&str, u64)], expected: &[(&str, u64)]) {
        let class = |(value, n): &(&str, u64)| Class { value: (*value).to_owned(), n: *n };
        let n = counts.iter().map(|(_, n)| n).sum();
        let found = apart(counts.iter().map(class).collect(), n);
        assert_eq!(found, expected.iter().map(class).collect::<Vec<_>>(), "{counts:?}");
    }

    #[test]
    fn no_class_of_fewer_than_three_is_shown_nor_follows_from_the_sum() {
        check(&[("intel", 5), ("apple", 3)], &[("intel", 5), ("apple", 3)]);
        check(&[("intel", 5), ("amd", 2), ("arm", 1)], &[("intel", 5), ("others", 3)]);
        // One alone would be known from the sum: the next smallest goes with it.
        check(&[("intel", 5), ("apple", 3), ("arm", 1)], &[("intel", 5), ("others", 4)]);
        check(&[("true", 9), ("false", 1)], &[("others", 10)]);
        check(&[("true", 2), ("false", 1)], &[("others", 3)]);
        // Of two that are as many the same one always stands first, and stays.
        check(&[("b", 3), ("a", 3), ("c", 1)], &[("a", 3), ("others", 4)]);
    }

    #[test]
    fn nearly_all_and_hardly_any_are_told_as_that() {
        let share = |count, n| {
            let ModelShare { at_least, at_most, .. } = share("m".to_owned(), count, n);
            (at_least, at_most)
        };
        assert_eq!(share(5, 10), (5, 5));
        assert_eq!(share(2, 10), (0, 2));
        assert_eq!((share(8, 10), share(10, 10)), ((8, 10), (8, 10)));
        assert_eq!((share(7, 10), share(3, 10)), ((7, 7), (3, 3)));
        assert_eq!((share(1, 3), share(2, 4)), ((0, 3), (0, 4)), "of so few nothing is told");
    }

    #[test]
    fn a_month_has_its_number_its_facts_and_its_models() {
        let counted = |(fact, value, n): (&str, &str, u64)| Counted {
            fact: fact.to_owned(),
            value: value.to_owned(),
            n,
        };
        let said = [
            ("f16", "true", 9),
            ("f16", "false", 1),
            (ALL, "", 10),
            ("gpu", "intel", 6),
            ("gpu", "amd", 4),
            ("model", "tiny", 5),
        ];
        let month = shown("2026-11".to_owned(), said.map(counted).into());
        assert_eq!((month.n, month.facts.len()), (10, 2));
        let facts = |fact: &str| -> Vec<(&str, u64)> {
            month.facts[fact].iter().map(|class| (&*class.value, class.n)).collect()
        };
        assert_eq!(facts("gpu"), [("intel", 6), ("amd", 4)]);
        assert_eq!(facts("f16"), [(OTHERS, 10)], "one of ten would be known");
        let [model] = &month.models[..] else { panic!("one model") };
        assert_eq!((&*model.model, model.at_least, model.at_most), ("tiny", 5, 5));
    }

    #[test]
    fn only_classes_are_taken() {
        let report = |memory_gib, buffer_mib| DeviceReport {
            gpu: Gpu::Intel,
            memory_gib,
            f16: true,
            subgroups: false,
            buffer_mib,
            models: Vec::new(),
        };
        assert!(report(8, 2048).check().is_ok() && report(0, 0).check().is_ok());
        assert!(report(7, 2048).check().is_err() && report(8, 2047).check().is_err());
    }
}
