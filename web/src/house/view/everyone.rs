//! The house's people, for administrators: who there is, invitations, roles, new passwords, blocks.

use leptos::prelude::*;
use portico_people::place::Place;
use portico_people::texts::Text;
use serde_json::{Value, json};
use wasm_bindgen_futures::spawn_local;

use super::links::links;
use super::one_person::{ROLES, role_choice};
use crate::api::{self, Everyone, MadeLink, Person};
use crate::parts::{self, Doing, Field, field, group_boxes, once, role_text, submit, sure};
use crate::state::{Asked, People};

const NOTE: Field = Field { text: Text::InviteNote, kind: "text", autocomplete: "off" };
/// People that are shown at once.
const AT_ONCE: usize = 100;
const FIND: Field = Field { text: Text::FindPerson, kind: "search", autocomplete: "off" };

pub fn everyone(people: People) -> impl IntoView {
    let known = RwSignal::new(Asked::Loading);
    let look = move || {
        spawn_local(async move {
            known.try_set(api::get::<Everyone>("/api/people").await.into());
        });
    };
    look();
    // Grows when there are other links.
    let version = RwSignal::new(0);
    let query = RwSignal::new(String::new());
    let n_shown = RwSignal::new(AT_ONCE);
    let link = RwSignal::new(None::<(String, String)>);
    let doing = Doing::new();
    let change = move |id: &str, change: Value| {
        let path = format!("/api/people/{id}");
        let asked = async move { api::send::<Person>("PATCH", &path, &change).await };
        doing.run(asked, move |_| look());
    };
    let reset = move |id: &str, name: String| {
        let path = format!("/api/people/{id}/reset");
        let asked = async move { api::send::<MadeLink>("POST", &path, &json!({})).await };
        doing.run(asked, move |made| {
            let lang = people.lang.get_untracked();
            link.set(Some((Text::ResetOnce.fill(lang, &[("name", &name)]), made.url)));
            version.update(|version| *version += 1);
        });
    };
    let row = move |person: Person| {
        let is_self = people.person().is_some_and(|own| own.id == person.id);
        let is_blocked = person.blocked_s.is_some();
        let (id, shown, name) = (person.id.clone(), person.shown().to_owned(), person.name.clone());
        let (of_role, of_reset, of_block) = (id.clone(), id.clone(), id.clone());
        let (reset_name, label_name) = (shown.clone(), shown.clone());
        let of_row = name.clone();
        let own_view = Place::Person(id.clone()).hash();
        let groups = person.groups.join(", ");
        let role = person.role.clone();
        let block = if is_blocked { Text::Unblock } else { Text::Block };
        let role_label = move || Text::RoleOf.fill(people.lang.get(), &[("name", &label_name)]);
        let block_label = {
            let shown = shown.clone();
            move || format!("{}: {shown}", block.get(people.lang.get()))
        };
        view! {
            <li class="doc-row people-row" data-person=of_row>
                <a class="doc-name" dir="auto" href=own_view>{shown}</a>
                <span class="doc-line" dir="auto">
                    {name} {(!groups.is_empty()).then(|| format!(" · {groups}"))}
                    {is_blocked.then(|| view! { " · " <strong>{people.t(Text::Blocked)}</strong> })}
                </span>
                <span class="doc-actions row">
                    <select aria-label=role_label disabled=is_self on:change:target=move |event| {
                        change(&of_role, json!({ "role": event.target().value() }));
                    }>
                        {ROLES.map(|each| {
                            let is_chosen = each == role;
                            view! { <option value=each selected=is_chosen>{people.t(role_text(each))}</option> }
                        }).collect_view()}
                    </select>
                    <button type="button" class="button quiet small" on:click=move |_| reset(&of_reset, reset_name.clone())>
                        {people.t(Text::ResetPassword)}
                    </button>
                    {(!is_self).then(|| sure(people, block_label, block, move || {
                        change(&of_block, json!({ "blocked": !is_blocked }));
                    }))}
                </span>
            </li>
        }
    };
    view! {
        <h2 class="library-title">{people.t(Text::People)}</h2>
        {invitation(people, version).into_any()}
        {move || link.get().map(|(hint, url)| once(people, hint, url).into_any())}
        {doing.fault(people)}
        {field(people, FIND, query)}
        {move || match known.get() {
            Asked::Loading => parts::loading(people).into_any(),
            Asked::Failed(error) => parts::failed(people, error, look).into_any(),
            Asked::Loaded(Everyone { people: all }) => {
                let query = query.get().trim().to_lowercase();
                let is_meant = |person: &Person| {
                    let said = [person.name.as_str(), person.shown(), person.email.as_deref().unwrap_or_default()];
                    said.iter().any(|text| text.to_lowercase().contains(&query))
                };
                let mut found: Vec<_> = all.into_iter().filter(is_meant).collect();
                let n_more = found.len().saturating_sub(n_shown.get());
                found.truncate(n_shown.get());
                match found.is_empty() {
                    true => view! { <p class="muted">{people.t(Text::NobodyFound)}</p> }.into_any(),
                    false => view! {
                        <ul class="doc-rows">{found.into_iter().map(row).collect_view()}</ul>
                        {(n_more > 0).then(|| view! {
                            <button type="button" class="button quiet center-self"
                                on:click=move |_| n_shown.update(|n| *n += AT_ONCE)>
                                {move || Text::MorePeople.fill(people.lang.get(), &[("n", &n_more.to_string())])}
                            </button>
                        })}
                    }.into_any(),
                }
            }
        }}
        {links(people, version).into_any()}
    }
}

fn invitation(people: People, version: RwSignal<u32>) -> impl IntoView {
    let (note, groups) = (RwSignal::new(String::new()), RwSignal::new(Vec::new()));
    let all_groups = RwSignal::new(Vec::new());
    spawn_local(async move {
        // Without them one invites into none.
        if let Ok(all) = api::group_names().await {
            all_groups.try_set(all);
        }
    });
    let role = RwSignal::new("member".to_owned());
    let made = RwSignal::new(None::<String>);
    let doing = Doing::new();
    let invite = move || {
        let mut body = json!({ "role": role.get_untracked(), "groups": groups.get_untracked() });
        let noted = note.get_untracked().trim().to_owned();
        if !noted.is_empty() {
            body["note"] = noted.into();
        }
        let asked = async move { api::send::<MadeLink>("POST", "/api/people/links", &body).await };
        doing.run(asked, move |link| {
            note.set(String::new());
            made.set(Some(link.url));
            version.update(|version| *version += 1);
        });
    };
    view! {
        <details class="card people-invite" data-invite="">
            <summary>{people.t(Text::Invite)}</summary>
            <form class="people-form" data-form="invite" on:submit=move |event| {
                event.prevent_default();
                invite();
            }>
                {field(people, NOTE, note)}
                {role_choice(people, Text::Role, role)}
                <Show when=move || !all_groups.with(Vec::is_empty)>
                    {group_boxes(people, Text::MemberOf, groups, move || all_groups.get())}
                </Show>
                {doing.fault(people)}
                <div class="row">{submit(people, doing, Text::MakeLink)}</div>
                {move || made.get().map(|url| {
                    once(people, Text::LinkOnce.get(people.lang.get()).to_owned(), url).into_any()
                })}
            </form>
        </details>
    }
}
