//! The model picker: what each model is, whether this device runs it, and how far it is.

use std::sync::Arc;

use leptos::prelude::*;
use portico_page::format;
use portico_page::i18n::Text;
use portico_page::route::Offer;
use portico_shared::catalogue::{Kind, ModelView};
use portico_shared::error::ApiError;
use portico_web::protocol::ModelState;
use wasm_bindgen_futures::spawn_local;

use super::dialog::dialog;
use super::{progress, welcome};
use crate::models;
use crate::page::{Catalogue, Page};

pub fn models_dialog(page: Page) -> impl IntoView {
    let content = view! {
        <p class="muted">{page.t(Text::ModelsIntro)}</p>
        {move || match page.catalogue.get() {
            Catalogue::Loading => view! {
                <p class="muted" role="status">{page.t(Text::CatalogueLoading)}</p>
            }.into_any(),
            Catalogue::Failed(why) => view! {
                <div class="notice error" role="alert">
                    <p>{page.t(Text::CatalogueFailed)}</p>
                    <details><summary>{page.t(Text::Details)}</summary><pre>{why}</pre></details>
                    <button type="button" class="button" on:click=move |_| {
                        spawn_local(models::load_catalogue(page));
                    }>{page.t(Text::TryAgain)}</button>
                </div>
            }.into_any(),
            Catalogue::Loaded { models, .. } if models.is_empty() => view! {
                <p class="muted">{page.t(Text::CatalogueEmpty)}</p>
            }.into_any(),
            Catalogue::Loaded { models, default_model } => {
                let cards: Vec<_> = in_order(page, models)
                    .into_iter()
                    .map(|model| {
                        let is_default = default_model.as_ref() == Some(&model.model.id);
                        card(page, model, is_default).into_any()
                    })
                    .collect();
                view! { <ul class="cards">{cards}</ul> }.into_any()
            }
        }}
        {on_server(page).into_any()}
    };
    dialog(page, "models", Text::Models, content)
}

/// Models that the server answers with and the catalogue does not list: those of other machines.
fn on_server(page: Page) -> impl IntoView {
    move || {
        let ids = page.offer.with(|offer| match offer {
            Offer::Models(ids) => ids.clone(),
            _ => Vec::new(),
        });
        let ids: Vec<String> = ids.into_iter().filter(|id| page.model(id).is_none()).collect();
        (!ids.is_empty()).then(|| {
            view! {
                <section class="server-models">
                    <h3>{page.t(Text::ServerModels)}</h3>
                    <p class="muted">{page.t(Text::ServerModelsHint)}</p>
                    <ul class="cards">{ids.into_iter().map(|id| view! {
                        <li class="card" data-model=id.clone()>
                            <div class="card-head"><h4>{id.clone()}</h4></div>
                            <div class="row">{server_button(page, &id)}</div>
                        </li>
                    }).collect_view()}</ul>
                </section>
            }
        })
    }
}

fn server_button(page: Page, id: &str) -> impl IntoView + use<> {
    let id = id.to_owned();
    view! {
        <button type="button" class="button" on:click=move |_| {
            models::choose_on_server(page, &id);
            page.dialog.set(None);
        }>{page.t(Text::UseOnServer)}</button>
    }
}

/// First what can be loaded, in the catalogue's order; what only tests use is left out.
fn in_order(page: Page, models: Vec<Arc<ModelView>>) -> Vec<Arc<ModelView>> {
    let mut listed: Vec<_> =
        models.into_iter().filter(|model| model.available || !model.model.test_only).collect();
    let rank = |model: &ModelView| {
        let is_chat = model.model.kind == Kind::Chat;
        let is_here = untrack(|| {
            page.models.with(|models| welcome::is_on_device(models.get(&model.model.id)))
        });
        (!is_chat, !(model.available || is_here))
    };
    listed.sort_by_key(|model| rank(model));
    listed
}

fn card(page: Page, model: Arc<ModelView>, is_default: bool) -> impl IntoView {
    let id = model.model.id.clone();
    let state = {
        let id = id.clone();
        Memo::new(move |_| page.models.with(|models| progress::state_name(models.get(&id))))
    };
    let fit = {
        let model = model.clone();
        Memo::new(move |_| page.fit(&model))
    };
    let is_chosen = {
        let id = id.clone();
        move || page.chosen.with(|chosen| chosen.as_deref() == Some(&id))
    };
    let is_chat = model.model.kind == Kind::Chat;
    let heading = format!("model-{id}");
    view! {
        <li class="card" data-model=id.clone() data-model-state=move || state.get()
            class:chosen=is_chosen.clone() aria-labelledby=heading.clone()>
            <div class="card-head">
                <h3 id=heading.clone()>{model.model.name.clone()}</h3>
                <span class="badges">
                    <Show when=is_chosen.clone()>
                        <span class="badge strong">{page.t(Text::InUse)}</span>
                    </Show>
                    {is_default.then(|| view! { <span class="badge">{page.t(Text::DefaultModel)}</span> })}
                    {model.model.speaks("de").then(|| view! {
                        <span class="badge">{page.t(Text::GermanCapable)}</span>
                    })}
                    {(!is_chat).then(|| view! { <span class="badge">{page.t(Text::KindEmbedding)}</span> })}
                </span>
            </div>
            {welcome::facts(page, &model, true).into_any()}
            <p class="fit" data-fit=move || if fit.get().runs() { "yes" } else { "no" }>
                {move || fit.get().headline().get(page.lang.get())}
                {move || fit.get().reason(page.lang.get()).map(|reason| format!(": {reason}"))}
            </p>
            {progress::progress(page, id.clone()).into_any()}
            {failure(page, id.clone()).into_any()}
            {on_device_line(page, id.clone(), model.size_bytes).into_any()}
            <div class="row">{buttons(page, id.clone(), state, fit, model.size_bytes, is_chat)}</div>
        </li>
    }
}

