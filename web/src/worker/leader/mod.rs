//! The worker that owns the profile's engine and weight store: what it is told, and what it tells.
//!
//! One task, [`actor`], owns the engine and does one job at a time; another, [`embedding`], owns the
//! embedder. [`Leader`] is what everybody may
//! touch meanwhile: the queue, the downloads, the states that pages see.

mod actor;
mod answer;
mod embedding;
mod grammars;
mod load;
mod loaded;
mod measure;
mod run;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::rc::Rc;

use portico_engine::{Capabilities, EngineError, Gpu, GpuOptions};
use portico_relay::bus::TabId;
use portico_relay::queue::{Queue, Stopped, Ticket};
use portico_shared::catalogue::EmbedKind;
use portico_shared::error::ApiError;
use portico_shared::openai::{ChatCompletionRequest, CompletionRequest};
use wasm_bindgen_futures::spawn_local;

use self::embedding::EmbedJob;
use self::measure::Measure;
use crate::js::scope::{is_debug, now_ms};
use crate::js::signal::Signal;
use crate::protocol::{DeviceReport, FromWorker, ModelState, ToWorker};

use crate::store::Store;
use crate::store::download::{Counters, Download};

/// What waits for the engine.
pub enum Job {
    /// Puts a model on the GPU, in place of the one that is there.
    Activate(String),
    Unload(String),
    /// Deletes a model from the device, and from the GPU.
    Evict(String),
    Chat(Box<ChatCompletionRequest>),
    Complete(Box<CompletionRequest>),
    /// Asked by a test.
    Measure(Measure),
}

/// Messages for one tab, or for all.
type Deliver = Box<dyn Fn(Option<&TabId>, FromWorker)>;

pub struct Leader {
    deliver: Deliver,
    queue: RefCell<Queue<Job>>,
    /// Rung whenever anything here changes.
    changed: Signal,
    /// The running request is to end.
    stop_running: Cell<bool>,
    states: RefCell<BTreeMap<String, ModelState>>,
    downloads: RefCell<BTreeMap<String, Rc<Download>>>,
    /// Models whose manifest is being asked for.
    opening: RefCell<BTreeSet<String>>,
    /// What waits for the embedder, and whether its running request is to end.
    embeds: RefCell<Queue<EmbedJob>>,
    stop_embedding: Cell<bool>,
    /// The embedder on the GPU.
    embedder: RefCell<Option<String>>,
    /// The model on the GPU that chats.
    active_model: RefCell<Option<String>>,
    /// Set once the store is open.
    store: RefCell<Option<Rc<Store>>>,
    gpu: RefCell<Option<Gpu>>,
    /// Somebody is asking for a device.
    acquiring: Cell<bool>,
    /// Set once a device was got or refused.
    device: RefCell<Option<DeviceReport>>,
    pub counters: Rc<Counters>,
    pub uploaded_bytes: Cell<u64>,
    pub last_load_ms: Cell<Option<f64>>,
}

impl Leader {
    /// Takes over the profile's engine and store.
    pub fn start(deliver: impl Fn(Option<&TabId>, FromWorker) + 'static) -> Rc<Self> {
        let leader = Rc::new(Self {
            deliver: Box::new(deliver),
            queue: RefCell::default(),
            changed: Signal::default(),
            stop_running: Cell::new(false),
            states: RefCell::default(),
            downloads: RefCell::default(),
            opening: RefCell::default(),
            embeds: RefCell::default(),
            stop_embedding: Cell::new(false),
            embedder: RefCell::new(None),
            active_model: RefCell::new(None),
            store: RefCell::new(None),
            gpu: RefCell::new(None),
            acquiring: Cell::new(false),
            device: RefCell::new(None),
            counters: Rc::default(),
            uploaded_bytes: Cell::new(0),
            last_load_ms: Cell::new(None),
        });
        let opening = leader.clone();
        spawn_local(async move { opening.open_store().await });
        let acquiring = leader.clone();
        spawn_local(async move {
            // The report says it if there is none.
            let _ = acquiring.gpu().await;
        });
        spawn_local(actor::run(leader.clone()));
        spawn_local(embedding::run(leader.clone()));
        leader
    }

