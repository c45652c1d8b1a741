//! One person: who they are, what groups they are in, what that comes to, and their access.

use futures_util::future::join3;
use leptos::prelude::*;
use portico_page::format;
use portico_people::place::Place;
use portico_people::rules::{Group, Groups, House};
use portico_people::texts::Text;
use serde_json::{Value, json};
use wasm_bindgen_futures::spawn_local;

use super::effect;
use crate::api::{self, Anything, Ended, MadeLink, May, OnePerson, Person, Used};
use crate::parts::{self, Doing, Field, field, group_boxes, once, role_text, submit, sure};
use crate::state::{Asked, People};

pub const ROLES: [&str; 3] = ["member", "admin", "guest"];
const SHOWN: Field = Field { text: Text::DisplayName, kind: "text", autocomplete: "off" };
const EMAIL: Field = Field { text: Text::Email, kind: "email", autocomplete: "off" };

/// All that their view needs.
#[derive(Clone, PartialEq)]
struct All {
    one: OnePerson,
    groups: Vec<Group>,
    house: House,
}

async fn load(id: &str) -> Result<All, portico_shared::error::ApiError> {
    let path = format!("/api/people/{id}");
    let (one, groups, house) = join3(
        api::get::<OnePerson>(&path),
        api::get::<Groups>("/api/groups"),
        api::get::<House>("/api/policy"),
    )
    .await;
    Ok(All { one: one?, groups: groups?.groups, house: house? })
}

pub fn one_person(people: People, id: String) -> impl IntoView {
    let known = RwSignal::new(Asked::Loading);
    let id = StoredValue::new(id);
    let look = move || {
        spawn_local(async move {
            known.try_set(load(&id.get_value()).await.into());
        });
    };
    look();
    view! {
        <a class="back" href=Place::Everyone.hash()>"‹ " {people.t(Text::People)}</a>
        {move || match known.get() {
            Asked::Loading => parts::loading(people).into_any(),
            Asked::Failed(error) => parts::failed(people, error, look).into_any(),
            Asked::Loaded(all) => shown(people, all, look).into_any(),
        }}
    }
}

fn shown(
    people: People,
    all: All,
    look: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let All { one: OnePerson { person, may, used }, groups, house } = all;
    let since_s = person.created_s;
    let signs_in = match &person {
        person if person.is_external => Text::ByService,
        person if !person.has_password => Text::ByLink,
        person if person.has_totp => Text::ByPasswordAndCode,
        _ => Text::ByPassword,
    };
    let effects = portico_people::effect::effects(&house, &groups, &person.role, &person.groups);
    let shown = person.shown().to_owned();
    view! {
        <header class="library-head-row">
            <h2 class="library-title" dir="auto">{shown.clone()}</h2>
            {person.blocked_s.is_some().then(|| view! { <span class="badge">{people.t(Text::Blocked)}</span> })}
        </header>
        <dl class="facts wide">
            <div><dt>{people.t(Text::Name)}</dt><dd dir="auto">{person.name.clone()}</dd></div>
            <div><dt>{people.t(Text::Role)}</dt><dd>{people.t(role_text(&person.role))}</dd></div>
            <div><dt>{people.t(Text::Since)}</dt><dd>{move || parts::date(people.lang.get(), since_s)}</dd></div>
            <div><dt>{people.t(Text::SignsIn)}</dt><dd>{people.t(signs_in)}</dd></div>
        </dl>
        {profile(people, &person, &groups, look).into_any()}
        <section class="card" aria-labelledby="people-effect">
            <h3 id="people-effect">{move || Text::Effect.fill(people.lang.get(), &[("name", &shown)])}</h3>
            <p class="muted">{people.t(Text::EffectLead)}</p>
            {effect::table(people, effects)}
        </section>
        {used_of(people, may, used).into_any()}
        {access(people, &person, look).into_any()}
    }
}

fn profile<L: Fn() + Copy + Send + Sync + 'static>(
    people: People,
    person: &Person,
    groups: &[Group],
    look: L,
) -> impl IntoView + use<L> {
    let is_self = people.person().is_some_and(|own| own.id == person.id);
    let display_name = RwSignal::new(person.display_name.clone().unwrap_or_default());
    let email = RwSignal::new(person.email.clone().unwrap_or_default());
    let role = RwSignal::new(person.role.clone());
    let chosen = RwSignal::new(person.groups.clone());
    let doing = Doing::new();
    let path = StoredValue::new(format!("/api/people/{}", person.id));
    let save = move || {
        let mut body = json!({
            "display_name": display_name.get_untracked().trim(),
            "email": email.get_untracked().trim(),
            "groups": chosen.get_untracked(),
        });
        if !is_self {
            body["role"] = role.get_untracked().into();
        }
        let path = path.get_value();
        let asked = async move { api::send::<Person>("PATCH", &path, &body).await };
        doing.run(asked, move |_| {
            people.say(Text::Saved);
            people.session_changed();
            look();
        });
    };
    let names: Vec<String> = groups.iter().map(|group| group.name.clone()).collect();
    let boxes = match names.is_empty() {
        true => view! { <p class="muted">{people.t(Text::NoGroupsYet)}</p> }.into_any(),
        false => group_boxes(people, Text::MemberOf, chosen, move || names.clone()).into_any(),
    };
    view! {
        <form class="card people-form" data-form="person" on:submit=move |event| {
            event.prevent_default();
            save();
        }>
            <h3>{people.t(Text::Profile)}</h3>
            {field(people, SHOWN, display_name)}
            {field(people, EMAIL, email)}
            {match is_self {
                true => view! { <p class="hint">{people.t(Text::PersonIsYou)}</p> }.into_any(),
                false => role_choice(people, Text::Role, role).into_any(),
            }}
            {boxes}
            {doing.fault(people)}
            <div class="row">{submit(people, doing, Text::Save)}</div>
        </form>
    }
}

