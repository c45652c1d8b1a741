//! What is asked: a message and its answer, another answer, more of one.

use leptos::prelude::*;
use portico_page::route::Route;
use portico_page::title::title_from_message;
use portico_page::tools::append;
use portico_shared::openai::{
    ChatCompletionRequest, ChatMessage, Continuation, Role, SamplingFields, StreamOptions,
};
use portico_shared::sync::{
    Attachment, Body, MessageContent, MessageState, Setting, with_attachments,
};
use uuid::Uuid;

use super::ground;
use super::run::{self, Standing};
use crate::browser::new_id;
use crate::log::{self, Thread};
use crate::page::Page;
use crate::{assistants, files, prefs};

/// Tokens of an answer unless the person says otherwise.
pub const USUAL_MAX_TOKENS: u32 = 1024;

/// Sends what the person wrote, in a new conversation if none is open, and asks for the answer.
pub fn send(page: Page, text: &str, attachments: Vec<Attachment>, model: String) {
    let (conversation, parent) = match page.open.get_untracked() {
        Some(conversation) => {
            let thread = page.thread.get_untracked();
            (conversation, thread.last().map(|item| item.id))
        }
        None => {
            let conversation = new_id();
            let assistant = prefs::answer_settings(None).assistant;
            prefs::adopt_answer_settings(conversation);
            let title = Setting::Title(Some(title_from_message(text)));
            // In one piece, so that nothing of what stays on the device is ever sent.
            let stays = crate::place::first_setting(conversation);
            log::write(
                page,
                [Body::CreateConversation { conversation }]
                    .into_iter()
                    .chain(stays.map(|setting| Body::Set { conversation, setting }))
                    .chain([Body::Set { conversation, setting: title }])
                    .chain(assistant.map(|one| assistants::told(conversation, one))),
            );
            crate::view::open_conversation(page, Some(conversation));
            (conversation, None)
        }
    };
    let user = add_user_message(page, conversation, parent, text, attachments);
    ask(page, conversation, user, model);
}

/// Puts an edited message beside the old one and asks for its answer.
pub fn edit(
    page: Page,
    conversation: Uuid,
    parent: Option<Uuid>,
    text: &str,
    attachments: Vec<Attachment>,
    model: String,
) {
    let user = add_user_message(page, conversation, parent, text, attachments);
    ask(page, conversation, user, model);
}

fn add_user_message(
    page: Page,
    conversation: Uuid,
    parent: Option<Uuid>,
    text: &str,
    attachments: Vec<Attachment>,
) -> Uuid {
    let message = new_id();
    files::note(page, conversation, &attachments);
    let content = MessageContent { attachments, ..MessageContent::done(text) };
    log::write(
        page,
        [Body::AddMessage { conversation, message, parent, role: Role::User, content }],
    );
    message
}

/// Asks for an(other) answer to `user`, a message of the active branch.
pub fn ask(page: Page, conversation: Uuid, user: Uuid, model: String) {
    let message = new_id();
    let route = crate::place::route_for(page, conversation, &model);
    let standing = Standing::default();
    let content = run::first_content(&route, &model, &standing, MessageState::Draft);
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
    run::start(page, conversation, message, &model, route, standing);
}

/// Goes on with an answer that ended early, behind what stands of it.
pub fn go_on(page: Page, conversation: Uuid, message: Uuid, model: String) {
    let thread = log::thread(conversation);
    let Some(item) = thread.get(message) else { return };
    let route = crate::place::route_for(page, conversation, &model);
    // Tokens are the model's that wrote them.
    let is_same = !matches!(&route, Route::Server { model: other, .. } if *other != model);
    let token_ids = if is_same { item.content.token_ids.clone() } else { Vec::new() };
    let standing = Standing {
        text: item.content.text.clone(),
        token_ids,
        moved: item.content.moved,
        grounding: ground::of_content(page, &item.content),
        steps: item.steps.clone(),
    };
    run::start(page, conversation, message, &model, route, standing);
}

/// The request for the answer `message`; none when the conversation no longer has it.
pub fn request(
    page: Page,
    conversation: Uuid,
    message: Uuid,
    model: &str,
    standing: &Standing,
) -> Option<ChatCompletionRequest> {
    let thread = log::thread(conversation);
    let user = thread.get(message)?.parent?;
    let settings = untrack(|| assistants::settings(page, Some(conversation)));
    let has_tools = !settings.tools.is_empty();
    let instructions = settings.instructions.trim();
    let system = (!instructions.is_empty()).then(|| ChatMessage::new(Role::System, instructions));
    let continued = Continuation {
        token_ids: standing.token_ids.clone(),
        text: if standing.token_ids.is_empty() { standing.text.clone() } else { String::new() },
    };
    Some(ChatCompletionRequest {
        model: model.to_owned(),
        messages: system.into_iter().chain(spoken(&thread, user, has_tools)).collect(),
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
        portico_stop_repetition: true,
        portico_continue: (continued != Continuation::default()).then_some(continued),
    })
}

/// What was said up to `user`, with the tools that were called where the model has any. An answer that
/// failed before its first word says nothing.
fn spoken(thread: &Thread, user: Uuid, has_tools: bool) -> Vec<ChatMessage> {
    let mut messages = Vec::new();
    for item in thread.up_to(user) {
        let content = &item.content;
        let steps = if has_tools { item.steps.as_slice() } else { &[] };
        let text = append(&mut messages, &content.text, steps);
        if !text.is_empty() {
            let text = with_attachments(&content.attachments, text);
            messages.push(ChatMessage::new(item.role, text));
        }
    }
    messages
}
