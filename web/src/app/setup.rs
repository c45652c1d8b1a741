//! Starts the page: signals, worker, log, catalogue, and the listeners that keep them true.

use std::cell::RefCell;

use js_sys::Reflect;
use leptos::prelude::*;
use portico_page::i18n::{self, Lang, Text};
use portico_page::title::{conversation_from_hash, is_library, people_title};
use portico_shared::error::{ApiError, ErrorCode};
use portico_web::link::{Subscription, WorkerLink};
use portico_web::protocol::{FromWorker, ToWorker};
use wasm_bindgen_futures::spawn_local;

use crate::browser::{by_id, document, on_window, window};
use crate::page::{Page, Theme};
use crate::{
    announcements, answer, assistants, documents, files, log, models, offline, place, prefs, sync,
    tools, view,
};

/// Where `web/js/embed.js` finds the page.
const EMBEDDED_PATH: &str = "/embed";

thread_local! {
    static LINK: RefCell<Option<(WorkerLink, Subscription)>> = const { RefCell::new(None) };
}

/// Sends a message to the worker; false when there is none.
pub fn post(message: &ToWorker) -> bool {
    let link = LINK.with_borrow(|link| link.as_ref().map(|(link, _)| link.clone()));
    match link {
        Some(link) => {
            link.post(message);
            true
        }
        None => false,
    }
}

/// Ends the worker: nothing is computed or kept any more.
pub fn end_worker() {
    if let Some((link, _)) = LINK.take() {
        link.terminate();
    }
}

/// Takes the document over from the start script.
pub fn start() {
    std::panic::set_hook(Box::new(|panic| view::crashed(&panic.to_string())));
    let path = window().and_then(|window| window.location().pathname().ok());
    if path.as_deref() == Some(EMBEDDED_PATH) {
        start_embedded();
        return;
    }
    if let Some(boot) = by_id("boot") {
        boot.remove();
    }
    mount_to_body(|| {
        let page = Page::new(language(), memory_bytes());
        wire(page);
        view::page(page)
    });
}

/// In another page's hidden frame there is nothing to show: only the call for scripts.
fn start_embedded() {
    let on_crash = |why: String| web_sys::console::error_1(&format!("portico: {why}").into());
    match WorkerLink::start(on_crash) {
        Ok(link) => {
            if let Err(error) = portico_web::portico_api::install(&link) {
                web_sys::console::error_2(&"portico: window.portico".into(), &error);
            }
            link.post(&ToWorker::Hello);
        }
        Err(error) => on_crash(error.to_string()),
    }
}

/// The chosen one, else the browser's.
fn language() -> Lang {
    let chosen = prefs::get("lang").and_then(|tag| i18n::lang_from_tag(&tag));
    chosen.unwrap_or_else(|| {
        let tags = window().map(|window| window.navigator().languages()).unwrap_or_default();
        let tags: Vec<String> = tags.iter().filter_map(|tag| tag.as_string()).collect();
        i18n::preferred(tags.iter().map(String::as_str))
    })
}

/// `navigator.deviceMemory`, where the browser tells it.
fn memory_bytes() -> Option<u64> {
    let navigator = window()?.navigator();
    let gib = Reflect::get(&navigator, &"deviceMemory".into()).ok()?.as_f64()?;
    Some((gib * f64::from(1 << 30)) as u64)
}

fn wire(page: Page) {
    follow_choices(page);
    follow_address(page);
    follow_connection(page);
    start_worker(page);
    offline::start(page);
    spawn_local(models::load_catalogue(page));
    spawn_local(place::load_offer(page));
    documents::follow(page);
    tools::follow(page);
    assistants::follow(page);
    announcements::follow(page);
    sync::start(page);
    files::start(page);
    spawn_local(async move {
        log::open(page).await;
        view::warm(page);
        let held = log::held_answers().await;
        page.elsewhere.set(held.clone());
        for (conversation, message, content) in log::kept_streams() {
            if !held.contains(&message) {
                answer::pick_up(page, conversation, message, &content);
            }
        }
    });
}

