//! How the house shows itself: its name, its colour, its logo.

use leptos::html;
use leptos::prelude::*;
use portico_page::format;
use portico_people::texts::Text;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;

use crate::api::{self, Look, Shades};
use crate::parts::{self, Doing, Field, field, submit};
use crate::state::{Asked, People};

const HOUSE_NAME: Field = Field { text: Text::HouseName, kind: "text", autocomplete: "off" };
/// What the choice of a colour begins with: Portico's own.
const ACCENT: &str = "#0d646d";
const PICTURES: &str = "image/png,image/jpeg,image/webp,image/svg+xml";

pub fn look(people: People) -> impl IntoView {
    let known = RwSignal::new(Asked::Loading);
    let ask = move || {
        spawn_local(async move {
            known.try_set(api::get::<Look>("/api/look").await.into());
        });
    };
    ask();
    view! {
        <h2 class="library-title">{people.t(Text::Look)}</h2>
        <p class="muted">{people.t(Text::LookLead)}</p>
        {move || match known.get() {
            Asked::Loading => parts::loading(people).into_any(),
            Asked::Failed(error) => parts::failed(people, error, ask).into_any(),
            Asked::Loaded(look) => {
                let shown = RwSignal::new(look);
                view! {
                    {form(people, shown)}
                    {logo(people, shown)}
                }
                .into_any()
            }
        }}
    }
}

fn form(people: People, shown: RwSignal<Look>) -> impl IntoView {
    let first = shown.get_untracked();
    let name = RwSignal::new(first.name.unwrap_or_default());
    let has_accent = RwSignal::new(first.accent.is_some());
    let accent = RwSignal::new(first.accent.unwrap_or_else(|| ACCENT.to_owned()));
    let doing = Doing::new();
    let is_saved = RwSignal::new(false);
    let save = move || {
        is_saved.set(false);
        let name = name.get_untracked();
        let accent = has_accent.get_untracked().then(|| accent.get_untracked());
        let body = json!({ "name": name.trim(), "accent": accent });
        let asked = async move { api::send::<Look>("PUT", "/api/look", &body).await };
        doing.run(asked, move |look| {
            shown.set(look);
            is_saved.set(true);
            shows_anew(people);
        });
    };
    view! {
        <form class="card people-form" data-form="look" on:submit=move |event| {
            event.prevent_default();
            save();
        }>
            {field(people, HOUSE_NAME, name)}
            <label class="switch">
                <input type="checkbox" prop:checked=move || has_accent.get()
                    on:change:target=move |event| has_accent.set(event.target().checked())/>
                <span>{people.t(Text::OwnAccent)}</span>
            </label>
            <Show when=move || has_accent.get()>
                <label class="people-field people-colour">
                    <span>{people.t(Text::Accent)}</span>
                    <input type="color" prop:value=move || accent.get()
                        on:input:target=move |event| accent.set(event.target().value())/>
                </label>
                <p class="hint">{people.t(Text::AccentHint)}</p>
            </Show>
            {move || shown.with(|look| look.themes.clone()).map(|themes| view! {
                <ul class="people-shades" data-shades="">
                    {shade(people, Text::AccentLight, themes.light)}
                    {shade(people, Text::AccentDark, themes.dark)}
                </ul>
            })}
            {doing.fault(people)}
            <Show when=move || is_saved.get()><p role="status">{people.t(Text::Saved)}</p></Show>
            <div class="row">{submit(people, doing, Text::Save)}</div>
        </form>
    }
}

/// What became of the colour in one theme, with a sample.
fn shade(people: People, text: Text, Shades { accent, ink, contrast }: Shades) -> impl IntoView {
    let (fill, colour) = (accent.clone(), accent);
    let said = move || {
        let lang = people.lang.get();
        let contrast = format::number(lang, contrast, 1);
        text.fill(lang, &[("colour", colour.as_str()), ("contrast", contrast.as_str())])
    };
    view! {
        <li>
            <svg class="people-shade" viewBox="0 0 48 24" aria-hidden="true">
                <rect width="48" height="24" rx="6" fill=fill></rect>
                <text x="24" y="17" text-anchor="middle" font-size="14" font-weight="700" fill=ink>"Aa"</text>
            </svg>
            <span>{said}</span>
        </li>
    }
}

fn logo(people: People, shown: RwSignal<Look>) -> impl IntoView {
    let chooser = NodeRef::<html::Input>::new();
    let doing = Doing::new();
    let takes = move |look: Look| {
        shown.set(look);
        people.say(Text::Saved);
        people.session_changed();
    };
    let chosen = move || {
        let Some(input) = chooser.get_untracked() else { return };
        let file = input.files().and_then(|files| files.get(0));
        // The same one can be chosen again.
        input.set_value("");
        if let Some(file) = file {
            let asked = async move { api::send_file::<Look>("PUT", "/api/look/logo", &file).await };
            doing.run(asked, takes);
        }
    };
    let remove = move || {
        let asked = async { api::send::<Look>("DELETE", "/api/look/logo", &json!({})).await };
        doing.run(asked, takes);
    };
    let address = move || shown.with(|look| look.logo.clone());
    view! {
        <section class="card people-form" data-form="logo">
            <h3>{people.t(Text::Logo)}</h3>
            <p class="hint">{people.t(Text::LogoHint)}</p>
            {move || address().map(|address| view! {
                <img class="people-logo" src=address alt=people.t(Text::LogoNow)/>
            })}
            <input type="file" hidden=true node_ref=chooser accept=PICTURES data-choose="logo"
                on:change=move |_| chosen()/>
            {doing.fault(people)}
            <div class="row">
                <button type="button" class="button" disabled=move || doing.is_busy.get()
                    on:click=move |_| {
                        if let Some(input) = chooser.get_untracked() {
                            input.click();
                        }
                    }>{people.t(Text::ChooseLogo)}</button>
                <Show when=move || address().is_some()>
                    <button type="button" class="button quiet" disabled=move || doing.is_busy.get()
                        on:click=move |_| remove()>{people.t(Text::RemoveLogo)}</button>
                </Show>
            </div>
        </section>
    }
}

/// The name comes with the session, the colour as a style sheet.
fn shows_anew(people: People) {
    people.session_changed();
    let document = web_sys::window().and_then(|window| window.document());
    let link = document
        .and_then(|document| document.query_selector("link[href^='/house.css']").ok().flatten());
    if let Some(link) = link {
        let address = format!("/house.css?{}", js_sys::Date::now());
        // A style sheet's address takes every text.
        link.set_attribute("href", &address).ok();
    }
}
