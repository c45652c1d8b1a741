//! Above the box of a conversation that has not begun: who greets and where answers come from, or the model
//! that is offered, or on its way.

use std::sync::Arc;

use leptos::prelude::*;
use portico_page::i18n::Text;
use portico_page::route::{Choice, Offer, Route};
use portico_page::{format, i18n};
use portico_shared::catalogue::ModelView;
use portico_shared::error::ErrorCode;
use portico_web::protocol::ModelState;
use wasm_bindgen_futures::spawn_local;

use super::icons::{self, icon, logo};
use super::licence::licence;
use super::{models as model_views, progress};
use crate::page::{Catalogue, Dialog, Page};
use crate::{models, place};

pub fn welcome(page: Page) -> impl IntoView {
    // What is shown changes with these only, not with each downloaded byte.
    let offered = Memo::new(move |_| page.offered_model());
    // Loaded here, or answered for by the server.
    let ready = Memo::new(move |_| {
        place::answering_model(page).filter(|id| match place::route_here(page, id) {
            Route::Device { .. } => page.is_ready(id),
            Route::Server { .. } => page.offer.with(|offer| matches!(offer, Offer::Models(_))),
            Route::Nowhere(_) => false,
        })
    });
    let gpu_error = Memo::new(move |_| page.device.with(|d| d.as_ref()?.error.clone()));
    let failed = Memo::new(move |_| {
        page.catalogue.with(|catalogue| match catalogue {
            Catalogue::Failed(why) => Some(why.clone()),
            _ => None,
        })
    });
    let loading = Memo::new(move |_| page.catalogue.with(|c| *c == Catalogue::Loading));
    let asking = Memo::new(move |_| {
        page.offer.with(|offer| *offer == Offer::Asking) && page.chosen.with(Option::is_none)
    });
    move || {
        if let Some(model) = ready.get() {
            return greeting(page, model).into_any();
        }
        if gpu_error.with(Option::is_some) {
            return no_webgpu(page).into_any();
        }
        if let Some(why) = failed.get() {
            return catalogue_failed(page, why).into_any();
        }
        match offered.get() {
            // It may answer at once.
            Some(_) if asking.get() => waiting(page).into_any(),
            Some(model) => offer(page, model).into_any(),
            None if loading.get() => waiting(page).into_any(),
            None => view! {
                <div class="welcome">
                    {mark(page)}
                    {title(page)}
                    <p class="lead">{page.t(Text::CatalogueEmpty)}</p>
                    <button type="button" class="button" on:click=move |_| page.dialog.set(Some(Dialog::Models))>
                        {page.t(Text::Models)}
                    </button>
                </div>
            }
            .into_any(),
        }
    }
}

fn waiting(page: Page) -> impl IntoView {
    view! {
        <div class="welcome" role="status">
            {mark(page)}
            <p class="muted">{page.t(Text::CatalogueLoading)}</p>
        </div>
    }
}

/// The first visit: what would be loaded, under which terms, and one button.
fn offer(page: Page, model: Arc<ModelView>) -> impl IntoView {
    let id = model.model.id.clone();
    let state = {
        let id = id.clone();
        Memo::new(move |_| page.models.with(|models| progress::state_name(models.get(&id))))
    };
    let fit = {
        let model = model.clone();
        Memo::new(move |_| page.fit(&model))
    };
    let size_bytes = model.size_bytes;
    let label = move || {
        let lang = page.lang.get();
        match state.get() {
            "cached" => Text::StartModel.get(lang).to_owned(),
            "failed" => Text::TryAgain.get(lang).to_owned(),
            _ => {
                let size = format::bytes(lang, size_bytes);
                Text::LoadModelSize.fill(lang, &[("size", &size)])
            }
        }
    };
    let chosen_id = id.clone();
    let is_idle = move || matches!(state.get(), "absent" | "cached" | "failed");
    view! {
        <div class="welcome">
            {mark(page)}
            {title(page)}
            <p class="lead">{move || promise(page).get(page.lang.get())}</p>
            <div class="card offer" data-model=id.clone() data-model-state=move || state.get()>
                <h3>{model.model.name.clone()}</h3>
                {facts(page, &model, false).into_any()}
                <p class="fit" data-fit=move || if fit.get().runs() { "yes" } else { "no" }>
                    {move || fit.get().headline().get(page.lang.get())}
                    {move || fit.get().reason(page.lang.get()).map(|reason| format!(": {reason}"))}
                </p>
                {progress::progress(page, id.clone()).into_any()}
                {model_views::failure(page, id.clone()).into_any()}
                <div class="row">
                    <Show when=is_idle>
                        {
                            let chosen_id = chosen_id.clone();
                            let load_id = chosen_id.clone();
                            view! {
                                <button type="button" class="button primary large"
                                    disabled=move || !fit.get().runs()
                                    on:click=move |_| models::choose(page, &load_id)>{label}</button>
                                <button type="button" class="button quiet"
                                    on:click=move |_| page.dialog.set(Some(Dialog::Models))>
                                    {page.t(Text::OtherModel)}
                                </button>
                                {ask_server(page, chosen_id.clone())}
                            }
                        }
                    </Show>
                </div>
            </div>
        </div>
    }
}

/// What is true of what will be written here: it stays, or the server may go on.
fn promise(page: Page) -> Text {
    let may_leave = place::choice(page, page.open.get()) != Choice::Device
        && page.offer.with(|offer| matches!(offer, Offer::Models(_)));
    if may_leave { Text::WelcomeTextServer } else { Text::WelcomeText }
}

