//! The conversations: searched, opened, named, pinned, deleted with a way back.

use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;
use portico_page::i18n::Text;
use portico_shared::sync::{Body, Setting, TITLE_MAX_CHARS};
use uuid::Uuid;
use wasm_bindgen_futures::spawn_local;

use super::icons::{self, icon, logo};
use super::organise::{self, Shown};
use super::{account_menu, composer, keys, open_conversation, sync};
use crate::browser::{after_ms, focus, now_ms};
use crate::log::{self, Row};
use crate::page::{Dialog, Page};

/// Milliseconds without a key before the search runs.
const SEARCH_PAUSE_MS: i32 = 150;
/// Rows that are shown at once: thousands would take seconds to build.
const ROWS_AT_ONCE: usize = 100;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

pub fn sidebar(page: Page) -> impl IntoView {
    let query = RwSignal::new(String::new());
    let found = found(page, query);
    let which = RwSignal::new(Shown::default());
    let rows = Memo::new(move |_| {
        let is_search = query.with(|query| !query.trim().is_empty());
        let which = which.get();
        found.with(|rows| {
            rows.iter().filter(|row| which.holds(row, is_search)).cloned().collect::<Vec<_>>()
        })
    });
    let renaming = RwSignal::new(None::<Uuid>);
    let n_shown = RwSignal::new(ROWS_AT_ONCE);
    let n_more = move || rows.with(Vec::len).saturating_sub(n_shown.get());
    let shown = Memo::new(move |_| {
        rows.with(|rows| rows.iter().take(n_shown.get()).cloned().collect::<Vec<_>>())
    });
    view! {
        <aside class="sidebar" id="sidebar" aria-label=page.t(Text::Conversations)>
            <div class="sidebar-head">
                <span class="brand">{move || match page.look.with(|look| look.logo.clone()) {
                    Some(logo) => view! { <img class="logo" src=logo alt=""/> }.into_any(),
                    None => logo().into_any(),
                }} <span class="brand-name">{move || page.house()}</span></span>
                <button type="button" class="icon-button only-narrow"
                    aria-label=page.t(Text::CloseSidebar) title=page.t(Text::CloseSidebar)
                    on:click=move |_| page.drawer.set(false)>{icon(icons::CLOSE)}</button>
            </div>
            <button type="button" class="button wide" on:click=move |_| {
                open_conversation(page, None);
                focus(composer::INPUT_ID);
            }>{icon(icons::PLUS)} {page.t(Text::NewConversation)}</button>
            {search_field(page, query).into_any()}
            {organise::shown_field(page, found, which).into_any()}
            <nav class="conversations" aria-label=page.t(Text::Conversations)>
                {move || groups(page, shown.get(), &query.get(), renaming)}
                <Show when=move || { n_more() > 0 }>
                    <button type="button" class="button quiet wide"
                        on:click=move |_| n_shown.update(|n| *n += ROWS_AT_ONCE * 2)>{move || {
                        Text::ShowOlder.fill(page.lang.get(), &[("n", &n_more().to_string())])
                    }}</button>
                </Show>
            </nav>
            {sync::status(page).into_any()}
            <div class="sidebar-foot">
                <a class="button quiet" href="#/documents" data-open="library"
                    aria-current=move || page.shows_library.get().then_some("page")
                    on:click=move |_| page.drawer.set(false)>
                    {icon(icons::PAPERS)} {page.t(Text::Documents)}
                </a>
                {account_menu::account_menu(page).into_any()}
                <button type="button" class="button quiet" on:click=move |_| page.dialog.set(Some(Dialog::Models))>
                    {icon(icons::CHIP)} {page.t(Text::Models)}
                </button>
                <button type="button" class="button quiet" on:click=move |_| page.dialog.set(Some(Dialog::Settings))>
                    {icon(icons::GEAR)} {page.t(Text::Settings)}
                </button>
            </div>
        </aside>
    }
}

