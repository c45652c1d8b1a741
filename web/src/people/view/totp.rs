//! The second factor: a code of an app (RFC 6238).

use leptos::prelude::*;
use portico_people::texts::Text;
use serde_json::json;

use crate::api::{self, Anything, RecoveryCodes, Totp};
use crate::parts::{Doing, Field, PASSWORD, field, qr, submit};
use crate::state::People;

const CODE: Field = Field { text: Text::TotpCode, kind: "text", autocomplete: "one-time-code" };

/// How far setting it up is.
#[derive(Clone, PartialEq)]
enum Step {
    Off,
    Shown(Totp),
    On(Vec<String>),
}

pub fn totp(people: People, is_on: bool) -> impl IntoView {
    let step = RwSignal::new(if is_on { Step::On(Vec::new()) } else { Step::Off });
    let (password, code) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let doing = Doing::new();
    let begin = move || {
        let body = json!({ "password": password.get_untracked() });
        let asked = async move { api::send::<Totp>("POST", "/api/me/totp", &body).await };
        doing.run(asked, move |shown| {
            password.set(String::new());
            step.set(Step::Shown(shown));
        });
    };
    let confirm = move || {
        let body = json!({ "code": code.get_untracked().trim() });
        let asked = async move { api::send::<RecoveryCodes>("PUT", "/api/me/totp", &body).await };
        doing.run(asked, move |made| {
            code.set(String::new());
            step.set(Step::On(made.recovery_codes));
        });
    };
    let end = move || {
        let body = json!({ "password": password.get_untracked() });
        let asked = async move { api::send::<Anything>("POST", "/api/me/totp/off", &body).await };
        doing.run(asked, move |_| {
            password.set(String::new());
            step.set(Step::Off);
        });
    };
    view! {
        <form class="card people-form" data-form="totp" on:submit=move |event| {
            event.prevent_default();
            match step.get_untracked() {
                Step::Off => begin(),
                Step::Shown(_) => confirm(),
                Step::On(_) => end(),
            }
        }>
            <h3>{people.t(Text::SecondFactor)}</h3>
            {move || match step.get() {
                Step::Off => view! {
                    <p class="muted">{people.t(Text::TotpOff)}</p>
                    {field(people, PASSWORD, password)}
                    {doing.fault(people)}
                    <div class="row">{submit(people, doing, Text::TotpBegin)}</div>
                }.into_any(),
                Step::Shown(Totp { secret, uri }) => view! {
                    <p>{people.t(Text::TotpScan)}</p>
                    {qr(people, &uri, Text::TotpImage)}
                    <p><code data-totp-secret="">{secret}</code></p>
                    {field(people, CODE, code)}
                    {doing.fault(people)}
                    <div class="row">{submit(people, doing, Text::TotpConfirm)}</div>
                }.into_any(),
                Step::On(codes) => view! {
                    <p class="muted">{people.t(Text::TotpOn)}</p>
                    {(!codes.is_empty()).then(|| view! {
                        <div class="notice" role="status">
                            <p>{people.t(Text::RecoveryCodes)}</p>
                            <ul class="people-codes">{codes.into_iter().map(|code| view! { <li><code>{code}</code></li> }).collect_view()}</ul>
                        </div>
                    })}
                    {field(people, PASSWORD, password)}
                    {doing.fault(people)}
                    <div class="row">{submit(people, doing, Text::TotpEnd)}</div>
                }.into_any(),
            }}
        </form>
    }
}
