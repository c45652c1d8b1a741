//! Which prompts are there for this person, and what can be done with them?

mod edit;
pub mod picker;

use crate::people_views::written::Written;
use leptos::html;
use leptos::prelude::*;
use portico_people::prompt::{self, Prompt};
use portico_people::texts::Text;
use portico_shared::error::ApiError;
use serde::Deserialize;
use serde_json::json;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::{sign_in, with_session};
use crate::api::{self, Anything, Session};
use crate::parts::Doing;
use crate::state::{Asked, People};

/// The group of all.
pub const EVERYONE: &str = "everyone";

/// `GET /api/prompts`
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Prompts {
    prompts: Vec<Prompt>,
}

/// With `all` those of every group, for administrators.
async fn asked_for(all: bool) -> Result<Vec<Prompt>, ApiError> {
    let path = if all { "/api/prompts?all=true" } else { "/api/prompts" };
    api::get::<Prompts>(path).await.map(|known| known.prompts)
}

pub fn prompts(people: People) -> impl IntoView {
    with_session(people, move |session| {
        match &session.person {
        Some(_) => library(people, session).into_any(),
        None => view! {
            <p class="notice" data-condition="prompts-need-account">{people.t(Text::PromptsNeedAccount)}</p>
            {sign_in::sign_in(people, None)}
        }
        .into_any(),
    }
    })
}

type Library = Written<Prompt, edit::Draft>;

fn library(people: People, session: Session) -> impl IntoView {
    let person = session.person.unwrap_or_default();
    let is_admin = person.is_admin();
    let shares = session.may.is_some_and(|may| may.share_with_groups);
    let written = Library::new(people, move || asked_for(is_admin));
    // With whom somebody may share.
    let groups = RwSignal::new(if shares { person.groups } else { Vec::new() });
    if is_admin {
        spawn_local(async move {
            if let Ok(all) = api::group_names().await {
                groups.try_set(all);
            }
        });
    }
    view! {
        <h2 class="library-title">{people.t(Text::Prompts)}</h2>
        <p class="muted">{people.t(Text::PromptsLead)}</p>
        {written.form(Text::NewPrompt, move || files(written), move |draft| {
            edit::edit(written, draft, groups, is_admin)
        })}
        {written.list(("no-prompts", Text::NoPrompts), move |all| grouped(written, all))}
    }
}

/// One's own first, then the house's, then each group's.
fn grouped(written: Library, mut all: Vec<Prompt>) -> impl IntoView {
    let people = written.people;
    all.sort_by_key(|prompt| {
        let group = prompt.group.clone();
        (group.is_some(), group.as_deref() != Some(EVERYONE), group)
    });
    let sections = all.chunk_by(|one, other| one.group == other.group).map(|prompts| {
        let group = prompts[0].group.clone();
        let heading = move || of_whom(people, group.as_deref());
        let rows = prompts.iter().cloned().map(|prompt| row(written, prompt));
        view! {
            <section>
                <h3 dir="auto">{heading}</h3>
                <ul class="doc-rows">{rows.collect_view()}</ul>
            </section>
        }
    });
    sections.collect_view()
}

/// Whose a prompt is.
fn of_whom(people: People, group: Option<&str>) -> String {
    let lang = people.lang.get();
    match group {
        None => Text::PromptsOwn.get(lang).to_owned(),
        Some(EVERYONE) => Text::PromptsOfHouse.get(lang).to_owned(),
        Some(group) => Text::PromptsOfGroup.fill(lang, &[("group", group)]),
    }
}

fn row(written: Library, prompt: Prompt) -> impl IntoView {
    let people = written.people;
    let doing = Doing::new();
    let Prompt { id, title, description, text, may_change, .. } = prompt.clone();
    let actions = may_change.then(|| {
        let path = format!("/api/prompts/{id}");
        written.actions(doing, title.clone(), Text::ChangePrompt, path, edit::Draft::of(&prompt))
    });
    let of_row = title.clone();
    view! {
        <li class="doc-row people-row" data-prompt=of_row>
            <details class="people-prompt">
                <summary class="doc-name" dir="auto">{title}</summary>
                <pre dir="auto" tabindex="0">{text}</pre>
            </details>
            <span class="doc-line" dir="auto">{description}</span>
            {doing.fault(people)}
            {actions}
        </li>
    }
}

/// In from a file, and out into one.
fn files(written: Library) -> impl IntoView {
    let Library { people, known, .. } = written;
    let chooser = NodeRef::<html::Input>::new();
    let doing = Doing::new();
    let chosen = move || {
        let Some(input) = chooser.get_untracked() else { return };
        let file = input.files().and_then(|files| files.get(0));
        // The same one can be chosen again.
        input.set_value("");
        let Some(file) = file else { return };
        doing.run(import(file), move |read| {
            let Some((n, left)) = read else { return people.say(Text::PromptsNoList) };
            let lang = people.lang.get_untracked();
            let counts = [("n", n.to_string()), ("left", left.to_string())];
            let counts = counts.each_ref().map(|(name, n)| (*name, n.as_str()));
            people.say_this(Text::PromptsImported.fill(lang, &counts));
            written.look();
        });
    };
    let own = move || match known.get() {
        Asked::Loaded(all) => {
            all.into_iter().filter(|prompt| prompt.group.is_none()).collect::<Vec<_>>()
        }
        _ => Vec::new(),
    };
    view! {
        <input type="file" hidden=true node_ref=chooser accept=".json,application/json"
            data-choose="prompts" on:change=move |_| chosen()/>
        <button type="button" class="button" title=people.t(Text::ImportPromptsHint)
            disabled=move || doing.is_busy.get() on:click=move |_| {
                if let Some(input) = chooser.get_untracked() {
                    input.click();
                }
            }>{people.t(Text::ImportPrompts)}</button>
        <Show when=move || !own().is_empty()>
            <a class="button quiet" download="prompts.json" data-export="prompts"
                href=move || data_url(&prompt::exported(&own()))>{people.t(Text::ExportPrompts)}</a>
        </Show>
        {doing.fault(people)}
    }
}

/// A file's prompts become the person's own, one by one; how many, and how many could not be read. None
/// where it is no file of prompts.
async fn import(file: web_sys::File) -> Result<Option<(usize, usize)>, ApiError> {
    let read = JsFuture::from(file.text()).await;
    let text = read.ok().and_then(|text| text.as_string());
    let Ok((read, left)) = prompt::imported(&text.unwrap_or_default()) else { return Ok(None) };
    let n_read = read.len();
    for one in read {
        let body = json!({
            "title": cut(&one.title, 100), "description": cut(&one.description, 300), "text": one.text,
        });
        api::send::<Anything>("POST", "/api/prompts", &body).await?;
    }
    Ok(Some((n_read, left)))
}

/// One line, as the server takes it.
fn cut(text: &str, max_chars: usize) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(max_chars).collect()
}

fn data_url(json: &str) -> String {
    let encoded = js_sys::encode_uri_component(json);
    format!("data:application/json;charset=utf-8,{}", String::from(encoded))
}
