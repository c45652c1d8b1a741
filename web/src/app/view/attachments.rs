//! Files of a message: those that stand in the composer, and those that were sent.

use leptos::html;
use leptos::prelude::*;
use portico_page::format;
use portico_page::i18n::{Lang, Text};
use portico_shared::error::ErrorCode;
use portico_shared::sync::Attachment;
use uuid::Uuid;
use wasm_bindgen_futures::spawn_local;

use super::icons::{self, icon};
use crate::attach::{self, Attached, Stage};
use crate::files::{self, Transfer};
use crate::page::Page;

/// The button beside the text, with its chooser.
pub fn attach_button(page: Page) -> impl IntoView {
    let chooser = NodeRef::<html::Input>::new();
    view! {
        <button type="button" class="icon-button attach" aria-label=page.t(Text::AttachFiles)
            title=page.t(Text::AttachFiles) on:click=move |_| {
                if let Some(chooser) = chooser.get_untracked() {
                    chooser.click();
                }
            }>{icon(icons::CLIP)}</button>
        <input type="file" multiple hidden node_ref=chooser data-attach="files"
            on:change:target=move |event| {
                let chooser = event.target();
                attach::add(page, attach::files_of(&chooser));
                // The same file may be chosen again.
                chooser.set_value("");
            }/>
    }
}

/// What goes along with the next message.
pub fn attached(page: Page) -> impl IntoView {
    let here = Memo::new(move |_| attach::of(page, page.open.get()));
    view! {
        <Show when=move || here.with(|here| !here.is_empty())>
            <ul class="attachments" aria-label=page.t(Text::AttachedFiles) aria-live="polite">
                {move || here.get().into_iter().map(|one| row(page, one)).collect_view()}
            </ul>
        </Show>
    }
}

fn row(page: Page, one: Attached) -> impl IntoView {
    let Attached { id, name, size_bytes, stage, not_kept, not_sent, .. } = one;
    let lang = page.lang.get();
    let label = Text::RemoveFile.fill(lang, &[("name", &name)]);
    let size = format::bytes(lang, size_bytes);
    let (state, line) = match &stage {
        Stage::Reading => ("reading", Text::ReadingFile.get(lang).to_owned()),
        Stage::Adding { done_bytes, bytes_per_s } => {
            ("adding", moving(lang, Text::AddingFile, *done_bytes, size_bytes, *bytes_per_s))
        }
        Stage::Ready(attachment) if attachment.text.is_empty() && not_kept.is_none() => {
            ("ready", format!("{size} · {}", Text::ImageNotRead.get(lang)))
        }
        Stage::Ready(_) => ("ready", size),
        Stage::TooLong { n_tokens, max_tokens } => {
            let number = |n: u32| format::integer(lang, u64::from(n));
            let filled = [("n", number(*n_tokens)), ("max", number(*max_tokens))];
            let filled = filled.each_ref().map(|(name, value)| (*name, value.as_str()));
            ("too-long", Text::FileTooLong.fill(lang, &filled))
        }
        Stage::Failed(error) => ("failed", error.text(lang)),
    };
    let code = match &stage {
        Stage::Failed(error) => Some(error.code.as_str()),
        _ => None,
    };
    // What this page cannot read the server may.
    let is_too_long = matches!(stage, Stage::TooLong { .. });
    let is_servers =
        matches!(&stage, Stage::Failed(error) if error.code == ErrorCode::DeviceTypeUnknown);
    let as_document = (is_too_long || is_servers).then(|| as_document(page, id, is_too_long));
    let not_kept = not_kept.map(|error| {
        let text = format!("{} {}", Text::FileNotKept.get(lang), error.text(lang));
        view! { <span class="muted" data-not-kept=error.code.as_str()>{text}</span> }
    });
    let not_sent = not_sent.map(|code| {
        view! { <span class="muted" data-not-sent=code.as_str()>{Text::NoRoomForFile.get(lang)}</span> }
    });
    view! {
        <li data-attached=state data-error=code>
            {icon(icons::DOCUMENT)}
            <span class="attachment-name" dir="auto">{name}</span>
            <span class="muted">{line}</span>
            {not_kept}
            {not_sent}
            {as_document}
            <button type="button" class="icon-button small" aria-label=label.clone() title=label
                on:click=move |_| attach::remove(page, id)>{icon(icons::CLOSE)}</button>
        </li>
    }
}

/// Where a file can lie that cannot go along.
fn as_document(page: Page, id: u64, can_stay: bool) -> impl IntoView {
    let collections = page
        .collections
        .with(|all| all.iter().filter(|one| one.takes_documents()).cloned().collect::<Vec<_>>());
    let chosen = NodeRef::<html::Select>::new();
    let stay = can_stay.then(|| {
        view! {
            <button type="button" class="button small" on:click=move |_| attach::keep_on_device(page, id)>
                {page.t(Text::KeepAsDocument)}
            </button>
        }
    });
    let add = (!collections.is_empty()).then(|| {
        let options =
            collections.into_iter().map(|one| view! { <option value=one.id>{one.title}</option> });
        view! {
            <select node_ref=chosen class="place-choice" aria-label=page.t(Text::ChooseCollection)>
                {options.collect_view()}
            </select>
            <button type="button" class="button small" data-add="collection" on:click=move |_| {
                if let Some(chosen) = chosen.get_untracked() {
                    attach::add_to(page, id, chosen.value());
                }
            }>{page.t(Text::AddToCollection)}</button>
        }
    });
    view! { <span class="row">{stay} {add}</span> }
}

