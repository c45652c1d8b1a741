//! What does somebody who has just started a house do first? Each step leads to its place; it is done once the
//! server has what it is about.

use leptos::prelude::*;
use portico_people::place::Place;
use portico_people::texts::Text;
use serde::Deserialize;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;

use crate::api;
use crate::parts::{self, Doing};
use crate::state::{Asked, People};

/// `GET /api/first-hour`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct FirstHour {
    items: Vec<Item>,
    is_hidden: bool,
    n_done: usize,
    n_items: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Item {
    id: String,
    is_done: bool,
    is_aside: bool,
}

/// A step's title, what is said of it, and where it leads.
fn step(id: &str) -> Option<(Text, Text, String)> {
    Some(match id {
        "admin" => (Text::StepAdmin, Text::StepAdminHint, Place::Everyone.hash()),
        "models" => (Text::StepModels, Text::StepModelsHint, Place::Models.hash()),
        "documents" => (Text::StepDocuments, Text::StepDocumentsHint, "#/documents".to_owned()),
        "invite" => (Text::StepInvite, Text::StepInviteHint, Place::Everyone.hash()),
        "sign_in" => (Text::StepSignIn, Text::StepSignInHint, Place::SignInService.hash()),
        "limits" => (Text::StepLimits, Text::StepLimitsHint, Place::Rules.hash()),
        "backup" => (Text::StepBackup, Text::StepBackupHint, Place::Overview.hash()),
        // Of a newer server.
        _ => return None,
    })
}

/// For the top of the overview; nothing where it was hidden.
pub fn checklist(people: People) -> impl IntoView {
    let known = RwSignal::new(Asked::Loading);
    spawn_local(async move {
        // The view may have gone.
        known.try_set(api::get::<FirstHour>("/api/first-hour").await.into());
    });
    let doing = Doing::new();
    let choose = move |aside: Vec<String>, hidden: bool| {
        let body = json!({ "aside": aside, "hidden": hidden });
        let asked = async move { api::send::<FirstHour>("PUT", "/api/first-hour", &body).await };
        doing.run(asked, move |list| known.set(Asked::Loaded(list)));
    };
    move || match known.get() {
        Asked::Loading => ().into_any(),
        Asked::Failed(error) => parts::fault(people, error).into_any(),
        Asked::Loaded(list) if list.is_hidden => ().into_any(),
        Asked::Loaded(list) => shown(people, list, doing, choose).into_any(),
    }
}

fn shown(
    people: People,
    list: FirstHour,
    doing: Doing,
    choose: impl Fn(Vec<String>, bool) + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let FirstHour { items, n_done, n_items, .. } = list;
    let aside: Vec<String> =
        items.iter().filter(|item| item.is_aside).map(|item| item.id.clone()).collect();
    let lead = move || {
        let lang = people.lang.get();
        match n_done == n_items {
            true => Text::FirstHourAll.get(lang).to_owned(),
            false => {
                let (done, all) = (n_done.to_string(), n_items.to_string());
                Text::FirstHourLead.fill(lang, &[("done", &done), ("all", &all)])
            }
        }
    };
    let of_rows = aside.clone();
    let row = move |item: Item| {
        let (title, hint, hash) = step(&item.id)?;
        let mut changed = of_rows.clone();
        match item.is_aside {
            true => changed.retain(|id| *id != item.id),
            false => changed.push(item.id.clone()),
        }
        let (state, said) = match (item.is_done, item.is_aside) {
            (true, _) => ("done", Text::StepDone),
            (false, true) => ("aside", Text::StepAside),
            (false, false) => ("open", Text::StepOpen),
        };
        let (text, label) = match item.is_aside {
            true => (Text::StepTakeUp, Text::StepTakeUpOf),
            false => (Text::StepPutAside, Text::StepPutAsideOf),
        };
        let label = move || {
            let lang = people.lang.get();
            label.fill(lang, &[("step", title.get(lang))])
        };
        let button = (!item.is_done).then(|| {
            view! {
                <button type="button" class="button quiet small" aria-label=label
                    on:click=move |_| choose(changed.clone(), false)>{people.t(text)}</button>
            }
        });
        Some(view! {
            <li class="people-step" data-step=item.id data-state=state>
                <span class="people-step-mark" aria-hidden="true"></span>
                <span class="people-step-words">
                    <a href=hash>{people.t(title)}</a>
                    <span class="visually-hidden">{people.t(said)}</span>
                    <span class="muted">{people.t(hint)}</span>
                </span>
                {button}
            </li>
        })
    };
    view! {
        <section class="card" aria-labelledby="first-hour" data-first-hour=format!("{n_done}/{n_items}")>
            <h3 id="first-hour">{people.t(Text::FirstHour)}</h3>
            <p class="muted">{lead}</p>
            <ol class="people-steps">{items.into_iter().filter_map(row).collect_view()}</ol>
            {doing.fault(people)}
            <div class="row">
                <button type="button" class="button quiet small" on:click=move |_| choose(aside.clone(), true)>
                    {people.t(Text::FirstHourHide)}
                </button>
            </div>
        </section>
    }
}
