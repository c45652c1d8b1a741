//! Settings: of the page, of this conversation's answers, of what is kept on the device.

use leptos::prelude::*;
use portico_page::format;
use portico_page::i18n::{self, Lang, Text};
use wasm_bindgen_futures::spawn_local;

use super::dialog::dialog;
use crate::answer::USUAL_MAX_TOKENS;
use crate::browser::window;
use crate::page::{Dialog, Page, Theme};
use crate::prefs::{self, AnswerSettings};
use crate::{erase, export, import};

pub fn settings_dialog(page: Page) -> impl IntoView {
    let content = view! {
        {general(page).into_any()}
        {answers(page).into_any()}
        {storage(page).into_any()}
        {device(page).into_any()}
    };
    dialog(page, "settings", Text::Settings, content)
}

fn general(page: Page) -> impl IntoView {
    view! {
        <section class="settings-section">
            <h3>{page.t(Text::General)}</h3>
            <label class="field">
                <span>{page.t(Text::Language)}</span>
                <select on:change:target=move |event| {
                    if let Some(lang) = i18n::lang_from_tag(&event.target().value()) {
                        prefs::set("lang", Some(i18n::code(lang)));
                        page.lang.set(lang);
                    }
                }>
                    {[(Lang::De, "Deutsch"), (Lang::En, "English")].map(|(lang, name)| view! {
                        <option value=i18n::code(lang) lang=i18n::code(lang)
                            selected=move || page.lang.get() == lang>{name}</option>
                    }).collect_view()}
                </select>
            </label>
            <label class="field">
                <span>{page.t(Text::Theme)}</span>
                <select on:change:target=move |event| {
                    let theme = Theme::from_name(&event.target().value());
                    prefs::set("theme", Some(theme.name()));
                    page.theme.set(theme);
                }>
                    {Theme::ALL.map(|theme| view! {
                        <option value=theme.name() selected=move || page.theme.get() == theme>
                            {page.t(theme.text())}
                        </option>
                    }).collect_view()}
                </select>
            </label>
            {keys(page).into_any()}
        </section>
    }
}

/// The list of keys, also for those who switched them off.
fn keys(page: Page) -> impl IntoView {
    view! {
        <button type="button" class="button" on:click=move |_| page.dialog.set(Some(Dialog::Keys))>
            {page.t(Text::KeysShow)}
        </button>
    }
}

fn answers(page: Page) -> impl IntoView {
    let conversation = page.open.get_untracked();
    let settings = RwSignal::new(prefs::answer_settings(conversation));
    let change = move |edit: &dyn Fn(&mut AnswerSettings)| {
        settings.update(|settings| edit(settings));
        prefs::set_answer_settings(conversation, &settings.get_untracked());
    };
    let temperature =
        move || settings.with(|settings| settings.temperature.unwrap_or(prefs::USUAL_TEMPERATURE));
    view! {
        <section class="settings-section">
            <h3>{page.t(Text::ForThisConversation)}</h3>
            <label class="field tall">
                <span>{page.t(Text::SystemPrompt)}</span>
                <textarea rows="3" aria-describedby="system-hint"
                    prop:value=settings.get_untracked().instructions
                    on:input:target=move |event| {
                        let text = event.target().value();
                        change(&|settings| settings.instructions.clone_from(&text));
                    }></textarea>
                <span class="hint" id="system-hint">{page.t(Text::SystemPromptHint)}</span>
            </label>
            <label class="field tall">
                <span>{page.t(Text::Temperature)} " "
                    <output>{move || format::number(page.lang.get(), f64::from(temperature()), 1)}</output>
                </span>
                <input type="range" min="0" max="2" step="0.1" aria-label=page.t(Text::Temperature)
                    aria-describedby="temperature-hint"
                    prop:value=temperature().to_string()
                    on:input:target=move |event| {
                        let value: Option<f32> = event.target().value().parse().ok();
                        change(&|settings| settings.temperature = value);
                    }/>
                <span class="hint" id="temperature-hint">{page.t(Text::TemperatureHint)}</span>
            </label>
            <label class="field">
                <span>{page.t(Text::MaxTokens)}</span>
                <input type="number" min="1" max="32768" step="1" inputmode="numeric"
                    prop:value=settings.get_untracked().max_tokens.unwrap_or(USUAL_MAX_TOKENS).to_string()
                    on:change:target=move |event| {
                        let value: Option<u32> = event.target().value().parse().ok();
                        let value = value.filter(|value| (1..=32_768).contains(value));
                        change(&|settings| settings.max_tokens = value);
                    }/>
            </label>
        </section>
    }
}

