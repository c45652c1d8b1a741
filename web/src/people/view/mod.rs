//! The elements of these views.

mod account;
mod approval;
mod assistants;
mod data;
mod devices;
mod encryption;
mod house;
mod keys;
mod link;
mod parts;
mod plot;
mod prompts;
mod share;
mod shared;
mod sign_in;
mod totp;

use leptos::prelude::*;
use portico_people::address::Address;

pub use prompts::picker::picker;

use crate::state::{Asked, People};
use portico_people::texts::Text;
use portico_shared::error::ApiError;

/// All of it; empty while the page shows something else.
pub fn people(people: People) -> impl IntoView {
    let is_signed_in = Memo::new(move |_| people.person().is_some());
    let is_admin = Memo::new(move |_| people.person().is_some_and(|person| person.is_admin()));
    view! {
        <Show when=move || is_signed_in.get() && people.address.with(Option::is_some)>
            <nav class="library-tabs" aria-label=people.t(Text::Views)>
                {tab(people, "#/account", |at| *at == Address::Account, Text::Account)}
                {tab(people, "#/prompts", |at| *at == Address::Prompts, Text::Prompts)}
                {tab(people, "#/assistants", |at| matches!(at, Address::Assistants(_)), Text::Assistants)}
                <Show when=move || is_admin.get()>
                    {tab(people, "#/people/overview", |at| matches!(at, Address::House(_)), Text::Administration)}
                </Show>
            </nav>
        </Show>
        <Show when=move || people.address.with(Option::is_some) && !people.online.get()>
            <p class="banner" role="status" data-condition="people-offline">{people.t(Text::Offline)}</p>
        </Show>
        {move || people.address.get().map(|address| view! {
            <div class="library-scroll" tabindex="-1">
                <div class="library-column people-column">
                    {match address {
                        Address::SignIn(code) => sign_in::sign_in(people, code).into_any(),
                        Address::Link(secret) => link::link(people, secret).into_any(),
                        Address::Account => account::account(people).into_any(),
                        Address::Prompts => prompts::prompts(people).into_any(),
                        Address::Assistants(which) => assistants::assistants(people, which).into_any(),
                        Address::Share(conversation) => share::share(people, conversation).into_any(),
                        Address::Shared(id) => shared::shared(people, id).into_any(),
                        Address::House(place) => house::house(people, place).into_any(),
                    }}
                </div>
            </div>
        })}
        <div class="people-said" aria-live="polite" aria-atomic="true">
            {move || people.announcement.get()}
        </div>
    }
}

fn tab(
    people: People,
    href: &'static str,
    is_it: fn(&Address) -> bool,
    text: Text,
) -> impl IntoView {
    let is_here =
        move || people.address.with(|at| at.as_ref().is_some_and(is_it)).then_some("page");
    view! { <a class="library-tab" href=href aria-current=is_here>{people.t(text)}</a> }
}

/// `then` with the session, when it is known; anew only for another one.
fn with_session<V: IntoView + 'static>(
    people: People,
    then: impl Fn(crate::api::Session) -> V + Send + Sync + 'static,
) -> impl IntoView {
    let session = Memo::new(move |_| people.session.get());
    move || match session.get() {
        Asked::Loading => parts::loading(people).into_any(),
        Asked::Failed(error) => parts::failed(people, error, move || people.look()).into_any(),
        Asked::Loaded(session) => then(session).into_any(),
    }
}

/// Who asks to see something.
#[derive(Clone, PartialEq)]
enum Gate {
    Loading,
    Failed(ApiError),
    SignedOut,
    /// The person's id, and whether they administer the house.
    Person(String, bool),
}

/// `then` for who is signed in; anew only for another person, so that what is typed stays when the session
/// is asked for again.
fn for_person<V: IntoView + 'static>(
    people: People,
    then: impl Fn(bool) -> V + Send + Sync + 'static,
) -> impl IntoView {
    let gate = Memo::new(move |_| {
        people.session.with(|session| match session {
            Asked::Loading => Gate::Loading,
            Asked::Failed(error) => Gate::Failed(error.clone()),
            Asked::Loaded(session) => session.person.as_ref().map_or(Gate::SignedOut, |person| {
                Gate::Person(person.id.clone(), person.is_admin())
            }),
        })
    });
    move || match gate.get() {
        Gate::Loading => parts::loading(people).into_any(),
        Gate::Failed(error) => parts::failed(people, error, move || people.look()).into_any(),
        Gate::SignedOut => sign_in::sign_in(people, None).into_any(),
        Gate::Person(_, is_admin) => then(is_admin).into_any(),
    }
}
