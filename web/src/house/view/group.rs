//! One group: its rules, its name, and what they come to for somebody.

use futures_util::future::join;
use leptos::prelude::*;
use portico_people::audit::encoded;
use portico_people::place::Place;
use portico_people::rules::{Group, Groups, House};
use portico_people::texts::Text;
use portico_shared::error::ApiError;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;

use super::effect::{self, field_text};
use super::groups::NAME;
use super::rules_form::{Drafts, rules_form};
use crate::api::{self, Anything};
use crate::parts::{self, Doing, field, submit, sure};
use crate::state::{Asked, People};

async fn load() -> Result<(House, Vec<Group>), ApiError> {
    let (house, groups) =
        join(api::get::<House>("/api/policy"), api::get::<Groups>("/api/groups")).await;
    Ok((house?, groups?.groups))
}

pub fn group(people: People, name: String) -> impl IntoView {
    let known = RwSignal::new(Asked::Loading);
    let look = move || {
        spawn_local(async move {
            known.try_set(load().await.into());
        });
    };
    look();
    let title = name.clone();
    view! {
        <a class="back" href=Place::Groups.hash()>"‹ " {people.t(Text::Groups)}</a>
        <h2 class="library-title" dir="auto">{title}</h2>
        {move || match known.get() {
            Asked::Loading => parts::loading(people).into_any(),
            Asked::Failed(error) => parts::failed(people, error, look).into_any(),
            Asked::Loaded((house, groups)) => {
                match groups.iter().find(|group| group.name == name).cloned() {
                    Some(group) => shown(people, house, groups, group).into_any(),
                    None => view! { <p class="notice" data-state="no-group">{people.t(Text::GroupGone)}</p> }.into_any(),
                }
            }
        }}
    }
}

fn shown(people: People, house: House, groups: Vec<Group>, group: Group) -> impl IntoView {
    let drafts = Drafts::new(&group.policy);
    let name = StoredValue::new(group.name);
    let path = move || name.with_value(|name| format!("/api/groups/{}", encoded(name)));
    let doing = Doing::new();
    let unclear = RwSignal::new(None::<String>);
    let is_saved = RwSignal::new(false);
    let save = move || {
        is_saved.set(false);
        unclear.set(None);
        let rules = match untrack(|| drafts.rules()) {
            Ok(rules) => rules,
            Err(field) => {
                let lang = people.lang.get_untracked();
                let values = [("field", field_text(field).get(lang))];
                unclear.set(Some(Text::FieldUnclear.fill(lang, &values)));
                return;
            }
        };
        let (path, body) = (path(), json!({ "policy": rules }));
        let asked = async move { api::send::<Anything>("PATCH", &path, &body).await };
        doing.run(asked, move |_| {
            is_saved.set(true);
            people.session_changed();
        });
    };
    let would_be = move || {
        let rules = drafts.rules().ok()?;
        let mut groups = groups.clone();
        let own = name.get_value();
        groups.iter_mut().filter(|group| group.name == own).for_each(|group| {
            group.policy = rules.clone();
        });
        Some((house.clone(), groups))
    };
    view! {
        <form class="card people-form" data-form="group-rules" on:submit=move |event| {
            event.prevent_default();
            save();
        }>
            <h3>{people.t(Text::Rules)}</h3>
            {rules_form(people, drafts, Text::ChoiceGroupUnsaid)}
            {move || unclear.get().map(|said| view! { <p class="doc-error" role="alert">{said}</p> })}
            {doing.fault(people)}
            <Show when=move || is_saved.get()><p role="status">{people.t(Text::Saved)}</p></Show>
            <div class="row">{submit(people, doing, Text::Save)}</div>
        </form>
        {effect::preview(people, would_be)}
        {rename(people, name, path).into_any()}
    }
}

/// Another name, or none any more.
fn rename(
    people: People,
    name: StoredValue<String>,
    path: impl Fn() -> String + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let wanted = RwSignal::new(name.get_value());
    let doing = Doing::new();
    let rename = move || {
        let new = wanted.get_untracked().trim().to_owned();
        let (path, body) = (path(), json!({ "name": new }));
        let asked = async move { api::send::<Anything>("PATCH", &path, &body).await };
        doing.run(asked, move |_| people.go(&Place::Group(new).hash()));
    };
    let delete = move || {
        let path = path();
        let asked = async move { api::send::<Anything>("DELETE", &path, &json!({})).await };
        doing.run(asked, move |_| people.go(&Place::Groups.hash()));
    };
    let label = move || {
        name.with_value(|name| Text::DeleteGroup.fill(people.lang.get(), &[("name", name)]))
    };
    view! {
        <form class="card people-form" data-form="group-name" on:submit=move |event| {
            event.prevent_default();
            rename();
        }>
            {field(people, NAME, wanted)}
            {doing.fault(people)}
            <div class="row">
                {submit(people, doing, Text::RenameGroup)}
                {sure(people, label, Text::Delete, delete)}
            </div>
        </form>
    }
}
