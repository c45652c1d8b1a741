//! Can this machine run a model, how fast, and which of people's devices can?

use portico_shared::catalogue::{Kind, Model, RunsIn};
use serde::Serialize;

use super::machine::Machine;

/// Of what memory gives, an answer's product of matrix and vector reaches about so much (measured on two
/// models: `docs/benchmarks.md`); without vector instructions it waits for the processor instead.
const SHARE: f64 = 0.6;
const SHARE_PLAIN: f64 = 0.05;

/// A device has so much for a model: a phone or an old laptop, a usual laptop, one with a good graphics card.
const SMALL_BYTES: u64 = 1 << 30;
const USUAL_BYTES: u64 = 3 << 30;

/// Whether the server has room for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Room {
    Fits,
    /// Within the models' budget, but others use that memory now.
    Tight,
    TooLarge,
}

/// How an answer feels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Speed {
    /// Faster than anybody reads.
    Fast,
    /// As fast as one reads.
    Fluent,
    /// One waits for words.
    Slow,
    /// For work in the background alone.
    Crawls,
}

/// A model on the server.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OnServer {
    pub room: Room,
    /// An estimate for one answer; none for models that do not write, and on a GPU.
    pub tokens_per_s: Option<f64>,
    pub speed: Option<Speed>,
}

/// The devices that a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Devices {
    Most,
    Laptops,
    Strong,
}

/// None: it is not made for a server.
pub fn on_server(model: &Model, machine: &Machine) -> Option<OnServer> {
    if !model.runs_in(RunsIn::Server) {
        return None;
    }
    let needed_bytes = model.usual_memory_bytes();
    let is_tight = machine.gpu.is_none()
        && machine.memory_free_bytes.is_some_and(|free_bytes| needed_bytes > free_bytes);
    let room = match needed_bytes > machine.budget_bytes {
        true => Room::TooLarge,
        false if is_tight => Room::Tight,
        false => Room::Fits,
    };
    // What a GPU's memory gives was not measured.
    let is_told = model.kind == Kind::Chat && machine.gpu.is_none() && room != Room::TooLarge;
    let tokens_per_s = is_told.then(|| tokens_per_s(model, machine));
    Some(OnServer { room, tokens_per_s, speed: tokens_per_s.map(speed) })
}

/// Each token reads all weights once.
fn tokens_per_s(model: &Model, machine: &Machine) -> f64 {
    let share = if machine.is_plain { SHARE_PLAIN } else { SHARE };
    let tokens_per_s = machine.memory_bytes_per_s as f64 * share / model.size_bytes().max(1) as f64;
    (tokens_per_s * 10.0).round() / 10.0
}

/// Somebody who reads fast takes in about five words a second.
fn speed(tokens_per_s: f64) -> Speed {
    match tokens_per_s {
        20.0.. => Speed::Fast,
        7.0.. => Speed::Fluent,
        2.0.. => Speed::Slow,
        _ => Speed::Crawls,
    }
}

/// None: it is not made for browsers.
pub fn devices(model: &Model) -> Option<Devices> {
    model.runs_in(RunsIn::Browser).then(|| match model.usual_memory_bytes() {
        bytes if bytes <= SMALL_BYTES => Devices::Most,
        bytes if bytes <= USUAL_BYTES => Devices::Laptops,
        _ => Devices::Strong,
    })
}

#[cfg(test)]
mod tests {
    use portico_shared::catalogue::Catalogue;

    use super::*;
    use crate::models::BUILT_IN_CATALOGUE;

    fn machine() -> Machine {
        Machine {
            cpu: String::new(),
            isa: "AVX2",
            is_plain: false,
            n_cores: 2,
            n_threads: 2,
            gpu: None,
            memory_bytes: Some(24 << 30),
            memory_free_bytes: Some(20 << 30),
            budget_bytes: 12 << 30,
            disk_free_bytes: None,
            memory_bytes_per_s: 20_000_000_000,
        }
    }

    #[test]
    fn models_fit_or_not_and_are_as_fast_as_memory_is() {
        let catalogue = Catalogue::from_toml(BUILT_IN_CATALOGUE).unwrap();
        let model = |id: &str| catalogue.get(id).unwrap();
        let on = |id: &str, machine: &Machine| on_server(model(id), machine).unwrap();
        let small = on("smollm2-135m-instruct", &machine());
        assert_eq!((small.room, small.speed), (Room::Fits, Some(Speed::Fast)));
        let large = on("qwen3-8b", &machine());
        assert_eq!((large.room, large.speed), (Room::Fits, Some(Speed::Slow)));
        assert_eq!(on("multilingual-e5-small", &machine()).speed, None);

        let less = Machine { budget_bytes: 2 << 30, ..machine() };
        let large = on("qwen3-8b", &less);
        assert_eq!((large.room, large.tokens_per_s), (Room::TooLarge, None));
        let used = Machine { memory_free_bytes: Some(1 << 30), ..machine() };
        assert_eq!(on("qwen3-8b", &used).room, Room::Tight);
        let plain = Machine { is_plain: true, ..machine() };
        assert_eq!(on("qwen3-8b", &plain).speed, Some(Speed::Crawls));
        let gpu = Machine { gpu: Some("cuda"), ..used };
        assert_eq!((on("qwen3-8b", &gpu).room, on("qwen3-8b", &gpu).speed), (Room::Fits, None));

        assert_eq!(devices(model("smollm2-135m-instruct")), Some(Devices::Most));
        assert_eq!(devices(model("qwen3-1.7b")), Some(Devices::Laptops));
    }

    #[test]
    fn what_is_just_enough_is_enough() {
        let speeds = [20.0, 19.9, 7.0, 6.9, 2.0, 1.9].map(speed);
        use Speed::{Crawls, Fast, Fluent, Slow};
        assert_eq!(speeds, [Fast, Fluent, Fluent, Slow, Slow, Crawls]);

        let catalogue = Catalogue::from_toml(BUILT_IN_CATALOGUE).unwrap();
        let model = catalogue.get("qwen3-8b").unwrap();
        let needed_bytes = model.usual_memory_bytes();
        let with = |budget_bytes, free_bytes| {
            let memory_free_bytes = Some(free_bytes);
            on_server(model, &Machine { budget_bytes, memory_free_bytes, ..machine() })
                .unwrap()
                .room
        };
        assert_eq!(with(needed_bytes, needed_bytes), Room::Fits);
        assert_eq!(with(needed_bytes, needed_bytes - 1), Room::Tight);
        assert_eq!(with(needed_bytes - 1, needed_bytes), Room::TooLarge);
        let unknown = Machine { memory_free_bytes: None, ..machine() };
        assert_eq!(on_server(model, &unknown).unwrap().room, Room::Fits);
        let exact = 20e9 * SHARE / model.size_bytes() as f64;
        let told = on_server(model, &machine()).unwrap().tokens_per_s.unwrap();
        assert!((told - exact).abs() <= 0.05, "{told} {exact}");
    }
}
