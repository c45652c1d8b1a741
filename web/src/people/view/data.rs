//! What is known of a person: to take along, or to delete.

use leptos::prelude::*;
use serde_json::json;

use super::parts::{Doing, PASSWORD, field};
use crate::api::{self, Anything};
use crate::state::People;
use portico_people::texts::Text;

pub fn data(people: People) -> impl IntoView {
    let is_asked = RwSignal::new(false);
    let password = RwSignal::new(String::new());
    let doing = Doing::new();
    let delete = move || {
        let body = json!({ "password": password.get_untracked() });
        let asked = async move { api::send::<Anything>("POST", "/api/me/delete", &body).await };
        doing.run(asked, move |_| {
            people.session_changed();
            people.go("#/sign-in");
        });
    };
    view! {
        <section class="card" aria-labelledby="people-data">
            <h3 id="people-data">{people.t(Text::Data)}</h3>
            <p>{people.t(Text::Leaves)}</p>
            <div class="row"><a class="button" href="/api/me/export" download="portico.json">{people.t(Text::Export)}</a></div>
            {move || match is_asked.get() {
                false => view! {
                    <div class="row">
                        <button type="button" class="button quiet danger" on:click=move |_| is_asked.set(true)>
                            {people.t(Text::DeleteAccount)}
                        </button>
                    </div>
                }.into_any(),
                true => view! {
                    <form class="people-form" data-form="delete" on:submit=move |event| {
                        event.prevent_default();
                        delete();
                    }>
                        <p>{people.t(Text::DeleteWarning)}</p>
                        {field(people, PASSWORD, password)}
                        {doing.fault(people)}
                        <div class="row">
                            <button type="submit" class="button danger" disabled=move || doing.is_busy.get()>
                                {people.t(Text::DeleteAccount)}
                            </button>
                            <button type="button" class="button quiet" on:click=move |_| is_asked.set(false)>
                                {people.t(Text::Cancel)}
                            </button>
                        </div>
                    </form>
                }.into_any(),
            }}
        </section>
    }
}