    /// A message of `tab`'s page.
    pub fn receive(self: &Rc<Self>, tab: &TabId, message: ToWorker) {
        match message {
            ToWorker::Hello => {
                let (leader, tab) = (self.clone(), tab.clone());
                spawn_local(async move { leader.greet(&tab).await });
            }
            ToWorker::Load { model } => {
                let leader = self.clone();
                spawn_local(async move { leader.load(model).await });
            }
            ToWorker::PauseLoad { model } => self.pause_load(&model),
            ToWorker::CancelLoad { model } | ToWorker::Evict { model } => {
                self.pause_load(&model);
                self.push_embed(EmbedJob::Unload(model.clone()));
                self.push_own(Job::Evict(model));
            }
            ToWorker::Unload { model } => {
                self.push_embed(EmbedJob::Unload(model.clone()));
                self.push_own(Job::Unload(model));
            }
            ToWorker::Chat { id, request } => {
                self.push(Ticket { tab: tab.clone(), id }, Job::Chat(request));
            }
            ToWorker::Complete { id, request } => {
                self.push(Ticket { tab: tab.clone(), id }, Job::Complete(request));
            }
            ToWorker::Embed { id, request } => {
                let (ticket, is_question) =
                    (Ticket { tab: tab.clone(), id }, request.kind == EmbedKind::Query);
                let job = EmbedJob::Embed(request);
                // Somebody waits for a question's answer; documents can wait.
                match is_question {
                    true => self.embeds.borrow_mut().push_first(ticket, job),
                    false => self.embeds.borrow_mut().push(ticket, job),
                };
                self.changed.ring();
            }
            ToWorker::Stop { id } => self.stop(Ticket { tab: tab.clone(), id }),
            ToWorker::CheckStorage => {
                let leader = self.clone();
                spawn_local(async move {
                    let storage = leader.store().await.report().await;
                    leader.tell_all(FromWorker::Storage { storage });
                });
            }
            ToWorker::LoseDevice => {
                if is_debug()
                    && let Some(gpu) = self.gpu.borrow().as_ref()
                {
                    gpu.lose();
                }
            }
            ToWorker::Roofline { model, n_prompt, n_decode } => {
                self.measure(tab, Measure::Roofline { model, n_prompt, n_decode });
            }
            // Answered by the tab's own worker.
            ToWorker::Debug => {}
        }
    }

    /// A tab is gone: nobody waits for its answers.
    pub fn forget_tab(&self, tab: &TabId) {
        if self.queue.borrow_mut().forget_tab(tab) {
            self.stop_running.set(true);
        }
        if self.embeds.borrow_mut().forget_tab(tab) {
            self.stop_embedding.set(true);
        }
        self.changed.ring();
    }

    async fn greet(&self, tab: &TabId) {
        let store = self.store().await;
        let device = self.changed.until(|| self.device.borrow().clone()).await;
        let storage = store.report().await;
        (self.deliver)(Some(tab), FromWorker::Hello { device, storage });
        let states = self.states.borrow().clone();
        for (model, state) in states {
            (self.deliver)(Some(tab), FromWorker::ModelState { model, state });
        }
    }

    fn measure(&self, tab: &TabId, measure: Measure) {
        if is_debug() {
            self.push(Ticket { tab: tab.clone(), id: "measure".to_owned() }, Job::Measure(measure));
        }
    }

    fn push(&self, ticket: Ticket, job: Job) {
        self.queue.borrow_mut().push(ticket, job);
        self.changed.ring();
    }

    /// A job that no page waits for by id; asked for twice, it waits once.
    fn push_own(&self, job: Job) {
        let id = match &job {
            Job::Activate(model) => format!("activate {model}"),
            Job::Unload(model) => format!("unload {model}"),
            Job::Evict(model) => format!("evict {model}"),
            Job::Chat(_) | Job::Complete(_) | Job::Measure(_) => return,
        };
        self.push(Ticket { tab: TabId(String::new()), id }, job);
    }

    fn stop(&self, ticket: Ticket) {
        let stopped = self.queue.borrow_mut().stop(&ticket);
        let is_known = self.stopped(&ticket, stopped, &self.stop_running);
        if !is_known {
            let stopped = self.embeds.borrow_mut().stop(&ticket);
            // Else it was over before the wish came.
            self.stopped(&ticket, stopped, &self.stop_embedding);
        }
    }

