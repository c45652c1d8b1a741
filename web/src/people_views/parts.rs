//! What several views are made of: fields, buttons that wait, errors, dates.

use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;
use portico_people::entry::refused;
use portico_people::texts::Text;
use portico_shared::error::{ApiError, Lang};
use qrcodegen::{QrCode, QrCodeEcc};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::state::People;

/// White around a QR code, in its squares.
const QUIET: i32 = 4;

pub fn loading(people: People) -> impl IntoView {
    view! {
        <div role="status">
            <span class="visually-hidden">{people.t(Text::Loading)}</span>
            <div class="skeleton" aria-hidden="true"><i></i><i></i><i></i></div>
        </div>
    }
}

/// What went wrong, with its code.
pub fn fault(people: People, error: ApiError) -> impl IntoView {
    let code = error.code.as_str();
    let entry = refused(&error);
    let text = move || {
        let lang = people.lang.get();
        entry.map_or_else(|| error.text(lang), |entry| entry.get(lang).to_owned())
    };
    view! {
        <div class="notice error" role="alert" data-error=code>
            <p>{text}</p>
        </div>
    }
}

/// What went wrong, and a way to try again.
pub fn failed(
    people: People,
    error: ApiError,
    again: impl Fn() + Send + Sync + 'static,
) -> impl IntoView {
    view! {
        {fault(people, error)}
        <div class="row">
            <button type="button" class="button" on:click=move |_| again()>{people.t(Text::TryAgain)}</button>
        </div>
    }
}

/// What a form does, and how far it is.
#[derive(Clone, Copy)]
pub struct Doing {
    pub is_busy: RwSignal<bool>,
    pub error: RwSignal<Option<ApiError>>,
}

impl Doing {
    pub fn new() -> Self {
        Self { is_busy: RwSignal::new(false), error: RwSignal::new(None) }
    }

    /// Runs `work` unless something runs already; `then` gets what it brings.
    pub fn run<T: 'static>(
        self,
        work: impl Future<Output = Result<T, ApiError>> + 'static,
        then: impl FnOnce(T) + 'static,
    ) {
        if self.is_busy.get_untracked() {
            return;
        }
        self.is_busy.set(true);
        self.error.set(None);
        spawn_local(async move {
            let done = work.await;
            self.is_busy.set(false);
            match done {
                Ok(value) => then(value),
                Err(error) => self.error.set(Some(error)),
            }
        });
    }

    pub fn fault(self, people: People) -> impl IntoView {
        move || self.error.get().map(|error| fault(people, error).into_any())
    }
}

/// What a field is for, as browsers and password managers understand it.
#[derive(Clone, Copy)]
pub struct Field {
    pub text: Text,
    pub kind: &'static str,
    pub autocomplete: &'static str,
}

pub const NAME: Field = Field { text: Text::Name, kind: "text", autocomplete: "username" };
pub const NEW_NAME: Field =
    Field { text: Text::SignInName, kind: "text", autocomplete: "username" };
pub const PASSWORD: Field =
    Field { text: Text::Password, kind: "password", autocomplete: "current-password" };
pub const NEW_PASSWORD: Field =
    Field { text: Text::NewPassword, kind: "password", autocomplete: "new-password" };

/// A labelled field.
pub fn field(people: People, field: Field, value: RwSignal<String>) -> impl IntoView {
    let Field { text, kind, autocomplete } = field;
    let is_shown = RwSignal::new(false);
    let is_password = kind == "password";
    let now = move || if is_shown.get() { "text" } else { kind };
    view! {
        <label class="people-field">
            <span>{people.t(text)}</span>
            <input type=now autocomplete=autocomplete spellcheck="false" autocapitalize="none"
                prop:value=move || value.get()
                on:input:target=move |event| value.set(event.target().value())/>
        </label>
        {is_password.then(|| view! {
            <label class="switch hint">
                <input type="checkbox" prop:checked=move || is_shown.get()
                    on:change:target=move |event| is_shown.set(event.target().checked())/>
                {people.t(Text::ShowPassword)}
            </label>
        })}
    }
}

/// A form's button.
pub fn submit(people: People, doing: Doing, text: Text) -> impl IntoView {
    view! {
        <button type="submit" class="button primary" disabled=move || doing.is_busy.get()
            aria-busy=move || doing.is_busy.get().to_string()>{people.t(text)}</button>
    }
}

/// Boxes for names that go into a list, by id and title; what is chosen and not offered can be taken away, by
/// its id.
pub fn boxes(
    people: People,
    legend: Text,
    name: &'static str,
    chosen: RwSignal<Vec<String>>,
    offered: impl Fn() -> Vec<(String, String)> + Send + Sync + 'static,
) -> impl IntoView {
    let rows = move || {
        let mut all = offered();
        for id in chosen.get_untracked() {
            if !all.iter().any(|(other, _)| *other == id) {
                all.push((id.clone(), id));
            }
        }
        let rows = all.into_iter().map(|(id, title)| {
            let (own, value) = (id.clone(), id.clone());
            let is_chosen = move || chosen.with(|chosen| chosen.contains(&own));
            view! {
                <label class="switch">
                    <input type="checkbox" name=name value=value prop:checked=is_chosen
                        on:change:target=move |event| {
                            let is_on = event.target().checked();
                            chosen.update(|chosen| {
                                chosen.retain(|other| *other != id);
                                if is_on {
                                    chosen.push(id.clone());
                                }
                            });
                        }/>
                    <span dir="auto">{title}</span>
                </label>
            }
        });
        rows.collect_view()
    };
    view! {
        <fieldset class="people-boxes">
            <legend>{people.t(legend)}</legend>
            {rows}
        </fieldset>
    }
}

