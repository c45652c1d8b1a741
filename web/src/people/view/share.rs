//! Sharing a chat inside the house: what of it, with whom, and what one shares already.

use leptos::prelude::*;
use portico_people::texts::Text;
use portico_shared::error::Lang;
use uuid::Uuid;
use wasm_bindgen_futures::spawn_local;

use super::{for_person, shared};
use crate::api::{self, Anything, Person, Session};
use crate::parts::{self, Doing, dotted, group_boxes, once, sure};
use crate::shares::{self, Chat, EVERYONE, Share, Sharing};
use crate::state::{Asked, People};

/// `conversation`: the one that is to be shared; none: what is shared already.
pub fn share(people: People, conversation: Option<String>) -> impl IntoView {
    for_person(people, move |_| match people.session.get_untracked() {
        Asked::Loaded(Session { person: Some(person), may, .. }) => {
            let may_share = may.is_some_and(|may| may.share_chats);
            let conversation = conversation.as_deref().and_then(|id| Uuid::try_parse(id).ok());
            own(people, person, may_share, conversation).into_any()
        }
        _ => ().into_any(),
    })
}

#[derive(Clone, Copy)]
struct Views {
    people: People,
    person: Uuid,
    chat: RwSignal<Asked<Chat>>,
    shares: RwSignal<Asked<Vec<Share>>>,
    conversation: Option<Uuid>,
}

impl Views {
    fn look(self) {
        let Self { person, chat, shares, conversation, .. } = self;
        spawn_local(async move {
            shares.try_set(shares::own().await.into());
        });
        if let Some(conversation) = conversation {
            spawn_local(async move {
                chat.try_set(shares::chat(person, conversation).await.into());
            });
        }
    }

    /// Nobody reads it any more.
    fn end(self, id: String, doing: Doing) {
        let work =
            async move { api::send::<Anything>("DELETE", &format!("/api/shares/{id}"), &()).await };
        doing.run(work, move |_| {
            self.people.say(Text::ShareEnded);
            self.look();
        });
    }
}

fn own(
    people: People,
    person: Person,
    may_share: bool,
    conversation: Option<Uuid>,
) -> impl IntoView {
    let id = Uuid::try_parse(&person.id).unwrap_or_default();
    let (chat, shares) = (RwSignal::new(Asked::Loading), RwSignal::new(Asked::Loading));
    let this = Views { people, person: id, chat, shares, conversation };
    this.look();
    let groups = StoredValue::new(person.groups);
    let form = conversation.map(|_| {
        move || match (may_share, chat.get()) {
            (false, _) => view! {
                <p class="notice" data-share="forbidden">{people.t(Text::ShareForbidden)}</p>
            }
            .into_any(),
            (_, Asked::Loading) => parts::loading(people).into_any(),
            (_, Asked::Failed(error)) => {
                parts::failed(people, error, move || this.look()).into_any()
            }
            (_, Asked::Loaded(chat)) if chat.stays => view! {
                <p class="notice" data-share="stays">{people.t(Text::ShareStays)}</p>
            }
            .into_any(),
            (_, Asked::Loaded(chat)) => ask(this, chat, groups.get_value()).into_any(),
        }
    });
    view! {
        {form}
        <section class="card" aria-labelledby="people-shares">
            <h3 id="people-shares">{people.t(Text::Shares)}</h3>
            {move || match shares.get() {
                Asked::Loading => parts::loading(people).into_any(),
                Asked::Failed(error) => parts::failed(people, error, move || this.look()).into_any(),
                Asked::Loaded(shares) if shares.is_empty() => view! {
                    <p class="muted">{people.t(Text::SharesNone)}</p>
                }.into_any(),
                Asked::Loaded(shares) => list(this, shares).into_any(),
            }}
        </section>
    }
}

/// The names of who reads it.
fn readers(lang: Lang, groups: &[String]) -> String {
    let name = |group: &String| match group.as_str() {
        EVERYONE => Text::ShareEveryone.get(lang).to_owned(),
        group => group.to_owned(),
    };
    match groups {
        [] => Text::ShareNobody.get(lang).to_owned(),
        groups => groups.iter().map(name).collect::<Vec<_>>().join(", "),
    }
}

fn list(this: Views, shares: Vec<Share>) -> impl IntoView {
    let people = this.people;
    let doing = Doing::new();
    let one = move |share: Share| {
        let Share { id, title, groups, changed_s, conversation } = share;
        let name = title.clone();
        let ended = id.clone();
        view! {
            <li class="doc-row people-row" data-share-of=conversation>
                <a class="doc-name" dir="auto" href=format!("#/shared/{id}")>{move || match title.as_str() {
                    "" => Text::ShareUntitled.get(people.lang.get()).to_owned(),
                    title => title.to_owned(),
                }}</a>
                <span class="doc-line">{move || {
                    let lang = people.lang.get();
                    dotted([readers(lang, &groups), parts::date(lang, changed_s)])
                }}</span>
                <span class="doc-actions">{sure(people, move || {
                    Text::ShareEndOf.fill(people.lang.get(), &[("name", &name)])
                }, Text::ShareEnd, move || this.end(ended.clone(), doing))}</span>
            </li>
        }
    };
    view! {
        {doing.fault(people)}
        <ul class="doc-rows">{shares.into_iter().map(one).collect_view()}</ul>
    }
}

