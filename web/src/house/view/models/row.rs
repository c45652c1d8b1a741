//! One model: what it is, where it may run, under which terms, and what can be done with it.

use leptos::prelude::*;
use portico_page::format;
use portico_people::models::{Model, OfJob, Presence};
use portico_people::texts::Text;
use portico_shared::catalogue::Kind;
use portico_shared::error::Lang;
use serde_json::json;

use super::Shown;
use crate::api::{self, Anything};
use crate::parts::{self, Doing, dotted, sure};

pub fn row(shown: Shown, model: Model, is_first: bool) -> impl IntoView {
    let people = shown.people;
    let (id, presence) = (model.id.clone(), model.presence.as_str());
    let of_badges = model.clone();
    let badges = move || {
        let lang = people.lang.get();
        let model = &of_badges;
        let kind = match model.kind {
            Kind::Chat => None,
            Kind::Embedding => Some(Text::KindEmbedder),
            Kind::Reranker => Some(Text::KindReranker),
        };
        let damaged = (model.presence == Presence::Damaged).then_some(Text::ModelDamaged);
        let first = is_first.then_some(Text::ModelFirst);
        let loaded = model.is_loaded.then_some(Text::ModelLoaded);
        let texts = [kind, damaged, first, loaded].into_iter().flatten();
        texts.map(|text| view! { <span class="badge">{text.get(lang)}</span> }).collect_view()
    };
    let of_line = model.clone();
    let line = move || {
        let (lang, model) = (people.lang.get(), &of_line);
        let size = format::bytes(lang, model.size_bytes);
        let memory = format::bytes(lang, model.memory_bytes);
        let part = (model.presence == Presence::Part).then(|| {
            Text::ModelPart.fill(lang, &[("bytes", &format::bytes(lang, model.part_bytes))])
        });
        let mut languages = model.languages.iter().take(6).cloned().collect::<Vec<_>>().join(", ");
        if model.languages.len() > 6 {
            languages.push_str(", …");
        }
        dotted([
            Text::ModelSizes.fill(lang, &[("size", &size), ("memory", &memory)]),
            model.quantisation.clone(),
            languages,
            part.unwrap_or_default(),
        ])
    };
    view! {
        <li class="doc-row people-row people-model" data-model=id data-presence=presence>
            <span class="doc-name" dir="auto">{model.name.clone()} " " {badges}</span>
            <span class="doc-line">{line}</span>
            {facts(shown, model.clone())}
            {actions(shown, model)}
        </li>
    }
}

fn facts(shown: Shown, model: Model) -> impl IntoView {
    let people = shown.people;
    let fact = move |text: Text, said: Box<dyn Fn(Lang) -> String + Send + Sync>| {
        view! {
            <div>
                <dt>{people.t(text)}</dt>
                <dd dir="auto">{move || said(people.lang.get())}</dd>
            </div>
        }
    };
    let Model { on_server, server_allowed, devices_allowed, collections, .. } = model.clone();
    let server = move |lang: Lang| match &on_server {
        Some(on_server) => on_server.said(lang),
        None => Text::ModelNotOnServer.get(lang).to_owned(),
    };
    let devices = model.devices_said();
    let rules = move |lang: Lang| {
        let (server, devices) = (server_allowed.said(lang), devices_allowed.said(lang));
        Text::ModelRulesSaid.fill(lang, &[("server", &server), ("devices", &devices)])
    };
    let searches = (!collections.is_empty())
        .then(|| fact(Text::ModelCollections, Box::new(move |_| collections.join(", "))));
    view! {
        <dl class="people-model-facts">
            {fact(Text::ModelServer, Box::new(server))}
            {fact(Text::ModelDevices, Box::new(move |lang| devices.get(lang).to_owned()))}
            {fact(Text::ModelRules, Box::new(rules))}
            {fact(Text::ModelTerms, Box::new(move |lang| terms(&model, lang)))}
            {searches}
        </dl>
    }
}

fn terms(model: &Model, lang: Lang) -> String {
    let licence = match model.licence_name() {
        "" => Text::ModelUnknownTerms.get(lang),
        name => name,
    };
    match &model.accepted {
        Some(accepted) if model.needs_acceptance => {
            let name = accepted.by.as_deref().unwrap_or_else(|| Text::TermsSomebody.get(lang));
            let date = parts::date(lang, accepted.at_s);
            Text::TermsAccepted.fill(lang, &[("licence", licence), ("name", name), ("date", &date)])
        }
        None if model.needs_acceptance => Text::TermsNeeded.fill(lang, &[("licence", licence)]),
        _ => licence.to_owned(),
    }
}

fn actions(shown: Shown, model: Model) -> impl IntoView {
    let people = shown.people;
    let doing = Doing::new();
    let asks = model.asks();
    let is_accepted = RwSignal::new(false);
    let Model { id, name, presence, .. } = model.clone();
    let begin = move |path: String, body: serde_json::Value| {
        let asked = async move { api::send::<OfJob>("POST", &path, &body).await };
        doing.run(asked, move |OfJob { job }| shown.follows(job));
    };
    let of_id = id.clone();
    let pull = move || {
        let body = json!({ "accept_licence": asks && is_accepted.get_untracked() });
        begin(format!("/api/models/{of_id}/pull"), body);
    };
    let of_id = id.clone();
    let verify = move || begin(format!("/api/models/{of_id}/verify"), json!({}));
    let remove = move || {
        let path = format!("/api/models/{id}");
        let asked = async move { api::send::<Anything>("DELETE", &path, &json!({})).await };
        doing.run(asked, move |_| shown.version.update(|version| *version += 1));
    };
    let labelled = move |text: Text| {
        let name = name.clone();
        move || text.fill(people.lang.get(), &[("name", &name)])
    };
    let text = match presence {
        Presence::Part => Text::PullOn,
        Presence::Damaged => Text::PullAgain,
        _ => Text::Pull,
    };
    let is_closed = move || shown.is_busy() || doing.is_busy.get();
    let can_pull = presence != Presence::Here && model.has_source;
    let can_check = matches!(presence, Presence::Here | Presence::Damaged);
    let url = model.licence.url.clone();
    let licence = model.licence_name().to_owned();
    let accept = move || {
        let licence = match licence.as_str() {
            "" => Text::ModelUnknownTerms.get(people.lang.get()).to_owned(),
            _ => licence.clone(),
        };
        Text::TermsAccept.fill(people.lang.get(), &[("licence", &licence)])
    };
    let terms = (can_pull && asks).then(|| view! {
        <div class="people-terms">
            {url.map(|url| view! {
                <a href=url target="_blank" rel="noopener noreferrer">{people.t(Text::TermsRead)}</a>
            })}
            <label class="switch">
                <input type="checkbox" prop:checked=move || is_accepted.get()
                    on:change:target=move |event| is_accepted.set(event.target().checked())/>
                <span>{accept}</span>
            </label>
        </div>
    });
    view! {
        {terms}
        <span class="row people-model-actions">
            {can_pull.then(|| view! {
                <button type="button" class="button" data-do="pull" aria-label=labelled(Text::PullModel)
                    disabled=move || is_closed() || asks && !is_accepted.get()
                    on:click=move |_| pull()>{people.t(text)}</button>
            })}
            {can_check.then(|| view! {
                <button type="button" class="button quiet small" data-do="verify" aria-label=labelled(Text::VerifyModel)
                    disabled=is_closed on:click=move |_| verify()>{people.t(Text::Verify)}</button>
                {sure(people, labelled(Text::RemoveModel), Text::Remove, remove)}
            })}
        </span>
        {doing.fault(people)}
    }
}
