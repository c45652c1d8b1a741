//! What does a device say of itself, where house and person want it, and what do many of them come to?
//!
//! Classes that many devices share, never a name, a version or a measure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::calendar::day_from_ms;
use crate::texts::Text;

/// What the browser told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    pub has_gpu: bool,
    /// `GPUAdapterInfo.vendor`
    pub vendor: String,
    /// `navigator.deviceMemory`, where there is one.
    pub memory_gib: Option<f64>,
    pub f16: bool,
    pub subgroups: bool,
    pub buffer_bytes: f64,
}

/// `POST /api/usage/devices`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    gpu: &'static str,
    memory_gib: u32,
    f16: bool,
    subgroups: bool,
    buffer_mib: u32,
    models: Vec<String>,
}

impl Report {
    pub fn new(seen: &Seen, models: Vec<String>) -> Self {
        if !seen.has_gpu {
            let memory_gib = class(&MEMORY_GIB, seen.memory_gib.unwrap_or_default());
            return Self {
                gpu: "none",
                memory_gib,
                f16: false,
                subgroups: false,
                buffer_mib: 0,
                models: Vec::new(),
            };
        }
        Self {
            gpu: gpu_class(&seen.vendor),
            memory_gib: class(&MEMORY_GIB, seen.memory_gib.unwrap_or_default()),
            f16: seen.f16,
            subgroups: seen.subgroups,
            buffer_mib: class(&BUFFER_MIB, seen.buffer_bytes / f64::from(1 << 20)),
            models,
        }
    }
}

const MEMORY_GIB: [u32; 6] = [1, 2, 4, 8, 16, 32];
const BUFFER_MIB: [u32; 5] = [128, 256, 1024, 2048, 4096];
const GPUS: [&str; 6] = ["apple", "amd", "arm", "intel", "nvidia", "qualcomm"];

/// The greatest class that is no greater; 0 where there is none.
fn class(classes: &[u32], value: f64) -> u32 {
    classes.iter().copied().filter(|&class| f64::from(class) <= value).max().unwrap_or(0)
}

fn gpu_class(vendor: &str) -> &'static str {
    let vendor = vendor.to_lowercase();
    GPUS.into_iter().find(|known| vendor == *known).unwrap_or("other")
}

/// By which it is remembered that this browser has answered: `2026-11`.
pub fn month_from_ms(ms: f64) -> String {
    day_from_ms(ms).chars().take(7).collect()
}

