//! What is told of the house's models, and how is it said?

use portico_page::format;
use portico_shared::catalogue::{Kind, Licence};
use portico_shared::error::{ApiError, Lang};
use serde::Deserialize;

use crate::texts::Text;

/// `GET /api/models`
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Listing {
    pub machine: Machine,
    pub job: Option<Job>,
    pub chosen: Chosen,
    pub default_model: Option<String>,
    pub embedder_is_configured: bool,
    pub models: Vec<Model>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Machine {
    pub cpu: String,
    pub isa: String,
    pub is_plain: bool,
    pub n_cores: u64,
    pub n_threads: u64,
    pub gpu: Option<String>,
    pub memory_bytes: Option<u64>,
    pub memory_free_bytes: Option<u64>,
    pub budget_bytes: u64,
    pub disk_free_bytes: Option<u64>,
    pub memory_bytes_per_s: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Chosen {
    pub chat: Option<String>,
    pub embedder: Option<String>,
}

/// `GET /api/models/job`
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct OfJob {
    pub job: Option<Job>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Job {
    pub task: Task,
    pub model: String,
    pub state: State,
    pub phase: Phase,
    pub done_bytes: u64,
    pub total_bytes: Option<u64>,
    pub bytes_per_s: Option<u64>,
    pub left_s: Option<u64>,
    pub error: Option<ApiError>,
    #[serde(default)]
    pub files: Vec<Checked>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    Pull,
    Verify,
    Add,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Running,
    Done,
    Failed,
    Cancelled,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    Fetching,
    Checking,
    Converting,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Checked {
    pub file: String,
    /// `ok`, `unpinned`, `damaged`, `missing`
    pub verdict: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Model {
    pub id: String,
    pub name: String,
    pub kind: Kind,
    pub quantisation: String,
    pub languages: Vec<String>,
    pub added: bool,
    pub presence: Presence,
    pub size_bytes: u64,
    pub part_bytes: u64,
    pub memory_bytes: u64,
    pub has_source: bool,
    pub licence: Licence,
    pub needs_acceptance: bool,
    pub accepted: Option<Accepted>,
    pub on_server: Option<OnServer>,
    pub on_devices: Option<Devices>,
    pub server_allowed: Allowed,
    pub devices_allowed: Allowed,
    pub is_loaded: bool,
    pub collections: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    Here,
    Absent,
    Part,
    Damaged,
}

impl Presence {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Absent => "absent",
            Self::Part => "part",
            Self::Damaged => "damaged",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Accepted {
    pub by: Option<String>,
    pub at_s: i64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct OnServer {
    pub room: Room,
    pub tokens_per_s: Option<f64>,
    pub speed: Option<Speed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Room {
    Fits,
    Tight,
    TooLarge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speed {
    Fast,
    Fluent,
    Slow,
    Crawls,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Devices {
    Most,
    Laptops,
    Strong,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Allowed {
    pub house: bool,
    pub groups: Vec<String>,
    pub not_groups: Vec<String>,
}

impl Allowed {
    /// `everybody`, `everybody but those in staff`, `only board`, `nobody`
    pub fn said(&self, lang: Lang) -> String {
        let Self { house, groups, not_groups } = self;
        let (text, names) = match (house, groups.is_empty(), not_groups.is_empty()) {
            (true, _, true) => (Text::ModelForAll, groups),
            (true, _, false) => (Text::ModelForAllBut, not_groups),
            (false, false, _) => (Text::ModelForGroups, groups),
            (false, true, _) => (Text::ModelForNobody, groups),
        };
        text.fill(lang, &[("groups", &names.join(", "))])
    }
}

impl OnServer {
    /// Whether it has room, and how its answers feel.
    pub fn said(&self, lang: Lang) -> String {
        let room = match self.room {
            Room::TooLarge => return Text::ModelTooLarge.get(lang).to_owned(),
            Room::Tight => format!("{} ", Text::ModelTight.get(lang)),
            Room::Fits => String::new(),
        };
        let (Some(speed), Some(rate)) = (self.speed, self.tokens_per_s) else {
            return format!("{room}{}", Text::ModelFits.get(lang));
        };
        let text = match speed {
            Speed::Fast => Text::ModelFast,
            Speed::Fluent => Text::ModelFluent,
            Speed::Slow => Text::ModelSlow,
            Speed::Crawls => Text::ModelCrawls,
        };
        let decimals = usize::from(rate < 10.0);
        let rate = format::number(lang, rate, decimals);
        format!("{room}{}", text.fill(lang, &[("rate", &rate)]))
    }
}

impl Model {
    pub fn devices_said(&self) -> Text {
        match self.on_devices {
            Some(Devices::Most) => Text::ModelOnMost,
            Some(Devices::Laptops) => Text::ModelOnLaptops,
            Some(Devices::Strong) => Text::ModelOnStrong,
            None => Text::ModelOnNone,
        }
    }

    pub fn licence_name(&self) -> &str {
        match &self.licence.name {
            Some(name) => name,
            None if self.licence.id == "NOASSERTION" => "",
            None => &self.licence.id,
        }
    }

    /// Somebody has to accept its terms first.
    pub fn asks(&self) -> bool {
        self.needs_acceptance && self.accepted.is_none()
    }
}

impl Job {
    pub fn is_running(&self) -> bool {
        self.state == State::Running
    }

    /// `12 MB of 98 MB · 3.1 MB/s · 28 s left`
    pub fn progress_said(&self, lang: Lang) -> String {
        let done = format::bytes(lang, self.done_bytes);
        let mut parts = vec![match self.total_bytes {
            Some(total_bytes) => {
                let total = format::bytes(lang, total_bytes);
                Text::JobBytes.fill(lang, &[("done", &done), ("total", &total)])
            }
            None => done,
        }];
        parts.extend(self.bytes_per_s.map(|rate| format::byte_rate(lang, rate as f64)));
        let left_s = self.left_s.filter(|&left_s| left_s > 0);
        parts.extend(left_s.map(|left_s| {
            Text::JobLeft.fill(lang, &[("time", &format::wait(lang, left_s as f64))])
        }));
        parts.join(" · ")
    }

    /// What is done, or became of it.
    pub fn said(&self) -> Text {
        match (self.state, self.task, self.phase) {
            (State::Running, _, Phase::Converting) => Text::JobConverting,
            (State::Running, Task::Pull, Phase::Fetching) => Text::JobPulling,
            (State::Running, Task::Add, Phase::Fetching) => Text::JobAdding,
            (State::Running, _, _) => Text::JobChecking,
            (State::Done, Task::Pull, _) => Text::JobPulled,
            (State::Done, Task::Add, _) => Text::JobAdded,
            (State::Done, Task::Verify, _) => Text::JobVerified,
            (State::Failed, Task::Verify, _) if self.error.is_none() => Text::JobDamaged,
            (State::Failed, _, _) => Text::JobFailed,
            (State::Cancelled, _, _) => Text::JobCancelled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_is_said_by_the_house_and_its_groups() {
        let of = |house, groups: &[&str], not_groups: &[&str]| {
            let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
            let allowed = Allowed { house, groups: names(groups), not_groups: names(not_groups) };
            allowed.said(Lang::En)
        };
        assert_eq!(of(true, &["board"], &[]), "everybody");
        assert!(of(true, &[], &["staff", "interns"]).contains("staff, interns"));
        assert!(of(false, &["board"], &["staff"]).contains("board"));
        assert_eq!(of(false, &[], &["staff"]), "nobody");
    }

    #[test]
    fn a_servers_share_is_said_with_its_speed() {
        let said = |room, speed, rate| OnServer { room, speed, tokens_per_s: rate }.said(Lang::De);
        assert!(said(Room::Fits, Some(Speed::Slow), Some(3.26)).contains("3,3"));
        assert!(said(Room::Fits, Some(Speed::Fast), Some(123.4)).contains("123 "));
        let large = said(Room::TooLarge, None, None);
        assert_eq!(large, Text::ModelTooLarge.get(Lang::De));
        assert_ne!(said(Room::Tight, None, None), said(Room::Fits, None, None));
    }

    #[test]
    fn progress_says_what_is_known() {
        let mut job = Job {
            task: Task::Pull,
            model: "m".into(),
            state: State::Running,
            phase: Phase::Fetching,
            done_bytes: 12_000_000,
            total_bytes: Some(98_000_000),
            bytes_per_s: Some(3_100_000),
            left_s: Some(28),
            error: None,
            files: Vec::new(),
        };
        assert_eq!(job.progress_said(Lang::En).matches(" · ").count(), 2);
        (job.total_bytes, job.bytes_per_s, job.left_s) = (None, None, None);
        assert_eq!(job.progress_said(Lang::En).matches(" · ").count(), 0);
        assert_eq!(job.said(), Text::JobPulling);
        job.state = State::Cancelled;
        assert_eq!(job.said(), Text::JobCancelled);
    }
}
