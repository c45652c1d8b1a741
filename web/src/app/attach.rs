//! Files on their way into a message: read on this device, and part of what is sent; the bytes are kept
//! beside it ([`files`]). One that is too long to be read whole by the model, or that only the server can
//! read, becomes a document, which is searched instead: on this device or in a collection, as the person
//! says. Images are kept and shown, not read.

use std::cell::RefCell;
use std::collections::BTreeMap;

use js_sys::Function;
use leptos::prelude::*;
use portico_library::address::ON_DEVICE;
use portico_library::kinds;
use portico_library::shelf::protocol::{FromShelf, ToShelf};
use portico_page::route::Choice;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::grounding::estimated_tokens;
use portico_shared::sync::{ATTACHMENTS_MAX, Attachment, TEXT_MAX_BYTES};
use portico_web::file_reading::{Taken, take};
use portico_web::protocol::ModelState;
use portico_web::server_call::http::error_in;
use portico_web::shelf_link::ask;
use uuid::Uuid;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::File;

use crate::browser::monotonic_ms;
use crate::page::Page;
use crate::{documents, files, place, prefs};

/// A larger image would take more memory than a tab has.
const IMAGE_BYTES_MAX: f64 = 64e6;
/// Context of a model of which nothing is known yet, in tokens.
const USUAL_N_CTX: u32 = 2048;

/// A file that stands in a conversation's composer.
#[derive(Clone, Debug, PartialEq)]
pub struct Attached {
    pub id: u64,
    /// None: the next new one.
    pub conversation: Option<Uuid>,
    pub name: String,
    pub size_bytes: u64,
    pub stage: Stage,
    /// Why the bytes are not kept here; the text goes along all the same.
    pub not_kept: Option<ApiError>,
    /// Why they will not come to the person's other devices.
    pub not_sent: Option<ErrorCode>,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    Reading,
    /// On its way to a collection.
    Adding {
        done_bytes: u64,
        bytes_per_s: f64,
    },
    Ready(Attachment),
    /// It has so many tokens, of so many that the model can take with it.
    TooLong {
        n_tokens: u32,
        max_tokens: u32,
    },
    Failed(ApiError),
}

#[wasm_bindgen(raw_module = "./library_files.js")]
extern "C" {
    /// Gives what stops it.
    #[wasm_bindgen(js_name = sendFile)]
    fn send_file(
        url: &str,
        media_type: &str,
        file: &File,
        on_progress: &JsValue,
        on_end: &JsValue,
    ) -> Function;
}

thread_local! {
    /// What stops a file's way to a collection.
    static STOPS: RefCell<BTreeMap<u64, Function>> = const { RefCell::new(BTreeMap::new()) };
    static FILES: RefCell<BTreeMap<u64, File>> = const { RefCell::new(BTreeMap::new()) };
}

/// Files of a drop, a paste (`transfer`) or a chooser; none where it brings none.
pub fn files_of(holder: &JsValue) -> Vec<File> {
    let files = js_sys::Reflect::get(holder, &"files".into()).ok();
    let files = files.and_then(|files| files.dyn_into::<web_sys::FileList>().ok());
    let Some(files) = files else { return Vec::new() };
    (0..files.length()).filter_map(|at| files.get(at)).collect()
}

/// The transfer of a drop's or a paste's event.
pub fn transfer_of(event: &JsValue) -> JsValue {
    let of = |name: &str| js_sys::Reflect::get(event, &name.into()).unwrap_or_default();
    let dropped = of("dataTransfer");
    if dropped.is_object() { dropped } else { of("clipboardData") }
}

