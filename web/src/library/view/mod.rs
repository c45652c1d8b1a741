//! The elements of the documents' views.

mod collection;
mod collections;
mod parts;
mod pdf;
pub mod search;
mod source;
mod uploads;

use leptos::prelude::*;
use portico_library::address::Address;
use portico_library::texts::Text;

use crate::state::Library;

/// All of it; empty while the page shows something else.
pub fn library(library: Library) -> impl IntoView {
    Effect::new(move |_| {
        if library.address.with(Option::is_some) && library.online.get() {
            library.load_collections();
        }
    });
    // A search that is typed on is the same view.
    let shown = Memo::new(move |before: Option<&Option<Address>>| {
        let address = library.address.get();
        match (before, &address) {
            (Some(Some(before)), Some(now)) if before.is_same_view(now) => Some(before.clone()),
            _ => address,
        }
    });
    view! {
        {move || shown.get().map(|address| view! {
            <nav class="library-tabs" aria-label=library.t(Text::Views)>
                {tab(library, &Address::Collections, Text::Documents)}
                {tab(library, &Address::Search(String::new()), Text::Search)}
            </nav>
            <Show when=move || !library.online.get()>
                <p class="banner" role="status" data-condition="library-offline">{library.t(Text::Offline)}</p>
            </Show>
            <div class="library-scroll" tabindex="-1" id="library-scroll">
                <div class="library-column">
                    {match address {
                        Address::Collections => collections::collections(library).into_any(),
                        Address::Collection(id) => collection::collection(library, id).into_any(),
                        Address::Document { id, passage } => source::source(library, id, passage).into_any(),
                        Address::Search(_) => search::search(library).into_any(),
                    }}
                </div>
            </div>
        })}
        {parts::confirm(library).into_any()}
        <div class="visually-hidden" aria-live="polite" aria-atomic="true">
            {move || library.announcement.get()}
        </div>
    }
}

fn tab(library: Library, address: &Address, text: Text) -> impl IntoView + use<> {
    let is_search = matches!(address, Address::Search(_));
    let is_here = move || {
        let shows_search = library.address.with(|at| matches!(at, Some(Address::Search(_))));
        (shows_search == is_search).then_some("page")
    };
    view! {
        <a class="library-tab" href=address.hash() aria-current=is_here>{library.t(text)}</a>
    }
}