/// So much of so much, and how fast.
fn moving(lang: Lang, text: Text, done_bytes: u64, total_bytes: u64, bytes_per_s: f64) -> String {
    let done = format::bytes(lang, done_bytes);
    let total = format::bytes(lang, total_bytes);
    let rate = format::byte_rate(lang, bytes_per_s);
    text.fill(lang, &[("done", &done), ("total", &total), ("rate", &rate)])
}

/// What went along with a message, each to be opened and had again.
pub fn sent(page: Page, conversation: Option<Uuid>, attachments: Vec<Attachment>) -> impl IntoView {
    (!attachments.is_empty()).then(|| {
        let one = |attachment: Attachment| {
            let Attachment { name, size_bytes, text, sha256, .. } = attachment.clone();
            let head = view! {
                {icon(icons::DOCUMENT)} <span class="attachment-name" dir="auto">{name}</span> " "
                // Of a file that an import only names no size is known.
                {(size_bytes > 0).then(|| view! {
                    <span class="muted">{move || format::bytes(page.lang.get(), size_bytes)}</span>
                })}
            };
            let body = match text.is_empty() {
                true => head.into_any(),
                false => view! {
                    <details><summary>{head}</summary><pre dir="auto" tabindex="0">{text}</pre></details>
                }
                .into_any(),
            };
            let again = sha256.zip(conversation).map(|(sha256, conversation)| {
                again(page, conversation, sha256, attachment).into_any()
            });
            view! { <li>{body}{again}</li> }
        };
        let rows = attachments.into_iter().map(one).collect_view();
        view! { <ul class="attachments sent" aria-label=page.t(Text::AttachedFiles)>{rows}</ul> }
    })
}

/// A sent file itself: to be downloaded, or seen; and how its way to or from the server is.
fn again(page: Page, conversation: Uuid, sha256: String, attachment: Attachment) -> impl IntoView {
    let transfer = Memo::new({
        let sha256 = sha256.clone();
        move |_| page.transfers.with(|transfers| transfers.get(&sha256).cloned())
    });
    let name = attachment.name.clone();
    let attachment = StoredValue::new(attachment);
    let is_image = attachment.with_value(|one| files::is_image(&one.media_type));
    let label = move || Text::DownloadFile.fill(page.lang.get(), &[("name", &name)]);
    let image = is_image.then(|| image(page, conversation, attachment).into_any());
    let way = move || transfer.get().and_then(|transfer| way(page, sha256.clone(), transfer));
    view! {
        <button type="button" class="icon-button small" data-file="download" title=label.clone()
            aria-label=label on:click=move |_| {
                attachment.with_value(|one| files::save(page, conversation, one));
            }>{icon(icons::DOWNLOAD)}</button>
        {way}
        {image}
    }
}

/// An image that is here; else what fetches it.
fn image(page: Page, conversation: Uuid, attachment: StoredValue<Attachment>) -> impl IntoView {
    let url = RwSignal::new(None::<String>);
    let is_gone = StoredValue::new(false);
    let look = move || {
        spawn_local(async move {
            let one = attachment.get_value();
            let found = files::image_url(&one).await;
            match found {
                Some(found) if is_gone.try_get_value() != Some(false) => revoke(&found),
                found => url.set(found),
            }
        });
    };
    look();
    on_cleanup(move || {
        is_gone.set_value(true);
        if let Some(url) = url.get_untracked() {
            revoke(&url);
        }
    });
    let name = attachment.with_value(|one| one.name.clone());
    view! {
        {move || match url.get() {
            Some(url) => view! {
                <span class="attachment-shown"><img class="attachment-image" src=url alt=name.clone()/></span>
            }.into_any(),
            None => view! {
                <button type="button" class="button quiet small" data-file="show" on:click=move |_| {
                    attachment.with_value(|one| {
                        files::with_file(page, conversation, one, async move || {
                            look();
                            Ok(())
                        });
                    });
                }>{page.t(Text::ShowImage)}</button>
            }.into_any(),
        }}
    }
}

fn revoke(url: &str) {
    // One that is revoked already is no fault.
    web_sys::Url::revoke_object_url(url).ok();
}

/// How a file's way is; nothing where there is nothing to say.
fn way(page: Page, sha256: String, transfer: Transfer) -> Option<AnyView> {
    let lang = page.lang.get();
    let (state, line) = match &transfer {
        Transfer::Sent => return None,
        Transfer::Sending { done_bytes, total_bytes, bytes_per_s } => {
            ("sending", moving(lang, Text::SendingFile, *done_bytes, *total_bytes, *bytes_per_s))
        }
        Transfer::Fetching { done_bytes, total_bytes, bytes_per_s } => {
            ("fetching", moving(lang, Text::FetchingFile, *done_bytes, *total_bytes, *bytes_per_s))
        }
        Transfer::Waiting => ("waiting", Text::FileWaits.get(lang).to_owned()),
        Transfer::Stopped => ("stopped", Text::FileStopped.get(lang).to_owned()),
        Transfer::Refused { error } => {
            ("refused", format!("{} {}", Text::FileStaysHere.get(lang), error.text(lang)))
        }
        Transfer::Failed(error) => ("failed", error.text(lang)),
    };
    let code = match &transfer {
        Transfer::Refused { error } | Transfer::Failed(error) => Some(error.code.as_str()),
        _ => None,
    };
    let act = match transfer {
        Transfer::Sending { .. } => Some((Text::StopSending, true)),
        Transfer::Stopped => Some((Text::SendFile, false)),
        _ => None,
    };
    let act = act.map(|(text, stops)| {
        view! {
            <button type="button" class="button quiet small" on:click=move |_| match stops {
                true => files::stop(&sha256),
                false => files::resume(page, sha256.clone()),
            }>{text.get(lang)}</button>
        }
    });
    Some(
        view! { <span class="muted way" data-way=state data-error=code>{line}</span> {act} }
            .into_any(),
    )
}
