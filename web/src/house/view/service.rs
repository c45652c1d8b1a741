//! What becomes of whoever comes from a sign-in service? Rules, tried on a token before they are saved.

use leptos::prelude::*;
use portico_people::oidc::{Draft, OidcRules, Outcome, Rule, Tried};
use portico_people::texts::Text;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;

use super::one_person::ROLES;
use crate::api::{self, Anything};
use crate::parts::{self, Doing, role_text, submit};
use crate::state::{Asked, People};

pub fn service(people: People) -> impl IntoView {
    let known = RwSignal::new(Asked::Loading);
    let look = move || {
        spawn_local(async move {
            known.try_set(api::get::<OidcRules>("/api/people/oidc").await.into());
        });
    };
    look();
    let is_off = Memo::new(move |_| {
        people.session.with(
            |session| matches!(session, Asked::Loaded(session) if session.house.oidc.is_none()),
        )
    });
    view! {
        <h2 class="library-title">{people.t(Text::Service)}</h2>
        <p class="muted">{people.t(Text::ServiceLead)}</p>
        <Show when=move || is_off.get()>
            <p class="notice" data-condition="oidc-off">{people.t(Text::ServiceOff)}</p>
        </Show>
        {move || match known.get() {
            Asked::Loading => parts::loading(people).into_any(),
            Asked::Failed(error) => parts::failed(people, error, look).into_any(),
            Asked::Loaded(rules) => form(people, rules).into_any(),
        }}
    }
}

/// A rule as it stands in the form, by a number that stays its own.
type Row = (usize, RwSignal<Draft>);

fn form(people: People, known: OidcRules) -> impl IntoView {
    let default_role = RwSignal::new(known.default_role);
    let first: Vec<Row> =
        known.rules.iter().map(Draft::of).map(RwSignal::new).enumerate().collect();
    let n_made = StoredValue::new(first.len());
    let rows = RwSignal::new(first);
    let wanted = move || {
        let drafts = rows.get().into_iter().map(|(_, draft)| draft.get());
        let rules: Vec<Rule> =
            drafts.filter(|draft| !draft.is_empty()).map(|draft| draft.rule()).collect();
        OidcRules { default_role: default_role.get(), rules }
    };
    let doing = Doing::new();
    let is_saved = RwSignal::new(false);
    let save = move || {
        is_saved.set(false);
        let rules = untrack(wanted);
        let asked = async move { api::send::<Anything>("PUT", "/api/people/oidc", &rules).await };
        doing.run(asked, move |_| is_saved.set(true));
    };
    let add = move || {
        let id = n_made.get_value();
        n_made.set_value(id + 1);
        rows.update(|rows| rows.push((id, RwSignal::new(Draft::default()))));
    };
    let role_option = move |each: &'static str| {
        let is_chosen = default_role.with_untracked(|role| role == each);
        let text = if each == "none" { Text::RoleNone } else { role_text(each) };
        view! { <option value=each selected=is_chosen>{people.t(text)}</option> }
    };
    let roles = ["member", "guest", "admin", "none"].map(role_option).into_iter().collect_view();
    view! {
        <form class="card people-form" data-form="oidc" on:submit=move |event| {
            event.prevent_default();
            save();
        }>
            <label class="people-field">
                <span>{people.t(Text::DefaultRole)}</span>
                <select on:change:target=move |event| default_role.set(event.target().value())>{roles}</select>
            </label>
            <For each=move || rows.get() key=|(id, _)| *id let((id, draft))>
                {rule(people, rows, id, draft)}
            </For>
            <p class="hint">{people.t(Text::ClaimHint)}</p>
            <div class="row">
                <button type="button" class="button small" on:click=move |_| add()>{people.t(Text::AddRule)}</button>
            </div>
            {doing.fault(people)}
            <Show when=move || is_saved.get()><p role="status">{people.t(Text::Saved)}</p></Show>
            <div class="row">{submit(people, doing, Text::Save)}</div>
        </form>
        {trial(people, wanted).into_any()}
    }
}

