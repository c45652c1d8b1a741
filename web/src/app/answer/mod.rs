//! Answers that this tab is having written: asked of the worker or the server, kept as drafts, painted
//! at most once a frame, announced in calm batches, ended in the log.

mod ask;
mod calls;
mod embed;
mod ground;
mod run;

pub use ask::{USUAL_MAX_TOKENS, ask, edit, go_on, send};
pub use calls::{confirm, may_grant};
pub use embed::query_vector;
pub use run::pick_up;

use std::cell::RefCell;
use std::collections::BTreeMap;

use leptos::prelude::*;
use portico_page::announce::Announcer;
use portico_page::i18n::Text;
use portico_page::route::Route;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::grounding::Citation;
use portico_shared::openai::{ChatCompletionChunk, FinishReason, PorticoInfo, Usage};
use portico_shared::sync::{Body, MessageContent, MessageState, Moved};
use portico_web::protocol::{FromWorker, RequestId, ToWorker};
use uuid::Uuid;

use self::calls::Calls;
use self::ground::Grounded;
use self::run::Via;
use crate::browser::{monotonic_ms, next_frame};
use crate::log::{self, AnswerLock};
use crate::page::Page;
use crate::{session, setup};

/// Milliseconds between two drafts on the disk.
const DRAFT_MS: f64 = 1_000.0;

/// What the views know of an answer that is being written.
#[derive(Clone, Debug)]
pub struct LiveInfo {
    pub conversation: Uuid,
    pub model: String,
    /// There is text to see.
    pub streaming: bool,
    /// Documents are being searched for it.
    pub searching: bool,
    /// Tools are called for it, or asked about.
    pub calling: bool,
    /// Changes at most once a frame, when the text has grown.
    pub tick: RwSignal<u32>,
}

struct Answer {
    request: RequestId,
    conversation: Uuid,
    model: String,
    via: Via,
    text: String,
    /// Of `model`; incomplete, and so not kept, where it read the text that stood before.
    token_ids: Vec<u32>,
    reads_text: bool,
    moved: Option<Moved>,
    /// It rests on documents.
    grounded: Option<Grounded>,
    /// Where its turns run.
    route: Option<Route>,
    calls: Calls,
    /// Before anybody computes it.
    is_stopped: bool,
    /// Where the server keeps it.
    stream: Option<String>,
    portico: Option<PorticoInfo>,
    usage: Option<Usage>,
    finish: Option<FinishReason>,
    announcer: Announcer,
    saved_ms: f64,
    saved_bytes: usize,
    /// There is text to see.
    is_streaming: bool,
    paint_is_due: bool,
    tick: RwSignal<u32>,
    _lock: Option<AnswerLock>,
}

thread_local! {
    static ANSWERS: RefCell<BTreeMap<Uuid, Answer>> = const { RefCell::new(BTreeMap::new()) };
}

/// The text of an answer so far, and its citations.
pub fn with_text<T>(message: Uuid, read: impl FnOnce(&str, &[Citation]) -> T) -> Option<T> {
    ANSWERS.with_borrow(|answers| {
        let answer = answers.get(&message)?;
        let citations = answer.grounded.as_ref().map(|grounded| grounded.citations.as_slice());
        Some(read(&answer.text, citations.unwrap_or_default()))
    })
}

/// Whether an answer that is being written rests on documents.
pub fn is_grounded(message: Uuid) -> bool {
    ANSWERS.with_borrow(|answers| {
        answers.get(&message).is_some_and(|answer| answer.grounded.is_some())
    })
}

/// Stops an answer; it ends when the worker says so.
pub fn stop(page: Page, message: Uuid) {
    if calls::stop(page, message) {
        return;
    }
    let server = ANSWERS.with_borrow_mut(|answers| match answers.get_mut(&message) {
        Some(Answer { via: Via::Server(call), .. }) => Some(call.clone()),
        Some(answer) => {
            answer.is_stopped = true;
            setup::post(&ToWorker::Stop { id: answer.request.clone() });
            None
        }
        None => None,
    });
    if let Some(call) = server {
        call.stop();
    }
}

/// Ends what a crashed worker will not end.
pub fn fail_all(page: Page, error: &ApiError) {
    let requests: Vec<RequestId> = ANSWERS.with_borrow(|answers| {
        let of_worker = answers
            .values()
            .filter(|answer| matches!(answer.via, Via::Worker { .. }) && !answer.calls.is_running);
        of_worker.map(|answer| answer.request.clone()).collect()
    });
    for id in requests {
        received(page, &FromWorker::Failed { id, error: error.clone() });
    }
}

/// Takes what the worker says about this tab's answers.
pub fn received(page: Page, message: &FromWorker) {
    ground::hear(message);
    embed::hear(message);
    match message {
        FromWorker::ChatChunk { id, chunk } => grow(page, id, chunk),
        FromWorker::Done { id, stopped: false } if run::outgrow_device(page, id) => {}
        FromWorker::Done { id, stopped: false } if has_circled(id) => {
            let error = ApiError::new(ErrorCode::AnswerRepeats);
            end(page, id, MessageState::Stopped, Some(error));
        }
        FromWorker::Done { id, stopped: false } if calls::called(page, id) => {}
        FromWorker::Done { id, stopped } => {
            let state = if *stopped { MessageState::Stopped } else { MessageState::Done };
            end(page, id, state, None);
        }
        FromWorker::Failed { id, error } if error.code == ErrorCode::Cancelled => {
            end(page, id, MessageState::Stopped, None);
        }
        // It had reached the device's end, and is no worse off at the server's.
        FromWorker::Failed { id, error } if run::has_outgrown(id, error.code) => {
            end(page, id, MessageState::Done, None);
        }
        FromWorker::Failed { id, error } if !run::fail_over(page, id, error.code) => {
            end(page, id, MessageState::Error, Some(error.clone()));
        }
        _ => {}
    }
}

