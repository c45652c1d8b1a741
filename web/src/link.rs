//! How does the page talk to its worker? One worker a tab; several listeners on the page: the chat
//! and the call for scripts (`window.portico`).

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, Worker, WorkerOptions, WorkerType};

use portico_relay::protocol::{FromWorker, ToWorker};

/// Why there is no worker to talk to.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LinkError {
    #[error("the page names no worker (`<meta name=\"portico-worker\">`)")]
    NoAddress,
    #[error("the worker did not start: {0}")]
    Start(String),
}

type Listener = Rc<dyn Fn(&FromWorker)>;

/// A handle on the tab's worker; clones share it.
#[derive(Clone)]
pub struct WorkerLink {
    inner: Rc<Inner>,
}

struct Inner {
    worker: Worker,
    listeners: RefCell<Vec<(u64, Listener)>>,
    next_id: Cell<u64>,
}

/// Ends its listener when dropped.
#[must_use = "dropping it ends the listener"]
pub struct Subscription {
    id: u64,
    inner: Rc<Inner>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.inner.listeners.borrow_mut().retain(|(id, _)| *id != self.id);
    }
}

impl WorkerLink {
    /// Starts the worker that `<meta name="portico-worker" content=…>` names. `on_crash` is told
    /// when the worker's script fails to load or throws.
    pub fn start(on_crash: impl Fn(String) + 'static) -> Result<Self, LinkError> {
        let url = worker_url().ok_or(LinkError::NoAddress)?;
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        // What tests may ask of the page they may ask of the worker. Its name says so: of an address'
        // query nothing is left when the service worker answers from its cache.
        let is_debug = crate::portico_api::is_debug();
        options.set_name(if is_debug { "portico-engine debug" } else { "portico-engine" });
        let worker = Worker::new_with_options(&url, &options)
            .map_err(|error| LinkError::Start(format!("{error:?}")))?;
        let inner =
            Rc::new(Inner { worker, listeners: RefCell::new(Vec::new()), next_id: Cell::new(0) });
        let link = Self { inner };

        let receiver = link.clone();
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            receiver.receive(&event);
        });
        link.inner.worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        // Both live as long as the page.
        on_message.forget();

        let on_error = Closure::<dyn FnMut(web_sys::Event)>::new(move |event: web_sys::Event| {
            let message = event.dyn_ref::<web_sys::ErrorEvent>().map(web_sys::ErrorEvent::message);
            on_crash(message.unwrap_or_else(|| "its script could not be loaded".to_owned()));
        });
        link.inner.worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        on_error.forget();
        Ok(link)
    }

    /// Sends a message.
    pub fn post(&self, message: &ToWorker) {
        let sent =
            serde_json::to_string(message).map_err(|error| error.to_string()).and_then(|json| {
                let json = JsValue::from_str(&json);
                self.inner.worker.post_message(&json).map_err(|error| format!("{error:?}"))
            });
        if let Err(error) = sent {
            web_sys::console::error_1(&format!("portico: message to the worker: {error}").into());
        }
    }

    /// Ends the worker at once.
    pub fn terminate(&self) {
        self.inner.worker.terminate();
    }

    /// Calls `listener` for each message from the worker until the subscription is dropped.
    pub fn subscribe(&self, listener: impl Fn(&FromWorker) + 'static) -> Subscription {
        let id = self.inner.next_id.get();
        self.inner.next_id.set(id + 1);
        self.inner.listeners.borrow_mut().push((id, Rc::new(listener)));
        Subscription { id, inner: self.inner.clone() }
    }

    fn receive(&self, event: &MessageEvent) {
        let Some(json) = event.data().as_string() else { return };
        match serde_json::from_str::<FromWorker>(&json) {
            Ok(message) => {
                // Copied first: a listener may subscribe or end another.
                let listeners: Vec<Listener> =
                    self.inner.listeners.borrow().iter().map(|(_, l)| l.clone()).collect();
                for listener in listeners {
                    listener(&message);
                }
            }
            Err(error) => {
                let text = format!("portico: message from the worker: {error}: {json}");
                web_sys::console::error_1(&text.into());
            }
        }
    }
}

fn worker_url() -> Option<String> {
    let document = web_sys::window()?.document()?;
    let meta = document.query_selector("meta[name=portico-worker]").ok()??;
    meta.get_attribute("content").filter(|url| !url.is_empty())
}
