//! Answers that call tools: what the model is offered, what is done about its calls, and how it goes on
//! behind them. `portico_page::tools` decides, here it is done.

use leptos::prelude::*;
use portico_page::i18n::Text;
use portico_page::tools::{Next, Offered, Turn, append};
use portico_shared::openai::{
    ChatCompletionRequest, Continuation, FunctionCall, ToolCall, ToolCallDelta, ToolChoice,
    ToolKind, Usage,
};
use portico_shared::sync::{Body, MessageState, ToolStep};
use portico_web::protocol::{FromWorker, ModelState, RequestId};
use uuid::Uuid;
use wasm_bindgen_futures::spawn_local;
use web_sys::AbortController;

use super::run::{self, Standing};
use super::{ANSWERS, ask, ground, received};
use crate::browser::new_id;
use crate::page::Page;
use crate::{log, prefs, tools};

/// Calls of one turn that are kept at all.
const CALLS_KEPT: usize = 32;
/// Tokens of results for a model of the server, whose context is not known here.
const RESULT_TOKENS: u32 = 4_000;

/// What of an answer is about tools.
pub(super) struct Calls {
    pub turn: Turn,
    offered: Vec<Offered>,
    /// Of the turn that the model is at.
    grown: Vec<ToolCallDelta>,
    /// The model waits for its tools.
    pub is_running: bool,
    /// Of the turns before.
    used: Usage,
    abort: Option<AbortController>,
}

impl Calls {
    pub fn new(page: Page, conversation: Uuid, model: &str, steps: Vec<ToolStep>) -> Self {
        let offered = untrack(|| tools::chosen(page, Some(conversation)));
        let n_ctx = page.models.with_untracked(|models| match models.get(model) {
            Some(ModelState::Ready { n_ctx, .. }) => Some(*n_ctx),
            _ => None,
        });
        let result_tokens = n_ctx.map_or(RESULT_TOKENS, |n_ctx| n_ctx / 3);
        Self {
            turn: Turn::new(steps, result_tokens, page.lang.get_untracked()),
            offered,
            grown: Vec::new(),
            is_running: false,
            used: Usage::default(),
            abort: None,
        }
    }

    /// Takes what a call grew by.
    pub fn grow(&mut self, delta: &ToolCallDelta) {
        let n_kept = self.grown.len();
        match self.grown.iter_mut().find(|call| call.index == delta.index) {
            Some(call) => call.join(delta.clone()),
            None if n_kept < CALLS_KEPT => self.grown.push(delta.clone()),
            None => {}
        }
    }

    /// What all turns used.
    pub fn usage(&self, last: Option<Usage>) -> Option<Usage> {
        let last = last?;
        Some(Usage {
            prompt_tokens: self.used.prompt_tokens + last.prompt_tokens,
            completion_tokens: self.used.completion_tokens + last.completion_tokens,
            total_tokens: self.used.total_tokens + last.total_tokens,
            prompt_tokens_details: last.prompt_tokens_details,
        })
    }

    fn take(&mut self) -> Vec<ToolCall> {
        let whole = |delta: ToolCallDelta| ToolCall {
            id: delta.id.unwrap_or_default(),
            kind: ToolKind::Function,
            function: FunctionCall {
                name: delta.function.name.unwrap_or_default(),
                arguments: delta.function.arguments.unwrap_or_default(),
            },
        };
        std::mem::take(&mut self.grown).into_iter().map(whole).collect()
    }
}

/// Offers the tools in a request, and shows what was called in the answer before.
pub(super) fn put(message: Uuid, request: &mut ChatCompletionRequest) {
    ANSWERS.with_borrow(|answers| {
        let Some(answer) = answers.get(&message) else { return };
        let Calls { turn, offered, .. } = &answer.calls;
        if !offered.is_empty() {
            request.tools = Some(offered.iter().map(|one| one.tool.clone()).collect());
            request.tool_choice = (!turn.may_call()).then_some(ToolChoice::None);
        }
        if !turn.steps().is_empty() {
            let text = append(&mut request.messages, &answer.text, turn.steps()).to_owned();
            let rest = Continuation { text, token_ids: Vec::new() };
            request.portico_continue = (!rest.text.is_empty()).then_some(rest);
        }
    });
}

/// At a turn's end: whether it called, and its calls are seen to.
pub(super) fn called(page: Page, request: &str) -> bool {
    let message = ANSWERS.with_borrow_mut(|answers| {
        let (&message, answer) =
            answers.iter_mut().find(|(_, answer)| answer.request == request)?;
        let calls = answer.calls.take();
        if calls.is_empty() {
            return None;
        }
        if let Some(grounded) = &mut answer.grounded {
            answer.text.push_str(&grounded.rest());
        }
        if !answer.text.is_empty() && !answer.text.ends_with("\n\n") {
            answer.text.push_str("\n\n");
        }
        let all = &mut answer.calls;
        all.used = all.usage(answer.usage.take()).unwrap_or(all.used);
        all.turn.called(answer.text.len(), calls, &all.offered);
        Some(message)
    });
    let Some(message) = message else { return false };
    go(page, message);
    true
}

/// Whether the answer has calls that are not over.
pub(super) fn is_open(message: Uuid) -> bool {
    ANSWERS.with_borrow(|answers| {
        answers.get(&message).is_some_and(|answer| !answer.calls.turn.is_over())
    })
}

