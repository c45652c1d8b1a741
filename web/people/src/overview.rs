//! How is the house doing, and what of it needs looking after?

use serde::Deserialize;

use crate::texts::Text;
use crate::usage::Sum;

/// Below this there is soon no room; below the other it is urgent (as `portico doctor` has it).
const FREE_BYTES_LOW: u64 = 10_000_000_000;
const FREE_BYTES_URGENT: u64 = 2_000_000_000;
/// A backup that is older is too old.
const BACKUP_DAYS_MAX: u64 = 8;
const DAY_S: u64 = 86_400;

/// `GET /api/overview`
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Overview {
    pub version: String,
    pub now_s: u64,
    pub upstreams: Vec<Upstream>,
    pub models: Models,
    pub storage: Storage,
    pub backup: Option<Backup>,
    pub jobs: Jobs,
    pub people: PeopleCounts,
    pub quotas: Quotas,
    pub today: Vec<PlaceUse>,
    pub open_streams: i64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Upstream {
    pub id: String,
    pub is_well: bool,
    pub wait_s: u64,
    pub n_running: u64,
    pub max_running: u64,
    pub n_requests: u64,
    pub n_failed: u64,
    pub latency_ms: Option<u64>,
    pub checked_ms: Option<u64>,
    pub well_s: Option<u64>,
    pub fault: Option<Fault>,
    pub models: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Fault {
    pub at_s: u64,
    pub cause: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Models {
    pub loaded: Vec<Loaded>,
    pub memory_budget_bytes: u64,
    pub n_here: u64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Loaded {
    pub id: String,
    pub loading: Option<f64>,
    pub memory_bytes: u64,
    pub n_running: u64,
    pub n_queued: u64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Storage {
    pub free_bytes: Option<u64>,
    pub disk_bytes: Option<u64>,
    pub database_bytes: Option<u64>,
    pub models_bytes: u64,
    pub files_bytes: u64,
    pub files_elsewhere: Option<String>,
    pub database_elsewhere: bool,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Backup {
    pub made_s: u64,
    pub size_bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Jobs {
    pub n_pending: u64,
    pub n_failed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct PeopleCounts {
    pub n: u64,
    pub n_admins: u64,
    pub n_blocked: u64,
    pub n_links: u64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Quotas {
    pub n_people: u64,
    pub near: Option<Vec<Near>>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Near {
    pub person: String,
    pub name: String,
    pub limit: String,
    pub used: u64,
    pub max: u64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PlaceUse {
    pub place: String,
    #[serde(flatten)]
    pub sum: Sum,
}

/// Something that needs looking after.
#[derive(Clone, Debug, PartialEq)]
pub struct Concern {
    /// By which tests and helpers know it.
    pub name: &'static str,
    pub is_urgent: bool,
    pub text: Text,
    /// What goes into the text.
    pub values: Vec<(&'static str, Value)>,
    /// Where to act; none: not on this page.
    pub href: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Count(u64),
    Bytes(u64),
    Name(String),
}

impl Overview {
    /// The urgent first.
    pub fn concerns(&self) -> Vec<Concern> {
        let mut all = Vec::new();
        for upstream in self.upstreams.iter().filter(|upstream| !upstream.is_well) {
            all.push(Concern {
                name: "upstream",
                is_urgent: true,
                text: Text::ConcernUpstream,
                values: vec![("name", Value::Name(upstream.id.clone()))],
                href: None,
            });
        }
        if let Some(free) = self.storage.free_bytes.filter(|&free| free < FREE_BYTES_LOW) {
            all.push(Concern {
                name: "disk",
                is_urgent: free < FREE_BYTES_URGENT,
                text: Text::ConcernDisk,
                values: vec![("bytes", Value::Bytes(free))],
                href: None,
            });
        }
        let n_days =
            self.backup.as_ref().map(|last| self.now_s.saturating_sub(last.made_s) / DAY_S);
        match n_days {
            None => all.push(Concern::of_count("backup", Text::ConcernNoBackup, 0, None)),
            Some(n) if n >= BACKUP_DAYS_MAX => {
                all.push(Concern::of_count("backup", Text::ConcernOldBackup, n, None));
            }
            Some(_) => {}
        }
        let Jobs { n_failed, .. } = self.jobs;
        if n_failed > 0 {
            let text = if n_failed == 1 { Text::ConcernJob } else { Text::ConcernJobs };
            all.push(Concern::of_count("jobs", text, n_failed, Some("#/documents")));
        }
        let n_near = self.quotas.n_people;
        if n_near > 0 {
            let text = if n_near == 1 { Text::ConcernQuota } else { Text::ConcernQuotas };
            all.push(Concern::of_count("quotas", text, n_near, Some("#/people/rules")));
        }
        if self.people.n_admins == 1 && self.people.n > 1 {
            all.push(Concern::of_count("admins", Text::ConcernOneAdmin, 1, Some("#/people")));
        }
        all.sort_by_key(|concern| !concern.is_urgent);
        all
    }

    /// What all models of this process take.
    pub fn memory_bytes(&self) -> u64 {
        self.models.loaded.iter().map(|model| model.memory_bytes).sum()
    }
}

impl Concern {
    fn of_count(name: &'static str, text: Text, n: u64, href: Option<&'static str>) -> Self {
        Self { name, is_urgent: false, text, values: vec![("n", Value::Count(n))], href }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn well() -> Json {
        json!({
            "version": "1", "now_s": 10_000_000, "open_streams": 0, "today": [],
            "upstreams": [{ "id": "gpu", "is_well": true, "wait_s": 0, "n_running": 0,
                "max_running": 8, "n_requests": 3, "n_failed": 0, "latency_ms": 20,
                "checked_ms": null, "well_s": 1, "fault": null, "models": ["m"] }],
            "models": { "loaded": [], "memory_budget_bytes": 1, "n_here": 2 },
            "storage": { "free_bytes": 20_000_000_000_u64, "disk_bytes": null,
                "database_bytes": 1, "models_bytes": 1, "files_bytes": 1, "files_elsewhere": null,
                "database_elsewhere": false },
            "backup": { "made_s": 9_900_000, "size_bytes": 1 },
            "jobs": { "n_pending": 1, "n_failed": 0 },
            "people": { "n": 2, "n_admins": 2, "n_blocked": 1, "n_links": 0 },
            "quotas": { "n_people": 0, "near": null },
        })
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Json), expected: &[(&str, bool)]) {
        let mut told = well();
        change(&mut told);
        let overview: Overview = serde_json::from_value(told).expect("an overview");
        let found: Vec<_> =
            overview.concerns().iter().map(|concern| (concern.name, concern.is_urgent)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_well_is_no_concern_and_what_is_not_is_one() {
        check(|_| {}, &[]);
        check(|told| told["backup"] = Json::Null, &[("backup", false)]);
        check(|told| told["backup"]["made_s"] = json!(9_000_000), &[("backup", false)]);
        check(|told| told["jobs"]["n_failed"] = json!(2), &[("jobs", false)]);
        check(|told| told["quotas"]["n_people"] = json!(1), &[("quotas", false)]);
        check(|told| told["people"]["n_admins"] = json!(1), &[("admins", false)]);
        check(|told| told["storage"]["free_bytes"] = Json::Null, &[]);
        check(|told| told["storage"]["free_bytes"] = json!(5_000_000_000_u64), &[("disk", false)]);
        check(
            |told| {
                told["jobs"]["n_failed"] = json!(1);
                told["storage"]["free_bytes"] = json!(1_000_000_000);
                told["upstreams"][0]["is_well"] = json!(false);
            },
            &[("upstream", true), ("disk", true), ("jobs", false)],
        );
    }
}
