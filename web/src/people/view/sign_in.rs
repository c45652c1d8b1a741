//! Signing in.

use leptos::prelude::*;
use portico_people::address::Address;
use portico_people::texts::Text;
use portico_shared::error::{ApiError, ErrorCode};
use serde_json::json;

use super::with_session;
use crate::api::{self, Anything, House};
use crate::parts::{self, Doing, Field, NAME, PASSWORD, field, submit};
use crate::sealing;
use crate::state::People;

const CODE: Field = Field { text: Text::Code, kind: "text", autocomplete: "one-time-code" };

/// `code`: why the sign-in service could not.
pub fn sign_in(people: People, code: Option<String>) -> impl IntoView {
    let code = code.and_then(|code| serde_json::from_value::<ErrorCode>(code.into()).ok());
    view! {
        {code.map(|code| parts::fault(people, ApiError::new(code)))}
        {with_session(people, move |session| match session.person {
            Some(person) => signed_in(people, person.shown().to_owned()).into_any(),
            None => form(people, session.house).into_any(),
        })}
    }
}

fn signed_in(people: People, name: String) -> impl IntoView {
    let doing = Doing::new();
    view! {
        <h2 class="library-title">
            {move || Text::SignedInAs.fill(people.lang.get(), &[("name", &name)])}
        </h2>
        {doing.fault(people)}
        <div class="row">
            <a class="button" href="#/account">{people.t(Text::Account)}</a>
            <button type="button" class="button quiet" on:click=move |_| sign_out(people, doing)>
                {people.t(Text::SignOut)}
            </button>
        </div>
    }
}

/// Signs out here, and at the sign-in service where there is one.
pub fn sign_out(people: People, doing: Doing) {
    let asked = async {
        let answer = api::send::<serde_json::Value>("DELETE", "/api/session", &json!({})).await?;
        sealing::sign_out().await;
        Ok(answer)
    };
    doing.run(asked, move |answer| {
        people.session_changed();
        let service = answer.get("end_session_url").and_then(|url| url.as_str().map(str::to_owned));
        match (service, web_sys::window()) {
            (Some(url), Some(window)) => {
                window.location().set_href(&url).ok();
            }
            _ => people.go("#/sign-in"),
        }
    });
}

fn form(people: People, house: House) -> impl IntoView {
    let (name, password) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let code = RwSignal::new(String::new());
    let asks_code = RwSignal::new(false);
    let doing = Doing::new();
    let is_code_needed = move || {
        doing
            .error
            .with(|error| error.as_ref().is_some_and(|error| error.code == ErrorCode::CodeNeeded))
    };
    Effect::new(move |_| {
        if is_code_needed() {
            asks_code.set(true);
        }
    });
    let sign_in = move || {
        let mut body =
            json!({ "name": name.get_untracked().trim(), "password": password.get_untracked() });
        let code = code.get_untracked().trim().to_owned();
        if !code.is_empty() {
            body["code"] = code.into();
        }
        let asked = async move { api::send::<Anything>("POST", "/api/session", &body).await };
        doing.run(asked, move |_| {
            people.session_changed();
            // Who signs in where something else was asked for stays there.
            if people.address.with_untracked(|at| matches!(at, Some(Address::SignIn(_)))) {
                people.go(&people.back());
            }
        });
    };
    let House { has_people, guests, oidc, .. } = house;
    let goes_on = guests != "none" || !has_people;
    view! {
        <h2 class="library-title">{people.t(Text::SignIn)}</h2>
        {(!has_people).then(|| view! { <p class="notice" data-condition="no-people">{people.t(Text::NoPeopleYet)}</p> })}
        {oidc.map(|label| view! { <a class="button large" href="/api/oidc/start">{label}</a> })}
        <form class="card people-form" data-form="sign-in" on:submit=move |event| {
            event.prevent_default();
            sign_in();
        }>
            {field(people, NAME, name)}
            {field(people, PASSWORD, password)}
            <Show when=move || asks_code.get()>{field(people, CODE, code)}</Show>
            {doing.fault(people)}
            <div class="row">{submit(people, doing, Text::SignIn)}</div>
        </form>
        {has_people.then(|| view! { <p class="hint">{people.t(Text::NoAccount)}</p> })}
        {goes_on.then(|| view! { <p><a href=people.back()>{people.t(Text::WithoutAccount)}</a></p> })}
    }
}