/// [`boxes`] for groups, which are called by their names.
pub fn group_boxes(
    people: People,
    legend: Text,
    chosen: RwSignal<Vec<String>>,
    groups: impl Fn() -> Vec<String> + Send + Sync + 'static,
) -> impl IntoView {
    let named = |name: String| (name.clone(), name);
    boxes(people, legend, "group", chosen, move || groups().into_iter().map(named).collect())
}

/// Something that is shown once, with a button that copies it.
pub fn once(people: People, hint: String, secret: String) -> impl IntoView {
    let copied = secret.clone();
    let copy = move |_| {
        let (Some(window), copied) = (web_sys::window(), copied.clone()) else { return };
        spawn_local(async move {
            // Refused on an insecure address: it can still be selected.
            if JsFuture::from(window.navigator().clipboard().write_text(&copied)).await.is_ok() {
                people.say(Text::Copied);
            }
        });
    };
    view! {
        <div class="notice people-once" role="status">
            <p>{hint}</p>
            <p class="row"><code data-once="">{secret}</code>
                <button type="button" class="button small" on:click=copy>{people.t(Text::Copy)}</button></p>
        </div>
    }
}

/// A text as a QR code, dark on white in either theme: that is what cameras read.
pub fn qr(people: People, text: &str, label: Text) -> impl IntoView + use<> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let size = code.size();
    let squares = (0..size).flat_map(|y| (0..size).map(move |x| (x, y)));
    let dark = squares.filter(|&(x, y)| code.get_module(x, y));
    let path: String = dark.map(|(x, y)| format!("M{} {}h1v1h-1z", x + QUIET, y + QUIET)).collect();
    let whole = size + 2 * QUIET;
    Some(view! {
        <svg class="people-qr" role="img" aria-label=people.t(label)
            viewBox=format!("0 0 {whole} {whole}") shape-rendering="crispEdges">
            <rect width=whole.to_string() height=whole.to_string() fill="#fff"></rect>
            <path d=path fill="#000"></path>
        </svg>
    })
}

/// Asks before something is lost: a button that opens a second one, which then has the focus.
pub fn sure(
    people: People,
    label: impl Fn() -> String + Send + Sync + 'static,
    text: Text,
    then: impl Fn() + Send + Sync + 'static,
) -> impl IntoView {
    let is_asked = RwSignal::new(None::<bool>);
    let (then, label) = (Arc::new(then), Arc::new(label));
    let (first, second) = (NodeRef::<html::Button>::new(), NodeRef::<html::Button>::new());
    Effect::new(move |_| {
        let (first, second) = (first.get(), second.get());
        let now = match is_asked.get() {
            // It was not asked yet: the focus is somewhere else.
            None => None,
            Some(true) => second,
            Some(false) => first,
        };
        if let Some(button) = now {
            button.focus().ok();
        }
    });
    move || {
        let (then, label) = (Arc::clone(&then), Arc::clone(&label));
        match is_asked.get() {
            None | Some(false) => view! {
                <button type="button" class="button quiet small danger" node_ref=first aria-label=move || label()
                    on:click=move |_| is_asked.set(Some(true))>{people.t(text)}</button>
            }
            .into_any(),
            Some(true) => view! {
                <span class="row">
                    <button type="button" class="button small danger" node_ref=second on:click=move |_| {
                        is_asked.set(Some(false));
                        then();
                    }>{move || label()}</button>
                    <button type="button" class="button quiet small"
                        on:click=move |_| is_asked.set(Some(false))>{people.t(Text::Cancel)}</button>
                </span>
            }
            .into_any(),
        }
    }
}

/// Joined by dots; what is empty is left out.
pub fn dotted(parts: impl IntoIterator<Item = String>) -> String {
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}

/// A day and an hour, as the language writes them.
pub fn date(lang: Lang, at_s: i64) -> String {
    let date = js_sys::Date::new(&(at_s as f64 * 1_000.0).into());
    let options = js_sys::Object::new();
    for (name, value) in [("dateStyle", "medium"), ("timeStyle", "short")] {
        js_sys::Reflect::set(&options, &name.into(), &value.into()).ok();
    }
    let lang = if lang == Lang::De { "de-DE" } else { "en-GB" };
    date.to_locale_string(lang, &options).into()
}

pub fn role_text(role: &str) -> Text {
    match role {
        "admin" => Text::RoleAdmin,
        "guest" => Text::RoleGuest,
        _ => Text::RoleMember,
    }
}
