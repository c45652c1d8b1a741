//! A document as it was read, with the cited passage marked; a PDF's page as it looks.

use std::ops::Range;

use leptos::prelude::*;
use portico_library::address::{Address, ON_DEVICE};
use portico_library::api::{DocumentText, Passage};
use portico_library::kinds::{self, PDF};
use portico_library::shelf::protocol::{FromShelf, ToShelf};
use portico_library::texts::Text;
use portico_page::format;
use portico_shared::documents::{Block, BlockKind};
use portico_shared::error::ApiError;
use portico_web::shelf_link::ask;
use uuid::Uuid;
use wasm_bindgen_futures::spawn_local;

use super::parts::{self, DOWNLOAD, LEFT, dotted, failed, icon, loading};
use super::pdf;
use super::search::marked;
use crate::js;
use crate::net;
use crate::state::{Asked, Library};

/// Blocks that are made at once; a long text follows on demand.
const WINDOW: usize = 120;
/// Of those, how many stand before the passage.
const BEFORE: usize = 30;

/// A document, and the passage that was cited.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    pub text: DocumentText,
    pub passage: Option<Passage>,
    /// It was asked for and is not there.
    passage_is_gone: bool,
}

impl Source {
    pub fn is_own(&self) -> bool {
        self.text.document.collection == ON_DEVICE
    }
}

pub fn source(library: Library, id: Uuid, passage: Option<Uuid>) -> impl IntoView {
    let found = RwSignal::new(Asked::Loading);
    let load = move || {
        found.set(Asked::Loading);
        spawn_local(async move {
            let loaded = read(id, passage).await;
            found.try_set(loaded.map(std::sync::Arc::new).into());
        });
    };
    Effect::new(move |_| load());
    view! {
        {move || match found.get() {
            Asked::Loading => loading(library).into_any(),
            Asked::Failed(error) => view! {
                <header class="library-head">
                    <a class="back" href=Address::Collections.hash()>{icon(LEFT)} {library.t(Text::Collections)}</a>
                </header>
                {failed(library, error, load)}
            }.into_any(),
            Asked::Loaded(source) => shown(library, source).into_any(),
        }}
    }
}

/// This browser's own first: the server need not hear of what it does not have.
async fn read(id: Uuid, passage: Option<Uuid>) -> Result<Source, ApiError> {
    if let Ok((FromShelf::Text { text }, _)) = ask(&ToShelf::Text { id }, None).await {
        let found = match passage {
            Some(passage) => match ask(&ToShelf::Passage { id, passage }, None).await {
                Ok((FromShelf::Passage { passage }, _)) => Some(passage),
                _ => None,
            },
            None => None,
        };
        let passage_is_gone = passage.is_some() && found.is_none();
        return Ok(Source { text: *text, passage: found, passage_is_gone });
    }
    let text: DocumentText = net::get(&format!("/api/documents/{id}/text")).await?;
    let found = match passage {
        Some(passage) => net::get(&format!("/api/documents/{id}/passages/{passage}")).await.ok(),
        None => None,
    };
    let passage_is_gone = passage.is_some() && found.is_none();
    Ok(Source { text, passage: found, passage_is_gone })
}

/// The document's own bytes; none where they are not kept.
pub async fn bytes(source: &Source) -> Result<Option<js_sys::Uint8Array>, ApiError> {
    let id = source.text.document.id;
    if source.is_own() {
        let (_, bytes) = ask(&ToShelf::File { id }, None).await?;
        return Ok(bytes.filter(|bytes| bytes.length() > 0));
    }
    net::bytes(&format!("/api/documents/{id}/file")).await.map(Some)
}

