//! Which tools may a conversation's answers call, and what happens when one is called?

use leptos::prelude::*;
use portico_page::i18n::Text;
use portico_page::route::Choice;
use portico_page::tools::{Offered, Outcome, Where, of_device, of_server};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::sync::REASONING;
use portico_web::server_call::{self, http};
use serde::Deserialize;
use uuid::Uuid;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::AbortSignal;

use crate::page::Page;
use crate::{assistants, documents, place, prefs};

#[wasm_bindgen(raw_module = "./call_tool.js")]
extern "C" {
    #[wasm_bindgen(js_name = callTool, catch)]
    async fn call_tool(name: &str, args: &str) -> Result<JsValue, JsValue>;
}

/// Has the server's tools known from the start, and again for whoever signs in.
pub fn follow(page: Page) {
    Effect::new(move |_| {
        page.person.track();
        spawn_local(async move {
            // A server without tools, or one that is not reached, leaves the device's.
            let said = server_call::get("/api/tools").await.unwrap_or_default();
            page.tools.set([of_device(), of_server(&said)].concat());
        });
    });
}

/// What the person reads.
pub fn title(page: Page, id: &str) -> String {
    let text = match id {
        "calculator" => Text::ToolCalculator,
        "date" => Text::ToolDate,
        "convert_units" => Text::ToolUnits,
        "search_documents" => Text::ToolSearch,
        "read_document" => Text::ToolRead,
        REASONING => Text::ToolReasoning,
        _ => return id.to_owned(),
    };
    text.get(page.lang.get()).to_owned()
}

/// Whether nothing of a conversation may leave the device, for views.
pub fn stays(page: Page, conversation: Option<Uuid>) -> bool {
    place::choice(page, conversation) == Choice::Device
}

/// Those that a conversation, or the next new one, may use now, for views.
pub fn chosen(page: Page, conversation: Option<Uuid>) -> Vec<Offered> {
    page.place_version.track();
    let ids = assistants::settings(page, conversation).tools;
    let stays = stays(page, conversation);
    page.tools.with(|all| {
        let chosen = all.iter().filter(|tool| ids.contains(&tool.id));
        chosen.filter(|tool| !stays || tool.runs == Where::Device).cloned().collect()
    })
}

pub fn choose(page: Page, conversation: Option<Uuid>, id: &str, is_chosen: bool) {
    let mut settings = prefs::answer_settings(conversation);
    settings.tools.retain(|other| other != id);
    // Whoever takes a tool away takes the leave back that it had.
    settings.granted.retain(|other| other != id);
    if is_chosen {
        settings.tools.push(id.to_owned());
    }
    prefs::set_answer_settings(conversation, &settings);
    page.place_version.update(|version| *version += 1);
}

/// The person asks not to be asked again in this conversation.
pub fn grant(conversation: Uuid, id: &str) {
    let mut settings = prefs::answer_settings(Some(conversation));
    if !settings.granted.iter().any(|other| other == id) {
        settings.granted.push(id.to_owned());
        prefs::set_answer_settings(Some(conversation), &settings);
    }
}

#[derive(Deserialize)]
struct Called {
    result: String,
    #[serde(default)]
    failed: bool,
}

/// Runs a call; `abort` ends one on the server.
pub async fn run(
    page: Page,
    conversation: Uuid,
    tool: &Offered,
    arguments: &str,
    abort: Option<&AbortSignal>,
) -> Outcome {
    match tool.runs {
        Where::Device => match call_tool(tool.tool.name(), arguments).await {
            Ok(result) => Outcome::Result(result.as_string().unwrap_or_default()),
            Err(why) if why.is_null() => Outcome::TimedOut,
            Err(why) => Outcome::Failed(why.as_string().unwrap_or_default()),
        },
        Where::Server => match on_server(page, conversation, tool, arguments, abort).await {
            Ok(Called { result, failed: false }) => Outcome::Result(result),
            Ok(Called { result, failed: true }) => Outcome::Failed(result),
            Err(error) if error.code == ErrorCode::ToolTimedOut => Outcome::TimedOut,
            Err(error) => Outcome::Failed(error.text(page.lang.get_untracked())),
        },
    }
}

async fn on_server(
    page: Page,
    conversation: Uuid,
    tool: &Offered,
    arguments: &str,
    abort: Option<&AbortSignal>,
) -> Result<Called, ApiError> {
    let internal = |error: serde_json::Error| ApiError::new(ErrorCode::Internal).detail(error);
    let collections = serde_json::to_string(&documents::asked(page, conversation));
    // They were read as an object before.
    let body =
        format!(r#"{{"arguments":{arguments},"collections":{}}}"#, collections.map_err(internal)?);
    let path = format!("/api/tools/{}/call", tool.id);
    let response = http::fetch("POST", &path, Some(&body), &[], abort).await?;
    serde_json::from_str(&server_call::text(&response).await?).map_err(internal)
}
