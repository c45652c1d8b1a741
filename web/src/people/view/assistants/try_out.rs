//! What would the draft answer? Asked once, kept nowhere.

use leptos::prelude::*;
use portico_people::texts::Text;
use portico_shared::assistant::Definition;
use portico_shared::error::{ApiError, ErrorCode};
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;

use super::choices::Choices;
use super::draft::Draft;
use crate::api;
use crate::parts::Doing;
use crate::state::People;

/// Tokens of the answer.
const ANSWER_TOKENS: u32 = 300;

#[wasm_bindgen]
extern "C" {
    /// The page's own call for scripts: it answers on this device, or on the server.
    #[wasm_bindgen(js_namespace = ["window", "portico", "chat", "completions"], js_name = create, catch)]
    async fn ask_page(request: &JsValue) -> Result<JsValue, JsValue>;
}

pub fn try_out(people: People, draft: Draft, choices: RwSignal<Choices>) -> impl IntoView {
    let question = RwSignal::new(String::new());
    let answer = RwSignal::new(None::<String>);
    let doing = Doing::new();
    let ask = move || {
        let asked = question.get_untracked();
        if asked.trim().is_empty() {
            return;
        }
        answer.set(None);
        let (definition, choices) = (draft.definition(), choices.get_untracked());
        let work = async move { answered(&definition, &choices, asked.trim()).await };
        doing.run(work, move |text| answer.set(Some(text)));
    };
    view! {
        <form class="card people-form" data-form="try-out" on:submit=move |event| {
            event.prevent_default();
            ask();
        }>
            <h3>{people.t(Text::AssistantTry)}</h3>
            <p class="hint">{people.t(Text::AssistantTryHint)}</p>
            <label class="people-field">
                <span>{people.t(Text::AssistantTryQuestion)}</span>
                <input type="text" autocomplete="off" dir="auto" prop:value=move || question.get()
                    on:input:target=move |event| question.set(event.target().value())/>
            </label>
            <div class="row">
                <button type="submit" class="button" disabled=move || doing.is_busy.get()
                    aria-busy=move || doing.is_busy.get().to_string()>{people.t(Text::AssistantTryAsk)}</button>
            </div>
            {doing.fault(people)}
            <div role="status">
                {move || doing.is_busy.get().then(|| view! { <p class="muted">{people.t(Text::AssistantTrying)}</p> })}
                {move || answer.get().map(|text| view! {
                    <p class="assistant-words" data-tried="" dir="auto">{text}</p>
                })}
            </div>
        </form>
    }
}

/// On the server where it has the model, with the draft's documents; else by the page, without them.
async fn answered(
    definition: &Definition,
    choices: &Choices,
    question: &str,
) -> Result<String, ApiError> {
    let wanted = definition.model.as_deref();
    let on_server = choices
        .models
        .iter()
        .find(|model| model.on_server && wanted.is_none_or(|wanted| wanted == model.id));
    let model = on_server.map(|model| model.id.clone()).or_else(|| definition.model.clone());
    let model = model
        .or_else(chosen_on_device)
        .ok_or_else(|| ApiError::new(ErrorCode::ModelAbsent).with("model", "…"))?;
    let system = (!definition.instructions.trim().is_empty())
        .then(|| json!({ "role": "system", "content": definition.instructions }));
    let messages: Vec<Value> =
        system.into_iter().chain([json!({ "role": "user", "content": question })]).collect();
    let mut request = json!({
        "model": model,
        "messages": messages,
        "max_tokens": ANSWER_TOKENS,
        "temperature": 0.2,
    });
    let said: Value = if on_server.is_some() {
        if !definition.collections.is_empty() {
            request["retrieval"] = json!({ "collections": definition.collections });
        }
        api::send("POST", "/v1/chat/completions", &request).await?
    } else {
        by_page(&request).await?
    };
    let text = said.pointer("/choices/0/message/content").and_then(Value::as_str);
    Ok(text.unwrap_or_default().to_owned())
}

/// The model that the person chose for their own conversations.
fn chosen_on_device() -> Option<String> {
    let storage = web_sys::window()?.local_storage().ok()??;
    storage.get_item("portico.model").ok()?
}

async fn by_page(request: &Value) -> Result<Value, ApiError> {
    let failed = |error: JsValue| {
        let code = js_sys::Reflect::get(&error, &"code".into()).ok().and_then(|c| c.as_string());
        let code = code.and_then(|code| serde_json::from_value(code.into()).ok());
        ApiError::new(code.unwrap_or(ErrorCode::Internal)).detail(format!("{error:?}"))
    };
    let read = |json: js_sys::JsString| {
        serde_json::from_str(&String::from(json))
            .map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))
    };
    let request = js_sys::JSON::parse(&request.to_string()).map_err(failed)?;
    let said = ask_page(&request).await.map_err(failed)?;
    read(js_sys::JSON::stringify(&said).map_err(failed)?)
}
