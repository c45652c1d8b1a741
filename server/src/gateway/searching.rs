//! How does a model search the documents itself? A request's tool of type `search_documents` becomes two
//! functions that the model may call; they run here, with the caller's rights, and the answer goes on with
//! what they found. From then on text of documents stands in the prompt, so the request's other tools are
//! off unless it allows them.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::body::Bytes;
use axum::response::Response;
use futures_util::StreamExt as _;
use portico_shared::error::{ApiError, ErrorCode, Lang};
use portico_shared::grounding::{Grounding, Source as Passage, lang_of, tool_result};
use portico_shared::openai::{ChatMessage, Retrieval, Role, ToolCall};
use serde_json::{Map, Value, json};

use super::Gateway;
use super::answering::{Asked, Streamed, body_bytes, whole_response};
use super::body::Body;
use super::citing::{Citing, Passing, object};
use super::events::{Pieces, Source, pieces};
use super::fault::Fault;
use super::ground::{OwnRoom, answer_tokens, messages, n_sources, question, read};
use super::here::{json as bytes, off_thread};

/// The tool's type, and the function that it becomes.
const SEARCH: &str = "search_documents";
const READ: &str = "read_document";
const PARAM: &str = "tools";
/// Answers of the model to one request; the last one may not search.
const ROUNDS_MAX: usize = 4;
/// Calls of one answer that are run.
const CALLS_MAX: usize = 4;

/// A request whose model may search.
pub struct Searching {
    pub asked: Asked,
    retrieval: Retrieval,
    room: OwnRoom,
    lang: Lang,
    /// The person's.
    question: String,
    pub citing: Citing,
    n_rounds: usize,
}

impl Gateway {
    /// Takes the tool out of a request; gives the request back where it has none.
    ///
    /// # Errors
    /// `invalid_request`, and what the model's loading says.
    pub async fn searching(
        self: &Arc<Self>,
        asked: Asked,
        fallback: Lang,
    ) -> Result<Result<Searching, Asked>, Fault> {
        let tools = asked.body.get(PARAM).and_then(Value::as_array);
        let is_ours = |tool: &Value| tool.get("type").and_then(Value::as_str) == Some(SEARCH);
        let Some(tool) = tools.and_then(|tools| tools.iter().find(|tool| is_ours(tool))) else {
            return Ok(Err(asked));
        };
        asked.caller.may.may_call(SEARCH)?;
        let retrieval = read(PARAM, tool)?;
        let at_hand = self.at_hand(&asked).await?;
        let room = at_hand.room(answer_tokens(&asked.body), n_sources(&retrieval));
        let others = tools.into_iter().flatten().filter(|tool| !is_ours(tool)).cloned();
        let tools: Vec<Value> = functions().into_iter().chain(others).collect();
        let question = question(&messages(&asked.body)?).unwrap_or_default();
        let lang = lang_of(&question).unwrap_or(fallback);
        let asked = Asked { body: asked.body.with(PARAM, tools.into()), ..asked };
        let citing = Citing { model: at_hand.model, ..Citing::default() };
        Ok(Ok(Searching { asked, retrieval, room, lang, question, citing, n_rounds: 0 }))
    }

    /// The whole answer, after as many searches as the model made.
    pub async fn searched_whole(
        self: &Arc<Self>,
        mut searching: Searching,
    ) -> Result<Response, Fault> {
        let mut usage = Map::new();
        loop {
            let response = self.chat_whole(&searching.asked).await?;
            let (parts, body) = response.into_parts();
            let answer = body_bytes(Response::new(body)).await?;
            let mut fields = object(&answer)?;
            add_usage(&mut usage, fields.get("usage"));
            let calls =
                fields.get("choices").and_then(|choices| choices.pointer("/0/message/tool_calls"));
            let calls: Vec<ToolCall> = calls
                .and_then(|calls| serde_json::from_value(calls.clone()).ok())
                .unwrap_or_default();
            if !searching.run(self, &calls).await? {
                fields.insert("usage".to_owned(), Value::Object(usage));
                let answer = match searching.citing.query.is_empty() {
                    true => bytes(&fields)?,
                    false => searching.citing.whole(&bytes(&fields)?)?,
                };
                let mut response = whole_response("", "", answer);
                *response.headers_mut() = parts.headers;
                response.headers_mut().remove(axum::http::header::CONTENT_LENGTH);
                return Ok(response);
            }
        }
    }

    /// The answer as it comes, over all rounds.
    pub async fn searched_stream(
        self: &Arc<Self>,
        searching: Searching,
        include_usage: bool,
    ) -> Result<Streamed, Fault> {
        let first = self.chat_stream(&searching.asked, true).await?;
        let Streamed { pieces: round, model, upstream } = first;
        let passing = Passing::new(searching.citing.clone());
        let source = Rounds {
            gateway: Arc::clone(self),
            searching,
            round,
            passing,
            calls: Vec::new(),
            ends: None,
            has_begun: false,
            include_usage,
            usage: Map::new(),
            usage_chunk: None,
        };
        Ok(Streamed { pieces: pieces(source), model, upstream })
    }
}

