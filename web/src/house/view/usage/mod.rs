//! What was used, where, by which models, and what that comes to in energy and money?

mod by;
mod devices;
mod reckoned;
mod settings;

use leptos::prelude::*;
use portico_page::format;
use portico_people::calendar::{Grain, day_from_ms, day_from_number, number_from_day};
use portico_people::texts::Text;
use portico_people::usage::{Place, Settings, Usage, cost};
use portico_shared::error::{ApiError, Lang};
use wasm_bindgen_futures::spawn_local;

use super::plot::{Plot, plot};
use crate::api;
use crate::parts;
use crate::state::{Asked, People};

/// Days that can be chosen.
const SPANS: [(i64, Text); 4] = [
    (7, Text::UsageSpan7),
    (30, Text::UsageSpan30),
    (90, Text::UsageSpan90),
    (365, Text::UsageSpanYear),
];
const USUAL_SPAN: i64 = 30;

fn query(n_days: i64) -> String {
    let to = day_from_ms(js_sys::Date::now());
    let from = number_from_day(&to).map(|to| day_from_number(to - n_days + 1));
    format!("from={}&to={to}", from.unwrap_or_default())
}

pub fn usage(people: People) -> impl IntoView {
    let known = RwSignal::new(Asked::Loading);
    let span = RwSignal::new(USUAL_SPAN);
    let look = move |n_days: i64| {
        spawn_local(async move {
            let asked: Result<Usage, ApiError> =
                api::get(&format!("/api/usage?{}", query(n_days))).await;
            known.try_set(asked.into());
        });
    };
    Effect::new(move |_| look(span.get()));
    let again = move || look(span.get_untracked());
    // What was decided below is seen above.
    let n_saved = RwSignal::new(0_u32);
    let saved = move || {
        again();
        n_saved.update(|n| *n += 1);
    };
    let option = move |(n_days, text): (i64, Text)| {
        view! { <option value=n_days.to_string() selected=n_days == USUAL_SPAN>{people.t(text)}</option> }
    };
    view! {
        <h2 class="library-title">{people.t(Text::Usage)}</h2>
        <p class="muted">{people.t(Text::UsageLead)}</p>
        <div class="people-span">
            <label>
                <span>{people.t(Text::UsageSpan)}</span>
                <select data-choose="span" on:change:target=move |event| {
                    span.set(event.target().value().parse().unwrap_or(USUAL_SPAN));
                }>{SPANS.map(option).into_iter().collect_view()}</select>
            </label>
            <a class="button" download="usage.csv" href=move || format!("/api/usage.csv?{}", query(span.get()))>
                {people.t(Text::SaveCsv)}
            </a>
        </div>
        {move || match known.get() {
            Asked::Loading => parts::loading(people).into_any(),
            Asked::Failed(error) => parts::failed(people, error, again).into_any(),
            Asked::Loaded(usage) => shown(people, &usage).into_any(),
        }}
        {devices::devices(people, n_saved)}
        {settings_of(people, known, saved)}
    }
}

/// The form stays as it is while another time is looked at.
fn settings_of<A: Fn() + Copy + Send + Sync + 'static>(
    people: People,
    known: RwSignal<Asked<Usage>>,
    again: A,
) -> impl IntoView {
    let kept = Memo::new(move |before: Option<&Option<Settings>>| {
        let now = known.with(|known| match known {
            Asked::Loaded(usage) => Some(usage.settings.clone()),
            Asked::Loading | Asked::Failed(_) => None,
        });
        now.or_else(|| before.cloned().flatten())
    });
    move || kept.get().map(|kept| settings::settings(people, kept, again))
}

fn shown(people: People, usage: &Usage) -> impl IntoView + use<> {
    let lang = people.lang.get();
    let is_empty = usage.rows.is_empty();
    let has_devices = usage.places()[Place::Device.index()].requests > 0;
    view! {
        {is_empty.then(|| view! { <p data-state="usage-none">{Text::UsageNone.get(lang)}</p> })}
        {(!is_empty).then(|| view! {
            {totals(usage, lang)}
            {by_day(usage, lang)}
            {(!has_devices).then(|| view! { <p class="hint">{Text::UsageDevicesOff.get(lang)}</p> })}
            {by::models(usage, lang)}
            {by::groups(usage, lang)}
            {by::people(usage, lang)}
            {reckoned::reckoned(usage, lang)}
        })}
    }
}

