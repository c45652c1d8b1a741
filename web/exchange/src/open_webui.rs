//! Open WebUI's export: a list of chats, each with a tree of messages under `chat.history.messages`. Older
//! ones have no frame around the chat, or a list of messages instead of a tree.

use std::collections::BTreeSet;

use portico_shared::sync::StepState;
use serde_json::{Map, Value};

use crate::details::{self, Details, Part};
use crate::field::{array, string};
use crate::said::{Said, Step, link};
use crate::tree::{Node, Tree, ms_from_seconds};
use crate::{LeftOut, Read, Why};

/// Whether it is one of theirs.
pub fn is_theirs(value: &Value) -> bool {
    let chat = value.get("chat").unwrap_or(value);
    chat.pointer("/history/messages").is_some()
        || chat.get("messages").is_some_and(Value::is_array) && chat.get("models").is_some()
}

pub fn read(value: &Value) -> Result<Read, Why> {
    let chat = value.get("chat").unwrap_or(value);
    let text = |path: &str| value.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let flag = |path: &str| value.pointer(path).and_then(Value::as_bool).unwrap_or_default();
    let of_tree = chat.pointer("/history/messages").and_then(Value::as_object);
    let of_list = in_a_row(chat);
    let messages = of_tree.filter(|all| !all.is_empty()).unwrap_or(&of_list);
    let tags = [value.pointer("/meta/tags"), chat.get("tags")].into_iter().flatten();
    let tags = tags.filter_map(Value::as_array).flatten();
    let tags = tags.filter_map(|tag| tag.as_str().or_else(|| tag.get("name")?.as_str()));
    let seconds = value.get("created_at").or_else(|| chat.get("timestamp")).and_then(Value::as_f64);
    let mut tree = Tree {
        program: "open-webui",
        id: id(value, chat, messages).ok_or(Why::NoId)?,
        title: text("/title").or_else(|| text("/chat/title")),
        created_ms: ms_from_seconds(seconds),
        current: chat.pointer("/history/currentId").and_then(Value::as_str).map(str::to_owned),
        pinned: flag("/pinned"),
        archived: flag("/archived"),
        tags: tags.map(str::to_owned).collect::<BTreeSet<String>>().into_iter().collect(),
        ..Tree::default()
    };
    if value.get("folder_id").is_some_and(Value::is_string) {
        tree.left_out.insert(LeftOut::Folder);
    }
    let told = [chat.pointer("/params/system"), chat.get("system")].into_iter().flatten();
    if told.filter_map(Value::as_str).any(|told| !told.trim().is_empty()) {
        tree.left_out.insert(LeftOut::Instructions);
    }
    for (key, message) in messages {
        let parent = message.get("parentId").and_then(Value::as_str).map(str::to_owned);
        let ms = ms_from_seconds(message.get("timestamp").and_then(Value::as_f64));
        let said = said(message, &mut tree.left_out);
        tree.nodes.insert(key.clone(), Node { parent, said, ms });
    }
    // What was chosen for the whole chat, and goes with none of its messages.
    let (mut whole, mut of_whole) = (Said::default(), BTreeSet::new());
    files(chat, &mut whole, &mut of_whole);
    let said = || tree.nodes.values().filter_map(|node| node.said.as_ref());
    let goes_along =
        |name: &String| said().flat_map(|said| &said.files).any(|one| one.name == *name);
    let left: Vec<String> =
        whole.files.into_iter().map(|one| one.name).filter(|name| !goes_along(name)).collect();
    of_whole.retain(|left| !matches!(left, LeftOut::File(_)));
    of_whole.extend(left.into_iter().map(LeftOut::File));
    tree.left_out.extend(of_whole);
    tree.read()
}

/// Its own id; of a chat without a frame that of its first message, which no other has.
fn id(value: &Value, chat: &Value, messages: &Map<String, Value>) -> Option<String> {
    let of = |value: &Value| value.get("id").and_then(Value::as_str).map(str::to_owned);
    let own = of(value).filter(|id| !id.is_empty());
    let own = own.or_else(|| of(chat).filter(|id| !id.is_empty()));
    own.or_else(|| {
        let first = messages.iter().find(|(_, one)| one.get("parentId").is_none_or(Value::is_null));
        first.map(|(key, _)| key.clone()).filter(|key| key.len() >= 16)
    })
}

/// A list of messages as a tree, each behind the one before it.
fn in_a_row(chat: &Value) -> Map<String, Value> {
    let mut all = Map::new();
    let mut before = Value::Null;
    for (n, message) in
        chat.get("messages").and_then(Value::as_array).into_iter().flatten().enumerate()
    {
        let Some(mut message) = message.as_object().cloned() else { continue };
        let key = message.get("id").and_then(Value::as_str).map(str::to_owned);
        let key = key.unwrap_or_else(|| format!("message-{n:06}"));
        message.insert("parentId".to_owned(), before);
        before = key.clone().into();
        all.insert(key, message.into());
    }
    all
}

