//! What does a chat request's `retrieval` come to? The question is searched for with the caller's rights,
//! what is relevant goes into the prompt, and the rest of the request is as any other.

use std::sync::Arc;
use std::time::Duration;

use portico_shared::error::{ApiError, Lang};
use portico_shared::grounding::{
    Grounding, Room, SOURCES_MAX, Source, USUAL_SOURCES, estimated_tokens, lang_of, rewriting,
};
use portico_shared::openai::{ChatMessage, Content, Retrieval, Role};
use portico_shared::tokenizer::{AddSpecial, ParseSpecial};
use serde_json::{Value, json};

use super::Gateway;
use super::answering::Asked;
use super::body::{Body, invalid};
use super::citing::Citing;
use super::fault::Fault;
use super::here::off_thread;
use super::served::Target;
use crate::inference::HostedModel;

/// Tokens kept for an answer whose request does not say how long it may be.
const ANSWER_TOKENS: u32 = 512;
/// Context of an upstream's model, of which nothing is known.
const UPSTREAM_N_CTX: u32 = 4096;
/// How long the model may take to rewrite a question.
const REWRITE_TIME: Duration = Duration::from_secs(10);
/// Tokens of passages that are looked at, for each that is shown.
const LOOKED_AT: u32 = 3;
const PARAM: &str = "retrieval";

/// What is known of the model that will answer.
pub struct AtHand {
    pub model: String,
    hosted: Option<Arc<HostedModel>>,
    n_ctx: u32,
}

impl AtHand {
    pub fn room(&self, answer_tokens: u32, max_sources: usize) -> OwnRoom {
        OwnRoom { hosted: self.hosted.clone(), n_ctx: self.n_ctx, answer_tokens, max_sources }
    }
}

/// A [`Room`] that goes to other threads.
#[derive(Clone)]
pub struct OwnRoom {
    hosted: Option<Arc<HostedModel>>,
    n_ctx: u32,
    answer_tokens: u32,
    max_sources: usize,
}

impl OwnRoom {
    pub fn room<'a>(&self, count: &'a dyn Fn(&str) -> u32) -> Room<'a> {
        let (n_ctx, answer_tokens) = (self.n_ctx, self.answer_tokens);
        Room { n_ctx, answer_tokens, max_sources: self.max_sources, count }
    }

    pub fn count(&self, text: &str) -> u32 {
        let encoded = self.hosted.as_ref().and_then(|hosted| {
            hosted.tokenizer.encode(text, AddSpecial::No, ParseSpecial::No).ok()
        });
        encoded.map_or_else(|| estimated_tokens(text), |ids| ids.len() as u32)
    }
}

impl Gateway {
    /// Puts what was found into the request; none where no documents are asked.
    ///
    /// # Errors
    /// `invalid_request`, `collection_not_found`, and what the search refuses.
    pub async fn ground(
        self: &Arc<Self>,
        asked: &mut Asked,
        fallback: Lang,
    ) -> Result<Option<Citing>, Fault> {
        let Some(retrieval) = asked.body.get(PARAM) else { return Ok(None) };
        let retrieval = read(PARAM, retrieval)?;
        let n_sources = n_sources(&retrieval);
        if retrieval.whole_document && retrieval.documents.len() != 1 {
            let reason = "`retrieval.whole_document` needs one document in `documents`";
            return Err(invalid(Some(PARAM), reason).into());
        }
        let conversation = messages(&asked.body)?;
        let Some(question) = question(&conversation) else {
            return Err(invalid(Some("messages"), "`retrieval` needs a question").into());
        };
        let at_hand = self.at_hand(asked).await?;
        let lang = lang_of(&question).unwrap_or(fallback);
        let answer_tokens = answer_tokens(&asked.body);
        let room = at_hand.room(answer_tokens, n_sources);
        let (query, found) = match retrieval.documents.as_slice() {
            [document] if retrieval.whole_document => {
                let parts = self.documents.document_parts(&asked.caller.rights, *document).await?;
                (question, parts.sources)
            }
            _ => {
                let query = self.standalone(asked, &conversation, question, lang).await;
                let found = self.found(asked, &retrieval, &query, &room).await?;
                (query, found)
            }
        };
        let (searched, is_whole) = (query.clone(), retrieval.whole_document);
        let grounded = off_thread(move || {
            let count = |text: &str| room.count(text);
            let room = room.room(&count);
            let grounding = match is_whole {
                true => Grounding::of_document(&searched, lang, found, &room),
                false => Grounding::new(&searched, lang, found, &room),
            };
            Ok(grounding.map(|grounding| {
                let messages = grounding.messages(&conversation, &room);
                (grounding, messages)
            }))
        });
        let model = at_hand.model;
        let Some((grounding, messages)) = grounded.await? else {
            return Ok(Some(Citing { model, query, ..Citing::default() }));
        };
        let mut fields = asked.body.fields().clone();
        fields.remove(PARAM);
        if !retrieval.allow_tools {
            for field in ["tools", "tool_choice", "parallel_tool_calls"] {
                fields.remove(field);
            }
        }
        fields.insert("messages".to_owned(), json!(messages));
        asked.body = Body::from_fields(fields);
        let Grounding { sources, coverage, .. } = grounding;
        Ok(Some(Citing { model, query, sources, coverage }))
    }

