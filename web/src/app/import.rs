//! Conversations of other programs, or of another profile: a worker reads the file, and what it understood
//! goes into the log, a batch at a time, so that the page paints and a cancelled import has lost nothing.

use std::cell::RefCell;

use leptos::prelude::*;
use portico_page::i18n;
use portico_shared::sync::Body;
use uuid::Uuid;
use wasm_bindgen::prelude::*;

use crate::browser::after_ms;
use crate::log;
use crate::page::Page;

/// Most lines that are shown of what was refused.
const REFUSED_MAX: usize = 200;

#[wasm_bindgen]
extern "C" {
    /// Of `web/js/start.js`.
    #[wasm_bindgen(js_name = importFile)]
    fn import_file(file: &web_sys::File, lang: &str, hear: &JsValue) -> web_sys::Worker;

    type Batch;
    #[wasm_bindgen(method, getter)]
    fn failed(this: &Batch) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn read(this: &Batch) -> Option<Vec<ReadOne>>;
    #[wasm_bindgen(method, getter)]
    fn refused(this: &Batch) -> Option<Vec<String>>;
    #[wasm_bindgen(method, getter)]
    fn at(this: &Batch) -> u32;
    #[wasm_bindgen(method, getter)]
    fn total(this: &Batch) -> u32;
    #[wasm_bindgen(method, getter)]
    fn done(this: &Batch) -> bool;

    type ReadOne;
    #[wasm_bindgen(method, getter)]
    fn id(this: &ReadOne) -> String;
    #[wasm_bindgen(method, getter)]
    fn ops(this: &ReadOne) -> Vec<String>;
}

/// How far an import is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    pub at: u32,
    pub total: u32,
    pub n_new: u32,
    pub n_known: u32,
    pub n_refused: u32,
    /// With reasons, and what was left out of others.
    pub refused: Vec<String>,
    pub is_over: bool,
    pub failed: Option<String>,
}

thread_local! {
    static WORKER: RefCell<Option<web_sys::Worker>> = const { RefCell::new(None) };
}

/// Reads `file`; how far it is stands in the page's `import`.
pub fn start(page: Page, file: &web_sys::File) {
    cancel();
    page.import.set(Some(Progress::default()));
    let hear = Closure::<dyn FnMut(Batch)>::new(move |batch: Batch| hear(page, &batch));
    let lang = i18n::code(page.lang.get_untracked());
    let worker = import_file(file, lang, hear.as_ref());
    // As long as the worker, which the page cannot ask whether it is done with it.
    hear.forget();
    WORKER.set(Some(worker));
}

/// Ends an import; what it brought stays.
pub fn cancel() {
    if let Some(worker) = WORKER.take() {
        worker.terminate();
    }
}

fn hear(page: Page, batch: &Batch) {
    let mut now = page.import.get_untracked().unwrap_or_default();
    if let Some(why) = batch.failed() {
        now.failed = Some(why);
    }
    let read = batch.read().unwrap_or_default();
    let refused = batch.refused().unwrap_or_default();
    let n_before = now.at;
    now.at = batch.at().max(n_before);
    now.total = batch.total();
    now.n_refused += (now.at - n_before).saturating_sub(read.len() as u32);
    now.refused.extend(refused);
    for one in read {
        match Uuid::try_parse(&one.id()) {
            Ok(id) if log::row(id).is_some() => now.n_known += 1,
            Ok(id) => {
                // One that was deleted comes back.
                let was_known = log::knows(id);
                match log::adopt(page, &one.ops()) {
                    Ok(()) => now.n_new += 1,
                    Err(why) => {
                        now.n_refused += 1;
                        now.refused.push(why);
                    }
                }
                if was_known {
                    let back = Body::DeleteConversation { conversation: id, deleted: false };
                    log::write(page, [back]);
                }
            }
            Err(_) => now.n_refused += 1,
        }
    }
    now.refused.truncate(REFUSED_MAX);
    now.is_over = now.failed.is_some() || batch.done();
    if now.is_over {
        cancel();
        page.log_version.update(|version| *version += 1);
    } else {
        // The page paints before the next batch.
        after_ms(0, || {
            WORKER.with_borrow(|worker| {
                if let Some(worker) = worker {
                    worker.post_message(&JsValue::NULL).ok();
                }
            });
        });
    }
    page.import.set(Some(now));
}
