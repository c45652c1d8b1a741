//! API keys of one's own.

use leptos::prelude::*;
use portico_page::format;
use portico_people::texts::Text;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;

use crate::api::{self, Anything, Key, Keys, NewKey};
use crate::parts::{self, Doing, Field, dotted, field, once, submit, sure};
use crate::state::{Asked, People};

/// What a key can be for, as the server names it; the last for administrators, and only by name.
const SCOPES: [(&str, Text); 6] = [
    ("chat", Text::ScopeChat),
    ("embeddings", Text::ScopeEmbeddings),
    ("documents-read", Text::ScopeDocumentsRead),
    ("documents-write", Text::ScopeDocumentsWrite),
    ("sync", Text::ScopeSync),
    (PEOPLE, Text::ScopePeople),
];
const PEOPLE: &str = "people";
/// How long a key can hold; 0: for ever.
const DAYS: [u32; 4] = [0, 30, 90, 365];
const KEY_NAME: Field = Field { text: Text::KeyName, kind: "text", autocomplete: "off" };

pub fn keys(people: People, is_admin: bool) -> impl IntoView {
    let known = RwSignal::new(Asked::Loading);
    let look = move || {
        spawn_local(async move { known.set(api::get::<Keys>("/api/me/keys").await.into()) });
    };
    look();
    let (name, made) = (RwSignal::new(String::new()), RwSignal::new(None::<String>));
    let usual = SCOPES.iter().map(|(scope, _)| *scope).filter(|scope| *scope != PEOPLE);
    let scopes = RwSignal::new(usual.collect::<Vec<_>>());
    let days = RwSignal::new(DAYS[0]);
    let has_none = RwSignal::new(false);
    let doing = Doing::new();
    let make = move || {
        has_none.set(scopes.with_untracked(Vec::is_empty));
        if has_none.get_untracked() {
            return;
        }
        let mut body =
            json!({ "name": name.get_untracked().trim(), "scopes": scopes.get_untracked() });
        if days.get_untracked() > 0 {
            body["days"] = days.get_untracked().into();
        }
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
        let Key { id, name, last_used_s, expires_s, scopes, tokens_this_month, .. } = key;
        let of_row = id.clone();
        let label = name.clone();
        let used = move |lang| match last_used_s {
            Some(at_s) => Text::LastSeen.fill(lang, &[("date", &parts::date(lang, at_s))]),
            None => Text::NeverUsed.get(lang).to_owned(),
        };
        let line = move || {
            let lang = people.lang.get();
            let until = expires_s.map(|at_s| parts::date(lang, at_s));
            let until = until.map(|date| Text::KeyUntil.fill(lang, &[("date", &date)]));
            let tokens = format::integer(lang, tokens_this_month);
            let tokens =
                (tokens_this_month > 0).then(|| Text::KeyTokens.fill(lang, &[("n", &tokens)]));
            dotted([used(lang), until.unwrap_or_default(), tokens.unwrap_or_default()])
        };
        let allowed = move || {
            let lang = people.lang.get();
            let is_in = |scope: &str| match &scopes {
                Some(scopes) => scopes.iter().any(|known| known == scope),
                None => scope != PEOPLE,
            };
            let texts = SCOPES.iter().filter(|(scope, _)| is_in(scope));
            texts.map(|(_, text)| text.get(lang)).collect::<Vec<_>>().join(", ")
        };
        let label = move || Text::Revoke.fill(people.lang.get(), &[("name", &label)]);
        view! {
            <li class="doc-row" data-key=of_row>
                <span class="doc-name" dir="auto">{name}</span>
                <span class="doc-line">{allowed}</span>
                <span class="doc-line">{line}</span>
                <span class="doc-actions">{sure(people, label, Text::RevokeShort, move || revoke(id.clone()))}</span>
            </li>
        }
    };
    let offered = SCOPES.iter().filter(move |(scope, _)| is_admin || *scope != PEOPLE);
    let offered = offered.map(move |&(scope, text)| {
        view! {
            <label class="switch">
                <input type="checkbox" prop:checked=move || scopes.with(|scopes| scopes.contains(&scope))
                    on:change:target=move |event| {
                        let is_in = event.target().checked();
                        scopes.update(|scopes| {
                            scopes.retain(|known| *known != scope);
                            if is_in {
                                scopes.push(scope);
                            }
                        });
                    }/>
                <span>{people.t(text)}</span>
            </label>
        }
    });
    let lasts = move |n: u32| match n {
        0 => Text::KeyForEver.get(people.lang.get()).to_owned(),
        n => Text::KeyDays.fill(people.lang.get(), &[("n", &n.to_string())]),
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
                <fieldset class="people-boxes">
                    <legend>{people.t(Text::KeyScopes)}</legend>
                    {offered.collect_view()}
                </fieldset>
                <label class="people-field">
                    <span>{people.t(Text::KeyLasts)}</span>
                    <select on:change:target=move |event| days.set(event.target().value().parse().unwrap_or_default())>
                        {DAYS.map(|n| view! { <option value=n.to_string()>{move || lasts(n)}</option> }).into_iter().collect_view()}
                    </select>
                </label>
                <Show when=move || has_none.get()>
                    <p class="doc-error" role="alert">{people.t(Text::KeyNoScopes)}</p>
                </Show>
                {doing.fault(people)}
                <div class="row">{submit(people, doing, Text::MakeKey)}</div>
            </form>
        </section>
    }
}