/// `GET /api/usage/devices`
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Devices {
    pub asks: bool,
    pub least: u64,
    pub months: Vec<Month>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Month {
    pub month: String,
    pub n: u64,
    pub facts: BTreeMap<String, Vec<Class>>,
    pub models: Vec<ModelShare>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Class {
    pub value: String,
    pub n: u64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ModelShare {
    pub model: String,
    pub at_least: u64,
    pub at_most: u64,
}

impl Devices {
    /// The newest two months' better one: early in a month few have answered.
    pub fn best(&self) -> Option<&Month> {
        let [newest, older] = [self.months.first(), self.months.get(1)];
        match (newest, older) {
            (Some(newest), Some(older)) if older.n > newest.n => Some(older),
            (newest, _) => newest,
        }
    }
}

impl ModelShare {
    /// The sentence, and the numbers in it.
    pub fn text(&self) -> Text {
        match (self.at_least == self.at_most, self.at_least) {
            (true, _) => Text::DevicesRunExactly,
            (false, 0) => Text::DevicesRunAtMost,
            (false, _) => Text::DevicesRunAtLeast,
        }
    }
}

/// What a fact is called.
pub fn fact_text(fact: &str) -> Option<Text> {
    Some(match fact {
        "gpu" => Text::DevicesGpu,
        "memory" => Text::DevicesMemory,
        "f16" => Text::DevicesF16,
        "subgroups" => Text::DevicesSubgroups,
        "buffer" => Text::DevicesBuffer,
        _ => return None,
    })
}

/// What a class is called: a sentence of the table, or as it is.
pub fn class_text(fact: &str, value: &str) -> Result<Text, String> {
    Err(match (fact, value) {
        (_, "others") => return Ok(Text::DevicesOthers),
        ("gpu", "none") => return Ok(Text::DevicesNoGpu),
        ("gpu", "other") => return Ok(Text::DevicesOtherGpu),
        ("gpu", "amd") => "AMD".to_owned(),
        ("gpu", "arm") => "Arm".to_owned(),
        ("gpu", "nvidia") => "NVIDIA".to_owned(),
        ("gpu", vendor) => {
            let mut letters = vendor.chars();
            letters
                .next()
                .map(|first| first.to_uppercase().chain(letters).collect())
                .unwrap_or_default()
        }
        ("memory" | "buffer", "0") => return Ok(Text::DevicesNotSaid),
        ("memory", "8") => "≥\u{a0}8\u{a0}GB".to_owned(),
        ("memory", n) => format!("{n}\u{a0}GB"),
        ("buffer", n) => format!("≥\u{a0}{n}\u{a0}MB"),
        (_, "true") => return Ok(Text::DevicesYes),
        (_, "false") => return Ok(Text::DevicesNo),
        (_, other) => other.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_device_says_classes_only() {
        let seen = Seen {
            has_gpu: true,
            vendor: "Intel".to_owned(),
            memory_gib: Some(7.9),
            f16: true,
            subgroups: false,
            buffer_bytes: 2_147_483_644.0,
        };
        let report = Report::new(&seen, vec!["small".to_owned()]);
        assert_eq!(
            json!(report),
            json!({ "gpu": "intel", "memory_gib": 4, "f16": true, "subgroups": false,
                "buffer_mib": 1024, "models": ["small"] })
        );
        let strange = Seen { vendor: "SwiftShader 5.0 (Subzero)".to_owned(), ..seen.clone() };
        assert_eq!(json!(Report::new(&strange, Vec::new()))["gpu"], json!("other"));
        let without = Seen { has_gpu: false, memory_gib: None, ..seen };
        let report = json!(Report::new(&without, vec!["small".to_owned()]));
        assert_eq!((&report["gpu"], &report["models"]), (&json!("none"), &json!([])));
        assert_eq!((&report["memory_gib"], &report["buffer_mib"]), (&json!(0), &json!(0)));
    }

    #[test]
    fn the_month_with_more_answers_is_shown() {
        let month = |month: &str, n: u64| Month {
            month: month.to_owned(),
            n,
            facts: BTreeMap::new(),
            models: Vec::new(),
        };
        let devices = |months: Vec<Month>| Devices { asks: true, least: 3, months };
        let best = |devices: Devices| devices.best().map(|month| month.month.clone());
        assert_eq!(best(devices(vec![])), None);
        assert_eq!(
            best(devices(vec![month("b", 3), month("a", 30), month("0", 90)])).as_deref(),
            Some("a")
        );
        assert_eq!(best(devices(vec![month("b", 30), month("a", 30)])).as_deref(), Some("b"));
        assert_eq!(month_from_ms(1_795_651_200_000.0), "2026-11");
    }

    #[test]
    fn what_is_said_of_a_model_is_no_more_than_is_known() {
        let text =
            |at_least, at_most| ModelShare { model: String::new(), at_least, at_most }.text();
        assert_eq!(text(4, 4), Text::DevicesRunExactly);
        assert_eq!(text(0, 2), Text::DevicesRunAtMost);
        assert_eq!(text(8, 10), Text::DevicesRunAtLeast);
    }

    #[test]
    fn classes_have_names() {
        assert_eq!(class_text("gpu", "nvidia"), Err("NVIDIA".to_owned()));
        assert_eq!(class_text("gpu", "intel"), Err("Intel".to_owned()));
        assert_eq!(class_text("f16", "others"), Ok(Text::DevicesOthers));
        assert_eq!(class_text("memory", "0"), Ok(Text::DevicesNotSaid));
    }
}
