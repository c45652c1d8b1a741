//! A collection: its documents, how far each is, and where files are dropped.

use leptos::html;
use leptos::prelude::*;
use portico_library::address::{Address, ON_DEVICE, encoded};
use portico_library::api::{Document, Documents, Job, Right, State};
use portico_library::kinds;
use portico_library::texts::Text;
use portico_page::format;
use portico_shared::error::{ApiError, ErrorCode, Lang};
use portico_web::turns::Turns;
use uuid::Uuid;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::parts::{self, CLOSE, FOLDER, LEFT, PLUS, REDO, TRASH, dotted, failed, icon, loading};
use super::uploads;
use crate::embed::{self, Runnable};
use crate::js::{self, Chosen};
use crate::state::{Asked, Library};
use crate::{device, net};

/// When documents that are on their way are asked for again. The queue's events say so sooner, except where a
/// document went its way between two looks, as one does that fails twice.
const AGAIN_MS: i32 = 2_000;
/// Documents that are asked for at once.
const LIMIT: usize = 100;

pub fn collection(library: Library, id: String) -> impl IntoView {
    let is_own = id == ON_DEVICE;
    let id = StoredValue::new(id);
    let known = Memo::new(move |_| id.with_value(|id| library.collection(id)));
    let right = Memo::new(move |_| match is_own {
        true => Some(Right::Manage),
        false => known.with(|known| known.as_ref().map(|one| one.rights)),
    });
    let may = move |wanted: Right| right.get().is_some_and(|right| right >= wanted);
    let documents = RwSignal::new(Asked::Loading);
    let has_more = RwSignal::new(false);
    Effect::new(move |_| {
        match is_own {
            true => library.shelf_version.track(),
            false => library.version.track(),
        }
        library.online.track();
        load(id.get_value(), documents, has_more);
    });
    if is_own {
        // What an earlier visit left without vectors.
        embed::catch_up(library);
    }
    let title = move || id.with_value(|id| library.collection_title(id));
    view! {
        <header class="library-head">
            <a class="back" href=Address::Collections.hash()>{icon(LEFT)} {library.t(Text::Collections)}</a>
            <div class="library-head-row">
                <h2 class="library-title" dir="auto">{title}</h2>
                <Show when=move || !is_own && right.get() == Some(Right::Read)>
                    <span class="badge">{library.t(Text::RightRead)}</span>
                </Show>
                <Show when=move || !is_own && may(Right::Manage)>
                    <button type="button" class="button quiet danger small" on:click=move |_| {
                        let title = untrack(title);
                        let text = library.fill(Text::DeleteCollectionConfirm, &[("title", &title)]);
                        library.ask(text, Text::DeleteCollection, move || {
                            delete_collection(library, id.get_value(), documents);
                        });
                    }>{library.t(Text::DeleteCollection)}</button>
                </Show>
            </div>
            <Show when=move || is_own>
                <p class="muted">{library.t(Text::OnDeviceHint)}</p>
            </Show>
        </header>
        <Show when=move || may(Right::Contribute)>{drop_zone(library, id, is_own)}</Show>
        {uploads::uploads(library, id)}
        {queue(library, id)}
        {move || match documents.get() {
            Asked::Loading => loading(library).into_any(),
            Asked::Failed(error) => failed(library, error, move || {
                load(id.get_value(), documents, has_more);
            }).into_any(),
            Asked::Loaded(found) if found.is_empty() => {
                let text = if may(Right::Contribute) { Text::NoDocumentsAdd } else { Text::NoDocuments };
                view! { <p class="hint" data-state="no-documents">{library.t(text)}</p> }.into_any()
            }
            Asked::Loaded(found) => {
                let may_change = may(Right::Contribute);
                view! {
                    <ul class="doc-rows" aria-label=library.t(Text::Documents)>
                        {found.into_iter().map(|one| row(library, one, may_change)).collect_view()}
                    </ul>
                }.into_any()
            }
        }}
        <Show when=move || has_more.get()>
            <button type="button" class="button quiet center-self" on:click=move |_| {
                more(id.get_value(), documents, has_more);
            }>{library.t(Text::MoreDocuments)}</button>
        </Show>
    }
}

type Listed = RwSignal<Asked<Vec<Document>>>;