/// Chat at once, without loading anything, where the server computes for this page.
fn ask_server(page: Page, model: String) -> impl IntoView {
    move || {
        let on_server = page.offer.with(|offer| offer.model_for(&model).map(str::to_owned));
        on_server.map(|model| {
            view! {
                <button type="button" class="button quiet"
                    on:click=move |_| models::choose_on_server(page, &model)>
                    {page.t(Text::AskServer)}
                </button>
            }
        })
    }
}

/// Size, licence, languages, memory: what a person should know before loading.
pub fn facts(page: Page, model: &ModelView, with_context: bool) -> impl IntoView {
    let (size_bytes, memory_bytes) = (model.size_bytes, model.memory_bytes);
    let n_ctx = u64::from(model.model.n_ctx);
    let languages = model.model.languages.clone();
    let names = move || {
        let lang = page.lang.get();
        let names: Vec<String> =
            languages.iter().take(6).map(|code| i18n::language_name(lang, code)).collect();
        let more = languages.len().saturating_sub(names.len());
        let names = names.join(", ");
        if more > 0 { format!("{names} +{more}") } else { names }
    };
    view! {
        <dl class="facts">
            <div><dt>{page.t(Text::SizeLabel)}</dt>
                <dd>{move || format::bytes(page.lang.get(), size_bytes)}</dd></div>
            <div><dt>{page.t(Text::LicenceLabel)}</dt><dd>{licence(&model.model.licence)}</dd></div>
            <div><dt>{page.t(Text::LanguagesLabel)}</dt><dd>{names}</dd></div>
            <div><dt>{page.t(Text::MemoryLabel)}</dt>
                <dd>{move || format::bytes(page.lang.get(), memory_bytes)}</dd></div>
            {with_context.then(|| view! {
                <div><dt>{page.t(Text::ContextLabel)}</dt>
                    <dd>{move || {
                        let lang = page.lang.get();
                        Text::TokensUnit.fill(lang, &[("n", &format::integer(lang, n_ctx))])
                    }}</dd></div>
            })}
        </dl>
    }
}

/// Who greets, and where answers come from.
fn greeting(page: Page, model: String) -> impl IntoView {
    let place = move || {
        let (text, id) = match place::route_here(page, &model) {
            Route::Server { model, instead: None } => (Text::HomeOnServer, model),
            Route::Server { model, .. } => (Text::HomeOnServerInstead, model),
            Route::Device { fallback: Some(_) } => (Text::HomeOnDeviceElse, model.clone()),
            Route::Device { fallback: None } | Route::Nowhere(_) => {
                (Text::HomeOnDevice, model.clone())
            }
        };
        let (model, house) = (page.model_name(&id), page.house());
        text.fill(page.lang.get(), &[("model", &model), ("house", &house)])
    };
    view! {
        <div class="welcome">
            {mark(page)}
            {title(page)}
            <p class="lead" data-home="place">{place}</p>
        </div>
    }
}

/// The house's own sign.
fn mark(page: Page) -> impl IntoView {
    move || match page.look.with(|look| look.logo.clone()) {
        Some(logo) => view! { <img class="logo" src=logo alt=""/> }.into_any(),
        None => logo().into_any(),
    }
}

fn title(page: Page) -> impl IntoView {
    let text = move || Text::HomeTitle.fill(page.lang.get(), &[("house", &page.house())]);
    view! { <h2>{text}</h2> }
}

fn no_webgpu(page: Page) -> impl IntoView {
    let error = page.device.with_untracked(|device| device.as_ref()?.error.clone());
    let is_missing = error.as_ref().is_none_or(|error| error.code == ErrorCode::WebGpuMissing);
    let detail = error.as_ref().and_then(|error| error.detail.clone());
    let text = move || {
        let other = error.as_ref().filter(|_| !is_missing);
        other.map(|error| error.text(page.lang.get()))
    };
    let steps =
        [Text::NoWebGpuStep1, Text::NoWebGpuStep2, Text::NoWebGpuStep3, Text::NoWebGpuStep4];
    view! {
        <div class="welcome" data-condition="no-webgpu" role="alert">
            <div class="sign">{icon(icons::CHIP)}</div>
            <h2>{page.t(Text::NoWebGpuTitle)}</h2>
            <p class="lead">{text}</p>
            <ol class="steps">{steps.map(|step| view! { <li>{page.t(step)}</li> }).collect_view()}</ol>
            <p class="muted">{page.t(Text::NoWebGpuKeep)}</p>
            {detail.map(|detail| view! {
                <details><summary>{page.t(Text::Details)}</summary><pre>{detail}</pre></details>
            })}
        </div>
    }
}

fn catalogue_failed(page: Page, why: String) -> impl IntoView {
    view! {
        <div class="welcome" role="alert">
            <div class="sign">{icon(icons::CLOUD_OFF)}</div>
            <h2>{page.t(Text::CatalogueFailed)}</h2>
            <button type="button" class="button primary" on:click=move |_| {
                spawn_local(models::load_catalogue(page));
            }>{page.t(Text::TryAgain)}</button>
            <details><summary>{page.t(Text::Details)}</summary><pre>{why}</pre></details>
        </div>
    }
}

/// Whether a model lies whole on this device.
pub fn is_on_device(state: Option<&ModelState>) -> bool {
    matches!(
        state,
        Some(
            ModelState::Cached
                | ModelState::Uploading { .. }
                | ModelState::Warming
                | ModelState::Ready { .. }
        )
    )
}
