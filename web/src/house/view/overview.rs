//! How is the house doing, and what needs looking after? Looked at again while somebody looks.

use std::time::Duration;

use leptos::leptos_dom::helpers::set_interval_with_handle;
use leptos::prelude::*;
use portico_page::format;
use portico_people::overview::{Concern, Loaded, Near, Overview, Storage, Upstream, Value};
use portico_people::place::Place;
use portico_people::rules::Field;
use portico_people::texts::Text;
use portico_shared::error::{ApiError, Lang};
use wasm_bindgen_futures::spawn_local;

use super::effect::field_text;
use crate::api;
use crate::parts;
use crate::state::{Asked, People};

/// Where the queue is looked after.
const DOCUMENTS: &str = "#/documents";
const EVERY: Duration = Duration::from_secs(20);

pub fn overview(people: People) -> impl IntoView {
    let known = RwSignal::new(Asked::Loading);
    let is_stale = RwSignal::new(false);
    let look = move || {
        spawn_local(async move {
            let asked: Result<Overview, ApiError> = api::get("/api/overview").await;
            let is_known = known
                .try_with_untracked(|known| matches!(known, Asked::Loaded(_)))
                .unwrap_or_default();
            // What was known is better than a connection's error.
            is_stale.try_set(asked.is_err() && is_known);
            if asked.is_ok() || !is_known {
                known.try_set(asked.into());
            }
        });
    };
    look();
    let again = move || {
        let document = web_sys::window().and_then(|window| window.document());
        if document.is_some_and(|document| !document.hidden()) {
            look();
        }
    };
    if let Ok(handle) = set_interval_with_handle(again, EVERY) {
        on_cleanup(move || handle.clear());
    }
    view! {
        <h2 class="library-title">{people.t(Text::Overview)}</h2>
        <p class="muted">{people.t(Text::OverviewLead)}</p>
        {super::checklist::checklist(people)}
        <Show when=move || is_stale.get()>
            <p class="notice" role="status">{people.t(Text::OverviewStale)}</p>
        </Show>
        {move || match known.get() {
            Asked::Loading => parts::loading(people).into_any(),
            Asked::Failed(error) => parts::failed(people, error, look).into_any(),
            Asked::Loaded(overview) => {
                let lang = people.lang.get();
                view! {
                    {concerns(&overview, lang)}
                    {house(&overview, lang)}
                    {near(&overview, lang)}
                    {upstreams(&overview.upstreams, lang)}
                    {models(&overview, lang)}
                    {storage(&overview, lang)}
                }
                .into_any()
            }
        }}
    }
}

fn concerns(overview: &Overview, lang: Lang) -> impl IntoView + use<> {
    let all = overview.concerns();
    let list = match all.is_empty() {
        true => view! { <p data-concerns="none">{Text::ConcernsNone.get(lang)}</p> }.into_any(),
        false => {
            let items = all.into_iter().map(|one| concern(one, lang)).collect_view();
            view! { <ul class="people-concerns">{items}</ul> }.into_any()
        }
    };
    view! {
        <section class="card" aria-labelledby="overview-concerns">
            <h3 id="overview-concerns">{Text::ConcernsTitle.get(lang)}</h3>
            {list}
        </section>
    }
}

fn concern(concern: Concern, lang: Lang) -> impl IntoView {
    let values: Vec<(&str, String)> = concern
        .values
        .into_iter()
        .map(|(name, value)| {
            let value = match value {
                Value::Count(n) => format::integer(lang, n),
                Value::Bytes(bytes) => format::bytes(lang, bytes),
                Value::Name(name) => name,
            };
            (name, value)
        })
        .collect();
    let values: Vec<(&str, &str)> =
        values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let text = concern.text.fill(lang, &values);
    let label = format!("{}: {text}", Text::Open.get(lang));
    view! {
        <li data-concern=concern.name>
            {concern.is_urgent.then(|| view! { <span class="badge strong">{Text::Urgent.get(lang)}</span> })}
            <span dir="auto">{text}</span>
            {concern.href.map(|href| view! {
                <a class="button small" href=href aria-label=label>{Text::Open.get(lang)}</a>
            })}
        </li>
    }
}

/// A line of a list of facts.
fn fact(text: Text, value: String, lang: Lang) -> impl IntoView {
    view! { <div><dt>{text.get(lang)}</dt><dd dir="auto">{value}</dd></div> }
}

