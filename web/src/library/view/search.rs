//! The search: a box, filters, passages with what was asked for marked in them.

use std::collections::BTreeMap;

use leptos::prelude::*;
use portico_library::address::{Address, ON_DEVICE};
use portico_library::api::{Facets, Filter, Hit, SearchRequest, SearchResponse};
use portico_library::kinds::KINDS;
use portico_library::marks::{excerpt, pieces};
use portico_library::shelf::protocol::{FromShelf, ToShelf};
use portico_library::texts::Text;
use portico_page::format;
use portico_shared::documents::DocLang;
use portico_shared::error::{ApiError, Lang};
use portico_shared::grounding::similarity;
use portico_web::shelf_link::ask;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::parts::{SEARCH, dotted, failed, icon, loading};
use crate::state::{Asked, Library};
use crate::{embed, js, net};

const INPUT_ID: &str = "library-search";
const LIMIT: u32 = 30;
/// Of a passage, in a result.
const EXCERPT_CHARS: usize = 420;
const DAY_S: i64 = 24 * 60 * 60;

/// What is to be found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    pub collection: String,
    pub media_type: String,
    pub lang: String,
    /// `2026-11-25`
    pub from: String,
    pub to: String,
}

impl Filters {
    fn request(&self, query: &str) -> SearchRequest {
        let some = |text: &String| (!text.is_empty()).then(|| text.clone());
        let lang = match self.lang.as_str() {
            "de" => Some(DocLang::De),
            "en" => Some(DocLang::En),
            "other" => Some(DocLang::Other),
            _ => None,
        };
        SearchRequest {
            query: query.to_owned(),
            collections: some(&self.collection).map(|id| vec![id]),
            limit: LIMIT,
            filter: Filter {
                types: some(&self.media_type).into_iter().collect(),
                langs: lang.into_iter().collect(),
                from: seconds(&self.from),
                // Until the day's end.
                to: seconds(&self.to).map(|from| from + DAY_S - 1),
            },
            facets: true,
        }
    }
}

/// Midnight of a date, here.
fn seconds(date: &str) -> Option<i64> {
    let ms = js_sys::Date::parse(&format!("{date}T00:00:00"));
    (!date.is_empty() && ms.is_finite()).then_some((ms / 1_000.0) as i64)
}

/// What was found, and why the server found nothing.
#[derive(Clone, Debug, Default, PartialEq)]
struct Found {
    query: String,
    hits: Vec<Hit>,
    facets: Facets,
    /// All that were found, shown or not.
    total: u64,
    error: Option<ApiError>,
}

impl Found {
    fn add(&mut self, response: SearchResponse) {
        self.hits.extend(response.hits);
        self.facets.add(response.facets.unwrap_or_default());
    }
}

