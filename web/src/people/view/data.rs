//! What leaves the device, and what is known of a person: to take along, or to delete.

use leptos::prelude::*;
use portico_people::texts::Text;
use serde_json::json;

use crate::api::{self, Anything};
use crate::device_report;
use crate::parts::{Doing, PASSWORD, field};
use crate::state::People;

/// What decides about it.
#[derive(Clone, Copy)]
pub struct Leaves {
    pub chats_leave: bool,
    pub uses_server: bool,
    pub retention_days: Option<u64>,
    pub counts_device: bool,
    /// Whether the house asks what devices can do.
    pub asks_device: bool,
}

/// One sentence for each kind of thing.
fn leaves_list(people: People, leaves: Leaves) -> impl IntoView {
    let Leaves { chats_leave, uses_server, retention_days, counts_device, asks_device } = leaves;
    let texts = [
        Text::LeavesDevice,
        if chats_leave { Text::LeavesChats } else { Text::LeavesChatsNot },
        if uses_server { Text::LeavesServer } else { Text::LeavesServerNot },
        Text::LeavesDocuments,
        if counts_device { Text::LeavesCountsDevice } else { Text::LeavesCounts },
        Text::LeavesNobody,
    ]
    .into_iter()
    .chain(asks_device.then_some(Text::LeavesDeviceSay));
    let days = retention_days.filter(|_| chats_leave).map(|days| days.to_string());
    let item = move |text: Text| {
        let days = days.clone().filter(|_| text == Text::LeavesChats);
        view! {
            <li>{people.t(text)} {days.map(|n| view! {
                " " {move || Text::Retention.fill(people.lang.get(), &[("n", &n)])}
            })}</li>
        }
    };
    view! { <ul class="people-leaves" data-leaves="">{texts.map(item).collect_view()}</ul> }
}

/// Whether this browser says what its device can do.
fn device_choice(people: People) -> impl IntoView {
    let is_wanted = RwSignal::new(device_report::is_wanted());
    view! {
        <label class="switch">
            <input type="checkbox" data-choose="device-say" prop:checked=move || is_wanted.get()
                on:change:target=move |event| {
                    is_wanted.set(event.target().checked());
                    device_report::choose(event.target().checked());
                }/>
            <span>{people.t(Text::DeviceSay)}</span>
        </label>
        <p class="hint">{people.t(Text::DeviceSayHint)}</p>
    }
}

pub fn data(people: People, leaves: Leaves) -> impl IntoView {
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
            <h4>{people.t(Text::Leaves)}</h4>
            {leaves_list(people, leaves)}
            {leaves.asks_device.then(|| device_choice(people))}
            <div class="row"><a class="button" href="/api/me/export" download="portico.json">{people.t(Text::Export)}</a>
                {leaves.chats_leave.then(|| view! { <a class="button" href="#/share">{people.t(Text::ShareManage)}</a> })}</div>
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
