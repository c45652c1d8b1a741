//! The elements of these views.

mod account;
mod data;
mod devices;
mod house;
mod keys;
mod link;
mod parts;
mod sign_in;
mod totp;

use leptos::prelude::*;
use portico_people::address::Address;

use crate::state::{Asked, People};
use portico_people::texts::Text;

/// All of it; empty while the page shows something else.
pub fn people(people: People) -> impl IntoView {
    let is_admin = Memo::new(move |_| people.person().is_some_and(|person| person.is_admin()));
    view! {
        <Show when=move || is_admin.get() && people.address.with(Option::is_some)>
            <nav class="library-tabs" aria-label=people.t(Text::Views)>
                {tab(people, "#/account", |at| *at == Address::Account, Text::Account)}
                {tab(people, "#/people", |at| matches!(at, Address::House(_)), Text::Administration)}
            </nav>
        </Show>
        {move || people.address.get().map(|address| view! {
            <div class="library-scroll" tabindex="-1">
                <div class="library-column people-column">
                    {match address {
                        Address::SignIn(code) => sign_in::sign_in(people, code).into_any(),
                        Address::Link(secret) => link::link(people, secret).into_any(),
                        Address::Account => account::account(people).into_any(),
                        Address::House(place) => house::house(people, place).into_any(),
                    }}
                </div>
            </div>
        })}
        <div class="visually-hidden" aria-live="polite" aria-atomic="true">
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

/// `then` with the session, when it is known.
fn with_session<V: IntoView + 'static>(
    people: People,
    then: impl Fn(crate::api::Session) -> V + Send + Sync + 'static,
) -> impl IntoView {
    move || match people.session.get() {
        Asked::Loading => parts::loading(people).into_any(),
        Asked::Failed(error) => parts::failed(people, error, move || people.look()).into_any(),
        Asked::Loaded(session) => then(session).into_any(),
    }
}
