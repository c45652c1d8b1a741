//! Answers that rest on documents: the question is searched for on the server with the person's rights,
//! and what is found goes into the prompt, wherever the answer is made. Its text is read for citations as
//! it comes.

use std::cell::RefCell;
use std::collections::BTreeMap;

use futures_channel::oneshot;
use leptos::prelude::*;
use portico_page::route::Route;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::grounding::{
    Citation, CitationReader, Grounding, Room, USUAL_SOURCES, attributions, estimated_tokens,
    lang_of, nothing_found, rewriting,
};
use portico_shared::openai::{
    ChatCompletion, ChatCompletionRequest, ChatMessage, Content, Place, PorticoInfo, Role,
};
use portico_shared::sync::{MessageContent, MessageState, without_attachments};
use portico_web::protocol::{FromWorker, ModelState, RequestId, ToWorker};
use portico_web::server_call;
use uuid::Uuid;

use super::{ANSWERS, ask, received, run};
use crate::browser::new_id;
use crate::page::Page;
use crate::{documents, log, setup};

/// Context of a model of which nothing is known yet.
const USUAL_N_CTX: u32 = 2048;

/// What an answer rests on, and how far it was read.
pub(super) struct Grounded {
    pub grounding: Grounding,
    reader: CitationReader,
    pub citations: Vec<Citation>,
}

impl Grounded {
    /// For an answer whose beginning stands; gives that text back, read.
    pub fn behind(grounding: Grounding, text: &str) -> (Self, String) {
        let reader = grounding.reader();
        let mut grounded = Self { grounding, reader, citations: Vec::new() };
        let text = grounded.read(text);
        (grounded, text)
    }

    pub fn read(&mut self, text: &str) -> String {
        let cited = self.reader.push(text);
        self.citations.extend(cited.citations);
        cited.text
    }

    /// What was held back.
    pub fn rest(&mut self) -> String {
        self.reader.finish().text
    }

    /// Compares an answer that cites nothing with its sources.
    pub fn compare(&mut self, text: &str) {
        if self.citations.is_empty() {
            self.citations = attributions(text, &self.grounding.sources);
        }
    }

    pub fn add_to(&self, info: &mut PorticoInfo) {
        add(info, &self.grounding);
        info.citations.clone_from(&self.citations);
    }
}

pub(super) fn add(info: &mut PorticoInfo, grounding: &Grounding) {
    info.query = Some(grounding.query.clone());
    info.sources = Some(grounding.sources.clone());
    info.coverage = grounding.coverage;
}

/// What a message that stands rests on.
pub(super) fn of_content(page: Page, content: &MessageContent) -> Option<Grounding> {
    let portico = content.portico.as_ref()?;
    let (query, sources) = (portico.query.clone()?, portico.sources.clone()?);
    let lang = lang_of(&query).unwrap_or(page.lang.get_untracked());
    Some(Grounding { query, lang, sources, coverage: portico.coverage })
}

/// Puts the sources into a request's last question.
pub(super) fn show(page: Page, grounding: &Grounding, request: &mut ChatCompletionRequest) {
    if !grounding.sources.is_empty() {
        request.messages = grounding.messages(&request.messages, &room(page, request));
    }
}

fn room(page: Page, request: &ChatCompletionRequest) -> Room<'static> {
    let n_ctx = page.models.with_untracked(|models| match models.get(&request.model) {
        Some(ModelState::Ready { n_ctx, .. }) => *n_ctx,
        _ => USUAL_N_CTX,
    });
    Room {
        n_ctx,
        answer_tokens: request.max_tokens.unwrap_or(ask::USUAL_MAX_TOKENS).min(n_ctx / 4),
        max_sources: USUAL_SOURCES,
        count: &estimated_tokens,
    }
}

