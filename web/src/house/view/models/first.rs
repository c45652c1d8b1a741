//! Which model is offered first, and which makes the vectors of the first collection?

use leptos::prelude::*;
use portico_people::models::{Chosen, Listing, Model, Presence};
use portico_people::texts::Text;
use portico_shared::catalogue::Kind;
use serde_json::json;

use super::Shown;
use crate::api;
use crate::parts::Doing;

pub fn first(shown: Shown, listing: &Listing) -> impl IntoView + use<> {
    let people = shown.people;
    let of_kind = |kind: Kind| -> Vec<(String, String)> {
        let is_it = |model: &&Model| model.kind == kind && model.presence == Presence::Here;
        let found = listing.models.iter().filter(is_it);
        found.map(|model| (model.id.clone(), model.name.clone())).collect()
    };
    let (chats, embedders) = (of_kind(Kind::Chat), of_kind(Kind::Embedding));
    let is_configured = listing.embedder_is_configured;
    let chat = RwSignal::new(listing.chosen.chat.clone().unwrap_or_default());
    let embedder = RwSignal::new(listing.chosen.embedder.clone().unwrap_or_default());
    let doing = Doing::new();
    let save = move || {
        let said = |id: String| (!id.is_empty()).then_some(id);
        let body = json!({
            "chat": said(chat.get_untracked()),
            "embedder": said(embedder.get_untracked()),
        });
        let asked = async move { api::send::<Chosen>("PUT", "/api/models/defaults", &body).await };
        doing.run(asked, move |_| {
            people.say(Text::Saved);
            shown.version.update(|version| *version += 1);
        });
    };
    let choice = move |text: Text, value: RwSignal<String>, all: Vec<(String, String)>| {
        let option = move |(id, name): (String, String)| {
            let is_chosen = value.get_untracked() == id;
            view! { <option value=id selected=is_chosen>{name}</option> }
        };
        view! {
            <label class="people-field">
                <span>{people.t(text)}</span>
                <select on:change:target=move |event| {
                    value.set(event.target().value());
                    save();
                }>
                    <option value="">{people.t(Text::FirstUsual)}</option>
                    {all.into_iter().map(option).collect_view()}
                </select>
            </label>
        }
    };
    let embedding = match is_configured {
        true => view! { <p class="hint">{people.t(Text::FirstEmbedderFixed)}</p> }.into_any(),
        false => view! {
            {choice(Text::FirstEmbedder, embedder, embedders)}
            <p class="hint">{people.t(Text::FirstEmbedderHint)}</p>
        }
        .into_any(),
    };
    (!chats.is_empty()).then(|| view! {
        <section class="card people-form" data-form="first-models" aria-labelledby="models-first">
            <h3 id="models-first">{people.t(Text::FirstModels)}</h3>
            {choice(Text::FirstChat, chat, chats)}
            {embedding}
            {doing.fault(people)}
        </section>
    })
}
