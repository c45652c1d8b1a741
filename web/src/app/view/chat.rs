//! The open conversation: what is above its messages, they, and where one writes.

use leptos::prelude::*;
use portico_page::i18n::Text;
use portico_page::route::Route;

use super::icons::{self, icon};
use super::{assistant, banners, composer, home, messages, progress};
use crate::page::{Dialog, Page};
use crate::{attach, log, place};

pub fn chat(page: Page) -> impl IntoView {
    // Before the first message the box stands in the middle of what can be done.
    let is_home = Memo::new(move |_| {
        page.log_ready.get()
            && (page.open.get().is_none() || page.thread.with(|thread| thread.items.is_empty()))
    });
    view! {
        <main class="main" id="main" class:home=is_home hidden=move || !page.shows_chat()
            on:dragover=move |event| event.prevent_default()
            on:drop=move |event| {
                let files = attach::files_of(&attach::transfer_of(&event));
                if !files.is_empty() {
                    event.prevent_default();
                    attach::add(page, files);
                }
            }>
            {top_bar(page).into_any()}
            {banners::banners(page).into_any()}
            {assistant::assistant_notes(page).into_any()}
            {messages::messages(page).into_any()}
            {composer::composer(page).into_any()}
            <Show when=move || is_home.get()>{home::below(page)}</Show>
        </main>
    }
}

fn top_bar(page: Page) -> impl IntoView {
    let title = move || {
        page.log_version.track();
        let title = page.open.get().and_then(log::title).filter(|title| !title.is_empty());
        title.unwrap_or_else(|| Text::Untitled.get(page.lang.get()).to_owned())
    };
    let model = Memo::new(move |_| place::answering_model(page));
    let is_on_server = move || {
        model.with(|model| {
            let route = place::route_here(page, model.as_ref()?);
            Some(matches!(route, Route::Server { .. }))
        })
    };
    let state = move || {
        let chosen = model.get();
        chosen.and_then(|id| page.models.with(|models| models.get(&id).cloned()))
    };
    let model_name = move || match model.get() {
        Some(id) => page.model_name(&id),
        None => Text::NoModel.get(page.lang.get()).to_owned(),
    };
    let status = move || {
        let text = match is_on_server()? {
            true => Text::PlaceServer,
            false => progress::state_text(state().as_ref()),
        };
        Some(text.get(page.lang.get()))
    };
    let state_name = move || match is_on_server() {
        Some(true) => "server",
        _ => progress::state_name(state().as_ref()),
    };
    view! {
        <header class="top-bar">
            <button type="button" class="icon-button only-narrow" aria-label=page.t(Text::OpenSidebar)
                title=page.t(Text::OpenSidebar) aria-controls="sidebar"
                aria-expanded=move || page.drawer.get().to_string()
                on:click=move |_| page.drawer.set(true)>{icon(icons::MENU)}</button>
            <h1 class="chat-title">{title}</h1>
            {assistant::assistant_head(page).into_any()}
            <button type="button" class="model-button" aria-haspopup="dialog"
                data-model-state=state_name
                on:click=move |_| page.dialog.set(Some(Dialog::Models))>
                <span class="dot" aria-hidden="true"></span>
                <span class="visually-hidden">{page.t(Text::ChooseModel)} ": "</span>
                <span class="model-button-name">{model_name}</span>
                <span class="model-button-state">{status}</span>
            </button>
        </header>
    }
}
