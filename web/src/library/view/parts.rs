//! What several views are made of: errors, questions, icons, dates.

use leptos::html;
use leptos::prelude::*;
use portico_library::texts::Text;
use portico_shared::error::{ApiError, Lang};

use crate::state::Library;

pub const FOLDER: &str = "M3 6h6l2 2h10v11H3z";
pub const LAPTOP: &str = "M5 5h14v10H5zM2 19h20";
pub const TRASH: &str = "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v6M14 11v6";
pub const REDO: &str = "M20 5v5h-5M19.5 10A8 8 0 1 0 20 14";
pub const CLOSE: &str = "M6 6l12 12M18 6L6 18";
pub const PLUS: &str = "M12 5v14M5 12h14";
pub const LEFT: &str = "M14 6l-6 6 6 6";
pub const RIGHT: &str = "M10 6l6 6-6 6";
pub const SEARCH: &str = "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM20 20l-4-4";
pub const DOWNLOAD: &str = "M12 4v11M7 11l5 5 5-5M5 20h14";

/// A decorative icon: what it stands beside or on has a name of its own.
pub fn icon(path: &'static str) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
            <path d=path></path>
        </svg>
    }
}

/// What went wrong, with its code, and a way to try again.
pub fn failed(
    library: Library,
    error: ApiError,
    again: impl Fn() + Send + Sync + 'static,
) -> impl IntoView {
    let code = error.code.as_str();
    let detail = error.detail.clone();
    view! {
        <div class="notice error" role="alert" data-error=code>
            <p>{move || error.text(library.lang.get())}</p>
            <details>
                <summary>{library.t(Text::Details)}</summary>
                <p><code>{code}</code></p>
                {detail.map(|detail| view! { <pre>{detail}</pre> })}
            </details>
            <div class="row">
                <button type="button" class="button" on:click=move |_| again()>{library.t(Text::TryAgain)}</button>
            </div>
        </div>
    }
}

pub fn loading(library: Library) -> impl IntoView {
    view! {
        <div role="status">
            <span class="visually-hidden">{library.t(Text::Loading)}</span>
            <div class="skeleton" aria-hidden="true"><i></i><i></i><i></i></div>
        </div>
    }
}

/// The question before something is lost: the browser's own dialog, which keeps the focus inside.
pub fn confirm(library: Library) -> impl IntoView {
    move || {
        library.confirm.get().map(|asked| {
            let node = NodeRef::<html::Dialog>::new();
            Effect::new(move |_| {
                if let Some(dialog) = node.get()
                    && !dialog.open()
                {
                    // Fails only for a dialog that is open already.
                    dialog.show_modal().ok();
                }
            });
            let close = move || {
                if let Some(dialog) = node.get_untracked() {
                    dialog.close();
                }
            };
            let then = asked.then.clone();
            view! {
                <dialog class="dialog library-confirm" node_ref=node aria-labelledby="library-confirm-text"
                    on:close=move |_| library.confirm.set(None)>
                    <div class="dialog-body">
                        <p id="library-confirm-text">{asked.text.clone()}</p>
                        <div class="row end">
                            <button type="button" class="button" on:click=move |_| close()>
                                {library.t(Text::Cancel)}
                            </button>
                            <button type="button" class="button danger" on:click=move |_| {
                                close();
                                then();
                            }>{library.t(asked.label)}</button>
                        </div>
                    </div>
                </dialog>
            }
        })
    }
}

/// `25 Nov 2026`, as the language writes it.
pub fn date(lang: Lang, date_s: i64) -> String {
    let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(date_s as f64 * 1_000.0));
    let options = js_sys::Object::new();
    for (name, value) in [("day", "numeric"), ("month", "short"), ("year", "numeric")] {
        // A fresh object takes any property.
        js_sys::Reflect::set(&options, &name.into(), &value.into()).ok();
    }
    let locale = match lang {
        Lang::De => "de-DE",
        Lang::En => "en-GB",
    };
    date.to_locale_date_string(locale, &options).into()
}

/// Bytes, documents, …, joined by dots; what is empty is left out.
pub fn dotted(parts: impl IntoIterator<Item = String>) -> String {
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}
