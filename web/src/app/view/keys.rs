//! What the keyboard does, and the list of it on `?`.

use leptos::prelude::*;
use portico_page::i18n::Text;
use wasm_bindgen::JsCast;

use super::dialog::dialog;
use super::{composer, open_conversation};
use crate::browser::{by_id, document, focus, on_window};
use crate::page::{Dialog, Page};
use crate::prefs;

pub const SEARCH_ID: &str = "search-conversations";

const PREF: &str = "keys";

const KEYS: [(&str, Text); 10] = [
    ("?", Text::KeyHelp),
    ("n", Text::KeyNew),
    ("/", Text::KeySearch),
    ("m", Text::KeyWrite),
    ("@", Text::KeyAssistant),
    ("/", Text::KeyPrompts),
    ("Enter", Text::KeySend),
    ("Shift+Enter", Text::KeyLine),
    ("Esc", Text::KeyEscape),
    ("Tab", Text::KeyTab),
];

pub fn keys_dialog(page: Page) -> impl IntoView {
    let rows = KEYS
        .map(|(key, text)| view! { <dt><kbd>{key}</kbd></dt> <dd>{page.t(text)}</dd> })
        .collect_view();
    let content = view! {
        <dl class="keys">{rows}</dl>
        <label class="check">
            <input type="checkbox" prop:checked=are_on() on:change:target=move |event| {
                prefs::set(PREF, (!event.target().checked()).then_some("off"));
            }/>
            <span>{page.t(Text::KeysOn)}</span>
        </label>
    };
    dialog(page, "keys", Text::Keys, content)
}

/// Whoever speaks to their device, or strikes keys by chance, switches single keys off.
fn are_on() -> bool {
    prefs::get(PREF).is_none()
}

/// Single keys, outside of fields and dialogs and without others held.
pub fn listen(page: Page) {
    on_window("keydown", move |event| {
        let Ok(event) = event.dyn_into::<web_sys::KeyboardEvent>() else { return };
        let is_typing = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
            .is_some_and(|target| {
                target.matches("input, textarea, select, [contenteditable]").unwrap_or(true)
            });
        let is_alone = !event.ctrl_key() && !event.meta_key() && !event.alt_key();
        let has_dialog =
            document().and_then(|document| document.query_selector("dialog[open]").ok()?).is_some();
        if is_typing || has_dialog || !is_alone || event.is_composing() {
            return;
        }
        match event.key().as_str() {
            _ if !are_on() => return,
            "?" => page.dialog.set(Some(Dialog::Keys)),
            "n" => {
                open_conversation(page, None);
                focus(composer::INPUT_ID);
            }
            "/" => {
                page.drawer.set(true);
                if by_id(SEARCH_ID).is_some() {
                    crate::browser::next_frame(|| focus(SEARCH_ID));
                }
            }
            "m" => focus(composer::INPUT_ID),
            _ => return,
        }
        event.prevent_default();
    });
}
