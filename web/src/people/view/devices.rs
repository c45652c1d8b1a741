//! Where one is signed in.

use leptos::prelude::*;
use portico_people::agent::names;
use portico_people::texts::Text;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;

use crate::api::{self, Anything, Device, Devices};
use crate::parts::{self, Doing};
use crate::state::{Asked, People};

pub fn devices(people: People) -> impl IntoView {
    let known = RwSignal::new(Asked::Loading);
    let look = move || {
        spawn_local(async move { known.set(api::get::<Devices>("/api/me/sessions").await.into()) });
    };
    look();
    let doing = Doing::new();
    let end = move |path: String| {
        let asked = async move { api::send::<Anything>("DELETE", &path, &json!({})).await };
        doing.run(asked, move |_| look());
    };
    let row = move |device: Device| {
        let (id, seen_s, is_this) = (device.id, device.seen_s, device.is_this);
        let of_row = id.clone();
        let agent = device.agent.unwrap_or_default();
        let whole = agent.clone();
        let name = move || {
            let lang = people.lang.get();
            match names(&agent) {
                (Some(browser), Some(system)) => {
                    let values = [("browser", browser), ("system", system)];
                    Text::DeviceOn.fill(lang, &values)
                }
                (Some(name), None) | (None, Some(name)) => name.to_owned(),
                (None, None) if agent.is_empty() => Text::UnknownDevice.get(lang).to_owned(),
                (None, None) => agent.clone(),
            }
        };
        let (shown, label) = (name.clone(), name);
        let line = move || {
            let lang = people.lang.get();
            match is_this {
                true => Text::ThisDevice.get(lang).to_owned(),
                false => Text::LastSeen.fill(lang, &[("date", &parts::date(lang, seen_s))]),
            }
        };
        view! {
            <li class="doc-row" data-session=of_row>
                <span class="doc-name" title=whole>{shown}</span>
                <span class="doc-line">{line}</span>
                {(!is_this).then(|| view! {
                    <span class="doc-actions">
                        <button type="button" class="button quiet small"
                            aria-label=move || Text::EndSession.fill(people.lang.get(), &[("name", &label())])
                            on:click=move |_| end(format!("/api/me/sessions/{id}"))>{people.t(Text::SignOut)}</button>
                    </span>
                })}
            </li>
        }
    };
    view! {
        <section class="card" aria-labelledby="people-devices">
            <h3 id="people-devices">{people.t(Text::Devices)}</h3>
            {move || match known.get() {
                Asked::Loading => parts::loading(people).into_any(),
                Asked::Failed(error) => parts::failed(people, error, look).into_any(),
                Asked::Loaded(Devices { sessions }) => {
                    let has_others = sessions.len() > 1;
                    view! {
                        <ul class="doc-rows">{sessions.into_iter().map(row).collect_view()}</ul>
                        {has_others.then(|| view! {
                            <div class="row">
                                <button type="button" class="button small"
                                    on:click=move |_| end("/api/me/sessions".to_owned())>{people.t(Text::EndOthers)}</button>
                            </div>
                        })}
                    }.into_any()
                }
            }}
            {doing.fault(people)}
        </section>
    }
}
