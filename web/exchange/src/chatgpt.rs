//! ChatGPT's `conversations.json`: a list of conversations, each a tree of messages under `mapping`, whose
//! contents have kinds.

use std::collections::BTreeSet;

use portico_shared::sync::StepState;
use serde_json::Value;

use crate::field::{array, string, whole};
use crate::said::{Said, Step, fenced};
use crate::tree::{Node, Tree, ms_from_seconds};
use crate::{LeftOut, Read, Why, cite};

/// Where a program keeps files that it wrote: gone with the conversation.
const SANDBOX: &str = "sandbox:/mnt/data/";

pub fn read(value: &Value) -> Result<Read, Why> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let id = text("conversation_id").or_else(|| text("id")).ok_or(Why::NoId)?;
    let mapping = value.get("mapping").and_then(Value::as_object).ok_or(Why::Tree)?;
    let mut tree = Tree {
        program: "chatgpt",
        id: id.to_owned(),
        title: text("title").map(str::to_owned),
        created_ms: ms_from_seconds(value.get("create_time").and_then(Value::as_f64)),
        current: text("current_node").map(str::to_owned),
        archived: value.get("is_archived").and_then(Value::as_bool).unwrap_or_default(),
        pinned: value.get("is_starred").and_then(Value::as_bool).unwrap_or_default(),
        ..Tree::default()
    };
    // A project's conversations name it by a number.
    let is_in_project = |name: &str| text(name).is_some_and(|id| id.starts_with("g-p-"));
    if is_in_project("conversation_template_id") || is_in_project("gizmo_id") {
        tree.left_out.insert(LeftOut::Folder);
    }
    for (key, node) in mapping {
        let message = node.get("message").filter(|message| message.is_object());
        let parent = node.get("parent").and_then(Value::as_str).map(str::to_owned);
        let ms =
            ms_from_seconds(message.and_then(|m| m.get("create_time")).and_then(Value::as_f64));
        let said = message.and_then(|message| said(message, &mut tree.left_out));
        tree.nodes.insert(key.clone(), Node { parent, said, ms });
    }
    tree.read()
}

fn said(message: &Value, left_out: &mut BTreeSet<LeftOut>) -> Option<Said> {
    let role = message.pointer("/author/role").and_then(Value::as_str)?;
    let content = message.get("content")?;
    let null = Value::Null;
    let metadata = message.get("metadata").unwrap_or(&null);
    if role == "system" {
        return None;
    }
    let kind = content.get("content_type").and_then(Value::as_str).unwrap_or("text");
    if kind == "user_editable_context" || kind == "model_editable_context" {
        let told = ["user_profile", "user_instructions", "model_set_context"];
        if told.iter().any(|name| !string(content, name).trim().is_empty()) {
            left_out.insert(LeftOut::Instructions);
        }
        return None;
    }
    let is_hidden = metadata.get("is_visually_hidden_from_conversation").and_then(Value::as_bool);
    if is_hidden.unwrap_or_default() {
        // What tools tell the model is no message.
        if role != "tool" && !plain(kind, content).trim().is_empty() {
            left_out.insert(LeftOut::Hidden);
        }
        return None;
    }
    let mut said = Said { is_user: role == "user", ..Said::default() };
    let name = message.pointer("/author/name").and_then(Value::as_str).unwrap_or("tool");
    let recipient = message.get("recipient").and_then(Value::as_str).unwrap_or("all");
    match kind {
        "thoughts" => {
            for thought in array(content, "thoughts") {
                let text = format!("{}\n{}", words(thought, "summary"), words(thought, "content"));
                if !text.trim().is_empty() {
                    said.step(Step::reasoning(&text));
                }
            }
        }
        "reasoning_recap" => {
            let recap = words(content, "content");
            if !recap.is_empty() {
                said.step(Step::reasoning(&recap));
            }
        }
        _ if role == "tool" => {
            let text = plain(kind, content);
            if !text.trim().is_empty() {
                let mut step = Step::result(name, text);
                if kind == "system_error" {
                    step.state = StepState::Failed;
                }
                said.step(step);
            }
        }
        _ if !said.is_user && recipient != "all" => call(recipient, kind, content, &mut said),
        "text" | "multimodal_text" => {
            let text = plain(kind, content);
            said.text = cite::with_sources(&text, metadata, left_out);
        }
        "code" => {
            let language = Some(string(content, "language")).filter(|name| *name != "unknown");
            said.text = fenced(language.unwrap_or_default(), string(content, "text"));
        }
        "execution_output" => said.text = fenced("", string(content, "text")),
        _ => said.text = plain(kind, content),
    }
    files(message, content, metadata, &mut said, left_out);
    if said.is_empty() && !is_blank(content) && kind != "thoughts" {
        left_out.insert(LeftOut::Content(kind.to_owned()));
    }
    Some(said)
}

/// What the model asked of a tool. A document that it writes beside the chat is what the person reads.
fn call(tool: &str, kind: &str, content: &Value, said: &mut Said) {
    let arguments = plain(kind, content);
    if arguments.trim().is_empty() {
        return;
    }
    let document: Option<Value> = tool
        .starts_with("canmore.create")
        .then(|| serde_json::from_str(&arguments).ok())
        .flatten()
        .filter(|document: &Value| !string(document, "content").is_empty());
    let Some(document) = document else {
        return said.step(Step::call(tool, &arguments, None));
    };
    let text = string(&document, "content");
    said.say(&format!("**{}**", string(&document, "name")));
    match string(&document, "type").strip_prefix("code/") {
        Some(language) => said.say(&fenced(language, text)),
        None => said.say(text),
    }
}