fn storage(page: Page) -> impl IntoView {
    let used = move || {
        page.storage.with(|storage| {
            let storage = storage.as_ref()?;
            let lang = page.lang.get();
            let (used, quota) =
                (format::bytes(lang, storage.used_bytes), format::bytes(lang, storage.quota_bytes));
            let line = Text::StorageUsed.fill(lang, &[("used", &used), ("quota", &quota)]);
            let kept =
                if storage.persisted { Text::StoragePersisted } else { Text::StorageNotPersisted };
            Some(format!("{line}. {}", kept.get(lang)))
        })
    };
    let asking = RwSignal::new(false);
    let failed = RwSignal::new(None::<String>);
    view! {
        <section class="settings-section">
            <h3>{page.t(Text::StorageTitle)}</h3>
            <p class="muted">{used}</p>
            <div class="row">
                <span>{page.t(Text::ExportTitle)}</span>
                <button type="button" class="button" on:click=move |_| export::markdown(page, None)>
                    {page.t(Text::ExportMarkdown)}
                </button>
                <button type="button" class="button" on:click=move |_| export::json(page, None)>
                    {page.t(Text::ExportJson)}
                </button>
            </div>
            {import_field(page).into_any()}
            <Show when=move || !asking.get() fallback=move || view! {
                <div class="notice error" role="alert">
                    <p>{page.t(Text::DeleteAllConfirm)}</p>
                    {move || failed.get().map(|why| view! { <pre>{why}</pre> })}
                    <div class="row">
                        <button type="button" class="button danger" on:click=move |_| {
                            spawn_local(async move {
                                match erase::erase_all().await {
                                    Ok(()) => {
                                        if let Some(window) = window() {
                                            window.location().set_href("/").ok();
                                        }
                                    }
                                    Err(why) => failed.set(Some(why)),
                                }
                            });
                        }>{page.t(Text::DeleteAllYes)}</button>
                        <button type="button" class="button quiet" on:click=move |_| asking.set(false)>
                            {page.t(Text::Cancel)}
                        </button>
                    </div>
                </div>
            }>
                <button type="button" class="button quiet danger" on:click=move |_| asking.set(true)>
                    {page.t(Text::DeleteAll)}
                </button>
            </Show>
        </section>
    }
}

/// Where a file is chosen, and how far its import is.
fn import_field(page: Page) -> impl IntoView {
    let progress = page.import;
    let line = move || {
        let lang = page.lang.get();
        progress.with(|progress| {
            let now = progress.as_ref()?;
            let count = |n: u32| format::integer(lang, n.into());
            Some(match &now.failed {
                Some(why) => Text::ImportFailed.fill(lang, &[("why", why)]),
                None if now.is_over => Text::ImportDone.fill(
                    lang,
                    &[
                        ("n", &count(now.n_new)),
                        ("known", &count(now.n_known)),
                        ("refused", &count(now.n_refused)),
                    ],
                ),
                None => Text::ImportRunning
                    .fill(lang, &[("n", &count(now.at)), ("total", &count(now.total))]),
            })
        })
    };
    let is_running = move || progress.with(|now| now.as_ref().is_some_and(|now| !now.is_over));
    let refused = move || {
        progress.with(|now| now.as_ref().map(|now| now.refused.clone()).unwrap_or_default())
    };
    view! {
        <label class="field">
            <span>{page.t(Text::ImportTitle)}<br/><span class="hint">{page.t(Text::ImportHint)}</span></span>
            <input type="file" accept=".json,.zip,application/json,application/zip" data-import="" disabled=is_running
                on:change:target=move |event| {
                    let input = event.target();
                    if let Some(file) = input.files().and_then(|files| files.get(0)) {
                        import::start(page, &file);
                    }
                    input.set_value("");
                }/>
        </label>
        <div class="row" role="status" data-import-state=move || if is_running() { "running" } else { "over" }>
            <span>{line}</span>
            <Show when=is_running>
                <button type="button" class="button" on:click=move |_| {
                    import::cancel();
                    progress.update(|now| if let Some(now) = now { now.is_over = true });
                    page.log_version.update(|version| *version += 1);
                }>{page.t(Text::Cancel)}</button>
            </Show>
        </div>
        {move || Some(refused()).filter(|refused| !refused.is_empty()).map(|refused| view! {
            <details>
                <summary>{page.t(Text::ImportRefused)}</summary>
                <pre tabindex="0">{refused.join("\n")}</pre>
            </details>
        })}
    }
}

fn device(page: Page) -> impl IntoView {
    let line = move || {
        page.device.with(|device| {
            let device = device.as_ref()?;
            if let Some(error) = &device.error {
                return Some(error.text(page.lang.get()));
            }
            let name = [&device.vendor, &device.architecture, &device.description];
            let name: Vec<&str> =
                name.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
            let mut parts = vec![if name.is_empty() {
                Text::DeviceUnknown.get(page.lang.get()).to_owned()
            } else {
                name.join(" ")
            }];
            parts.extend(device.f16.then(|| "f16".to_owned()));
            parts.extend(
                (device.subgroup_size > 0).then(|| format!("subgroups {}", device.subgroup_size)),
            );
            parts.extend(device.dot4_i8.then(|| "dot4I8".to_owned()));
            Some(parts.join(" · "))
        })
    };
    view! {
        <section class="settings-section">
            <h3>{page.t(Text::DeviceTitle)}</h3>
            <p class="muted">{line}</p>
        </section>
    }
}
