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
mod plain_files;
mod prompts;
mod share;
mod shared;
mod sign_in;
mod totp;

use crate::people_views::gate::{self, with_session};
use crate::people_views::tab_strip::keep_in_view;
use leptos::prelude::*;
use portico_people::address::Address;
use portico_people::texts::Text;

pub use prompts::picker::picker;

use crate::approval::Approvals;
use crate::state::People;
use house::House;

/// All of it; empty while the page shows something else.
pub fn people(people: People, approvals: Approvals) -> impl IntoView {
    let house = House::new(people);
    let here = move || people.address.get().filter(|_| !house.is_shown.get());
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
        {move || here().map(|address| view! {
            <div class="library-scroll" tabindex="-1">
                <div class="library-column people-column">
                    {match address {
                        Address::SignIn(code) => sign_in::sign_in(people, code).into_any(),
                        Address::Link(secret) => link::link(people, secret).into_any(),
                        Address::Account => account::account(people, approvals).into_any(),
                        Address::Prompts => prompts::prompts(people).into_any(),
                        Address::Assistants(which) => assistants::assistants(people, which).into_any(),
                        Address::Share(conversation) => share::share(people, conversation).into_any(),
                        Address::Shared(id) => shared::shared(people, id).into_any(),
                        Address::House(_) => house.absent().into_any(),
                    }}
                </div>
            </div>
        })}
        {house.holder()}
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
    let node = NodeRef::new();
    keep_in_view(node, move || is_here().is_some());
    view! { <a class="library-tab" href=href aria-current=is_here node_ref=node>{people.t(text)}</a> }
}

/// [`gate::for_person`], with the form of signing in where nobody is.
fn for_person<V: IntoView + 'static>(
    people: People,
    then: impl Fn(bool) -> V + Send + Sync + 'static,
) -> impl IntoView {
    gate::for_person(people, move || sign_in::sign_in(people, None), then)
}
