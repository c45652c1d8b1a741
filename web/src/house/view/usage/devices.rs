//! What can the house's devices do? As many of them say it as want to, and no fewer than three together.

use leptos::prelude::*;
use portico_page::format;
use portico_people::calendar::{Grain, number_from_day};
use portico_people::devices::{Devices, Month, class_text, fact_text};
use portico_people::texts::Text;
use portico_shared::error::Lang;
use wasm_bindgen_futures::spawn_local;

use super::super::plot::{Line, bar_table};
use super::day;
use crate::api;
use crate::parts;
use crate::state::{Asked, People};

/// In this order.
const FACTS: [&str; 5] = ["gpu", "memory", "f16", "subgroups", "buffer"];

/// Asked for anew whenever `version` moves on.
pub fn devices(people: People, version: RwSignal<u32>) -> impl IntoView {
    let known = RwSignal::new(Asked::Loading);
    let look = move || {
        spawn_local(async move {
            known.try_set(api::get::<Devices>("/api/usage/devices").await.into());
        });
    };
    Effect::new(move |_| {
        version.track();
        look();
    });
    view! {
        <section class="card" aria-labelledby="usage-devices" data-devices="">
            <h3 id="usage-devices">{people.t(Text::HouseDevices)}</h3>
            {move || match known.get() {
                Asked::Loading => parts::loading(people).into_any(),
                Asked::Failed(error) => parts::failed(people, error, look).into_any(),
                Asked::Loaded(devices) => shown(&devices, people.lang.get()).into_any(),
            }}
        </section>
    }
}

fn shown(devices: &Devices, lang: Lang) -> impl IntoView + use<> {
    let least = format::integer(lang, devices.least);
    let hint = match (devices.best(), devices.asks) {
        (None, false) => Text::DevicesOff.get(lang).to_owned(),
        (None, true) => Text::DevicesFew.fill(lang, &[("n", &least)]),
        (Some(month), _) => {
            let n = format::integer(lang, month.n);
            let first = number_from_day(&format!("{}-01", month.month)).unwrap_or_default();
            let named = day(lang, first, Grain::Month);
            let values = [("n", n.as_str()), ("month", &named), ("least", &least)];
            Text::DevicesLead.fill(lang, &values)
        }
    };
    let month = devices.best().map(|month| view! { {models(month, lang)} {facts(month, lang)} });
    view! { <p class="muted">{hint}</p> {month} }
}

fn models(month: &Month, lang: Lang) -> impl IntoView + use<> {
    let all = month.n.max(1) as f64;
    let lines = month.models.iter().map(|model| {
        let n = if model.at_least == 0 { model.at_most } else { model.at_least };
        let (n, n_all) = (format::integer(lang, n), format::integer(lang, month.n));
        let said = model.text().fill(lang, &[("n", &n), ("all", &n_all)]);
        Line {
            name: model.model.clone(),
            key: model.model.clone(),
            shares: vec![(0, model.at_least as f64 / all)],
            cells: vec![said],
        }
    });
    let lines: Vec<Line> = lines.collect();
    let title = Text::DevicesModels.get(lang);
    let heads = [Text::UsageModel, Text::DevicesCount].map(|text| text.get(lang));
    (!lines.is_empty()).then(|| {
        view! {
            <h4>{title}</h4>
            {bar_table("device-models", title, heads.into(), lines)}
        }
    })
}

fn facts(month: &Month, lang: Lang) -> impl IntoView + use<> {
    let all = month.n.max(1) as f64;
    let tables = FACTS.into_iter().filter_map(|fact| {
        let title = fact_text(fact)?.get(lang);
        let lines = month.facts.get(fact)?.iter().map(|class| Line {
            name: class_text(fact, &class.value)
                .map_or_else(|own| own, |text| text.get(lang).to_owned()),
            key: class.value.clone(),
            shares: vec![(0, class.n as f64 / all)],
            cells: vec![format::integer(lang, class.n)],
        });
        let heads = [Text::DevicesClass, Text::DevicesCount].map(|text| text.get(lang));
        Some(view! {
            <div>
                <h4>{title}</h4>
                {bar_table(fact, title, heads.into(), lines.collect())}
            </div>
        })
    });
    view! { <div class="people-device-facts">{tables.collect_view()}</div> }
}
