//! Where the house's administration stands, which is a Wasm of its own (`web/src/house`): most people never see
//! it. Until it is there this says how far it is, and to everybody else that it is not theirs.

use crate::later_views::{LaterViews, State};
use leptos::prelude::*;
use portico_people::address::Address;
use portico_people::texts::Text;

use super::for_person;
use crate::parts;
use crate::state::People;

#[derive(Clone, Copy)]
pub struct House {
    people: People,
    views: LaterViews,
    /// It fills the place of these views.
    pub is_shown: Memo<bool>,
}

impl House {
    pub fn new(people: People) -> Self {
        let is_wanted = Memo::new(move |_| {
            let leads_there = people.address.with(|at| matches!(at, Some(Address::House(_))));
            leads_there && people.person().is_some_and(|person| person.is_admin())
        });
        let views = LaterViews::new("house", people.lang, move || is_wanted.get());
        let is_shown = Memo::new(move |_| is_wanted.get() && views.state.get() == State::Mounted);
        Self { people, views, is_shown }
    }

    /// What the administration fills.
    pub fn holder(self) -> impl IntoView {
        let (holder, is_shown) = (self.views.holder, self.is_shown);
        view! { <div class="library" node_ref=holder hidden=move || !is_shown.get()></div> }
    }

    /// Instead of it.
    pub fn absent(self) -> impl IntoView {
        let Self { people, views, .. } = self;
        for_person(people, move |is_admin| {
            match is_admin {
            false => view! {
                <p class="notice" data-condition="admins-only">{people.t(Text::AdminsOnly)}</p>
            }
            .into_any(),
            true => (move || match views.state.get() {
                State::Failed(why) => view! {
                    <div class="notice error" role="alert" data-condition="house-failed">
                        <p>{people.t(Text::HouseFailed)}</p>
                        <details><summary>{people.t(Text::Details)}</summary><pre>{why}</pre></details>
                    </div>
                    <div class="row">
                        <button type="button" class="button" on:click=move |_| views.load()>{people.t(Text::TryAgain)}</button>
                    </div>
                }
                .into_any(),
                State::Absent | State::Loading => parts::loading(people).into_any(),
                State::Mounted => ().into_any(),
            })
            .into_any(),
        }
        })
    }
}
