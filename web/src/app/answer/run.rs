//! Where an answer runs: it is begun on the device or on the server, moved from the one to the other
//! when the device fails, and picked up where the server keeps it.

use std::rc::Rc;

use leptos::prelude::*;
use portico_page::announce::Announcer;
use portico_page::route::{Route, can_fail_over};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::grounding::Grounding;
use portico_shared::openai::{ChatCompletionRequest, FinishReason, Place};
use portico_shared::sync::{MessageContent, MessageState, Moved, ToolStep};
use portico_web::protocol::{FromWorker, ModelState, RequestId, ToWorker};
use portico_web::server_call::{Asked, News, ServerCall};
use uuid::Uuid;
use wasm_bindgen_futures::spawn_local;

use super::calls::{self, Calls};
use super::ground::{self, Grounded};
use super::{ANSWERS, Answer, LiveInfo, ask, received};
use crate::browser::{monotonic_ms, new_id};
use crate::log::{self, AnswerLock};
use crate::page::Page;
use crate::{documents, setup};

/// What of an answer is there before it runs.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    pub text: String,
    /// Of the model that goes on; empty: it reads the text.
    pub token_ids: Vec<u32>,
    pub moved: Option<Moved>,
    /// What it rests on, where documents were searched for it.
    pub grounding: Option<Grounding>,
    /// Tools that it called.
    pub steps: Vec<ToolStep>,
}

/// Who computes.
pub(super) enum Via {
    /// `fallback`: the server's model that goes on where the device fails.
    Worker {
        fallback: Option<String>,
    },
    Server(Rc<ServerCall>),
    /// It was never begun.
    Nobody,
}

impl Via {
    pub fn place(&self) -> Place {
        match self {
            Self::Server(_) => Place::Server,
            Self::Worker { .. } | Self::Nobody => Place::Device,
        }
    }
}

/// What is known of an answer before anything has been computed.
pub fn first_content(
    route: &Route,
    model: &str,
    standing: &Standing,
    state: MessageState,
) -> MessageContent {
    let (place, model) = match route {
        Route::Server { model, .. } => (Place::Server, model.as_str()),
        Route::Device { .. } | Route::Nowhere(_) => (Place::Device, model),
    };
    MessageContent {
        state,
        portico: Some(ground::first_info(place, model, standing.grounding.as_ref())),
        token_ids: standing.token_ids.clone(),
        moved: standing.moved,
        ..MessageContent::done(standing.text.clone())
    }
}

/// Begins the answer `message`, or goes on with it.
pub fn start(
    page: Page,
    conversation: Uuid,
    message: Uuid,
    model: &str,
    route: Route,
    standing: Standing,
) {
    let model = match &route {
        Route::Server { model, .. } => model.clone(),
        Route::Device { .. } | Route::Nowhere(_) => model.to_owned(),
    };
    let request = ask::request(page, conversation, message, &model, &standing);
    let grounding = standing.grounding.clone();
    let is_new = standing.text.is_empty() && grounding.is_none() && standing.steps.is_empty();
    let id = enter(page, conversation, message, model, standing);
    let Some(mut request) = request else { return gone(page, id) };
    if calls::is_open(message) {
        set_route(message, route);
        return calls::go(page, message);
    }
    let collections = documents::asked(page, conversation);
    if is_new && !collections.is_empty() && !matches!(route, Route::Nowhere(_)) {
        ground::tell_searching(page, message, true);
        spawn_local(ground::search_and_ask(page, message, id, request, route, collections));
        return;
    }
    if let Some(grounding) = grounding {
        ground::show(page, &grounding, &mut request);
    }
    post(page, message, id, request, route);
}

/// The conversation no longer has the message.
pub(super) fn gone(page: Page, id: RequestId) {
    let error = ApiError::new(ErrorCode::Internal).detail("the message is gone");
    received(page, &FromWorker::Failed { id, error });
}

/// Has a request computed.
pub(super) fn post(
    page: Page,
    message: Uuid,
    id: RequestId,
    mut request: ChatCompletionRequest,
    route: Route,
) {
    calls::put(message, &mut request);
    set_route(message, route.clone());
    match route {
        Route::Device { fallback } => {
            set_via(message, Via::Worker { fallback });
            if !setup::post(&ToWorker::Chat { id: id.clone(), request: Box::new(request) }) {
                let error = ApiError::new(ErrorCode::Internal).detail("there is no worker");
                received(page, &FromWorker::Failed { id, error });
            }
        }
        Route::Server { .. } => {
            let asked = Asked::Chat(Box::new(request));
            set_via(message, Via::Server(ServerCall::start(id, asked, listener(page, message))));
        }
        Route::Nowhere(blocked) => {
            received(page, &FromWorker::Failed { id, error: blocked.error(&request.model) });
        }
    }
}

/// Reads on in an answer that the server is writing, or has written meanwhile.
pub fn pick_up(page: Page, conversation: Uuid, message: Uuid, content: &MessageContent) {
    let Some(stream) = content.stream.clone() else { return };
    let model = content.portico.as_ref().map(|portico| portico.model.clone()).unwrap_or_default();
    // The stream is read from its beginning; what an earlier place wrote stands before it.
    if content.moved.is_some() {
        return pick_up_moved(page, message, content);
    }
    // Turns before called tools, and are not in it.
    let thread = log::thread(conversation);
    let steps = thread.get(message).map(|item| item.steps.clone()).unwrap_or_default();
    let behind = steps.last().and_then(|step| content.text.get(..step.at as usize));
    let text = behind.unwrap_or_default().to_owned();
    let grounding = ground::of_content(page, content);
    let standing = Standing { text, grounding, steps, ..Standing::default() };
    let id = enter(page, conversation, message, model, standing);
    ANSWERS.with_borrow_mut(|answers| {
        if let Some(answer) = answers.get_mut(&message) {
            answer.stream = Some(stream.clone());
        }
    });
    set_via(message, Via::Server(ServerCall::pick_up(id, stream, listener(page, message))));
}

