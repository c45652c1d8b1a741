//! Under the box of a conversation that has not begun: documents to ask, what is announced, what can be
//! done, and what was talked about last.

use leptos::html;
use leptos::prelude::*;
use portico_page::assistants::Standing;
use portico_page::fit::Fit;
use portico_page::format;
use portico_page::i18n::{self, Lang, Text};
use portico_page::route::{Offer, Route};
use portico_web::markdown_dom::MarkdownDom;
use wasm_bindgen::JsCast;

use super::icons::{self, icon};
use super::{assistant, composer, first_hour, models as model_views, open_conversation, welcome};
use crate::announcements::{self, Announcement};
use crate::browser::{document, now_ms};
use crate::log::{self, Row};
use crate::page::{Dialog, Page};
use crate::{assistants, documents, models, place};

/// Conversations that are named.
const RECENT_MAX: usize = 4;
/// Collections that are named; the others stand under the box.
const COLLECTIONS_MAX: usize = 8;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

pub fn below(page: Page) -> impl IntoView {
    let can_answer = Memo::new(move |_| {
        place::answering_model(page)
            .is_some_and(|model| !matches!(place::route_here(page, &model), Route::Nowhere(_)))
    });
    let has_assistant = Memo::new(move |_| {
        matches!(assistants::standing(page, page.open.get()), Standing::Here { .. })
    });
    view! {
        <div class="home-below">
            <Show when=move || can_answer.get()>{collections(page)}</Show>
            {first_hour::first_hour(page)}
            {all_announcements(page)}
            <Show when=move || can_answer.get() && !has_assistant.get()>{suggestions(page)}</Show>
            {assistant::assistants_home(page)}
            {device_too(page)}
            {recent(page)}
        </div>
    }
}

/// Chips that choose what the question asks.
fn collections(page: Page) -> impl IntoView {
    let chosen = Memo::new(move |_| documents::chosen(page, page.open.get()));
    let has_any = move || page.collections.with(|all| !all.is_empty());
    let chips = move || {
        page.collections
            .get()
            .into_iter()
            .take(COLLECTIONS_MAX)
            .map(|collection| {
                let id = collection.id.clone();
                let is_chosen = Memo::new(move |_| {
                    chosen.with(|chosen| chosen.iter().any(|one| one.id == collection.id))
                });
                view! {
                    <li><button type="button" class="home-chip" aria-pressed=move || is_chosen.get().to_string()
                        on:click=move |_| {
                            let is_chosen = is_chosen.get_untracked();
                            documents::choose(page, page.open.get_untracked(), &id, !is_chosen);
                        }>{icon(icons::PAPERS)} <span dir="auto">{collection.title}</span></button></li>
                }
            })
            .collect_view()
    };
    view! {
        <Show when=has_any>
            <section class="home-part" aria-labelledby="home-collections">
                <h3 id="home-collections">{page.t(Text::AskThese)}</h3>
                <ul class="home-chips">{chips}</ul>
            </section>
        </Show>
    }
}

fn all_announcements(page: Page) -> impl IntoView {
    let has_any = move || page.announcements.with(|all| !all.is_empty());
    view! {
        <Show when=has_any>
            <section class="home-part" aria-label=page.t(Text::Announcements)>
                {move || page.announcements.get().into_iter().map(|one| announcement(page, one)).collect_view()}
            </section>
        </Show>
    }
}

fn announcement(page: Page, announcement: Announcement) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    let Announcement { id, title, text, .. } = announcement.clone();
    Effect::new(move |_| {
        let lang = page.lang.get();
        if let Some(node) = node.get() {
            MarkdownDom::new(node.unchecked_into(), lang, false).show(&text);
        }
    });
    let named = title.clone();
    let label = move || Text::CloseAnnouncement.fill(page.lang.get(), &[("title", &named)]);
    let (shown_label, of_text) = (label.clone(), title.clone());
    view! {
        <article class="announcement" data-announcement=id>
            <div class="announcement-head">
                <h3 dir="auto">{title}</h3>
                <button type="button" class="icon-button small" aria-label=label title=shown_label
                    on:click=move |_| {
                        announcements::close(page, &announcement);
                        crate::browser::focus(composer::INPUT_ID);
                    }>{icon(icons::CLOSE)}</button>
            </div>
            <div class="answer" dir="auto" role="group" tabindex="0" aria-label=of_text node_ref=node></div>
        </article>
    }
}

