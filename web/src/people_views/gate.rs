//! Who sees a view? It waits until it is known who is signed in.

use leptos::prelude::*;
use portico_shared::error::ApiError;

use super::api::Session;
use super::parts;
use super::state::{Asked, People};

/// `then` with the session, when it is known; anew only for another one.
pub fn with_session<V: IntoView + 'static>(
    people: People,
    then: impl Fn(Session) -> V + Send + Sync + 'static,
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

/// `then` for who is signed in, and whether they administer the house, else `signed_out`; anew only for another
/// person, so that what is typed stays when the session is asked for again.
pub fn for_person<S: IntoView + 'static, V: IntoView + 'static>(
    people: People,
    signed_out: impl Fn() -> S + Send + Sync + 'static,
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
        Gate::SignedOut => signed_out().into_any(),
        Gate::Person(_, is_admin) => then(is_admin).into_any(),
    }
}