fn load(id: String, documents: Listed, has_more: RwSignal<bool>) {
    thread_local!(static ASKED: Turns = const { Turns::new() });
    let turn = ASKED.with(Turns::next);
    // What is shown stays until the new is there.
    spawn_local(async move {
        // As many as there were, so that nothing vanishes that was asked for.
        let n_shown = documents.with_untracked(|known| known.loaded().map_or(0, Vec::len));
        let limit = n_shown.max(LIMIT);
        let found = match id == ON_DEVICE {
            true => device::list().await,
            false => listed(&id, None, limit).await,
        };
        if !ASKED.with(|asked| asked.take(turn)) {
            return;
        }
        has_more.set(id != ON_DEVICE && found.as_ref().is_ok_and(|found| found.len() >= limit));
        let keeps = found.as_ref().is_err_and(|error| error.code == ErrorCode::ServerUnreachable)
            && n_shown > 0;
        if keeps {
            return;
        }
        let is_pending = found.as_ref().is_ok_and(|found| {
            id != ON_DEVICE && found.iter().any(|document| document.state.is_pending())
        });
        // The view may have gone.
        let is_gone = documents.try_set(found.into()).is_some();
        if is_pending && !is_gone {
            js::sleep_ms(AGAIN_MS).await;
            if ASKED.with(|asked| asked.is_last(turn)) && !documents.is_disposed() {
                load(id, documents, has_more);
            }
        }
    });
}

async fn listed(id: &str, after: Option<Uuid>, limit: usize) -> Result<Vec<Document>, ApiError> {
    let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
    let path = format!("/api/collections/{}/documents?limit={limit}{after}", encoded(id));
    Ok(net::get::<Documents>(&path).await?.documents)
}

fn more(id: String, documents: Listed, has_more: RwSignal<bool>) {
    spawn_local(async move {
        let last =
            documents.with_untracked(|known| known.loaded().and_then(|all| Some(all.last()?.id)));
        if let Ok(found) = listed(&id, last, LIMIT).await {
            has_more.set(found.len() >= LIMIT);
            documents.update(|known| {
                if let Asked::Loaded(known) = known {
                    known.extend(found);
                }
            });
        }
    });
}

fn delete_collection(library: Library, id: String, documents: Listed) {
    spawn_local(async move {
        match net::done("DELETE", &format!("/api/collections/{}", encoded(&id))).await {
            Ok(()) => {
                library.load_collections();
                library.go(Address::Collections);
            }
            Err(error) => {
                documents.try_set(Asked::Failed(error));
            }
        }
    });
}

