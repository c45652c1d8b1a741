//! `window.portico`: one call for scripts, in OpenAI's shape, answered by this page's engine.
//!
//! ```js
//! await portico.ready
//! const answer = await portico.chat.completions.create({ model, messages })
//! for await (const chunk of portico.chat.completions.create({ model, messages, stream: true })) …
//! const { choices } = await portico.completions.create({ model, prompt, echo: true, max_tokens: 0, logprobs: 5 })
//! const { data } = await portico.models.list()
//! ```
//!
//! A request's `place` is `"device"`, `"server"` or `"auto"` (the default: the device, and where that
//! fails the server, if it computes for this page). `portico.embeddings.create({ model, input })` takes
//! `input_type` (`"query"`, `"passage"`) for the model's own prefixes; on the device, texts beyond what
//! the model reads are cut and named in the answer's `portico.truncated`.
//!
//! Requests and answers are those of `portico_shared::openai`. A second argument may carry
//! `{ signal }`, an `AbortSignal`. What is thrown is an `Error` with `code` and `status`
//! (`portico_shared::error`).

mod call;
mod embeddings;
mod js;
mod models;
mod server;

use std::cell::RefCell;
use std::rc::Rc;

use portico_relay::protocol::{FromWorker, ToWorker};
use serde_json::json;
use wasm_bindgen::prelude::*;

use crate::later_link::load_views;
use crate::link::{Subscription, WorkerLink};
use call::Kind;
use js::{function, set, value_from};

#[wasm_bindgen]
extern "C" {
    /// Of `web/src/selftest`.
    type SelfTest;
    #[wasm_bindgen(method, catch)]
    async fn run(this: &SelfTest) -> Result<JsValue, JsValue>;
}

/// Puts `portico` on the window. Called once, as soon as the page has its worker.
///
/// # Errors
/// Where the window refuses a property, which no browser does.
pub fn install(link: &WorkerLink) -> Result<(), JsValue> {
    let api = js_sys::Object::new();
    let chat = js_sys::Object::new();
    set(&chat, "completions", &completions(link, Kind::Chat)?.into())?;
    set(&api, "chat", &chat)?;
    set(&api, "completions", &completions(link, Kind::Completion)?.into())?;
    let embeddings = js_sys::Object::new();
    let own = link.clone();
    let create = function(move |request, options| embeddings::create(&own, &request, &options));
    set(&embeddings, "create", &create)?;
    set(&api, "embeddings", &embeddings)?;
    let listing = js_sys::Object::new();
    set(
        &listing,
        "list",
        &function(|_, _| wasm_bindgen_futures::future_to_promise(models::list()).into()),
    )?;
    set(&api, "models", &listing)?;
    set(&api, "ready", &ready(link))?;
    if is_debug() {
        install_debug(link, &api)?;
    }
    let window = web_sys::window().ok_or_else(|| JsValue::from_str("no window"))?;
    set(&window, "portico", &api)
}

/// Whether the page was opened with `?debug`.
pub(crate) fn is_debug() -> bool {
    web_sys::window()
        .and_then(|window| window.location().search().ok())
        .is_some_and(|query| query.contains("debug"))
}

fn completions(link: &WorkerLink, kind: Kind) -> Result<js_sys::Object, JsValue> {
    let completions = js_sys::Object::new();
    let link = link.clone();
    let create = function(move |request, options| call::create(&link, kind, &request, &options));
    set(&completions, "create", &create)?;
    Ok(completions)
}

/// Resolves with the device and the storage once the engine has said what they are.
fn ready(link: &WorkerLink) -> js_sys::Promise {
    first(link, |message| match message {
        FromWorker::Hello { device, storage } => {
            value_from(&json!({ "device": device, "storage": storage })).ok()
        }
        _ => None,
    })
}

/// For tests: `portico.debug()` tells what the worker counts, `portico.loseDevice()` loses the GPU,
/// `portico.selfTest()` runs the kernels beside their twins, `portico.roofline({ model, n_prompt,
/// n_decode })` holds the engine against the device.
fn install_debug(link: &WorkerLink, api: &js_sys::Object) -> Result<(), JsValue> {
    let asking = link.clone();
    let debug = function(move |_, _| {
        let report = first(&asking, |message| match message {
            FromWorker::Debug { report } => value_from(report).ok(),
            _ => None,
        });
        asking.post(&ToWorker::Debug);
        report.into()
    });
    set(api, "debug", &debug)?;
    let losing = link.clone();
    let lose_device = function(move |_, _| {
        losing.post(&ToWorker::LoseDevice);
        JsValue::UNDEFINED
    });
    set(api, "loseDevice", &lose_device)?;
    let self_test = function(|_, _| {
        let report = async {
            let loaded = load_views("selftest").await?;
            loaded.unchecked_ref::<SelfTest>().run().await
        };
        wasm_bindgen_futures::future_to_promise(report).into()
    });
    set(api, "selfTest", &self_test)?;
    let measuring = link.clone();
    let roofline = function(move |asked, _| {
        let text = |name: &str| js_sys::Reflect::get(&asked, &name.into()).ok();
        let number = |name: &str| text(name).and_then(|n| n.as_f64()).unwrap_or_default() as u32;
        let report = measured(&measuring);
        measuring.post(&ToWorker::Roofline {
            model: text("model").and_then(|model| model.as_string()).unwrap_or_default(),
            n_prompt: number("n_prompt"),
            n_decode: number("n_decode"),
        });
        report.into()
    });
    set(api, "roofline", &roofline)
}

/// A promise of `{ report, error }`.
fn measured(link: &WorkerLink) -> js_sys::Promise {
    first(link, |message| match message {
        FromWorker::Measured { report, error } => {
            value_from(&json!({ "report": report, "error": error })).ok()
        }
        _ => None,
    })
}

/// A promise of the first message that `pick` makes something of.
fn first(
    link: &WorkerLink,
    pick: impl Fn(&FromWorker) -> Option<JsValue> + 'static,
) -> js_sys::Promise {
    let pick = Rc::new(pick);
    js_sys::Promise::new(&mut |resolve, _| {
        let subscription: Rc<RefCell<Option<Subscription>>> = Rc::default();
        let (own, pick) = (subscription.clone(), pick.clone());
        let listening = link.subscribe(move |message| {
            if let Some(value) = pick(message)
                && let Some(subscription) = own.take()
            {
                drop(subscription);
                // Resolving a promise does not throw.
                let _ = resolve.call1(&JsValue::UNDEFINED, &value);
            }
        });
        *subscription.borrow_mut() = Some(listening);
    })
}