/// `Ready · 112 MB graphics memory`, `41 MB of 98 MB on this device`.
fn on_device_line(page: Page, id: String, size_bytes: u64) -> impl IntoView {
    move || {
        let lang = page.lang.get();
        let bytes = |n| format::bytes(lang, n);
        match page.models.with(|models| models.get(&id).cloned()) {
            Some(ModelState::Ready { gpu_bytes, n_ctx }) => {
                let memory = Text::GpuMemory.fill(lang, &[("size", &bytes(gpu_bytes))]);
                let n = format::integer(lang, u64::from(n_ctx));
                let context = Text::TokensUnit.fill(lang, &[("n", &n)]);
                Some(format!("{} · {memory} · {context}", Text::StateReady.get(lang)))
            }
            Some(ModelState::Cached) => Some(Text::StateCached.get(lang).to_owned()),
            Some(ModelState::Absent { cached_bytes }) if cached_bytes > 0 => {
                let (done, total) = (bytes(cached_bytes), bytes(size_bytes));
                Some(Text::StatePartly.fill(lang, &[("done", &done), ("total", &total)]))
            }
            _ => None,
        }
        .map(|text| view! { <p class="muted on-device">{text}</p> })
    }
}

fn buttons(
    page: Page,
    id: String,
    state: Memo<&'static str>,
    fit: Memo<portico_page::fit::Fit>,
    size_bytes: u64,
    is_chat: bool,
) -> impl IntoView {
    move || {
        let use_id = id.clone();
        let (unload_id, delete_id, server_id) = (id.clone(), id.clone(), id.clone());
        let is_chosen = page.chosen.with(|chosen| chosen.as_deref() == Some(&use_id));
        let lang = page.lang.get();
        let size = format::bytes(lang, size_bytes);
        let state = state.get();
        let main = match state {
            "absent" => Some(Text::LoadModelSize.fill(lang, &[("size", &size)])),
            "failed" => Some(Text::TryAgain.get(lang).to_owned()),
            "cached" => Some(Text::StartModel.get(lang).to_owned()),
            "ready" if !is_chosen => Some(Text::UseModel.get(lang).to_owned()),
            _ => None,
        };
        let is_primary = state != "failed";
        let runs = fit.get().runs();
        let main = main.filter(|_| runs).map(|label| {
            view! {
                <button type="button" class="button" class:primary=is_primary
                    on:click=move |_| models::choose(page, &use_id)>{label}</button>
            }
        });
        let unload = (state == "ready").then(|| {
            view! {
                <button type="button" class="button quiet" on:click=move |_| models::unload(&unload_id)>
                    {page.t(Text::Unload)}
                </button>
            }
        });
        let delete = matches!(state, "ready" | "cached" | "failed").then(|| {
            view! {
                <button type="button" class="button quiet danger"
                    on:click=move |_| models::delete(page, &delete_id)>{page.t(Text::DeleteFromDevice)}</button>
            }
        });
        let has_server = is_chat && page.offer.with(|offer| offer.has(&server_id));
        let server = has_server.then(|| server_button(page, &server_id));
        (main, server, unload, delete)
    }
}

/// Why loading failed, if it did.
pub fn failure(page: Page, id: String) -> impl IntoView {
    let error: Memo<Option<ApiError>> = Memo::new(move |_| {
        page.models.with(|models| match models.get(&id) {
            Some(ModelState::Failed { error }) => Some(error.clone()),
            _ => None,
        })
    });
    move || {
        error.get().map(|error| {
            let code = error.code.as_str();
            view! {
                <div class="notice error" role="alert">
                    <p>{error.text(page.lang.get())}</p>
                    <details>
                        <summary>{page.t(Text::Details)}</summary>
                        <p class="muted"><code>{code}</code></p>
                        {error.detail.clone().map(|detail| view! { <pre>{detail}</pre> })}
                    </details>
                </div>
            }
        })
    }
}
