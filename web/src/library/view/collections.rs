//! All collections: this browser's own and the server's.

use leptos::prelude::*;
use portico_library::address::{Address, ON_DEVICE};
use portico_library::api::{Collection, Document, Right};
use portico_library::texts::Text;
use portico_page::format;
use portico_shared::error::Lang;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;

use super::parts::{self, FOLDER, LAPTOP, PLUS, dotted, failed, icon, loading};
use crate::state::{Asked, Library};
use crate::{device, net};

pub fn collections(library: Library) -> impl IntoView {
    let own = RwSignal::new(None::<Vec<Document>>);
    Effect::new(move |_| {
        library.shelf_version.track();
        // Where nothing can be kept there is nothing: the collection itself says why.
        spawn_local(async move { own.set(device::list().await.ok()) });
    });
    view! {
        <h2 class="library-title">{library.t(Text::Collections)}</h2>
        <p class="muted">{library.t(Text::CollectionsIntro)}</p>
        <ul class="collections">
            <li>{own_card(library, own)}</li>
            {move || library.collections.get().loaded().map(|known| {
                known.iter().cloned().map(|one| view! { <li>{card(library, one)}</li> }).collect_view()
            })}
        </ul>
        {move || match library.collections.get() {
            Asked::Loading => loading(library).into_any(),
            Asked::Failed(error) => failed(library, error, move || {
                library.collections.set(Asked::Loading);
                library.load_collections();
            }).into_any(),
            Asked::Loaded(known) if known.is_empty() => view! {
                <p class="hint" data-state="no-collections">{library.t(Text::NoCollectionsManage)}</p>
            }.into_any(),
            Asked::Loaded(_) => ().into_any(),
        }}
        <Show when=move || library.collections.with(|known| known.loaded().is_some())>
            {new_collection(library)}
        </Show>
    }
}

/// `12 documents · 340 passages`
fn counts(lang: Lang, n_documents: u64, n_passages: u64) -> String {
    let shown = |n| format::integer(lang, n);
    let documents =
        Text::count(Text::DocumentOne, Text::DocumentMany, lang, n_documents, &shown(n_documents));
    let passages =
        Text::count(Text::PassageOne, Text::PassageMany, lang, n_passages, &shown(n_passages));
    dotted([documents, if n_documents > 0 { passages } else { String::new() }])
}

fn own_card(library: Library, own: RwSignal<Option<Vec<Document>>>) -> impl IntoView {
    let line = move || {
        let lang = library.lang.get();
        own.with(|own| {
            let own = own.as_ref()?;
            let n_passages = own.iter().map(|document| document.n_passages).sum();
            Some(counts(lang, own.len() as u64, n_passages))
        })
    };
    view! {
        <a class="collection" href=Address::Collection(ON_DEVICE.to_owned()).hash() data-collection=ON_DEVICE>
            {icon(LAPTOP)}
            <span class="collection-name">{library.t(Text::OnDevice)}</span>
            <span class="collection-line">{line}</span>
            <span class="collection-line">{library.t(Text::OnDeviceHint)}</span>
        </a>
    }
}

fn card(library: Library, collection: Collection) -> impl IntoView {
    let Collection { id, title, rights, n_documents, n_passages, embedder } = collection;
    let right = match rights {
        Right::Read => Text::RightRead,
        Right::Contribute => Text::RightContribute,
        Right::Manage => Text::RightManage,
    };
    let line = move || {
        let lang = library.lang.get();
        let words = if embedder.is_none() { Text::ByWordsAlone.get(lang) } else { "" };
        dotted([counts(lang, n_documents, n_passages), words.to_owned()])
    };
    view! {
        <a class="collection" href=Address::Collection(id.clone()).hash() data-collection=id>
            {icon(FOLDER)}
            <span class="collection-name">{title}</span>
            <span class="collection-line">{line}</span>
            <span class="badge">{library.t(right)}</span>
        </a>
    }
}

fn new_collection(library: Library) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let title = RwSignal::new(String::new());
    let for_groups = RwSignal::new(false);
    let groups = RwSignal::new(String::new());
    let error = RwSignal::new(None);
    let create = move || {
        let wanted = title.get_untracked();
        if wanted.trim().is_empty() {
            return;
        }
        let mut body = json!({ "title": wanted.trim() });
        if for_groups.get_untracked() {
            let names = groups.get_untracked();
            let names: Vec<&str> =
                names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
            body["groups"] = json!({ "read": names, "contribute": [], "manage": [] });
        }
        spawn_local(async move {
            match net::post::<Collection>("/api/collections", &body).await {
                Ok(collection) => {
                    is_open.set(false);
                    title.set(String::new());
                    error.set(None);
                    let values = [("title", collection.title.as_str())];
                    library.say(library.fill(Text::CollectionCreated, &values));
                    library.load_collections();
                    library.go(Address::Collection(collection.id));
                }
                Err(failure) => error.set(Some(failure)),
            }
        });
    };
    view! {
        <Show when=move || is_open.get() fallback=move || view! {
            <button type="button" class="button" on:click=move |_| {
                is_open.set(true);
                crate::js::next_frame(|| {
                    if let Some(input) = crate::js::by_id("new-collection-title") {
                        input.focus().ok();
                    }
                });
            }>{icon(PLUS)} {library.t(Text::NewCollection)}</button>
        }>
            <form class="card new-collection" on:submit=move |event| {
                event.prevent_default();
                create();
            }>
                <h3>{library.t(Text::NewCollection)}</h3>
                <label class="field tall">
                    <span>{library.t(Text::CollectionTitle)}</span>
                    <input type="text" id="new-collection-title" required=true maxlength="200" autocomplete="off"
                        prop:value=title on:input:target=move |event| title.set(event.target().value())/>
                </label>
                <label class="field">
                    <span>{library.t(Text::CollectionReaders)}</span>
                    <select on:change:target=move |event| for_groups.set(event.target().value() == "groups")>
                        <option value="everyone">{library.t(Text::ReadersEveryone)}</option>
                        <option value="groups">{library.t(Text::ReadersGroups)}</option>
                    </select>
                </label>
                <Show when=move || for_groups.get()>
                    <label class="field tall">
                        <span>{library.t(Text::GroupsLabel)}</span>
                        <input type="text" autocomplete="off" prop:value=groups
                            on:input:target=move |event| groups.set(event.target().value())/>
                    </label>
                </Show>
                {move || error.get().map(|error| parts::failed(library, error, create))}
                <div class="row">
                    <button type="submit" class="button primary">{library.t(Text::CreateCollection)}</button>
                    <button type="button" class="button quiet" on:click=move |_| is_open.set(false)>
                        {library.t(Text::Cancel)}
                    </button>
                </div>
            </form>
        </Show>
    }
}
