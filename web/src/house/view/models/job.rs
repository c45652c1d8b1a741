//! What is worked on, how far it is, and what became of it.

use std::time::Duration;

use leptos::prelude::*;
use portico_page::format;
use portico_people::models::{Job, OfJob};
use portico_people::texts::Text;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;

use super::Shown;
use crate::api;
use crate::parts::{self, Doing};

/// How often progress is asked for.
const LOOK_AGAIN: Duration = Duration::from_millis(800);
/// After the server could not be reached.
const TRY_AGAIN: Duration = Duration::from_secs(4);

/// Looks until nothing runs any more; the view's end ends it, too.
pub fn follow(shown: Shown) {
    let is_running = shown.job.try_with_untracked(|job| job.as_ref().is_some_and(Job::is_running));
    if is_running != Some(true) {
        return;
    }
    let look = move || {
        spawn_local(async move {
            match api::get::<OfJob>("/api/models/job").await {
                Ok(OfJob { job }) => {
                    let is_over = !job.as_ref().is_some_and(Job::is_running);
                    if shown.job.try_set(job).is_some() {
                        return;
                    }
                    if is_over {
                        shown.version.update(|version| *version += 1);
                    } else {
                        follow(shown);
                    }
                }
                Err(_) => set_timeout(move || follow(shown), TRY_AGAIN),
            }
        });
    };
    set_timeout(look, LOOK_AGAIN);
}

pub fn job(shown: Shown) -> impl IntoView {
    let people = shown.people;
    let doing = Doing::new();
    let stop = move || {
        let asked = async { api::send::<OfJob>("DELETE", "/api/models/job", &json!({})).await };
        doing.run(asked, move |_| {});
    };
    let is_there = Memo::new(move |_| shown.job.with(Option::is_some));
    let is_running = Memo::new(move |_| shown.is_busy());
    let said = move || {
        let lang = people.lang.get();
        let said = |job: &Job| format!("{} {}.", job.model, job.said().get(lang));
        shown.job.with(|job| job.as_ref().map(said)).unwrap_or_default()
    };
    let progress = move || {
        let lang = people.lang.get();
        shown.job.with(|job| job.as_ref().map(|job| job.progress_said(lang))).unwrap_or_default()
    };
    let percent = move || {
        shown.job.with(|job| {
            let job = job.as_ref()?;
            Some(format::whole_percent(job.done_bytes, job.total_bytes?))
        })
    };
    let error =
        Memo::new(move |_| shown.job.with(|job| job.as_ref().and_then(|job| job.error.clone())));
    let state = move || shown.job.with(|job| job.as_ref().map(|job| job.state.as_str()));
    let of_model = move || shown.job.with(|job| job.as_ref().map(|job| job.model.clone()));
    move || {
        is_there.get().then(|| view! {
            <section class="card" aria-labelledby="models-job" data-job=state data-job-model=of_model>
                <h3 id="models-job">{people.t(Text::JobNow)}</h3>
                <p role="status" dir="auto">{said}</p>
                <Show when=move || is_running.get()>
                    <progress class="people-progress" max="100" value=move || percent().map(|percent| percent.to_string())
                        aria-label=people.t(Text::JobNow)></progress>
                    <p class="muted people-figure">{progress}</p>
                    <div class="row">
                        <button type="button" class="button" on:click=move |_| stop()>{people.t(Text::JobStop)}</button>
                    </div>
                </Show>
                {move || error.get().map(|error| parts::fault(people, error).into_any())}
                {doing.fault(people)}
            </section>
        })
    }
}
