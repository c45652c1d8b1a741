//! The service worker: registers it, and tells when a new version of the page is ready. Never
//! reloads by itself.

use std::sync::Arc;

use js_sys::Reflect;
use portico_page::i18n::Text;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{MessageEvent, ServiceWorkerContainer};

use crate::browser::{after_ms, document, js_error, window};
use crate::page::Page;

/// The new shell is asked for when the page has settled, then every hour.
const FIRST_LOOK_MS: i32 = 8_000;
const NEXT_LOOK_MS: i32 = 3_600_000;

/// Starts the service worker. Without one (an insecure address, a private window) the page works
/// as long as the server does.
pub fn start(page: Page) {
    let Some(container) = container() else { return };
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let build = Reflect::get(&event.data(), &"build".into()).ok().and_then(|b| b.as_string());
        if build.is_some() && build != own_build() {
            page.ask(
                page.say(Text::UpdateReady).to_owned(),
                Text::Reload,
                Arc::new(|| {
                    if let Some(window) = window() {
                        window.location().reload().ok();
                    }
                }),
            );
        }
    });
    container.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    spawn_local(async move {
        if let Err(error) = JsFuture::from(container.register("/sw.js")).await {
            let text = format!("portico: no service worker: {}", js_error(&error));
            web_sys::console::warn_1(&text.into());
            return;
        }
        after_ms(FIRST_LOOK_MS, look);
    });
}

fn container() -> Option<ServiceWorkerContainer> {
    let navigator = window()?.navigator();
    // Absent where the address is not secure.
    let is_there = Reflect::has(&navigator, &"serviceWorker".into()).unwrap_or(false);
    is_there.then(|| navigator.service_worker())
}

fn look() {
    if let Some(worker) = container().and_then(|container| container.controller()) {
        worker.post_message(&"refresh".into()).ok();
    }
    after_ms(NEXT_LOOK_MS, look);
}

/// The build that this page came from: its scripts lie under `/assets/<build>/`.
fn own_build() -> Option<String> {
    let meta = document()?.query_selector("meta[name=portico-worker]").ok()??;
    let path = meta.get_attribute("content")?;
    path.strip_prefix("/assets/")?.split('/').next().map(str::to_owned)
}
