//! Whose use is shown, and by which figures energy and money are reckoned?

use leptos::prelude::*;
use portico_people::texts::Text;
use portico_people::usage::{Detail, Energy, Price, Settings, figure, typed};

use crate::api;
use crate::parts::{Doing, submit};
use crate::state::People;

/// A figure's field.
#[derive(Clone, Copy)]
struct Figure {
    text: Text,
    typed: RwSignal<String>,
}

impl Figure {
    fn new(text: Text, value: Option<f64>) -> Self {
        Self { text, typed: RwSignal::new(value.map(typed).unwrap_or_default()) }
    }

    fn view(self, people: People) -> impl IntoView {
        let Self { text, typed } = self;
        view! {
            <label class="people-field">
                <span>{people.t(text)}</span>
                <input type="text" inputmode="decimal" autocomplete="off"
                    prop:value=move || typed.get() on:input:target=move |event| typed.set(event.target().value())/>
            </label>
        }
    }

    /// # Errors
    /// The field's name where it has no number.
    fn value(self) -> Result<f64, Text> {
        figure(&self.typed.get_untracked()).ok_or(self.text)
    }
}

/// The fields as they are typed.
#[derive(Clone, Copy)]
struct Drafts {
    detail: RwSignal<Detail>,
    asks_devices: RwSignal<bool>,
    currency: RwSignal<String>,
    of: RwSignal<String>,
    prices: [Figure; 2],
    energy: [Figure; 6],
}

impl Drafts {
    fn new(kept: &Settings) -> Self {
        let price = kept.price.as_ref();
        let energy = kept.energy;
        Self {
            detail: RwSignal::new(kept.detail),
            asks_devices: RwSignal::new(kept.asks_devices),
            currency: RwSignal::new(price.map(|price| price.currency.clone()).unwrap_or_default()),
            of: RwSignal::new(price.map(|price| price.of.clone()).unwrap_or_default()),
            prices: [
                Figure::new(Text::UsagePricePrompt, price.map(|price| price.per_million_prompt)),
                Figure::new(
                    Text::UsagePriceCompletion,
                    price.map(|price| price.per_million_completion),
                ),
            ],
            energy: [
                Figure::new(Text::UsageJoulesDevice, Some(energy.device)),
                Figure::new(Text::UsageJoulesServer, Some(energy.server)),
                Figure::new(Text::UsageJoulesUpstream, Some(energy.upstream)),
                Figure::new(Text::UsagePromptShare, Some(energy.prompt_share)),
                Figure::new(Text::UsageOverhead, Some(energy.overhead)),
                Figure::new(Text::UsageUnknownBillions, Some(energy.unknown_billions)),
            ],
        }
    }

    fn settings(self) -> Result<Settings, Text> {
        let currency = self.currency.get_untracked().trim().to_uppercase();
        let price = match currency.is_empty() {
            true => None,
            false => Some(Price {
                currency,
                per_million_prompt: self.prices[0].value()?,
                per_million_completion: self.prices[1].value()?,
                of: self.of.get_untracked().trim().to_owned(),
            }),
        };
        let [device, server, upstream, prompt_share, overhead, unknown_billions] = self.energy;
        Ok(Settings {
            detail: self.detail.get_untracked(),
            asks_devices: self.asks_devices.get_untracked(),
            price,
            energy: Energy {
                device: device.value()?,
                server: server.value()?,
                upstream: upstream.value()?,
                prompt_share: prompt_share.value()?,
                overhead: overhead.value()?,
                unknown_billions: unknown_billions.value()?,
            },
        })
    }
}

pub fn settings(
    people: People,
    kept: Settings,
    saved: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let drafts = Drafts::new(&kept);
    let doing = Doing::new();
    let unclear = RwSignal::new(None::<String>);
    let save = move || {
        unclear.set(None);
        let settings = match drafts.settings() {
            Ok(settings) => settings,
            Err(field) => {
                let lang = people.lang.get_untracked();
                let said = Text::UsageFigureUnclear.fill(lang, &[("field", field.get(lang))]);
                return unclear.set(Some(said));
            }
        };
        let asked =
            async move { api::send::<Settings>("PUT", "/api/usage/settings", &settings).await };
        doing.run(asked, move |_| {
            people.say(Text::Saved);
            people.session_changed();
            saved();
        });
    };
    let option = move |each: Detail| {
        let is_chosen = each == drafts.detail.get_untracked();
        view! { <option value=each.as_str() selected=is_chosen>{people.t(each.text())}</option> }
    };
    let text_field = move |text: Text, value: RwSignal<String>, max: &'static str| {
        view! {
            <label class="people-field">
                <span>{people.t(text)}</span>
                <input type="text" autocomplete="off" maxlength=max prop:value=move || value.get()
                    on:input:target=move |event| value.set(event.target().value())/>
            </label>
        }
    };
    let figures = move |all: &[Figure]| all.iter().map(|one| one.view(people)).collect_view();
    view! {
        <form class="card people-form" data-form="usage" on:submit=move |event| {
            event.prevent_default();
            save();
        }>
            <h3>{people.t(Text::UsageSettings)}</h3>
            <label class="people-field">
                <span>{people.t(Text::UsageDetail)}</span>
                <select data-choose="detail" on:change:target=move |event| {
                    drafts.detail.set(Detail::from_name(&event.target().value()));
                }>{Detail::ALL.map(option).into_iter().collect_view()}</select>
            </label>
            <p class="hint">{people.t(Text::UsageDetailHint)}</p>
            <label class="switch">
                <input type="checkbox" prop:checked=move || drafts.asks_devices.get()
                    on:change:target=move |event| drafts.asks_devices.set(event.target().checked())/>
                <span>{people.t(Text::UsageAsksDevices)}</span>
            </label>
            <fieldset class="people-figures">
                <legend>{people.t(Text::UsagePrice)}</legend>
                {text_field(Text::UsageCurrency, drafts.currency, "3")}
                {text_field(Text::UsagePriceOf, drafts.of, "60")}
                {figures(&drafts.prices)}
            </fieldset>
            <fieldset class="people-figures">
                <legend>{people.t(Text::UsageEnergyFigures)}</legend>
                {figures(&drafts.energy)}
            </fieldset>
            <p class="hint">{people.t(Text::UsageEnergySources)}</p>
            {move || unclear.get().map(|said| view! { <p class="doc-error" role="alert">{said}</p> })}
            {doing.fault(people)}
            <div class="row">{submit(people, doing, Text::Save)}</div>
        </form>
    }
}
