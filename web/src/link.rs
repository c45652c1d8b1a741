//! How does the page talk to its worker? One worker a tab; several listeners on the page: the chat
//! and the call for scripts (`window.portico`).

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{MessageEvent, Worker};

use portico_relay::protocol::{FromWorker, ToWorker};

/// Why there is no worker to talk to: none was started, or it was taken over already.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the worker was not started: {0}")]
pub struct LinkError(String);

#[wasm_bindgen]
extern "C" {
    /// What `web/js/start.js` started.
    type Started;

    #[wasm_bindgen(catch, js_name = takeWorker)]
    fn take_worker() -> Result<Started, JsValue>;

    #[wasm_bindgen(method, getter)]
    fn worker(this: &Started) -> Worker;

    /// Events of the worker that came before the app did.
    #[wasm_bindgen(method, getter)]
    fn early(this: &Started) -> Array;
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
    /// Takes over the worker that `web/js/start.js` started. `on_crash` is told when the worker's
    /// script fails to load or throws.
    ///
    /// # Errors
    /// [`LinkError`]: there is none to take over.
    pub fn start(on_crash: impl Fn(String) + 'static) -> Result<Self, LinkError> {
        let started = take_worker().map_err(|error| LinkError(format!("{error:?}")))?;
        let (worker, early) = (started.worker(), started.early());
        let inner =
            Rc::new(Inner { worker, listeners: RefCell::new(Vec::new()), next_id: Cell::new(0) });
        let link = Self { inner };

        let receiver = link.clone();
        let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            receiver.receive(&event);
        });
        let on_error = Closure::<dyn Fn(web_sys::Event)>::new(move |event: web_sys::Event| {
            let message = event.dyn_ref::<web_sys::ErrorEvent>().map(web_sys::ErrorEvent::message);
            on_crash(message.unwrap_or_else(|| "its script could not be loaded".to_owned()));
        });
        let worker = &link.inner.worker;
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        // Told again once this task's subscriptions stand.
        let worker = worker.clone();
        spawn_local(async move {
            for event in early {
                if let Err(error) = worker.dispatch_event(event.unchecked_ref()) {
                    web_sys::console::error_2(&"portico: early event of the worker".into(), &error);
                }
            }
        });
        // Both live as long as the page.
        on_message.forget();
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
