//! Under the composer: which collections of documents the next answer rests on.

use leptos::prelude::*;
use portico_library::address::ON_DEVICE;
use portico_page::i18n::Text;
use portico_page::route::Choice;

use super::choice::choice_menu;
use super::icons;
use crate::page::Page;
use crate::{assistants, documents, place};

/// The choice, where there are collections.
pub fn documents_choice(page: Page) -> impl IntoView {
    let chosen = Memo::new(move |_| documents::chosen(page, page.open.get()));
    let has_any = move || page.collections.with(|all| !all.is_empty());
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
            let brought = id.clone();
            let is_brought = move || assistants::brings(page, page.open.get(), &brought);
            let is_chosen = move || chosen.with(|chosen| chosen.iter().any(|one| one.id == collection.id));
            view! {
                <label>
                    <input type="checkbox" prop:checked=is_chosen disabled=is_brought on:change:target=move |event| {
                        documents::choose(page, page.open.get_untracked(), &id, event.target().checked());
                    }/>
                    {title} <span class="muted">{collection.n_documents}</span>
                </label>
            }
        }).collect_view().into_any()
    };
    let menu = move || {
        let (label, hint) = (page.t(Text::AskDocuments), page.t(Text::AskDocumentsHint));
        choice_menu("docs-choice", icons::DOCUMENT, label, hint, titles, boxes)
    };
    view! { <Show when=has_any>{menu()}</Show> }
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
