//! A prompt as it is written: for whom, what it is called, what it says and asks for.

use leptos::prelude::*;
use portico_people::prompt::{self, Prompt};
use portico_people::texts::Text;
use portico_shared::error::Lang;
use serde_json::json;

use super::{EVERYONE, Library};
use crate::parts::{Doing, Field, field};

const TITLE: Field = Field { text: Text::PromptTitle, kind: "text", autocomplete: "off" };
const DESCRIPTION: Field =
    Field { text: Text::PromptDescription, kind: "text", autocomplete: "off" };

/// What is written; without an id it is new.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    id: Option<String>,
    group: Option<String>,
    title: String,
    description: String,
    text: String,
}

impl Draft {
    pub fn of(prompt: &Prompt) -> Self {
        let Prompt { id, group, title, description, text, .. } = prompt.clone();
        Self { id: Some(id), group, title, description, text }
    }
}

pub fn edit(
    written: Library,
    draft: Draft,
    groups: RwSignal<Vec<String>>,
    is_admin: bool,
) -> impl IntoView {
    let people = written.people;
    let Draft { id, group, title: first_title, description, text } = draft;
    let title = RwSignal::new(first_title.clone());
    let description = RwSignal::new(description);
    let text = RwSignal::new(text);
    let group = RwSignal::new(group.unwrap_or_default());
    let doing = Doing::new();
    let is_new = id.is_none();
    let save = move || {
        let mut body = json!({
            "title": title.get_untracked(),
            "description": description.get_untracked(),
            "text": text.get_untracked(),
        });
        let (method, path) = match &id {
            Some(id) => ("PUT", format!("/api/prompts/{id}")),
            None => {
                let group = group.get_untracked();
                body["group"] = json!((!group.is_empty()).then_some(group));
                ("POST", "/api/prompts".to_owned())
            }
        };
        written.save(doing, method, path, body);
    };
    let heading = move || match is_new {
        true => Text::NewPrompt.get(people.lang.get()).to_owned(),
        false => Text::ChangePrompt.fill(people.lang.get(), &[("title", &first_title)]),
    };
    let asks = move || {
        let names: Vec<String> =
            text.with(|text| prompt::variables(text)).into_iter().map(|one| one.name).collect();
        let names = names.join(", ");
        (!names.is_empty()).then(|| Text::PromptAsks.fill(people.lang.get(), &[("names", &names)]))
    };
    let can_share = move || is_new && (is_admin || !groups.with(Vec::is_empty));
    view! {
        <form class="card people-form" data-form="prompt" on:submit=move |event| {
            event.prevent_default();
            save();
        }>
            <h3 dir="auto">{heading}</h3>
            <Show when=can_share>
                <label class="people-field">
                    <span>{people.t(Text::PromptFor)}</span>
                    <select on:change:target=move |event| group.set(event.target().value())>
                        <option value="">{people.t(Text::PromptForMe)}</option>
                        {is_admin.then(|| view! { <option value=EVERYONE>{people.t(Text::PromptForHouse)}</option> })}
                        {move || groups.get().into_iter().map(|group| {
                            let named = group.clone();
                            let said = move || Text::PromptForGroup.fill(people.lang.get(), &[("group", &named)]);
                            view! { <option value=group>{said}</option> }
                        }).collect_view()}
                    </select>
                </label>
            </Show>
            {field(people, TITLE, title)}
            {field(people, DESCRIPTION, description)}
            <label class="people-field">
                <span>{people.t(Text::PromptText)}</span>
                <textarea rows="8" dir="auto" aria-describedby="prompt-hint" prop:value=move || text.get()
                    on:input:target=move |event| text.set(event.target().value())></textarea>
            </label>
            <p class="hint" id="prompt-hint">{move || hint(people.lang.get())}</p>
            <p class="hint" role="status" data-asks="">{asks}</p>
            {doing.fault(people)}
            {written.buttons(doing, Text::Save)}
        </form>
    }
}

/// How variables are written, by examples in the language.
fn hint(lang: Lang) -> String {
    let [plain, given, choice] = match lang {
        Lang::En => ["{{name}}", "{{deadline = Friday}}", "{{tone: friendly | matter-of-fact}}"],
        Lang::De => ["{{Name}}", "{{Frist = Freitag}}", "{{Ton: freundlich | sachlich}}"],
    };
    Text::PromptTextHint.fill(lang, &[("plain", plain), ("given", given), ("choice", choice)])
}
