//! The house's models: what the server's machine can do, what is worked on, which are used first, which are
//! here, which could be.

mod first;
mod job;
mod machine;
mod row;
mod upload;

use leptos::prelude::*;
use portico_people::models::{Job, Listing, Model, Presence};
use portico_people::texts::Text;
use wasm_bindgen_futures::spawn_local;

use crate::api;
use crate::parts;
use crate::state::{Asked, People};

/// What the view's parts share.
#[derive(Clone, Copy)]
pub struct Shown {
    pub people: People,
    pub job: RwSignal<Option<Job>>,
    /// Grows when the list is to be asked for anew.
    pub version: RwSignal<u32>,
}

impl Shown {
    /// A job was begun: its progress is looked at until it ends.
    pub fn follows(self, job: Option<Job>) {
        self.job.set(job);
        job::follow(self);
        // Its progress stands above what was clicked.
        request_animation_frame(|| {
            let document = web_sys::window().and_then(|window| window.document());
            let card = document.and_then(|document| document.get_element_by_id("models-job"));
            if let Some(card) = card {
                card.scroll_into_view_with_bool(true);
            }
        });
    }

    pub fn is_busy(self) -> bool {
        self.job.with(|job| job.as_ref().is_some_and(Job::is_running))
    }
}

pub fn models(people: People) -> impl IntoView {
    let shown = Shown { people, job: RwSignal::new(None), version: RwSignal::new(0) };
    let known = RwSignal::new(Asked::Loading);
    Effect::new(move |_| {
        shown.version.track();
        spawn_local(async move {
            let asked = api::get::<Listing>("/api/models").await;
            // The view may have gone.
            if let Ok(listing) = &asked
                && shown.job.try_set(listing.job.clone()).is_none()
            {
                job::follow(shown);
            }
            known.try_set(asked.into());
        });
    });
    view! {
        <h2 class="library-title">{people.t(Text::Models)}</h2>
        <p class="muted">{people.t(Text::ModelsLead)}</p>
        {job::job(shown)}
        {move || match known.get() {
            Asked::Loading => parts::loading(people).into_any(),
            Asked::Failed(error) => {
                parts::failed(people, error, move || shown.version.update(|version| *version += 1))
                    .into_any()
            }
            Asked::Loaded(listing) => lists(shown, listing).into_any(),
        }}
    }
}

fn lists(shown: Shown, listing: Listing) -> impl IntoView + use<> {
    let people = shown.people;
    let first = first::first(shown, &listing);
    let default_model = listing.default_model.clone();
    let is_here = |model: &Model| matches!(model.presence, Presence::Here | Presence::Damaged);
    let (here, more): (Vec<Model>, Vec<Model>) = listing.models.into_iter().partition(is_here);
    let has_none = here.is_empty();
    let row = move |model: Model| {
        let is_first = Some(&model.id) == default_model.as_ref();
        row::row(shown, model, is_first).into_any()
    };
    let here = here.into_iter().map(row.clone()).collect_view();
    let more = more.into_iter().map(row).collect_view();
    view! {
        <section class="card" aria-labelledby="models-here">
            <h3 id="models-here">{people.t(Text::ModelsHere)}</h3>
            {has_none.then(|| view! { <p>{people.t(Text::ModelsHereNone)}</p> })}
            {(!has_none).then(|| view! { <ul class="doc-rows" data-models="here">{here}</ul> })}
        </section>
        {first}
        {machine::machine(people, listing.machine)}
        <section class="card" aria-labelledby="models-more">
            <h3 id="models-more">{people.t(Text::ModelsMore)}</h3>
            <ul class="doc-rows" data-models="more">{more}</ul>
        </section>
        {upload::upload(shown)}
    }
}