/// Where files are dropped, pasted and chosen.
fn drop_zone(library: Library, id: StoredValue<String>, is_own: bool) -> impl IntoView {
    let is_over = RwSignal::new(false);
    let take = move |files: Vec<Chosen>| {
        if !files.is_empty() {
            id.with_value(|id| crate::uploads::add(library, id, files));
        }
    };
    // Taken while the event lasts, read afterwards.
    let take_transfer = move |transfer: JsValue| {
        let files = js::files_of(&transfer);
        spawn_local(async move {
            if let Ok(list) = JsFuture::from(files).await {
                take(js::chosen(&list));
            }
        });
    };
    let transfer = |event: &web_sys::Event, name: &str| js_sys::Reflect::get(event, &name.into());
    let has_files = move |event: &web_sys::Event, name: &str| {
        let transfer = transfer(event, name).unwrap_or_default();
        let types = js_sys::Reflect::get(&transfer, &"types".into()).unwrap_or_default();
        js_sys::Array::from(&types).includes(&"Files".into(), 0)
    };
    let pasted = window_event_listener_untyped("paste", move |event| {
        if has_files(&event, "clipboardData") {
            event.prevent_default();
            take_transfer(transfer(&event, "clipboardData").unwrap_or_default());
        }
    });
    on_cleanup(move || pasted.remove());
    let files = NodeRef::<html::Input>::new();
    let folder = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        // The macro does not know this one.
        if let Some(input) = folder.get() {
            input.set_attribute("webkitdirectory", "").ok();
        }
    });
    let choose = move |input: NodeRef<html::Input>| {
        if let Some(input) = input.get_untracked() {
            input.click();
        }
    };
    let chosen = move |event: &web_sys::Event| {
        let Some(input) = event.target() else { return };
        take(js::chosen(&js::files_of_input(&input)));
        // The same file may be chosen again.
        js_sys::Reflect::set(&input, &"value".into(), &"".into()).ok();
    };
    let hint = if is_own { Text::DropHintDevice } else { Text::DropHint };
    view! {
        <div class="drop-zone" class:over=move || is_over.get()
            on:dragover=move |event| {
                if has_files(&event, "dataTransfer") {
                    event.prevent_default();
                    is_over.set(true);
                }
            }
            on:dragleave=move |_| is_over.set(false)
            on:drop=move |event| {
                is_over.set(false);
                if has_files(&event, "dataTransfer") {
                    event.prevent_default();
                    take_transfer(transfer(&event, "dataTransfer").unwrap_or_default());
                }
            }>
            <p class="drop-title">{library.t(Text::DropHere)}</p>
            <p class="hint">{library.t(hint)}</p>
            <div class="row">
                <button type="button" class="button primary" on:click=move |_| choose(files)>
                    {icon(PLUS)} {library.t(Text::AddFiles)}
                </button>
                <button type="button" class="button" on:click=move |_| choose(folder)>
                    {icon(FOLDER)} {library.t(Text::AddFolder)}
                </button>
            </div>
            <input type="file" multiple=true hidden=true node_ref=files data-choose="files"
                accept=if is_own { ".pdf,.html,.htm,.xhtml,.md,.markdown,.txt,.text,.log,.csv,.tsv".to_owned() } else { kinds::accepted() }
                on:change=move |event| chosen(&event)/>
            <input type="file" multiple=true hidden=true node_ref=folder
                on:change=move |event| chosen(&event)/>
            {(!is_own).then(|| indexing_switch(library, id))}
            {is_own.then(|| meaning(library))}
        </div>
    }
}

/// How the documents of this browser are searched: by words, until the person has the device embed, too.
fn meaning(library: Library) -> impl IntoView {
    let chosen = RwSignal::new(None::<String>);
    let offered = RwSignal::new(None::<Runnable>);
    spawn_local(async move {
        let own = embed::embedder().await;
        if own.is_none() {
            offered.try_set(embed::runnable(None).await);
        }
        chosen.try_set(own);
    });
    let choose = move |id: String| {
        offered.set(None);
        embed::choose(library, &id);
        chosen.set(Some(id));
    };
    let error = move || library.embedding.with(|progress| progress.error.clone());
    view! {
        {move || offered.get().map(|Runnable { id, name, size_bytes }| {
            let lang = library.lang.get();
            let values = [("name", name.as_str()), ("size", &format::bytes(lang, size_bytes))];
            view! {
                <button type="button" class="button small" on:click=move |_| choose(id.clone())>
                    {library.t(Text::MeaningOffer)}
                </button>
                <p class="hint">{Text::MeaningHint.fill(lang, &values)}</p>
            }
        })}
        <Show when=move || chosen.with(Option::is_some) && error().is_none()>
            <p class="hint" data-meaning="on">{library.t(Text::MeaningOn)}</p>
        </Show>
        {move || error().map(|error| {
            let code = error.code.as_str();
            view! {
                <p class="doc-error" role="alert" data-error=code data-meaning="failed">
                    {dotted([Text::MeaningFailed.get(library.lang.get()).to_owned(), error.text(library.lang.get())])}
                </p>
                <button type="button" class="button small" on:click=move |_| {
                    library.embedding.set(embed::Progress::default());
                    embed::catch_up(library);
                }>{library.t(Text::TryAgain)}</button>
            }
        })}
    }
}

