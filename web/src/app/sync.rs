//! Who is signed in, and how do their devices hear of each other? What does it is a Wasm of its own
//! (`web/src/sync`), fetched when somebody is signed in; here stands what it says.

use std::cell::RefCell;
use std::sync::Arc;

use leptos::prelude::*;
use portico_page::i18n::Text;
use portico_web::server_call;
use portico_web::sync_link::{Channel, FromSync, ToSync};
use portico_web::turns::Turns;
use uuid::Uuid;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::browser::{after_ms, js_error, on_window, window};
use crate::page::Page;
use crate::{answer, files, log, place, prefs, session};

/// The account that this device was last signed in with, in the choices.
const ACCOUNT: &str = "account";
/// Whoever signs in or out says so on the window.
const SESSION_EVENT: &str = "portico-session";

/// How long the other device has for stopping.
const STOP_MS: i32 = 3_000;

thread_local! {
    static CHANNEL: RefCell<Option<Channel>> = const { RefCell::new(None) };
    static LOOKS: Turns = const { Turns::new() };
}

#[wasm_bindgen]
extern "C" {
    /// Of `web/js/start.js`; does nothing the second time.
    #[wasm_bindgen(js_name = loadSync, catch)]
    async fn load_sync() -> Result<JsValue, JsValue>;
}

/// Whether somebody is signed in here, as far as is known without asking.
pub fn has_account() -> bool {
    prefs::get(ACCOUNT).is_some()
}

/// Begins to listen, and to sync where somebody is signed in.
pub fn start(page: Page) {
    if let Some(channel) = Channel::open() {
        channel.listen(move |said| match said {
            FromSync::State(state) => page.sync.set(Some(state)),
            FromSync::Stop { message } => answer::stop(page, message),
        });
        CHANNEL.set(Some(channel));
    }
    on_window(SESSION_EVENT, move |_| {
        spawn_local(look(page));
        // Another person may ask other models.
        spawn_local(place::load_offer(page));
    });
    on_window("online", move |_| tell(&ToSync::Ask));
    spawn_local(look(page));
    Effect::new(move |_| {
        if let Some(conversation) = page.open.get() {
            tell(&ToSync::Open { conversation });
        }
    });
}

async fn look(page: Page) {
    let turn = LOOKS.with(Turns::next);
    let session = session::ask().await;
    // It was asked before somebody signed in or out, and came behind what was asked then.
    if session.is_some() && !LOOKS.with(|looks| looks.take(turn)) {
        return;
    }
    if let Some(session) = &session {
        session::heed(page, session);
    }
    match session.map(|session| session.person) {
        Some(Some(person)) => {
            prefs::set(ACCOUNT, Some(&person.id.to_string()));
            page.is_admin.set(person.is_admin());
            page.person.set(Some(person.shown()));
        }
        Some(None) => {
            if has_account() {
                ask_what_stays(page);
            }
            prefs::set(ACCOUNT, None);
            page.is_admin.set(false);
            page.person.set(None);
            page.sync.set(None);
        }
        // Without the server the last one who was signed in still is.
        None => {}
    }
    if !has_account() {
        tell(&ToSync::Session);
        return;
    }
    match load_sync().await {
        Ok(_) => {
            tell(&ToSync::Session);
            tell(&ToSync::Ask);
        }
        Err(error) => {
            let text = format!("portico: sync could not be loaded: {}", js_error(&error));
            web_sys::console::warn_1(&text.into());
        }
    }
}

/// Signed out: the person's conversations stay on this device unless they say otherwise.
fn ask_what_stays(page: Page) {
    let remove = Arc::new(move || {
        spawn_local(async move {
            // Where the browser does not let go of them, they go with conversations that are no more.
            files::forget_all().await.ok();
            match log::destroy().await {
                Ok(()) => {
                    if let Some(window) = window() {
                        window.location().set_href("/").ok();
                    }
                }
                Err(error) => page.save_error.set(Some(error.to_string())),
            }
        });
    });
    page.ask(page.say(Text::SignedOutAsk).to_owned(), Text::SignedOutRemove, remove);
}

/// Whether the conversations that were here before somebody signed in are sent.
pub fn decide(sends: bool) {
    tell(&ToSync::Decide { sends });
}

/// Stops an answer that another device is writing. Where that device does not, the server ends what it
/// keeps as `stream`.
pub fn stop(page: Page, message: Uuid, stream: Option<String>) {
    tell(&ToSync::Stop { message });
    if let Some(stream) = stream {
        after_ms(STOP_MS, move || {
            if untrack(|| log::is_remote(page, message)) {
                server_call::cancel(stream);
            }
        });
    }
}

fn tell(message: &ToSync) {
    CHANNEL.with_borrow(|channel| {
        if let Some(channel) = channel {
            channel.say(message);
        }
    });
}