/// Takes files into the open conversation's composer.
pub fn add(page: Page, files: Vec<File>) {
    thread_local!(static LAST: std::cell::Cell<u64> = const { std::cell::Cell::new(0) });
    let conversation = page.open.get_untracked();
    for file in files {
        let id = LAST.get() + 1;
        LAST.set(id);
        let size_bytes = file.size() as u64;
        let is_one_too_many = of(page, conversation).len() >= ATTACHMENTS_MAX;
        let stage = match is_one_too_many {
            true => Stage::Failed(
                ApiError::new(ErrorCode::TooManyAttachments).with("max", ATTACHMENTS_MAX),
            ),
            false => Stage::Reading,
        };
        let name = file.name();
        let (not_kept, not_sent) = (None, None);
        let attached = Attached { id, conversation, name, size_bytes, stage, not_kept, not_sent };
        page.attached.update(|all| all.push(attached));
        FILES.with_borrow_mut(|files| files.insert(id, file.clone()));
        if !is_one_too_many {
            spawn_local(async move {
                let stage = match read(page, &file).await {
                    Ok(Stage::Ready(attachment)) => {
                        Stage::Ready(kept(page, id, &file, attachment).await)
                    }
                    Ok(stage) => stage,
                    Err(error) => Stage::Failed(error),
                };
                set_stage(page, id, stage);
            });
        }
    }
}

fn set_stage(page: Page, id: u64, stage: Stage) {
    change(page, id, |one| one.stage = stage);
}

fn change(page: Page, id: u64, change: impl FnOnce(&mut Attached)) {
    page.attached.update(|all| {
        if let Some(one) = all.iter_mut().find(|one| one.id == id) {
            change(one);
        }
    });
}

/// The attachment with its bytes kept, where that can be.
async fn kept(page: Page, id: u64, file: &File, attachment: Attachment) -> Attachment {
    let sha256 = match files::keep(file).await {
        Ok(sha256) => Some(sha256),
        Err(error) => {
            change(page, id, |one| one.not_kept = Some(error));
            None
        }
    };
    // Said before it is sent: the server would refuse it.
    let stays = untrack(|| place::choice(page, page.open.get()) == Choice::Device);
    if sha256.is_some() && !stays && page.person.with_untracked(Option::is_some) {
        let free_bytes = files::free_bytes().await;
        if free_bytes.is_some_and(|free| attachment.size_bytes > free) {
            change(page, id, |one| one.not_sent = Some(ErrorCode::StorageQuotaFull));
        }
    }
    Attachment { sha256, ..attachment }
}

async fn read(page: Page, file: &File) -> Result<Stage, ApiError> {
    let media_type = file.type_();
    if files::is_image(&media_type) {
        if file.size() > IMAGE_BYTES_MAX {
            return Err(ApiError::new(ErrorCode::DocumentTooLarge));
        }
        let (name, size_bytes, text) = (file.name(), file.size() as u64, String::new());
        return Ok(Stage::Ready(Attachment { name, media_type, size_bytes, text, sha256: None }));
    }
    let Taken { file: known, pages, bytes } = take(file).await?;
    let (name, media_type) = (known.name.clone(), known.media_type.clone());
    let size_bytes = file.size() as u64;
    let read = ask(&ToShelf::Prepare { file: known, pages }, Some(bytes)).await?.0;
    let FromShelf::Prepared { extracted, .. } = read else {
        return Err(ApiError::new(ErrorCode::Internal));
    };
    let text = extracted.text;
    let (n_tokens, max_tokens) = (estimated_tokens(&text), room_tokens(page));
    if n_tokens > max_tokens || text.len() > TEXT_MAX_BYTES / 2 {
        return Ok(Stage::TooLong { n_tokens, max_tokens });
    }
    Ok(Stage::Ready(Attachment { name, media_type, size_bytes, text, sha256: None }))
}

/// Half of what the answering model holds: the rest is the conversation's and the answer's.
fn room_tokens(page: Page) -> u32 {
    let model = untrack(|| place::answering_model(page));
    let n_ctx = model.and_then(|model| {
        let loaded = page.models.with_untracked(|models| match models.get(&model) {
            Some(ModelState::Ready { n_ctx, .. }) => Some(*n_ctx),
            _ => None,
        });
        loaded.or_else(|| untrack(|| page.model(&model)).map(|model| model.model.n_ctx))
    });
    n_ctx.unwrap_or(USUAL_N_CTX) / 2
}

