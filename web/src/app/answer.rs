//! Answers that this tab is having written: asked of the worker, kept as drafts, painted at most
//! once a frame, announced in calm batches, ended in the log.

use std::cell::RefCell;
use std::collections::BTreeMap;

use leptos::prelude::*;
use portico_page::announce::Announcer;
use portico_page::i18n::Text;
use portico_page::title::title_from_message;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::openai::{
    ChatCompletionChunk, ChatCompletionRequest, ChatMessage, Continuation, FinishReason, Place,
    PorticoInfo, Role, SamplingFields, StreamOptions, Usage,
};
use portico_shared::sync::{Body, MessageContent, MessageState, Setting};
use portico_web::protocol::{FromWorker, RequestId, ToWorker};
use uuid::Uuid;

use crate::browser::{monotonic_ms, new_id, next_frame};
use crate::log::{self, AnswerLock, Thread};
use crate::page::Page;
use crate::prefs;
use crate::setup;

/// Tokens of an answer unless the person says otherwise.
pub const USUAL_MAX_TOKENS: u32 = 1024;

/// Milliseconds between two drafts on the disk.
const DRAFT_MS: f64 = 1_000.0;

/// What the views know of an answer that is being written.
#[derive(Clone, Debug)]
pub struct LiveInfo {
    pub conversation: Uuid,
    pub model: String,
    /// There is text to see.
    pub streaming: bool,
    /// Changes at most once a frame, when the text has grown.
    pub tick: RwSignal<u32>,
}