/// Language and theme reach the document and are kept.
fn follow_choices(page: Page) {
    on_window("languagechange", move |_| page.lang.set(language()));
    Effect::new(move |_| {
        let lang = i18n::code(page.lang.get());
        if let Some(root) = document().and_then(|document| document.document_element()) {
            root.set_attribute("lang", lang).ok();
        }
    });
    Effect::new(move |_| {
        let theme = page.theme.get();
        if let Some(root) = document().and_then(|document| document.document_element()) {
            match theme {
                Theme::Auto => root.remove_attribute("data-theme").ok(),
                _ => root.set_attribute("data-theme", theme.name()).ok(),
            };
        }
    });
    Effect::new(move |_| {
        let lang = page.lang.get();
        let title = match (page.shows_library.get(), page.shows_people.get()) {
            (true, _) => Some(Text::Documents.get(lang).to_owned()),
            (_, true) => Some(page.people_title.get().get(lang).to_owned()),
            _ => page.open.get().and_then(|id| {
                page.log_version.track();
                log::title(id)
            }),
        };
        if let Some(document) = document() {
            document.set_title(&match title {
                Some(title) => format!("{title} · {}", page.house()),
                None => page.house(),
            });
        }
    });
}

/// `#/c/<id>` is the open conversation, also after the back button.
fn follow_address(page: Page) {
    let read = move || {
        let hash = window().and_then(|window| window.location().hash().ok()).unwrap_or_default();
        let shows_library = is_library(&hash);
        let people_title = people_title(&hash);
        let shows_people = people_title.is_some();
        page.shows_library.set(shows_library);
        page.shows_people.set(shows_people);
        if let Some(title) = people_title {
            page.people_title.set(title);
        }
        // The conversation that one comes from stays open behind the documents.
        if !shows_library && !shows_people {
            page.open.set(conversation_from_hash(&hash));
        }
    };
    read();
    for event in ["hashchange", "popstate"] {
        on_window(event, move |_| {
            // A dialog belongs to the view that it was opened over.
            page.dialog.set(None);
            read();
        });
    }
}

fn follow_connection(page: Page) {
    if let Some(window) = window() {
        page.online.set(window.navigator().on_line());
    }
    on_window("offline", move |_| page.online.set(false));
    on_window("online", move |_| {
        page.online.set(true);
        let is_missing = page
            .catalogue
            .with_untracked(|catalogue| matches!(catalogue, crate::page::Catalogue::Failed(_)));
        if is_missing {
            spawn_local(models::load_catalogue(page));
        }
        spawn_local(place::load_offer(page));
    });
}

fn start_worker(page: Page) {
    let started = WorkerLink::start(move |why| {
        page.worker_error.set(Some(why.clone()));
        answer::fail_all(page, &ApiError::new(ErrorCode::Internal).detail(why));
    });
    match started {
        Ok(link) => {
            let subscription = link.subscribe(move |message| received(page, message));
            if let Err(error) = portico_web::portico_api::install(&link) {
                web_sys::console::error_2(&"portico: window.portico".into(), &error);
            }
            link.post(&ToWorker::Hello);
            LINK.set(Some((link, subscription)));
        }
        Err(error) => page.worker_error.set(Some(error.to_string())),
    }
}

fn received(page: Page, message: &FromWorker) {
    match message {
        FromWorker::Hello { device, storage } => {
            page.device.set(Some(device.clone()));
            page.storage.set(Some(storage.clone()));
        }
        FromWorker::Storage { storage } => page.storage.set(Some(storage.clone())),
        FromWorker::ModelState { model, state } => models::state_changed(page, model, state),
        FromWorker::DeviceLost { error } => {
            page.device_lost.set(Some(error.clone()));
            page.announcement.set(page.say(Text::DeviceLostNote).to_owned());
        }
        FromWorker::DeviceRestored => {
            page.device_lost.set(None);
            page.toast(page.say(Text::DeviceRestoredNote));
        }
        _ => answer::received(page, message),
    }
}
