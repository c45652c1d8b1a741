//! What was used, added up for the plots; and what energy and money that comes to by the house's figures.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::calendar::{Grain, number_from_day};
use crate::texts::Text;

/// Where it was computed, in the order in which plots show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Device,
    Server,
    Upstream,
    /// It was not counted yet.
    Unknown,
}

impl Place {
    pub const ALL: [Self; 4] = [Self::Device, Self::Server, Self::Upstream, Self::Unknown];

    pub fn from_name(name: &str) -> Self {
        match name {
            "device" => Self::Device,
            "server" => Self::Server,
            "upstream" => Self::Upstream,
            _ => Self::Unknown,
        }
    }

    pub fn index(self) -> usize {
        self as usize
    }

    pub fn text(self) -> Text {
        match self {
            Self::Device => Text::UsageDevices,
            Self::Server => Text::UsageServer,
            Self::Upstream => Text::UsageUpstreams,
            Self::Unknown => Text::UsageUnknown,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Sum {
    pub requests: u64,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
}

impl Sum {
    pub fn tokens(self) -> u64 {
        self.prompt_tokens + self.completion_tokens
    }

    pub fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.prompt_tokens += other.prompt_tokens;
        self.completion_tokens += other.completion_tokens;
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Row {
    pub day: String,
    pub place: String,
    pub model: String,
    #[serde(flatten)]
    pub sum: Sum,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct GroupUse {
    pub name: String,
    pub n_people: u64,
    #[serde(flatten)]
    pub sum: Sum,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct WhoUse {
    pub kind: String,
    pub who: String,
    pub name: String,
    #[serde(flatten)]
    pub sum: Sum,
}

/// Whose use is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Detail {
    House,
    #[default]
    Groups,
    People,
}

impl Detail {
    pub const ALL: [Self; 3] = [Self::House, Self::Groups, Self::People];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::House => "house",
            Self::Groups => "groups",
            Self::People => "people",
        }
    }

    pub fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|detail| detail.as_str() == name).unwrap_or_default()
    }

    pub fn text(self) -> Text {
        match self {
            Self::House => Text::UsageDetailHouse,
            Self::Groups => Text::UsageDetailGroups,
            Self::People => Text::UsageDetailPeople,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Price {
    pub currency: String,
    pub per_million_prompt: f64,
    pub per_million_completion: f64,
    #[serde(default)]
    pub of: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Energy {
    pub device: f64,
    pub server: f64,
    pub upstream: f64,
    pub prompt_share: f64,
    pub overhead: f64,
    pub unknown_billions: f64,
}

/// `GET`, `PUT /api/usage/settings`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub detail: Detail,
    pub asks_devices: bool,
    pub price: Option<Price>,
    pub energy: Energy,
}

/// `GET /api/usage`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Usage {
    pub from: String,
    pub to: String,
    pub rows: Vec<Row>,
    pub groups: Option<Vec<GroupUse>>,
    pub n_small_groups: u64,
    pub people: Option<Vec<WhoUse>>,
    pub people_min: u64,
    /// By model.
    pub parameters: BTreeMap<String, u64>,
    pub settings: Settings,
}

/// A stretch of days, by place.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    /// Its first day, in days since 1970.
    pub first: i64,
    pub places: [Sum; 4],
}

/// A model's use, by place.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelUse {
    pub model: String,
    pub places: [Sum; 4],
}

impl ModelUse {
    pub fn tokens(&self) -> u64 {
        self.places.iter().map(|sum| sum.tokens()).sum()
    }
}

impl Usage {
    pub fn grain(&self) -> Grain {
        let (from, to) = self.days();
        Grain::of(to - from + 1)
    }

    fn days(&self) -> (i64, i64) {
        let to = number_from_day(&self.to).unwrap_or_default();
        (number_from_day(&self.from).unwrap_or(to), to)
    }

    /// All stretches of the time that was asked for, also those without any use.
    pub fn stretches(&self) -> Vec<Stretch> {
        let (grain, (from, to)) = (self.grain(), self.days());
        let firsts = grain.firsts(from, to).into_iter();
        let mut all: Vec<Stretch> =
            firsts.map(|first| Stretch { first, places: Default::default() }).collect();
        for row in &self.rows {
            let Some(first) = number_from_day(&row.day).map(|day| grain.first(day)) else {
                continue;
            };
            if let Some(stretch) = all.iter_mut().find(|stretch| stretch.first == first) {
                stretch.places[Place::from_name(&row.place).index()].add(row.sum);
            }
        }
        all
    }

