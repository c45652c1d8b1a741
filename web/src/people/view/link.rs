//! What a one-time link opens: the first administrator, an invitation, a new password.

use leptos::prelude::*;
use portico_people::texts::Text;
use portico_shared::error::ErrorCode;
use serde_json::{Value, json};
use wasm_bindgen_futures::spawn_local;

use crate::api::{self, Link};
use crate::parts::{self, Doing, Field, NEW_NAME, NEW_PASSWORD, field, submit};
use crate::state::{Asked, People};

pub const DISPLAY_NAME: Field =
    Field { text: Text::DisplayName, kind: "text", autocomplete: "name" };

pub fn link(people: People, secret: String) -> impl IntoView {
    let link = RwSignal::new(Asked::Loading);
    let look = {
        let secret = secret.clone();
        move || {
            let secret = secret.clone();
            link.set(Asked::Loading);
            spawn_local(async move {
                let body = json!({ "secret": secret });
                link.set(api::send::<Link>("POST", "/api/links/look", &body).await.into());
            });
        }
    };
    look();
    move || match link.get() {
        Asked::Loading => parts::loading(people).into_any(),
        // It will not be valid later either.
        Asked::Failed(error) if error.code == ErrorCode::LinkInvalid => view! {
            {parts::fault(people, error)}
            <p><a class="button" href="#/sign-in">{people.t(Text::SignIn)}</a></p>
        }
        .into_any(),
        Asked::Failed(error) => parts::failed(people, error, look.clone()).into_any(),
        Asked::Loaded(link) => form(people, secret.clone(), link).into_any(),
    }
}

fn form(people: People, secret: String, link: Link) -> impl IntoView {
    let (name, shown) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let password = RwSignal::new(String::new());
    let doing = Doing::new();
    let Link { kind, name: whose, .. } = link;
    let is_reset = kind == "reset";
    let (title, lead, button) = match kind.as_str() {
        "admin" => (Text::LinkAdmin, Some(Text::LinkAdminLead), Text::MakeAccount),
        "reset" => (Text::LinkReset, None, Text::SetPassword),
        _ => (Text::LinkInvite, Some(Text::LinkInviteLead), Text::MakeAccount),
    };
    let whose = whose.unwrap_or_default();
    let open = move || {
        let mut body = json!({ "secret": secret, "password": password.get_untracked() });
        if !is_reset {
            body["name"] = name.get_untracked().trim().into();
            let shown = shown.get_untracked().trim().to_owned();
            if !shown.is_empty() {
                body["display_name"] = shown.into();
            }
        }
        let asked = async move { api::send::<Value>("POST", "/api/links/open", &body).await };
        doing.run(asked, move |answer| {
            people.session_changed();
            match answer.get("person").is_some_and(Value::is_object) {
                true => people.go("#/account"),
                // The password is set; the second factor is still asked for.
                false => {
                    people.say(Text::PasswordSet);
                    people.go("#/sign-in");
                }
            }
        });
    };
    view! {
        <h2 class="library-title">{
            let whose = whose.clone();
            move || title.fill(people.lang.get(), &[("name", &whose)])
        }</h2>
        {lead.map(|lead| view! { <p class="muted">{people.t(lead)}</p> })}
        <form class="card people-form" data-form="link" on:submit=move |event| {
            event.prevent_default();
            open();
        }>
            {match is_reset {
                // So that password managers know whose it is.
                true => view! { <input type="text" autocomplete="username" hidden readonly value=whose/> }.into_any(),
                false => view! {
                    {field(people, NEW_NAME, name)}
                    <p class="hint">{people.t(Text::SignInNameHint)}</p>
                    {field(people, DISPLAY_NAME, shown)}
                }.into_any(),
            }}
            {field(people, NEW_PASSWORD, password)}
            <p class="hint">{people.t(Text::PasswordHint)}</p>
            {doing.fault(people)}
            <div class="row">{submit(people, doing, button)}</div>
        </form>
    }
}
