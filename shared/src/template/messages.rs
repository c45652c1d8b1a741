//! What does a template see of a conversation? Dictionaries, as Hugging Face hands them over.

use minijinja::Value;
use minijinja::value::Serde;
use serde_json::{Map, json};

use crate::openai::{ChatMessage, Content, Role, Tool, ToolCall};

/// Messages as a template reads them: text content joined, `developer` called `system` (no template
/// knows the newer name), and the arguments of tool calls as values rather than as JSON in a string.
pub fn values_from_messages(messages: &[ChatMessage]) -> Value {
    let messages: Vec<serde_json::Value> = messages.iter().map(value_from_message).collect();
    Value::from(Serde(&messages))
}

fn value_from_message(message: &ChatMessage) -> serde_json::Value {
    let role = match message.role {
        Role::System | Role::Developer => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    };
    let tool_calls = message.tool_calls.as_deref().filter(|calls| !calls.is_empty());
    let mut fields = Map::new();
    fields.insert("role".to_owned(), json!(role));
    let content = match &message.content {
        Some(content) => json!(content.text()),
        // A call without words; anything else without content is an empty text.
        None if tool_calls.is_some() => serde_json::Value::Null,
        None => json!(""),
    };
    fields.insert("content".to_owned(), content);
    if let Some(name) = &message.name {
        fields.insert("name".to_owned(), json!(name));
    }
    if let Some(calls) = tool_calls {
        fields.insert("tool_calls".to_owned(), calls.iter().map(value_from_call).collect());
    }
    if let Some(id) = &message.tool_call_id {
        fields.insert("tool_call_id".to_owned(), json!(id));
    }
    serde_json::Value::Object(fields)
}

/// OpenAI's clients send `function.arguments` as JSON in a string, templates write a value's JSON.
fn value_from_call(call: &ToolCall) -> serde_json::Value {
    let text = &call.function.arguments;
    let arguments = serde_json::from_str(text)
        .ok()
        .filter(serde_json::Value::is_object)
        .unwrap_or_else(|| json!(text));
    json!({
        "id": call.id,
        "type": call.kind,
        "function": { "name": call.function.name, "arguments": arguments },
    })
}

/// For a template that knows nothing of tools: what is offered, called and answered, said in words.
/// It may know no system message either, so what is offered stands before the first word there is.
pub fn in_words(messages: &[ChatMessage], tools: &[Tool]) -> Vec<ChatMessage> {
    let mut messages: Vec<ChatMessage> = messages.iter().map(message_in_words).collect();
    if !tools.is_empty()
        && let Some(first) = messages.first_mut()
    {
        let offer = offer(tools);
        let said = first.content.as_ref().map(Content::text).unwrap_or_default();
        first.content = Some(Content::Text(format!("{offer}\n\n{said}").trim_end().to_owned()));
    }
    messages
}

fn offer(tools: &[Tool]) -> String {
    let mut offer = "You may call these functions:\n".to_owned();
    for tool in tools {
        offer.push_str(&format!("{}\n", tool.value()["function"]));
    }
    offer.push_str(
        "To call one, answer with one JSON object and nothing else: \
         {\"name\": \"<function>\", \"arguments\": {…}}. Its result will be told to you.",
    );
    offer
}

fn message_in_words(message: &ChatMessage) -> ChatMessage {
    let calls = message.tool_calls.as_deref().unwrap_or_default();
    let said = message.content.as_ref().map(Content::text);
    if message.role == Role::Tool {
        let said = said.unwrap_or_default();
        return ChatMessage::new(Role::User, format!("The function's result:\n{said}"));
    }
    if calls.is_empty() {
        return message.clone();
    }
    let mut lines: Vec<String> = said.into_iter().filter(|said| !said.is_empty()).collect();
    lines.extend(calls.iter().map(|call| {
        let call = &value_from_call(call)["function"];
        call.to_string()
    }));
    ChatMessage::new(message.role, lines.join("\n"))
}