fn rule(
    people: People,
    rows: RwSignal<Vec<Row>>,
    id: usize,
    draft: RwSignal<Draft>,
) -> impl IntoView {
    let number = move || {
        let at = rows.with(|rows| rows.iter().position(|(other, _)| *other == id));
        at.map_or(0, |at| at + 1).to_string()
    };
    let numbered = move |text: Text| text.fill(people.lang.get(), &[("n", &number())]);
    let typed = move |text: Text, get: fn(&Draft) -> &String, set: fn(&mut Draft, String)| {
        view! {
            <label class="people-field">
                <span>{people.t(text)}</span>
                <input type="text" autocomplete="off" spellcheck="false" autocapitalize="none"
                    prop:value=move || draft.with(|draft| get(draft).clone())
                    on:input:target=move |event| {
                        let text = event.target().value();
                        draft.update(|draft| set(draft, text));
                    }/>
            </label>
        }
    };
    let option = move |each: &'static str| {
        let is_chosen = draft.with_untracked(|draft| draft.role == each);
        let text = if each.is_empty() { Text::RuleKeepsRole } else { role_text(each) };
        view! { <option value=each selected=is_chosen>{people.t(text)}</option> }
    };
    let roles = ["", ROLES[0], ROLES[1], ROLES[2]].map(option).into_iter().collect_view();
    view! {
        <fieldset class="people-claim" data-rule=id.to_string()>
            <legend>{move || numbered(Text::RuleNumber)}</legend>
            {typed(Text::Claim, |draft| &draft.claim, |draft, text| draft.claim = text)}
            {typed(Text::ClaimValue, |draft| &draft.value, |draft, text| draft.value = text)}
            <label class="people-field">
                <span>{people.t(Text::GivesRole)}</span>
                <select on:change:target=move |event| {
                    let role = event.target().value();
                    draft.update(|draft| draft.role = role);
                }>{roles}</select>
            </label>
            {typed(Text::GivesGroups, |draft| &draft.groups, |draft, text| draft.groups = text)}
            <button type="button" class="button quiet small danger" aria-label=move || numbered(Text::RemoveRule)
                on:click=move |_| rows.update(|rows| rows.retain(|(other, _)| *other != id))>
                {people.t(Text::Remove)}
            </button>
        </fieldset>
    }
}

/// What the rules of the form make of a token.
fn trial(
    people: People,
    wanted: impl Fn() -> OidcRules + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let token = RwSignal::new(String::new());
    let tried = RwSignal::new(None::<Tried>);
    let doing = Doing::new();
    let try_it = move || {
        tried.set(None);
        let body = json!({ "token": token.get_untracked().trim(), "rules": untrack(wanted) });
        let asked = async move { api::send::<Tried>("POST", "/api/people/oidc/try", &body).await };
        doing.run(asked, move |found| tried.set(Some(found)));
    };
    view! {
        <form class="card people-form" data-form="oidc-try" on:submit=move |event| {
            event.prevent_default();
            try_it();
        }>
            <h3>{people.t(Text::TryToken)}</h3>
            <p class="muted">{people.t(Text::TryTokenLead)}</p>
            <label class="people-field">
                <span>{people.t(Text::Token)}</span>
                <textarea rows="5" spellcheck="false" autocomplete="off" autocapitalize="none"
                    prop:value=move || token.get() on:input:target=move |event| token.set(event.target().value())></textarea>
            </label>
            {doing.fault(people)}
            {move || tried.get().map(|tried| outcome(people, tried).into_any())}
            <div class="row">{submit(people, doing, Text::Try)}</div>
        </form>
    }
}

fn outcome(people: People, tried: Tried) -> impl IntoView {
    let Tried { outcome: Outcome { role, is_by_rule, groups, refused_groups }, claims } = tried;
    let is_in = role.is_some();
    let first = move || {
        let lang = people.lang.get();
        match &role {
            Some(role) => Text::TriedIn.fill(lang, &[("role", role_text(role).get(lang))]),
            None => Text::TriedOut.get(lang).to_owned(),
        }
    };
    let in_groups = move || match groups.is_empty() {
        true => Text::TriedNoGroups.get(people.lang.get()).to_owned(),
        false => Text::TriedGroups.fill(people.lang.get(), &[("groups", &groups.join(", "))]),
    };
    let refused = (!refused_groups.is_empty()).then(|| {
        let groups = refused_groups.join(", ");
        view! { <p>{move || Text::TriedRefused.fill(people.lang.get(), &[("groups", &groups)])}</p> }
    });
    let claims = serde_json::to_string_pretty(&claims).unwrap_or_default();
    view! {
        <div class="notice" role="status" data-tried=if is_in { "in" } else { "out" }>
            <p><strong>{first}</strong></p>
            {(is_in && !is_by_rule).then(|| view! { <p>{people.t(Text::TriedByDefault)}</p> })}
            <p dir="auto">{in_groups}</p>
            {refused}
            <details><summary>{people.t(Text::Claims)}</summary><pre>{claims}</pre></details>
        </div>
    }
}
