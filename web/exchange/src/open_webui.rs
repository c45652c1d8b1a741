//! Open WebUI's export: a list of chats, each with a tree of messages under `chat.history.messages`.

use serde_json::Value;

use crate::tree::{Node, Said, Tree, ms_from_seconds};
use crate::{LeftOut, Read, Why};

pub fn read(value: &Value) -> Result<Read, Why> {
    let text = |path: &str| value.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let flag = |path: &str| value.pointer(path).and_then(Value::as_bool).unwrap_or_default();
    let messages =
        value.pointer("/chat/history/messages").and_then(Value::as_object).ok_or(Why::Tree)?;
    let tags = value.pointer("/meta/tags").and_then(Value::as_array).into_iter().flatten();
    let mut tree = Tree {
        program: "open-webui",
        id: text("/id").filter(|id| !id.is_empty()).ok_or(Why::NoId)?,
        title: text("/title").or_else(|| text("/chat/title")),
        created_ms: ms_from_seconds(value.get("created_at").and_then(Value::as_f64)),
        current: text("/chat/history/currentId"),
        pinned: flag("/pinned"),
        archived: flag("/archived"),
        tags: tags.filter_map(Value::as_str).map(str::to_owned).collect(),
        ..Tree::default()
    };
    for (key, message) in messages {
        let parent = message.get("parentId").and_then(Value::as_str).map(str::to_owned);
        let ms = ms_from_seconds(message.get("timestamp").and_then(Value::as_f64));
        for file in message.get("files").and_then(Value::as_array).into_iter().flatten() {
            let name = file.get("name").or_else(|| file.get("type")).and_then(Value::as_str);
            tree.left_out.insert(LeftOut::File(name.unwrap_or("?").to_owned()));
        }
        let role = message.get("role").and_then(Value::as_str).unwrap_or_default();
        let said = match message.get("content") {
            Some(Value::String(text)) if role != "system" => {
                Some(Said { is_user: role == "user", text: text.clone() })
            }
            Some(Value::String(_) | Value::Null) | None => None,
            Some(_) => {
                tree.left_out.insert(LeftOut::Content("content".to_owned()));
                None
            }
        };
        tree.nodes.insert(key.clone(), Node { parent, said, ms });
    }
    tree.read()
}
