//! Where does a request run: on the person's device or on the server?
//!
//! place = what the server allows ∩ what the device can ∩ what the person chose. A pure function, asked
//! before each message is sent and shown beside the composer, so that nothing about it is a surprise.

use portico_shared::error::{ApiError, ErrorCode};

use crate::fit::{Fit, WhyNot};
use crate::i18n::Text;

/// What the person wants for a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// On the device where it can, else on the server.
    #[default]
    Auto,
    /// Nothing leaves the device.
    Device,
    Server,
}

impl Choice {
    pub const ALL: [Self; 3] = [Self::Auto, Self::Device, Self::Server];

    /// As scripts and storage spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Device => "device",
            Self::Server => "server",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.name() == name)
    }

    pub fn text(self) -> Text {
        match self {
            Self::Auto => Text::PlaceAuto,
            Self::Device => Text::PlaceOnlyDevice,
            Self::Server => Text::PlaceOnlyServer,
        }
    }
}

/// What the server offers this page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Offer {
    /// It is being asked.
    #[default]
    Asking,
    /// It computes nothing for this page.
    Refused,
    /// It could not say, for this reason.
    Failed(ErrorCode),
    Unreachable,
    /// Ids of the models that it answers with.
    Models(Vec<String>),
}

impl Offer {
    /// The server's model for somebody who chose `model`: the same, else the first that there is.
    pub fn model_for(&self, model: &str) -> Option<&str> {
        let Self::Models(models) = self else { return None };
        models.iter().find(|id| *id == model).or(models.first()).map(String::as_str)
    }

    pub fn has(&self, model: &str) -> bool {
        matches!(self, Self::Models(models) if models.iter().any(|id| id == model))
    }
}

/// Where a request for a model goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `fallback`: the server's model that goes on where the device fails.
    Device {
        fallback: Option<String>,
    },
    Server {
        model: String,
        /// Why not on the device; none: the person chose the server.
        instead: Option<WhyNot>,
    },
    Nowhere(Blocked),
}

/// Why a request can run nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    Device(WhyNot),
    /// The device cannot, and the server would but may not: the conversation stays here.
    StaysHere(WhyNot),
    ServerRefused,
    ServerFailed(ErrorCode),
    ServerUnreachable,
    /// The server answers, but with other models only.
    ServerLacksModel,
}

/// Decides for `model`. `fit` is the device's verdict on it; none where the catalogue does not list it,
/// so that only the server knows it.
pub fn route(choice: Choice, model: &str, fit: Option<Fit>, offer: &Offer) -> Route {
    let device = match fit {
        None => Err(WhyNot::ServerOnly),
        Some(Fit::No(why)) => Err(why),
        // While the device is being asked, it is hoped for.
        Some(Fit::Checking | Fit::Runs | Fit::RunsUnstored { .. }) => Ok(()),
    };
    match (choice, device) {
        (Choice::Device, Ok(())) => Route::Device { fallback: None },
        (Choice::Device, Err(why)) => Route::Nowhere(match offer.model_for(model) {
            Some(_) => Blocked::StaysHere(why),
            None => Blocked::Device(why),
        }),
        (Choice::Auto, Ok(())) => {
            Route::Device { fallback: offer.model_for(model).map(str::to_owned) }
        }
        (Choice::Auto, Err(why)) => match offer.model_for(model) {
            Some(model) => Route::Server { model: model.to_owned(), instead: Some(why) },
            None => Route::Nowhere(Blocked::Device(why)),
        },
        (Choice::Server, _) => match offer {
            Offer::Models(_) if offer.has(model) => {
                Route::Server { model: model.to_owned(), instead: None }
            }
            Offer::Models(_) => Route::Nowhere(Blocked::ServerLacksModel),
            // It says so itself when it is asked.
            Offer::Asking => Route::Server { model: model.to_owned(), instead: None },
            Offer::Refused => Route::Nowhere(Blocked::ServerRefused),
            Offer::Failed(code) => Route::Nowhere(Blocked::ServerFailed(*code)),
            Offer::Unreachable => Route::Nowhere(Blocked::ServerUnreachable),
        },
    }
}

/// Whether an answer that failed on the device with `code` can go on elsewhere: the device's fault, not
/// the request's.
pub fn can_fail_over(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::WebGpuMissing
            | ErrorCode::DeviceLost
            | ErrorCode::OutOfMemory
            | ErrorCode::ModelUnsupported
            | ErrorCode::ModelInvalid
            | ErrorCode::ContextFull
            | ErrorCode::DownloadFailed
            | ErrorCode::ChunkDamaged
            | ErrorCode::Internal
    )
}

/// What is said of an answer that left the device because of `code`.
pub fn moved_text(code: ErrorCode) -> Text {
    match code {
        ErrorCode::DeviceLost => Text::MovedDeviceLost,
        ErrorCode::OutOfMemory => Text::MovedMemory,
        ErrorCode::ContextFull => Text::MovedContext,
        ErrorCode::DownloadFailed | ErrorCode::ChunkDamaged => Text::MovedLoad,
        _ => Text::MovedOther,
    }
}

