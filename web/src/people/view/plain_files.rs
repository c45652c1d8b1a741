//! Files that lay on the server before encryption was turned on: how many are left, the one that is on its way, and
//! those that only the person can settle. Who syncs encrypts them (`web/src/sync/plain_files.rs`) and says how it
//! stands.

use leptos::prelude::*;
use portico_page::format;
use portico_page::title;
use portico_people::texts::Text;
use portico_web::plain_link::{Listed, PATH, PlainNow, PlainState, StuckFile, ToPlain};
use portico_web::sync_link::Channel;
use wasm_bindgen_futures::spawn_local;

use super::encryption::Encryption;
use crate::api;
use crate::parts::sure;
use crate::state::People;

/// None: it is not known yet.
type Heard = ArcRwSignal<Option<PlainState>>;

thread_local! {
    static LINK: (Option<Channel>, Heard) = linked();
}

fn linked() -> (Option<Channel>, Heard) {
    let heard = Heard::new(None);
    let channel = Channel::open();
    if let Some(channel) = &channel {
        let heard = heard.clone();
        channel.listen(move |state: PlainState| heard.set(Some(state)));
    }
    (channel, heard)
}

fn say(asked: &ToPlain) {
    LINK.with(|(channel, _)| {
        if let Some(channel) = channel {
            channel.say(asked);
        }
    });
}

/// How it stands with an unlocked device's encryption, said as far as it is true.
pub fn standing(this: Encryption) -> impl IntoView {
    let people = this.people;
    let heard = LINK.with(|(_, heard)| heard.clone());
    heard.set(None);
    say(&ToPlain::Look);
    // The server knows it, also where nobody here says more.
    let listed = heard.clone();
    spawn_local(async move {
        if let Ok(Listed { files }) = api::get(PATH).await {
            let mut state = PlainState::default();
            state.count(&files);
            listed.update(|heard| *heard = heard.take().or(Some(state)));
        }
    });
    let n_files = {
        let heard = heard.clone();
        Memo::new(move |_| heard.with(|state| state.as_ref().map(|state| state.n_plain_files)))
    };
    let text = move || match n_files.get() {
        None => Text::SealOn,
        Some(0) => Text::SealOpen,
        Some(_) => Text::SealOpenFiles,
    };
    let is_left = Memo::new(move |_| n_files.get().is_some_and(|n| n > 0));
    view! {
        <p>{move || text().get(people.lang.get())}</p>
        {move || is_left.get().then(|| left(people, &heard))}
    }
}

fn left(people: People, heard: &Heard) -> impl IntoView + use<> {
    let state = {
        let heard = heard.clone();
        Memo::new(move |_| heard.get().unwrap_or_default())
    };
    let count = Memo::new(move |_| state.with(|state| (state.n_plain_files, state.n_bytes)));
    let is_paused = Memo::new(move |_| state.with(|state| state.is_paused));
    let waits = Memo::new(move |_| state.with(|state| state.waits.clone()));
    let stuck = Memo::new(move |_| state.with(|state| state.stuck.clone()));
    let now = Memo::new(move |_| state.with(|state| state.now.clone()));
    let counted = move || {
        let (lang, (n, bytes)) = (people.lang.get(), count.get());
        let values = [("n", n.to_string()), ("bytes", format::bytes(lang, bytes))];
        Text::SealFiles.fill(lang, &values.each_ref().map(|(name, value)| (*name, value.as_str())))
    };
    let switch = move |_| {
        say(&if is_paused.get_untracked() { ToPlain::GoOn } else { ToPlain::Pause });
    };
    view! {
        <div class="notice people-plain" data-plain-files=move || count.get().0.to_string()>
            <p role="status">{counted}</p>
            <p class="hint">{people.t(Text::SealFilesHint)}</p>
            {move || is_paused.get().then(|| view! { <p data-plain="paused">{people.t(Text::SealFilesPaused)}</p> })}
            {move || waits.get().map(|error| {
                let code = error.code.as_str();
                view! {
                    <p class="hint" data-plain="waits" data-error=code>
                        {move || error.text(people.lang.get())} " " {people.t(Text::SealFilesWait)}</p>
                }
            })}
            {move || now.get().map(|now| progress(people, now))}
            <div class="row">
                <button type="button" class="button small" on:click=switch>{move || {
                    let text = if is_paused.get() { Text::SealGoOn } else { Text::SealFilesPause };
                    text.get(people.lang.get())
                }}</button>
            </div>
            <Show when=move || stuck.with(|stuck| !stuck.is_empty())>
                <p>{people.t(Text::SealFilesStuck)}</p>
                <ul class="people-stuck">
                    <For each=move || stuck.get() key=|stuck| stuck.file.clone() let:stuck>
                        {stuck_file(people, stuck)}
                    </For>
                </ul>
                <div class="row">
                    <button type="button" class="button small" on:click=|_| say(&ToPlain::GoOn)>
                        {people.t(Text::TryAgain)}
                    </button>
                </div>
            </Show>
        </div>
    }
}

fn progress(people: People, now: PlainNow) -> impl IntoView {
    let PlainNow { name, is_sent, done_bytes, total_bytes } = now;
    let percent = done_bytes.min(total_bytes).saturating_mul(100) / total_bytes.max(1);
    let line = move || {
        let lang = people.lang.get();
        let text = if is_sent { Text::SealFileSent } else { Text::SealFileFetched };
        let [done, total] = [done_bytes, total_bytes].map(|bytes| format::bytes(lang, bytes));
        let name = called(people, name.as_ref());
        text.fill(lang, &[("done", &done), ("total", &total), ("name", &name)])
    };
    view! {
        <progress class="people-progress" max="100" value=percent.to_string()
            aria-label=people.t(Text::SealFileNow)></progress>
        <p class="muted people-figure" data-plain="now">{line}</p>
    }
}

fn called(people: People, name: Option<&String>) -> String {
    name.cloned().unwrap_or_else(|| Text::SealFileUnnamed.get(people.lang.get()).to_owned())
}

fn stuck_file(people: People, stuck: StuckFile) -> impl IntoView {
    let StuckFile { file, name, error } = stuck;
    let (bytes, code) = (file.size_bytes, error.code.as_str());
    let (shown, labelled) = (name.clone(), name);
    let to = title::hash_from_conversation(Some(file.conversation));
    let label = move || {
        let name = called(people, labelled.as_ref());
        Text::SealFileGiveUp.fill(people.lang.get(), &[("name", &name)])
    };
    view! {
        <li data-stuck=code>
            <p><a href=to dir="auto">{move || called(people, shown.as_ref())}</a>
                " (" {move || format::bytes(people.lang.get(), bytes)} ") "
                {move || error.text(people.lang.get())}</p>
            {sure(people, label, Text::SealFileGiveUpShort, move || say(&ToPlain::GiveUp(file.clone())))}
        </li>
    }
}
