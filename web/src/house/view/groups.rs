//! Which groups are there?

use leptos::prelude::*;
use portico_page::format;
use portico_people::place::Place;
use portico_people::rules::{Group, Groups};
use portico_people::texts::Text;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;

use crate::api::{self, Anything};
use crate::parts::{self, Doing, Field, field, submit};
use crate::state::{Asked, People};

pub const NAME: Field = Field { text: Text::GroupName, kind: "text", autocomplete: "off" };

pub fn groups(people: People) -> impl IntoView {
    let known = RwSignal::new(Asked::Loading);
    let look = move || {
        spawn_local(async move {
            known.try_set(api::get::<Groups>("/api/groups").await.into());
        });
    };
    look();
    let name = RwSignal::new(String::new());
    let doing = Doing::new();
    let make = move || {
        let wanted = name.get_untracked().trim().to_owned();
        let body = json!({ "name": wanted });
        let asked = async move { api::send::<Anything>("POST", "/api/groups", &body).await };
        doing.run(asked, move |_| people.go(&Place::Group(wanted).hash()));
    };
    view! {
        <h2 class="library-title">{people.t(Text::Groups)}</h2>
        <p class="muted">{people.t(Text::GroupsLead)}</p>
        {move || match known.get() {
            Asked::Loading => parts::loading(people).into_any(),
            Asked::Failed(error) => parts::failed(people, error, look).into_any(),
            Asked::Loaded(Groups { groups }) if groups.is_empty() => view! {
                <p class="hint" data-state="no-groups">{people.t(Text::NoGroupsYet)}</p>
            }.into_any(),
            Asked::Loaded(Groups { groups }) => view! {
                <ul class="doc-rows">{groups.into_iter().map(|group| row(people, &group)).collect_view()}</ul>
            }.into_any(),
        }}
        <form class="card people-form" data-form="group" on:submit=move |event| {
            event.prevent_default();
            make();
        }>
            <h3>{people.t(Text::NewGroup)}</h3>
            {field(people, NAME, name)}
            {doing.fault(people)}
            <div class="row">{submit(people, doing, Text::MakeGroup)}</div>
        </form>
    }
}

fn row(people: People, group: &Group) -> impl IntoView + use<> {
    let (n_people, n_said) = (group.n_people, group.policy.n_said());
    let line = move || {
        let lang = people.lang.get();
        let members = match n_people {
            1 => Text::MembersOne.get(lang).to_owned(),
            n => Text::MembersMany.fill(lang, &[("n", &format::integer(lang, n))]),
        };
        let said = match n_said {
            0 => Text::RulesSaidNone.get(lang).to_owned(),
            1 => Text::RulesSaidOne.get(lang).to_owned(),
            n => Text::RulesSaidMany.fill(lang, &[("n", &n.to_string())]),
        };
        format!("{members} · {said}")
    };
    view! {
        <li class="doc-row" data-group=group.name.clone()>
            <a class="doc-name" dir="auto" href=Place::Group(group.name.clone()).hash()>{group.name.clone()}</a>
            <span class="doc-line">{line}</span>
        </li>
    }
}