fn grow(page: Page, request: &str, chunk: &ChatCompletionChunk) {
    let now_ms = monotonic_ms();
    let (mut first, mut draft, mut spoken) = (None, None, None);
    ANSWERS.with_borrow_mut(|answers| {
        let found = answers.iter_mut().find(|(_, answer)| answer.request == request);
        let Some((&message, answer)) = found else { return };
        for choice in &chunk.choices {
            if !answer.reads_text {
                answer.token_ids.extend(&choice.delta.token_ids);
            }
            for call in choice.delta.tool_calls.iter().flatten() {
                // Who goes on reads the text: half a call is none.
                answer.reads_text = true;
                answer.token_ids.clear();
                answer.calls.grow(call);
            }
            if let Some(text) = &choice.delta.content {
                match &mut answer.grounded {
                    Some(grounded) => answer.text.push_str(&grounded.read(text)),
                    None => answer.text.push_str(text),
                }
            }
            answer.finish = choice.finish_reason.or(answer.finish);
        }
        answer.usage = chunk.usage.or(answer.usage);
        answer.portico = chunk.portico.clone().or(answer.portico.take());
        if !answer.text.is_empty() && !std::mem::replace(&mut answer.is_streaming, true) {
            first = Some(message);
        }
        if now_ms - answer.saved_ms >= DRAFT_MS && answer.text.len() > answer.saved_bytes {
            answer.saved_ms = now_ms;
            answer.saved_bytes = answer.text.len();
            draft = Some((message, answer.content(MessageState::Draft)));
        }
        spoken = answer.announcer.due(&answer.text, now_ms);
        if !std::mem::replace(&mut answer.paint_is_due, true) {
            next_frame(move || paint(message));
        }
    });
    if let Some(message) = first {
        page.live.update(|live| {
            if let Some(info) = live.get_mut(&message) {
                info.streaming = true;
            }
        });
    }
    if let Some((message, content)) = draft {
        log::write_draft(page, message, content);
    }
    if let Some(text) = spoken {
        page.announcement.set(text);
    }
}

fn paint(message: Uuid) {
    let tick = ANSWERS.with_borrow_mut(|answers| {
        let answer = answers.get_mut(&message)?;
        answer.paint_is_due = false;
        Some(answer.tick)
    });
    if let Some(tick) = tick {
        tick.update(|tick| *tick = tick.wrapping_add(1));
    }
}

fn has_circled(request: &str) -> bool {
    ANSWERS.with_borrow(|answers| {
        let mut answers = answers.values();
        answers.any(|answer| {
            answer.request == request && answer.finish == Some(FinishReason::Repetition)
        })
    })
}

fn end(page: Page, request: &str, state: MessageState, error: Option<ApiError>) {
    let ended = ANSWERS.with_borrow_mut(|answers| {
        let message =
            answers.iter().find(|(_, answer)| answer.request == request).map(|(&id, _)| id)?;
        answers.remove(&message).map(|answer| (message, answer))
    });
    let Some((message, mut answer)) = ended else { return };
    answer.calls.turn.stop();
    let steps = answer.calls.turn.take_changed();
    log::write(page, steps.into_iter().map(|(n, step)| Body::WriteStep { message, n, step }));
    if let Some(grounded) = &mut answer.grounded {
        answer.text.push_str(&grounded.rest());
        grounded.compare(&answer.text);
    }
    let mut content = answer.content(state);
    content.error = error;
    if state == MessageState::Done && answer.finish != Some(FinishReason::Length) {
        // A whole answer never goes on.
        content.token_ids = Vec::new();
    }
    if let (Via::Worker { .. }, Some(usage)) = (&answer.via, answer.calls.usage(answer.usage)) {
        session::count(page, &answer.model, usage);
    }
    let rest = answer.announcer.rest(&answer.text);
    let lang = page.lang.get_untracked();
    let closing = match (&content.error, state) {
        (Some(error), _) => error.text(lang),
        (None, MessageState::Stopped) => Text::Stopped.get(lang).to_owned(),
        _ => Text::AnswerFinished.get(lang).to_owned(),
    };
    log::write_end(page, message, content);
    page.live.update(|live| {
        live.remove(&message);
    });
    page.announcement.set([rest.unwrap_or_default(), closing].join("\n"));
}

impl Answer {
    fn content(&self, state: MessageState) -> MessageContent {
        let unmeasured = || PorticoInfo::new(self.via.place(), self.model.as_str());
        let mut portico = self.portico.clone().unwrap_or_else(unmeasured);
        if let Some(grounded) = &self.grounded {
            grounded.add_to(&mut portico);
        }
        MessageContent {
            state,
            portico: Some(portico),
            usage: self.calls.usage(self.usage),
            token_ids: self.token_ids.clone(),
            moved: self.moved,
            // Of use only while it is written.
            stream: self.stream.clone().filter(|_| state == MessageState::Draft),
            ..MessageContent::done(self.text.clone())
        }
    }
}
