//! What do the views show? Signals, copied freely.

use std::time::Duration;

use leptos::prelude::*;
use portico_people::address::Address;
use portico_people::texts::Text;
use portico_shared::error::{ApiError, Lang};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::api::{self, Person, Session};
use portico_web::turns::Turns;

/// Whoever signs in or out says so on the window.
pub const SESSION_EVENT: &str = "portico-session";

/// How long it is shown what was done.
const SAID_FOR: Duration = Duration::from_secs(6);

/// What was asked for, as far as it has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked<T> {
    Loading,
    Loaded(T),
    Failed(ApiError),
}

impl<T> From<Result<T, ApiError>> for Asked<T> {
    fn from(result: Result<T, ApiError>) -> Self {
        match result {
            Ok(value) => Self::Loaded(value),
            Err(error) => Self::Failed(error),
        }
    }
}

/// What the views of one Wasm show.
#[derive(Clone, Copy)]
pub struct People {
    pub lang: RwSignal<Lang>,
    /// None while the page shows something else.
    pub address: RwSignal<Option<Address>>,
    /// The whole of it.
    pub hash: RwSignal<String>,
    pub session: RwSignal<Asked<Session>>,
    pub online: RwSignal<bool>,
    /// What is told next: shown for a while, and read aloud.
    pub announcement: RwSignal<String>,
    n_said: StoredValue<u32>,
}

impl People {
    /// It lives as long as the page, and follows the page's address, the session and the network.
    pub fn following() -> Self {
        let people = Self::new();
        let read = move || {
            let hash = web_sys::window().and_then(|window| window.location().hash().ok());
            let hash = hash.unwrap_or_default();
            let address = Address::from_hash(&hash);
            people.hash.set(hash);
            if people.address.get_untracked() != address {
                people.address.set(address);
            }
        };
        read();
        for event in ["hashchange", "popstate", "portico-address"] {
            listen(event, read);
        }
        listen(SESSION_EVENT, move || people.look());
        listen("online", move || {
            people.online.set(true);
            people.look();
        });
        listen("offline", move || people.online.set(false));
        if let Some(window) = web_sys::window() {
            people.online.set(window.navigator().on_line());
        }
        people.look();
        people
    }

    fn new() -> Self {
        Self {
            lang: RwSignal::new(Lang::En),
            address: RwSignal::new(None),
            hash: RwSignal::new(String::new()),
            session: RwSignal::new(Asked::Loading),
            online: RwSignal::new(true),
            announcement: RwSignal::new(String::new()),
            n_said: StoredValue::new(0),
        }
    }

    /// The page's language was changed; `code`: `de`, or another one for English.
    pub fn speak(self, code: &str) {
        self.lang.set(if code.starts_with("de") { Lang::De } else { Lang::En });
    }

    /// A sentence in the page's language, for a view.
    pub fn t(self, text: Text) -> impl Fn() -> &'static str + Copy + Send + Sync + 'static {
        move || text.get(self.lang.get())
    }

    pub fn say(self, text: Text) {
        self.say_this(text.get(self.lang.get_untracked()).to_owned());
    }

    pub fn say_this(self, text: String) {
        self.announcement.set(text);
        let turn = self.n_said.get_value().wrapping_add(1);
        self.n_said.set_value(turn);
        let is_over = move || {
            // What was said since has its own time.
            if self.n_said.get_value() == turn {
                self.announcement.set(String::new());
            }
        };
        set_timeout(is_over, SAID_FOR);
    }

    /// Asks who is signed in. What was known is better than a connection's error.
    pub fn look(self) {
        thread_local!(static LOOKS: Turns = const { Turns::new() });
        let turn = LOOKS.with(Turns::next);
        spawn_local(async move {
            let asked = api::get::<Session>("/api/session").await;
            if asked.is_ok() && !LOOKS.with(|looks| looks.take(turn)) {
                return;
            }
            let is_known = self.session.with_untracked(|known| matches!(known, Asked::Loaded(_)));
            if asked.is_ok() || !is_known {
                self.session.set(asked.into());
            }
        });
    }

    /// Who is signed in.
    pub fn person(self) -> Option<Person> {
        self.session.with(|session| match session {
            Asked::Loaded(session) => session.person.clone(),
            _ => None,
        })
    }

    /// Somebody signed in or out.
    pub fn session_changed(self) {
        session_changed();
    }

    /// The conversation that one came from; the page says it beside these views.
    pub fn back(self) -> String {
        let main = web_sys::window().and_then(|window| window.document());
        let main = main.and_then(|document| document.get_element_by_id("people-main"));
        let back = main.and_then(|main| main.get_attribute("data-back"));
        back.unwrap_or_else(|| "#/".to_owned())
    }

    /// Leads to another view of the page.
    pub fn go(self, hash: &str) {
        if let Some(window) = web_sys::window() {
            window.location().set_hash(hash).ok();
        }
    }
}

/// The whole page hears of it.
pub fn session_changed() {
    if let (Some(window), Ok(event)) = (web_sys::window(), web_sys::Event::new(SESSION_EVENT)) {
        window.dispatch_event(&event).ok();
    }
}

fn listen(event: &str, then: impl Fn() + 'static) {
    let then = Closure::<dyn Fn()>::new(then);
    if let Some(window) = web_sys::window() {
        window.add_event_listener_with_callback(event, then.as_ref().unchecked_ref()).ok();
    }
    then.forget();
}
