//! A chat that somebody of the house shares, to be read.

use leptos::html;
use leptos::prelude::*;
use portico_people::texts::Text;
use portico_shared::openai::{Place, Role};
use portico_shared::share::{SharedMessage, Snapshot};
use portico_web::markdown_dom::MarkdownDom;
use wasm_bindgen_futures::spawn_local;

use super::for_person;
use crate::api;
use crate::parts::{self, Doing, dotted};
use crate::shares::{self, Shared};
use crate::state::{Asked, People};

pub fn shared(people: People, id: String) -> impl IntoView {
    for_person(people, move |_| read(people, id.clone()).into_any())
}

fn read(people: People, id: String) -> impl IntoView {
    let found = RwSignal::new(Asked::<Shared>::Loading);
    let look = move || {
        let path = format!("/api/shares/{}", js_sys::encode_uri_component(&id));
        spawn_local(async move {
            found.try_set(api::get::<Shared>(&path).await.into());
        });
    };
    look();
    let again = StoredValue::new(look);
    move || match found.get() {
        Asked::Loading => parts::loading(people).into_any(),
        Asked::Failed(error) => {
            parts::failed(people, error, move || again.with_value(|look| look())).into_any()
        }
        Asked::Loaded(shared) => chat(people, shared).into_any(),
    }
}

fn chat(people: People, shared: Shared) -> impl IntoView {
    let Shared { by, is_own, changed_s, snapshot } = shared;
    let doing = Doing::new();
    let stays = people.session.with_untracked(|session| match session {
        Asked::Loaded(session) => session.may.as_ref().is_none_or(|may| !may.chats_leave_device),
        _ => true,
    });
    let title = snapshot.title.clone();
    let (reader, kept) = (by.clone(), snapshot.clone());
    let go_on = move |_| {
        let snapshot = kept.clone();
        doing.run(async move { shares::adopt(&snapshot, stays).await }, move |id| {
            people.go(&format!("#/c/{id}"));
        });
    };
    view! {
        <header class="library-head">
            <h2 class="library-title" dir="auto" data-shared-title="">{move || match title.as_str() {
                "" => Text::ShareUntitled.get(people.lang.get()).to_owned(),
                title => title.to_owned(),
            }}</h2>
            <p class="muted">{move || {
                let lang = people.lang.get();
                let date = parts::date(lang, changed_s);
                match is_own {
                    true => Text::SharedByYou.fill(lang, &[("date", &date)]),
                    false => Text::SharedBy.fill(lang, &[("name", &by), ("date", &date)]),
                }
            }}</p>
        </header>
        {messages(people, snapshot, is_own.then(String::new).unwrap_or(reader))}
        {doing.fault(people)}
        <div class="row">
            <button type="button" class="button primary" disabled=move || doing.is_busy.get() on:click=go_on>
                {people.t(Text::ShareGoOn)}
            </button>
            {is_own.then(|| view! { <a class="button" href="#/share">{people.t(Text::ShareManage)}</a> })}
        </div>
        <p class="hint">{people.t(Text::ShareGoOnHint)}</p>
    }
}

/// As they are read. `by`: who asked; empty: who reads.
pub fn messages(people: People, snapshot: Snapshot, by: String) -> impl IntoView {
    let one = move |message: SharedMessage| match message.role {
        Role::User => question(people, message, by.clone()).into_any(),
        _ => answer(people, message).into_any(),
    };
    view! { <div class="shared-chat" data-shared="">{snapshot.messages.into_iter().map(one).collect_view()}</div> }
}

fn question(people: People, message: SharedMessage, by: String) -> impl IntoView {
    let SharedMessage { text, attachments, .. } = message;
    view! {
        <article class="message user" data-role="user">
            <h3 class="visually-hidden">{move || match by.as_str() {
                "" => Text::ShareYou.get(people.lang.get()).to_owned(),
                name => name.to_owned(),
            }}</h3>
            {names(people, Text::ShareFiles, attachments)}
            <div class="bubble" dir="auto">{text}</div>
        </article>
    }
}

fn answer(people: People, message: SharedMessage) -> impl IntoView {
    let SharedMessage { text, model, place, sources, tools, is_cut, .. } = message;
    let node = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if let Some(node) = node.get() {
            // Whoever wrote it: an address is seen before it is followed.
            MarkdownDom::new(node.into(), people.lang.get(), true).show(&text);
        }
    });
    let place = place.map(|place| match place {
        Place::Device => Text::ShareOnDevice,
        Place::Server => Text::ShareOnServer,
    });
    let sources = sources.into_iter().map(|source| format!("[{}] {}", source.n, source.name));
    view! {
        <article class="message assistant" data-role="assistant">
            <h3 class="visually-hidden">{people.t(Text::ShareAnswer)}</h3>
            <div class="answer" node_ref=node></div>
            {is_cut.then(|| view! { <p class="hint">{people.t(Text::ShareCut)}</p> })}
            {names(people, Text::ShareTools, tools)}
            {names(people, Text::ShareSources, sources.collect())}
            <p class="hint">{move || {
                let place = place.map(|place| place.get(people.lang.get()).to_owned());
                dotted([model.clone().unwrap_or_default(), place.unwrap_or_default()])
            }}</p>
        </article>
    }
}

fn names(people: People, text: Text, names: Vec<String>) -> impl IntoView {
    (!names.is_empty()).then(|| {
        view! {
            <p class="hint shared-names" dir="auto">{people.t(text)} " " {names.join(", ")}</p>
        }
    })
}
