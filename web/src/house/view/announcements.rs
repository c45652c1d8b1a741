//! What is announced, to whom, for how long? Written in Markdown, and shown as it will look.

use leptos::html;
use leptos::prelude::*;
use portico_people::rules::Groups;
use portico_people::texts::Text;
use portico_shared::error::ApiError;
use portico_web::markdown_dom::MarkdownDom;
use serde::Deserialize;
use serde_json::json;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;

use crate::api::{self, Anything};
use crate::parts::{self, Doing, Field, field, submit, sure};
use crate::state::{Asked, People};

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

pub fn announcements(people: People) -> impl IntoView {
    let known = RwSignal::new(Asked::Loading);
    let groups = RwSignal::new(Vec::<String>::new());
    // None: nothing is written. One without an id is new.
    let written = RwSignal::new(None::<Announcement>);
    let look = move || {
        spawn_local(async move {
            known.try_set(all().await.into());
        });
    };
    look();
    spawn_local(async move {
        // Without them one announces to everybody.
        if let Ok(Groups { groups: all }) = api::get::<Groups>("/api/groups").await {
            groups.try_set(all.into_iter().map(|group| group.name).collect());
        }
    });
    let done = move |text: Text| {
        written.set(None);
        people.say(text);
        look();
    };
    view! {
        <h2 class="library-title">{people.t(Text::Announcements)}</h2>
        <p class="muted">{people.t(Text::AnnouncementsLead)}</p>
        {move || match written.get() {
            Some(announcement) => form(people, announcement, groups, written, done).into_any(),
            None => view! {
                <div class="row">
                    <button type="button" class="button primary" on:click=move |_| {
                        written.set(Some(Announcement::default()));
                    }>{people.t(Text::NewAnnouncement)}</button>
                </div>
            }.into_any(),
        }}
        {move || match known.get() {
            Asked::Loading => parts::loading(people).into_any(),
            Asked::Failed(error) => parts::failed(people, error, look).into_any(),
            Asked::Loaded(all) if all.is_empty() => view! {
                <p class="hint" data-state="no-announcements">{people.t(Text::NoAnnouncements)}</p>
            }.into_any(),
            Asked::Loaded(all) => {
                let rows = all.into_iter().map(|one| row(people, one, written, done));
                view! { <ul class="doc-rows">{rows.collect_view()}</ul> }.into_any()
            }
        }}
    }
}

async fn all() -> Result<Vec<Announcement>, ApiError> {
    let all = api::get::<Announcements>("/api/announcements/all").await;
    all.map(|all| all.announcements)
}

fn row(
    people: People,
    announcement: Announcement,
    written: RwSignal<Option<Announcement>>,
    done: impl Fn(Text) + Copy + Send + Sync + 'static,
) -> impl IntoView {
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
    let (named, to_delete) = (title.clone(), title.clone());
    let change_label =
        move || Text::ChangeAnnouncement.fill(people.lang.get(), &[("title", &named)]);
    let delete_label = move || Text::DeleteNamed.fill(people.lang.get(), &[("title", &to_delete)]);
    let delete = move || {
        let path = format!("/api/announcements/{id}");
        let asked = async move { api::send::<Anything>("DELETE", &path, &json!({})).await };
        doing.run(asked, move |_| done(Text::Deleted));
    };
    let of_row = title.clone();
    view! {
        <li class="doc-row people-row" data-announcement=of_row>
            <span class="doc-name" dir="auto">{title}</span>
            <span class="doc-line" dir="auto">{line}</span>
            {doing.fault(people)}
            <span class="doc-actions">
                <button type="button" class="button quiet small" aria-label=change_label
                    on:click=move |_| written.set(Some(announcement.clone()))>{people.t(Text::Change)}</button>
                {sure(people, delete_label, Text::Delete, delete)}
            </span>
        </li>
    }
}

fn form(
    people: People,
    first: Announcement,
    all_groups: RwSignal<Vec<String>>,
    written: RwSignal<Option<Announcement>>,
    done: impl Fn(Text) + Copy + Send + Sync + 'static,
) -> impl IntoView {
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
        let asked = async move { api::send::<Anything>(method, &path, &body).await };
        doing.run(asked, move |_| done(Text::Saved));
    };
    let heading = move || match is_new {
        true => Text::NewAnnouncement.get(people.lang.get()).to_owned(),
        false => Text::ChangeAnnouncement.fill(people.lang.get(), &[("title", &first_title)]),
    };
    // Groups that are gone can still be taken away.
    let offered = move || {
        let mut all = all_groups.get();
        all.extend(
            groups.get().into_iter().filter(|group| !all_groups.with(|all| all.contains(group))),
        );
        all
    };
    let has_groups = move || !offered().is_empty();
    let boxes = move || {
        offered().into_iter().map(|group| {
        let (name, shown) = (group.clone(), group.clone());
        view! {
            <label class="switch">
                <input type="checkbox" prop:checked=move || groups.with(|groups| groups.contains(&group))
                    on:change:target=move |event| {
                        let is_chosen = event.target().checked();
                        groups.update(|groups| {
                            groups.retain(|other| *other != name);
                            if is_chosen {
                                groups.push(name.clone());
                            }
                        });
                    }/>
                <span dir="auto">{shown}</span>
            </label>
        }
    }).collect_view()
    };
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
                <fieldset class="people-boxes">
                    <legend>{people.t(Text::ForGroups)}</legend>
                    {boxes}
                </fieldset>
            </Show>
            {doing.fault(people)}
            <div class="row">
                {submit(people, doing, if is_new { Text::Announce } else { Text::Save })}
                <button type="button" class="button quiet"
                    on:click=move |_| written.set(None)>{people.t(Text::Cancel)}</button>
            </div>
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