/// What can be done here with what is there.
fn suggestions(page: Page) -> impl IntoView {
    let has_documents = Memo::new(move |_| page.collections.with(|all| !all.is_empty()));
    let is_signed_in = Memo::new(move |_| page.person.with(Option::is_some));
    let one = move |name: &'static str, sign: &'static str, text: Text, then: fn(Page)| {
        view! {
            <li><button type="button" class="button suggestion" data-suggestion=name
                on:click=move |_| then(page)>{icon(sign)} {page.t(text)}</button></li>
        }
    };
    view! {
        <ul class="suggestions home-part" aria-label=page.t(Text::Suggestions)>
            {one("file", icons::CLIP, Text::SuggestFile, |page| {
                composer::write(page.say(Text::SuggestFileText));
                choose_file();
            })}
            <Show when=move || has_documents.get()>
                {one("documents", icons::PAPERS, Text::SuggestDocuments, ask_documents)}
            </Show>
            {one("letter", icons::PENCIL, Text::SuggestLetter, |page| {
                composer::write(page.say(Text::SuggestLetterText));
            })}
            <Show when=move || is_signed_in.get()>
                {one("prompt", icons::PLAY, Text::SuggestPrompt, |_| composer::write("/"))}
            </Show>
        </ul>
    }
}

fn choose_file() {
    let chooser = document()
        .and_then(|document| document.query_selector("[data-attach=\"files\"]").ok()?)
        .and_then(|chooser| chooser.dyn_into::<web_sys::HtmlElement>().ok());
    if let Some(chooser) = chooser {
        chooser.click();
    }
}

/// All of the server's, where none is chosen.
fn ask_documents(page: Page) {
    let open = page.open.get_untracked();
    if untrack(|| documents::chosen(page, open)).is_empty()
        && let Some(first) = page.collections.with_untracked(|all| all.first().cloned())
    {
        documents::choose(page, open, &first.id, true);
    }
    composer::write(page.say(Text::SuggestDocumentsText));
}

/// While the server answers: the model that this device could have.
fn device_too(page: Page) -> impl IntoView {
    let offered = Memo::new(move |_| {
        let is_served = page.offer.with(|offer| matches!(offer, Offer::Models(_)));
        let model =
            page.offered_model().filter(|_| is_served && page.chosen.with(Option::is_none))?;
        let is_missing = !assistants::is_here(page, &model.model.id);
        let runs = matches!(page.fit(&model), Fit::Runs | Fit::RunsUnstored { .. });
        (is_missing && runs).then_some(model)
    });
    move || {
        offered.get().map(|model| {
            let id = model.model.id.clone();
            let (of_card, of_failure) = (id.clone(), id.clone());
            let size_bytes = model.size_bytes;
            let label = move || {
                let lang = page.lang.get();
                Text::LoadModelSize.fill(lang, &[("size", &format::bytes(lang, size_bytes))])
            };
            view! {
                <section class="card home-part device-too" data-model=of_card data-model-state="absent">
                    <p>{page.t(Text::HomeDeviceToo)}</p>
                    <details>
                        <summary>{model.model.name.clone()}</summary>
                        {welcome::facts(page, &model, false)}
                    </details>
                    {model_views::failure(page, of_failure)}
                    <div class="row">
                        <button type="button" class="button"
                            on:click=move |_| models::choose(page, &id)>{label}</button>
                        <button type="button" class="button quiet"
                            on:click=move |_| page.dialog.set(Some(Dialog::Models))>{page.t(Text::OtherModel)}</button>
                    </div>
                </section>
            }
        })
    }
}

fn recent(page: Page) -> impl IntoView {
    let rows = Memo::new(move |_| {
        page.log_version.track();
        let mut rows = log::rows();
        rows.retain(|row| !row.archived);
        rows.sort_by_key(|row| std::cmp::Reverse(row.updated_ms));
        rows.truncate(RECENT_MAX);
        rows
    });
    let one = move |row: Row| {
        let Row { id, title, updated_ms, .. } = row;
        let title = title.filter(|title| !title.is_empty());
        let shown =
            move || title.clone().unwrap_or_else(|| Text::Untitled.get(page.lang.get()).to_owned());
        view! {
            <li><button type="button" class="home-recent" on:click=move |_| open_conversation(page, Some(id))>
                <span dir="auto">{shown}</span>
                <span class="muted">{move || moment(page.lang.get(), updated_ms)}</span>
            </button></li>
        }
    };
    view! {
        <Show when=move || rows.with(|rows| !rows.is_empty())>
            <section class="home-part" aria-labelledby="home-recent">
                <h3 id="home-recent">{page.t(Text::Recent)}</h3>
                <ul class="home-recents">{move || rows.get().into_iter().map(one).collect_view()}</ul>
            </section>
        </Show>
    }
}

/// The time of today, else the day.
fn moment(lang: Lang, at_ms: u64) -> String {
    let date = js_sys::Date::new(&(at_ms as f64).into());
    let is_recent = now_ms().saturating_sub(at_ms) < DAY_MS;
    let name = if is_recent { "timeStyle" } else { "dateStyle" };
    let options = js_sys::Object::new();
    js_sys::Reflect::set(&options, &name.into(), &"short".into()).ok();
    let lang = if i18n::code(lang) == "de" { "de-DE" } else { "en-GB" };
    date.to_locale_string(lang, &options).into()
}
