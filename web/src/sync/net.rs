//! What does the server say? `portico_shared::sync::wire` over `web/js/sync_net.js`.

use js_sys::{Array, Function};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::sync::wire::{KeyringState, Position, Pushed, Signal};
use portico_web::plain_link::{self, Listed, PlainFile};
use portico_web::server_call::http::{error_in, unreachable};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(raw_module = "./sync_net.js")]
extern "C" {
    #[wasm_bindgen(js_name = lead)]
    pub async fn lead();

    #[wasm_bindgen(js_name = request, catch)]
    async fn js_request(method: &str, path: &str, lines: Option<&str>) -> Result<JsValue, JsValue>;

    /// Gives what ends it.
    #[wasm_bindgen(js_name = listen)]
    pub fn listen(path: &str, hear: &Function) -> Function;

    /// Gives what tells the others.
    #[wasm_bindgen(js_name = followLog)]
    pub fn follow_log(name: &str, hear: &Function) -> Function;
}

/// A page of lines below its first.
pub struct Lines<T> {
    pub page: T,
    text: String,
}

impl<T> Lines<T> {
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.lines().skip(1)
    }

    /// All but the first, as they came.
    pub fn rest(&self) -> &str {
        self.text.split_once('\n').map_or("", |(_, rest)| rest)
    }
}

#[derive(Deserialize)]
struct Session {
    person: Option<Person>,
}

#[derive(Deserialize)]
struct Person {
    id: Uuid,
}

/// Who is signed in.
///
/// # Errors
/// `server_unreachable`, or the server's own; so for all of these.
pub async fn person() -> Result<Option<Uuid>, ApiError> {
    let text = ask("GET", "/api/session", None).await?;
    let session: Session = read(&text)?;
    Ok(session.person.map(|person| person.id))
}

pub async fn push(lines: &str) -> Result<Pushed, ApiError> {
    read(&ask("POST", "/api/sync/push", Some(lines)).await?)
}

pub async fn pull<T: DeserializeOwned>(
    position: Position,
    until: Option<u64>,
) -> Result<Lines<T>, ApiError> {
    let mut path = format!("/api/sync/pull?since={}", position.cursor);
    if let Some(epoch) = position.epoch {
        path += &format!("&epoch={epoch}");
    }
    if let Some(mark) = position.mark {
        path += &format!("&mark={mark}");
    }
    if let Some(until) = until {
        path += &format!("&until={until}");
    }
    lines(&path).await
}

pub async fn snapshot<T: DeserializeOwned>(after: Option<Uuid>) -> Result<Lines<T>, ApiError> {
    lines(&after.map_or_else(
        || "/api/sync/snapshot".to_owned(),
        |after| format!("/api/sync/snapshot?after={after}"),
    ))
    .await
}

pub async fn conversation<T: DeserializeOwned>(
    conversation: Uuid,
    since: u64,
) -> Result<Lines<T>, ApiError> {
    lines(&format!("/api/sync/conversations/{conversation}?since={since}")).await
}

pub async fn withdraw(conversation: Uuid) -> Result<(), ApiError> {
    let path = format!("/api/sync/conversations/{conversation}/withdraw");
    ask("POST", &path, None).await.map(|_| ())
}

pub async fn keyring() -> Result<KeyringState, ApiError> {
    read(&ask("GET", "/api/sync/keyring", None).await?)
}

pub async fn signal(signal: Signal) -> Result<(), ApiError> {
    let json = serde_json::to_string(&signal).map_err(bad)?;
    ask("POST", "/api/sync/signal", Some(&json)).await.map(|_| ())
}

/// What is not encrypted yet of an encrypted log's files.
pub async fn plain_files() -> Result<Vec<PlainFile>, ApiError> {
    let listed: Listed = read(&ask("GET", plain_link::PATH, None).await?)?;
    Ok(listed.files)
}

pub async fn give_up(file: &PlainFile) -> Result<(), ApiError> {
    let json = serde_json::to_string(file).map_err(bad)?;
    let path = format!("{}/given-up", plain_link::PATH);
    ask("POST", &path, Some(&json)).await.map(|_| ())
}

async fn lines<T: DeserializeOwned>(path: &str) -> Result<Lines<T>, ApiError> {
    let text = ask("GET", path, None).await?;
    let page = read(text.lines().next().unwrap_or_default())?;
    Ok(Lines { page, text })
}

async fn ask(method: &str, path: &str, lines: Option<&str>) -> Result<String, ApiError> {
    let answer = js_request(method, path, lines).await.map_err(|error| unreachable(&error))?;
    let answer: Array = answer.unchecked_into();
    let status = answer.get(0).as_f64().unwrap_or(0.0);
    let text = answer.get(1).as_string().unwrap_or_default();
    if (200.0..300.0).contains(&status) {
        return Ok(text);
    }
    Err(error_in(&text).unwrap_or_else(|| bad(format!("{path}: HTTP {status}"))))
}

fn read<T: DeserializeOwned>(json: &str) -> Result<T, ApiError> {
    serde_json::from_str(json).map_err(bad)
}

/// It is not what a server of this version says.
fn bad(cause: impl std::fmt::Display) -> ApiError {
    ApiError::new(ErrorCode::UpstreamFailed).detail(cause)
}
