//! The house's administration: people, groups, rules, models, tools, usage, the log. A Wasm of its own, fetched
//! when an administrator first opens it; it stands inside the account's views (`web/src/people`), which say who
//! may see it.
//!
//! - [`mod@view`]: the elements; `people_views`: what the account has too; `portico_people`: what
//!   needs no browser.

#[allow(dead_code, reason = "the other bin uses the rest")]
#[path = "../people_views/mod.rs"]
mod people_views;
mod view;

use std::cell::Cell;

use people_views::{api, parts, state};
use wasm_bindgen::prelude::*;

use state::People;

fn main() {
    std::panic::set_hook(Box::new(|panic| {
        web_sys::console::error_1(&format!("portico: {panic}").into());
    }));
}

thread_local! {
    static HOUSE: Cell<Option<People>> = const { Cell::new(None) };
}

/// Fills `holder`, once and for as long as the page lives.
#[wasm_bindgen]
pub fn mount(holder: web_sys::HtmlElement, lang: &str) {
    if HOUSE.get().is_none() {
        let mounted = leptos::mount::mount_to(holder, || {
            let people = People::following();
            HOUSE.set(Some(people));
            view::house(people)
        });
        mounted.forget();
    }
    speak(lang);
}

/// The page's language was changed.
#[wasm_bindgen]
pub fn speak(lang: &str) {
    if let Some(people) = HOUSE.get() {
        people.speak(lang);
    }
}
