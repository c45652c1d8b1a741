//! The one task that owns the engine, and what it does with each job.

use std::pin::pin;
use std::rc::Rc;

use futures_util::future::{Either, select};
use portico_shared::error::{ApiError, ErrorCode};

use super::loaded::Loaded;
use super::measure::run_measure;
use super::run::{Asked, run_request};
use super::{Job, Leader};
use crate::protocol::{FromWorker, ModelState};

/// How often a lost engine is rebuilt before its loss is an error.
const REBUILDS: u32 = 2;

/// Does one job after the other, for ever.
pub async fn run(leader: Rc<Leader>) {
    let mut actor = Actor { leader, loaded: None };
    loop {
        let leader = &actor.leader;
        let (ticket, job) = leader.changed.until(|| leader.queue.borrow_mut().start_next()).await;
        leader.stop_running.set(false);
        match job {
            Job::Activate(model) => actor.show_model(&model).await,
            Job::Unload(model) => {
                if actor.has(&model) {
                    actor.unload().await;
                }
            }
            Job::Evict(model) => actor.evict(&model).await,
            Job::Chat(request) => run_request(&mut actor, &ticket, Asked::Chat(request)).await,
            Job::Complete(request) => {
                run_request(&mut actor, &ticket, Asked::Complete(request)).await;
            }
            Job::Measure(measure) => run_measure(&mut actor, &ticket, measure).await,
        }
        actor.leader.queue.borrow_mut().finish();
        actor.leader.changed.ring();
    }
}

/// The engine's owner.
pub(super) struct Actor {
    pub leader: Rc<Leader>,
    pub loaded: Option<Loaded>,
}

impl Actor {
    fn has(&self, model: &str) -> bool {
        self.loaded.as_ref().is_some_and(|loaded| loaded.model == model)
    }

    /// A page wants to see `model` ready; what goes wrong is the model's state.
    async fn show_model(&mut self, model: &str) {
        match self.make_ready(model).await {
            Ok(()) => {
                if let Some(loaded) = &self.loaded {
                    let (gpu_bytes, n_ctx) = (loaded.engine.gpu_bytes(), loaded.engine.n_ctx());
                    self.leader.set_state(model, ModelState::Ready { gpu_bytes, n_ctx });
                }
            }
            Err(error) => self.leader.load_failed(model, error),
        }
    }

    /// Sees to it that `model` is loaded on a device that is there.
    ///
    /// # Errors
    /// Whatever kept it from the GPU; `cancelled` when the running request was stopped meanwhile.
    pub async fn make_ready(&mut self, model: &str) -> Result<(), ApiError> {
        match &self.loaded {
            Some(loaded) if loaded.model == model => match loaded.engine.gpu().is_lost() {
                true => self.rebuild().await,
                false => Ok(()),
            },
            _ => self.switch_to(model).await,
        }
    }

    /// The embedder makes room where the device has none for both.
    async fn switch_to(&mut self, model: &str) -> Result<(), ApiError> {
        match self.try_switch_to(model).await {
            Err(error)
                if error.code == ErrorCode::OutOfMemory
                    && self.leader.embedder.borrow().is_some() =>
            {
                self.leader.free_embedder().await;
                self.try_switch_to(model).await
            }
            switched => switched,
        }
    }

    async fn try_switch_to(&mut self, model: &str) -> Result<(), ApiError> {
        let leader = self.leader.clone();
        let loaded = {
            let activate = pin!(leader.activate(model, async || self.unload().await));
            let stopped = pin!(leader.changed.until(|| leader.is_stopped().then_some(())));
            match select(activate, stopped).await {
                Either::Left((loaded, _)) => loaded,
                Either::Right(_) => Err(ApiError::new(ErrorCode::Cancelled)),
            }
        };
        match loaded {
            Ok(loaded) => {
                self.loaded = Some(loaded);
                Ok(())
            }
            Err(error) => {
                if leader.is_stopped() {
                    leader.finish_alone(model);
                }
                Err(error)
            }
        }
    }

    /// The device is gone: gets another and loads the model again from the store.
    pub async fn rebuild(&mut self) -> Result<(), ApiError> {
        let Some(lost) = self.loaded.take() else { return Ok(()) };
        let model = lost.model;
        *self.leader.active_model.borrow_mut() = None;
        lost.engine.unload().await;
        let error = ApiError::new(ErrorCode::DeviceLost);
        self.leader.tell_all(FromWorker::DeviceLost { error });
        let mut n_failed = 0;
        loop {
            match self.switch_to(&model).await {
                Ok(()) => {
                    self.leader.tell_all(FromWorker::DeviceRestored);
                    return Ok(());
                }
                Err(error) => {
                    n_failed += 1;
                    let is_final = error.code == ErrorCode::Cancelled || n_failed >= REBUILDS;
                    if is_final {
                        self.leader.load_failed(&model, error.clone());
                        return Err(error);
                    }
                }
            }
        }
    }

    async fn unload(&mut self) {
        let Some(old) = self.loaded.take() else { return };
        *self.leader.active_model.borrow_mut() = None;
        old.engine.unload().await;
        self.leader.set_resting(&old.model).await;
    }

    async fn evict(&mut self, model: &str) {
        if self.has(model) {
            self.unload().await;
        }
        let store = self.leader.store().await;
        store.remove_model(model).await;
        self.leader.set_state(model, ModelState::Absent { cached_bytes: 0 });
        let storage = store.report().await;
        self.leader.tell_all(FromWorker::Storage { storage });
    }
}
