//! Files on their way, each with how far it is and how to stop it.

use leptos::prelude::*;
use portico_library::texts::Text;
use portico_page::format;
use portico_shared::error::Lang;

use super::parts::{CLOSE, REDO, dotted, icon};
use crate::state::Library;
use crate::uploads::{self, Stage, Upload};

/// Those of one collection.
pub fn uploads(library: Library, collection: StoredValue<String>) -> impl IntoView {
    let own = Memo::new(move |_| {
        let of_it = |upload: &Upload| {
            upload.collection.with_value(|own| collection.with_value(|wanted| own == wanted))
        };
        library.uploads.with(|all| all.iter().filter(|one| of_it(one)).copied().collect::<Vec<_>>())
    });
    let any_over = move || own.with(|own| own.iter().any(|one| one.stage.with(Stage::is_over)));
    view! {
        <Show when=move || own.with(|own| !own.is_empty())>
            <section class="uploads" aria-label=library.t(Text::Uploads)>
                <ul class="doc-rows">
                    <For each=move || own.get() key=|upload| upload.id let:upload>
                        {row(library, upload)}
                    </For>
                </ul>
                <Show when=any_over>
                    <button type="button" class="button quiet small" on:click=move |_| {
                        library.uploads.update(|all| {
                            all.retain(|one| !one.stage.with_untracked(Stage::is_over));
                        });
                    }>{library.t(Text::DismissUploads)}</button>
                </Show>
            </section>
        </Show>
    }
}

fn row(library: Library, upload: Upload) -> impl IntoView {
    let name = upload.name.get_value();
    let values = move |text: Text| {
        let name = upload.name.get_value();
        text.fill(library.lang.get(), &[("name", &name)])
    };
    let share = move || match upload.stage.get() {
        Stage::Sending { done_bytes, .. } => {
            Some(format::whole_percent(done_bytes, upload.size_bytes.max(1)))
        }
        Stage::Embedding { done, total } => {
            Some(format::whole_percent(done as u64, total.max(1) as u64))
        }
        _ => None,
    };
    view! {
        <li class="doc-row" data-upload=move || stage_name(&upload.stage.get())>
            <span class="doc-name" dir="auto">{name}</span>
            <span class="doc-line" role="status">{move || stage_line(library.lang.get(), upload)}</span>
            {move || share().map(|share| {
                let width = format!("{share}%");
                view! {
                    <div class="bar" role="progressbar" aria-label=library.t(Text::Uploading)
                        aria-valuemin="0" aria-valuemax="100" aria-valuenow=share.to_string()>
                        <div class="bar-done" style:width=width></div>
                    </div>
                }
            })}
            {move || match upload.stage.get() {
                Stage::Failed(error) => view! {
                    <p class="doc-error" role="alert" data-error=error.code.as_str()>{error.text(library.lang.get())}</p>
                }.into_any(),
                _ => ().into_any(),
            }}
            <span class="doc-actions">
                {move || match upload.stage.get() {
                    Stage::Failed(_) | Stage::Cancelled => view! {
                        <button type="button" class="icon-button small" aria-label=values(Text::RetryDocument)
                            title=library.t(Text::TryAgain)
                            on:click=move |_| uploads::retry(library, upload)>{icon(REDO)}</button>
                    }.into_any(),
                    stage if !stage.is_over() => view! {
                        <button type="button" class="icon-button small" aria-label=values(Text::CancelUpload)
                            title=library.t(Text::Cancel)
                            on:click=move |_| uploads::cancel(upload)>{icon(CLOSE)}</button>
                    }.into_any(),
                    _ => ().into_any(),
                }}
            </span>
        </li>
    }
}

fn stage_name(stage: &Stage) -> &'static str {
    match stage {
        Stage::Waiting => "waiting",
        Stage::Sending { .. } => "sending",
        Stage::Reading => "reading",
        Stage::Embedding { .. } => "embedding",
        Stage::Done(_) => "done",
        Stage::Failed(_) => "failed",
        Stage::Cancelled => "cancelled",
    }
}

fn stage_line(lang: Lang, upload: Upload) -> String {
    let size = format::bytes(lang, upload.size_bytes);
    match upload.stage.get() {
        Stage::Waiting => dotted([Text::UploadWaiting.get(lang).to_owned(), size]),
        Stage::Sending { done_bytes, bytes_per_s, seconds_left } => {
            let done = format::bytes(lang, done_bytes);
            let rate = if bytes_per_s > 0.0 {
                format::byte_rate(lang, bytes_per_s)
            } else {
                String::new()
            };
            let left = seconds_left.map(|seconds| format::wait(lang, seconds));
            let left = left.map(|time| Text::UploadLeft.fill(lang, &[("time", &time)]));
            let bytes = Text::UploadBytes.fill(lang, &[("done", &done), ("total", &size)]);
            dotted([bytes, rate, left.unwrap_or_default()])
        }
        Stage::Reading => dotted([Text::UploadReading.get(lang).to_owned(), size]),
        Stage::Embedding { done, total } => {
            let shown = |n: usize| format::integer(lang, n as u64);
            Text::UploadEmbedding.fill(lang, &[("done", &shown(done)), ("total", &shown(total))])
        }
        // A sentence stands alone.
        Stage::Done(text) if text.get(lang).ends_with('.') => text.get(lang).to_owned(),
        Stage::Done(text) => dotted([text.get(lang).to_owned(), size]),
        Stage::Failed(_) => Text::StateFailed.get(lang).to_owned(),
        Stage::Cancelled => Text::UploadCancelled.get(lang).to_owned(),
    }
}