fn said(message: &Value, left_out: &mut BTreeSet<LeftOut>) -> Option<Said> {
    let role = string(message, "role");
    let text = match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => words(parts),
        Some(Value::Null) | None => String::new(),
        Some(_) => {
            left_out.insert(LeftOut::Content("content".to_owned()));
            String::new()
        }
    };
    if role == "system" {
        if !text.trim().is_empty() {
            left_out.insert(LeftOut::Instructions);
        }
        return None;
    }
    let mut said = Said { is_user: role == "user", ..Said::default() };
    let is_picture = |part: &Value| part.get("image_url").is_some();
    if array(message, "content").iter().any(is_picture) || !array(message, "images").is_empty() {
        said.missing_file("image", "image/*", 0, left_out);
    }
    if said.is_user {
        said.text = text;
    } else {
        searches(message, &mut said);
        let n_before = said.steps.len();
        let output = array(message, "output");
        said_by_output(output, &mut said);
        // Where what it put out has no words, they stand in the text.
        if said.text.is_empty() {
            said.steps.truncate(n_before);
            said_in_text(&text, &mut said);
        }
        executions(message, &mut said);
        sources(message, &mut said);
    }
    let error = message.get("error");
    let why = error.and_then(|error| error.as_str().or_else(|| error.get("content")?.as_str()));
    if let Some(why) = why.filter(|why| !why.trim().is_empty()) {
        let lines: Vec<String> = why.trim().lines().map(|line| format!("> {line}")).collect();
        said.say(&lines.join("\n"));
    }
    if message.get("merged").is_some_and(|merged| !string(merged, "content").is_empty()) {
        left_out.insert(LeftOut::Content("merged".to_owned()));
    }
    files(message, &mut said, left_out);
    Some(said)
}

/// The text of `[{"type": "text", "text": …}, …]`.
fn words(parts: &[Value]) -> String {
    let texts = parts.iter().map(|part| string(part, "text")).filter(|text| !text.is_empty());
    texts.collect::<Vec<_>>().join("\n\n")
}

/// The newer kind: a list of what an answer is made of.
fn said_by_output(output: &[Value], said: &mut Said) {
    for item in output {
        let text = || words(array(item, "content"));
        match string(item, "type") {
            "message" => said.say(&text()),
            "reasoning" => {
                let thought = [text(), words(array(item, "summary"))].join("\n");
                if !thought.trim().is_empty() {
                    said.step(Step::reasoning(&thought));
                }
            }
            "function_call" => {
                let id = string(item, "call_id");
                let is_its = |other: &&Value| {
                    string(other, "type") == "function_call_output"
                        && string(other, "call_id") == id
                };
                let result = output.iter().find(is_its).map(|one| match one.get("output") {
                    Some(Value::String(text)) => text.clone(),
                    _ => words(array(one, "output")),
                });
                said.step(Step::call(string(item, "name"), string(item, "arguments"), result));
            }
            "open_webui:code_interpreter" => {
                let result = item.get("output").map(|output| match output {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                });
                said.step(Step::call("code_interpreter", string(item, "code"), result));
            }
            _ => {}
        }
    }
}

/// The older kind: the same as blocks of HTML in the text.
fn said_in_text(text: &str, said: &mut Said) {
    for part in details::parts(text) {
        match part {
            Part::Words(words) => said.say(words),
            Part::Details(block) => {
                let kind = block.get("type").to_owned();
                match kind.as_str() {
                    "reasoning" => {
                        let lines = block.body.lines();
                        let lines: Vec<&str> =
                            lines.map(|line| line.strip_prefix("> ").unwrap_or(line)).collect();
                        said.step(Step::reasoning(&lines.join("\n")));
                    }
                    "tool_calls" => said.step(ended(&block, call(&block))),
                    "code_interpreter" => {
                        let output = Some(block.get("output")).filter(|output| !output.is_empty());
                        let output = output.map(json_text);
                        said.step(ended(&block, Step::call(&kind, &block.body, output)));
                    }
                    _ => {
                        let result = Some(block.body.clone()).filter(|body| !body.is_empty());
                        said.step(ended(&block, Step::call(&kind, "", result)));
                    }
                }
            }
        }
    }
}