/// Shown where this device can run the collection's embedder.
fn indexing_switch(library: Library, id: StoredValue<String>) -> impl IntoView {
    let wanted = Memo::new(move |_| id.with_value(|id| library.collection(id))?.embedder);
    let runnable = RwSignal::new(None::<Runnable>);
    let chosen = RwSignal::new(None::<String>);
    Effect::new(move |_| {
        let wanted = wanted.get();
        spawn_local(async move {
            let known = match wanted {
                Some(id) => embed::runnable(Some(&id)).await,
                None => None,
            };
            chosen.try_set(embed::embedder().await);
            runnable.try_set(known);
        });
    });
    let switch = move |is_on: bool| {
        library.indexes_here.set(is_on);
        // The device has one embedder; another that it was given before stays.
        if let Some(known) = runnable.get_untracked()
            && is_on
            && chosen.with_untracked(Option::is_none)
        {
            embed::choose(library, &known.id);
        }
    };
    view! {
        {move || runnable.get().map(|Runnable { id, name, size_bytes }| {
            let lang = library.lang.get();
            let values = [("name", name.as_str()), ("size", &format::bytes(lang, size_bytes))];
            let loads = chosen.with(|chosen| chosen.as_ref() != Some(&id));
            let loads = loads.then(|| Text::IndexedByDeviceLoads.fill(lang, &values));
            let hint = [Some(Text::IndexedByDeviceHint.get(lang).to_owned()), loads];
            let hint: Vec<String> = hint.into_iter().flatten().collect();
            view! {
                <label class="switch">
                    <input type="checkbox" prop:checked=library.indexes_here
                        on:change:target=move |event| switch(event.target().checked())/>
                    <span>{library.t(Text::IndexedByDevice)}</span>
                </label>
                <p class="hint">{hint.join(" ")}</p>
            }
        })}
    }
}

/// How far the server is with what came in.
fn queue(library: Library, id: StoredValue<String>) -> impl IntoView {
    let is_here = move |job: &Job| {
        job.state.is_pending() && id.with_value(|id| job.document.collection == *id)
    };
    let total =
        move || library.jobs.with(|jobs| jobs.jobs.iter().any(is_here).then_some(jobs.total));
    view! {
        {move || total().map(|total| {
            let lang = library.lang.get();
            let shown = |n| format::integer(lang, n);
            let done = shown(total.n_ready + total.n_failed);
            let all = shown(total.n_documents);
            let documents = Text::QueueProgress.fill(lang, &[("done", &done), ("total", &all)]);
            let bytes = [
                ("done", format::bytes(lang, total.bytes_done)),
                ("total", format::bytes(lang, total.bytes)),
            ];
            let bytes = bytes.each_ref().map(|(name, value)| (*name, value.as_str()));
            let bytes = Text::UploadBytes.fill(lang, &bytes);
            let rate = total.bytes_per_s.map(|rate| format::byte_rate(lang, rate)).unwrap_or_default();
            let left = total.left_s.map(|seconds| format::wait(lang, seconds));
            let left = left.map(|time| Text::UploadLeft.fill(lang, &[("time", &time)]));
            let share = format::whole_percent(total.bytes_done, total.bytes);
            let width = format!("{share}%");
            view! {
                <section class="queue" aria-label=library.t(Text::QueueTitle)>
                    <p class="progress-line">{dotted([
                        Text::QueueTitle.get(lang).to_owned(), documents, bytes, rate, left.unwrap_or_default(),
                    ])}</p>
                    <div class="bar" role="progressbar" aria-label=library.t(Text::QueueTitle)
                        aria-valuemin="0" aria-valuemax="100" aria-valuenow=share.to_string()>
                        <div class="bar-done" style:width=width></div>
                    </div>
                </section>
            }
        })}
    }
}

