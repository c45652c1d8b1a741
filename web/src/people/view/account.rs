//! One's own account.

use leptos::prelude::*;
use portico_page::format;
use portico_people::texts::Text;
use portico_shared::error::Lang;
use serde_json::json;
use uuid::Uuid;

use super::link::DISPLAY_NAME;
use super::{data, devices, encryption, for_person, keys, sign_in, totp};
use crate::api::{self, Anything, House, May, Person, Session, Used};
use crate::approval::Approvals;
use crate::parts::{Doing, Field, NEW_PASSWORD, PASSWORD, field, role_text, submit};
use crate::state::{Asked, People};

const EMAIL: Field = Field { text: Text::Email, kind: "email", autocomplete: "email" };
const OLD_PASSWORD: Field = Field { text: Text::OldPassword, ..PASSWORD };

pub fn account(people: People, approvals: Approvals) -> impl IntoView {
    for_person(people, move |_| match people.session.get_untracked() {
        Asked::Loaded(Session { person: Some(person), may, used, house, .. }) => {
            let (may, used) = (may.unwrap_or_default(), used.unwrap_or_default());
            own(people, approvals, person, (may, used), &house).into_any()
        }
        _ => ().into_any(),
    })
}

fn own(
    people: People,
    approvals: Approvals,
    person: Person,
    (may, used): (May, Used),
    house: &House,
) -> impl IntoView {
    let doing = Doing::new();
    let (role, groups) = (role_text(&person.role), person.groups.join(", "));
    let (has_password, has_totp, makes_keys) =
        (person.has_password, person.has_totp, may.make_keys);
    let is_admin = person.is_admin();
    // What never leaves the device needs no encryption on its way.
    let id = Uuid::try_parse(&person.id).ok().filter(|_| may.chats_leave_device);
    let leaves = data::Leaves {
        chats_leave: may.chats_leave_device,
        uses_server: !may.models_on_server.is_empty(),
        retention_days: may.retention_days,
        counts_device: house.audit_device_use,
        asks_device: house.asks_devices,
    };
    view! {
        <header class="library-head-row">
            <h2 class="library-title" dir="auto">{move || {
                people.person().map(|person| person.shown().to_owned())
            }}</h2>
            <button type="button" class="button" on:click=move |_| sign_in::sign_out(people, doing)>
                {people.t(Text::SignOut)}
            </button>
        </header>
        {doing.fault(people)}
        <dl class="facts">
            <div><dt>{people.t(Text::Name)}</dt><dd>{person.name.clone()}</dd></div>
            <div><dt>{people.t(Text::Role)}</dt><dd>{people.t(role)}</dd></div>
            {(!groups.is_empty()).then(|| view! {
                <div><dt>{people.t(Text::Groups)}</dt><dd dir="auto">{groups}</dd></div>
            })}
        </dl>
        {profile(people, &person).into_any()}
        {has_password.then(|| password(people).into_any())}
        {has_password.then(|| totp::totp(people, has_totp).into_any())}
        {id.map(|id| encryption::encryption(people, approvals, id).into_any())}
        {devices::devices(people).into_any()}
        {makes_keys.then(|| keys::keys(people, is_admin).into_any())}
        {allowed(people, may, used).into_any()}
        {data::data(people, leaves).into_any()}
    }
}

fn profile(people: People, person: &Person) -> impl IntoView {
    let shown = RwSignal::new(person.display_name.clone().unwrap_or_default());
    let email = RwSignal::new(person.email.clone().unwrap_or_default());
    let doing = Doing::new();
    let save = move || {
        let body = json!({ "display_name": shown.get_untracked().trim(), "email": email.get_untracked().trim() });
        let asked = async move { api::send::<Anything>("PATCH", "/api/me", &body).await };
        doing.run(asked, move |_| {
            people.say(Text::Saved);
            people.session_changed();
        });
    };
    view! {
        <form class="card people-form" data-form="profile" on:submit=move |event| {
            event.prevent_default();
            save();
        }>
            <h3>{people.t(Text::Profile)}</h3>
            {field(people, DISPLAY_NAME, shown)}
            {field(people, EMAIL, email)}
            {doing.fault(people)}
            <div class="row">{submit(people, doing, Text::Save)}</div>
        </form>
    }
}

fn password(people: People) -> impl IntoView {
    let (old, new) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let doing = Doing::new();
    let is_done = RwSignal::new(false);
    let save = move || {
        is_done.set(false);
        let body = json!({ "old": old.get_untracked(), "new": new.get_untracked() });
        let asked = async move { api::send::<Anything>("POST", "/api/me/password", &body).await };
        doing.run(asked, move |_| {
            old.set(String::new());
            new.set(String::new());
            is_done.set(true);
        });
    };
    view! {
        <form class="card people-form" data-form="password" on:submit=move |event| {
            event.prevent_default();
            save();
        }>
            <h3>{people.t(Text::ChangePassword)}</h3>
            {field(people, OLD_PASSWORD, old)}
            {field(people, NEW_PASSWORD, new)}
            <p class="hint">{people.t(Text::PasswordHint)}</p>
            {doing.fault(people)}
            <Show when=move || is_done.get()><p role="status">{people.t(Text::PasswordChanged)}</p></Show>
            <div class="row">{submit(people, doing, Text::ChangePassword)}</div>
        </form>
    }
}

/// What the house's rules let the person do, and what of it is used.
fn allowed(people: People, may: May, used: Used) -> impl IntoView {
    let models = move |names: &[String], lang: Lang| match names {
        [] => Text::Nothing.get(lang).to_owned(),
        names if names.iter().any(|name| name == "*") => Text::All.get(lang).to_owned(),
        names => names.join(", "),
    };
    let of = |lang: Lang, used: String, max: Option<String>| match max {
        Some(max) => Text::UsedOf.fill(lang, &[("used", &used), ("max", &max)]),
        None => Text::UsedNoLimit.fill(lang, &[("used", &used)]),
    };
    let tokens = move |lang, used, max: Option<u64>| {
        of(lang, format::integer(lang, used), max.map(|max| format::integer(lang, max)))
    };
    let row = move |text: Text, value: String| view! { <div><dt>{people.t(text)}</dt><dd>{value}</dd></div> };
    let rows = move || {
        let lang = people.lang.get();
        let storage = of(
            lang,
            format::bytes(lang, used.storage_bytes),
            may.storage_bytes.map(|max| format::bytes(lang, max)),
        );
        [
            row(Text::OnDevice, models(&may.models_on_device, lang)),
            row(Text::OnServer, models(&may.models_on_server, lang)),
            row(Text::TokensToday, tokens(lang, used.tokens_today, may.tokens_per_day)),
            row(Text::TokensMonth, tokens(lang, used.tokens_this_month, may.tokens_per_month)),
            row(Text::Storage, storage),
        ]
    };
    view! {
        <section class="card" aria-labelledby="people-allowed">
            <h3 id="people-allowed">{people.t(Text::Allowed)}</h3>
            <dl class="facts wide">{rows}</dl>
        </section>
    }
}
