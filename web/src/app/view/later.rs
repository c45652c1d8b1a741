//! Where views stand that are a Wasm of their own: the documents (`web/src/library`), and the account and
//! the house's people (`web/src/people`). They are fetched when they are first opened and mounted for good,
//! so that uploads go on while a conversation is shown.

use leptos::html;
use leptos::prelude::*;
use portico_page::i18n::{self, Text};
use portico_page::title::hash_from_conversation;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::icons::{self, icon};
use crate::browser::js_error;
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

#[wasm_bindgen]
extern "C" {
    /// Of `web/js/start.js`.
    #[wasm_bindgen(js_name = loadViews, catch)]
    pub(super) async fn load_views(name: &str) -> Result<JsValue, JsValue>;

    /// Of the views' module, as the next one.
    pub(super) type Module;
    #[wasm_bindgen(method, catch)]
    fn mount(this: &Module, holder: &web_sys::HtmlElement, lang: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn speak(this: &Module, lang: &str) -> Result<(), JsValue>;
    /// Of `people`.
    #[wasm_bindgen(method, catch)]
    pub(super) fn prompts(
        this: &Module,
        holder: &web_sys::HtmlElement,
        input: &web_sys::HtmlTextAreaElement,
        lang: &str,
    ) -> Result<(), JsValue>;
}

/// How far the views are.
#[derive(Clone, PartialEq)]
enum State {
    Absent,
    Loading,
    Mounted,
    Failed(String),
}

pub fn views(page: Page, which: Views, shows: RwSignal<bool>) -> impl IntoView {
    let Views { name, main_id, title, failed, condition } = which;
    let holder = NodeRef::<html::Div>::new();
    let state = RwSignal::new(State::Absent);
    let views = StoredValue::new_local(None::<JsValue>);
    let load = move || {
        state.set(State::Loading);
        spawn_local(async move {
            let mounted = async {
                let loaded = load_views(name).await?;
                let Some(holder) = holder.get_untracked() else { return Err(JsValue::NULL) };
                let lang = i18n::code(page.lang.get_untracked());
                loaded.unchecked_ref::<Module>().mount(&holder, lang)?;
                Ok(loaded)
            };
            match mounted.await {
                Ok(loaded) => {
                    views.set_value(Some(loaded));
                    state.set(State::Mounted);
                }
                Err(error) => state.set(State::Failed(js_error(&error))),
            }
        });
    };
    Effect::new(move |_| {
        if shows.get() && state.get_untracked() == State::Absent {
            load();
        }
    });
    Effect::new(move |_| {
        let lang = i18n::code(page.lang.get());
        if let Some(views) = views.get_value()
            && let Err(error) = views.unchecked_ref::<Module>().speak(lang)
        {
            web_sys::console::error_1(&error);
        }
    });
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
                        <button type="button" class="button" on:click=move |_| load()>{page.t(Text::TryAgain)}</button>
                    </div>
                }.into_any(),
                State::Absent | State::Mounted => ().into_any(),
            }}
            <div class="library" node_ref=holder hidden=move || state.get() != State::Mounted></div>
        </main>
    }
}