/// The chat as it would be shared, and with whom.
fn ask(this: Views, chat: Chat, own_groups: Vec<String>) -> impl IntoView {
    let Views { people, conversation, .. } = this;
    let Chat { snapshot, is_sealed, share, .. } = chat;
    let before = share.as_ref().map(|share| share.groups.clone()).unwrap_or_default();
    let is_for_all = RwSignal::new(before.is_empty() || before.iter().any(|one| one == EVERYONE));
    let chosen = RwSignal::new(before.into_iter().filter(|group| group != EVERYONE).collect());
    let accepts = RwSignal::new(false);
    let doing = Doing::new();
    let (title, n) = (snapshot.title.clone(), snapshot.messages.len().to_string());
    let kept = StoredValue::new(snapshot.clone());
    let id = StoredValue::new(share.as_ref().map(|share| share.id.clone()));
    let groups_now = move || match is_for_all.get() {
        true => vec![EVERYONE.to_owned()],
        false => chosen.get(),
    };
    let send = move || {
        let (groups, snapshot, id) = (groups_now(), kept.get_value(), id.get_value());
        let accepts_readable = is_sealed && accepts.get_untracked();
        let work = async move {
            let mut sharing = Sharing {
                conversation: None,
                groups: &groups,
                snapshot: &snapshot,
                accepts_readable,
            };
            match id {
                Some(id) => {
                    api::send::<Anything>("PUT", &format!("/api/shares/{id}"), &sharing).await
                }
                None => {
                    sharing.conversation = conversation;
                    api::send::<Anything>("POST", "/api/shares", &sharing).await
                }
            }
        };
        doing.run(work, move |_| {
            people.say(Text::ShareDone);
            this.look();
        });
    };
    let is_shared = share.is_some();
    let is_empty = snapshot.messages.is_empty();
    let is_off = move || {
        doing.is_busy.get() || is_empty || groups_now().is_empty() || is_sealed && !accepts.get()
    };
    view! {
        <form class="card people-form" data-form="share" data-shared=is_shared.to_string() on:submit=move |event| {
            event.prevent_default();
            send();
        }>
            <h2 class="library-title" dir="auto">{move || match title.as_str() {
                "" => Text::ShareUntitled.get(people.lang.get()).to_owned(),
                title => title.to_owned(),
            }}</h2>
            {share.map(|share| link(this, share, doing))}
            <p>{move || Text::ShareLead.fill(people.lang.get(), &[("n", &n)])}</p>
            <p class="muted">{people.t(Text::ShareQuotes)}</p>
            <details>
                <summary>{people.t(Text::SharePreview)}</summary>
                {shared::messages(people, snapshot, String::new())}
            </details>
            {audience(people, own_groups, is_for_all, chosen)}
            {is_sealed.then(|| view! {
                <div class="notice">
                    <p>{people.t(Text::ShareReadable)}</p>
                    <label class="switch">
                        <input type="checkbox" prop:checked=move || accepts.get()
                            on:change:target=move |event| accepts.set(event.target().checked())/>
                        {people.t(Text::ShareAccept)}
                    </label>
                </div>
            })}
            {doing.fault(people)}
            <div class="row">
                <button type="submit" class="button primary" disabled=is_off>
                    {people.t(if is_shared { Text::ShareRenew } else { Text::Share })}
                </button>
            </div>
        </form>
    }
}

/// Where others read it.
fn link(this: Views, share: Share, doing: Doing) -> impl IntoView {
    let people = this.people;
    let location = web_sys::window().map(|window| window.location());
    let origin = location.and_then(|location| location.origin().ok()).unwrap_or_default();
    let Share { id, groups, changed_s, .. } = share;
    let url = format!("{origin}/#/shared/{id}");
    let shown = move || {
        let lang = people.lang.get();
        let (readers, date) = (readers(lang, &groups), parts::date(lang, changed_s));
        let hint = Text::ShareIs.fill(lang, &[("groups", &readers), ("date", &date)]);
        once(people, hint, url.clone())
    };
    view! {
        {shown}
        <div class="row">{sure(people, move || Text::ShareEndNow.get(people.lang.get()).to_owned(), Text::ShareEnd,
            move || this.end(id.clone(), doing))}</div>
    }
}

fn audience(
    people: People,
    own_groups: Vec<String>,
    is_for_all: RwSignal<bool>,
    chosen: RwSignal<Vec<String>>,
) -> impl IntoView {
    let has_groups = !own_groups.is_empty() || !chosen.with_untracked(Vec::is_empty);
    let which = move |all: bool, text: Text| {
        view! {
            <label class="switch">
                <input type="radio" name="share-audience" prop:checked=move || is_for_all.get() == all
                    on:change=move |_| is_for_all.set(all)/>
                {people.t(text)}
            </label>
        }
    };
    let own_groups = StoredValue::new(own_groups);
    view! {
        <fieldset class="people-boxes">
            <legend>{people.t(Text::ShareFor)}</legend>
            {which(true, Text::ShareEveryone)}
            {has_groups.then(|| which(false, Text::ShareGroups))}
        </fieldset>
        <Show when=move || !is_for_all.get()>
            {group_boxes(people, Text::Groups, chosen, move || own_groups.get_value())}
        </Show>
    }
}
