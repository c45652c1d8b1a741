//! The views of signing in, of one's account and of the house's people. A Wasm of its own, fetched when one
//! of them is first opened.
//!
//! - [`state`]: what is shown, as signals; [`api`]: what the server says and is asked;
//! - [`sealing`]: the keys of encrypted conversations; [`approval`]: a device lets another one in;
//! - [`shares`]: chats that are shared inside the house;
//! - [`mod@view`]: the elements; `portico_people`: what needs no browser.

mod api;
mod approval;
mod device_report;
mod sealing;
mod shares;
mod state;
mod view;

use std::cell::Cell;

use leptos::prelude::*;
use portico_people::address::Address;
use portico_shared::error::Lang;
use wasm_bindgen::prelude::*;

use state::People;

fn main() {
    std::panic::set_hook(Box::new(|panic| {
        web_sys::console::error_1(&format!("portico: {panic}").into());
    }));
}

thread_local! {
    static PEOPLE: Cell<Option<People>> = const { Cell::new(None) };
    static IS_MOUNTED: Cell<bool> = const { Cell::new(false) };
}

/// Fills `holder`, once and for as long as the page lives.
#[wasm_bindgen]
pub fn mount(holder: web_sys::HtmlElement, lang: &str) {
    if !IS_MOUNTED.replace(true) {
        leptos::mount::mount_to(holder, move || view::people(people())).forget();
    }
    speak(lang);
}

/// From now on a `/` at the beginning of `input` offers prompts, in `holder`.
#[wasm_bindgen]
pub fn prompts(holder: web_sys::HtmlElement, input: web_sys::HtmlTextAreaElement, lang: &str) {
    leptos::mount::mount_to(holder, move || view::picker(people(), input)).forget();
    speak(lang);
}

/// What both show; it lives as long as the page, as they do.
fn people() -> People {
    PEOPLE.get().unwrap_or_else(|| {
        let people = People::new(Lang::En);
        PEOPLE.set(Some(people));
        wire(people);
        people
    })
}

/// What this device can do is said, where its person and the house want it and it is due.
#[wasm_bindgen]
pub fn say_device() {
    wasm_bindgen_futures::spawn_local(device_report::say_if_due());
}

/// The page's language was changed.
#[wasm_bindgen]
pub fn speak(lang: &str) {
    if let Some(people) = PEOPLE.get() {
        people.lang.set(lang_of(lang));
    }
}

fn lang_of(code: &str) -> Lang {
    if code.starts_with("de") { Lang::De } else { Lang::En }
}

fn wire(people: People) {
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
    listen(state::SESSION_EVENT, move || people.look());
    listen("online", move || {
        people.online.set(true);
        people.look();
    });
    listen("offline", move || people.online.set(false));
    if let Some(window) = web_sys::window() {
        people.online.set(window.navigator().on_line());
    }
    people.approvals.listen();
    people.look();
}

fn listen(event: &str, then: impl Fn() + 'static) {
    let then = Closure::<dyn Fn()>::new(then);
    if let Some(window) = web_sys::window() {
        window.add_event_listener_with_callback(event, then.as_ref().unchecked_ref()).ok();
    }
    then.forget();
}
