//! One call: a promise of the whole answer, or an async iterator over its pieces. It runs on the device,
//! on the server, or on the device with the server standing by, as the request's `place` says.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Function, Promise};
use portico_page::route::{Choice, can_fail_over};
use portico_relay::protocol::{FromWorker, ToWorker};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::openai::Continuation;
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use super::js::{error_from, internal, invalid, method, read, set, value_from};
use crate::link::{Subscription, WorkerLink};
use crate::server_call::{Asked, News, ServerCall};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Chat,
    Completion,
}

/// What a reader gets next.
enum Event {
    Piece(JsValue),
    Failed(ApiError),
    Over,
}

/// A promise that waits for the next event.
struct Waiting {
    resolve: Function,
    reject: Function,
}

/// A request under way, between the worker's messages and the script's promises.
struct Call {
    id: String,
    link: WorkerLink,
    subscription: RefCell<Option<Subscription>>,
    server: RefCell<Option<Rc<ServerCall>>>,
    /// The request, while the server may still take it over.
    movable: RefCell<Option<Asked>>,
    /// Tokens whose pieces were told.
    told: RefCell<Vec<u32>>,
    over: Cell<bool>,
    events: RefCell<VecDeque<Event>>,
    waiting: RefCell<VecDeque<Waiting>>,
}

/// `create(request, { signal })`.
pub fn create(link: &WorkerLink, kind: Kind, request: &JsValue, options: &JsValue) -> JsValue {
    let id = fresh_id();
    let asked = match kind {
        Kind::Chat => read(request).map(Asked::Chat),
        Kind::Completion => read(request).map(Asked::Complete),
    };
    let asked = asked.and_then(|asked| {
        refuse_retrieval(request)?;
        Ok((asked, place(request)?))
    });
    let is_stream = js_sys::Reflect::get(request, &"stream".into())
        .is_ok_and(|stream| stream.as_bool() == Some(true));
    let call = Rc::new(Call {
        id,
        link: link.clone(),
        subscription: RefCell::new(None),
        server: RefCell::new(None),
        movable: RefCell::new(None),
        told: RefCell::default(),
        over: Cell::new(false),
        events: RefCell::default(),
        waiting: RefCell::default(),
    });
    match asked {
        Ok((asked, place)) => Call::begin(&call, asked, place, options),
        Err(error) => call.events.borrow_mut().push_back(Event::Failed(error)),
    }
    if is_stream { iterator(&call) } else { whole(&call).into() }
}

/// An answer without the sources that were asked for would look like one with them.
fn refuse_retrieval(request: &JsValue) -> Result<(), ApiError> {
    let retrieval = js_sys::Reflect::get(request, &"retrieval".into()).unwrap_or_default();
    match retrieval.is_undefined() || retrieval.is_null() {
        true => Ok(()),
        false => Err(invalid("`retrieval` is answered by the server's /v1/chat/completions")),
    }
}

/// `place: "device" | "server" | "auto"`.
pub fn place(request: &JsValue) -> Result<Choice, ApiError> {
    let place = js_sys::Reflect::get(request, &"place".into()).unwrap_or_default();
    if place.is_undefined() || place.is_null() {
        return Ok(Choice::Auto);
    }
    let choice = place.as_string().and_then(|name| Choice::from_name(&name));
    choice.ok_or_else(|| invalid("`place` must be `device`, `server` or `auto`"))
}

/// Unique among all tabs of the profile.
pub fn fresh_id() -> String {
    let crypto = web_sys::window().and_then(|window| window.crypto().ok());
    crypto.map_or_else(
        || format!("{}-{}", js_sys::Date::now(), js_sys::Math::random()),
        |crypto| crypto.random_uuid(),
    )
}

impl Call {
    fn begin(call: &Rc<Self>, asked: Asked, place: Choice, options: &JsValue) {
        match place {
            Choice::Server => Self::ask_server(call, asked),
            Choice::Auto | Choice::Device => {
                if place == Choice::Auto {
                    *call.movable.borrow_mut() = Some(asked.clone());
                }
                Self::ask_device(call, asked);
            }
        }
        let signal = js_sys::Reflect::get(options, &"signal".into()).ok();
        if let Some(signal) = signal.and_then(|signal| signal.dyn_into::<AbortSignal>().ok()) {
            let aborting = call.clone();
            let on_abort = Closure::once_into_js(move || aborting.abort());
            if signal.aborted() {
                call.abort();
            } else if let Err(error) =
                signal.add_event_listener_with_callback("abort", on_abort.unchecked_ref())
            {
                call.tell(Event::Failed(internal(format!("{error:?}"))));
            }
        }
    }

    fn ask_device(call: &Rc<Self>, asked: Asked) {
        let listening = call.clone();
        let subscription = call.link.subscribe(move |message| Self::hear(&listening, message));
        *call.subscription.borrow_mut() = Some(subscription);
        let id = call.id.clone();
        call.link.post(&match asked {
            Asked::Chat(request) => ToWorker::Chat { id, request },
            Asked::Complete(request) => ToWorker::Complete { id, request },
        });
    }

    fn ask_server(call: &Rc<Self>, asked: Asked) {
        let listening = call.clone();
        let server = ServerCall::start(call.id.clone(), asked, move |news| match news {
            News::Said(message) => Self::hear(&listening, &message),
            News::Stream(_) => {}
        });
        *call.server.borrow_mut() = Some(server);
    }

