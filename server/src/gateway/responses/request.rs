//! How does a request of the newer dialect read as a chat?

use portico_shared::error::ApiError;
use portico_shared::openai::{
    MessageItem, ResponsesInput, ResponsesItem, ResponsesRequest, ResponsesTool, Role, TextFormat,
    TypedItem,
};
use serde_json::{Map, Value, json};

use crate::gateway::body::invalid;

/// A streaming chat request's fields.
///
/// # Errors
/// `invalid_request` for what needs answers to be kept here, or the dialect has no word for.
pub fn chat_from_responses(request: &ResponsesRequest) -> Result<Map<String, Value>, ApiError> {
    for (field, value) in [
        ("previous_response_id", request.previous_response_id.is_some()),
        ("conversation", request.conversation.is_some()),
    ] {
        if value {
            let reason =
                format!("`{field}` is not kept here: send the whole conversation in `input`");
            return Err(invalid(Some(field), reason));
        }
    }
    if request.retrieval.is_some() {
        let reason = "`retrieval` is answered by /v1/chat/completions, with its citations";
        return Err(invalid(Some("retrieval"), reason));
    }
    let mut chat = Map::new();
    let mut set = |field: &str, value: Value| {
        if !value.is_null() {
            chat.insert(field.to_owned(), value);
        }
    };
    set("model", json!(request.model));
    set("messages", Value::Array(messages(request)));
    set("stream", true.into());
    set("stream_options", json!({ "include_usage": true }));
    set("max_completion_tokens", json!(request.max_output_tokens));
    set("temperature", json!(request.temperature));
    set("top_p", json!(request.top_p));
    set("seed", json!(request.seed));
    if !request.tools.is_empty() {
        set("tools", request.tools.iter().map(chat_tool).collect());
        set("tool_choice", request.tool_choice.as_ref().map_or(Value::Null, chat_choice));
        set("parallel_tool_calls", json!(request.parallel_tool_calls));
    }
    if let Some(format) = request.text.as_ref().and_then(|text| text.format.as_ref()) {
        set("response_format", chat_format(format));
    }
    Ok(chat)
}

fn messages(request: &ResponsesRequest) -> Vec<Value> {
    let mut messages = Vec::new();
    if let Some(instructions) = &request.instructions {
        messages.push(json!({ "role": Role::System, "content": instructions }));
    }
    match &request.input {
        ResponsesInput::Text(text) => messages.push(json!({ "role": Role::User, "content": text })),
        ResponsesInput::Items(items) => items.iter().for_each(|item| add(&mut messages, item)),
    }
    messages
}

fn add(messages: &mut Vec<Value>, item: &ResponsesItem) {
    match item {
        ResponsesItem::Message(message) | ResponsesItem::Typed(TypedItem::Message(message)) => {
            let MessageItem { role, content } = message;
            messages.push(json!({ "role": role, "content": content.text() }));
        }
        ResponsesItem::Typed(TypedItem::FunctionCall { call_id, name, arguments }) => {
            let call = json!({
                "id": call_id,
                "type": "function",
                "function": { "name": name, "arguments": arguments },
            });
            // Calls beside each other are one message's.
            match messages.last_mut().and_then(|last| last.get_mut("tool_calls")?.as_array_mut()) {
                Some(calls) => calls.push(call),
                None => messages.push(
                    json!({ "role": Role::Assistant, "content": null, "tool_calls": [call] }),
                ),
            }
        }
        ResponsesItem::Typed(TypedItem::FunctionCallOutput { call_id, output }) => {
            let content = output.text();
            messages
                .push(json!({ "role": Role::Tool, "tool_call_id": call_id, "content": content }));
        }
        ResponsesItem::Typed(TypedItem::Reasoning {}) => {}
    }
}

fn chat_tool(tool: &ResponsesTool) -> Value {
    let mut function = Map::new();
    function.insert("name".to_owned(), json!(tool.name));
    for (field, value) in [
        ("description", json!(tool.description)),
        ("parameters", json!(tool.parameters)),
        ("strict", json!(tool.strict)),
    ] {
        if !value.is_null() {
            function.insert(field.to_owned(), value);
        }
    }
    json!({ "type": "function", "function": function })
}

fn chat_choice(choice: &Value) -> Value {
    match choice.get("name") {
        Some(name) => json!({ "type": "function", "function": { "name": name } }),
        None => choice.clone(),
    }
}

fn chat_format(format: &TextFormat) -> Value {
    match format {
        TextFormat::Text => json!({ "type": "text" }),
        TextFormat::JsonObject => json!({ "type": "json_object" }),
        TextFormat::JsonSchema { name, schema, strict, .. } => json!({
            "type": "json_schema",
            "json_schema": { "name": name, "schema": schema, "strict": strict },
        }),
    }
}

#[cfg(test)]
mod tests {
    use portico_shared::openai::ChatCompletionRequest;

    use super::*;

    fn chat(json: Value) -> Result<ChatCompletionRequest, ApiError> {
        let request: ResponsesRequest = serde_json::from_value(json).unwrap();
        let fields = chat_from_responses(&request)?;
        Ok(serde_json::from_value(Value::Object(fields)).unwrap())
    }

    #[test]
    fn a_conversation_with_calls_reads_as_a_chat() {
        let request = chat(json!({
            "model": "m",
            "instructions": "Be brief.",
            "input": [
                { "role": "user", "content": [{ "type": "input_text", "text": "Weather?" }] },
                { "type": "reasoning", "id": "r", "summary": [] },
                { "type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}" },
                { "type": "function_call", "call_id": "c2", "name": "f", "arguments": "{}" },
                { "type": "function_call_output", "call_id": "c1", "output": "sun" },
                { "type": "message", "role": "assistant", "content": [{ "type": "output_text", "text": "Sun." }] },
            ],
            "tools": [{ "type": "function", "name": "f", "parameters": { "type": "object" }, "strict": true }],
            "tool_choice": { "type": "function", "name": "f" },
            "max_output_tokens": 5,
            "text": { "format": { "type": "json_schema", "name": "n", "schema": {}, "strict": true } },
        }));
        let request = request.unwrap();
        let roles: Vec<Role> = request.messages.iter().map(|message| message.role).collect();
        use Role::{Assistant, System, Tool, User};
        assert_eq!(roles, [System, User, Assistant, Tool, Assistant]);
        assert_eq!(request.messages[1].content.as_ref().unwrap().text(), "Weather?");
        assert_eq!(request.messages[2].tool_calls.as_ref().unwrap().len(), 2);
        assert_eq!(request.max_completion_tokens, Some(5));
        assert!(request.stream && request.response_format.is_some());
        assert_eq!(request.tools.unwrap()[0].name(), "f");
        assert!(request.tool_choice.is_some());
    }

    #[test]
    fn what_is_not_kept_is_refused() {
        let refused = chat(json!({ "model": "m", "input": "x", "previous_response_id": "resp_1" }));
        assert_eq!(refused.unwrap_err().params["param"], "previous_response_id");
        let sourced = chat(json!({ "model": "m", "input": "x", "retrieval": {} }));
        assert_eq!(sourced.unwrap_err().params["param"], "retrieval");
        assert_eq!(chat(json!({ "model": "m", "input": "x" })).unwrap().messages.len(), 1);
    }
}
