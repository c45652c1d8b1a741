//! Under the composer: where the next answer is computed, and the choice of it.

use leptos::prelude::*;
use portico_page::i18n::Text;
use portico_page::route::{Choice, Offer, Route};

use super::assistant::assistant_choice;
use super::documents::{documents_choice, documents_note};
use super::tools::tools_choice;
use crate::page::Page;
use crate::place;

/// The choice, where there is one to make, and what follows from it.
pub fn place_line(page: Page, route: Memo<Option<(String, Route)>>) -> impl IntoView {
    let choice = Memo::new(move |_| place::choice(page, page.open.get()));
    let has_choice = move || {
        choice.get() != Choice::Auto || page.offer.with(|offer| matches!(offer, Offer::Models(_)))
    };
    let name = move || {
        route.with(|route| match route {
            Some((_, Route::Device { .. })) => "device",
            Some((_, Route::Server { .. })) => "server",
            Some((_, Route::Nowhere(_))) => "nowhere",
            None => "none",
        })
    };
    let text = move || {
        let lang = page.lang.get();
        route.with(|route| {
            let (model, route) = route.as_ref()?;
            let (text, model) = match route {
                Route::Device { .. } => (Text::NextOnDevice, model),
                Route::Server { model, instead: None } => (Text::NextOnServer, model),
                Route::Server { model, .. } => (Text::NextOnServerInstead, model),
                Route::Nowhere(blocked) => (blocked.text(), model),
            };
            Some(text.fill(lang, &[("model", &page.model_name(model))]))
        })
    };
    view! {
        <div class="place-line" data-route=name>
            <Show when=has_choice>
                <select class="place-choice" aria-label=page.t(Text::PlaceLabel)
                    on:change:target=move |event| {
                        if let Some(choice) = Choice::from_name(&event.target().value()) {
                            place::set_choice(page, page.open.get_untracked(), choice);
                        }
                    }>
                    {Choice::ALL.map(|each| view! {
                        <option value=each.name() selected=move || choice.get() == each>
                            {page.t(each.text())}
                        </option>
                    }).collect_view()}
                </select>
            </Show>
            {assistant_choice(page).into_any()}
            {documents_choice(page).into_any()}
            {tools_choice(page).into_any()}
            <span class="next-place" role="status"><span class="next-model">{text} " "</span> {documents_note(page)}</span>
        </div>
    }
}
