//! ChatGPT's `conversations.json`: a list of conversations, each a tree of messages under `mapping`, whose
//! contents have kinds.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::tree::{Node, Said, Tree, ms_from_seconds};
use crate::{LeftOut, Read, Why};

/// Kinds that are the program talking to itself.
const SILENT: [&str; 4] =
    ["user_editable_context", "model_editable_context", "reasoning_recap", "system_message"];

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
    let is_hidden = message.pointer("/metadata/is_visually_hidden_from_conversation");
    if role == "system" || is_hidden.and_then(Value::as_bool).unwrap_or_default() {
        return None;
    }
    for name in
        message.pointer("/metadata/attachments").and_then(Value::as_array).into_iter().flatten()
    {
        if let Some(name) = name.get("name").and_then(Value::as_str) {
            left_out.insert(LeftOut::File(name.to_owned()));
        }
    }
    let text = content(message.get("content")?, left_out);
    Some(Said { is_user: role == "user", text })
}

fn content(content: &Value, left_out: &mut BTreeSet<LeftOut>) -> String {
    let field = |name: &str| content.get(name).and_then(Value::as_str).unwrap_or_default();
    match field("content_type") {
        "text" | "multimodal_text" => parts(content, left_out),
        "code" => {
            let language = Some(field("language")).filter(|language| *language != "unknown");
            fenced(language.unwrap_or_default(), field("text"))
        }
        "execution_output" | "system_error" => fenced("", field("text")),
        "tether_quote" => {
            let lines = field("text").lines().map(|line| format!("> {line}\n"));
            format!("{}> \n> {} {}", lines.collect::<String>(), field("title"), field("url"))
        }
        "tether_browsing_display" => fenced("", field("result")),
        kind if SILENT.contains(&kind) => String::new(),
        kind => {
            left_out.insert(LeftOut::Content(kind.to_owned()));
            String::new()
        }
    }
}

/// Texts, and what was spoken; of images and sounds an export has only the names.
fn parts(content: &Value, left_out: &mut BTreeSet<LeftOut>) -> String {
    let mut texts = Vec::new();
    for part in content.get("parts").and_then(Value::as_array).into_iter().flatten() {
        match part {
            Value::String(text) if !text.is_empty() => texts.push(text.as_str()),
            Value::Object(object) => {
                let kind = object.get("content_type").and_then(Value::as_str).unwrap_or("part");
                match object.get("text").and_then(Value::as_str) {
                    Some(text) => texts.push(text),
                    None => {
                        left_out.insert(LeftOut::Content(kind.to_owned()));
                    }
                }
            }
            _ => {}
        }
    }
    texts.join("\n\n")
}

/// A fence that the text does not hold.
fn fenced(language: &str, text: &str) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}{language}\n{}\n{fence}", text.trim_end_matches('\n'))
}
