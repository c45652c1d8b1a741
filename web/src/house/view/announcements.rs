//! What is announced, to whom, for how long? Written in Markdown, and shown as it will look.

use crate::people_views::written::Written;
use leptos::html;
use leptos::prelude::*;
use portico_people::texts::Text;
use portico_shared::error::ApiError;
use portico_web::markdown_dom::MarkdownDom;
use serde::Deserialize;
use serde_json::json;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;

use crate::api;
use crate::parts::{self, Doing, Field, field, group_boxes};
use crate::state::People;

const TITLE: Field = Field { text: Text::AnnouncementTitle, kind: "text", autocomplete: "off" };
const FROM: Field =
    Field { text: Text::AnnouncementFrom, kind: "datetime-local", autocomplete: "off" };
const UNTIL: Field =
    Field { text: Text::AnnouncementUntil, kind: "datetime-local", autocomplete: "off" };

/// `GET /api/announcements/all`
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Announcements {
    announcements: Vec<Announcement>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
struct Announcement {
    id: String,
    title: String,
    text: String,
    from_s: Option<i64>,
    until_s: Option<i64>,
    #[serde(default)]
    groups: Vec<String>,
}

type Announced = Written<Announcement, Announcement>;

pub fn announcements(people: People) -> impl IntoView {
    let announced = Announced::new(people, all);
    let groups = RwSignal::new(Vec::<String>::new());
    spawn_local(async move {
        // Without them one announces to everybody.
        if let Ok(all) = api::group_names().await {
            groups.try_set(all);
        }
    });
    let rows = move |all: Vec<Announcement>| {
        let rows = all.into_iter().map(|one| row(announced, one)).collect_view();
        view! { <ul class="doc-rows">{rows}</ul> }
    };
    view! {
        <h2 class="library-title">{people.t(Text::Announcements)}</h2>
        <p class="muted">{people.t(Text::AnnouncementsLead)}</p>
        {announced.form(Text::NewAnnouncement, || (), move |one| form(announced, one, groups))}
        {announced.list(("no-announcements", Text::NoAnnouncements), rows)}
    }
}

async fn all() -> Result<Vec<Announcement>, ApiError> {
    let all = api::get::<Announcements>("/api/announcements/all").await;
    all.map(|all| all.announcements)
}

fn row(announced: Announced, announcement: Announcement) -> impl IntoView {
    let people = announced.people;
    let doing = Doing::new();
    let Announcement { id, title, from_s, until_s, groups, .. } = announcement.clone();
    let line = move || {
        let lang = people.lang.get();
        let now_s = (js_sys::Date::now() / 1_000.0) as i64;
        let at = |text: Text, at_s: i64| text.fill(lang, &[("at", &parts::date(lang, at_s))]);
        let state = match (from_s, until_s) {
            (_, Some(until_s)) if until_s <= now_s => Text::WasOn.get(lang).to_owned(),
            (Some(from_s), _) if from_s > now_s => at(Text::OnLater, from_s),
            (_, Some(until_s)) => {
                format!("{}, {}", Text::OnNow.get(lang), at(Text::OnUntil, until_s))
            }
            _ => Text::OnNow.get(lang).to_owned(),
        };
        let for_whom = match groups.is_empty() {
            true => Text::ForEveryone.get(lang).to_owned(),
            false => groups.join(", "),
        };
        parts::dotted([state, for_whom])
    };
    let path = format!("/api/announcements/{id}");
    let actions =
        announced.actions(doing, title.clone(), Text::ChangeAnnouncement, path, announcement);
    let of_row = title.clone();
    view! {
        <li class="doc-row people-row" data-announcement=of_row>
            <span class="doc-name" dir="auto">{title}</span>
            <span class="doc-line" dir="auto">{line}</span>
            {doing.fault(people)}
            {actions}
        </li>
    }
}

fn form(
    announced: Announced,
    first: Announcement,
    all_groups: RwSignal<Vec<String>>,
) -> impl IntoView {
    let people = announced.people;
    let Announcement { id, title: first_title, text, from_s, until_s, groups } = first;
    let title = RwSignal::new(first_title.clone());
    let text = RwSignal::new(text);
    let from = RwSignal::new(from_s.map(local).unwrap_or_default());
    let until = RwSignal::new(until_s.map(local).unwrap_or_default());
    let groups = RwSignal::new(groups);
    let doing = Doing::new();
    let is_new = id.is_empty();
    let save = move || {
        let body = json!({
            "title": title.get_untracked(),
            "text": text.get_untracked(),
            "from_s": seconds(&from.get_untracked()),
            "until_s": seconds(&until.get_untracked()),
            "groups": groups.get_untracked(),
        });
        let (method, path) = match is_new {
            true => ("POST", "/api/announcements".to_owned()),
            false => ("PUT", format!("/api/announcements/{id}")),
        };
        announced.save(doing, method, path, body);
    };
    let heading = move || match is_new {
        true => Text::NewAnnouncement.get(people.lang.get()).to_owned(),
        false => Text::ChangeAnnouncement.fill(people.lang.get(), &[("title", &first_title)]),
    };
    // Groups that are gone can still be taken away.
    let has_groups = move || !all_groups.with(Vec::is_empty) || !groups.with(Vec::is_empty);
    view! {
        <form class="card people-form" data-form="announcement" on:submit=move |event| {
            event.prevent_default();
            save();
        }>
            <h3>{heading}</h3>
            {field(people, TITLE, title)}
            <label class="people-field">
                <span>{people.t(Text::AnnouncementText)}</span>
                <textarea rows="8" dir="auto" prop:value=move || text.get()
                    on:input:target=move |event| text.set(event.target().value())></textarea>
            </label>
            {preview(people, text)}
            {field(people, FROM, from)}
            {field(people, UNTIL, until)}
            <Show when=has_groups>
                {group_boxes(people, Text::ForGroups, groups, move || all_groups.get())}
            </Show>
            {doing.fault(people)}
            {announced.buttons(doing, if is_new { Text::Announce } else { Text::Save })}
        </form>
    }
}

fn preview(people: People, text: RwSignal<String>) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        let (text, lang) = (text.get(), people.lang.get());
        if let Some(node) = node.get() {
            MarkdownDom::new(node.unchecked_into(), lang, true).show(&text);
        }
    });
    view! {
        <section class="people-preview" aria-label=people.t(Text::Preview)
            hidden=move || text.with(|text| text.trim().is_empty())>
            <h4 class="muted">{people.t(Text::Preview)}</h4>
            <div class="answer" dir="auto" node_ref=node></div>
        </section>
    }
}

/// As a field for a moment has it, in the device's own time.
fn local(at_s: i64) -> String {
    let date = js_sys::Date::new(&(at_s as f64 * 1_000.0).into());
    let shifted = date.get_time() - date.get_timezone_offset() * 60_000.0;
    let iso = js_sys::Date::new(&shifted.into()).to_iso_string();
    String::from(iso).chars().take(16).collect()
}

fn seconds(local: &str) -> Option<i64> {
    let ms = js_sys::Date::new(&local.into()).get_time();
    (!local.is_empty() && ms.is_finite()).then_some((ms / 1_000.0) as i64)
}