    /// False: that queue has never heard of it.
    fn stopped<J>(&self, ticket: &Ticket, stopped: Stopped<J>, end_running: &Cell<bool>) -> bool {
        match stopped {
            Stopped::Waiting(_) => {
                let done = FromWorker::Done { id: ticket.id.clone(), stopped: true };
                (self.deliver)(Some(&ticket.tab), done);
            }
            Stopped::Running => {
                end_running.set(true);
                self.changed.ring();
            }
            Stopped::Unknown => return false,
        }
        true
    }

    fn tell_all(&self, message: FromWorker) {
        (self.deliver)(None, message);
    }

    fn set_state(&self, model: &str, state: ModelState) {
        self.states.borrow_mut().insert(model.to_owned(), state.clone());
        self.tell_all(FromWorker::ModelState { model: model.to_owned(), state });
    }

    async fn open_store(&self) {
        let store = Rc::new(Store::open().await);
        for presence in store.models() {
            let state = load::resting_state(Some(&presence));
            self.states.borrow_mut().insert(presence.model, state);
        }
        *self.store.borrow_mut() = Some(store);
        self.changed.ring();
    }

    async fn store(&self) -> Rc<Store> {
        self.changed.until(|| self.store.borrow().clone()).await
    }

    /// The device; a new one if there is none or the last was lost.
    async fn gpu(self: &Rc<Self>) -> Result<Gpu, EngineError> {
        self.changed.until(|| (!self.acquiring.get()).then_some(())).await;
        if let Some(gpu) = self.gpu.borrow().as_ref().filter(|gpu| !gpu.is_lost()) {
            return Ok(gpu.clone());
        }
        let acquiring = Acquiring::begin(self);
        let acquired = Gpu::acquire(&GpuOptions::default()).await;
        drop(acquiring);
        let report = match &acquired {
            Ok(gpu) => {
                self.watch(gpu);
                *self.gpu.borrow_mut() = Some(gpu.clone());
                device_report(gpu.caps())
            }
            Err(error) => DeviceReport {
                error: Some(ApiError::from(error.clone())),
                ..DeviceReport::default()
            },
        };
        *self.device.borrow_mut() = Some(report);
        self.changed.ring();
        acquired
    }

    /// Has the engine rebuilt when the device is lost while nobody uses it.
    fn watch(self: &Rc<Self>, gpu: &Gpu) {
        let (lost, was_lost) = futures_channel::oneshot::channel::<()>();
        gpu.on_lost(move |_| {
            // Nobody listens any more: the worker ends.
            let _ = lost.send(());
        });
        let leader = self.clone();
        spawn_local(async move {
            if was_lost.await.is_ok() {
                let active = leader.active_model.borrow().clone();
                if let Some(model) = active {
                    leader.push_own(Job::Activate(model));
                }
                let embedder = leader.embedder.borrow().clone();
                if let Some(model) = embedder {
                    leader.push_embed(EmbedJob::Activate(model));
                }
            }
        });
    }

    /// Whether the running request was asked to end.
    fn is_stopped(&self) -> bool {
        self.stop_running.get()
    }

    fn stop_flow(&self) -> ControlFlow<()> {
        if self.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// A device is being asked for; over when dropped, also where the asking task is given up.
struct Acquiring<'a>(&'a Leader);

impl<'a> Acquiring<'a> {
    fn begin(leader: &'a Leader) -> Self {
        leader.acquiring.set(true);
        Self(leader)
    }
}

impl Drop for Acquiring<'_> {
    fn drop(&mut self) {
        self.0.acquiring.set(false);
        self.0.changed.ring();
    }
}

fn device_report(caps: &Capabilities) -> DeviceReport {
    DeviceReport {
        error: None,
        vendor: caps.vendor.clone(),
        architecture: caps.architecture.clone(),
        description: caps.description.clone(),
        max_buffer_bytes: caps.max_buffer_bytes,
        f16: caps.f16,
        subgroup_size: if caps.subgroups { caps.subgroup_min_size.max(1) } else { 0 },
        dot4_i8: caps.dot4_i8,
    }
}

/// Milliseconds since `start_ms`.
fn since_ms(start_ms: f64) -> f64 {
    now_ms() - start_ms
}