pub fn search(library: Library) -> impl IntoView {
    let query = Memo::new(move |_| match library.address.get() {
        Some(Address::Search(query)) => query,
        _ => String::new(),
    });
    let typed = RwSignal::new(query.get_untracked());
    let found = RwSignal::new(None::<Asked<Found>>);
    let turn = StoredValue::new(0_u32);
    let version = RwSignal::new(0_u32);
    Effect::new(move |_| {
        let query = query.get();
        let filters = library.filters.get();
        version.track();
        typed.set(query.clone());
        turn.update_value(|turn| *turn += 1);
        if query.trim().is_empty() {
            found.set(None);
            return;
        }
        found.set(Some(Asked::Loading));
        let own_turn = turn.get_value();
        spawn_local(async move {
            let result = find(query, filters).await;
            // A later question's answer may have come before this one's.
            if turn.try_get_value() == Some(own_turn) {
                let n = result.hits.len() as u64;
                let lang = library.lang.get_untracked();
                library.say(Text::count(Text::HitOne, Text::HitMany, lang, n, &n.to_string()));
                found.set(Some(Asked::Loaded(result)));
            }
        });
    });
    js::next_frame(|| {
        if let Some(input) = js::by_id(INPUT_ID) {
            input.focus().ok();
        }
    });
    view! {
        <h2 class="visually-hidden">{library.t(Text::Search)}</h2>
        <form class="library-search" role="search" on:submit=move |event| {
            event.prevent_default();
            let text = typed.get_untracked();
            if query.get_untracked() == text {
                version.update(|version| *version += 1);
            }
            library.go(Address::Search(text));
        }>
            <label class="search">
                {icon(SEARCH)}
                <span class="visually-hidden">{library.t(Text::SearchLabel)}</span>
                <input type="search" id=INPUT_ID autocomplete="off" placeholder=library.t(Text::SearchPlaceholder)
                    prop:value=typed on:input:target=move |event| typed.set(event.target().value())
                    on:keydown=move |event| {
                        if event.key() == "ArrowDown" && focus_hit(0) {
                            event.prevent_default();
                        }
                    }/>
            </label>
            <button type="submit" class="button primary">{library.t(Text::Search)}</button>
        </form>
        {filters(library, found)}
        {move || match found.get() {
            None => view! { <p class="hint">{library.t(Text::SearchHint)}</p> }.into_any(),
            Some(Asked::Loading) => loading(library).into_any(),
            Some(Asked::Failed(error)) => failed(library, error, move || {
                version.update(|version| *version += 1);
            }).into_any(),
            Some(Asked::Loaded(found)) => results(library, found, version).into_any(),
        }}
    }
}

/// Asks the server and this browser, as far as the filters want them. What is to be found on this device
/// alone is not sent; what is to be found on the server is counted here, too.
async fn find(query: String, filters: Filters) -> Found {
    let request = filters.request(&query);
    let mut found = Found { query, ..Found::default() };
    let is_own = filters.collection == ON_DEVICE;
    if !is_own {
        match net::post::<SearchResponse>("/api/search", &request).await {
            Ok(response) => found.add(response),
            Err(error) => found.error = Some(error),
        }
    }
    let vector = match filters.collection.is_empty() || is_own {
        true => embed::query(&request.query).await,
        false => None,
    };
    let embedder = vector.as_ref().map(|vector| vector.embedder.clone()).unwrap_or_default();
    match ask(&ToShelf::Search { request, vector }, None).await {
        Ok((FromShelf::Found { mut response }, _)) => {
            for hit in &mut response.hits {
                hit.similarity = hit.similarity.map(|cosine| similarity(&embedder, cosine));
            }
            found.add(response);
        }
        // A browser that keeps nothing has nothing to be found.
        Err(error) if is_own => found.error = Some(error),
        _ => {}
    }
    // Both give scores of one fusion; of those at the same place the nearer one is first.
    found.hits.sort_by(|a, b| {
        let near = |hit: &Hit| hit.similarity.unwrap_or_default();
        (b.score as f32).total_cmp(&(a.score as f32)).then(near(b).total_cmp(&near(a)))
    });
    found.hits.truncate(LIMIT as usize);
    let collection = Some(filters.collection).filter(|id| !id.is_empty());
    found.total = found.facets.total(collection.as_deref()).max(found.hits.len() as u64);
    found
}