/// What the list holds: all conversations at once, what a search finds when it has been through all of them.
fn found(page: Page, query: RwSignal<String>) -> ReadSignal<Vec<Row>> {
    let (found, set_found) = signal(Vec::new());
    let turn = StoredValue::new(0_u64);
    Effect::new(move |_| {
        page.log_version.track();
        let query = query.get();
        let this = turn.get_value().wrapping_add(1);
        turn.set_value(this);
        if query.trim().is_empty() {
            set_found.set(log::rows());
            return;
        }
        spawn_local(async move {
            let is_wanted = move || turn.get_value() == this;
            if let Some(rows) = log::find(&query, is_wanted).await.filter(|_| is_wanted()) {
                set_found.set(rows);
            }
        });
    });
    found
}

fn search_field(page: Page, query: RwSignal<String>) -> impl IntoView {
    let typed = StoredValue::new(0_u32);
    view! {
        <label class="search">
            {icon(icons::SEARCH)}
            <span class="visually-hidden">{page.t(Text::SearchConversations)}</span>
            <input type="search" id=keys::SEARCH_ID placeholder=page.t(Text::SearchConversations) autocomplete="off"
                on:input:target=move |event| {
                    let text = event.target().value();
                    let turn = typed.get_value().wrapping_add(1);
                    typed.set_value(turn);
                    after_ms(SEARCH_PAUSE_MS, move || {
                        if typed.get_value() == turn {
                            query.set(text);
                        }
                    });
                }/>
        </label>
    }
}

/// The rows under headings: pinned, then by age; what a search finds stands in one group.
fn groups(page: Page, rows: Vec<Row>, query: &str, renaming: RwSignal<Option<Uuid>>) -> AnyView {
    if rows.is_empty() {
        let lang = page.lang.get();
        let text = if query.trim().is_empty() {
            Text::NoConversations.get(lang).to_owned()
        } else {
            Text::NoMatches.fill(lang, &[("query", query.trim())])
        };
        return view! { <p class="hint" role="status">{text}</p> }.into_any();
    }
    let midnight = midnight_ms();
    let mut groups: Vec<(Text, Vec<Row>)> = Vec::new();
    for row in rows {
        let heading = if row.pinned { Text::Pinned } else { age(row.updated_ms, midnight) };
        match groups.last_mut().filter(|(last, _)| *last == heading) {
            Some((_, group)) => group.push(row),
            None => groups.push((heading, vec![row])),
        }
    }
    groups
        .into_iter()
        .map(|(heading, rows)| {
            let rows: Vec<_> =
                rows.into_iter().map(|row| row_view(page, row, renaming).into_any()).collect();
            view! {
                <h2 class="group-heading">{page.t(heading)}</h2>
                <ul class="rows">{rows}</ul>
            }
        })
        .collect_view()
        .into_any()
}

/// The start of today, in the device's time zone.
fn midnight_ms() -> u64 {
    let today = js_sys::Date::new_0();
    today.set_hours(0);
    today.set_minutes(0);
    today.set_seconds(0);
    today.set_milliseconds(0);
    (today.get_time() as u64).min(now_ms())
}

fn age(updated_ms: u64, midnight_ms: u64) -> Text {
    match midnight_ms.saturating_sub(updated_ms) {
        0 => Text::Today,
        1..=DAY_MS => Text::Yesterday,
        age if age <= 7 * DAY_MS => Text::LastSevenDays,
        _ => Text::Older,
    }
}

fn row_view(page: Page, row: Row, renaming: RwSignal<Option<Uuid>>) -> impl IntoView {
    let Row { id, pinned, snippet, title, .. } = row;
    let title = title.filter(|title| !title.is_empty());
    let is_open = move || page.open.get() == Some(id) && page.shows_chat();
    let shown = {
        let title = title.clone();
        move || title.clone().unwrap_or_else(|| Text::Untitled.get(page.lang.get()).to_owned())
    };
    let content = move || {
        if renaming.get() == Some(id) {
            return rename_field(page, id, title.clone().unwrap_or_default(), renaming).into_any();
        }
        let (name, for_actions) = (shown.clone(), shown.clone());
        let snippet = snippet.clone();
        view! {
            <button type="button" class="row-open" aria-current=move || is_open().then_some("page")
                on:click=move |_| open_conversation(page, Some(id))>
                <span class="row-title">{name} {sync::mark(page, id).into_any()}</span>
                {snippet.map(|text| view! { <span class="row-snippet">{text}</span> })}
            </button>
            {actions(page, id, pinned, for_actions, renaming).into_any()}
        }
        .into_any()
    };
    view! { <li class="row-item" class:open=is_open>{content}</li> }
}