fn row(library: Library, document: Document, may_change: bool) -> impl IntoView {
    let document = StoredValue::new(document);
    let (id, is_own, state, name) = document
        .with_value(|own| (own.id, own.collection == ON_DEVICE, own.state, own.name.clone()));
    let values = move |text: Text| {
        document.with_value(|own| text.fill(library.lang.get(), &[("name", &own.name)]))
    };
    let job = move || {
        library.jobs.with(|jobs| jobs.jobs.iter().find(|job| job.document.id == id).cloned())
    };
    let line = move || {
        let lang = library.lang.get();
        let embedding = library.embedding.with(|progress| progress.now);
        document.with_value(|own| match embedding.filter(|(now, ..)| is_own && *now == id) {
            Some((_, n_embedded, n_passages)) => {
                let (n_embedded, n_passages) = (n_embedded as u64, n_passages as u64);
                let now =
                    Document { state: State::Embedding, n_embedded, n_passages, ..own.clone() };
                row_line(lang, &now, None)
            }
            None => row_line(lang, own, job().as_ref()),
        })
    };
    let is_embedded =
        document.with_value(|own| own.n_embedded > 0 && own.n_embedded == own.n_passages);
    let error = document.with_value(|own| own.error.clone());
    let retries = RwSignal::new(None::<ApiError>);
    let act = move |method: &'static str, path: String| {
        spawn_local(async move {
            match net::done(method, &path).await {
                Ok(()) => library.changed(),
                Err(error) => {
                    retries.try_set(Some(error));
                }
            }
        });
    };
    view! {
        <li class="doc-row" data-document=id.to_string() data-doc-state=state.name() data-embedded=is_embedded.to_string()>
            <a class="doc-name" dir="auto" href=Address::Document { id, passage: None }.hash()>{name}</a>
            <span class="doc-line">{line}</span>
            {error.map(|error| {
                let code = error.code.as_str();
                view! { <p class="doc-error" data-error=code>{move || error.text(library.lang.get())}</p> }
            })}
            {move || retries.get().map(|error| view! {
                <p class="doc-error" role="alert">{error.text(library.lang.get())}</p>
            })}
            <Show when=move || may_change>
                <span class="doc-actions">
                    {(state == State::Failed).then(|| view! {
                        <button type="button" class="icon-button small" aria-label=move || values(Text::RetryDocument)
                            title=library.t(Text::TryAgain)
                            on:click=move |_| act("POST", format!("/api/documents/{id}/retry"))>{icon(REDO)}</button>
                    })}
                    {document.with_value(|own| own.job).filter(|_| state.is_pending()).map(|job| view! {
                        <button type="button" class="icon-button small" aria-label=move || values(Text::CancelDocument)
                            title=library.t(Text::Cancel)
                            on:click=move |_| act("POST", format!("/api/jobs/{job}/cancel"))>{icon(CLOSE)}</button>
                    })}
                    <button type="button" class="icon-button small" aria-label=move || values(Text::DeleteDocument)
                        title=library.t(Text::Delete) on:click=move |_| {
                            let text = untrack(|| values(Text::DeleteDocumentConfirm));
                            library.ask(text, Text::Delete, move || {
                                library.say(untrack(|| values(Text::DocumentDeleted)));
                                if !is_own {
                                    return act("DELETE", format!("/api/documents/{id}"));
                                }
                                spawn_local(async move {
                                    match device::delete(id).await {
                                        Ok(()) => library.shelf_version.update(|version| *version += 1),
                                        Err(error) => {
                                            retries.try_set(Some(error));
                                        }
                                    }
                                });
                            });
                        }>{icon(TRASH)}</button>
                </span>
            </Show>
        </li>
    }
}

/// `PDF · 1.2 MB · 12 pages · 34 passages · 25 Nov 2026`, or how far it is.
fn row_line(lang: Lang, document: &Document, job: Option<&Job>) -> String {
    let shown = |n| format::integer(lang, n);
    let state = job.map_or(document.state, |job| job.state);
    let (n_passages, n_embedded) = job
        .map_or((document.n_passages, document.n_embedded), |job| (job.n_passages, job.n_embedded));
    let state = match state {
        State::Queued => Text::StateQueued.get(lang).to_owned(),
        State::Extracting => Text::StateExtracting.get(lang).to_owned(),
        State::Embedding => Text::StateEmbedding
            .fill(lang, &[("done", &shown(n_embedded)), ("total", &shown(n_passages))]),
        State::Indexing => Text::StateIndexing.get(lang).to_owned(),
        State::Failed => Text::StateFailed.get(lang).to_owned(),
        State::Ready => String::new(),
    };
    let pages = document.n_pages.map(u64::from).filter(|n| *n > 0);
    let pages = pages.map(|n| Text::count(Text::PagesOne, Text::PagesMany, lang, n, &shown(n)));
    let passages = (document.n_passages > 0 && state.is_empty()).then(|| {
        let n = document.n_passages;
        Text::count(Text::PassageOne, Text::PassageMany, lang, n, &shown(n))
    });
    let own = (document.collection == ON_DEVICE).then(|| Text::OnDeviceMark.get(lang).to_owned());
    dotted([
        state,
        kinds::type_name(&document.media_type),
        format::bytes(lang, document.size_bytes),
        pages.unwrap_or_default(),
        passages.unwrap_or_default(),
        parts::date(lang, document.date_s),
        own.unwrap_or_default(),
    ])
}