/// Where text of two places is mixed, the draft does not say which part is the stream's: it stays as it
/// was kept, and the person may go on.
fn pick_up_moved(page: Page, message: Uuid, content: &MessageContent) {
    let content = MessageContent { state: MessageState::Stopped, stream: None, ..content.clone() };
    log::write_end(page, message, content);
}

/// Has an answer that filled the device's context go on on the server, if it may. True when it does.
pub(super) fn outgrow_device(page: Page, request: &str) -> bool {
    let is_full = ANSWERS.with_borrow(|answers| {
        let answer = answers.values().find(|answer| answer.request == request)?;
        let used = answer.usage?.total_tokens;
        let n_ctx = page.models.with_untracked(|models| match models.get(&answer.model) {
            Some(ModelState::Ready { n_ctx, .. }) => Some(u64::from(*n_ctx)),
            _ => None,
        })?;
        Some(answer.finish == Some(FinishReason::Length) && used >= n_ctx)
    });
    is_full == Some(true) && fail_over(page, request, ErrorCode::ContextFull)
}

/// Whether an answer went to the server for its length and, failing with `code`, finds no room there
/// either.
pub(super) fn has_outgrown(request: &str, code: ErrorCode) -> bool {
    code == ErrorCode::ContextFull
        && ANSWERS.with_borrow(|answers| {
            let mut answers = answers.values();
            answers.any(|answer| {
                let moved = answer.moved.map(|moved| moved.code);
                answer.request == request && moved == Some(code) && !answer.text.is_empty()
            })
        })
}

/// Has an answer that failed on the device go on on the server, if it may. True when it does.
pub(super) fn fail_over(page: Page, request: &str, code: ErrorCode) -> bool {
    if !can_fail_over(code) {
        return false;
    }
    let found = ANSWERS.with_borrow_mut(|answers| {
        let (&message, answer) =
            answers.iter_mut().find(|(_, answer)| answer.request == request)?;
        let Via::Worker { fallback: Some(model) } = &answer.via else { return None };
        let is_same = *model == answer.model;
        let token_ids = if is_same { answer.token_ids.clone() } else { Vec::new() };
        let moved = Some(Moved { from: Place::Device, code });
        let grounding = answer.grounded.as_mut().map(|grounded| {
            answer.text.push_str(&grounded.rest());
            grounded.grounding.clone()
        });
        let steps = answer.calls.turn.steps().to_vec();
        let standing = Standing { text: answer.text.clone(), token_ids, moved, grounding, steps };
        Some((message, answer.conversation, model.clone(), standing))
    });
    let Some((message, conversation, model, standing)) = found else { return false };
    ANSWERS.with_borrow_mut(|answers| answers.remove(&message));
    let route = Route::Server { model: model.clone(), instead: None };
    let content = first_content(&route, &model, &standing, MessageState::Draft);
    log::write_end(page, message, content);
    start(page, conversation, message, &model, route, standing);
    true
}

/// Enters an answer as one that is being written here.
fn enter(
    page: Page,
    conversation: Uuid,
    message: Uuid,
    model: String,
    standing: Standing,
) -> RequestId {
    let now_ms = monotonic_ms();
    let tick = RwSignal::new(0);
    let mut announcer = Announcer::new(now_ms);
    // What stood before was announced before.
    announcer.rest(&standing.text);
    let request = new_id().to_string();
    let (grounded, text) = match standing.grounding {
        Some(grounding) => {
            let (grounded, text) = Grounded::behind(grounding, &standing.text);
            (Some(grounded), text)
        }
        None => (None, standing.text),
    };
    let answer = Answer {
        request: request.clone(),
        conversation,
        model: model.clone(),
        via: Via::Nobody,
        saved_bytes: text.len(),
        reads_text: standing.token_ids.is_empty() && !text.is_empty(),
        text,
        token_ids: standing.token_ids,
        moved: standing.moved,
        grounded,
        route: None,
        calls: Calls::new(page, conversation, &model, standing.steps),
        is_stopped: false,
        stream: None,
        portico: None,
        usage: None,
        finish: None,
        announcer,
        saved_ms: now_ms,
        is_streaming: false,
        paint_is_due: false,
        tick,
        _lock: AnswerLock::hold(message),
    };
    ANSWERS.with_borrow_mut(|answers| answers.insert(message, answer));
    page.live.update(|live| {
        live.insert(
            message,
            LiveInfo {
                conversation,
                model,
                streaming: false,
                searching: false,
                calling: false,
                tick,
            },
        );
    });
    request
}

fn set_route(message: Uuid, route: Route) {
    ANSWERS.with_borrow_mut(|answers| {
        if let Some(answer) = answers.get_mut(&message) {
            answer.route = Some(route);
        }
    });
}

fn set_via(message: Uuid, via: Via) {
    ANSWERS.with_borrow_mut(|answers| {
        if let Some(answer) = answers.get_mut(&message) {
            answer.via = via;
        }
    });
}

/// Takes what the server says, and notes where it keeps the answer.
fn listener(page: Page, message: Uuid) -> impl Fn(News) + 'static {
    move |news| match news {
        News::Said(said) => received(page, &said),
        News::Stream(stream) => {
            let content = ANSWERS.with_borrow_mut(|answers| {
                let answer = answers.get_mut(&message)?;
                answer.stream = Some(stream);
                Some(answer.content(MessageState::Draft))
            });
            if let Some(content) = content {
                log::write_draft(page, message, content);
            }
        }
    }
}
