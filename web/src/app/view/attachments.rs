//! Files of a message: those that stand in the composer, and those that were sent.

use leptos::html;
use leptos::prelude::*;
use portico_page::format;
use portico_page::i18n::Text;
use portico_shared::sync::Attachment;

use super::icons::{self, icon};
use crate::attach::{self, Attached, Stage};
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
    let Attached { id, name, size_bytes, stage, .. } = one;
    let lang = page.lang.get();
    let label = Text::RemoveFile.fill(lang, &[("name", &name)]);
    let (state, line) = match &stage {
        Stage::Reading => ("reading", Text::ReadingFile.get(lang).to_owned()),
        Stage::Ready(_) => ("ready", format::bytes(lang, size_bytes)),
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
    let as_document = matches!(stage, Stage::TooLong { .. }).then(|| {
        view! {
            <span class="row">
                <button type="button" class="button small" on:click=move |_| attach::keep_on_device(page, id)>
                    {page.t(Text::KeepAsDocument)}
                </button>
                <a class="button quiet small" href="#/documents">{page.t(Text::ChooseCollection)}</a>
            </span>
        }
    });
    view! {
        <li data-attached=state data-error=code>
            {icon(icons::DOCUMENT)}
            <span class="attachment-name" dir="auto">{name}</span>
            <span class="muted">{line}</span>
            {as_document}
            <button type="button" class="icon-button small" aria-label=label.clone() title=label
                on:click=move |_| attach::remove(page, id)>{icon(icons::CLOSE)}</button>
        </li>
    }
}

/// What went along with a message, each to be opened.
pub fn sent(page: Page, attachments: Vec<Attachment>) -> impl IntoView {
    (!attachments.is_empty()).then(|| {
        let one = |Attachment { name, size_bytes, text, .. }: Attachment| {
            view! {
                <li><details>
                    <summary>
                        {icon(icons::DOCUMENT)} <span class="attachment-name" dir="auto">{name}</span> " "
                        <span class="muted">{move || format::bytes(page.lang.get(), size_bytes)}</span>
                    </summary>
                    <pre dir="auto" tabindex="0">{text}</pre>
                </details></li>
            }
        };
        let rows = attachments.into_iter().map(one).collect_view();
        view! { <ul class="attachments sent" aria-label=page.t(Text::AttachedFiles)>{rows}</ul> }
    })
}
