//! Where views stand that are a Wasm of their own: the documents (`web/src/library`), and the account
//! (`web/src/people`). They are fetched when they are first opened and mounted for good,
//! so that uploads go on while a conversation is shown.

use leptos::prelude::*;
use portico_page::i18n::Text;
use portico_page::title::hash_from_conversation;

use super::icons::{self, icon};
use crate::later_views::{LaterViews, State};
use crate::page::Page;

/// Views of one Wasm.
#[derive(Clone, Copy)]
pub struct Views {
    /// Of their module.
    pub(super) name: &'static str,
    pub main_id: &'static str,
    /// What stands over them.
    title: fn(Page) -> Text,
    /// Says that they could not be loaded.
    failed: Text,
    /// By which a failure is known.
    condition: &'static str,
}

pub const LIBRARY: Views = Views {
    name: "library",
    main_id: "library-main",
    title: |_| Text::Documents,
    failed: Text::DocumentsFailed,
    condition: "library-failed",
};

pub const PEOPLE: Views = Views {
    name: "people",
    main_id: "people-main",
    title: |page| page.people_title.get(),
    failed: Text::AccountFailed,
    condition: "people-failed",
};

pub fn views(page: Page, which: Views, shows: RwSignal<bool>) -> impl IntoView {
    let Views { name, main_id, title, failed, condition } = which;
    let views = LaterViews::new(name, page.lang, move || shows.get());
    let LaterViews { holder, state, .. } = views;
    view! {
        <main class="main" id=main_id tabindex="-1" hidden=move || !shows.get()
            data-back=move || hash_from_conversation(page.open.get())>
            <header class="top-bar">
                <button type="button" class="icon-button only-narrow" aria-label=page.t(Text::OpenSidebar)
                    title=page.t(Text::OpenSidebar) aria-controls="sidebar"
                    aria-expanded=move || page.drawer.get().to_string()
                    on:click=move |_| page.drawer.set(true)>{icon(icons::MENU)}</button>
                <h1 class="chat-title">{move || title(page).get(page.lang.get())}</h1>
            </header>
            {move || match state.get() {
                State::Loading => view! {
                    <div class="library-wait" role="status">
                        <p class="muted">{page.t(Text::ViewsLoading)}</p>
                        <div class="skeleton" aria-hidden="true"><i></i><i></i><i></i></div>
                    </div>
                }.into_any(),
                State::Failed(why) => view! {
                    <div class="notice error" role="alert" data-condition=condition>
                        <p>{page.t(failed)}</p>
                        <details><summary>{page.t(Text::Details)}</summary><pre>{why}</pre></details>
                        <button type="button" class="button" on:click=move |_| views.load()>{page.t(Text::TryAgain)}</button>
                    </div>
                }.into_any(),
                State::Absent | State::Mounted => ().into_any(),
            }}
            <div class="library" node_ref=holder hidden=move || state.get() != State::Mounted></div>
        </main>
    }
}
