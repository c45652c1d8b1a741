//! What an answer did between its words: each call of a tool with what became of it, and the question
//! whether it may run. Names, arguments and results are text and nothing else.

use leptos::prelude::*;
use portico_page::i18n::Text;
use portico_shared::sync::{StepState, ToolStep};

use super::icons::{self, icon};
use super::message::Context;
use crate::browser::{focus, next_frame};
use crate::page::Page;
use crate::{answer, tools};

pub fn steps(context: Context) -> impl IntoView {
    let page = context.page;
    let steps = Memo::new(move |_| context.with(|item| item.steps.clone()));
    move || {
        let steps = steps.get();
        (!steps.is_empty()).then(|| {
            let each = steps.into_iter().enumerate();
            let each: Vec<_> = each.map(|(n, one)| step(context, n, one).into_any()).collect();
            view! { <ol class="tool-steps" aria-label=page.t(Text::ToolSteps)>{each}</ol> }
        })
    }
}

fn step(context: Context, n: usize, step: ToolStep) -> impl IntoView {
    let page = context.page;
    let ToolStep { name, arguments, state, result, .. } = step;
    let title = title(page, &name);
    // Only who holds the answer can say yes; after a reload it is asked again when it goes on.
    let asks = state == StepState::Waiting && context.is_live();
    let arguments = pretty(&arguments);
    let id = format!("step-{}-{n}", context.id());
    let (summary_id, tool) = (id.clone(), name.clone());
    view! {
        <li class="tool-step" data-tool=tool data-step=state.name()>
            <details>
                <summary id=summary_id>
                    {icon(icons::GEAR)} <span>{title.clone()}</span>
                    <span class="chip">{page.t(text(state))}</span>
                </summary>
                {(!arguments.is_empty()).then(|| view! {
                    <p class="muted">{page.t(Text::ToolArguments)}</p>
                    <pre>{arguments.clone()}</pre>
                })}
                {result.map(|result| view! {
                    <p class="muted">{page.t(Text::ToolResult)}</p>
                    <pre>{result}</pre>
                })}
            </details>
            {asks.then(|| question(context, n, name, title, arguments, id).into_any())}
        </li>
    }
}

fn question(
    context: Context,
    n: usize,
    name: String,
    title: String,
    arguments: String,
    id: String,
) -> impl IntoView {
    let page = context.page;
    let message = context.id();
    let asked = move || Text::ToolMayIt.fill(page.lang.get(), &[("tool", &title)]);
    let label = asked.clone();
    let say = move |may: bool, always: bool| {
        answer::confirm(page, message, n, may, always);
        // The buttons are gone: where they were is gone on from.
        let id = id.clone();
        next_frame(move || focus(&id));
    };
    let button = move |key: Text, class: &'static str, may: bool, always: bool| {
        let say = say.clone();
        view! {
            <button type="button" class=class on:click=move |_| say(may, always)>{page.t(key)}</button>
        }
    };
    let lasting = answer::may_grant(message, &name)
        .then(|| button(Text::ToolForConversation, "button", true, true));
    view! {
        <div class="tool-question" role="group" aria-label=label>
            <p>{asked}</p>
            <pre tabindex="0">{arguments}</pre>
            <div class="row">
                {button(Text::ToolOnce, "button primary", true, false)}
                {lasting}
                {button(Text::ToolRefuse, "button quiet", false, false)}
            </div>
        </div>
    }
}

/// As the house calls it, where it is known.
fn title(page: Page, name: &str) -> String {
    let id = page.tools.with_untracked(|all| {
        all.iter().find(|tool| tool.tool.name() == name).map(|tool| tool.id.clone())
    });
    tools::title(page, id.as_deref().unwrap_or(name))
}

/// JSON on several lines; what is none as it is.
fn pretty(arguments: &str) -> String {
    serde_json::from_str::<serde_json::Value>(arguments)
        .map_or_else(|_| arguments.to_owned(), |value| format!("{value:#}"))
}

fn text(state: StepState) -> Text {
    match state {
        StepState::Called => Text::ToolCalled,
        StepState::Waiting => Text::ToolWaiting,
        StepState::Running => Text::ToolRunning,
        StepState::Done => Text::ToolDone,
        StepState::Refused => Text::ToolRefused,
        StepState::Failed => Text::ToolFailed,
        StepState::TimedOut => Text::ToolTimedOut,
        StepState::Stopped => Text::ToolStopped,
    }
}
