//! Conditions that last: offline, no storage, a lost device, a worker that did not start.

use leptos::prelude::*;
use portico_page::i18n::Text;

use super::icons::{self, icon};
use crate::browser::window;
use crate::page::Page;

pub fn banners(page: Page) -> impl IntoView {
    let weights_in_memory = move || {
        page.storage.with(|storage| storage.as_ref().is_some_and(|s| !s.persistent_store))
            && page.device.with(|device| device.as_ref().is_some_and(|d| d.error.is_none()))
    };
    view! {
        <div class="banners" role="status">
            <Show when=move || !page.online.get()>
                {banner("offline", icons::CLOUD_OFF, move || page.t(Text::OfflineNote)().to_owned())}
            </Show>
            <Show when=move || page.device_lost.with(Option::is_some)>
                {banner("device-lost", icons::WARN, move || page.t(Text::DeviceLostNote)().to_owned())}
            </Show>
            <Show when=move || page.log_in_memory.get()>
                {banner("log-in-memory", icons::WARN, move || page.t(Text::LogInMemoryNote)().to_owned())}
            </Show>
            <Show when=weights_in_memory>
                {banner("weights-in-memory", icons::INFO, move || page.t(Text::WeightsInMemoryNote)().to_owned())}
            </Show>
            <Show when=move || page.save_error.with(Option::is_some)>
                {banner("save-failed", icons::WARN, move || {
                    let reason = page.save_error.get().unwrap_or_default();
                    Text::SaveFailedNote.fill(page.lang.get(), &[("reason", &reason)])
                })}
            </Show>
        </div>
        {super::sync::offer(page).into_any()}
        <Show when=move || page.worker_error.with(Option::is_some)>
            <div class="notice error" role="alert" data-condition="worker-failed">
                <p>{page.t(Text::WorkerFailed)}</p>
                <details>
                    <summary>{page.t(Text::Details)}</summary>
                    <pre>{move || page.worker_error.get()}</pre>
                </details>
                <button type="button" class="button" on:click=|_| {
                    if let Some(window) = window() {
                        window.location().reload().ok();
                    }
                }>{page.t(Text::Reload)}</button>
            </div>
        </Show>
    }
}

fn banner(
    name: &'static str,
    path: &'static str,
    text: impl Fn() -> String + Send + 'static,
) -> impl IntoView {
    view! {
        <p class="banner" data-condition=name>{icon(path)} <span>{text}</span></p>
    }
}
