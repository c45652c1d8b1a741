//! Under the composer: which collections of documents the next answer rests on.

use leptos::html;
use leptos::prelude::*;
use portico_library::address::ON_DEVICE;
use portico_page::i18n::Text;
use portico_page::route::Choice;
use wasm_bindgen::JsCast;

use super::icons::{self, icon};
use crate::page::Page;
use crate::{documents, place};

/// The choice, where there are collections.
pub fn documents_choice(page: Page) -> impl IntoView {
    let chosen = Memo::new(move |_| documents::chosen(page, page.open.get()));
    let has_any = move || page.collections.with(|all| !all.is_empty());
    let node = NodeRef::<html::Details>::new();
    let close = move |focuses: bool| {
        if let Some(details) = node.get_untracked().filter(|details| details.open()) {
            details.set_open(false);
            if let Some(summary) = details.first_element_child().filter(|_| focuses) {
                summary.unchecked_into::<web_sys::HtmlElement>().focus().ok();
            }
        }
    };
    let titles = move || {
        let titles: Vec<_> = chosen
            .get()
            .into_iter()
            .map(|one| view! { <span class="chip">{one.title}</span> })
            .collect();
        match titles.is_empty() {
            true => view! { <span class="muted">{page.t(Text::DocumentsOff)}</span> }.into_any(),
            false => titles.into_any(),
        }
    };
    let boxes = move || {
        page.collections.get().into_iter().map(|collection| {
            let (id, title) = (collection.id.clone(), collection.title);
            let is_chosen = move || chosen.with(|chosen| chosen.iter().any(|one| one.id == collection.id));
            view! {
                <label>
                    <input type="checkbox" prop:checked=is_chosen on:change:target=move |event| {
                        documents::choose(page, page.open.get_untracked(), &id, event.target().checked());
                    }/>
                    {title} <span class="muted">{collection.n_documents}</span>
                </label>
            }
        }).collect_view()
    };
    view! {
        <Show when=has_any>
            <details class="docs-choice" node_ref=node
                on:keydown=move |event| if event.key() == "Escape" { close(true) }
                on:focusout=move |event: web_sys::FocusEvent| {
                    let to = event.related_target().and_then(|to| to.dyn_into::<web_sys::Node>().ok());
                    let stays = node.get_untracked().is_some_and(|node| node.contains(to.as_ref()));
                    if to.is_some() && !stays {
                        close(false);
                    }
                }>
                <summary>{icon(icons::DOCUMENT)} {page.t(Text::AskDocuments)} ": " {titles}</summary>
                <fieldset>
                    <legend>{page.t(Text::AskDocumentsHint)}</legend>
                    {boxes}
                </fieldset>
            </details>
        </Show>
    }
}

/// What leaves the device for it, or why nothing is searched.
pub fn documents_note(page: Page) -> impl IntoView {
    move || {
        let open = page.open.get();
        let chosen = documents::chosen(page, open);
        let has_own = chosen.iter().any(|one| one.id == ON_DEVICE);
        let has_others = chosen.iter().any(|one| one.id != ON_DEVICE);
        let text = match (has_own, has_others, place::choice(page, open)) {
            (_, true, Choice::Device) => Text::DocumentsStay,
            (true, false, Choice::Device) => Text::DocumentsOwn,
            (true, _, _) => Text::DocumentsOwnStay,
            (false, true, _) => Text::DocumentsSent,
            (false, false, _) => return None,
        };
        Some(view! { <span class="docs-note">{text.get(page.lang.get())}</span> })
    }
}
