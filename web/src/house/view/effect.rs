//! What rules come to, line by line, with who says so; for one person, also before rules are saved.

use leptos::prelude::*;
use portico_page::format;
use portico_people::effect::{Effect, Source, effects};
use portico_people::rules::{ALL, Field, Group, House, Limit, Said};
use portico_people::texts::Text;
use portico_shared::error::Lang;
use wasm_bindgen_futures::spawn_local;

use crate::api::{self, Everyone};
use crate::state::People;

pub fn field_text(field: Field) -> Text {
    match field {
        Field::ModelsOnDevice => Text::RuleModelsOnDevice,
        Field::ModelsOnServer => Text::RuleModelsOnServer,
        Field::Tools => Text::RuleTools,
        Field::TokensPerDay => Text::RuleTokensPerDay,
        Field::TokensPerMonth => Text::RuleTokensPerMonth,
        Field::StorageBytes => Text::RuleStorage,
        Field::ChatsLeaveDevice => Text::RuleChatsLeaveDevice,
        Field::RetentionDays => Text::RuleRetention,
        Field::MakeKeys => Text::RuleMakeKeys,
        Field::ShareWithGroups => Text::RuleShareWithGroups,
        Field::ShareChats => Text::RuleShareChats,
    }
}

fn value_text(lang: Lang, field: Field, value: &Said) -> String {
    match value {
        Said::Flag(true) => Text::Yes.get(lang).to_owned(),
        Said::Flag(false) => Text::No.get(lang).to_owned(),
        Said::Names(names) if names.is_empty() => Text::ChoiceNone.get(lang).to_owned(),
        Said::Names(names) if names.iter().any(|name| name == ALL) => {
            Text::ChoiceAll.get(lang).to_owned()
        }
        Said::Names(names) => names.join(", "),
        Said::Limit(Limit::Word(_)) => Text::NoLimit.get(lang).to_owned(),
        Said::Limit(Limit::Count(count)) => match field {
            Field::StorageBytes => format::bytes(lang, *count),
            Field::RetentionDays => Text::Days.fill(lang, &[("n", &format::integer(lang, *count))]),
            _ => format::integer(lang, *count),
        },
    }
}

fn source_text(lang: Lang, from: &Source) -> String {
    match from {
        Source::Groups(names) => names.join(", "),
        Source::House => Text::FromHouse.get(lang).to_owned(),
        Source::Usual => Text::FromUsual.get(lang).to_owned(),
        Source::ChatsStay => Text::FromStay.get(lang).to_owned(),
        Source::Guests => Text::FromGuests.get(lang).to_owned(),
    }
}

/// All lines.
pub fn table(people: People, effects: Vec<Effect>) -> impl IntoView {
    let rows = effects.into_iter().map(move |effect| {
        let Effect { field, value, from } = effect;
        view! {
            <tr data-effect=field.as_str()>
                <th scope="row">{people.t(field_text(field))}</th>
                <td dir="auto">{move || value_text(people.lang.get(), field, &value)}</td>
                <td dir="auto" class="muted">{move || source_text(people.lang.get(), &from)}</td>
            </tr>
        }
    });
    view! {
        <table class="people-effects">
            <thead><tr>
                <th scope="col">{people.t(Text::What)}</th>
                <th scope="col">{people.t(Text::ComesTo)}</th>
                <th scope="col">{people.t(Text::WhoSays)}</th>
            </tr></thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
}

/// What `rules` of a form would come to for somebody who is chosen: as a whole house and all groups.
pub fn preview(
    people: People,
    rules: impl Fn() -> Option<(House, Vec<Group>)> + Send + Sync + 'static,
) -> impl IntoView {
    let everyone = RwSignal::new(Vec::new());
    spawn_local(async move {
        // Without them nobody can be chosen, and nothing is lost.
        if let Ok(found) = api::get::<Everyone>("/api/people").await {
            everyone.try_set(found.people);
        }
    });
    let chosen = RwSignal::new(String::new());
    let effects = move || {
        let id = chosen.get();
        let person = everyone.with(|all| all.iter().find(|person| person.id == id).cloned())?;
        let (house, groups) = rules()?;
        Some(effects(&house, &groups, &person.role, &person.groups))
    };
    view! {
        <section class="card" aria-labelledby="people-preview">
            <h3 id="people-preview">{people.t(Text::EffectOf)}</h3>
            <p class="muted">{people.t(Text::EffectDraft)}</p>
            <label class="people-field">
                <span>{people.t(Text::Who)}</span>
                <select data-choose="effect" on:change:target=move |event| chosen.set(event.target().value())>
                    <option value="">{people.t(Text::EffectNobody)}</option>
                    {move || everyone.get().into_iter().map(|person| {
                        let shown = person.shown().to_owned();
                        view! { <option value=person.id>{shown}</option> }
                    }).collect_view()}
                </select>
            </label>
            {move || effects().map(|effects| table(people, effects).into_any())}
        </section>
    }
}