fn filters(library: Library, found: RwSignal<Option<Asked<Found>>>) -> impl IntoView {
    let named = move |name: String, pick: fn(&Facets) -> &BTreeMap<String, u64>, value: &str| {
        let count = found
            .try_with(|found| pick(&found.as_ref()?.loaded()?.facets).get(value).copied())
            .flatten();
        match count.filter(|n| *n > 0) {
            Some(n) => format!("{name} ({})", format::integer(library.lang.get(), n)),
            None => name,
        }
    };
    let set =
        move |change: &dyn Fn(&mut Filters)| library.filters.update(|filters| change(filters));
    let is_chosen = move |pick: fn(&Filters) -> &String, value: &str| {
        library.filters.with(|filters| pick(filters) == value)
    };
    let collections = move || {
        let known = library.collections.get();
        let own = (ON_DEVICE.to_owned(), Text::OnDevice.get(library.lang.get()).to_owned());
        let known = known.loaded().cloned().unwrap_or_default();
        let all = std::iter::once(own).chain(known.into_iter().map(|one| (one.id, one.title)));
        all.map(|(id, title)| {
            let name = named(title, |facets| &facets.collections, &id);
            let selected = is_chosen(|filters| &filters.collection, &id);
            view! { <option value=id.clone() selected=selected>{name}</option> }
        })
        .collect_view()
    };
    let types = move || {
        let one = |kind: &portico_library::kinds::Kind| {
            let name = named(kind.name.to_owned(), |facets| &facets.types, kind.media_type);
            let selected = is_chosen(|filters| &filters.media_type, kind.media_type);
            view! { <option value=kind.media_type selected=selected>{name}</option> }
        };
        KINDS.iter().map(one).collect_view()
    };
    let langs = move || {
        [("de", Text::LangDe), ("en", Text::LangEn), ("other", Text::LangOther)]
            .map(|(code, text)| {
                let selected = is_chosen(|filters| &filters.lang, code);
                let name = text.get(library.lang.get()).to_owned();
                let name = named(name, |facets| &facets.langs, code);
                view! { <option value=code selected=selected>{name}</option> }
            })
            .collect_view()
    };
    let any = move || view! { <option value="">{library.t(Text::FilterAny)}</option> };
    view! {
        <fieldset class="filters">
            <legend class="visually-hidden">{library.t(Text::Filters)}</legend>
            <label><span>{library.t(Text::FilterCollection)}</span>
                <select on:change:target=move |event| set(&|filters| filters.collection = event.target().value())>
                    {any()} {collections}
                </select>
            </label>
            <label><span>{library.t(Text::FilterType)}</span>
                <select on:change:target=move |event| set(&|filters| filters.media_type = event.target().value())>
                    {any()} {types}
                </select>
            </label>
            <label><span>{library.t(Text::FilterLang)}</span>
                <select on:change:target=move |event| set(&|filters| filters.lang = event.target().value())>
                    {any()} {langs}
                </select>
            </label>
            <label><span>{library.t(Text::FilterFrom)}</span>
                <input type="date" prop:value=move || library.filters.with(|filters| filters.from.clone())
                    on:change:target=move |event| set(&|filters| filters.from = event.target().value())/>
            </label>
            <label><span>{library.t(Text::FilterTo)}</span>
                <input type="date" prop:value=move || library.filters.with(|filters| filters.to.clone())
                    on:change:target=move |event| set(&|filters| filters.to = event.target().value())/>
            </label>
            <Show when=move || library.filters.with(|filters| *filters != Filters::default())>
                <button type="button" class="button quiet small" on:click=move |_| {
                    library.filters.set(Filters::default());
                }>{library.t(Text::ClearFilters)}</button>
            </Show>
        </fieldset>
    }
}

fn results(library: Library, found: Found, version: RwSignal<u32>) -> impl IntoView {
    let Found { query, hits, total, error, .. } = found;
    let lang = library.lang.get();
    let n = hits.len() as u64;
    let is_empty = hits.is_empty() && error.is_none();
    let (shown, all) = (format::integer(lang, n), format::integer(lang, total));
    let summary = match total > n {
        true => Text::HitsOfMany.fill(lang, &[("n", &shown), ("total", &all)]),
        false => Text::count(Text::HitOne, Text::HitMany, lang, n, &shown),
    };
    view! {
        {error.map(|error| failed(library, error, move || version.update(|version| *version += 1)))}
        {is_empty.then(|| view! {
            <div data-state="no-hits">
                <p>{Text::NoHits.fill(lang, &[("query", &query)])}</p>
                <p class="hint">{Text::NoHitsHint.get(lang)}</p>
            </div>
        })}
        {(!hits.is_empty()).then(|| view! {
            <p class="hint" data-hits=n.to_string() data-total=total.to_string()>{summary}</p>
            <ol class="hits" aria-label=library.t(Text::Results) on:keydown=move |event| {
                let step = match event.key().as_str() {
                    "ArrowDown" => 1,
                    "ArrowUp" => -1,
                    _ => return,
                };
                if move_focus(step) {
                    event.prevent_default();
                }
            }>{hits.into_iter().map(|one| hit(library, one)).collect_view()}</ol>
        })}
    }
}