fn call(block: &Details) -> Step {
    let result = Some(block.get("result")).filter(|result| !result.is_empty()).map(json_text);
    let result = result.or_else(|| Some(block.body.clone()).filter(|body| !body.is_empty()));
    let name = Some(block.get("name")).filter(|name| !name.is_empty()).unwrap_or("tool");
    Step::call(name, &json_text(block.get("arguments")), result)
}

fn ended(block: &Details, mut step: Step) -> Step {
    if block.get("done") == "false" {
        step.state = StepState::Stopped;
    }
    step
}

/// A text that was written as JSON once more; all else as it is.
fn json_text(text: &str) -> String {
    serde_json::from_str::<String>(text).unwrap_or_else(|_| text.to_owned())
}

/// What was searched for before the answer, and where.
fn searches(message: &Value, said: &mut Said) {
    for status in array(message, "statusHistory") {
        let mut asked =
            array(status, "queries").iter().filter_map(Value::as_str).collect::<Vec<_>>();
        asked.extend(Some(string(status, "query")).filter(|query| !query.is_empty()));
        let found = array(status, "urls").iter().chain(array(status, "items"));
        let found: Vec<&str> = found
            .map(|one| one.as_str().unwrap_or_else(|| string(one, "link")))
            .filter(|url| !url.is_empty())
            .collect();
        if !asked.is_empty() || !found.is_empty() {
            let result = (!found.is_empty()).then(|| found.join("\n"));
            said.step(Step::call(string(status, "action"), &asked.join("\n"), result));
        }
    }
}

fn executions(message: &Value, said: &mut Said) {
    for run in array(message, "code_executions") {
        let result = run.get("result");
        let came =
            result.map(|result| [string(result, "output"), string(result, "error")].concat());
        let mut step = Step::call("code_interpreter", string(run, "code"), came);
        if result.is_some_and(|result| !string(result, "error").is_empty()) {
            step.state = StepState::Failed;
        }
        said.step(step);
    }
}

/// What an answer rested on: numbered below it as it cites them, and the passages as a step.
fn sources(message: &Value, said: &mut Said) {
    let mut named: Vec<(String, String)> = Vec::new();
    let mut passages: Vec<String> = Vec::new();
    for source in array(message, "sources").iter().chain(array(message, "citations")) {
        let own = source.get("source").unwrap_or(&Value::Null);
        let metadata = array(source, "metadata");
        let documents = array(source, "document");
        for n in 0..documents.len().max(metadata.len()).max(1) {
            let about = metadata.get(n).unwrap_or(&Value::Null);
            let names = [string(about, "source"), string(own, "id"), string(own, "name")];
            let id = names.into_iter().find(|name| !name.is_empty()).unwrap_or("?");
            let titles = [string(about, "title"), string(about, "name"), string(own, "name"), id];
            let title = titles.into_iter().find(|name| !name.is_empty()).unwrap_or("?");
            let urls = [id, string(own, "url")];
            let url = urls.into_iter().find(|url| url.starts_with("http")).unwrap_or_default();
            let at = named.iter().position(|(known, _)| known == id).unwrap_or_else(|| {
                named.push((id.to_owned(), link(title, url)));
                named.len() - 1
            });
            if let Some(text) = documents.get(n).and_then(Value::as_str) {
                passages.push(format!("[{}] {title}\n{}", at + 1, text.trim()));
            }
        }
    }
    if !passages.is_empty() {
        said.step(Step::result("sources", passages.join("\n\n")));
    }
    let lines = named.iter().enumerate().map(|(n, (_, link))| format!("{}. {link}", n + 1));
    said.say(&lines.collect::<Vec<_>>().join("\n"));
}

/// Files that go with a message, with the text that was read of them where it stands in the export.
fn files(value: &Value, said: &mut Said, left_out: &mut BTreeSet<LeftOut>) {
    for entry in array(value, "files") {
        let file = entry.get("file").unwrap_or(entry);
        let names = [string(entry, "name"), string(file, "filename"), string(entry, "title")];
        let kind = string(entry, "type");
        let name = names.into_iter().find(|name| !name.is_empty());
        let name = name.unwrap_or(if kind.is_empty() { "?" } else { kind });
        if kind == "collection" {
            left_out.insert(LeftOut::Collection(name.to_owned()));
            continue;
        }
        let of = |path: &str| file.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let size = file.pointer("/meta/size").or_else(|| entry.get("size"));
        let size_bytes = size.and_then(Value::as_u64).unwrap_or_default();
        let media_type = match of("/meta/content_type") {
            "" if kind == "image" => "image/*",
            of_file => of_file,
        };
        let text = of("/data/content");
        if text.is_empty() {
            said.missing_file(name, media_type, size_bytes, left_out);
        } else {
            said.file(name, media_type, size_bytes, text.to_owned());
        }
    }
}