/// Does what is next.
pub(super) fn go(page: Page, message: Uuid) {
    let next = ANSWERS.with_borrow_mut(|answers| {
        let answer = answers.get_mut(&message)?;
        let granted = prefs::answer_settings(Some(answer.conversation)).granted;
        let calls = &mut answer.calls;
        let next = calls.turn.next(&calls.offered, |id| granted.iter().any(|other| other == id));
        calls.is_running = next != Next::Answer;
        // The stream is over: nothing is picked up there.
        answer.stream = None;
        answer.token_ids = Vec::new();
        answer.reads_text = true;
        Some((next, answer.content(MessageState::Draft)))
    });
    let Some((next, content)) = next else { return };
    keep(page, message);
    log::write_draft(page, message, content);
    tell(page, message, next != Next::Answer);
    match next {
        Next::Ask(_) => page.announcement.set(page.say(Text::ToolWaiting).to_owned()),
        Next::Run(n) => spawn_local(run(page, message, n)),
        Next::Wait => {}
        Next::Answer => answer(page, message),
    }
}

/// Writes the steps that changed.
pub(super) fn keep(page: Page, message: Uuid) {
    let changed = ANSWERS.with_borrow_mut(|answers| {
        answers.get_mut(&message).map(|answer| answer.calls.turn.take_changed())
    });
    let write = |(n, step)| Body::WriteStep { message, n, step };
    log::write(page, changed.unwrap_or_default().into_iter().map(write));
}

fn tell(page: Page, message: Uuid, is_calling: bool) {
    page.live.update(|live| {
        if let Some(info) = live.get_mut(&message) {
            info.calling = is_calling;
            info.streaming &= is_calling;
        }
    });
}

async fn run(page: Page, message: Uuid, n: usize) {
    let begun = ANSWERS.with_borrow_mut(|answers| {
        let answer = answers.get_mut(&message)?;
        let step = answer.calls.turn.steps().get(n)?.clone();
        let tool = answer.calls.offered.iter().find(|tool| tool.tool.name() == step.name)?.clone();
        answer.calls.abort = AbortController::new().ok();
        Some((answer.conversation, tool, step.arguments, answer.calls.abort.clone()))
    });
    let Some((conversation, tool, arguments, abort)) = begun else { return };
    let signal = abort.as_ref().map(AbortController::signal);
    let outcome = tools::run(page, conversation, &tool, &arguments, signal.as_ref()).await;
    let is_wanted = ANSWERS.with_borrow_mut(|answers| {
        let Some(answer) = answers.get_mut(&message) else { return false };
        answer.calls.abort = None;
        answer.calls.turn.ended(n, outcome);
        true
    });
    if is_wanted {
        go(page, message);
    }
}

/// The person's word on a step that asks.
pub fn confirm(page: Page, message: Uuid, n: usize, may: bool, always: bool) {
    let begins = ANSWERS.with_borrow_mut(|answers| {
        let answer = answers.get_mut(&message)?;
        let (conversation, calls) = (answer.conversation, &mut answer.calls);
        if !may {
            return calls.turn.refuse(n).then_some(false);
        }
        let name = calls.turn.steps().get(n)?.name.clone();
        if !calls.turn.allow(n) {
            return None;
        }
        let tool = calls.offered.iter().find(|tool| tool.tool.name() == name)?;
        if always {
            tools::grant(conversation, &tool.id);
        }
        Some(true)
    });
    match begins {
        Some(true) => {
            keep(page, message);
            spawn_local(run(page, message, n));
        }
        Some(false) => go(page, message),
        None => {}
    }
}

/// Whether the person may say that they need not be asked again.
pub fn may_grant(message: Uuid, name: &str) -> bool {
    use portico_page::tools::Confirm;
    ANSWERS.with_borrow(|answers| {
        let mut offered =
            answers.get(&message).into_iter().flat_map(|answer| &answer.calls.offered);
        offered.any(|tool| tool.tool.name() == name && tool.confirm == Confirm::First)
    })
}

/// Ends an answer whose tools run, or are asked about; false for one that the model writes.
pub(super) fn stop(page: Page, message: Uuid) -> bool {
    let request = ANSWERS.with_borrow_mut(|answers| {
        let answer = answers.get_mut(&message).filter(|answer| answer.calls.is_running)?;
        if let Some(abort) = answer.calls.abort.take() {
            abort.abort();
        }
        answer.calls.is_running = false;
        Some(answer.request.clone())
    });
    let Some(id) = request else { return false };
    received(page, &FromWorker::Done { id, stopped: true });
    true
}

/// Has the model go on behind the results.
fn answer(page: Page, message: Uuid) {
    let id: RequestId = new_id().to_string();
    let found = ANSWERS.with_borrow_mut(|answers| {
        let answer = answers.get_mut(&message)?;
        answer.request.clone_from(&id);
        answer.finish = None;
        answer.is_streaming = false;
        let grounding = answer.grounded.as_ref().map(|grounded| grounded.grounding.clone());
        Some((answer.conversation, answer.model.clone(), answer.route.clone(), grounding))
    });
    let Some((conversation, model, route, grounding)) = found else { return };
    let request = ask::request(page, conversation, message, &model, &Standing::default());
    let (Some(mut request), Some(route)) = (request, route) else {
        return run::gone(page, id);
    };
    if let Some(grounding) = grounding {
        ground::show(page, &grounding, &mut request);
    }
    run::post(page, message, id, request, route);
}