    /// All of it, by place.
    pub fn places(&self) -> [Sum; 4] {
        let mut places: [Sum; 4] = Default::default();
        for row in &self.rows {
            places[Place::from_name(&row.place).index()].add(row.sum);
        }
        places
    }

    pub fn total(&self) -> Sum {
        let mut total = Sum::default();
        self.places().into_iter().for_each(|sum| total.add(sum));
        total
    }

    /// The most used first.
    pub fn models(&self) -> Vec<ModelUse> {
        let mut all: Vec<ModelUse> = Vec::new();
        for row in &self.rows {
            let place = Place::from_name(&row.place).index();
            match all.iter_mut().find(|known| known.model == row.model) {
                Some(known) => known.places[place].add(row.sum),
                None => {
                    let mut new = ModelUse { model: row.model.clone(), places: Default::default() };
                    new.places[place].add(row.sum);
                    all.push(new);
                }
            }
        }
        all.sort_by(|a, b| b.tokens().cmp(&a.tokens()).then_with(|| a.model.cmp(&b.model)));
        all
    }

    /// Joules by place, by these figures.
    pub fn joules(&self, energy: Energy) -> [f64; 4] {
        let mut joules = [0.0; 4];
        for row in &self.rows {
            let place = Place::from_name(&row.place);
            let parameters = self.parameters.get(&row.model);
            let billions = parameters.map_or(energy.unknown_billions, |&n| n as f64 / 1e9);
            joules[place.index()] += self::joules(row.sum, place, billions, energy);
        }
        joules
    }
}

/// (written tokens + prompt's tokens × share) × joules a token and billion parameters × billions × overhead.
/// Use whose place was not counted is taken for this server's: people's devices were not counted then.
fn joules(sum: Sum, place: Place, billions: f64, energy: Energy) -> f64 {
    let (per_token, overhead) = match place {
        // A laptop has no hall that is cooled.
        Place::Device => (energy.device, 1.0),
        Place::Server | Place::Unknown => (energy.server, energy.overhead),
        Place::Upstream => (energy.upstream, energy.overhead),
    };
    let tokens = sum.completion_tokens as f64 + sum.prompt_tokens as f64 * energy.prompt_share;
    tokens * per_token * billions * overhead
}

/// What the tokens would have cost.
pub fn cost(sum: Sum, price: &Price) -> f64 {
    (sum.prompt_tokens as f64 * price.per_million_prompt
        + sum.completion_tokens as f64 * price.per_million_completion)
        / 1e6
}

/// Joules in the unit that reads well: its number, and `Wh` or `kWh`.
pub fn watt_hours(joules: f64) -> (f64, &'static str) {
    let watt_hours = joules / 3_600.0;
    if watt_hours < 1_000.0 { (watt_hours, "Wh") } else { (watt_hours / 1_000.0, "kWh") }
}

/// A figure as somebody types it, with a comma or a point before its decimals.
pub fn figure(text: &str) -> Option<f64> {
    let text = text.trim().replace(',', ".");
    let is_plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    text.parse::<f64>().ok().filter(|value| is_plain && value.is_finite())
}

/// A figure as a form shows it.
pub fn typed(value: f64) -> String {
    value.to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn usage() -> Usage {
        let row = |day: &str, place: &str, model: &str, requests: u64| {
            json!({ "day": day, "place": place, "model": model, "requests": requests,
                "prompt_tokens": 100 * requests, "completion_tokens": 10 * requests })
        };
        serde_json::from_value(json!({
            "from": "2026-11-24", "to": "2026-11-26",
            "rows": [
                row("2026-11-24", "server", "small", 1),
                row("2026-11-26", "server", "small", 2),
                row("2026-11-26", "device", "small", 3),
                row("2026-11-26", "upstream", "large", 4),
                row("2026-11-26", "", "small", 5),
            ],
            "groups": null, "n_small_groups": 0, "people": null, "people_min": 3,
            "parameters": { "small": 500_000_000_u64 },
            "settings": { "detail": "groups", "asks_devices": false, "price": null, "energy": {
                "device": 1.0, "server": 2.0, "upstream": 0.5, "prompt_share": 0.1,
                "overhead": 1.5, "unknown_billions": 8.0 } },
        }))
        .expect("an answer")
    }

    #[test]
    fn every_row_is_in_every_sum_once() {
        let usage = usage();
        let requests = |places: &[Sum; 4]| places.map(|sum| sum.requests);
        let stretches = usage.stretches();
        assert_eq!(stretches.len(), 3, "the day without any use too");
        assert_eq!(requests(&stretches[0].places), [0, 1, 0, 0]);
        assert_eq!(requests(&stretches[1].places), [0; 4]);
        assert_eq!(requests(&stretches[2].places), [3, 2, 4, 5]);
        assert_eq!(requests(&usage.places()), [3, 3, 4, 5]);
        let models = usage.models();
        assert_eq!(
            models.iter().map(|one| one.model.as_str()).collect::<Vec<_>>(),
            ["small", "large"]
        );
        assert_eq!(requests(&models[0].places), [3, 3, 0, 5]);
        assert_eq!((usage.total().requests, usage.total().tokens()), (15, 15 * 110));
    }

    #[test]
    fn a_row_of_another_time_is_in_no_stretch_and_the_time_decides_their_width() {
        let mut usage = usage();
        usage.rows[0].day = "2026-11-20".into();
        let requests = |stretch: &Stretch| stretch.places.map(|sum| sum.requests);
        assert_eq!(usage.stretches().iter().map(requests).collect::<Vec<_>>()[..2], [[0; 4]; 2]);
        // Both days count: 45 of them are bars of a day, 46 are weeks.
        usage.to = "2026-11-26".into();
        for (from, grain) in [("2026-10-13", Grain::Day), ("2026-10-12", Grain::Week)] {
            usage.from = from.into();
            assert_eq!(usage.grain(), grain, "{from}");
        }
        usage.from = "once".into();
        assert_eq!(usage.stretches().len(), 1, "a day that is none: that of the end");
    }

    #[test]
    fn models_of_the_same_use_stand_by_their_names_and_details_are_read_back() {
        let mut usage = usage();
        for (row, model) in usage.rows.iter_mut().zip(["c", "b", "a", "d", "e"]) {
            row.model = model.into();
            row.sum = Sum { requests: 1, prompt_tokens: 1, completion_tokens: 1 };
        }
        let names: Vec<String> = usage.models().into_iter().map(|one| one.model).collect();
        assert_eq!(names, ["a", "b", "c", "d", "e"]);
        for detail in Detail::ALL {
            assert_eq!(Detail::from_name(detail.as_str()), detail);
        }
        assert_eq!(Detail::from_name("?"), Detail::Groups);
    }

    #[test]
    fn energy_and_price_follow_the_figures() {
        let usage = usage();
        let joules = usage.joules(usage.settings.energy);
        // 10 + 100 × 0.1 = 20 weighed tokens a request.
        let expected = [
            3.0 * 20.0 * 1.0 * 0.5,
            3.0 * 20.0 * 2.0 * 0.5 * 1.5,
            4.0 * 20.0 * 0.5 * 8.0 * 1.5,
            5.0 * 20.0 * 2.0 * 0.5 * 1.5,
        ];
        for (found, expected) in joules.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{joules:?}");
        }
        let price =
            Price { per_million_prompt: 2.0, per_million_completion: 10.0, ..Price::default() };
        let sum = Sum { requests: 1, prompt_tokens: 500_000, completion_tokens: 100_000 };
        assert!((cost(sum, &price) - 2.0).abs() < 1e-12);
        assert_eq!(watt_hours(3_600.0), (1.0, "Wh"));
        assert_eq!(watt_hours(7_200_000.0), (2.0, "kWh"));
        assert_eq!(watt_hours(3_600_000.0), (1.0, "kWh"));
    }

    #[test]
    fn figures_are_read_as_people_type_them() {
        for (text, value) in [
            ("2,5", Some(2.5)),
            (" 0.05 ", Some(0.05)),
            ("3", Some(3.0)),
            ("", None),
            ("-1", None),
            ("1e9", None),
            ("inf", None),
            ("1.2.3", None),
            (".", None),
        ] {
            assert_eq!(figure(text), value, "{text}");
        }
        assert_eq!(figure(&typed(0.05)), Some(0.05));
    }
}
