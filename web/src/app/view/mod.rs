//! The page's elements. Each part is a function of [`Page`]; what it shows follows the signals.

mod account_menu;
mod assistant;
mod attachments;
mod banners;
mod chat;
mod choice;
mod composer;
mod dialog;
mod documents;
mod first_hour;
mod home;
mod icons;
mod keys;
mod later;
mod licence;
mod message;
mod messages;
mod models;
mod organise;
mod place;
mod progress;
mod prompts;
mod settings;
mod sidebar;
mod sources;
mod steps;
mod sync;
mod toasts;
mod tools;
mod versions;
mod warm;
mod welcome;

pub use warm::warm;

use leptos::prelude::*;
use portico_page::i18n::Text;
use portico_page::title::hash_from_conversation;
use uuid::Uuid;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use crate::browser::{document, focus, js_error, window};
use crate::page::{Dialog, Page};

/// The whole page.
pub fn page(page: Page) -> impl IntoView {
    keys::listen(page);
    assistant::listen();
    view! {
        <a class="skip" href=format!("#{}", composer::INPUT_ID) on:click=move |event| {
            event.prevent_default();
            focus(match (page.shows_library.get_untracked(), page.shows_people.get_untracked()) {
                (true, _) => later::LIBRARY.main_id,
                (_, true) => later::PEOPLE.main_id,
                _ => composer::INPUT_ID,
            });
        }>{move || {
            let text = match (page.shows_library.get(), page.shows_people.get()) {
                (true, _) => Text::SkipToDocuments,
                (_, true) => Text::SkipToAccount,
                _ => Text::SkipToChat,
            };
            text.get(page.lang.get())
        }}</a>
        <div class="shell" class:drawer-open=move || page.drawer.get()
            on:click=move |event| {
                show_link(&event);
                copy_code_block(page, &event);
            }
            on:keydown=move |event| {
                if event.key() == "Escape" && page.drawer.get_untracked() {
                    page.drawer.set(false);
                }
            }>
            {sidebar::sidebar(page).into_any()}
            <div class="scrim" on:click=move |_| page.drawer.set(false)></div>
            {chat::chat(page).into_any()}
            {later::views(page, later::LIBRARY, page.shows_library).into_any()}
            {later::views(page, later::PEOPLE, page.shows_people).into_any()}
        </div>
        {move || match page.dialog.get() {
            Some(Dialog::Models) => models::models_dialog(page).into_any(),
            Some(Dialog::Settings) => settings::settings_dialog(page).into_any(),
            Some(Dialog::Keys) => keys::keys_dialog(page).into_any(),
            Some(Dialog::Organise(id)) => organise::organise_dialog(page, id).into_any(),
            Some(Dialog::Versions(id)) => versions::versions_dialog(page, id).into_any(),
            Some(Dialog::AnswerWith(id)) => versions::answer_dialog(page, id).into_any(),
            None => ().into_any(),
        }}
        {toasts::toasts(page).into_any()}
        <div class="visually-hidden" aria-live="polite" aria-atomic="true">
            {move || page.announcement.get()}
        </div>
    }
}

/// Shows a conversation, or the start of a new one, and writes it into the address.
pub fn open_conversation(page: Page, conversation: Option<Uuid>) {
    page.drawer.set(false);
    if page.open.get_untracked() == conversation && untrack(|| page.shows_chat()) {
        return;
    }
    page.open.set(conversation);
    page.shows_library.set(false);
    page.shows_people.set(false);
    let hash = hash_from_conversation(conversation);
    let history = window().and_then(|window| window.history().ok());
    if let Some(history) = history {
        // Refused only in a sandbox: then the address stays as it was.
        history.push_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&hash)).ok();
        crate::browser::tell("portico-address");
    }
}

/// Copies a text; `done` runs when it is on the clipboard.
fn copy(page: Page, text: String, done: impl FnOnce() + 'static) {
    let Some(window) = window() else { return };
    // Absent on an insecure address.
    let navigator = window.navigator();
    let has_clipboard =
        js_sys::Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|c| c.is_object());
    if !has_clipboard {
        page.toast(page.say(Text::CopyFailed));
        return;
    }
    let written = navigator.clipboard().write_text(&text);
    spawn_local(async move {
        match JsFuture::from(written).await {
            Ok(_) => {
                page.announcement.set(page.say(Text::Copied).to_owned());
                done();
            }
            Err(error) => {
                web_sys::console::warn_1(&js_error(&error).into());
                page.toast(page.say(Text::CopyFailed));
            }
        }
    });
}

/// Makes a link of a button that [`portico_web::markdown_dom`] made in its place, with the whole address to
/// be seen before it is followed.
fn show_link(event: &web_sys::MouseEvent) {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let Some(button) = target.and_then(|target| target.closest("[data-link]").ok()?) else {
        return;
    };
    let made = (|| {
        let href = button.get_attribute("data-link")?;
        let link = document()?.create_element("a").ok()?;
        link.set_attribute("href", &href).ok()?;
        link.set_attribute("target", "_blank").ok()?;
        link.set_attribute("rel", "noopener noreferrer nofollow").ok()?;
        link.set_text_content(Some(&href));
        button.replace_with_with_node_1(&link).ok()?;
        link.dyn_into::<web_sys::HtmlElement>().ok()?.focus().ok()
    })();
    // Refused only for a button that is gone.
    made.unwrap_or_default();
}

/// Answers the copy buttons that [`portico_web::markdown_dom`] makes.
fn copy_code_block(page: Page, event: &web_sys::MouseEvent) {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let button = target.and_then(|target| target.closest("[data-copy-code]").ok()?);
    let Some(button) = button else { return };
    let code = button
        .closest(".code")
        .ok()
        .flatten()
        .and_then(|block| block.query_selector("code").ok()?)
        .and_then(|code| code.text_content());
    let Some(code) = code else { return };
    let label = page.say(Text::Copy);
    let copied = page.say(Text::Copied);
    copy(page, code, move || {
        button.set_text_content(Some(copied));
        crate::browser::after_ms(1_600, move || button.set_text_content(Some(label)));
    });
}

/// A bug has stopped the page: says so with the means that are left.
pub fn crashed(cause: &str) {
    web_sys::console::error_1(&format!("portico: {cause}").into());
    let Some(document) = document() else { return };
    let Some(body) = document.body() else { return };
    let lang = document.document_element().and_then(|root| root.get_attribute("lang"));
    let lang = lang.and_then(|tag| portico_page::i18n::lang_from_tag(&tag));
    let lang = lang.unwrap_or(portico_page::i18n::Lang::En);
    let made = (|| {
        let note = document.create_element("div")?;
        note.set_class_name("crash");
        note.set_attribute("role", "alert")?;
        let text = portico_shared::error::ApiError::new(portico_shared::error::ErrorCode::Internal)
            .text(lang);
        note.set_text_content(Some(&format!("{text} ")));
        let again = document.create_element("a")?;
        again.set_attribute("href", "")?;
        again.set_text_content(Some(Text::Reload.get(lang)));
        note.append_child(&again)?;
        body.append_child(&note)
    })();
    if let Err(error) = made {
        web_sys::console::error_1(&error);
    }
}