fn shown(library: Library, source: std::sync::Arc<Source>) -> impl IntoView {
    let document = source.text.document.clone();
    let is_pdf = document.media_type == PDF;
    let shows_page = RwSignal::new(is_pdf);
    let page_error = RwSignal::new(false);
    let heading = document.name.clone();
    let collection = document.collection.clone();
    let back = Address::Collection(collection.clone()).hash();
    let line = {
        let document = document.clone();
        move || {
            let lang = library.lang.get();
            let pages = document.n_pages.map(u64::from).filter(|n| *n > 0);
            let shown = |n| format::integer(lang, n);
            let pages =
                pages.map(|n| Text::count(Text::PagesOne, Text::PagesMany, lang, n, &shown(n)));
            dotted([
                kinds::type_name(&document.media_type),
                format::bytes(lang, document.size_bytes),
                pages.unwrap_or_default(),
                parts::date(lang, document.date_s),
            ])
        }
    };
    let is_own = source.is_own();
    let can_download = !is_own || is_pdf;
    let save_error = RwSignal::new(None::<ApiError>);
    let save = {
        let source = source.clone();
        move || {
            let source = source.clone();
            spawn_local(async move {
                match bytes(&source).await {
                    Ok(Some(bytes)) => js::save_bytes(&source.text.document.name, &bytes),
                    Ok(None) => {}
                    Err(error) => {
                        save_error.try_set(Some(error));
                    }
                }
            });
        }
    };
    let again = save.clone();
    let text_source = source.clone();
    view! {
        <header class="library-head">
            <a class="back" href=back>{icon(LEFT)} {move || library.collection_title(&collection)}</a>
            <div class="library-head-row">
                <h2 class="library-title" dir="auto">{heading}</h2>
                <Show when=move || is_own>
                    <span class="badge strong">{library.t(Text::OnDeviceMark)}</span>
                </Show>
            </div>
            <p class="muted">{line}</p>
            <div class="row">
                <Show when=move || is_pdf && !page_error.get()>
                    <div class="segments" role="group" aria-label=library.t(Text::HowShown)>
                        <button type="button" aria-pressed=move || shows_page.get().to_string()
                            on:click=move |_| shows_page.set(true)>{library.t(Text::ShowPage)}</button>
                        <button type="button" aria-pressed=move || (!shows_page.get()).to_string()
                            on:click=move |_| shows_page.set(false)>{library.t(Text::ShowText)}</button>
                    </div>
                </Show>
                {can_download.then(|| view! {
                    <button type="button" class="button small" on:click=move |_| save()>
                        {icon(DOWNLOAD)} {library.t(Text::Download)}
                    </button>
                })}
            </div>
        </header>
        {move || {
            let again = again.clone();
            save_error.get().map(|error| failed(library, error, move || {
                save_error.set(None);
                again();
            }))
        }}
        {source.passage_is_gone.then(|| view! {
            <p class="notice calm" role="status" data-state="passage-gone">{library.t(Text::PassageGone)}</p>
        })}
        <Show when=move || page_error.get()>
            <p class="notice calm" role="status" data-state="page-not-shown">{library.t(Text::PageNotShown)}</p>
        </Show>
        {move || match shows_page.get() && !page_error.get() {
            true => pdf::page(library, text_source.clone(), page_error).into_any(),
            false => text(library, text_source.clone()).into_any(),
        }}
    }
}