    /// Has the server go on behind the pieces that were told, where the device failed and it may.
    fn move_to_server(call: &Rc<Self>, error: &ApiError) -> bool {
        let movable = call.movable.take().filter(|_| can_fail_over(error.code));
        let Some(mut asked) = movable else { return false };
        let told = call.told.take();
        if !told.is_empty() {
            let standing = match &mut asked {
                Asked::Chat(request) => &mut request.portico_continue,
                Asked::Complete(request) => &mut request.portico_continue,
            };
            standing.get_or_insert_with(Continuation::default).token_ids.extend(told);
        }
        call.subscription.take();
        Self::ask_server(call, asked);
        true
    }

    fn hear(call: &Rc<Self>, message: &FromWorker) {
        let piece = |value: Result<JsValue, ApiError>| match value {
            Ok(value) => Event::Piece(value),
            Err(error) => Event::Failed(error),
        };
        match message {
            FromWorker::ChatChunk { id, chunk } if *id == call.id => {
                let ids = chunk.choices.iter().flat_map(|choice| &choice.delta.token_ids);
                call.told.borrow_mut().extend(ids);
                call.tell(piece(value_from(&**chunk)));
            }
            FromWorker::Chat { id, completion } if *id == call.id => {
                call.tell(piece(value_from(&**completion)));
            }
            FromWorker::Completion { id, completion } if *id == call.id => {
                let ids = completion.choices.iter().flat_map(|choice| &choice.token_ids);
                call.told.borrow_mut().extend(ids);
                call.tell(piece(value_from(&**completion)));
            }
            FromWorker::Done { id, .. } if *id == call.id => call.end(Event::Over),
            FromWorker::Failed { id, error }
                if *id == call.id && !Self::move_to_server(call, error) =>
            {
                call.end(Event::Failed(error.clone()));
            }
            _ => {}
        }
    }

    fn tell(&self, event: Event) {
        self.events.borrow_mut().push_back(event);
        self.settle();
    }

    fn end(&self, last: Event) {
        self.subscription.take();
        if !self.over.replace(true) {
            self.tell(last);
        }
    }

    /// The script wants no more. What comes later is not told.
    fn abort(&self) {
        if self.over.get() {
            return;
        }
        if self.subscription.take().is_some() {
            self.link.post(&ToWorker::Stop { id: self.id.clone() });
        }
        self.end(Event::Over);
        if let Some(server) = self.server.take() {
            server.stop();
        }
    }

    /// Gives events to whoever waits for them, in order.
    fn settle(&self) {
        loop {
            let waiting = self.waiting.borrow_mut().pop_front();
            let Some(waiting) = waiting else { return };
            let event = self.events.borrow_mut().pop_front();
            let Some(event) = event else {
                self.waiting.borrow_mut().push_front(waiting);
                return;
            };
            // Settling a promise does not throw.
            let _ = match event {
                Event::Piece(value) => {
                    waiting.resolve.call1(&JsValue::UNDEFINED, &step(&value, false))
                }
                Event::Failed(error) => {
                    // Whoever asks again is told that it is over.
                    self.events.borrow_mut().push_back(Event::Over);
                    waiting.reject.call1(&JsValue::UNDEFINED, &error_from(&error))
                }
                Event::Over => {
                    self.events.borrow_mut().push_back(Event::Over);
                    waiting.resolve.call1(&JsValue::UNDEFINED, &step(&JsValue::UNDEFINED, true))
                }
            };
        }
    }

    /// A promise of `{ value, done }`.
    fn next(&self) -> Promise {
        let promise = Promise::new(&mut |resolve, reject| {
            self.waiting.borrow_mut().push_back(Waiting { resolve, reject });
        });
        self.settle();
        promise
    }
}

fn step(value: &JsValue, done: bool) -> JsValue {
    let step = js_sys::Object::new();
    // A fresh object takes any property.
    let _ = set(&step, "value", value);
    let _ = set(&step, "done", &JsValue::from_bool(done));
    step.into()
}

/// The answer as one value.
fn whole(call: &Rc<Call>) -> Promise {
    let first = wasm_bindgen_futures::JsFuture::from(call.next());
    wasm_bindgen_futures::future_to_promise(async move {
        let step: js_sys::IteratorNext = first.await?.unchecked_into();
        if step.done() {
            // Stopped before there was an answer.
            return Err(error_from(&ApiError::new(ErrorCode::Cancelled)));
        }
        Ok(step.value())
    })
}

/// An async iterator over the pieces, with `abort()`. Leaving its loop stops the answer.
fn iterator(call: &Rc<Call>) -> JsValue {
    let iterator = js_sys::Object::new();
    let reading = call.clone();
    let next = method(move |_| reading.next().into());
    let leaving = call.clone();
    let leave = method(move |value| {
        leaving.abort();
        Promise::resolve(&step(&value, true)).into()
    });
    let aborting = call.clone();
    let abort = method(move |_| {
        aborting.abort();
        JsValue::UNDEFINED
    });
    let own = iterator.clone();
    let itself = method(move |_| own.clone().into());
    for (name, value) in [("next", next), ("return", leave), ("abort", abort)] {
        // A fresh object takes any property.
        let _ = set(&iterator, name, &value);
    }
    let _ = js_sys::Reflect::set(&iterator, &js_sys::Symbol::async_iterator(), &itself);
    iterator.into()
}
