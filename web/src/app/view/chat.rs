//! The open conversation: its messages, or what to do before there are any.

use leptos::html;
use leptos::prelude::*;
use portico_page::i18n::Text;
use portico_page::route::Route;
use uuid::Uuid;

use super::icons::{self, icon};
use super::{banners, composer, message, progress, welcome};
use crate::browser::{ResizeWatch, next_frame};
use crate::page::{Dialog, Page};
use crate::{attach, log, place};

/// Messages that are made at once when a conversation is opened; earlier ones follow on demand, so
/// that a long conversation opens as fast as a short one.
const WINDOW: usize = 24;

/// Nearer than this to the end, new text keeps the end in view.
const NEAR_END_PX: i32 = 96;

pub fn chat(page: Page) -> impl IntoView {
    view! {
        <main class="main" id="main" hidden=move || !page.shows_chat()
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
            {messages(page).into_any()}
            {composer::composer(page).into_any()}
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

fn messages(page: Page) -> impl IntoView {
    let scroller = NodeRef::<html::Section>::new();
    let column = NodeRef::<html::Div>::new();
    // Whether new text should keep the end in view.
    let follows = RwSignal::new(true);
    let shown = RwSignal::new(WINDOW);
    Effect::new(move |_| {
        page.open.track();
        shown.set(WINDOW);
        follows.set(true);
    });
    let ids = Memo::new(move |_| {
        page.thread.with(|thread| thread.items.iter().map(|item| item.id).collect::<Vec<Uuid>>())
    });
    let visible =
        Memo::new(move |_| ids.with(|ids| ids[ids.len().saturating_sub(shown.get())..].to_vec()));
    let to_end = move || {
        next_frame(move || {
            if let Some(scroller) = scroller.get_untracked() {
                scroller.set_scroll_top(scroller.scroll_height());
            }
        });
    };
    Effect::new(move |_| {
        ids.track();
        // Each frame in which the answer has grown.
        if let Some(message) = page.live_here() {
            page.live.with(|live| {
                if let Some(info) = live.get(&message) {
                    info.tick.track();
                }
            });
        }
        if follows.get_untracked() {
            to_end();
        }
    });
    // What was just sent is always shown.
    Effect::new(move |before: Option<usize>| {
        let count = ids.with(Vec::len);
        if before.is_some_and(|before| count > before) {
            follows.set(true);
            to_end();
        }
        count
    });
    // A turned phone, its keyboard, and messages whose real height comes late move the end too.
    let sizes = StoredValue::new_local(None);
    Effect::new(move |_| {
        if let (Some(scroller), Some(column)) = (scroller.get(), column.get()) {
            let watch = ResizeWatch::new(&[&scroller, &column], move || {
                if follows.get_untracked() {
                    to_end();
                }
            });
            sizes.set_value(watch.ok());
        }
    });
    let is_empty = Memo::new(move |_| ids.with(Vec::is_empty));
    let has_earlier = move || ids.with(Vec::len) > shown.get();
    view! {
        <section class="messages" node_ref=scroller tabindex="0" aria-label=page.t(Text::Conversation)
            on:scroll=move |_| {
                if let Some(node) = scroller.get_untracked() {
                    let below = node.scroll_height() - node.scroll_top() - node.client_height();
                    let near = below < NEAR_END_PX;
                    if follows.get_untracked() != near {
                        follows.set(near);
                    }
                }
            }>
            <div class="column" node_ref=column>
                {move || {
                    if is_empty.get() {
                        if page.log_ready.get() {
                            welcome::welcome(page).into_any()
                        } else {
                            view! { <div class="skeleton" aria-hidden="true"><i></i><i></i><i></i></div> }.into_any()
                        }
                    } else {
                        ().into_any()
                    }
                }}
                <Show when=has_earlier>
                    <button type="button" class="button quiet center-self" on:click=move |_| {
                        shown.update(|shown| *shown += WINDOW);
                    }>{page.t(Text::EarlierMessages)}</button>
                </Show>
                <For each=move || visible.get() key=|id| *id let:id>
                    {message::message(page, id).into_any()}
                </For>
            </div>
        </section>
        <div class="to-end-place">
            <Show when=move || !follows.get() && !is_empty.get()>
                <button type="button" class="icon-button to-end" aria-label=page.t(Text::ToNewest)
                    title=page.t(Text::ToNewest) on:click=move |_| {
                        follows.set(true);
                        to_end();
                    }>{icon(icons::DOWN)}</button>
            </Show>
        </div>
    }
}
