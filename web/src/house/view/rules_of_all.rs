//! What the house says for everybody, what guests may, and how long the log is kept.

use futures_util::future::join;
use leptos::prelude::*;
use portico_people::rules::{Group, Groups, Guests, House};
use portico_people::texts::Text;
use portico_shared::error::ApiError;
use wasm_bindgen_futures::spawn_local;

use super::effect::{self, field_text};
use super::rules_form::{Drafts, rules_form};
use crate::api::{self, Anything};
use crate::parts::{self, Doing, submit};
use crate::state::{Asked, People};

const DAYS_MAX: u32 = 36_500;

async fn load() -> Result<(House, Vec<Group>), ApiError> {
    let (house, groups) =
        join(api::get::<House>("/api/policy"), api::get::<Groups>("/api/groups")).await;
    Ok((house?, groups?.groups))
}

pub fn rules_of_all(people: People) -> impl IntoView {
    let known = RwSignal::new(Asked::Loading);
    let look = move || {
        spawn_local(async move {
            known.try_set(load().await.into());
        });
    };
    look();
    view! {
        <h2 class="library-title">{people.t(Text::Rules)}</h2>
        <p class="muted">{people.t(Text::RulesLead)}</p>
        {move || match known.get() {
            Asked::Loading => parts::loading(people).into_any(),
            Asked::Failed(error) => parts::failed(people, error, look).into_any(),
            Asked::Loaded((house, groups)) => form(people, house, groups).into_any(),
        }}
    }
}

fn guests_text(guests: Guests) -> Text {
    match guests {
        Guests::None => Text::GuestsNone,
        Guests::Device => Text::GuestsDevice,
        Guests::Server => Text::GuestsServer,
    }
}

fn form(people: People, house: House, groups: Vec<Group>) -> impl IntoView {
    let drafts = Drafts::new(&house.rules);
    let guests = RwSignal::new(house.guests);
    let counts_device = RwSignal::new(house.audit_device_use);
    let days = RwSignal::new(house.audit_days.to_string());
    let doing = Doing::new();
    // What the form says itself is wrong.
    let unclear = RwSignal::new(None::<String>);
    let is_saved = RwSignal::new(false);
    let wanted = move || {
        let days: Option<u32> = days.get().trim().parse().ok();
        drafts.rules().map(|rules| House {
            guests: guests.get(),
            rules,
            audit_device_use: counts_device.get(),
            audit_days: days.filter(|days| (1..=DAYS_MAX).contains(days)).unwrap_or_default(),
        })
    };
    let save = move || {
        is_saved.set(false);
        unclear.set(None);
        let lang = people.lang.get_untracked();
        let house = match untrack(wanted) {
            Ok(house) if house.audit_days > 0 => house,
            Ok(_) => {
                unclear.set(Some(Text::AuditDaysUnclear.get(lang).to_owned()));
                return;
            }
            Err(field) => {
                let values = [("field", field_text(field).get(lang))];
                unclear.set(Some(Text::FieldUnclear.fill(lang, &values)));
                return;
            }
        };
        let asked = async move { api::send::<Anything>("PUT", "/api/policy", &house).await };
        doing.run(asked, move |_| {
            is_saved.set(true);
            people.session_changed();
        });
    };
    let option = move |each: Guests| {
        let is_chosen = each == guests.get_untracked();
        view! { <option value=each.as_str() selected=is_chosen>{people.t(guests_text(each))}</option> }
    };
    view! {
        <form class="card people-form" data-form="policy" on:submit=move |event| {
            event.prevent_default();
            save();
        }>
            <label class="people-field">
                <span>{people.t(Text::Guests)}</span>
                <select data-choose="guests" on:change:target=move |event| {
                    guests.set(Guests::from_name(&event.target().value()).unwrap_or_default());
                }>{Guests::ALL.map(option).into_iter().collect_view()}</select>
            </label>
            {rules_form(people, drafts, Text::ChoiceHouseUnsaid)}
            <label class="people-field">
                <span>{people.t(Text::AuditDays)}</span>
                <input type="text" inputmode="numeric" autocomplete="off"
                    prop:value=move || days.get() on:input:target=move |event| days.set(event.target().value())/>
            </label>
            <label class="switch">
                <input type="checkbox" prop:checked=move || counts_device.get()
                    on:change:target=move |event| counts_device.set(event.target().checked())/>
                <span>{people.t(Text::AuditDeviceUse)}</span>
            </label>
            {move || unclear.get().map(|said| view! { <p class="doc-error" role="alert">{said}</p> })}
            {doing.fault(people)}
            <Show when=move || is_saved.get()><p role="status">{people.t(Text::Saved)}</p></Show>
            <div class="row">{submit(people, doing, Text::Save)}</div>
        </form>
        {effect::preview(people, move || Some((wanted().ok()?, groups.clone())))}
    }
}
