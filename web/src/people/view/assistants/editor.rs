//! An assistant as a form, with a try-out beside it.

use leptos::prelude::*;
use portico_page::assistants::Assistant;
use portico_people::texts::Text;
use portico_shared::assistant::{
    DESCRIPTION_MAX_CHARS, INSTRUCTIONS_MAX_CHARS, NAME_MAX_CHARS, QUESTION_MAX_CHARS, SYMBOLS,
    Wrong,
};
use serde_json::json;
use wasm_bindgen_futures::spawn_local;

use super::choices::{Choices, load, tool_title};
use super::draft::Draft;
use super::{GALLERY, Sharing, back, kept, try_out};
use crate::api::{self, Anything};
use crate::parts::{Doing, boxes, submit, sure};
use crate::state::People;

/// `one`: that is changed; none: one that is to be.
pub fn editor(people: People, one: Option<Assistant>, sharing: Sharing) -> impl IntoView {
    let begins = one.as_ref().map(|one| one.definition.clone());
    let draft = Draft::new(begins.or_else(kept::take_copy).unwrap_or_default(), one.as_ref());
    let choices = RwSignal::new(Choices::default());
    spawn_local(async move {
        // The view may have gone.
        choices.try_set(load(people).await);
    });
    let revision = RwSignal::new(one.as_ref().map(|one| one.revision));
    let id = StoredValue::new(one.as_ref().map(|one| one.id.to_string()));
    let doing = Doing::new();
    let wrong = RwSignal::new(None::<Wrong>);
    let is_saved = RwSignal::new(false);
    let save = move || {
        is_saved.set(false);
        wrong.set(None);
        let definition = match draft.definition().tidied() {
            Ok(definition) => definition,
            Err(why) => return wrong.set(Some(why)),
        };
        let body = draft.written(&definition, revision.get_untracked());
        let asked = async move {
            match id.get_value() {
                Some(id) => {
                    let path = format!("/api/assistants/{id}");
                    api::send::<Assistant>("PUT", &path, &body).await
                }
                None => api::send::<Assistant>("POST", "/api/assistants", &body).await,
            }
        };
        doing.run(asked, move |saved| {
            people.say(Text::Saved);
            match id.get_value() {
                Some(_) => {
                    revision.set(Some(saved.revision));
                    is_saved.set(true);
                }
                None => people.go(&format!("{GALLERY}/{}", saved.id)),
            }
        });
    };
    let title = match one.is_some() {
        true => Text::AssistantChange,
        false => Text::AssistantNew,
    };
    let shared = sharing_fields(people, draft, one.as_ref(), sharing);
    let actions = one.map(|one| actions(people, draft, one));
    let said = move || {
        wrong.get().map(|why| {
            let said = field_text(why.field).get(people.lang.get());
            view! { <p class="doc-error" role="alert" data-field=why.field>{said}</p> }
        })
    };
    view! {
        {back(people)}
        <h2 class="library-title">{people.t(title)}</h2>
        <form class="card people-form" data-form="assistant" on:submit=move |event| {
            event.prevent_default();
            save();
        }>
            {words(people, draft).into_any()}
            {model_fields(people, draft, choices).into_any()}
            {collection_fields(people, draft, choices).into_any()}
            {tool_fields(people, draft, choices).into_any()}
            {question_fields(people, draft).into_any()}
            {shared.into_any()}
            <p class="hint">{people.t(Text::AssistantRights)}</p>
            {said}
            {doing.fault(people)}
            <Show when=move || is_saved.get()><p role="status">{people.t(Text::Saved)}</p></Show>
            <div class="row">{submit(people, doing, Text::Save)}</div>
        </form>
        {try_out::try_out(people, draft, choices).into_any()}
        {actions.map(|actions| actions.into_any())}
    }
}

/// What is to be said where a field cannot be so.
pub fn field_text(field: &str) -> Text {
    match field {
        "name" => Text::AssistantWrongName,
        "icon" => Text::AssistantWrongIcon,
        "instructions" => Text::AssistantWrongInstructions,
        "description" => Text::AssistantWrongDescription,
        "questions" => Text::AssistantWrongQuestions,
        _ => Text::AssistantWrongNamed,
    }
}

fn line(
    people: People,
    text: Text,
    value: RwSignal<String>,
    max: usize,
    list: Option<&'static str>,
) -> impl IntoView {
    view! {
        <label class="people-field">
            <span>{people.t(text)}</span>
            <input type="text" autocomplete="off" dir="auto" maxlength=max list=list prop:value=move || value.get()
                on:input:target=move |event| value.set(event.target().value())/>
        </label>
    }
}

fn switch(people: People, text: Text, value: RwSignal<bool>) -> impl IntoView {
    view! {
        <label class="switch">
            <input type="checkbox" prop:checked=move || value.get()
                on:change:target=move |event| value.set(event.target().checked())/>
            <span>{people.t(text)}</span>
        </label>
    }
}

fn words(people: People, draft: Draft) -> impl IntoView {
    let symbols = SYMBOLS.map(|symbol| view! { <option value=symbol.to_string()></option> });
    let hides = draft.hides_instructions;
    view! {
        {line(people, Text::AssistantName, draft.name, NAME_MAX_CHARS, None)}
        {line(people, Text::AssistantIcon, draft.icon, 1, Some("assistant-symbols"))}
        <datalist id="assistant-symbols">{symbols.collect_view()}</datalist>
        {line(people, Text::AssistantDescription, draft.description, DESCRIPTION_MAX_CHARS, None)}
        <label class="people-field assistant-instructions">
            <span>{people.t(Text::AssistantInstructions)}</span>
            <textarea rows="8" dir="auto" maxlength=INSTRUCTIONS_MAX_CHARS prop:value=draft.instructions.get_untracked()
                on:input:target=move |event| draft.instructions.set(event.target().value())></textarea>
        </label>
        {switch(people, Text::AssistantHide, hides)}
        <Show when=move || hides.get()><p class="hint">{people.t(Text::AssistantHideHint)}</p></Show>
    }
}