struct Answer {
    request: RequestId,
    model: String,
    text: String,
    token_ids: Vec<u32>,
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

/// The text of an answer so far.
pub fn with_text<T>(message: Uuid, read: impl FnOnce(&str) -> T) -> Option<T> {
    ANSWERS.with_borrow(|answers| answers.get(&message).map(|answer| read(&answer.text)))
}

/// Sends what the person wrote, in a new conversation if none is open, and asks for the answer.
pub fn send(page: Page, text: &str, model: String) {
    let (conversation, parent) = match page.open.get_untracked() {
        Some(conversation) => {
            let thread = page.thread.get_untracked();
            (conversation, thread.last().map(|item| item.id))
        }
        None => {
            let conversation = new_id();
            prefs::adopt_answer_settings(conversation);
            let title = Setting::Title(Some(title_from_message(text)));
            log::write(
                page,
                [
                    Body::CreateConversation { conversation },
                    Body::Set { conversation, setting: title },
                ],
            );
            crate::view::open_conversation(page, Some(conversation));
            (conversation, None)
        }
    };
    let user = add_user_message(page, conversation, parent, text);
    ask(page, conversation, user, model);
}

/// Puts an edited message beside the old one and asks for its answer.
pub fn edit(page: Page, conversation: Uuid, parent: Option<Uuid>, text: &str, model: String) {
    let user = add_user_message(page, conversation, parent, text);
    ask(page, conversation, user, model);
}

fn add_user_message(page: Page, conversation: Uuid, parent: Option<Uuid>, text: &str) -> Uuid {
    let message = new_id();
    let content = MessageContent::done(text);
    log::write(
        page,
        [Body::AddMessage { conversation, message, parent, role: Role::User, content }],
    );
    message
}

/// Asks for an(other) answer to `user`, a message of the active branch.
pub fn ask(page: Page, conversation: Uuid, user: Uuid, model: String) {
    let message = new_id();
    let content = content(&model, String::new(), MessageState::Draft);
    log::write(
        page,
        [Body::AddMessage {
            conversation,
            message,
            parent: Some(user),
            role: Role::Assistant,
            content,
        }],
    );
    let thread = log::thread(conversation);
    let request = request(conversation, &thread, user, &model, None);
    start(page, conversation, message, request, String::new(), Vec::new());
}

/// Goes on with an answer that ended early, behind the tokens that stand.
pub fn go_on(page: Page, conversation: Uuid, message: Uuid, model: String) {
    let thread = log::thread(conversation);
    let Some(item) = thread.get(message) else { return };
    let Some(user) = item.parent else { return };
    let token_ids = item.content.token_ids.clone();
    let request = request(conversation, &thread, user, &model, Some(token_ids.clone()));
    start(page, conversation, message, request, item.content.text.clone(), token_ids);
}

/// The request for an answer to `user`.
fn request(
    conversation: Uuid,
    thread: &Thread,
    user: Uuid,
    model: &str,
    standing: Option<Vec<u32>>,
) -> ChatCompletionRequest {
    let settings = prefs::answer_settings(Some(conversation));
    let instructions = settings.instructions.trim();
    let system = (!instructions.is_empty()).then(|| ChatMessage::new(Role::System, instructions));
    let spoken = thread
        .up_to(user)
        .iter()
        // An answer that failed before its first word says nothing.
        .filter(|item| !item.content.text.is_empty())
        .map(|item| ChatMessage::new(item.role, item.content.text.clone()));
    ChatCompletionRequest {
        model: model.to_owned(),
        messages: system.into_iter().chain(spoken).collect(),
        stream: true,
        stream_options: Some(StreamOptions { include_usage: true }),
        max_tokens: Some(settings.max_tokens.unwrap_or(USUAL_MAX_TOKENS)),
        max_completion_tokens: None,
        stop: None,
        logprobs: false,
        top_logprobs: None,
        n: None,
        tools: None,
        tool_choice: None,
        parallel_tool_calls: None,
        response_format: None,
        sampling: SamplingFields {
            temperature: Some(settings.temperature.unwrap_or(prefs::USUAL_TEMPERATURE)),
            top_p: Some(prefs::USUAL_TOP_P),
            ..SamplingFields::default()
        },
        portico_continue: standing.map(|token_ids| Continuation { token_ids }),
    }
}

fn start(
    page: Page,
    conversation: Uuid,
    message: Uuid,
    request: ChatCompletionRequest,
    text: String,
    token_ids: Vec<u32>,
) {
    let now_ms = monotonic_ms();
    let tick = RwSignal::new(0);
    let mut announcer = Announcer::new(now_ms);
    // What stood before was announced before.
    announcer.rest(&text);
    let answer = Answer {
        request: new_id().to_string(),
        model: request.model.clone(),
        saved_bytes: text.len(),
        text,
        token_ids,
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
    let id = answer.request.clone();
    let model = answer.model.clone();
    ANSWERS.with_borrow_mut(|answers| answers.insert(message, answer));
    page.live.update(|live| {
        live.insert(message, LiveInfo { conversation, model, streaming: false, tick });
    });
    if !setup::post(&ToWorker::Chat { id: id.clone(), request: Box::new(request) }) {
        let error = ApiError::new(ErrorCode::Internal).detail("there is no worker");
        received(page, &FromWorker::Failed { id, error });
    }
}

/// Stops an answer; it ends when the worker says so.
pub fn stop(message: Uuid) {
    let request =
        ANSWERS.with_borrow(|answers| answers.get(&message).map(|answer| answer.request.clone()));
    if let Some(id) = request {
        setup::post(&ToWorker::Stop { id });
    }
}

/// Ends what a crashed worker will not end.
pub fn fail_all(page: Page, error: &ApiError) {
    let requests: Vec<RequestId> = ANSWERS
        .with_borrow(|answers| answers.values().map(|answer| answer.request.clone()).collect());
    for id in requests {
        received(page, &FromWorker::Failed { id, error: error.clone() });
    }
}

/// Takes what the worker says about this tab's answers.
pub fn received(page: Page, message: &FromWorker) {
    match message {
        FromWorker::ChatChunk { id, chunk } => grow(page, id, chunk),
        FromWorker::Done { id, stopped } => {
            let state = if *stopped { MessageState::Stopped } else { MessageState::Done };
            end(page, id, state, None);
        }
        FromWorker::Failed { id, error } if error.code == ErrorCode::Cancelled => {
            end(page, id, MessageState::Stopped, None);
        }
        FromWorker::Failed { id, error } => end(page, id, MessageState::Error, Some(error.clone())),
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
            answer.token_ids.extend(&choice.delta.token_ids);
            if let Some(text) = &choice.delta.content {
                answer.text.push_str(text);
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

fn end(page: Page, request: &str, state: MessageState, error: Option<ApiError>) {
    let ended = ANSWERS.with_borrow_mut(|answers| {
        let message =
            answers.iter().find(|(_, answer)| answer.request == request).map(|(&id, _)| id)?;
        answers.remove(&message).map(|answer| (message, answer))
    });
    let Some((message, mut answer)) = ended else { return };
    let mut content = answer.content(state);
    content.error = error;
    if state == MessageState::Done && answer.finish != Some(FinishReason::Length) {
        // A whole answer never goes on.
        content.token_ids = Vec::new();
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
        let mut content = content(&self.model, self.text.clone(), state);
        if let Some(portico) = &self.portico {
            content.portico = Some(portico.clone());
        }
        content.usage = self.usage;
        content.token_ids = self.token_ids.clone();
        content
    }
}

/// What is known of an answer before the engine has reported.
fn content(model: &str, text: String, state: MessageState) -> MessageContent {
    let portico = PorticoInfo {
        place: Place::Device,
        model: model.to_owned(),
        time_to_first_token_ms: None,
        prefill_tokens_per_s: None,
        decode_tokens_per_s: None,
    };
    MessageContent {
        text,
        state,
        portico: Some(portico),
        usage: None,
        error: None,
        token_ids: Vec::new(),
    }
}
