//! The views of signing in and of one's account. A Wasm of its own, fetched when one of them is first opened;
//! the house's administration, which stands beside them, is another one (`web/src/house`).
//!
//! - [`sealing`]: the keys of encrypted conversations; [`approval`]: a device lets another one in; [`elsewhere`]:
//!   another tab changed that;
//! - [`shares`]: chats that are shared inside the house;
//! - [`mod@view`]: the elements; `people_views`: what the administration has too;
//!   `portico_people`: what needs no browser.

mod approval;
mod device_report;
mod elsewhere;
#[path = "../later_views.rs"]
mod later_views;
#[allow(dead_code, reason = "the other bin uses the rest")]
#[path = "../people_views/mod.rs"]
mod people_views;
mod sealing;
mod shares;
mod view;

use std::cell::Cell;

use people_views::{api, parts, state};
use wasm_bindgen::prelude::*;

use approval::Approvals;
use state::People;

fn main() {
    std::panic::set_hook(Box::new(|panic| {
        web_sys::console::error_1(&format!("portico: {panic}").into());
    }));
}

thread_local! {
    static PEOPLE: Cell<Option<(People, Approvals)>> = const { Cell::new(None) };
    static IS_MOUNTED: Cell<bool> = const { Cell::new(false) };
}

/// Fills `holder`, once and for as long as the page lives.
#[wasm_bindgen]
pub fn mount(holder: web_sys::HtmlElement, lang: &str) {
    if !IS_MOUNTED.replace(true) {
        let mounted = leptos::mount::mount_to(holder, move || {
            let (people, approvals) = people();
            view::people(people, approvals)
        });
        mounted.forget();
    }
    speak(lang);
}

/// From now on a `/` at the beginning of `input` offers prompts, in `holder`.
#[wasm_bindgen]
pub fn prompts(holder: web_sys::HtmlElement, input: web_sys::HtmlTextAreaElement, lang: &str) {
    leptos::mount::mount_to(holder, move || view::picker(people().0, input)).forget();
    speak(lang);
}

/// What both show; it lives as long as the page, as they do.
fn people() -> (People, Approvals) {
    PEOPLE.get().unwrap_or_else(|| {
        let people = (People::following(), Approvals::new());
        PEOPLE.set(Some(people));
        people.1.listen();
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
    if let Some((people, _)) = PEOPLE.get() {
        people.speak(lang);
    }
}