/// What the model is shown.
fn functions() -> [Value; 2] {
    let function = |name: &str, description: &str, properties: Value, required: &str| {
        json!({ "type": "function", "function": { "name": name, "description": description,
            "parameters": { "type": "object", "properties": properties, "required": [required] } } })
    };
    [
        function(
            SEARCH,
            "Searches the organisation's documents for passages about a question. They come with \
             numbers, to be cited like [1].",
            // Small models repeat a description in the place of what it describes.
            json!({ "query": { "type": "string" } }),
            "query",
        ),
        function(
            READ,
            "Reads the whole document that the passage of this number is from.",
            json!({ "source": { "type": "integer" } }),
            "source",
        ),
    ]
}

fn is_ours(call: &ToolCall) -> bool {
    [SEARCH, READ].contains(&call.function.name.as_str())
}

impl Searching {
    /// Runs an answer's calls and puts what they found into the request; false where there are none.
    async fn run(&mut self, gateway: &Gateway, calls: &[ToolCall]) -> Result<bool, Fault> {
        let calls: Vec<ToolCall> =
            calls.iter().filter(|call| is_ours(call)).take(CALLS_MAX).cloned().collect();
        if calls.is_empty() || self.n_rounds + 1 >= ROUNDS_MAX {
            return Ok(false);
        }
        self.n_rounds += 1;
        let mut conversation = messages(&self.asked.body)?;
        conversation.push(ChatMessage {
            content: None,
            tool_calls: Some(calls.clone()),
            ..ChatMessage::new(Role::Assistant, "")
        });
        for call in calls {
            let text = match self.call(gateway, &call).await {
                Ok(sources) => tool_result(&sources, self.lang),
                Err(error) if error.code.status() < 500 => error.text(self.lang),
                Err(error) => return Err(error.into()),
            };
            conversation.push(ChatMessage {
                tool_call_id: Some(call.id),
                name: Some(call.function.name),
                ..ChatMessage::new(Role::Tool, text)
            });
        }
        let mut fields = self.asked.body.fields().clone();
        fields.insert("messages".to_owned(), json!(conversation));
        // A call that was forced is made; what the model does now is its own choice.
        fields.remove("tool_choice");
        if !self.retrieval.allow_tools {
            fields.insert(PARAM.to_owned(), functions().into_iter().collect());
        }
        if self.n_rounds + 1 >= ROUNDS_MAX {
            fields.insert("tool_choice".to_owned(), "none".into());
        }
        self.asked.body = Body::from_fields(fields);
        Ok(true)
    }

    /// The passages that a call finds, under the numbers that they have in this answer.
    async fn call(&mut self, gateway: &Gateway, call: &ToolCall) -> Result<Vec<Passage>, ApiError> {
        let arguments: Value = serde_json::from_str(&call.function.arguments).unwrap_or_default();
        let text = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default();
        let (query, found, is_whole) = if call.function.name == READ {
            let n = arguments.get("source").and_then(Value::as_u64);
            let known = self.citing.sources.iter().find(|source| Some(source.n.into()) == n);
            let Some(document) = known.map(|source| source.document) else {
                return Err(ApiError::new(ErrorCode::DocumentNotFound));
            };
            let parts =
                gateway.documents.document_parts(&self.asked.caller.rights, document).await?;
            (self.citing.query.clone(), parts.sources, true)
        } else {
            let query = match text("query").trim() {
                "" => self.question.clone(),
                query => query.to_owned(),
            };
            let found = gateway.found(&self.asked, &self.retrieval, &query, &self.room).await?;
            (query, found, false)
        };
        let mut grounding = self.grounded(query.clone(), found, is_whole).await?;
        if grounding.is_none() && !is_whole {
            // A small model may search for anything; what was asked is known.
            let found = gateway.found(&self.asked, &self.retrieval, &self.question, &self.room);
            grounding = self.grounded(self.question.clone(), found.await?, false).await?;
        }
        if !is_whole {
            self.citing.query = grounding.as_ref().map_or(query, |found| found.query.clone());
        }
        let mut sources = Vec::new();
        for source in grounding.map(|grounding| grounding.sources).unwrap_or_default() {
            let all = &mut self.citing.sources;
            let known = all.iter().find(|known| known.passage == source.passage);
            let n = known.map_or(all.len() as u32 + 1, |known| known.n);
            let source = Passage { n, ..source };
            if known.is_none() {
                all.push(source.clone());
            }
            sources.push(source);
        }
        Ok(sources)
    }

    async fn grounded(
        &self,
        query: String,
        found: Vec<Passage>,
        is_whole: bool,
    ) -> Result<Option<Grounding>, ApiError> {
        let (room, lang) = (self.room.clone(), self.lang);
        let work = move || {
            let count = |text: &str| room.count(text);
            let room = room.room(&count);
            Ok(match is_whole {
                true => Grounding::of_document(&query, lang, found, &room),
                false => Grounding::new(&query, lang, found, &room),
            })
        };
        off_thread(work).await
    }
}

