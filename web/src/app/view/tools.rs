//! Under the composer: which tools the next answer may call.

use leptos::prelude::*;
use portico_page::i18n::Text;
use portico_page::tools::{Confirm, Where};

use super::choice::choice_menu;
use super::icons;
use crate::page::Page;
use crate::{assistants, tools};

pub fn tools_choice(page: Page) -> impl IntoView {
    let chosen = Memo::new(move |_| tools::chosen(page, page.open.get()));
    let titles = move || {
        let chosen = chosen.get();
        match chosen.len() {
            0 => view! { <span class="muted">{page.t(Text::ToolsOff)}</span> }.into_any(),
            1 | 2 => chosen
                .into_iter()
                .map(|tool| view! { <span class="chip">{tools::title(page, &tool.id)}</span> })
                .collect_view()
                .into_any(),
            n => view! { <span class="chip">{n}</span> }.into_any(),
        }
    };
    let rests = move || {
        let has_any = page.tools.with(|all| all.iter().any(|tool| tool.runs == Where::Server));
        (has_any && tools::stays(page, page.open.get()))
            .then(|| view! { <p class="muted">{page.t(Text::ToolsStay)}</p> })
    };
    let boxes = move || {
        let each = page.tools.get().into_iter().map(|tool| {
            let id = tool.id.clone();
            let is_chosen = move || chosen.with(|chosen| chosen.iter().any(|one| one.id == tool.id));
            let on_server = tool.runs == Where::Server;
            let brought = id.clone();
            let is_off = move || {
                on_server && tools::stays(page, page.open.get())
                    || assistants::brings(page, page.open.get(), &brought)
            };
            let asks = tool.confirm != Confirm::Never;
            let title = id.clone();
            view! {
                <label>
                    <input type="checkbox" name=id.clone() prop:checked=is_chosen disabled=is_off
                        on:change:target=move |event| {
                            tools::choose(page, page.open.get_untracked(), &id, event.target().checked());
                        }/>
                    {move || tools::title(page, &title)}
                    <span class="muted">
                        {on_server.then(|| page.t(Text::ToolOnServer))}
                        {asks.then(|| (", ", page.t(Text::ToolAsks)))}
                    </span>
                </label>
            }
        });
        (each.collect_view(), rests()).into_any()
    };
    choice_menu(
        "tools-choice",
        icons::GEAR,
        page.t(Text::Tools),
        page.t(Text::ToolsHint),
        titles,
        boxes,
    )
}