/// The words of a content, as they stand in it.
fn plain(kind: &str, content: &Value) -> String {
    let of = |names: &[&str]| {
        let all = names.iter().map(|name| words(content, name)).filter(|text| !text.is_empty());
        all.collect::<Vec<_>>().join("\n")
    };
    match kind {
        "text" | "multimodal_text" => {
            let parts = array(content, "parts").iter().map(|part| match part {
                Value::String(text) => text.clone(),
                // What was spoken; and documents of a canvas.
                _ => [words(part, "text"), words(part, "content")].concat(),
            });
            let texts: Vec<String> = parts.filter(|text| !text.is_empty()).collect();
            if texts.is_empty() { of(&["text"]) } else { texts.join("\n\n") }
        }
        "tether_quote" | "sonic_webpage" => of(&["title", "url", "text", "snippet"]),
        "tether_browsing_display" => of(&["summary", "result"]),
        "citable_code_output" => of(&["output_str"]),
        "system_error" => of(&["name", "text"]),
        "computer_output" => {
            let state = content.get("state").unwrap_or(&Value::Null);
            [words(state, "title"), words(state, "url")].join("\n").trim().to_owned()
        }
        // Of a kind that came later.
        _ => of(&["title", "url", "text", "parts", "result", "content"]),
    }
}

/// What went with a message, or came of it: exports have the names of it.
fn files(
    message: &Value,
    content: &Value,
    metadata: &Value,
    said: &mut Said,
    left_out: &mut BTreeSet<LeftOut>,
) {
    let mut known = BTreeSet::new();
    for file in array(metadata, "attachments") {
        let media_type = [string(file, "mime_type"), string(file, "mimeType")].concat();
        let size_bytes = whole(file, "size");
        known.insert(string(file, "id").to_owned());
        let name = [string(file, "name"), string(file, "id")];
        let name = name.into_iter().find(|name| !name.is_empty()).unwrap_or("?");
        said.missing_file(name, &media_type, size_bytes, left_out);
    }
    let drawn = metadata.pointer("/aggregate_result/messages").and_then(Value::as_array);
    let pictures = drawn.into_iter().flatten().map(|one| (string(one, "image_url"), 0));
    let screenshot = content.get("screenshot").into_iter();
    let pointers =
        array(content, "parts").iter().chain(screenshot).filter(|part| !is_recording(part));
    let pointers = pointers.map(|part| (string(part, "asset_pointer"), whole(part, "size_bytes")));
    for (pointer, size_bytes) in pointers.chain(pictures).filter(|(pointer, _)| !pointer.is_empty())
    {
        let id = pointer.split_once("://").map_or(pointer, |(_, id)| id);
        if !known.contains(id) {
            said.missing_file(id, "image/*", size_bytes, left_out);
        }
    }
    for part in array(content, "parts").iter().filter(|part| part.is_object()) {
        let says =
            ["text", "content", "asset_pointer"].iter().any(|name| !string(part, name).is_empty());
        if !says && !is_recording(part) && part.get("text").is_none() {
            left_out.insert(LeftOut::Content(string(part, "content_type").to_owned()));
        }
    }
    for recording in array(content, "parts").iter().filter(|part| is_recording(part)) {
        left_out.insert(LeftOut::Recording);
        // Where nobody wrote down what was spoken, something was said all the same.
        if said.is_empty() {
            let inner = recording.get("audio_asset_pointer").unwrap_or(recording);
            let pointer = string(inner, "asset_pointer");
            let id = pointer.split_once("://").map_or(pointer, |(_, id)| id);
            said.missing_file(if id.is_empty() { "audio" } else { id }, "audio/*", 0, left_out);
        }
    }
    if message.pointer("/author/role").and_then(Value::as_str) == Some("assistant") {
        for rest in said.text.split(SANDBOX).skip(1) {
            let end = rest.find([')', ']', '"', '`', ' ', '\n', ',']).unwrap_or(rest.len());
            left_out.insert(LeftOut::File(rest[..end].trim_end_matches('.').to_owned()));
        }
    }
}

fn is_recording(part: &Value) -> bool {
    let kind = string(part, "content_type");
    kind.contains("audio") && kind.ends_with("asset_pointer") || kind.contains("video")
}

/// A content in which nothing stands, as programs leave many behind.
fn is_blank(content: &Value) -> bool {
    let named = ["text", "parts", "result", "summary", "content", "title", "url", "snippet"];
    let nothing = |value: &Value| match value {
        Value::String(text) => text.trim().is_empty(),
        Value::Array(all) => {
            all.iter().all(|one| one.as_str().is_some_and(|s| s.trim().is_empty()))
        }
        _ => true,
    };
    let mut says = content.as_object().into_iter().flatten();
    // What has none of these fields says something in a way that is not known here.
    named.iter().any(|name| content.get(name).is_some())
        && says.all(|(name, value)| !named.contains(&name.as_str()) || nothing(value))
}

/// A text, or the texts of a list.
fn words(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(all)) => {
            let texts = all.iter().map(|one| one.as_str().unwrap_or_else(|| string(one, "text")));
            texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}