/// The text with its structure. Nothing of it is a link or an image: it is text.
fn text(library: Library, source: std::sync::Arc<Source>) -> impl IntoView {
    let chars = source.passage.as_ref().map(|passage| passage.chars[0]..passage.chars[1]);
    let blocks = blocks(&source.text);
    let first = chars
        .as_ref()
        .and_then(|chars| blocks.iter().position(|block| block.chars.end > chars.start));
    let first = first.unwrap_or(0).saturating_sub(BEFORE);
    let n_blocks = blocks.len();
    let range = RwSignal::new(first..(first + WINDOW).min(n_blocks));
    let blocks = StoredValue::new(blocks);
    let chars = StoredValue::new(chars);
    js::next_frame(|| {
        // The marks are in the page from the next frame on.
        js::next_frame(|| {
            let document = web_sys::window().and_then(|window| window.document());
            let mark = document
                .and_then(|document| document.query_selector(".doc-text mark").ok().flatten());
            if let Some(mark) = mark {
                let options = web_sys::ScrollIntoViewOptions::new();
                js_sys::Reflect::set(&options, &"block".into(), &"center".into()).ok();
                mark.scroll_into_view_with_scroll_into_view_options(&options);
            }
        });
    });
    view! {
        <Show when=move || { range.get().start > 0 }>
            <button type="button" class="button quiet center-self" on:click=move |_| {
                range.update(|range| range.start = range.start.saturating_sub(WINDOW));
            }>{library.t(Text::ShowEarlier)}</button>
        </Show>
        <article class="doc-text" dir="auto" data-source="text">
            {move || {
                let range = range.get();
                blocks.with_value(|blocks| {
                    let shown = blocks.get(range).unwrap_or_default();
                    shown.iter().map(|block| chars.with_value(|chars| element(block, chars.as_ref()))).collect_view()
                })
            }}
        </article>
        <Show when=move || { range.get().end < n_blocks }>
            <button type="button" class="button quiet center-self" on:click=move |_| {
                range.update(|range| range.end = (range.end + WINDOW).min(n_blocks));
            }>{library.t(Text::ShowLater)}</button>
        </Show>
    }
}

/// A block's text and where it stands.
struct Part {
    kind: BlockKind,
    chars: Range<u32>,
    text: String,
}

/// The blocks, in order; a text without any is one.
fn blocks(source: &DocumentText) -> Vec<Part> {
    let chars: Vec<char> = source.text.chars().collect();
    let n_chars = chars.len() as u32;
    let part = |block: &Block| {
        let range = block.chars.start.min(n_chars)..block.chars.end.min(n_chars);
        let text = chars.get(range.start as usize..range.end as usize)?.iter().collect();
        Some(Part { kind: block.kind, chars: range, text })
    };
    let parts: Vec<Part> = source.blocks.iter().filter_map(part).collect();
    match parts.is_empty() {
        true => {
            vec![Part { kind: BlockKind::Paragraph, chars: 0..n_chars, text: source.text.clone() }]
        }
        false => parts,
    }
}

fn element(block: &Part, passage: Option<&Range<u32>>) -> AnyView {
    let own = &block.chars;
    let mark = passage.map(|passage| {
        passage.start.clamp(own.start, own.end) - own.start
            ..passage.end.clamp(own.start, own.end) - own.start
    });
    let marks: Vec<Range<u32>> = mark.into_iter().filter(|mark| !mark.is_empty()).collect();
    match block.kind {
        // Below the view's own headings, whatever levels the document leaves out.
        BlockKind::Heading { level } => {
            let class = if level == 1 { "level-1" } else { "level-2" };
            view! { <h3 class=class>{marked(&block.text, &marks)}</h3> }.into_any()
        }
        BlockKind::ListItem => {
            view! { <p class="item">{marked(&block.text, &marks)}</p> }.into_any()
        }
        BlockKind::Code => view! { <pre>{marked(&block.text, &marks)}</pre> }.into_any(),
        BlockKind::Table => table(&block.text, !marks.is_empty()),
        BlockKind::Paragraph => view! { <p>{marked(&block.text, &marks)}</p> }.into_any(),
    }
}

/// A row a line, cells parted by ` | `. Of a table that the passage touches all cells are marked.
fn table(text: &str, is_marked: bool) -> AnyView {
    let cell = |cell: &str| match is_marked {
        true => view! { <td><mark>{cell.to_owned()}</mark></td> }.into_any(),
        false => view! { <td>{cell.to_owned()}</td> }.into_any(),
    };
    let row = |row: &str| view! { <tr>{row.split(" | ").map(cell).collect_view()}</tr> };
    view! {
        <div class="table" tabindex="0" role="group">
            <table><tbody>{text.lines().map(row).collect_view()}</tbody></table>
        </div>
    }
    .into_any()
}
