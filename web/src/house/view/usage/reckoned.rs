//! What energy and money do the tokens come to, by the house's figures?

use leptos::prelude::*;
use portico_page::format;
use portico_people::texts::Text;
use portico_people::usage::{Place, Usage, cost, watt_hours};
use portico_shared::error::Lang;

use super::super::plot::{Line, bar_table};

/// Of all places together, in the unit that reads well.
pub fn energy_text(joules: f64, lang: Lang) -> String {
    let (amount, unit) = watt_hours(joules);
    let n_decimals = match amount {
        100.0.. => 0,
        1.0.. => 1,
        _ => 3,
    };
    format!("{}\u{a0}{unit}", format::number(lang, amount, n_decimals))
}

pub fn money(value: f64, currency: &str, lang: Lang) -> String {
    let n_decimals = if value > 0.0 && value < 1.0 { 4 } else { 2 };
    format!("{}\u{a0}{currency}", format::number(lang, value, n_decimals))
}

/// A figure as it was entered.
fn exact(value: f64, lang: Lang) -> String {
    let plain = value.to_string();
    if lang == Lang::De { plain.replace('.', ",") } else { plain }
}

/// Each place's share of both, and by which formula.
pub fn reckoned(usage: &Usage, lang: Lang) -> impl IntoView + use<> {
    let energy = usage.settings.energy;
    let price = usage.settings.price.clone();
    let (places, joules) = (usage.places(), usage.joules(energy));
    let most = joules.iter().copied().fold(0.0, f64::max);
    let lines = Place::ALL.into_iter().filter(|place| places[place.index()].requests > 0);
    let lines = lines.map(|place| {
        let (sum, joules) = (places[place.index()], joules[place.index()]);
        let mut cells = vec![format::integer(lang, sum.tokens()), energy_text(joules, lang)];
        cells.extend(price.as_ref().map(|price| money(cost(sum, price), &price.currency, lang)));
        let share = if most > 0.0 { joules / most } else { 0.0 };
        Line {
            name: place.text().get(lang).to_owned(),
            key: format!("{place:?}"),
            shares: vec![(place.index(), share)],
            cells,
        }
    });
    let lines: Vec<Line> = lines.collect();
    let mut heads = vec![Text::UsagePlace, Text::UsageTokens, Text::UsageEnergy];
    heads.extend(price.as_ref().map(|_| Text::UsageCost));
    let heads = heads.into_iter().map(|text| text.get(lang)).collect();
    let figures = [
        ("share", energy.prompt_share),
        ("overhead", energy.overhead),
        ("device", energy.device),
        ("server", energy.server),
        ("upstream", energy.upstream),
        ("unknown", energy.unknown_billions),
    ];
    let figures = figures.map(|(name, value)| (name, exact(value, lang)));
    let figures = figures.each_ref().map(|(name, value)| (*name, value.as_str()));
    let formula = Text::UsageFormula.fill(lang, &figures);
    let cost_hint = match &price {
        None => Text::UsageCostNone.get(lang).to_owned(),
        Some(price) => {
            let of = match price.of.is_empty() {
                true => Text::UsageCostNobody.get(lang),
                false => price.of.as_str(),
            };
            let [prompt, completion] = [price.per_million_prompt, price.per_million_completion]
                .map(|value| format!("{}\u{a0}{}", exact(value, lang), price.currency));
            let values = [("prompt", prompt.as_str()), ("completion", &completion), ("of", of)];
            Text::UsageCostHint.fill(lang, &values)
        }
    };
    let title = Text::UsageReckoned.get(lang);
    view! {
        <section class="card" aria-labelledby="usage-reckoned">
            <h3 id="usage-reckoned">{title}</h3>
            {bar_table("places", title, heads, lines)}
            <p class="hint" data-formula="">{Text::UsageEnergyHint.get(lang)} " " {formula}</p>
            <p class="hint" dir="auto">{cost_hint}</p>
        </section>
    }
}
