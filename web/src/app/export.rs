//! Conversations as files that other programs read.

use leptos::prelude::*;
use portico_page::i18n::Text;
use portico_shared::openai::Role;
use portico_shared::sync::Attachment;
use serde_json::json;

use crate::browser::{download, js_error};
use crate::log;
use crate::page::Page;

/// One Markdown file: a heading for each conversation, another for each message.
pub fn markdown(page: Page) {
    let lang = page.lang.get_untracked();
    let mut out = String::new();
    for (title, _, thread) in log::everything() {
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

/// One JSON file: conversations with their active branches, messages in OpenAI's shape.
pub fn json(page: Page) {
    let conversations: Vec<_> = log::everything()
        .into_iter()
        .map(|(title, created_ms, thread)| {
            let messages: Vec<_> = thread
                .items
                .iter()
                .map(|item| {
                    json!({
                        "role": item.role_name(),
                        "content": item.content.text,
                        "attachments": item.content.attachments,
                        "model": item.content.portico.as_ref().map(|portico| &portico.model),
                    })
                })
                .collect();
            json!({ "title": title, "created_ms": created_ms, "messages": messages })
        })
        .collect();
    let text = format!("{:#}\n", json!({ "conversations": conversations }));
    save(page, "portico.json", "application/json", &text);
}

fn save(page: Page, name: &str, mime: &str, text: &str) {
    if let Err(error) = download(name, mime, text) {
        page.save_error.set(Some(js_error(&error)));
    }
}
