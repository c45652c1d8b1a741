//! The views of signing in, of one's account and of the house's people. A Wasm of its own, fetched when one
//! of them is first opened.
//!
//! - [`state`]: what is shown, as signals; [`api`]: what the server says and is asked;
//! - [`sealing`]: the keys of encrypted conversations; [`approval`]: a device lets another one in;
//! - [`mod@view`]: the elements; `portico_people`: what needs no browser.

mod api;
mod device_report;
mod approval;
mod sealing;
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
}

/// Fills `holder`, once and for as long as the page lives.
#[wasm_bindgen]
pub fn mount(holder: web_sys::HtmlElement, lang: &str) {
    if PEOPLE.get().is_some() {
        return speak(lang);
    }
    let lang = lang_of(lang);
    let mounted = leptos::mount::mount_to(holder, move || {
        let people = People::new(lang);
        PEOPLE.set(Some(people));
        wire(people);
        view::people(people)
    });
    mounted.forget();
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
