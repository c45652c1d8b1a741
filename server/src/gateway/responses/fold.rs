//! How does a chat's stream read in the newer dialect? A fold over its chunks, without IO.

use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::openai::{ResponsesRequest, ToolCallDelta};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::gateway::here::fresh_id;

/// A chat's chunk as far as it matters here, whoever wrote it.
#[derive(Debug, Deserialize)]
pub struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<ChatUsage>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(default)]
    delta: ChoiceDelta,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct ChoiceDelta {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<ToolCallDelta>>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct ChatUsage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    #[serde(default)]
    prompt_tokens_details: Option<Cached>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Cached {
    #[serde(default)]
    cached_tokens: u64,
}

impl Chunk {
    pub fn read(json: &[u8]) -> Result<Self, ApiError> {
        serde_json::from_slice(json).map_err(|error| {
            ApiError::new(ErrorCode::UpstreamFailed).detail(format!("a chunk: {error}"))
        })
    }
}

/// An output item in the making.
enum Item {
    Text { id: String, text: String },
    Call { id: String, index: u32, call_id: String, name: String, arguments: String },
}

impl Item {
    fn value(&self, status: &str) -> Value {
        match self {
            Self::Text { id, text } => {
                let content = match status {
                    "in_progress" => json!([]),
                    _ => json!([part(text)]),
                };
                json!({
                    "id": id, "type": "message", "status": status, "role": "assistant",
                    "content": content,
                })
            }
            Self::Call { id, call_id, name, arguments, .. } => json!({
                "id": id, "type": "function_call", "status": status, "call_id": call_id,
                "name": name, "arguments": arguments,
            }),
        }
    }
}

fn part(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
}

/// A response in the making.
pub struct Fold {
    response: Value,
    output: Vec<Value>,
    item: Option<Item>,
    usage: Option<ChatUsage>,
    was_cut: bool,
    n_events: u64,
}

impl Fold {
    pub fn new(request: &ResponsesRequest, model: &str) -> Self {
        let response = json!({
            "id": fresh_id("resp"),
            "object": "response",
            "created_at": crate::keys::now_s(),
            "status": "in_progress",
            "error": null,
            "incomplete_details": null,
            "instructions": request.instructions,
            "max_output_tokens": request.max_output_tokens,
            "metadata": request.metadata.clone().unwrap_or_else(|| json!({})),
            "model": model,
            "output": [],
            "parallel_tool_calls": request.parallel_tool_calls.unwrap_or(true),
            "previous_response_id": null,
            "reasoning": { "effort": null, "summary": null },
            "service_tier": "default",
            "store": false,
            "temperature": request.temperature.unwrap_or(1.0),
            "text": { "format": request.text.as_ref().and_then(|text| text.format.as_ref())
                .map_or_else(|| json!({ "type": "text" }), |format| json!(format)) },
            "tool_choice": request.tool_choice.clone().unwrap_or_else(|| json!("auto")),
            "tools": request.tools,
            "top_p": request.top_p.unwrap_or(1.0),
            "truncation": "disabled",
            "usage": null,
        });
        Self { response, output: Vec::new(), item: None, usage: None, was_cut: false, n_events: 0 }
    }

    /// As it stands.
    pub fn response(&self) -> &Value {
        &self.response
    }

    pub fn begin(&mut self) -> Vec<Value> {
        let response = self.response.clone();
        vec![
            self.event("response.created", json!({ "response": response.clone() })),
            self.event("response.in_progress", json!({ "response": response })),
        ]
    }

    /// What a chunk of the chat adds.
    pub fn chunk(&mut self, chunk: &Chunk) -> Vec<Value> {
        let mut events = Vec::new();
        self.usage = chunk.usage.or(self.usage);
        let Some(choice) = chunk.choices.first() else { return events };
        if let Some(text) = choice.delta.content.as_deref().filter(|text| !text.is_empty()) {
            self.text(text, &mut events);
        }
        for call in choice.delta.tool_calls.iter().flatten() {
            self.call(call, &mut events);
        }
        self.was_cut |= choice.finish_reason.as_deref() == Some("length");
        events
    }

    pub fn end(&mut self) -> Vec<Value> {
        let mut events = Vec::new();
        let (status, name) = match self.was_cut {
            true => ("incomplete", "response.incomplete"),
            false => ("completed", "response.completed"),
        };
        self.close_item(status, &mut events);
        if self.was_cut {
            self.response["incomplete_details"] = json!({ "reason": "max_output_tokens" });
        }
        self.finish(status);
        let response = self.response.clone();
        events.push(self.event(name, json!({ "response": response })));
        events
    }

    pub fn failed(&mut self, code: &str, message: &str) -> Vec<Value> {
        let mut events = Vec::new();
        self.close_item("incomplete", &mut events);
        self.response["error"] = json!({ "code": code, "message": message });
        self.finish("failed");
        let response = self.response.clone();
        events.push(self.event("response.failed", json!({ "response": response })));
        events
    }

    fn finish(&mut self, status: &str) {
        self.response["status"] = json!(status);
        self.response["output"] = json!(self.output);
        if let Some(usage) = self.usage {
            self.response["usage"] = json!({
                "input_tokens": usage.prompt_tokens,
                "input_tokens_details": {
                    "cached_tokens": usage.prompt_tokens_details.map_or(0, |d| d.cached_tokens),
                },
                "output_tokens": usage.completion_tokens,
                "output_tokens_details": { "reasoning_tokens": 0 },
                "total_tokens": usage.prompt_tokens + usage.completion_tokens,
            });
        }
    }

    fn text(&mut self, delta: &str, events: &mut Vec<Value>) {
        if !matches!(self.item, Some(Item::Text { .. })) {
            self.close_item("completed", events);
            let item = Item::Text { id: fresh_id("msg"), text: String::new() };
            self.open_item(item, events);
        }
        let output_index = self.output.len();
        let Some(Item::Text { id, text }) = &mut self.item else { return };
        text.push_str(delta);
        let fields = json!({
            "item_id": id, "output_index": output_index, "content_index": 0, "delta": delta,
            "logprobs": [],
        });
        events.push(self.event("response.output_text.delta", fields));
    }

    fn call(&mut self, delta: &ToolCallDelta, events: &mut Vec<Value>) {
        let is_same = matches!(&self.item, Some(Item::Call { index, .. }) if *index == delta.index);
        if !is_same {
            self.close_item("completed", events);
            let item = Item::Call {
                id: fresh_id("fc"),
                index: delta.index,
                call_id: delta.id.clone().unwrap_or_else(|| fresh_id("call")),
                name: delta.function.name.clone().unwrap_or_default(),
                arguments: String::new(),
            };
            self.open_item(item, events);
        }
        let Some(more) = delta.function.arguments.as_deref().filter(|more| !more.is_empty()) else {
            return;
        };
        let output_index = self.output.len();
        let Some(Item::Call { id, arguments, .. }) = &mut self.item else { return };
        arguments.push_str(more);
        let fields = json!({ "item_id": id, "output_index": output_index, "delta": more });
        events.push(self.event("response.function_call_arguments.delta", fields));
    }

    fn open_item(&mut self, item: Item, events: &mut Vec<Value>) {
        let output_index = self.output.len();
        let fields = json!({ "output_index": output_index, "item": item.value("in_progress") });
        events.push(self.event("response.output_item.added", fields));
        if let Item::Text { id, .. } = &item {
            let fields = json!({
                "item_id": id, "output_index": output_index, "content_index": 0, "part": part(""),
            });
            events.push(self.event("response.content_part.added", fields));
        }
        self.item = Some(item);
    }

    fn close_item(&mut self, status: &str, events: &mut Vec<Value>) {
        let Some(item) = self.item.take() else { return };
        let output_index = self.output.len();
        match &item {
            Item::Text { id, text } => {
                let fields = json!({
                    "item_id": id, "output_index": output_index, "content_index": 0, "text": text,
                    "logprobs": [],
                });
                events.push(self.event("response.output_text.done", fields));
                let fields = json!({
                    "item_id": id, "output_index": output_index, "content_index": 0,
                    "part": part(text),
                });
                events.push(self.event("response.content_part.done", fields));
            }
            Item::Call { id, name, arguments, .. } => {
                let fields = json!({
                    "item_id": id, "output_index": output_index, "name": name,
                    "arguments": arguments,
                });
                events.push(self.event("response.function_call_arguments.done", fields));
            }
        }
        let value = item.value(status);
        let fields = json!({ "output_index": output_index, "item": value.clone() });
        events.push(self.event("response.output_item.done", fields));
        self.output.push(value);
    }

    fn event(&mut self, kind: &str, fields: Value) -> Value {
        let mut event = json!({ "type": kind, "sequence_number": self.n_events });
        self.n_events += 1;
        if let (Some(event), Value::Object(fields)) = (event.as_object_mut(), fields) {
            event.extend(fields);
        }
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(chunks: &[Value]) -> (Vec<String>, Value) {
        let request = json!({ "model": "m", "input": "x" });
        let mut fold = Fold::new(&serde_json::from_value(request).unwrap(), "m");
        let mut events = fold.begin();
        for chunk in chunks {
            events.extend(fold.chunk(&Chunk::read(chunk.to_string().as_bytes()).unwrap()));
        }
        events.extend(fold.end());
        for (event, i) in events.iter().zip(0..) {
            assert_eq!(event["sequence_number"], i, "{event}");
        }
        let kinds = events.iter().map(|event| event["type"].as_str().unwrap().to_owned());
        (kinds.collect(), fold.response().clone())
    }

    fn delta(delta: Value) -> Value {
        json!({ "choices": [{ "delta": delta, "finish_reason": null }] })
    }

    #[test]
    fn text_then_a_call_are_two_items() {
        let call = |arguments: &str, name: Option<&str>| {
            delta(json!({ "tool_calls": [
                { "index": 0, "id": name.map(|_| "c1"), "function": { "name": name, "arguments": arguments } },
            ] }))
        };
        let (kinds, response) = fold(&[
            delta(json!({ "role": "assistant", "content": "" })),
            delta(json!({ "content": "Let me " })),
            delta(json!({ "content": "see." })),
            call("", Some("f")),
            call("{\"a\":", None),
            call("1}", None),
            json!({ "choices": [{ "delta": {}, "finish_reason": "tool_calls" }] }),
            json!({ "choices": [], "usage": { "prompt_tokens": 3, "completion_tokens": 4 } }),
        ]);
        let kinds: Vec<&str> =
            kinds.iter().map(|kind| kind.strip_prefix("response.").unwrap()).collect();
        assert_eq!(
            kinds,
            [
                "created",
                "in_progress",
                "output_item.added",
                "content_part.added",
                "output_text.delta",
                "output_text.delta",
                "output_text.done",
                "content_part.done",
                "output_item.done",
                "output_item.added",
                "function_call_arguments.delta",
                "function_call_arguments.delta",
                "function_call_arguments.done",
                "output_item.done",
                "completed",
            ]
        );
        assert_eq!(response["output"][0]["content"][0]["text"], "Let me see.");
        assert_eq!(response["output"][1]["arguments"], "{\"a\":1}");
        assert_eq!(response["output"][1]["call_id"], "c1");
        assert_eq!(response["usage"]["total_tokens"], 7);
        assert_eq!(response["status"], "completed");
    }

    #[test]
    fn an_answer_that_was_cut_is_incomplete() {
        let cut =
            json!({ "choices": [{ "delta": { "content": "a" }, "finish_reason": "length" }] });
        let (kinds, response) = fold(&[cut]);
        assert_eq!(kinds.last().unwrap(), "response.incomplete");
        assert_eq!(response["incomplete_details"]["reason"], "max_output_tokens");
        assert_eq!(response["output"][0]["status"], "incomplete");
    }

    #[test]
    fn a_failure_keeps_what_stands() {
        let request = json!({ "model": "m", "input": "x" });
        let mut fold = Fold::new(&serde_json::from_value(request).unwrap(), "m");
        fold.chunk(&Chunk::read(delta(json!({ "content": "a" })).to_string().as_bytes()).unwrap());
        let events = fold.failed("timeout", "Too slow.");
        assert_eq!(events.last().unwrap()["response"]["error"]["code"], "timeout");
        assert_eq!(fold.response()["output"][0]["content"][0]["text"], "a");
    }
}