impl Blocked {
    /// In a few words, beside the composer.
    pub fn text(self) -> Text {
        match self {
            Self::Device(_) => Text::BlockedDevice,
            Self::StaysHere(_) => Text::BlockedStaysHere,
            Self::ServerRefused => Text::BlockedServerRefused,
            Self::ServerFailed(_) => Text::BlockedServerFailed,
            Self::ServerUnreachable => Text::BlockedServerUnreachable,
            Self::ServerLacksModel => Text::BlockedServerLacksModel,
        }
    }

    /// For an answer that was asked for all the same.
    pub fn error(self, model: &str) -> ApiError {
        let code = match self {
            Self::Device(WhyNot::NoWebGpu) => ErrorCode::WebGpuMissing,
            Self::Device(WhyNot::Memory { .. }) => ErrorCode::OutOfMemory,
            Self::Device(WhyNot::NotOnServer) => ErrorCode::ModelAbsent,
            Self::StaysHere(_) => ErrorCode::StaysOnDevice,
            Self::ServerRefused | Self::Device(_) => ErrorCode::ServerNotOffered,
            Self::ServerFailed(code) => code,
            Self::ServerUnreachable => ErrorCode::ServerUnreachable,
            Self::ServerLacksModel => ErrorCode::ModelNotFound,
        };
        ApiError::new(code).with("model", model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(models: &[&str]) -> Offer {
        Offer::Models(models.iter().map(|&id| id.to_owned()).collect())
    }

    fn server(model: &str, instead: Option<WhyNot>) -> Route {
        Route::Server { model: model.to_owned(), instead }
    }

    #[test]
    fn by_default_the_device_answers_and_the_server_stands_by() {
        let decide = |fit, offer: &Offer| route(Choice::Auto, "small", fit, offer);
        let both = offer(&["large", "small"]);
        let fallback = Some("small".to_owned());
        assert_eq!(decide(Some(Fit::Runs), &both), Route::Device { fallback: fallback.clone() });
        assert_eq!(decide(Some(Fit::Checking), &both), Route::Device { fallback });
        assert_eq!(decide(Some(Fit::Runs), &Offer::Refused), Route::Device { fallback: None });
        let blind = Some(Fit::No(WhyNot::NoWebGpu));
        assert_eq!(decide(blind, &both), server("small", Some(WhyNot::NoWebGpu)));
        assert_eq!(decide(blind, &offer(&["large"])), server("large", Some(WhyNot::NoWebGpu)));
        let nowhere = Route::Nowhere(Blocked::Device(WhyNot::NoWebGpu));
        assert_eq!(decide(blind, &Offer::Refused), nowhere);
        assert_eq!(decide(None, &both), server("small", Some(WhyNot::ServerOnly)));
    }

    #[test]
    fn what_stays_on_the_device_never_leaves_it() {
        let decide = |fit, offer: &Offer| route(Choice::Device, "small", Some(fit), offer);
        let both = offer(&["small"]);
        assert_eq!(decide(Fit::Runs, &both), Route::Device { fallback: None });
        let blind = Fit::No(WhyNot::NoWebGpu);
        let stays = Route::Nowhere(Blocked::StaysHere(WhyNot::NoWebGpu));
        assert_eq!(decide(blind, &both), stays);
        let cannot = Route::Nowhere(Blocked::Device(WhyNot::NoWebGpu));
        assert_eq!(decide(blind, &Offer::Unreachable), cannot);
    }

    #[test]
    fn whoever_wants_the_server_gets_it_or_is_told_why_not() {
        let decide = |offer: &Offer| route(Choice::Server, "small", Some(Fit::Runs), offer);
        assert_eq!(decide(&offer(&["small"])), server("small", None));
        assert_eq!(decide(&Offer::Asking), server("small", None));
        let blocked = |why| Route::Nowhere(why);
        assert_eq!(decide(&offer(&["large"])), blocked(Blocked::ServerLacksModel));
        assert_eq!(decide(&Offer::Refused), blocked(Blocked::ServerRefused));
        assert_eq!(decide(&Offer::Unreachable), blocked(Blocked::ServerUnreachable));
        let failed = Blocked::ServerFailed(ErrorCode::Internal);
        assert_eq!(decide(&Offer::Failed(ErrorCode::Internal)), blocked(failed));
        assert_eq!(failed.error("m").code, ErrorCode::Internal, "its own reason is told");
    }

    #[test]
    fn only_the_devices_faults_are_mended_elsewhere() {
        for code in [ErrorCode::DeviceLost, ErrorCode::OutOfMemory, ErrorCode::ContextFull] {
            assert!(can_fail_over(code), "{code}");
        }
        for code in [ErrorCode::InvalidRequest, ErrorCode::Cancelled, ErrorCode::Offline] {
            assert!(!can_fail_over(code), "{code}");
        }
    }

    #[test]
    fn choices_keep_their_names() {
        for choice in Choice::ALL {
            assert_eq!(Choice::from_name(choice.name()), Some(choice));
        }
        assert_eq!(Choice::from_name("cloud"), None);
    }
}