fn hit(library: Library, hit: Hit) -> impl IntoView {
    let address = Address::Document { id: hit.document.id, passage: Some(hit.passage) };
    let marks: Vec<_> = hit.highlights.iter().map(|[from, to]| *from..*to).collect();
    let (text, marks) = excerpt(&hit.text, &marks, EXCERPT_CHARS);
    let collection = hit.document.collection.clone();
    let is_own = collection == ON_DEVICE;
    let (passage, name) = (hit.passage.to_string(), hit.document.name.clone());
    let line = move || {
        let lang = library.lang.get();
        let page = hit.page.map(|n| Text::PageNumber.fill(lang, &[("n", &n.to_string())]));
        dotted([
            library.collection_title(&hit.document.collection),
            page.unwrap_or_default(),
            hit.section.clone().unwrap_or_default(),
            hit.heading_path.join(" › "),
            how(lang, hit.ranks.full_text.is_some(), hit.ranks.vector.is_some()),
        ])
    };
    view! {
        <li class="hit" data-passage=passage data-collection=collection>
            <a class="hit-open" href=address.hash()>
                <span class="hit-name" dir="auto">{name}</span>
                <Show when=move || is_own>
                    <span class="badge">{library.t(Text::OnDeviceMark)}</span>
                </Show>
            </a>
            <p class="hit-line">{line}</p>
            <p class="hit-text" dir="auto">{marked(&text, &marks)}</p>
        </li>
    }
}

fn how(lang: Lang, by_words: bool, by_meaning: bool) -> String {
    let (words, meaning) = (Text::ByWords.get(lang), Text::ByMeaning.get(lang));
    let how = match (by_words, by_meaning) {
        (true, true) => Text::And.fill(lang, &[("a", words), ("b", meaning)]),
        (true, false) => words.to_owned(),
        (false, true) => meaning.to_owned(),
        (false, false) => return String::new(),
    };
    Text::FoundBy.fill(lang, &[("how", &how)])
}

/// A text with parts of it marked.
pub fn marked(text: &str, marks: &[std::ops::Range<u32>]) -> impl IntoView + use<> {
    let one = |piece: portico_library::marks::Piece| match piece.is_marked {
        true => view! { <mark>{piece.text}</mark> }.into_any(),
        false => piece.text.into_any(),
    };
    pieces(text, marks).into_iter().map(one).collect_view()
}

fn hit_links() -> Vec<web_sys::HtmlElement> {
    let document = web_sys::window().and_then(|window| window.document());
    let found = document.and_then(|document| document.query_selector_all(".hit-open").ok());
    let Some(found) = found else { return Vec::new() };
    (0..found.length()).filter_map(|at| found.item(at)?.dyn_into().ok()).collect()
}

fn focus_hit(at: usize) -> bool {
    hit_links().get(at).is_some_and(|link| link.focus().is_ok())
}

/// To the next result or the one before; before the first one is the box.
fn move_focus(step: isize) -> bool {
    let active = web_sys::window().and_then(|window| window.document()?.active_element());
    let links = hit_links();
    let at = links.iter().position(|link| active.as_ref() == Some(link.as_ref()));
    let Some(next) = at.map(|at| at as isize + step) else { return false };
    match usize::try_from(next) {
        Ok(next) => focus_hit(next),
        Err(_) => focus_input(),
    }
}

fn focus_input() -> bool {
    js::by_id(INPUT_ID).is_some_and(|input| input.focus().is_ok())
}
