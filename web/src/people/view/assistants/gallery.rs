//! Which assistants are there for me?

use leptos::html;
use leptos::prelude::*;
use portico_page::assistants::{Assistant, NotRead, imported};
use portico_people::texts::Text;
use portico_shared::error::{ApiError, ErrorCode};
use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::editor::field_text;
use super::{GALLERY, Listed, NEW, kept, mark, whose};
use crate::api::{self, Anything};
use crate::parts::{Doing, sure};
use crate::state::People;

/// From this many on they can be searched.
const MANY: usize = 8;

pub fn gallery(
    people: People,
    listed: Listed,
    look: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let all = listed.assistants;
    let sought = RwSignal::new(String::new());
    let has_many = all.len() >= MANY;
    let is_empty = all.is_empty();
    let shown = move || {
        let sought = sought.get().trim().to_lowercase();
        let fits = |one: &&Assistant| {
            let definition = &one.definition;
            let text = format!("{} {}", definition.name, definition.description).to_lowercase();
            sought.is_empty() || text.contains(&sought)
        };
        let rows = all.iter().filter(fits).cloned().map(|one| row(people, one, look).into_any());
        rows.collect::<Vec<_>>()
    };
    view! {
        <p class="muted">{people.t(Text::AssistantsHint)}</p>
        <div class="row">
            <a class="button primary" href=format!("{GALLERY}/{NEW}")>{people.t(Text::AssistantNew)}</a>
            {import(people)}
        </div>
        {has_many.then(|| view! {
            <label class="people-field">
                <span>{people.t(Text::AssistantsFind)}</span>
                <input type="search" prop:value=move || sought.get()
                    on:input:target=move |event| sought.set(event.target().value())/>
            </label>
        })}
        {match is_empty {
            true => view! { <p class="notice" data-state="no-assistants">{people.t(Text::AssistantsNone)}</p> }.into_any(),
            false => view! { <ul class="doc-rows">{shown}</ul> }.into_any(),
        }}
    }
}

fn row(
    people: People,
    one: Assistant,
    look: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let id = one.id.to_string();
    let href = format!("{GALLERY}/{id}");
    let path = format!("/api/assistants/{id}");
    let name = one.definition.name.clone();
    let description = one.definition.description.clone();
    let (whose, sign, may_change) = (whose(people, &one), mark(&one), one.may_change);
    let named = |text: Text| {
        let name = name.clone();
        move || format!("{}: {name}", text.get(people.lang.get()))
    };
    let (chat, copied, delete) =
        (named(Text::AssistantChat), named(Text::AssistantCopy), named(Text::AssistantDelete));
    let copy_of = one.definition.clone();
    let doing = Doing::new();
    let remove = move || {
        let path = path.clone();
        let asked = async move { api::send::<Anything>("DELETE", &path, &json!({})).await };
        doing.run(asked, move |_| {
            people.say(Text::AssistantDeleted);
            look();
        });
    };
    let begins = one.clone();
    view! {
        <li class="doc-row people-row assistant-row" data-assistant=id>
            <span class="doc-name" dir="auto">{sign} " " <a href=href>{name.clone()}</a></span>
            <span class="doc-line" dir="auto">{description}</span>
            <span class="doc-line muted" dir="auto">{whose}</span>
            {doing.fault(people)}
            <span class="doc-actions">
                <button type="button" class="button small" aria-label=chat
                    on:click=move |_| kept::begin(people, &begins)>{people.t(Text::AssistantChat)}</button>
                <button type="button" class="button quiet small" aria-label=copied
                    on:click=move |_| kept::copy(people, &copy_of)>{people.t(Text::AssistantCopy)}</button>
                {may_change.then(|| sure(people, delete, Text::Delete, remove))}
            </span>
        </li>
    }
}

/// A file becomes a draft: it is saved by who has looked at it.
fn import(people: People) -> impl IntoView {
    let chooser = NodeRef::<html::Input>::new();
    let doing = Doing::new();
    let unread = RwSignal::new(None::<NotRead>);
    let chosen = move || {
        let Some(input) = chooser.get_untracked() else { return };
        let file = input.files().and_then(|files| files.get(0));
        // The same one can be chosen again.
        input.set_value("");
        let Some(file) = file else { return };
        unread.set(None);
        let read = async move {
            let text = JsFuture::from(file.text()).await;
            let failed = |_: JsValue| ApiError::new(ErrorCode::Internal);
            Ok(text.map_err(failed)?.as_string().unwrap_or_default())
        };
        doing.run(read, move |text: String| match imported(&text) {
            Ok(definition) => kept::copy(people, &definition),
            Err(why) => unread.set(Some(why)),
        });
    };
    let said = move || {
        let lang = people.lang.get();
        unread.get().map(|why| match why {
            NotRead::Other => Text::AssistantFileOther.get(lang).to_owned(),
            NotRead::Wrong(wrong) => {
                let reason = field_text(wrong.field).get(lang);
                Text::AssistantFileWrong.fill(lang, &[("reason", reason)])
            }
        })
    };
    view! {
        <input type="file" hidden=true node_ref=chooser accept=".json,application/json"
            data-choose="assistant" on:change=move |_| chosen()/>
        <button type="button" class="button" on:click=move |_| {
            if let Some(input) = chooser.get_untracked() {
                input.click();
            }
        }>{people.t(Text::AssistantImport)}</button>
        {move || said().map(|said| view! { <p class="doc-error" role="alert">{said}</p> })}
        {doing.fault(people)}
    }
}
