//! Where are the bytes of attached files? On this device by their SHA-256 (`web/js/attachment_files.js`), and,
//! of conversations that are synced, on the server: what is missing there is sent in chunks, what is missing
//! here is fetched when it is wanted. Of encrypted conversations they are encrypted on the way.

use std::collections::BTreeMap;

use leptos::prelude::*;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::sync::Attachment;
use portico_web::server_call::http::sleep_ms;
use portico_web::sync_link::Standing;
use serde::Deserialize;
use uuid::Uuid;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::File;

use crate::log;
use crate::page::Page;

/// After what could not be sent; the last one again and again.
const RETRY_MS: [i32; 4] = [1_000, 5_000, 15_000, 60_000];

#[wasm_bindgen(raw_module = "./attachment_files.js")]
extern "C" {
    #[wasm_bindgen(js_name = keepFile, catch)]
    async fn keep_file(file: &File) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = noteUse, catch)]
    async fn note_use(
        conversation: &str,
        sha256: &str,
        size_bytes: f64,
        is_sent: bool,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = forgetUnused, catch)]
    async fn forget_unused(conversations: Vec<String>) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = forgetAll, catch)]
    async fn js_forget_all() -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = imageUrl)]
    async fn js_image_url(sha256: &str, media_type: &str) -> JsValue;

    #[wasm_bindgen(js_name = saveFile, catch)]
    async fn save_file(sha256: &str, name: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = fetchFile, catch)]
    async fn fetch_file(
        conversation: &str,
        sha256: &str,
        size_bytes: f64,
        tell: &JsValue,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = sendAll, catch)]
    async fn send_all(
        may_leave: &JsValue,
        is_deleted: &JsValue,
        tell: &JsValue,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = stopSending)]
    fn stop_sending(sha256: &str);

    #[wasm_bindgen(js_name = sendAgain, catch)]
    async fn send_again(sha256: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = freeBytes)]
    async fn js_free_bytes() -> JsValue;

    #[wasm_bindgen(js_name = followFiles)]
    fn follow_files(hear: &JsValue);

    #[wasm_bindgen(js_name = tellOthers)]
    fn tell_others(state: &str);

    #[wasm_bindgen(js_name = askOthersToStop)]
    fn ask_others_to_stop(sha256: &str);
}

/// How a file's way is, from or to the server.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Transfer {
    Sending {
        done_bytes: u64,
        total_bytes: u64,
        bytes_per_s: f64,
    },
    Fetching {
        done_bytes: u64,
        total_bytes: u64,
        bytes_per_s: f64,
    },
    /// The other devices can have it.
    Sent,
    /// It is tried again.
    Waiting,
    /// The person stopped it.
    Stopped,
    Refused {
        error: ApiError,
    },
    /// What was wanted here could not be had.
    #[serde(skip)]
    Failed(ApiError),
}

/// By SHA-256.
pub type Transfers = BTreeMap<String, Transfer>;

#[derive(Deserialize)]
struct Told {
    sha256: String,
    #[serde(flatten)]
    transfer: Transfer,
}

/// Begins to send what is to be sent, now and whenever something changes.
pub fn start(page: Page) {
    let hear = move |said: JsValue| {
        if let Some(said) = said.as_string() {
            hear(page, &said);
        }
    };
    follow_files(&Closure::<dyn FnMut(JsValue)>::new(hear).into_js_value());
    Effect::new(move |_| {
        let is_synced = page.sync.with(|sync| {
            sync.as_ref().is_some_and(|sync| matches!(sync.standing, Standing::Synced))
        });
        page.log_version.track();
        if is_synced && page.person.with(Option::is_some) && page.online.get() {
            send(page);
        }
    });
    Effect::new(move |was_ready: Option<bool>| {
        let is_ready = page.log_ready.get();
        if is_ready && was_ready == Some(false) && !page.log_in_memory.get_untracked() {
            spawn_local(async {
                // What cannot be tidied now is at the next start.
                forget_unused(log::conversations()).await.ok();
            });
        }
        is_ready
    });
}

fn hear(page: Page, said: &str) {
    let Ok(Told { sha256, transfer }) = serde_json::from_str(said) else { return };
    page.transfers.update(|transfers| {
        transfers.insert(sha256, transfer);
    });
}

/// For a script: what it says is shown here, and told to the other tabs.
fn teller(page: Page) -> JsValue {
    let tell = move |said: String| {
        hear(page, &said);
        tell_others(&said);
    };
    Closure::<dyn FnMut(String)>::new(tell).into_js_value()
}

/// Sends what waits, until all is there or nothing more can be done.
fn send(page: Page) {
    thread_local! {
        static RUNS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
        static AGAIN: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
        static SCRIPTS: std::cell::OnceCell<[JsValue; 3]> = const { std::cell::OnceCell::new() };
    }
    if RUNS.replace(true) {
        AGAIN.set(true);
        return;
    }
    let scripts = || {
        [
            of_conversation(move |id| may_leave(page, id)),
            of_conversation(log::is_deleted),
            teller(page),
        ]
    };
    let [may_leave, is_deleted, tell] = SCRIPTS.with(|kept| kept.get_or_init(scripts).clone());
    spawn_local(async move {
        let mut n_failures = 0;
        loop {
            AGAIN.set(false);
            let left = send_all(&may_leave, &is_deleted, &tell).await;
            let is_left = !matches!(&left, Ok(left) if !left.is_truthy());
            if is_left && page.person.get_untracked().is_some() {
                sleep_ms(RETRY_MS[n_failures.min(RETRY_MS.len() - 1)]).await;
                n_failures += 1;
            } else if !AGAIN.get() {
                break;
            }
        }
        RUNS.set(false);
    });
}

