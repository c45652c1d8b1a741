//! Who did what? The audit log, filtered, and as CSV.

use leptos::prelude::*;
use portico_page::format;
use portico_people::audit::{ACTIONS, Entries, Entry, Filter, PAGE, action_text, who_text};
use portico_people::texts::Text;
use portico_shared::error::{ApiError, Lang};
use wasm_bindgen_futures::spawn_local;

use crate::api::{self, Everyone, Person};
use crate::parts;
use crate::state::{Asked, People};

/// What this device's clock is ahead of UTC.
fn zone_s() -> i64 {
    -(js_sys::Date::new_0().get_timezone_offset() as i64) * 60
}

async fn asked(filter: &Filter, before: Option<i64>) -> Result<Vec<Entry>, ApiError> {
    let path = format!("/api/audit?limit={PAGE}&{}", filter.query(zone_s(), before));
    Ok(api::get::<Entries>(&path).await?.entries)
}

pub fn log(people: People) -> impl IntoView {
    let filter = RwSignal::new(Filter::default());
    let known = RwSignal::new(Asked::Loading);
    let has_more = RwSignal::new(false);
    let everyone = RwSignal::new(Vec::<Person>::new());
    spawn_local(async move {
        // Without them ids stand for names.
        if let Ok(found) = api::get::<Everyone>("/api/people").await {
            everyone.try_set(found.people);
        }
    });
    let look = move |filter: Filter| {
        spawn_local(async move {
            let found = asked(&filter, None).await;
            has_more.try_set(found.as_ref().is_ok_and(|found| found.len() == PAGE));
            known.try_set(found.into());
        });
    };
    Effect::new(move |_| look(filter.get()));
    let more = move || {
        let filter = filter.get_untracked();
        let last = known.with_untracked(|known| match known {
            Asked::Loaded(entries) => entries.last().map(|entry| entry.id),
            _ => None,
        });
        spawn_local(async move {
            match asked(&filter, last).await {
                Ok(older) => {
                    has_more.try_set(older.len() == PAGE);
                    known.try_update(|known| {
                        if let Asked::Loaded(entries) = known {
                            entries.extend(older);
                        }
                    });
                }
                Err(error) => {
                    known.try_set(Asked::Failed(error));
                }
            }
        });
    };
    let csv = move || format!("/api/audit.csv?{}", filter.get().query(zone_s(), None));
    view! {
        <h2 class="library-title">{people.t(Text::Log)}</h2>
        <p class="muted">{people.t(Text::LogLead)}</p>
        {filters(people, filter, everyone).into_any()}
        <div class="row"><a class="button small" href=csv download="audit.csv">{people.t(Text::SaveCsv)}</a></div>
        {move || match known.get() {
            Asked::Loading => parts::loading(people).into_any(),
            Asked::Failed(error) => parts::failed(people, error, move || look(filter.get_untracked())).into_any(),
            Asked::Loaded(entries) if entries.is_empty() => view! {
                <p class="hint" data-state="log-empty">{people.t(Text::LogEmpty)}</p>
            }.into_any(),
            Asked::Loaded(entries) => view! {
                <ul class="doc-rows" data-log="">
                    {entries.into_iter().map(|entry| row(people, entry, everyone)).collect_view()}
                </ul>
            }.into_any(),
        }}
        <Show when=move || has_more.get()>
            <button type="button" class="button quiet center-self" on:click=move |_| more()>{people.t(Text::MoreLines)}</button>
        </Show>
    }
}

fn filters(
    people: People,
    filter: RwSignal<Filter>,
    everyone: RwSignal<Vec<Person>>,
) -> impl IntoView {
    let day = move |text: Text, set: fn(&mut Filter, String)| {
        view! {
            <label>
                <span>{people.t(text)}</span>
                <input type="date" on:change:target=move |event| {
                    let day = event.target().value();
                    filter.update(|filter| set(filter, day));
                }/>
            </label>
        }
    };
    let others =
        [("page", Text::WhoPage), ("operator", Text::WhoOperator), ("nobody", Text::WhoNobody)];
    view! {
        <fieldset class="filters people-filters" aria-label=people.t(Text::Log)>
            {day(Text::From, |filter, day| filter.from = day)}
            {day(Text::To, |filter, day| filter.to = day)}
            <label>
                <span>{people.t(Text::Who)}</span>
                <select data-filter="who" on:change:target=move |event| {
                    let who = event.target().value();
                    filter.update(|filter| filter.who = who);
                }>
                    <option value="">{people.t(Text::Everybody)}</option>
                    {move || everyone.get().into_iter().map(|person| {
                        let shown = person.shown().to_owned();
                        view! { <option value=person.id>{shown}</option> }
                    }).collect_view()}
                    {others.map(|(who, text)| view! { <option value=who>{people.t(text)}</option> }).into_iter().collect_view()}
                </select>
            </label>
            <label>
                <span>{people.t(Text::DidWhat)}</span>
                <select data-filter="action" on:change:target=move |event| {
                    let action = event.target().value();
                    filter.update(|filter| filter.action = action);
                }>
                    <option value="">{people.t(Text::Anything)}</option>
                    {ACTIONS.iter().map(|&(action, text)| view! { <option value=action>{people.t(text)}</option> }).collect_view()}
                </select>
            </label>
        </fieldset>
    }
}

fn row(people: People, entry: Entry, everyone: RwSignal<Vec<Person>>) -> impl IntoView {
    let action = entry.action.clone();
    let is_bad = !entry.outcome.is_empty() && entry.outcome != "ok";
    let outcome = entry.outcome.clone();
    let name_of = move |id: &str, lang: Lang| {
        let found = everyone.with(|all| {
            all.iter().find(|person| person.id == id).map(|person| person.shown().to_owned())
        });
        let text = || who_text(id).map(|text| text.get(lang).to_owned());
        found.or_else(text).unwrap_or_else(|| id.to_owned())
    };
    let (who, did) = (entry.who.clone(), entry.action.clone());
    let title = move || {
        let lang = people.lang.get();
        let did = action_text(&did).map_or(did.as_str(), |text| text.get(lang));
        format!("{} {did}", name_of(&who, lang))
    };
    let line = move || {
        let lang = people.lang.get();
        let mut parts = vec![parts::date(lang, entry.at_s)];
        if !entry.object.is_empty() && entry.object != entry.who {
            parts.push(name_of(&entry.object, lang));
        }
        if entry.key.is_some() {
            parts.push(Text::ByKey.get(lang).to_owned());
        }
        parts.extend(entry.model.clone());
        parts.extend(entry.place.as_deref().map(|place| match place {
            "server" => Text::PlaceServer.get(lang).to_owned(),
            "device" => Text::PlaceDevice.get(lang).to_owned(),
            "upstream" => Text::PlaceUpstream.get(lang).to_owned(),
            other => other.to_owned(),
        }));
        if let (Some(prompt), Some(completion)) = (entry.prompt_tokens, entry.completion_tokens) {
            let (prompt, completion) =
                (format::integer(lang, prompt), format::integer(lang, completion));
            let values = [("prompt", prompt.as_str()), ("completion", completion.as_str())];
            parts.push(Text::TokensInOut.fill(lang, &values));
        }
        parts.join(" · ")
    };
    view! {
        <li class="doc-row" data-action=action>
            <span class="doc-name" dir="auto">{title}</span>
            <span class="doc-line" dir="auto">{line}</span>
            {is_bad.then(|| view! { <span class="doc-actions"><code>{outcome}</code></span> })}
        </li>
    }
}
