//! What an answer rests on: its citations show their passage, and below it stands the list of all.

use leptos::html;
use leptos::prelude::*;
use portico_page::i18n::{Lang, Text};
use portico_page::route::Choice;
use portico_shared::grounding::{Citation, CitedBy, Coverage, Source};
use portico_shared::openai::{Place, PorticoInfo};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use super::message::Context;
use crate::browser::next_frame;

/// Characters of a passage that a card shows.
const CARD_CHARS: usize = 420;

/// A source whose card is open, beside its citation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown {
    n: u32,
    /// Of the citation's lower left corner in the message, in CSS pixels.
    left_px: f64,
    top_px: f64,
    /// It was pressed and stays.
    is_pinned: bool,
}

fn portico(context: Context) -> Option<PorticoInfo> {
    context.with(|item| item.content.portico.clone())
}

/// `#/documents/{document}/{passage}`, which opens the document there.
fn address(source: &Source) -> String {
    format!("#/documents/{}/{}", source.document, source.passage)
}

/// `Handbook › Holidays · p. 3`
fn origin(source: &Source, lang: Lang) -> String {
    let path = source.heading_path.iter().chain(&source.section).map(String::as_str);
    let mut origin: Vec<&str> = vec![&source.name];
    origin.extend(path);
    origin.dedup();
    let origin = origin.join(" › ");
    match source.page {
        Some(page) => {
            format!("{origin} · {}", Text::PageN.fill(lang, &[("n", &page.to_string())]))
        }
        None => origin,
    }
}

/// The citation that an event concerns, and its number.
fn citation(target: Option<web_sys::EventTarget>) -> Option<(Element, u32)> {
    let chip = target?.dyn_into::<Element>().ok()?.closest("[data-source]").ok()??;
    let n = chip.get_attribute("data-source")?.parse().ok()?;
    Some((chip, n))
}

/// Has the card shown for the citation that the pointer or the focus is on.
pub fn point(
    shown: RwSignal<Option<Shown>>,
    target: Option<web_sys::EventTarget>,
    is_pinned: bool,
) {
    let Some((chip, n)) = citation(target.clone()) else {
        // A press beside the card closes it.
        let target = target.and_then(|target| target.dyn_into::<Element>().ok());
        let is_on_card = target.is_some_and(|t| t.closest(".source-card").ok().flatten().is_some());
        if is_pinned && !is_on_card && shown.get_untracked().is_some() {
            shown.set(None);
        }
        return;
    };
    let Some(message) = chip.closest(".message").ok().flatten() else { return };
    let (place, within) = (chip.get_bounding_client_rect(), message.get_bounding_client_rect());
    let (left_px, top_px) = (place.left() - within.left(), place.bottom() - within.top());
    shown.set(Some(Shown { n, left_px, top_px, is_pinned }));
    if is_pinned {
        next_frame(move || {
            let link = message.query_selector(".source-card a").ok().flatten();
            if let Some(link) = link.and_then(|link| link.dyn_into::<HtmlElement>().ok()) {
                link.focus().ok();
            }
        });
    }
}

/// Hides the card unless it was pressed.
pub fn leave(shown: RwSignal<Option<Shown>>) {
    if shown.get_untracked().is_some_and(|shown| !shown.is_pinned) {
        shown.set(None);
    }
}

/// Closes the card and goes back to its citation.
pub fn close(shown: RwSignal<Option<Shown>>, message: Option<Element>) {
    let Some(before) = shown.get_untracked() else { return };
    shown.set(None);
    let chip = message.and_then(|message| {
        message.query_selector(&format!("[data-source=\"{}\"]", before.n)).ok().flatten()
    });
    if let Some(chip) = chip.and_then(|chip| chip.dyn_into::<HtmlElement>().ok()) {
        chip.focus().ok();
    }
}

/// The passage of the citation that is pointed at.
pub fn card(context: Context, shown: RwSignal<Option<Shown>>) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    // Within the message, whatever its width.
    Effect::new(move |_| {
        if let (Some(card), Some(at)) = (node.get(), shown.get()) {
            let room = card.offset_parent().map_or(0, |parent| parent.client_width());
            let left_px = at.left_px.min(f64::from(room - card.offset_width())).max(0.0);
            let style = web_sys::HtmlElement::style(&card);
            // Setting a style by hand fails only for names that are none.
            style.set_property("left", &format!("{left_px}px")).ok();
            style.set_property("top", &format!("{}px", at.top_px + 6.0)).ok();
        }
    });
    move || {
        let at = shown.get()?;
        let sources = portico(context)?.sources?;
        let source = sources.into_iter().find(|source| source.n == at.n)?;
        let lang = context.page.lang.get();
        let mut text: String = source.text.chars().take(CARD_CHARS).collect();
        if text.len() < source.text.len() {
            text.push('…');
        }
        Some(view! {
            <div class="source-card" node_ref=node role="note"
                aria-label=Text::SourceN.fill(lang, &[("n", &at.n.to_string())])>
                <p class="source-name">{origin(&source, lang)}</p>
                <p class="source-text">{text}</p>
                <a href=address(&source)>{Text::SourceOpen.get(lang)}</a>
            </div>
        })
    }
}

/// All passages that the answer could rest on, those that it cites first seen.
pub fn sources(context: Context) -> impl IntoView {
    let page = context.page;
    // Texts do not change while the answer grows; citations do.
    let said = Memo::new(move |_| {
        portico(context).map(|portico| {
            (portico.place, portico.query, portico.sources, portico.citations, portico.coverage)
        })
    });
    move || {
        let (place, query, sources, citations, coverage) = said.get()?;
        let (query, sources) = (query?, sources?);
        let lang = page.lang.get();
        let searched = Text::SearchedFor.fill(lang, &[("query", &query)]);
        // Where the conversation stays here, only the device's own documents are searched.
        let stays = crate::place::choice(page, page.open.get()) == Choice::Device;
        let left = (place == Place::Device && !stays && !sources.is_empty())
            .then(|| Text::QuestionLeft.get(lang));
        let is_over = !context.is_live();
        let note = note(&citations, is_over && !sources.is_empty()).map(|text| text.get(lang));
        Some(view! {
            <div class="sources">
                {(!sources.is_empty()).then(|| view! {
                    <details>
                        <summary>{Text::SourcesCited.get(lang)} " " <span class="muted">{sources.len()}</span></summary>
                        <ol>{sources.iter().map(|source| item(source, &citations, lang)).collect_view()}</ol>
                    </details>
                })}
                {coverage.and_then(|coverage| partly(coverage, lang))}
                <p class="muted">{note} " " {searched} " " {left}</p>
            </div>
        })
    }
}

fn note(citations: &[Citation], is_over: bool) -> Option<Text> {
    match citations.first() {
        None => is_over.then_some(Text::SourcesUncited),
        Some(Citation { by: CitedBy::Comparison, .. }) => Some(Text::SourcesCompared),
        Some(_) => None,
    }
}

fn item(source: &Source, citations: &[Citation], lang: Lang) -> impl IntoView + use<> {
    let is_cited = citations.iter().any(|citation| citation.n == source.n);
    view! {
        <li class:cited=is_cited>
            <a href=address(source)>{origin(source, lang)}</a>
            <p class="source-text">{source.text.clone()}</p>
        </li>
    }
}

fn partly(coverage: Coverage, lang: Lang) -> Option<impl IntoView> {
    let (given, of) = (coverage.given.to_string(), coverage.of.to_string());
    (coverage.given < coverage.of).then(|| {
        view! { <p>{Text::PartlyRead.fill(lang, &[("given", &given), ("of", &of)])}</p> }
    })
}
