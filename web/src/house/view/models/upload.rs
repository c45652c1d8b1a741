//! A GGUF file of the house's own. How far it is shows where other work on models does.

use leptos::html;
use leptos::prelude::*;
use portico_people::audit::encoded;
use portico_people::models::OfJob;
use portico_people::texts::Text;
use wasm_bindgen_futures::spawn_local;

use super::{Shown, job};
use crate::api;
use crate::parts::Doing;

pub fn upload(shown: Shown) -> impl IntoView {
    let people = shown.people;
    let chooser = NodeRef::<html::Input>::new();
    let doing = Doing::new();
    let chosen = move || {
        let Some(input) = chooser.get_untracked() else { return };
        let file = input.files().and_then(|files| files.get(0));
        // The same one can be chosen again.
        input.set_value("");
        let Some(file) = file else { return };
        let path = format!("/api/models/upload?name={}", encoded(&file.name()));
        let asked = async move { api::send_file::<OfJob>("PUT", &path, &file).await };
        doing.run(asked, move |OfJob { job }| {
            shown.job.set(job);
            shown.version.update(|version| *version += 1);
        });
        // It arrives meanwhile.
        spawn_local(async move {
            if let Ok(OfJob { job }) = api::get::<OfJob>("/api/models/job").await
                && doing.is_busy.try_get_untracked() == Some(true)
                && shown.job.try_set(job).is_none()
            {
                job::follow(shown);
            }
        });
    };
    view! {
        <section class="card people-form" data-form="model-file" aria-labelledby="models-upload">
            <h3 id="models-upload">{people.t(Text::UploadModel)}</h3>
            <p class="hint">{people.t(Text::UploadModelHint)}</p>
            <input type="file" hidden=true node_ref=chooser accept=".gguf" data-choose="model"
                on:change=move |_| chosen()/>
            {doing.fault(people)}
            <div class="row">
                <button type="button" class="button" disabled=move || doing.is_busy.get() || shown.is_busy()
                    on:click=move |_| {
                        if let Some(input) = chooser.get_untracked() {
                            input.click();
                        }
                    }>{people.t(Text::ChooseModelFile)}</button>
            </div>
        </section>
    }
}