fn model_fields(people: People, draft: Draft, choices: RwSignal<Choices>) -> impl IntoView {
    let options = move || {
        let lang = people.lang.get();
        let chosen = draft.model.get_untracked();
        let models = choices.with(|choices| choices.models.clone());
        let is_known = chosen.is_empty() || models.iter().any(|model| model.id == chosen);
        // One that cannot be asked now stays chosen.
        let other = (!is_known).then(|| (chosen.clone(), chosen.clone()));
        let known = models.into_iter().map(|model| {
            let places = [
                model.on_device.then(|| Text::AssistantOnDevice.get(lang)),
                model.on_server.then(|| Text::AssistantOnServer.get(lang)),
            ];
            let places: Vec<&str> = places.into_iter().flatten().collect();
            let label = format!("{} · {}", model.name, places.join(", "));
            (model.id, label)
        });
        let all = other.into_iter().chain(known).map(|(id, label)| {
            let is_chosen = id == chosen;
            view! { <option value=id selected=is_chosen>{label}</option> }
        });
        all.collect_view()
    };
    view! {
        <label class="people-field">
            <span>{people.t(Text::AssistantModel)}</span>
            <select name="model" on:change:target=move |event| draft.model.set(event.target().value())>
                <option value="" selected=move || draft.model.with(String::is_empty)>
                    {people.t(Text::AssistantModelAny)}
                </option>
                {options}
            </select>
        </label>
        <Show when=move || draft.model.with(|model| !model.is_empty())>
            {switch(people, Text::AssistantStandIn, draft.may_stand_in)}
        </Show>
    }
}

fn collection_fields(people: People, draft: Draft, choices: RwSignal<Choices>) -> impl IntoView {
    let offered = move || {
        let all = choices.with(|choices| choices.collections.clone());
        all.into_iter().map(|one| (one.id, one.title)).collect()
    };
    boxes(people, Text::AssistantCollections, "collection", draft.collections, offered)
}

fn tool_fields(people: People, draft: Draft, choices: RwSignal<Choices>) -> impl IntoView {
    let offered = move || {
        let lang = people.lang.get();
        let title = |id: &String| {
            tool_title(id).map_or_else(|| id.clone(), |title| title.get(lang).to_owned())
        };
        choices.with(|choices| choices.tools.iter().map(|id| (id.clone(), title(id))).collect())
    };
    boxes(people, Text::AssistantTools, "tool", draft.tools, offered)
}

fn question_fields(people: People, draft: Draft) -> impl IntoView {
    let fields = draft.questions.into_iter().enumerate().map(|(i, question)| {
        let n = (i + 1).to_string();
        let label = move || Text::AssistantQuestion.fill(people.lang.get(), &[("n", &n)]);
        view! {
            <input type="text" autocomplete="off" dir="auto" maxlength=QUESTION_MAX_CHARS aria-label=label
                prop:value=move || question.get()
                on:input:target=move |event| question.set(event.target().value())/>
        }
    });
    let fields = fields.collect_view();
    view! {
        <fieldset class="people-boxes assistant-questions">
            <legend>{people.t(Text::AssistantQuestions)}</legend>
            <div class="people-field">{fields}</div>
        </fieldset>
    }
}

/// Only what the person may; what is shared already can be taken back.
fn sharing_fields(
    people: People,
    draft: Draft,
    one: Option<&Assistant>,
    sharing: Sharing,
) -> impl IntoView + use<> {
    let may_house = sharing.house || one.is_some_and(|one| one.for_house);
    let has_groups = !sharing.groups.is_empty() || !draft.groups.with_untracked(Vec::is_empty);
    let groups = sharing.groups;
    let offered = move || groups.iter().map(|name| (name.clone(), name.clone())).collect();
    view! {
        {has_groups.then(|| boxes(people, Text::AssistantShare, "group", draft.groups, offered))}
        {may_house.then(|| switch(people, Text::AssistantShareHouse, draft.for_house))}
        {(!has_groups && !may_house).then(|| view! {
            <p class="hint">{people.t(Text::AssistantShareNobody)}</p>
        })}
    }
}

fn actions(people: People, draft: Draft, one: Assistant) -> impl IntoView {
    let path = format!("/api/assistants/{}", one.id);
    let name = one.definition.name.clone();
    let doing = Doing::new();
    let delete = move || {
        let path = path.clone();
        let asked = async move { api::send::<Anything>("DELETE", &path, &json!({})).await };
        doing.run(asked, move |_| {
            people.say(Text::AssistantDeleted);
            people.go(GALLERY);
        });
    };
    let label = move || format!("{}: {name}", Text::AssistantDelete.get(people.lang.get()));
    view! {
        <div class="row">
            <button type="button" class="button" on:click=move |_| kept::begin(people, &one)>
                {people.t(Text::AssistantChat)}
            </button>
            <button type="button" class="button quiet" on:click=move |_| kept::copy(people, &draft.definition())>
                {people.t(Text::AssistantCopy)}
            </button>
            <button type="button" class="button quiet" on:click=move |_| {
                if let Err(error) = kept::save_file(&draft.definition()) {
                    web_sys::console::error_1(&error);
                }
            }>{people.t(Text::AssistantExport)}</button>
            {sure(people, label, Text::Delete, delete)}
        </div>
        {doing.fault(people)}
    }
}