/// Adds what one round used to what all did.
fn add_usage(all: &mut Map<String, Value>, round: Option<&Value>) {
    for field in ["prompt_tokens", "completion_tokens", "total_tokens"] {
        let n = round.and_then(|round| round.get(field)).and_then(Value::as_u64).unwrap_or(0);
        let before = all.get(field).and_then(Value::as_u64).unwrap_or(0);
        all.insert(field.to_owned(), (before + n).into());
    }
}

/// Rounds of an answer as one stream.
struct Rounds {
    gateway: Arc<Gateway>,
    searching: Searching,
    round: Pieces,
    passing: Passing,
    /// Of this round, as far as they came.
    calls: Vec<ToolCall>,
    /// This round's last chunk, which is told if it ends the answer.
    ends: Option<Map<String, Value>>,
    has_begun: bool,
    include_usage: bool,
    usage: Map<String, Value>,
    usage_chunk: Option<Map<String, Value>>,
}

impl Rounds {
    /// Takes a chunk; gives what of it is to be told now.
    fn take(&mut self, chunk: &[u8]) -> Result<Option<Bytes>, ApiError> {
        let mut chunk = object(chunk)?;
        if let Some(usage) = chunk.get("usage").filter(|usage| !usage.is_null()) {
            add_usage(&mut self.usage, Some(usage));
        }
        let Some(choice) = chunk.get_mut("choices").and_then(|choices| choices.get_mut(0)) else {
            self.usage_chunk = Some(chunk);
            return Ok(None);
        };
        let ends = choice.get("finish_reason").is_some_and(|reason| !reason.is_null());
        let Some(Value::Object(delta)) = choice.get_mut("delta") else { return Ok(None) };
        if let Some(Value::Array(grown)) = delta.remove("tool_calls") {
            let others: Vec<Value> = grown.into_iter().filter(|call| !self.grow(call)).collect();
            if !others.is_empty() {
                delta.insert("tool_calls".to_owned(), others.into());
            }
        }
        // Whose turn it is is said once.
        let is_opening = delta.contains_key("role") && std::mem::replace(&mut self.has_begun, true);
        let says = ["content", "tool_calls"].iter().any(|field| {
            delta.get(*field).is_some_and(|said| !said.is_null() && said.as_str() != Some(""))
        });
        if ends {
            self.ends = Some(chunk);
            return Ok(None);
        }
        match says || !is_opening {
            true => self.passing.fields(chunk).map(Some),
            false => Ok(None),
        }
    }

    /// Takes what a call of ours grew by; false for another's.
    fn grow(&mut self, grown: &Value) -> bool {
        let text = |path: &str| grown.pointer(path).and_then(Value::as_str).map(str::to_owned);
        let index = grown.get("index").and_then(Value::as_u64).unwrap_or(0);
        let index_name = format!("{index}");
        if let Some(name) = text("/function/name") {
            if ![SEARCH, READ].contains(&name.as_str()) {
                return false;
            }
            self.calls.push(ToolCall {
                id: text("/id").unwrap_or(index_name),
                kind: portico_shared::openai::ToolKind::Function,
                function: portico_shared::openai::FunctionCall {
                    name,
                    arguments: text("/function/arguments").unwrap_or_default(),
                },
            });
            return true;
        }
        // Calls come one after another.
        match self.calls.last_mut() {
            Some(call) => {
                call.function.arguments.push_str(&text("/function/arguments").unwrap_or_default());
                true
            }
            None => false,
        }
    }

    /// At a round's end: begins another, or tells how the answer ended. False: it did.
    async fn next_round(
        &mut self,
        ready: &mut VecDeque<Result<Bytes, ApiError>>,
    ) -> Result<bool, ApiError> {
        let calls = std::mem::take(&mut self.calls);
        let goes_on = self.searching.run(&self.gateway, &calls).await.map_err(ours)?;
        if goes_on {
            self.passing.set(&self.searching.citing);
            let next = self.gateway.chat_stream(&self.searching.asked, true).await.map_err(ours)?;
            (self.round, self.ends) = (next.pieces, None);
            return Ok(true);
        }
        if let Some(ends) = self.ends.take() {
            ready.push_back(self.passing.fields(ends));
        }
        if let Some(mut chunk) = self.usage_chunk.take().filter(|_| self.include_usage) {
            chunk.insert("usage".to_owned(), Value::Object(std::mem::take(&mut self.usage)));
            ready.push_back(bytes(&chunk));
        }
        Ok(false)
    }
}

fn ours(fault: Fault) -> ApiError {
    match fault {
        Fault::Ours(error) => error,
        Fault::Theirs(_) => ApiError::new(ErrorCode::UpstreamFailed),
    }
}

impl Source for Rounds {
    async fn fill(&mut self, ready: &mut VecDeque<Result<Bytes, ApiError>>) -> bool {
        match self.round.next().await {
            Some(Ok(chunk)) => {
                ready.extend(self.take(&chunk).transpose());
                true
            }
            Some(Err(error)) => {
                ready.push_back(Err(error));
                false
            }
            None => match self.next_round(ready).await {
                Ok(goes_on) => goes_on,
                Err(error) => {
                    ready.push_back(Err(error));
                    false
                }
            },
        }
    }
}
