//! A message's versions side by side, and another one by a model that is chosen.

use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;
use portico_page::cite::marked;
use portico_page::i18n::Text;
use portico_page::route::Offer;
use portico_web::markdown_dom::MarkdownDom;
use uuid::Uuid;
use wasm_bindgen::JsCast;

use super::dialog::dialog;
use crate::answer;
use crate::log::{self, Item};
use crate::page::{Catalogue, Dialog, Page};
use crate::prefs;

pub fn versions_dialog(page: Page, message: Uuid) -> impl IntoView {
    let all = log::versions(message);
    // The one that is shown and the one before it, else the one behind.
    let at = all.iter().position(|item| item.id == message).unwrap_or(0);
    let first = at.saturating_sub(1);
    let pair: Vec<_> = all
        .iter()
        .enumerate()
        .skip(first)
        .take(2)
        .map(|(n, item)| version(page, n, all.len(), item.clone()).into_any())
        .collect();
    dialog(page, "versions", Text::CompareVersions, view! { <div class="versions">{pair}</div> })
}

fn version(page: Page, n: usize, total: usize, item: Arc<Item>) -> impl IntoView {
    let (id, content) = (item.id, item.content.clone());
    let node = NodeRef::<html::Div>::new();
    let name = content.portico.as_ref().map(|portico| page.model_name_now(&portico.model));
    Effect::new(move |_| {
        if let Some(container) = node.get() {
            let portico = content.portico.as_ref();
            let citations = portico.map(|portico| portico.citations.as_slice()).unwrap_or_default();
            let is_grounded = portico.is_some_and(|portico| portico.sources.is_some());
            let container = container.unchecked_into();
            let mut dom = MarkdownDom::new(container, page.lang.get_untracked(), is_grounded);
            dom.show(&marked(&content.text, citations));
        }
    });
    let (n, total) = ((n + 1).to_string(), total.to_string());
    view! {
        <section class="version">
            <h3>{move || Text::VersionOf.fill(page.lang.get(), &[("n", &n), ("total", &total)])}</h3>
            <p class="muted">{name}</p>
            <div class="answer" node_ref=node></div>
            <button type="button" class="button" on:click=move |_| {
                log::choose_branch(page, id);
                page.dialog.set(None);
            }>{page.t(Text::KeepThis)}</button>
        </section>
    }
}

/// The models that can answer, each with the places where it can.
pub fn answer_dialog(page: Page, message: Uuid) -> impl IntoView {
    let choose = move |model: String, on_server: bool| {
        let item = page.thread.with_untracked(|thread| thread.get(message).cloned());
        let parent = item.and_then(|item| item.parent);
        if let (Some(conversation), Some(parent), false) =
            (page.open.get_untracked(), parent, page.is_writing_now())
        {
            page.dialog.set(None);
            // The place is this answer's: the conversation keeps its own.
            let before = prefs::answer_settings(Some(conversation));
            let mut once = before.clone();
            let stays = log::stays_on_device(conversation);
            if !stays {
                once.place = Some(if on_server { "server" } else { "auto" }.to_owned());
                prefs::set_answer_settings(Some(conversation), &once);
            }
            answer::ask(page, conversation, parent, model);
            prefs::set_answer_settings(Some(conversation), &before);
        }
    };
    let on_device = move || {
        page.catalogue.with(|catalogue| match catalogue {
            Catalogue::Loaded { models, .. } => models
                .iter()
                .filter(|model| {
                    page.is_ready(&model.model.id)
                        || page.model_state(&model.model.id).is_some() && page.fit(model).runs()
                })
                .map(|model| model.model.id.clone())
                .collect(),
            _ => Vec::new(),
        })
    };
    let on_server = move || {
        let stays = page.open.get().is_some_and(log::stays_on_device);
        page.offer.with(|offer| match offer {
            Offer::Models(ids) if !stays => ids.clone(),
            _ => Vec::new(),
        })
    };
    let row = move |model: String, is_server: bool| {
        let name = page.model_name(&model);
        let place = if is_server { Text::PlaceServer } else { Text::PlaceDevice };
        view! {
            <button type="button" class="button wide" on:click=move |_| choose(model.clone(), is_server)>
                {name} " · " {page.t(place)}
            </button>
        }
    };
    let rows = move || {
        let mut rows: Vec<AnyView> =
            on_device().into_iter().map(|id| row(id, false).into_any()).collect();
        rows.extend(on_server().into_iter().map(|id| row(id, true).into_any()));
        if rows.is_empty() {
            rows.push(view! {
                <button type="button" class="button wide" on:click=move |_| page.dialog.set(Some(Dialog::Models))>
                    {page.t(Text::OtherModel)}
                </button>
            }.into_any());
        }
        rows
    };
    dialog(
        page,
        "answer-with",
        Text::AnswerWith,
        view! { <div class="settings-section">{rows}</div> },
    )
}
