//! Where does a conversation belong? Its folder, its tags, the archive, and a file of its own.

use leptos::prelude::*;
use portico_page::i18n::Text;
use portico_shared::sync::{Body, FOLDER_MAX_CHARS, Setting, TAG_MAX_CHARS};
use uuid::Uuid;

use super::dialog::dialog;
use crate::export;
use crate::log::{self, Row};
use crate::page::Page;

/// Most tags of a conversation.
const TAGS_MAX: usize = 20;

/// Which conversations the sidebar shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// All that are not in the archive.
    #[default]
    All,
    Archive,
    Folder(String),
    Tag(String),
}

impl Shown {
    /// What a search finds is shown wherever it lies, unless a folder or a tag is chosen.
    pub fn holds(&self, row: &Row, is_search: bool) -> bool {
        match self {
            Self::All => is_search || !row.archived,
            Self::Archive => row.archived,
            Self::Folder(folder) => row.folder.as_ref() == Some(folder),
            Self::Tag(tag) => row.tags.contains(tag),
        }
    }

    /// As an option's value.
    fn name(&self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Archive => "archive".to_owned(),
            Self::Folder(folder) => format!("f{folder}"),
            Self::Tag(tag) => format!("t{tag}"),
        }
    }
}

/// The choice of what is shown, once there is one.
pub fn shown_field(
    page: Page,
    rows: ReadSignal<Vec<Row>>,
    shown: RwSignal<Shown>,
) -> impl IntoView {
    let options = Memo::new(move |_| {
        rows.with(|rows| {
            let mut options = vec![Shown::All];
            options.extend(rows.iter().any(|row| row.archived).then_some(Shown::Archive));
            let folders = rows.iter().filter_map(|row| row.folder.clone());
            options.extend(distinct(folders).into_iter().map(Shown::Folder));
            let tags = rows.iter().flat_map(|row| row.tags.clone());
            options.extend(distinct(tags).into_iter().map(Shown::Tag));
            options
        })
    });
    let label = move |option: &Shown| match option {
        Shown::All => Text::ShowAll.get(page.lang.get()).to_owned(),
        Shown::Archive => Text::Archive.get(page.lang.get()).to_owned(),
        Shown::Folder(folder) => format!("{}: {folder}", Text::Folder.get(page.lang.get())),
        Shown::Tag(tag) => format!("#{tag}"),
    };
    view! {
        <Show when=move || options.with(Vec::len).gt(&1) || shown.get() != Shown::All>
            <select class="shown-choice" aria-label=page.t(Text::ShowWhich)
                on:change:target=move |event| {
                    let name = event.target().value();
                    let chosen = options.with_untracked(|options| {
                        options.iter().find(|option| option.name() == name).cloned()
                    });
                    shown.set(chosen.unwrap_or_default());
                }>
                {move || options.get().into_iter().map(|option| {
                    let is_chosen = shown.get() == option;
                    view! { <option value=option.name() selected=is_chosen>{label(&option)}</option> }
                }).collect_view()}
            </select>
        </Show>
    }
}

fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.sort_by_key(|name| name.to_lowercase());
    names.dedup();
    names
}

pub fn organise_dialog(page: Page, id: Uuid) -> impl IntoView {
    let row = log::row(id);
    let folders = distinct(log::rows().into_iter().filter_map(|row| row.folder));
    let title = row.as_ref().and_then(|row| row.title.clone()).unwrap_or_default();
    let folder = row.as_ref().and_then(|row| row.folder.clone()).unwrap_or_default();
    let tags = row.as_ref().map(|row| row.tags.join(", ")).unwrap_or_default();
    let is_archived = row.is_some_and(|row| row.archived);
    let content = view! {
        <p class="muted organised">{title}</p>
        <section class="settings-section">
            <label class="field">
                <span>{page.t(Text::Folder)} <span class="hint">" " {page.t(Text::FolderHint)}</span></span>
                <input type="text" list="folders" autocomplete="off" maxlength=FOLDER_MAX_CHARS.to_string() prop:value=folder
                    on:change:target=move |event| {
                        let text: String = event.target().value().trim().chars().take(FOLDER_MAX_CHARS).collect();
                        log::set(page, id, Setting::Folder(Some(text).filter(|text| !text.is_empty())));
                    }/>
            </label>
            <datalist id="folders">
                {folders.into_iter().map(|folder| view! { <option value=folder></option> }).collect_view()}
            </datalist>
            <label class="field">
                <span>{page.t(Text::Tags)} <span class="hint">" " {page.t(Text::TagsHint)}</span></span>
                <input type="text" autocomplete="off" prop:value=tags
                    on:change:target=move |event| set_tags(page, id, &event.target().value())/>
            </label>
            <label class="check">
                <input type="checkbox" prop:checked=is_archived on:change:target=move |event| {
                    let archived = event.target().checked();
                    log::write(page, [Body::Archive { conversation: id, archived }]);
                }/>
                <span>{page.t(Text::Archived)} <span class="hint">" " {page.t(Text::ArchivedHint)}</span></span>
            </label>
        </section>
        <div class="row">
            <span>{page.t(Text::ExportThis)}</span>
            <button type="button" class="button" on:click=move |_| export::markdown(page, Some(id))>
                {page.t(Text::ExportMarkdown)}
            </button>
            <button type="button" class="button" on:click=move |_| export::json(page, Some(id))>
                {page.t(Text::ExportJson)}
            </button>
            {page.person.with_untracked(Option::is_some).then(|| view! {
                <a class="button" href=format!("#/share/{id}") on:click=move |_| page.dialog.set(None)>
                    {page.t(Text::ShareThis)}
                </a>
            })}
        </div>
    };
    dialog(page, "organise", Text::Organise, content)
}

/// Takes off what is no longer named, and puts on what is new.
fn set_tags(page: Page, conversation: Uuid, typed: &str) {
    let tags = typed.split(',').map(str::trim).filter(|tag| !tag.is_empty());
    let tags = distinct(tags.map(|tag| tag.chars().take(TAG_MAX_CHARS).collect()));
    let before = log::row(conversation).map(|row| row.tags).unwrap_or_default();
    let gone = before.iter().filter(|tag| !tags.contains(tag)).map(|tag| (tag.clone(), false));
    let new = tags
        .iter()
        .take(TAGS_MAX)
        .filter(|tag| !before.contains(tag))
        .map(|tag| (tag.clone(), true));
    let changes: Vec<Body> =
        gone.chain(new).map(|(tag, on)| Body::Tag { conversation, tag, on }).collect();
    log::write(page, changes);
}