/// All of it: tokens, requests, energy, money.
fn totals(usage: &Usage, lang: Lang) -> impl IntoView + use<> {
    let total = usage.total();
    let joules = usage.joules(usage.settings.energy).iter().sum();
    let price = usage.settings.price.as_ref();
    let money = price.map(|price| reckoned::money(cost(total, price), &price.currency, lang));
    let fact = |text: Text, name: &'static str, value: String| {
        view! { <div><dt>{text.get(lang)}</dt><dd data-total=name>{value}</dd></div> }
    };
    view! {
        <div class="card">
            <dl class="facts people-totals">
                {fact(Text::UsageTokens, "tokens", format::integer(lang, total.tokens()))}
                {fact(Text::UsagePrompt, "prompt", format::integer(lang, total.prompt_tokens))}
                {fact(Text::UsageCompletion, "completion", format::integer(lang, total.completion_tokens))}
                {fact(Text::UsageRequests, "requests", format::integer(lang, total.requests))}
                {fact(Text::UsageEnergy, "energy", reckoned::energy_text(joules, lang))}
                {money.map(|money| fact(Text::UsageCost, "cost", money))}
            </dl>
        </div>
    }
}

fn by_day(usage: &Usage, lang: Lang) -> impl IntoView + use<> {
    let grain = usage.grain();
    let (title, of) = match grain {
        Grain::Day => (Text::UsageByDay, Text::UsageDay),
        Grain::Week => (Text::UsageByWeek, Text::UsageWeek),
        Grain::Month => (Text::UsageByMonth, Text::UsageMonth),
    };
    let places = usage.places();
    let used: Vec<Place> =
        Place::ALL.into_iter().filter(|place| places[place.index()].requests > 0).collect();
    let stretches = usage.stretches();
    let most =
        stretches.iter().max_by_key(|one| one.places.iter().map(|s| s.tokens()).sum::<u64>());
    let name = |first: i64| day(lang, first, grain);
    let desc = most.map(|most| {
        let max: u64 = most.places.iter().map(|sum| sum.tokens()).sum();
        let ends = [&usage.from, &usage.to].map(|day| number_from_day(day).unwrap_or_default());
        let [from, to] = ends.map(|number| self::day(lang, number, Grain::Day));
        let values = [
            ("from", from),
            ("to", to),
            ("n", format::integer(lang, usage.total().tokens())),
            ("max", format::integer(lang, max)),
            ("at", name(most.first)),
        ];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        Text::UsagePlotDesc.fill(lang, &values)
    });
    let bars = stretches.iter().map(|stretch| {
        let values = used.iter().map(|place| stretch.places[place.index()].tokens()).collect();
        (name(stretch.first), values)
    });
    let series = used.iter().map(|place| (place.index(), place.text().get(lang))).collect();
    plot(Plot {
        id: "usage-days",
        title: title.get(lang),
        desc: desc.unwrap_or_default(),
        of: of.get(lang),
        total: Text::UsageTotal.get(lang),
        table: Text::UsageTable.get(lang),
        series,
        bars: bars.collect(),
        lang,
    })
}

/// A day as the language writes it; a month without its day.
fn day(lang: Lang, number: i64, grain: Grain) -> String {
    let date = js_sys::Date::new(&(number as f64 * 86_400_000.0).into());
    let options = js_sys::Object::new();
    let parts: &[(&str, &str)] = match grain {
        Grain::Month => &[("year", "numeric"), ("month", "short")],
        Grain::Day | Grain::Week => &[("day", "numeric"), ("month", "short")],
    };
    for (name, value) in parts.iter().chain(&[("timeZone", "UTC")]) {
        js_sys::Reflect::set(&options, &(*name).into(), &(*value).into()).ok();
    }
    let lang = if lang == Lang::De { "de-DE" } else { "en-GB" };
    date.to_locale_date_string(lang, &options).into()
}
