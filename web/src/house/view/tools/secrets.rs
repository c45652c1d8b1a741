//! What is shown to a server of tools with each request. The server keeps it and gives it to nobody: here
//! stand the names alone, and what is to be new.

use std::collections::BTreeMap;

use leptos::prelude::*;
use portico_people::texts::Text;

use crate::parts::{Field, field};
use crate::state::People;

const HEADER: Field = Field { text: Text::ToolServerHeader, kind: "text", autocomplete: "off" };
const VALUE: Field =
    Field { text: Text::ToolServerValue, kind: "password", autocomplete: "new-password" };
/// What most servers ask for.
const USUAL: &str = "Authorization";

#[derive(Clone, Copy)]
pub struct Secrets {
    kept: RwSignal<Vec<String>>,
    forgotten: RwSignal<Vec<String>>,
    name: RwSignal<String>,
    value: RwSignal<String>,
}

impl Secrets {
    pub fn new(kept: Vec<String>) -> Self {
        Self {
            kept: RwSignal::new(kept),
            forgotten: RwSignal::new(Vec::new()),
            name: RwSignal::new(USUAL.to_owned()),
            value: RwSignal::new(String::new()),
        }
    }

    /// A value, or none for one that goes; what is not named stays.
    pub fn changes(self) -> BTreeMap<String, Option<String>> {
        let forgotten = self.forgotten.get_untracked().into_iter();
        let mut changes: BTreeMap<_, _> = forgotten.map(|name| (name, None)).collect();
        let (name, value) = (self.name.get_untracked(), self.value.get_untracked());
        if !value.trim().is_empty() {
            changes.insert(name.trim().to_ascii_lowercase(), Some(value.trim().to_owned()));
        }
        changes
    }

    fn forget(self, name: &str) {
        self.kept.update(|kept| kept.retain(|one| one != name));
        self.forgotten.update(|forgotten| forgotten.push(name.to_owned()));
    }
}

pub fn secrets(people: People, secrets: Secrets) -> impl IntoView {
    let row = move |name: String| {
        let (of_label, of_line, of_row) = (name.clone(), name.clone(), name.clone());
        let label = move || Text::ToolServerForget.fill(people.lang.get(), &[("name", &of_label)]);
        let line = move || Text::ToolServerKept.fill(people.lang.get(), &[("name", &of_line)]);
        view! {
            <li class="row" data-secret=of_row>
                <span dir="auto">{line}</span>
                <button type="button" class="button quiet small" aria-label=label
                    on:click=move |_| secrets.forget(&name)>{people.t(Text::ToolServerForgetShort)}</button>
            </li>
        }
    };
    view! {
        <details class="people-inner">
            <summary>{people.t(Text::ToolServerSecret)}</summary>
            <p class="hint">{people.t(Text::ToolServerSecretHint)}</p>
            <ul class="people-secrets">{move || secrets.kept.get().into_iter().map(row).collect_view()}</ul>
            {field(people, HEADER, secrets.name)}
            {field(people, VALUE, secrets.value)}
        </details>
    }
}