/// What stands in a conversation's composer, for views.
pub fn of(page: Page, conversation: Option<Uuid>) -> Vec<Attached> {
    page.attached
        .with(|all| all.iter().filter(|one| one.conversation == conversation).cloned().collect())
}

/// Whether nothing of it is still being read, or cannot go along.
pub fn is_ready(page: Page, conversation: Option<Uuid>) -> bool {
    of(page, conversation).iter().all(|one| matches!(one.stage, Stage::Ready(_)))
}

/// Takes what is ready out of the composer.
pub fn take_ready(page: Page, conversation: Option<Uuid>) -> Vec<Attachment> {
    let mut taken = Vec::new();
    page.attached.update(|all| {
        all.retain(|one| match &one.stage {
            Stage::Ready(attachment) if one.conversation == conversation => {
                taken.push(attachment.clone());
                FILES.with_borrow_mut(|files| files.remove(&one.id));
                false
            }
            _ => true,
        });
    });
    taken
}

pub fn remove(page: Page, id: u64) {
    if let Some(stop) = STOPS.with_borrow_mut(|stops| stops.remove(&id)) {
        stop.call0(&JsValue::UNDEFINED).ok();
    }
    page.attached.update(|all| all.retain(|one| one.id != id));
    FILES.with_borrow_mut(|files| files.remove(&id));
}

/// Keeps a file as a document of this device, and has the conversation rest on those.
pub fn keep_on_device(page: Page, id: u64) {
    let Some(file) = FILES.with_borrow(|files| files.get(&id).cloned()) else { return };
    set_stage(page, id, Stage::Reading);
    spawn_local(async move {
        match keep(page, &file).await {
            Ok(()) => {
                documents::choose(page, page.open.get_untracked(), ON_DEVICE, true);
                remove(page, id);
            }
            Err(error) => set_stage(page, id, Stage::Failed(error)),
        }
    });
}

/// Puts a file into a collection of the server, and has the conversation rest on it.
pub fn add_to(page: Page, id: u64, collection: String) {
    let Some(file) = FILES.with_borrow(|files| files.get(&id).cloned()) else { return };
    set_stage(page, id, Stage::Adding { done_bytes: 0, bytes_per_s: 0.0 });
    let start_ms = monotonic_ms();
    let on_progress = Closure::<dyn FnMut(f64)>::new(move |done_bytes: f64| {
        let bytes_per_s = done_bytes * 1_000.0 / (monotonic_ms() - start_ms).max(1.0);
        let done_bytes = done_bytes as u64;
        set_stage(page, id, Stage::Adding { done_bytes, bytes_per_s });
    });
    let name = js_sys::encode_uri_component(&file.name());
    let date_s = (file.last_modified() / 1_000.0) as i64;
    let path = format!("/api/collections/{collection}/documents?name={name}&date_s={date_s}");
    let on_end = Closure::once_into_js(move |status: f64, body: String| {
        STOPS.with_borrow_mut(|stops| stops.remove(&id));
        if (200.0..300.0).contains(&status) {
            documents::choose(page, page.open.get_untracked(), &collection, true);
            spawn_local(documents::load(page));
            remove(page, id);
            return;
        }
        let unreached = || ApiError::new(ErrorCode::ServerUnreachable);
        set_stage(page, id, Stage::Failed(error_in(&body).unwrap_or_else(unreached)));
    });
    let kind = kinds::kind_of(&file.name(), &file.type_());
    let media_type = kind.map_or_else(|| file.type_(), |kind| kind.media_type.to_owned());
    let stop = send_file(&path, &media_type, &file, &on_progress.into_js_value(), &on_end);
    STOPS.with_borrow_mut(|stops| stops.insert(id, stop));
}

async fn keep(page: Page, file: &File) -> Result<(), ApiError> {
    let Taken { file, pages, bytes } = take(file).await?;
    ask(&ToShelf::Add { file, pages }, Some(bytes)).await?;
    if let FromShelf::Listed { documents } = ask(&ToShelf::List, None).await?.0 {
        prefs::set(ON_DEVICE, Some(&documents.len().to_string()));
    }
    documents::load(page).await;
    Ok(())
}