fn actions(
    page: Page,
    id: Uuid,
    pinned: bool,
    title: impl Fn() -> String + Clone + Send + 'static,
    renaming: RwSignal<Option<Uuid>>,
) -> impl IntoView {
    let pin = if pinned { Text::Unpin } else { Text::Pin };
    let (group_title, deleted_title) = (title.clone(), title);
    view! {
        <span class="row-actions" role="group"
            aria-label=move || Text::ActionsFor.fill(page.lang.get(), &[("title", &group_title())])>
            <button type="button" class="icon-button small" aria-label=page.t(pin) title=page.t(pin)
                aria-pressed=pinned.to_string()
                on:click=move |_| log::set(page, id, Setting::Pinned(!pinned))>{icon(icons::PIN)}</button>
            <button type="button" class="icon-button small" aria-label=page.t(Text::Rename)
                title=page.t(Text::Rename)
                on:click=move |_| renaming.set(Some(id))>{icon(icons::PENCIL)}</button>
            <button type="button" class="icon-button small" aria-label=page.t(Text::Organise)
                title=page.t(Text::Organise) aria-haspopup="dialog"
                on:click=move |_| page.dialog.set(Some(Dialog::Organise(id)))>{icon(icons::TAG)}</button>
            <button type="button" class="icon-button small" aria-label=page.t(Text::Delete)
                title=page.t(Text::Delete)
                on:click=move |_| delete(page, id, &deleted_title())>{icon(icons::TRASH)}</button>
        </span>
    }
}

/// Deletes at once; for a while it can be taken back.
fn delete(page: Page, conversation: Uuid, title: &str) {
    log::write(page, [Body::DeleteConversation { conversation, deleted: true }]);
    let was_open = page.open.get_untracked() == Some(conversation);
    if was_open {
        open_conversation(page, None);
    }
    let text = Text::ConversationDeleted.fill(page.lang.get_untracked(), &[("title", title)]);
    page.toast_with(
        text,
        Text::Undo,
        Arc::new(move || {
            log::write(page, [Body::DeleteConversation { conversation, deleted: false }]);
            if was_open {
                open_conversation(page, Some(conversation));
            }
        }),
    );
    focus(composer::INPUT_ID);
}

fn rename_field(
    page: Page,
    id: Uuid,
    title: String,
    renaming: RwSignal<Option<Uuid>>,
) -> impl IntoView {
    let node = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(input) = node.get() {
            // The field is in the page from the next frame on.
            crate::browser::next_frame(move || {
                input.focus().ok();
                input.select();
            });
        }
    });
    let before = title.clone();
    let finish = move |keep: bool| {
        // Leaving the field also ends it; the first end counts.
        if renaming.get_untracked() != Some(id) {
            return;
        }
        let text = node.get_untracked().map(|input| input.value()).unwrap_or_default();
        renaming.set(None);
        let text: String = text.trim().chars().take(TITLE_MAX_CHARS).collect();
        if keep && !text.is_empty() && text != before {
            log::set(page, id, Setting::Title(Some(text)));
        }
    };
    let on_blur = finish.clone();
    view! {
        <input class="row-rename" node_ref=node aria-label=page.t(Text::Title) prop:value=title
            on:keydown=move |event| match event.key().as_str() {
                "Enter" if !event.is_composing() => finish(true),
                "Escape" => {
                    event.stop_propagation();
                    finish(false);
                }
                _ => {}
            }
            on:blur=move |_| on_blur(true)/>
    }
}