/// What of their limits they have used, where the house looks at it.
fn used_of(people: People, may: May, used: Option<Used>) -> impl IntoView {
    let rows = move || {
        let (lang, used) = (people.lang.get(), used?);
        let row = |text: Text, used: String, max: Option<String>| {
            let value = match max {
                Some(max) => Text::UsedOf.fill(lang, &[("used", &used), ("max", &max)]),
                None => Text::UsedNoLimit.fill(lang, &[("used", &used)]),
            };
            view! { <div><dt>{text.get(lang)}</dt><dd>{value}</dd></div> }
        };
        let tokens = |n: u64| format::integer(lang, n);
        let bytes = |n: u64| format::bytes(lang, n);
        Some([
            row(Text::TokensToday, tokens(used.tokens_today), may.tokens_per_day.map(tokens)),
            row(
                Text::TokensMonth,
                tokens(used.tokens_this_month),
                may.tokens_per_month.map(tokens),
            ),
            row(Text::Storage, bytes(used.storage_bytes), may.storage_bytes.map(bytes)),
        ])
    };
    view! {
        <section class="card" aria-labelledby="people-used" data-used=used.is_some().to_string()>
            <h3 id="people-used">{people.t(Text::UsedByPerson)}</h3>
            {match used {
                Some(_) => view! { <dl class="facts wide">{rows}</dl> }.into_any(),
                None => view! { <p class="muted">{people.t(Text::UsedByPersonHidden)}</p> }.into_any(),
            }}
        </section>
    }
}

/// Which role somebody has.
pub fn role_choice(people: People, label: Text, role: RwSignal<String>) -> impl IntoView {
    let option = move |each: &'static str| {
        let is_chosen = role.with_untracked(|role| role == each);
        view! { <option value=each selected=is_chosen>{people.t(role_text(each))}</option> }
    };
    view! {
        <label class="people-field">
            <span>{people.t(label)}</span>
            <select on:change:target=move |event| role.set(event.target().value())>
                {ROLES.map(option).into_iter().collect_view()}
            </select>
        </label>
    }
}

/// What lets them in: a new password, their devices, the second factor, a block, deletion.
fn access<L: Fn() + Copy + Send + Sync + 'static>(
    people: People,
    person: &Person,
    look: L,
) -> impl IntoView + use<L> {
    let is_self = people.person().is_some_and(|own| own.id == person.id);
    let (is_blocked, has_totp) = (person.blocked_s.is_some(), person.has_totp);
    let path = StoredValue::new(format!("/api/people/{}", person.id));
    let shown = StoredValue::new(person.shown().to_owned());
    let link = RwSignal::new(None::<String>);
    let said = RwSignal::new(None::<String>);
    let doing = Doing::new();
    let named =
        move |text: Text| shown.with_value(|name| text.fill(people.lang.get(), &[("name", name)]));
    let reset = move || {
        let path = format!("{}/reset", path.get_value());
        let asked = async move { api::send::<MadeLink>("POST", &path, &json!({})).await };
        doing.run(asked, move |made| link.set(Some(made.url)));
    };
    let sign_out = move || {
        let path = format!("{}/sign-out", path.get_value());
        let asked = async move { api::send::<Ended>("POST", &path, &json!({})).await };
        doing.run(asked, move |ended| {
            let lang = people.lang.get_untracked();
            said.set(Some(match ended.n_ended {
                1 => Text::SignedOutOne.get(lang).to_owned(),
                n => Text::SignedOutMany.fill(lang, &[("n", &n.to_string())]),
            }));
        });
    };
    let totp_off = move || {
        let path = format!("{}/totp/off", path.get_value());
        let asked = async move { api::send::<Anything>("POST", &path, &json!({})).await };
        doing.run(asked, move |_| {
            people.say(Text::TotpIsOff);
            look();
        });
    };
    let block = move || {
        let (path, body) = (path.get_value(), json!({ "blocked": !is_blocked }));
        let asked = async move { api::send::<Value>("PATCH", &path, &body).await };
        doing.run(asked, move |_| look());
    };
    let delete = move || {
        let path = path.get_value();
        let asked = async move { api::send::<Anything>("DELETE", &path, &json!({})).await };
        doing.run(asked, move |_| people.go(&Place::Everyone.hash()));
    };
    let block_text = if is_blocked { Text::Unblock } else { Text::Block };
    let block_label =
        move || shown.with_value(|name| format!("{}: {name}", block_text.get(people.lang.get())));
    view! {
        <section class="card" aria-labelledby="people-access">
            <h3 id="people-access">{people.t(Text::Actions)}</h3>
            <div class="row">
                <button type="button" class="button small" on:click=move |_| reset()>{people.t(Text::ResetPassword)}</button>
                <button type="button" class="button small" on:click=move |_| sign_out()>{people.t(Text::SignOutEverywhere)}</button>
                {has_totp.then(|| sure(people, move || Text::TotpOffFor.get(people.lang.get()).to_owned(), Text::TotpOffFor, totp_off))}
                {(!is_self).then(|| sure(people, block_label, block_text, block))}
                {(!is_self).then(|| sure(people, move || named(Text::DeletePerson), Text::Delete, delete))}
            </div>
            {move || link.get().map(|url| once(people, named(Text::ResetOnce), url).into_any())}
            {move || said.get().map(|said| view! { <p role="status">{said}</p> })}
            {doing.fault(people)}
        </section>
    }
}
