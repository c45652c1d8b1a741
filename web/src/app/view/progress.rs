//! How far a model is on its way, with what can be done about it.

use leptos::prelude::*;
use portico_page::format;
use portico_page::i18n::{Lang, Text};
use portico_web::protocol::ModelState;

use super::icons::{self, icon};
use crate::models;
use crate::page::Page;

/// A state's name.
pub fn state_text(state: Option<&ModelState>) -> Text {
    match state {
        None | Some(ModelState::Absent { .. }) => Text::StateAbsent,
        Some(ModelState::Cached) => Text::StateCached,
        Some(ModelState::Downloading { .. }) => Text::StateDownloading,
        Some(ModelState::Paused { .. }) => Text::StatePaused,
        Some(ModelState::Uploading { .. }) => Text::StateUploading,
        Some(ModelState::Warming) => Text::StateWarming,
        Some(ModelState::Ready { .. }) => Text::StateReady,
        Some(ModelState::Failed { .. }) => Text::StateFailed,
    }
}

/// For style sheets and tests.
pub fn state_name(state: Option<&ModelState>) -> &'static str {
    match state {
        None | Some(ModelState::Absent { .. }) => "absent",
        Some(ModelState::Cached) => "cached",
        Some(ModelState::Downloading { .. }) => "downloading",
        Some(ModelState::Paused { .. }) => "paused",
        Some(ModelState::Uploading { .. }) => "uploading",
        Some(ModelState::Warming) => "warming",
        Some(ModelState::Ready { .. }) => "ready",
        Some(ModelState::Failed { .. }) => "failed",
    }
}

/// Bytes done and to do, where the state has them.
fn bytes(state: &ModelState) -> Option<(u64, u64)> {
    match *state {
        ModelState::Downloading { done_bytes, total_bytes, .. }
        | ModelState::Paused { done_bytes, total_bytes }
        | ModelState::Uploading { done_bytes, total_bytes } => Some((done_bytes, total_bytes)),
        _ => None,
    }
}

/// `42 MB of 98 MB · 4.2 MB/s · 14 s left`
fn line(lang: Lang, state: &ModelState) -> String {
    let mut parts = Vec::new();
    if let Some((done, total)) = bytes(state) {
        let (done, total) = (format::bytes(lang, done), format::bytes(lang, total));
        parts.push(Text::ProgressBytes.fill(lang, &[("done", &done), ("total", &total)]));
    }
    if let ModelState::Downloading { bytes_per_s, seconds_left, .. } = state {
        if *bytes_per_s > 0.0 {
            parts.push(format::byte_rate(lang, *bytes_per_s));
        }
        if let Some(seconds) = seconds_left {
            let time = format::wait(lang, *seconds);
            parts.push(Text::ProgressLeft.fill(lang, &[("time", &time)]));
        }
    }
    parts.join(" · ")
}

/// The bar, the figures and the buttons of a model on its way; nothing otherwise.
pub fn progress(page: Page, model: String) -> impl IntoView {
    let state = {
        let model = model.clone();
        Memo::new(move |_| page.models.with(|models| models.get(&model).cloned()))
    };
    // The buttons stay in place while the figures change, so that they can be pressed.
    let kind = Memo::new(move |_| state.with(|state| state_name(state.as_ref())));
    let percent = move || {
        state.with(|state| {
            state.as_ref().and_then(bytes).map(|(done, total)| format::whole_percent(done, total))
        })
    };
    let label = move || state_text(state.get().as_ref()).get(page.lang.get());
    let buttons = move || {
        let (pause, resume, cancel) = (model.clone(), model.clone(), model.clone());
        let cancel_button = move || {
            let cancel = cancel.clone();
            view! {
                <button type="button" class="button quiet" on:click=move |_| models::cancel(page, &cancel)>
                    {page.t(Text::CancelDownload)}
                </button>
            }
        };
        match kind.get() {
            "downloading" => view! {
                <button type="button" class="button" on:click=move |_| models::pause(&pause)>
                    {page.t(Text::Pause)}
                </button>
                {cancel_button()}
            }
            .into_any(),
            "paused" => view! {
                <button type="button" class="button primary" on:click=move |_| models::load(&resume)>
                    {icon(icons::PLAY)} {page.t(Text::Resume)}
                </button>
                {cancel_button()}
            }
            .into_any(),
            _ => ().into_any(),
        }
    };
    let is_shown = move || matches!(kind.get(), "downloading" | "paused" | "uploading" | "warming");
    view! {
        <Show when=is_shown>
            <div class="progress" data-model-state=move || kind.get()>
                <div class="progress-head">
                    <span>{label}</span>
                    <span class="muted">
                        {move || percent().map(|p| format::percent(page.lang.get(), p, 100))}
                    </span>
                </div>
                <div class="bar" role="progressbar" aria-label=label
                    aria-valuemin="0" aria-valuemax="100" aria-valuenow=percent
                    class:endless=move || percent().is_none()>
                    <div class="bar-done" style:width=move || {
                        percent().map_or_else(String::new, |p| format!("{p}%"))
                    }></div>
                </div>
                <p class="progress-line muted">
                    {move || state.with(|state| state.as_ref().map(|s| line(page.lang.get(), s)))}
                </p>
                <div class="row">{buttons.clone()}</div>
            </div>
        </Show>
    }
}
