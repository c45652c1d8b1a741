//! What was used by each model, group and person: tables with bars in them.

use leptos::prelude::*;
use portico_page::format;
use portico_people::texts::Text;
use portico_people::usage::{Place, Sum, Usage};
use portico_shared::error::Lang;

use super::super::plot::{Line, bar_table};

/// Of the most.
fn share(n: u64, most: u64) -> f64 {
    if most == 0 { 0.0 } else { n as f64 / most as f64 }
}

fn cells(sum: Sum, lang: Lang) -> Vec<String> {
    [sum.requests, sum.prompt_tokens, sum.completion_tokens, sum.tokens()]
        .map(|n| format::integer(lang, n))
        .into()
}

fn heads(first: Text, lang: Lang) -> Vec<&'static str> {
    [first, Text::UsageRequests, Text::UsagePrompt, Text::UsageCompletion, Text::UsageTokens]
        .map(|text| text.get(lang))
        .into()
}

pub fn models(usage: &Usage, lang: Lang) -> impl IntoView + use<> {
    let models = usage.models();
    let most = models.first().map_or(0, |model| model.tokens());
    let lines = models.into_iter().map(|model| {
        let mut sum = Sum::default();
        model.places.iter().for_each(|place| sum.add(*place));
        let shares = Place::ALL
            .map(|place| (place.index(), share(model.places[place.index()].tokens(), most)));
        Line {
            name: model.model.clone(),
            key: model.model,
            shares: shares.into(),
            cells: cells(sum, lang),
        }
    });
    let title = Text::UsageByModel.get(lang);
    view! {
        <section class="card" aria-labelledby="usage-models">
            <h3 id="usage-models">{title}</h3>
            {bar_table("models", title, heads(Text::UsageModel, lang), lines.collect())}
        </section>
    }
}

pub fn groups(usage: &Usage, lang: Lang) -> impl IntoView + use<> {
    let (n_small, min) = (usage.n_small_groups, usage.people_min);
    let groups = usage.groups.clone().filter(|groups| !groups.is_empty() || n_small > 0)?;
    let most = groups.iter().map(|group| group.sum.tokens()).max().unwrap_or(0);
    let lines = groups.into_iter().map(|group| Line {
        name: group.name.clone(),
        key: group.name,
        // One colour: a group has all places.
        shares: vec![(0, share(group.sum.tokens(), most))],
        cells: cells(group.sum, lang),
    });
    let title = Text::UsageByGroup.get(lang);
    let (n, min) = (format::integer(lang, n_small), format::integer(lang, min));
    let small = Text::UsageSmallGroups.fill(lang, &[("n", &n), ("min", &min)]);
    Some(view! {
        <section class="card" aria-labelledby="usage-groups">
            <h3 id="usage-groups">{title}</h3>
            {bar_table("groups", title, heads(Text::UsageGroup, lang), lines.collect())}
            <p class="hint">{Text::UsageGroupsHint.get(lang)}</p>
            {(n_small > 0).then(|| view! { <p class="hint" data-small-groups="">{small}</p> })}
        </section>
    })
}

pub fn people(usage: &Usage, lang: Lang) -> impl IntoView + use<> {
    let people = usage.people.clone().filter(|people| !people.is_empty())?;
    let most = people.first().map_or(0, |one| one.sum.tokens());
    let lines = people.into_iter().map(|one| {
        let name = match one.kind.as_str() {
            "page" => Text::UsageWhoPage.get(lang).to_owned(),
            "earlier" => Text::UsageWhoEarlier.get(lang).to_owned(),
            "key" => Text::UsageWhoKey.fill(lang, &[("name", &one.name)]),
            _ => one.name.clone(),
        };
        Line {
            name,
            key: one.name,
            shares: vec![(0, share(one.sum.tokens(), most))],
            cells: cells(one.sum, lang),
        }
    });
    let title = Text::UsageByPerson.get(lang);
    Some(view! {
        <section class="card" aria-labelledby="usage-people">
            <h3 id="usage-people">{title}</h3>
            {bar_table("people", title, heads(Text::UsageWho, lang), lines.collect())}
        </section>
    })
}
