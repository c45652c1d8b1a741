//! The documents' views: collections, documents, search, sources. A Wasm of its own, fetched when they are
//! first opened; it stays mounted while the page shows conversations, so that uploads go on.
//!
//! - [`state`]: what is shown, as signals; [`net`], [`device`], [`uploads`], [`jobs`]: who writes them;
//! - [`mod@view`]: the elements.

mod device;
mod embed;
mod jobs;
mod js;
mod net;
mod state;
mod uploads;
mod view;

use std::cell::Cell;

use leptos::prelude::*;
use portico_library::address::Address;
use portico_shared::error::Lang;
use wasm_bindgen::prelude::*;

use state::Library;

fn main() {
    std::panic::set_hook(Box::new(|panic| {
        web_sys::console::error_1(&format!("portico: {panic}").into());
    }));
}

thread_local! {
    static LIBRARY: Cell<Option<Library>> = const { Cell::new(None) };
}

/// Fills `holder`, once and for as long as the page lives.
#[wasm_bindgen]
pub fn mount(holder: web_sys::HtmlElement, lang: &str) {
    if let Some(library) = LIBRARY.get() {
        library.lang.set(lang_of(lang));
        return;
    }
    let lang = lang_of(lang);
    let mounted = leptos::mount::mount_to(holder, move || {
        let library = Library::new(lang);
        LIBRARY.set(Some(library));
        wire(library);
        view::library(library)
    });
    mounted.forget();
}

/// The page's language was changed.
#[wasm_bindgen]
pub fn speak(lang: &str) {
    if let Some(library) = LIBRARY.get() {
        library.lang.set(lang_of(lang));
    }
}

fn lang_of(code: &str) -> Lang {
    if code.starts_with("de") { Lang::De } else { Lang::En }
}

fn wire(library: Library) {
    let read = move || {
        let hash = web_sys::window().and_then(|window| window.location().hash().ok());
        let address = Address::from_hash(&hash.unwrap_or_default());
        if library.address.get_untracked() != address {
            library.address.set(address);
        }
    };
    read();
    for event in ["hashchange", "popstate", "portico-address"] {
        listen(event, read);
    }
    listen("online", move || library.online.set(true));
    listen("offline", move || library.online.set(false));
    listen("portico-session", move || {
        // Another person has other collections.
        library.collections.set(state::Asked::Loading);
        library.changed();
    });
    listen("portico-shelf", move || library.shelf_version.update(|version| *version += 1));
    if let Some(window) = web_sys::window() {
        library.online.set(window.navigator().on_line());
    }
    jobs::watch(library);
}

fn listen(event: &str, then: impl Fn() + 'static) {
    let then = Closure::<dyn Fn()>::new(then);
    if let Some(window) = web_sys::window() {
        window.add_event_listener_with_callback(event, then.as_ref().unchecked_ref()).ok();
    }
    then.forget();
}
