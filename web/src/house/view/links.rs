//! Which links can still be opened?

use leptos::prelude::*;
use portico_people::texts::Text;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;

use crate::api::{self, Anything, OpenLink, OpenLinks};
use crate::parts::{self, Doing, role_text, sure};
use crate::state::{Asked, People};

/// Asked for anew whenever `version` grows.
pub fn links(people: People, version: RwSignal<u32>) -> impl IntoView {
    let known = RwSignal::new(Asked::Loading);
    Effect::new(move |_| {
        version.track();
        spawn_local(async move {
            // The view may have gone.
            known.try_set(api::get::<OpenLinks>("/api/people/links").await.into());
        });
    });
    let doing = Doing::new();
    let withdraw = move |id: &str| {
        let path = format!("/api/people/links/{id}");
        let asked = async move { api::send::<Anything>("DELETE", &path, &json!({})).await };
        doing.run(asked, move |_| version.update(|version| *version += 1));
    };
    let row = move |link: OpenLink| {
        let OpenLink { id, kind, role, groups, note, expires_s } = link;
        let kind = match kind.as_str() {
            "admin" => Text::LinkOfAdmin,
            "reset" => Text::LinkOfReset,
            _ => Text::LinkOfInvite,
        };
        let of_row = id.clone();
        let whose = note.clone();
        let label = move || {
            let lang = people.lang.get();
            let name = match whose.is_empty() {
                true => Text::UnknownGuest.get(lang),
                false => whose.as_str(),
            };
            Text::WithdrawLink.fill(lang, &[("name", name)])
        };
        let line = move || {
            let lang = people.lang.get();
            let until = parts::date(lang, expires_s);
            let values = [("role", role_text(&role).get(lang)), ("date", until.as_str())];
            let groups = match groups.is_empty() {
                true => String::new(),
                false => format!(" · {}", groups.join(", ")),
            };
            format!("{}{groups}", Text::LinkFor.fill(lang, &values))
        };
        view! {
            <li class="doc-row people-row" data-link=of_row>
                <span class="doc-name" dir="auto">
                    {people.t(kind)} {(!note.is_empty()).then(|| format!(": {note}"))}
                </span>
                <span class="doc-line" dir="auto">{line}</span>
                <span class="doc-actions">{sure(people, label, Text::Withdraw, move || withdraw(&id))}</span>
            </li>
        }
    };
    move || match known.get() {
        // They stand below the people, who are awaited already.
        Asked::Loading => ().into_any(),
        Asked::Failed(error) => parts::fault(people, error).into_any(),
        Asked::Loaded(OpenLinks { links }) if links.is_empty() => ().into_any(),
        Asked::Loaded(OpenLinks { links }) => view! {
            <section class="card" aria-labelledby="people-links">
                <h3 id="people-links">{people.t(Text::OpenLinks)}</h3>
                <ul class="doc-rows">{links.into_iter().map(row).collect_view()}</ul>
                {doing.fault(people)}
            </section>
        }
        .into_any(),
    }
}
