//! API keys of one's own.

use leptos::prelude::*;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;

use super::parts::{self, Doing, Field, field, once, submit, sure};
use crate::api::{self, Anything, Key, Keys, NewKey};
use crate::state::{Asked, People};
use portico_people::texts::Text;

const KEY_NAME: Field = Field { text: Text::KeyName, kind: "text", autocomplete: "off" };

pub fn keys(people: People) -> impl IntoView {
    let known = RwSignal::new(Asked::Loading);
    let look = move || {
        spawn_local(async move { known.set(api::get::<Keys>("/api/me/keys").await.into()) });
    };
    look();
    let (name, made) = (RwSignal::new(String::new()), RwSignal::new(None::<String>));
    let doing = Doing::new();
    let make = move || {
        let body = json!({ "name": name.get_untracked().trim() });
        let asked = async move { api::send::<NewKey>("POST", "/api/me/keys", &body).await };
        doing.run(asked, move |key| {
            name.set(String::new());
            made.set(Some(key.secret));
            look();
        });
    };
    let revoke = move |id: String| {
        let path = format!("/api/me/keys/{id}");
        let asked = async move { api::send::<Anything>("DELETE", &path, &json!({})).await };
        doing.run(asked, move |_| look());
    };
    let row = move |key: Key| {
        let Key { id, name, last_used_s, .. } = key;
        let of_row = id.clone();
        let label = name.clone();
        let line = move || {
            let lang = people.lang.get();
            match last_used_s {
                Some(at_s) => Text::LastSeen.fill(lang, &[("date", &parts::date(lang, at_s))]),
                None => Text::NeverUsed.get(lang).to_owned(),
            }
        };
        let label = move || Text::Revoke.fill(people.lang.get(), &[("name", &label)]);
        view! {
            <li class="doc-row" data-key=of_row>
                <span class="doc-name" dir="auto">{name}</span>
                <span class="doc-line">{line}</span>
                <span class="doc-actions">{sure(people, label, Text::RevokeShort, move || revoke(id.clone()))}</span>
            </li>
        }
    };
    view! {
        <section class="card" aria-labelledby="people-keys">
            <h3 id="people-keys">{people.t(Text::Keys)}</h3>
            <p class="muted">{people.t(Text::KeysHint)}</p>
            {move || match known.get() {
                Asked::Loading => parts::loading(people).into_any(),
                Asked::Failed(error) => parts::failed(people, error, look).into_any(),
                Asked::Loaded(Keys { keys }) => {
                    let living: Vec<_> = keys.into_iter().filter(|key| key.revoked_s.is_none()).collect();
                    match living.is_empty() {
                        true => view! { <p class="muted">{people.t(Text::NoKeys)}</p> }.into_any(),
                        false => view! { <ul class="doc-rows">{living.into_iter().map(row).collect_view()}</ul> }.into_any(),
                    }
                }
            }}
            {move || made.get().map(|secret| {
                once(people, Text::KeyOnce.get(people.lang.get()).to_owned(), secret).into_any()
            })}
            <form class="people-form" data-form="key" on:submit=move |event| {
                event.prevent_default();
                make();
            }>
                {field(people, KEY_NAME, name)}
                {doing.fault(people)}
                <div class="row">{submit(people, doing, Text::MakeKey)}</div>
            </form>
        </section>
    }
}
