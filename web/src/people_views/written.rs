//! What do lists share whose entries are written in a form above them, as prompts and announcements are?

use leptos::prelude::*;
use portico_people::texts::Text;
use portico_shared::error::ApiError;
use serde_json::{Value, json};
use wasm_bindgen_futures::spawn_local;

use super::api::{self, Anything};
use super::parts::{self, Doing, submit, sure};
use super::state::{Asked, People};

/// `T` is listed, `D` is what is written of it, without anything where it is new.
pub struct Written<T: 'static, D: 'static> {
    pub people: People,
    pub known: RwSignal<Asked<Vec<T>>>,
    /// None: nothing is written.
    draft: RwSignal<Option<D>>,
    look: Callback<()>,
}

impl<T, D> Clone for Written<T, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, D> Copy for Written<T, D> {}

impl<T, D> Written<T, D>
where
    T: Clone + Send + Sync + 'static,
    D: Clone + Default + Send + Sync + 'static,
{
    /// `ask`: for the whole list, now and when it has changed.
    pub fn new<F>(people: People, ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Vec<T>, ApiError>> + 'static,
    {
        let known = RwSignal::new(Asked::Loading);
        let look = Callback::new(move |()| {
            let asked = ask();
            spawn_local(async move {
                // The view may have gone.
                known.try_set(asked.await.into());
            });
        });
        look.run(());
        Self { people, known, draft: RwSignal::new(None), look }
    }

    pub fn look(self) {
        self.look.run(());
    }

    fn done(self, text: Text) {
        self.draft.set(None);
        self.people.say(text);
        self.look();
    }

    /// The form for what is written; while nothing is, a button that begins, and what stands beside it.
    pub fn form<V: IntoView + 'static, B: IntoView + 'static>(
        self,
        new: Text,
        beside: impl Fn() -> B + Send + Sync + 'static,
        form: impl Fn(D) -> V + Send + Sync + 'static,
    ) -> impl IntoView {
        let Self { people, draft, .. } = self;
        move || {
            match draft.get() {
            Some(draft) => form(draft).into_any(),
            None => view! {
                <div class="row">
                    <button type="button" class="button primary"
                        on:click=move |_| self.draft.set(Some(D::default()))>{people.t(new)}</button>
                    {beside()}
                </div>
            }
            .into_any(),
        }
        }
    }

    /// A form's buttons.
    pub fn buttons(self, doing: Doing, text: Text) -> impl IntoView {
        let Self { people, draft, .. } = self;
        view! {
            <div class="row">
                {submit(people, doing, text)}
                <button type="button" class="button quiet"
                    on:click=move |_| draft.set(None)>{people.t(Text::Cancel)}</button>
            </div>
        }
    }

    /// Sends what was written.
    pub fn save(self, doing: Doing, method: &'static str, path: String, body: Value) {
        let asked = async move { api::send::<Anything>(method, &path, &body).await };
        doing.run(asked, move |_| self.done(Text::Saved));
    }

    /// All there is; `none`: how it is called and said that there is nothing.
    pub fn list<V: IntoView + 'static>(
        self,
        none: (&'static str, Text),
        rows: impl Fn(Vec<T>) -> V + Send + Sync + 'static,
    ) -> impl IntoView {
        let Self { people, known, .. } = self;
        let (state, text) = none;
        move || match known.get() {
            Asked::Loading => parts::loading(people).into_any(),
            Asked::Failed(error) => parts::failed(people, error, move || self.look()).into_any(),
            Asked::Loaded(all) if all.is_empty() => view! {
                <p class="hint" data-state=state>{people.t(text)}</p>
            }
            .into_any(),
            Asked::Loaded(all) => rows(all).into_any(),
        }
    }

    /// What can be done with an entry: `change` says it with the `title`, `path` is where it lies.
    pub fn actions(
        self,
        doing: Doing,
        title: String,
        change: Text,
        path: String,
        draft: D,
    ) -> impl IntoView {
        let people = self.people;
        let named = title.clone();
        let change_label = move || change.fill(people.lang.get(), &[("title", &named)]);
        let delete_label = move || Text::DeleteNamed.fill(people.lang.get(), &[("title", &title)]);
        let delete = move || {
            let path = path.clone();
            let asked = async move { api::send::<Anything>("DELETE", &path, &json!({})).await };
            doing.run(asked, move |_| self.done(Text::Deleted));
        };
        view! {
            <span class="doc-actions">
                <button type="button" class="button quiet small" aria-label=change_label
                    on:click=move |_| self.draft.set(Some(draft.clone()))>{people.t(Text::Change)}</button>
                {sure(people, delete_label, Text::Delete, delete)}
            </span>
        }
    }
}