    /// What the caller may read about a question, best first.
    pub async fn found(
        &self,
        asked: &Asked,
        retrieval: &Retrieval,
        query: &str,
        room: &OwnRoom,
    ) -> Result<Vec<Source>, ApiError> {
        let count = |text: &str| room.count(text);
        // Some of it will not be relevant.
        let budget_tokens = room.room(&count).source_tokens() * LOOKED_AT;
        let (rights, collections) = (&asked.caller.rights, retrieval.collections.as_deref());
        let documents = &retrieval.documents;
        self.documents
            .passages_for_answer(rights, query, collections, documents, budget_tokens, &count)
            .await
    }

    pub async fn at_hand(&self, asked: &Asked) -> Result<AtHand, Fault> {
        let served = self.served(&asked.caller, asked.body.model()?)?;
        let mut hosted = None;
        if let Some(Target::Here(id)) = served.targets.first() {
            hosted = Some(self.hosted(id).await?);
        }
        let n_ctx = hosted.as_ref().map_or(UPSTREAM_N_CTX, |hosted| hosted.facts.n_ctx);
        let n_ctx = n_ctx.min(self.config.limits.max_prompt_tokens.try_into().unwrap_or(u32::MAX));
        Ok(AtHand { model: served.model, hosted, n_ctx })
    }

    /// The question as it is searched for: where it leans on the conversation, the model is asked for the
    /// whole of it.
    async fn standalone(
        self: &Arc<Self>,
        asked: &Asked,
        conversation: &[ChatMessage],
        question: String,
        lang: Lang,
    ) -> String {
        let Some(rewriting) = rewriting(conversation, lang) else { return question };
        let request = json!({
            "model": asked.body.get("model"), "messages": rewriting.messages,
            "max_tokens": rewriting.max_tokens, "temperature": 0,
        });
        let Value::Object(fields) = request else { return question };
        let asked = Asked {
            caller: asked.caller.clone(),
            body: Body::from_fields(fields),
            route: "chat",
            path: "/chat/completions",
            start: std::time::Instant::now(),
        };
        let answered = tokio::time::timeout(REWRITE_TIME, self.chat_whole(&asked)).await;
        let said = match answered {
            Ok(Ok(response)) => super::answering::body_bytes(response).await.ok(),
            // The question is searched for as it is.
            Ok(Err(_)) | Err(_) => None,
        };
        let said = said.and_then(|answer| text_of(&answer));
        rewriting.query(said.as_deref())
    }
}

/// What may be searched, as the request's field `param` says.
pub fn read(param: &str, retrieval: &Value) -> Result<Retrieval, ApiError> {
    let retrieval: Retrieval = serde_json::from_value(retrieval.clone())
        .map_err(|error| invalid(Some(param), format!("`{param}`: {error}")))?;
    match retrieval.limit {
        Some(limit) if !(1..=SOURCES_MAX as u32).contains(&limit) => {
            let reason = format!("`{param}.limit` must be between 1 and {SOURCES_MAX}");
            Err(invalid(Some(param), reason))
        }
        _ => Ok(retrieval),
    }
}

pub fn n_sources(retrieval: &Retrieval) -> usize {
    retrieval.limit.map_or(USUAL_SOURCES, |limit| limit as usize)
}

pub fn messages(body: &Body) -> Result<Vec<ChatMessage>, ApiError> {
    match body.get("messages") {
        Some(messages) => serde_json::from_value(messages.clone())
            .map_err(|error| invalid(Some("messages"), format!("`messages`: {error}"))),
        None => Ok(Vec::new()),
    }
}

/// The last question of a conversation.
pub fn question(conversation: &[ChatMessage]) -> Option<String> {
    let asked = conversation.iter().rfind(|message| message.role == Role::User)?;
    asked.content.as_ref().map(Content::text)
}

fn text_of(answer: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    answer.pointer("/choices/0/message/content")?.as_str().map(str::to_owned)
}

pub fn answer_tokens(body: &Body) -> u32 {
    let asked = ["max_completion_tokens", "max_tokens"].iter().find_map(|field| body.get(field));
    let asked = asked.and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    asked.unwrap_or(ANSWER_TOKENS)
}
