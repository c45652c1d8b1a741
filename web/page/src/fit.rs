//! Can this device run that model, and if not, why not?
//!
//! A browser does not say how much graphics memory there is. What it does say (WebGPU, a rounded
//! figure of the computer's memory, free storage) rules out what cannot work; a load that fails all
//! the same ends with a typed error.

use portico_shared::catalogue::{Format, Kind, ModelView, RunsIn};
use portico_shared::error::Lang;

use crate::format;
use crate::i18n::Text;

/// What the browser told about the device.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DeviceFacts {
    /// None until the engine has asked for the graphics device.
    pub webgpu: Option<bool>,
    /// `navigator.deviceMemory`, in bytes: rounded down, and capped at a few GiB.
    pub memory_bytes: Option<u64>,
    /// Storage that the browser would still give.
    pub free_storage_bytes: Option<u64>,
}

/// The verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The device is still being asked.
    Checking,
    Runs,
    /// Runs, but must be downloaded again at each visit.
    RunsUnstored {
        needed_bytes: u64,
        free_bytes: u64,
    },
    No(WhyNot),
}

/// Why a model does not run on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNot {
    NoWebGpu,
    /// The catalogue knows it, the server has no files of it.
    NotOnServer,
    ServerOnly,
    NotForChat,
    /// By the house's rules.
    NotAllowed,
    Memory {
        needed_bytes: u64,
        available_bytes: u64,
    },
}

/// From this on the browser's figure is a cap, not a measure.
const MEMORY_CAP_BYTES: u64 = 8 << 30;

/// Judges `model`. `on_device`: all its bytes lie here already.
pub fn fit(model: &ModelView, facts: DeviceFacts, on_device: bool) -> Fit {
    if model.model.kind != Kind::Chat {
        return Fit::No(WhyNot::NotForChat);
    }
    if !model.model.runs_in(RunsIn::Browser) || model.model.format != Format::Gguf {
        return Fit::No(WhyNot::ServerOnly);
    }
    if !model.available && !on_device {
        return Fit::No(WhyNot::NotOnServer);
    }
    match facts.webgpu {
        None => return Fit::Checking,
        Some(false) => return Fit::No(WhyNot::NoWebGpu),
        Some(true) => {}
    }
    let needed_bytes = model.memory_bytes;
    if let Some(available_bytes) = facts.memory_bytes
        && available_bytes < MEMORY_CAP_BYTES
        && needed_bytes > available_bytes
    {
        return Fit::No(WhyNot::Memory { needed_bytes, available_bytes });
    }
    match facts.free_storage_bytes {
        Some(free_bytes) if !on_device && free_bytes < model.size_bytes => {
            Fit::RunsUnstored { needed_bytes: model.size_bytes, free_bytes }
        }
        _ => Fit::Runs,
    }
}

impl Fit {
    /// The verdict where the house's rules count too: what could run is not allowed to.
    pub fn if_allowed(self, is_allowed: bool) -> Self {
        match self {
            Self::No(WhyNot::NotForChat | WhyNot::ServerOnly) => self,
            _ if is_allowed => self,
            _ => Self::No(WhyNot::NotAllowed),
        }
    }

    /// Whether loading makes sense.
    pub fn runs(self) -> bool {
        matches!(self, Self::Runs | Self::RunsUnstored { .. })
    }

    /// The verdict in a few words.
    pub fn headline(self) -> Text {
        match self {
            Self::Checking => Text::CheckingDevice,
            Self::Runs | Self::RunsUnstored { .. } => Text::RunsHere,
            Self::No(_) => Text::RunsNot,
        }
    }