/// One that leads to where there is more of it.
fn leading(text: Text, value: String, href: &str, lang: Lang) -> impl IntoView + use<> {
    let label = format!("{}: {value}", text.get(lang));
    view! {
        <div><dt>{text.get(lang)}</dt><dd><a href=href.to_owned() aria-label=label>{value}</a></dd></div>
    }
}

fn house(overview: &Overview, lang: Lang) -> impl IntoView + use<> {
    let n = |n: u64| format::integer(lang, n);
    let counts = overview.people;
    let people = match counts.n_blocked {
        0 => n(counts.n),
        blocked => {
            let values = [("n", n(counts.n)), ("blocked", n(blocked))];
            let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
            Text::PeopleBlocked.fill(lang, &values)
        }
    };
    let today: u64 = overview.today.iter().map(|place| place.sum.tokens()).sum();
    view! {
        <section class="card" aria-labelledby="overview-house">
            <h3 id="overview-house">{Text::HouseTitle.get(lang)}</h3>
            <dl class="facts">
                {leading(Text::PeopleCount, people, &Place::Everyone.hash(), lang)}
                {leading(Text::OpenLinks, n(counts.n_links), &Place::Everyone.hash(), lang)}
                {leading(Text::QueueCount, n(overview.jobs.n_pending), DOCUMENTS, lang)}
                {leading(Text::TodayTokens, n(today), &Place::Usage.hash(), lang)}
            </dl>
        </section>
    }
}

fn near(overview: &Overview, lang: Lang) -> impl IntoView + use<> {
    (overview.quotas.n_people > 0).then(|| {
        let list = match &overview.quotas.near {
            None => view! { <p class="muted">{Text::NearHidden.get(lang)}</p> }.into_any(),
            Some(near) => {
                let rows = near.iter().map(|one| near_row(one, lang)).collect_view();
                view! { <ul class="people-nears">{rows}</ul> }.into_any()
            }
        };
        view! {
            <section class="card" aria-labelledby="overview-near">
                <h3 id="overview-near">{Text::NearTitle.get(lang)}</h3>
                {list}
            </section>
        }
    })
}

fn near_row(near: &Near, lang: Lang) -> impl IntoView + use<> {
    let is_bytes = near.limit == "storage_bytes";
    let field = match near.limit.as_str() {
        "tokens_per_day" => Field::TokensPerDay,
        "tokens_per_month" => Field::TokensPerMonth,
        _ => Field::StorageBytes,
    };
    let amount = |n| if is_bytes { format::bytes(lang, n) } else { format::integer(lang, n) };
    let values = [("used", amount(near.used)), ("max", amount(near.max))];
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    let used = Text::UsedOf.fill(lang, &values);
    let limit = field_text(field).get(lang);
    let line = Text::NearLine.fill(lang, &[("name", &near.name), ("limit", limit)]);
    let href = Place::Person(near.person.clone()).hash();
    view! {
        <li data-near=near.limit.clone()>
            <a href=href dir="auto">{line}</a>
            <meter min="0" max=near.max.to_string() value=near.used.to_string() aria-label=used.clone()></meter>
            <span class="muted">{used}</span>
        </li>
    }
}

fn upstreams(all: &[Upstream], lang: Lang) -> impl IntoView + use<> {
    let list = match all.is_empty() {
        true => view! { <p class="muted">{Text::UpstreamsNone.get(lang)}</p> }.into_any(),
        false => {
            let rows = all.iter().map(|one| upstream(one, lang)).collect_view();
            view! { <ul class="doc-rows">{rows}</ul> }.into_any()
        }
    };
    view! {
        <section class="card" aria-labelledby="overview-upstreams">
            <h3 id="overview-upstreams">{Text::UpstreamsTitle.get(lang)}</h3>
            {list}
        </section>
    }
}

