//! How is a device let in by another one of the person's? What this device asks and what is asked of it, over
//! signals that the server passes on and does not keep (`portico_sealing` says why it can do no harm).

use std::cell::RefCell;

use leptos::prelude::*;
use portico_sealing::{Asking, Code, Heard};
use portico_shared::error::ApiError;
use portico_shared::sync::wire::{ApprovalGiven, Signal};
use portico_web::server_call::http::sleep_ms;
use portico_web::sync_link::Channel;
use uuid::Uuid;
use wasm_bindgen_futures::spawn_local;

use crate::api::{self, Anything};
use crate::sealing;

/// How often a request is said again: whoever opens a device meanwhile hears it then.
const AGAIN_MS: i32 = 15_000;

thread_local! {
    static CHANNEL: RefCell<Option<Channel>> = const { RefCell::new(None) };
}

/// What has become of what this device asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    Rest,
    /// The person carries the code to another device.
    Asking {
        code: String,
        /// A device that has the key has heard it.
        is_heard: bool,
    },
    Refused,
    Expired,
    Failed(ApiError),
    LetIn,
}

#[derive(Clone, Copy)]
pub struct Approvals {
    asking: StoredValue<Option<(Uuid, Asking)>>,
    pub stage: RwSignal<Stage>,
    heard: StoredValue<Heard>,
    /// How many devices ask this one.
    pub n_heard: RwSignal<usize>,
}

impl Approvals {
    pub fn new() -> Self {
        Self {
            asking: StoredValue::new(None),
            stage: RwSignal::new(Stage::Rest),
            heard: StoredValue::new(Heard::default()),
            n_heard: RwSignal::new(0),
        }
    }

    /// Hears what other devices say, as long as the page lives.
    pub fn listen(self) {
        if let Some(channel) = Channel::open() {
            channel.listen(move |signal| self.hear(signal));
            CHANNEL.set(Some(channel));
        }
    }

    /// Asks the person's other devices to let this one in.
    pub fn ask(self, person: Uuid) {
        let request = Uuid::new_v4();
        let asking = match sealing::random() {
            Ok(random) => Asking::new(person, request, random, now_ms()),
            Err(error) => return self.stage.set(Stage::Failed(error)),
        };
        self.stage.set(Stage::Asking { code: asking.code().to_text(), is_heard: false });
        self.asking.set_value(Some((person, asking)));
        spawn_local(async move {
            while let Some(ask) = self.own(request, |asking| asking.ask(now_ms())).flatten() {
                if let Err(error) = say(Signal::ApprovalAsked(ask)).await {
                    self.end(request, Stage::Failed(error));
                }
                sleep_ms(AGAIN_MS).await;
            }
            if self.end(request, Stage::Expired) {
                tell(Signal::ApprovalEnded { request });
            }
        });
    }

    /// Asks no more.
    pub fn cancel(self) {
        let request = self.asking.with_value(|asking| asking.as_ref().map(|(_, a)| a.request()));
        if let Some(request) = request
            && self.end(request, Stage::Rest)
        {
            tell(Signal::ApprovalEnded { request });
        }
        self.stage.set(Stage::Rest);
    }

    /// Has devices that ask say it again, for they are heard only while somebody listens.
    pub fn look(self) {
        tell(Signal::ApprovalsWanted);
    }

    /// Gives the account's key to the device that shows this code.
    ///
    /// # Errors
    /// `seal_approval_code`, `seal_approval_none`, `sync_log_sealed` where this device is locked.
    pub async fn approve(self, person: Uuid, code: String) -> Result<(), ApiError> {
        let code = Code::from_text(&code)?;
        let (key, random) = (sealing::account_key(person).await?, sealing::random()?);
        let given = self
            .heard
            .try_update_value(|heard| heard.approve(person, &code, &key, random, now_ms()));
        self.count();
        match given {
            Some(given) => say(Signal::ApprovalGiven(given?)).await,
            None => Ok(()),
        }
    }

    /// Lets no device in that asks now.
    pub async fn refuse(self) -> Result<(), ApiError> {
        let requests = self.heard.try_update_value(Heard::refuse).unwrap_or_default();
        self.count();
        for request in requests {
            say(Signal::ApprovalRefused { request }).await?;
        }
        Ok(())
    }

    fn hear(self, signal: Signal) {
        match signal {
            Signal::Stop { .. } => {}
            Signal::ApprovalsWanted => {
                let ask = self.asking.with_value(|asking| asking.as_ref()?.1.ask(now_ms()));
                if let Some(ask) = ask {
                    tell(Signal::ApprovalAsked(ask));
                }
            }
            Signal::ApprovalAsked(ask) => {
                if self.own(ask.request, |_| ()).is_none() {
                    self.heard.update_value(|heard| heard.hear(ask, now_ms()));
                }
            }
            Signal::ApprovalHeard { request } => {
                if self.own(request, |_| ()).is_some() {
                    self.stage.update(|stage| {
                        if let Stage::Asking { is_heard, .. } = stage {
                            *is_heard = true;
                        }
                    });
                }
            }
            Signal::ApprovalGiven(given) => self.given(given),
            Signal::ApprovalRefused { request } => {
                self.end(request, Stage::Refused);
                self.heard.update_value(|heard| heard.forget(request));
            }
            Signal::ApprovalEnded { request } => {
                self.heard.update_value(|heard| heard.forget(request));
            }
        }
        self.count();
    }

    fn given(self, given: ApprovalGiven) {
        let request = given.request;
        self.heard.update_value(|heard| heard.forget(request));
        let opened = self.asking.try_update_value(|asking| {
            let (person, asking) = asking.as_mut().filter(|(_, own)| own.request() == request)?;
            Some((*person, asking.open(&given, now_ms())))
        });
        let Some((person, opened)) = opened.flatten() else { return };
        spawn_local(async move {
            let taken = async { sealing::take(person, opened?).await };
            self.end(request, taken.await.map_or_else(Stage::Failed, |()| Stage::LetIn));
        });
    }

    /// `of` what this device asks by this request; none: it does not, or no more.
    fn own<T>(self, request: Uuid, of: impl FnOnce(&Asking) -> T) -> Option<T> {
        self.asking.with_value(|asking| {
            asking.as_ref().filter(|(_, own)| own.request() == request).map(|(_, own)| of(own))
        })
    }

    /// This request is over; false: it was before.
    fn end(self, request: Uuid, stage: Stage) -> bool {
        let is_own = self.own(request, |_| ()).is_some();
        if is_own {
            self.asking.set_value(None);
            self.stage.set(stage);
        }
        is_own
    }

    fn count(self) {
        let n = self.heard.with_value(|heard| heard.n(now_ms()));
        if self.n_heard.get_untracked() != n {
            self.n_heard.set(n);
        }
    }
}

async fn say(signal: Signal) -> Result<(), ApiError> {
    api::send::<Anything>("POST", "/api/sync/signal", &signal).await.map(|_| ())
}

/// What may be missed.
fn tell(signal: Signal) {
    spawn_local(async move {
        if let Err(error) = say(signal).await {
            web_sys::console::warn_1(&format!("portico: {error}").into());
        }
    });
}

fn now_ms() -> u64 {
    js_sys::Date::now() as u64
}