/// Searches for the question of `request` and asks for its answer; where nothing relevant is found, that
/// is the answer.
pub(super) async fn search_and_ask(
    page: Page,
    message: Uuid,
    id: RequestId,
    mut request: ChatCompletionRequest,
    route: Route,
    collections: Vec<String>,
) {
    let lang = page.lang.get_untracked();
    let query = query(&request, &route, lang).await;
    let found = documents::search(&query, &collections).await;
    let is_stopped =
        ANSWERS.with_borrow(|answers| answers.get(&message).is_none_or(|answer| answer.is_stopped));
    let found = match found {
        _ if is_stopped => Err(ApiError::new(ErrorCode::Cancelled)),
        found => found,
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => return received(page, &FromWorker::Failed { id, error }),
    };
    let grounding = Grounding::new(&query, lang, found, &room(page, &request));
    let is_nothing = grounding.is_none();
    let lang = lang_of(&query).unwrap_or(lang);
    let grounding =
        grounding.unwrap_or(Grounding { query, lang, sources: Vec::new(), coverage: None });
    show(page, &grounding, &mut request);
    let content = ANSWERS.with_borrow_mut(|answers| {
        let answer = answers.get_mut(&message)?;
        answer.grounded = Some(Grounded::behind(grounding, "").0);
        if is_nothing {
            answer.text = nothing_found(lang).to_owned();
        }
        Some(answer.content(MessageState::Draft))
    });
    let Some(content) = content else { return };
    // A killed tab keeps what the answer was to rest on, and the views show it.
    log::write_draft(page, message, content);
    page.log_version.update(|version| *version += 1);
    tell_searching(page, message, false);
    match is_nothing {
        true => received(page, &FromWorker::Done { id, stopped: false }),
        false => run::post(page, message, id, request, route),
    }
}

pub(super) fn tell_searching(page: Page, message: Uuid, searching: bool) {
    page.live.update(|live| {
        if let Some(info) = live.get_mut(&message) {
            info.searching = searching;
        }
    });
}

/// What is searched for: the question, or all of it where it leans on the conversation.
async fn query(
    request: &ChatCompletionRequest,
    route: &Route,
    lang: portico_shared::error::Lang,
) -> String {
    // What was asked, without the files that went along.
    let spoken: Vec<ChatMessage> = request
        .messages
        .iter()
        .map(|message| match message.content.as_ref().map(Content::text) {
            Some(text) => ChatMessage::new(message.role, without_attachments(&text)),
            None => message.clone(),
        })
        .collect();
    let Some(rewriting) = rewriting(&spoken, lang) else {
        let asked = spoken.iter().rfind(|message| message.role == Role::User);
        return asked
            .and_then(|message| message.content.as_ref())
            .map(Content::text)
            .unwrap_or_default();
    };
    let mut request = request.clone();
    request.messages = rewriting.messages.clone();
    request.max_tokens = Some(rewriting.max_tokens);
    request.sampling.temperature = Some(0.0);
    request.stream = false;
    request.stream_options = None;
    let answer = match route {
        Route::Server { .. } => server_call::post("/v1/chat/completions", &request).await.ok(),
        _ => of_worker(request).await,
    };
    let answer = answer.and_then(|answer: ChatCompletion| answer.choices.into_iter().next());
    let text = answer.and_then(|choice| choice.message.content).map(|content| content.text());
    rewriting.query(text.as_deref())
}

thread_local! {
    /// Whole answers that something here waits for.
    static AWAITED: RefCell<BTreeMap<RequestId, oneshot::Sender<ChatCompletion>>> =
        const { RefCell::new(BTreeMap::new()) };
}

async fn of_worker(request: ChatCompletionRequest) -> Option<ChatCompletion> {
    let id = new_id().to_string();
    let (tell, told) = oneshot::channel();
    AWAITED.with_borrow_mut(|awaited| awaited.insert(id.clone(), tell));
    setup::post(&ToWorker::Chat { id, request: Box::new(request) });
    told.await.ok()
}

/// Takes an answer that something here waits for.
pub(super) fn hear(message: &FromWorker) {
    let (FromWorker::Chat { id, .. } | FromWorker::Failed { id, .. } | FromWorker::Done { id, .. }) =
        message
    else {
        return;
    };
    // Without an answer the sender is dropped, which says so.
    let tell = AWAITED.with_borrow_mut(|awaited| awaited.remove(id));
    if let (Some(tell), FromWorker::Chat { completion, .. }) = (tell, message) {
        tell.send((**completion).clone()).ok();
    }
}

/// The information of a message that begins.
pub(super) fn first_info(place: Place, model: &str, grounding: Option<&Grounding>) -> PorticoInfo {
    let mut info = PorticoInfo::new(place, model);
    if let Some(grounding) = grounding {
        add(&mut info, grounding);
    }
    info
}