fn upstream(one: &Upstream, lang: Lang) -> impl IntoView + use<> {
    let n = |n: u64| format::integer(lang, n);
    let fill = |text: Text, values: &[(&str, String)]| {
        let values: Vec<(&str, &str)> =
            values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        text.fill(lang, &values)
    };
    let state = match one.is_well {
        true => Text::UpstreamWell.get(lang).to_owned(),
        false => fill(Text::UpstreamAway, &[("n", n(one.wait_s))]),
    };
    let requests = [("n", n(one.n_requests)), ("failed", n(one.n_failed))];
    let running = [("n", n(one.n_running)), ("max", n(one.max_running))];
    let latency = one
        .latency_ms
        .or(one.checked_ms)
        .map(|ms| fill(Text::UpstreamLatency, &[("time", format::milliseconds(lang, ms as f64))]));
    let line = parts::dotted([
        one.models.join(", "),
        fill(Text::UpstreamRequests, &requests),
        fill(Text::UpstreamRunning, &running),
        latency.unwrap_or_default(),
    ]);
    let fault = one.fault.as_ref().map(|fault| {
        let date = parts::date(lang, i64::try_from(fault.at_s).unwrap_or_default());
        fill(Text::UpstreamFault, &[("date", date), ("cause", fault.cause.clone())])
    });
    view! {
        <li class="doc-row" data-upstream=one.id.clone() data-well=one.is_well.to_string()>
            <span class="doc-name" dir="auto">{one.id.clone()} " · " {state}</span>
            <span class="doc-line" dir="auto">{line}</span>
            {fault.map(|fault| view! { <span class="doc-line" dir="auto">{fault}</span> })}
        </li>
    }
}

fn models(overview: &Overview, lang: Lang) -> impl IntoView + use<> {
    let models = &overview.models;
    let list = match models.loaded.is_empty() {
        true => view! { <p class="muted">{Text::LoadedNone.get(lang)}</p> }.into_any(),
        false => {
            let rows = models.loaded.iter().map(|one| loaded(one, lang)).collect_view();
            let values = [
                ("used", format::bytes(lang, overview.memory_bytes())),
                ("max", format::bytes(lang, models.memory_budget_bytes)),
            ];
            let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
            let memory = Text::LoadedMemory.fill(lang, &values);
            view! { <p class="muted">{memory}</p><ul class="doc-rows">{rows}</ul> }.into_any()
        }
    };
    view! {
        <section class="card" aria-labelledby="overview-models">
            <h3 id="overview-models">{Text::LoadedTitle.get(lang)}</h3>
            {list}
        </section>
    }
}

fn loaded(one: &Loaded, lang: Lang) -> impl IntoView + use<> {
    let state = match one.loading {
        Some(share) => {
            let percent = format::percent(lang, (share * 1_000.0) as u64, 1_000);
            Text::LoadedLoading.fill(lang, &[("percent", &percent)])
        }
        None => {
            let values = [
                ("n", format::integer(lang, one.n_running)),
                ("queued", format::integer(lang, one.n_queued)),
            ];
            let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
            Text::LoadedRunning.fill(lang, &values)
        }
    };
    let line = parts::dotted([state, format::bytes(lang, one.memory_bytes)]);
    view! {
        <li class="doc-row" data-loaded=one.id.clone()>
            <span class="doc-name" dir="auto">{one.id.clone()}</span>
            <span class="doc-line">{line}</span>
        </li>
    }
}

fn storage(overview: &Overview, lang: Lang) -> impl IntoView + use<> {
    let Storage { free_bytes, disk_bytes, database_bytes, models_bytes, files_bytes, .. } =
        overview.storage;
    let bytes = |n| format::bytes(lang, n);
    let free = free_bytes.map(|free| match disk_bytes {
        Some(disk) => Text::UsedOf.fill(lang, &[("used", &bytes(free)), ("max", &bytes(disk))]),
        None => bytes(free),
    });
    let files = match &overview.storage.files_elsewhere {
        Some(place) => {
            let values = [("bytes", bytes(files_bytes)), ("place", place.clone())];
            let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
            Text::StorageElsewhere.fill(lang, &values)
        }
        None => bytes(files_bytes),
    };
    let backup = overview.backup.as_ref().map_or_else(
        || Text::Never.get(lang).to_owned(),
        |last| {
            let date = parts::date(lang, i64::try_from(last.made_s).unwrap_or_default());
            parts::dotted([date, bytes(last.size_bytes)])
        },
    );
    view! {
        <section class="card" aria-labelledby="overview-storage">
            <h3 id="overview-storage">{Text::StorageTitle.get(lang)}</h3>
            <dl class="facts">
                {free.map(|free| fact(Text::StorageFree, free, lang))}
                {database_bytes.map(|n| fact(Text::StorageDatabase, bytes(n), lang))}
                {fact(Text::StorageModels, bytes(models_bytes), lang)}
                {fact(Text::StorageFiles, files, lang)}
                {fact(Text::LastBackup, backup, lang)}
            </dl>
        </section>
    }
}
