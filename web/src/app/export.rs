//! Conversations as files that other programs read.

use leptos::prelude::*;
use portico_page::i18n::Text;
use portico_shared::openai::Role;
use portico_shared::sync::Attachment;
use serde_json::json;
use uuid::Uuid;
use wasm_bindgen_futures::spawn_local;

use crate::browser::{download, js_error};
use crate::log;
use crate::page::Page;

/// One Markdown file: a heading for each conversation, another for each message.
pub fn markdown(page: Page, only: Option<Uuid>) {
    let lang = page.lang.get_untracked();
    let mut out = String::new();
    for (_, title, _, thread) in log::everything(only) {
        let title = title.filter(|t| !t.is_empty()).unwrap_or(Text::Untitled.get(lang).to_owned());
        out.push_str(&format!("# {title}\n\n"));
        for item in &thread.items {
            let speaker = match (item.role, &item.content.portico) {
                (Role::User, _) => Text::You.get(lang).to_owned(),
                (_, Some(portico)) => page.model_name_now(&portico.model),
                _ => item.role_name().to_owned(),
            };
            out.push_str(&format!("## {speaker}\n\n{}\n\n", item.content.text));
            for Attachment { name, text, .. } in &item.content.attachments {
                let indented = text.lines().map(|line| format!("    {line}\n"));
                out.push_str(&format!("**{name}**\n\n{}\n", indented.collect::<String>()));
            }
        }
    }
    save(page, "portico.md", "text/markdown;charset=utf-8", &out);
}

/// One JSON file: conversations with their active branches in OpenAI's shape, for other programs, and with
/// all operations behind them, so that whoever imports it loses nothing.
pub fn json(page: Page, only: Option<Uuid>) {
    spawn_local(async move {
        let mut operations = match log::operations(only).await {
            Ok(operations) => operations,
            Err(error) => {
                page.save_error.set(Some(error.to_string()));
                return;
            }
        };
        let mut conversations = Vec::new();
        for (id, title, created_ms, thread) in log::everything(only) {
            let messages = thread.items.iter().map(|item| {
                json!({
                    "role": item.role_name(),
                    "content": item.content.text,
                    "attachments": item.content.attachments,
                    "model": item.content.portico.as_ref().map(|portico| &portico.model),
                })
            });
            let head = json!({
                "id": id, "title": title, "created_ms": created_ms,
                "messages": messages.collect::<Vec<_>>(),
            });
            let lines = operations.remove(&id).unwrap_or_default().join(",\n");
            // The operations as they lie in the log, without reading them once more.
            let head = head.to_string();
            let open = head.strip_suffix('}').unwrap_or(&head);
            conversations.push(format!("{open},\"operations\":[\n{lines}\n]}}"));
        }
        let all = conversations.join(",\n");
        save(
            page,
            "portico.json",
            "application/json",
            &format!("{{\"conversations\":[\n{all}\n]}}\n"),
        );
    });
}

fn save(page: Page, name: &str, mime: &str, text: &str) {
    if let Err(error) = download(name, mime, text) {
        page.save_error.set(Some(js_error(&error)));
    }
}