fn may_leave(page: Page, conversation: Uuid) -> bool {
    let is_held = page
        .sync
        .with_untracked(|sync| sync.as_ref().is_none_or(|sync| sync.held.contains(&conversation)));
    page.person.with_untracked(Option::is_some) && !is_held && !log::stays_on_device(conversation)
}

/// For a script, which knows a conversation by its id; of what is none, nothing is true.
fn of_conversation(is: impl Fn(Uuid) -> bool + 'static) -> JsValue {
    let is = move |conversation: String| conversation.parse::<Uuid>().is_ok_and(&is);
    Closure::<dyn FnMut(String) -> bool>::new(is).into_js_value()
}

/// Keeps a chosen file; its SHA-256.
///
/// # Errors
/// `device_storage_full`, `device_storage_refused`.
pub async fn keep(file: &File) -> Result<String, ApiError> {
    let kept = keep_file(file).await.map_err(|error| said(&error))?;
    kept.as_string().ok_or_else(|| ApiError::new(ErrorCode::Internal))
}

/// A conversation has these from now on.
pub fn note(page: Page, conversation: Uuid, attachments: &[Attachment]) {
    let kept = attachments.iter().filter_map(|one| Some((one.sha256.clone()?, one.size_bytes)));
    let kept: Vec<_> = kept.collect();
    if kept.is_empty() {
        return;
    }
    spawn_local(async move {
        for (sha256, size_bytes) in kept {
            let conversation = conversation.to_string();
            if let Err(error) = note_use(&conversation, &sha256, size_bytes as f64, false).await {
                page.save_error.set(Some(said(&error).text(page.lang.get_untracked())));
            }
        }
        let is_synced = page.sync.with_untracked(Option::is_some);
        if is_synced && page.person.with_untracked(Option::is_some) {
            send(page);
        }
    });
}

/// Has a file here, from the server where it is not kept here; then does what is wanted with it.
pub fn with_file(
    page: Page,
    conversation: Uuid,
    attachment: &Attachment,
    then: impl AsyncFnOnce() -> Result<(), ApiError> + 'static,
) {
    let Some(sha256) = attachment.sha256.clone() else { return };
    let size_bytes = attachment.size_bytes as f64;
    spawn_local(async move {
        let conversation = conversation.to_string();
        let tell = teller(page);
        let fetched = fetch_file(&conversation, &sha256, size_bytes, &tell).await;
        let done = match fetched {
            Ok(_) => then().await,
            Err(error) => Err(said(&error)),
        };
        page.transfers.update(|transfers| match done {
            Ok(()) => {
                if matches!(
                    transfers.get(&sha256),
                    Some(Transfer::Fetching { .. } | Transfer::Failed(_))
                ) {
                    transfers.remove(&sha256);
                }
            }
            Err(error) => {
                transfers.insert(sha256, Transfer::Failed(error));
            }
        });
    });
}

/// Gives a file to the person, as a download.
pub fn save(page: Page, conversation: Uuid, attachment: &Attachment) {
    let (sha256, name) = (attachment.sha256.clone().unwrap_or_default(), attachment.name.clone());
    with_file(page, conversation, attachment, async move || {
        save_file(&sha256, &name).await.map(|_| ()).map_err(|error| said(&error))
    });
}

/// The address of an image that is kept here.
pub async fn image_url(attachment: &Attachment) -> Option<String> {
    let sha256 = attachment.sha256.as_deref()?;
    js_image_url(sha256, &attachment.media_type).await.as_string()
}

/// Whether a browser shows it as an image without running anything of it.
pub fn is_image(media_type: &str) -> bool {
    matches!(media_type, "image/png" | "image/jpeg" | "image/gif" | "image/webp")
}

pub fn stop(sha256: &str) {
    stop_sending(sha256);
    ask_others_to_stop(sha256);
}

/// Sends a file after all that was stopped.
pub fn resume(page: Page, sha256: String) {
    spawn_local(async move {
        match send_again(&sha256).await {
            Ok(_) => {
                page.transfers.update(|transfers| {
                    transfers.insert(sha256, Transfer::Waiting);
                });
                send(page);
            }
            Err(error) => page.save_error.set(Some(said(&error).text(page.lang.get_untracked()))),
        }
    });
}

/// How much more of the person's the server takes; none where that is not limited or not known.
pub async fn free_bytes() -> Option<u64> {
    js_free_bytes().await.as_f64().map(|bytes| bytes as u64)
}

/// Deletes all that is kept here.
pub async fn forget_all() -> Result<(), String> {
    js_forget_all().await.map(|_| ()).map_err(|error| crate::browser::js_error(&error))
}

/// The error of the table that a script threw.
fn said(error: &JsValue) -> ApiError {
    let message = js_sys::Reflect::get(error, &"message".into()).ok();
    let message = message.and_then(|text| text.as_string()).unwrap_or_default();
    serde_json::from_str(&message).unwrap_or_else(|_| {
        ApiError::new(ErrorCode::DeviceStorageRefused).detail(crate::browser::js_error(error))
    })
}
