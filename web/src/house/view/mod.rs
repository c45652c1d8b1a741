//! The elements: a tab for each of the house's matters.

mod announcements;
mod checklist;
mod effect;
mod everyone;
mod group;
mod groups;
mod known;
mod links;
mod log;
mod look;
mod models;
mod one_person;
mod overview;
mod plot;
mod rules_form;
mod rules_of_all;
mod service;
mod tools;
mod usage;

use crate::people_views::gate::for_person;
use crate::people_views::tab_strip::keep_in_view;
use leptos::prelude::*;
use portico_people::address::Address;
use portico_people::place::Place;
use portico_people::texts::Text;

use crate::state::People;

/// All of it; empty while the page shows something else.
pub fn house(people: People) -> impl IntoView {
    let place = Memo::new(move |_| match people.address.get() {
        Some(Address::House(place)) => Some(place),
        _ => None,
    });
    view! {
        {move || place.get().map(|place| view! {
            <div class="library-scroll" tabindex="-1">
                <div class="library-column people-column">{at(people, place)}</div>
            </div>
        })}
        <div class="people-said" aria-live="polite" aria-atomic="true">
            {move || people.announcement.get()}
        </div>
    }
}

fn at(people: People, place: Place) -> impl IntoView {
    // Whoever does not administer the house is told so by the account's views, in its place.
    for_person(
        people,
        || (),
        move |is_admin| match is_admin {
            false => ().into_any(),
            true => view! {
                {tabs(people, &place.tab())}
                {match place.clone() {
                    Place::Everyone => everyone::everyone(people).into_any(),
                    Place::Person(id) => one_person::one_person(people, id).into_any(),
                    Place::Groups => groups::groups(people).into_any(),
                    Place::Group(name) => group::group(people, name).into_any(),
                    Place::Rules => rules_of_all::rules_of_all(people).into_any(),
                    Place::SignInService => service::service(people).into_any(),
                    Place::Models => models::models(people).into_any(),
                    Place::Tools => tools::tools(people).into_any(),
                    Place::Look => look::look(people).into_any(),
                    Place::Announcements => announcements::announcements(people).into_any(),
                    Place::Usage => usage::usage(people).into_any(),
                    Place::Overview => overview::overview(people).into_any(),
                    Place::Log => log::log(people).into_any(),
                }}
            }
            .into_any(),
        },
    )
}

fn tabs(people: People, here: &Place) -> impl IntoView + use<> {
    let all = [
        (Place::Overview, Text::Overview),
        (Place::Everyone, Text::People),
        (Place::Groups, Text::Groups),
        (Place::Rules, Text::Rules),
        (Place::SignInService, Text::Service),
        (Place::Models, Text::Models),
        (Place::Tools, Text::Tools),
        (Place::Look, Text::Look),
        (Place::Announcements, Text::Announcements),
        (Place::Usage, Text::Usage),
        (Place::Log, Text::Log),
    ];
    let tab = |(place, text): (Place, Text)| {
        let is_here = (place == *here).then_some("page");
        let node = NodeRef::new();
        keep_in_view(node, move || is_here.is_some());
        view! {
            <a class="people-tab" href=place.hash() aria-current=is_here node_ref=node>{people.t(text)}</a>
        }
    };
    let tabs = all.map(tab).into_iter().collect_view();
    view! { <nav class="people-tabs" aria-label=people.t(Text::Administration)>{tabs}</nav> }
}
