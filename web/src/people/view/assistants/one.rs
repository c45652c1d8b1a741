//! An assistant that somebody else made: what it does, for who uses it.

use leptos::prelude::*;
use portico_page::assistants::Assistant;
use portico_people::texts::Text;

use super::choices::tool_title;
use super::{back, kept, mark, whose};
use crate::state::People;

pub fn one(people: People, one: Assistant) -> impl IntoView {
    let (sign, whose) = (mark(&one), whose(people, &one));
    let begins = one.clone();
    let Assistant { definition, n_withheld, .. } = one;
    let copied = definition.clone();
    let instructions = match (definition.hides_instructions, definition.instructions.is_empty()) {
        (_, true) => {
            view! { <p class="muted">{people.t(Text::AssistantNoInstructions)}</p> }.into_any()
        }
        (true, false) => view! { <p class="muted">{people.t(Text::AssistantHides)}</p> }.into_any(),
        (false, false) => {
            view! { <p class="assistant-words" dir="auto">{definition.instructions}</p> }.into_any()
        }
    };
    let withheld = (n_withheld > 0).then(|| {
        let n = n_withheld.to_string();
        move || Text::AssistantWithheld.fill(people.lang.get(), &[("n", &n)])
    });
    let stands_in = definition.may_stand_in;
    let model = definition.model.map(|model| {
        let more = (!stands_in).then(|| (" · ", people.t(Text::AssistantOnlyThis)));
        view! { <div><dt>{people.t(Text::AssistantModel)}</dt><dd>{model} {more}</dd></div> }
    });
    let listed = |text: Text, ids: Vec<String>| {
        (!ids.is_empty()).then(|| {
            view! { <div><dt>{people.t(text)}</dt><dd dir="auto">{ids.join(", ")}</dd></div> }
        })
    };
    let has_tools = !definition.tools.is_empty();
    let named = move || {
        let lang = people.lang.get();
        let named = definition.tools.iter().map(|id| {
            tool_title(id).map_or_else(|| id.clone(), |title| title.get(lang).to_owned())
        });
        named.collect::<Vec<_>>().join(", ")
    };
    let tools = has_tools.then(|| {
        view! { <div><dt>{people.t(Text::AssistantTools)}</dt><dd dir="auto">{named}</dd></div> }
    });
    view! {
        {back(people)}
        <h2 class="library-title" dir="auto">{sign} " " {definition.name}</h2>
        <p dir="auto">{definition.description}</p>
        <p class="muted" dir="auto">{whose}</p>
        <div class="row">
            <button type="button" class="button primary" on:click=move |_| kept::begin(people, &begins)>
                {people.t(Text::AssistantChat)}
            </button>
            {(!definition.hides_instructions).then(|| view! {
                <button type="button" class="button quiet" on:click=move |_| kept::copy(people, &copied)>
                    {people.t(Text::AssistantCopy)}
                </button>
            })}
        </div>
        <section class="card">
            <h3>{people.t(Text::AssistantInstructions)}</h3>
            {instructions}
            <dl class="facts wide">
                {model}
                {listed(Text::AssistantCollections, definition.collections)}
                {tools}
            </dl>
            {withheld.map(|said| view! { <p class="muted">{said}</p> })}
            <p class="hint">{people.t(Text::AssistantRights)}</p>
        </section>
    }
}