    /// The reason, where there is one.
    pub fn reason(self, lang: Lang) -> Option<String> {
        let bytes = |n| format::bytes(lang, n);
        match self {
            Self::Checking | Self::Runs => None,
            Self::RunsUnstored { needed_bytes, free_bytes } => Some(Text::WhyStorage.fill(
                lang,
                &[("needed", &bytes(needed_bytes)), ("available", &bytes(free_bytes))],
            )),
            Self::No(why) => Some(match why {
                WhyNot::NoWebGpu => Text::WhyNoWebGpu.get(lang).to_owned(),
                WhyNot::NotOnServer => Text::WhyNotHere.get(lang).to_owned(),
                WhyNot::ServerOnly => Text::WhyServerOnly.get(lang).to_owned(),
                WhyNot::NotForChat => Text::WhyNoChat.get(lang).to_owned(),
                WhyNot::NotAllowed => Text::WhyNotAllowed.get(lang).to_owned(),
                WhyNot::Memory { needed_bytes, available_bytes } => Text::WhyMemory.fill(
                    lang,
                    &[("needed", &bytes(needed_bytes)), ("available", &bytes(available_bytes))],
                ),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> ModelView {
        let json = serde_json::json!({
            "id": "tiny", "name": "Tiny", "kind": "chat", "architecture": "llama",
            "format": "gguf", "quantisation": "Q4_1", "parameters": 1000, "n_ctx": 2048,
            "kv_bytes_per_token": 4, "languages": ["de"], "licence": { "id": "Apache-2.0" },
            "runs_in": ["browser"], "files": [{ "name": "tiny.gguf", "size_bytes": 900 }],
        });
        let model = serde_json::from_value(json).expect("a catalogue entry");
        ModelView { model, available: true, size_bytes: 2 << 30, memory_bytes: 3 << 30 }
    }

    const GOOD: DeviceFacts = DeviceFacts {
        webgpu: Some(true),
        memory_bytes: Some(8 << 30),
        free_storage_bytes: Some(10 << 30),
    };

    #[test]
    fn judges_by_what_the_browser_says() {
        let judge = |facts, on_device| fit(&model(), facts, on_device);
        assert_eq!(judge(GOOD, false), Fit::Runs);
        assert_eq!(judge(DeviceFacts::default(), false), Fit::Checking);
        let blind = DeviceFacts { webgpu: Some(false), ..GOOD };
        assert_eq!(judge(blind, true), Fit::No(WhyNot::NoWebGpu));
        let small = DeviceFacts { memory_bytes: Some(2 << 30), ..GOOD };
        assert!(matches!(judge(small, true), Fit::No(WhyNot::Memory { .. })));
        let full = DeviceFacts { free_storage_bytes: Some(1 << 30), ..GOOD };
        assert!(matches!(judge(full, false), Fit::RunsUnstored { .. }));
        assert_eq!(judge(full, true), Fit::Runs);
    }

    #[test]
    fn the_catalogue_rules_out_first() {
        let mut absent = model();
        absent.available = false;
        assert_eq!(fit(&absent, GOOD, false), Fit::No(WhyNot::NotOnServer));
        assert_eq!(fit(&absent, GOOD, true), Fit::Runs);
        let mut embedder = model();
        embedder.model.kind = Kind::Embedding;
        assert_eq!(fit(&embedder, GOOD, false), Fit::No(WhyNot::NotForChat));
        let mut server = model();
        server.model.runs_in = vec![RunsIn::Server];
        assert_eq!(fit(&server, GOOD, false), Fit::No(WhyNot::ServerOnly));
    }

    #[test]
    fn reasons_name_the_figures() {
        let small = DeviceFacts { memory_bytes: Some(2 << 30), ..GOOD };
        let reason = fit(&model(), small, false).reason(Lang::De).expect("a reason");
        assert!(reason.contains("3,2") && reason.contains("2,1"), "{reason}");
    }

    #[test]
    fn what_the_rules_do_not_allow_does_not_run() {
        let verdict = fit(&model(), GOOD, false);
        assert!(verdict.runs() && verdict.if_allowed(true) == verdict);
        for verdict in [verdict, Fit::Checking, Fit::No(WhyNot::NoWebGpu)] {
            assert_eq!(verdict.if_allowed(false), Fit::No(WhyNot::NotAllowed));
        }
        let no_chat = Fit::No(WhyNot::NotForChat);
        assert_eq!(no_chat.if_allowed(false), no_chat, "no rule would change it");
    }
}
