//! Which servers of tools does the house have, how do they stand, and what do they offer? What they say of
//! themselves is shown as text. Those that were added here are changed here.

mod form;
mod secrets;

use std::collections::BTreeMap;

use leptos::prelude::*;
use portico_people::texts::Text;
use serde::{Deserialize, Serialize};
use serde_json::json;
use wasm_bindgen_futures::spawn_local;

use crate::api::{self, Anything};
use crate::parts::{self, Doing, sure};
use crate::state::{Asked, People};

/// `GET /api/mcp`
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Servers {
    servers: Vec<Server>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Server {
    id: String,
    /// None: it stands in the configuration.
    settings: Option<Settings>,
    /// Names of secrets.
    headers: Vec<String>,
    /// Those of them that cannot be opened any more.
    locked: Vec<String>,
    is_on: bool,
    transport: String,
    place: String,
    groups: Option<Vec<String>>,
    is_connected: bool,
    error: Option<String>,
    tools: Vec<Tool>,
    refused: Vec<Refused>,
}

/// As an administrator wants a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Settings {
    url: String,
    is_on: bool,
    allows_private: bool,
    groups: Option<Vec<String>>,
    confirm: String,
    confirm_tools: BTreeMap<String, String>,
    deny: Vec<String>,
    connect_s: f64,
    call_s: f64,
    max_result_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            url: String::new(),
            is_on: true,
            allows_private: false,
            groups: None,
            confirm: "always".to_owned(),
            confirm_tools: BTreeMap::new(),
            deny: Vec::new(),
            connect_s: 10.0,
            call_s: 30.0,
            max_result_bytes: 1 << 20,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Tool {
    id: String,
    description: String,
    confirm: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Refused {
    name: String,
    reason: String,
}

fn asks_text(confirm: &str) -> Text {
    match confirm {
        "never" => Text::ToolAsksNever,
        "first" => Text::ToolAsksFirst,
        _ => Text::ToolAsksAlways,
    }
}

pub fn tools(people: People) -> impl IntoView {
    let known = RwSignal::new(Asked::Loading);
    let version = RwSignal::new(0_u32);
    Effect::new(move |_| {
        version.track();
        spawn_local(async move {
            // The view may have gone.
            known.try_set(api::get::<Servers>("/api/mcp").await.into());
        });
    });
    let is_adding = RwSignal::new(false);
    let changed = move || {
        is_adding.set(false);
        version.update(|version| *version += 1);
    };
    view! {
        <h2 class="library-title">{people.t(Text::Tools)}</h2>
        <section class="card" aria-labelledby="people-tools">
            <h3 id="people-tools">{people.t(Text::ToolServers)}</h3>
            <p class="muted">{people.t(Text::ToolServersHint)}</p>
            {move || match known.get() {
                Asked::Loading => view! { <p class="muted">{people.t(Text::Loading)}</p> }.into_any(),
                Asked::Failed(error) => parts::fault(people, error).into_any(),
                Asked::Loaded(Servers { servers }) if servers.is_empty() => {
                    view! { <p>{people.t(Text::ToolServersNone)}</p> }.into_any()
                }
                Asked::Loaded(Servers { servers }) => {
                    let rows = servers.into_iter().map(|server| row(people, server, version).into_any());
                    view! { <ul class="doc-rows">{rows.collect_view()}</ul> }.into_any()
                }
            }}
        </section>
        <section class="card" aria-labelledby="people-tools-add">
            <h3 id="people-tools-add">{people.t(Text::AddToolServer)}</h3>
            <p class="muted">{people.t(Text::AddToolServerHint)}</p>
            {move || match is_adding.get() {
                true => form::new(people, changed, move || is_adding.set(false)).into_any(),
                false => view! {
                    <div class="row">
                        <button type="button" class="button" data-do="add-server"
                            on:click=move |_| is_adding.set(true)>{people.t(Text::AddToolServer)}</button>
                    </div>
                }
                .into_any(),
            }}
        </section>
    }
}

fn row(people: People, server: Server, version: RwSignal<u32>) -> impl IntoView {
    let whole = server.clone();
    let Server {
        id,
        settings,
        locked,
        transport,
        place,
        groups,
        is_connected,
        error,
        tools,
        refused,
        ..
    } = server;
    let state = match (server.is_on, is_connected, error.is_some()) {
        (false, ..) => Text::ToolServerOff,
        (_, true, _) => Text::ToolServerOpen,
        (_, false, true) => Text::ToolServerFailed,
        (_, false, false) => Text::ToolServerIdle,
    };
    let why = move || match (&error, locked.is_empty()) {
        (Some(_), false) => {
            let names = locked.join(", ");
            Some(Text::ToolServerLocked.fill(people.lang.get(), &[("names", &names)]))
        }
        (error, _) => error.clone(),
    };
    let of_row = id.clone();
    let doing = Doing::new();
    let is_open = RwSignal::new(false);
    let changed = move || version.update(|version| *version += 1);
    let of_check = id.clone();
    let check = move || {
        let path = format!("/api/mcp/{of_check}/check");
        let asked = async move { api::send::<Server>("POST", &path, &json!({})).await };
        doing.run(asked, move |_| changed());
    };
    let of_remove = id.clone();
    let remove = move || {
        let path = format!("/api/mcp/{of_remove}");
        let asked = async move { api::send::<Anything>("DELETE", &path, &json!({})).await };
        doing.run(asked, move |_| changed());
    };
    let labelled = {
        let id = id.clone();
        move |text: Text| {
            let id = id.clone();
            move || text.fill(people.lang.get(), &[("name", &id)])
        }
    };
    let is_ours = settings.is_some();
    let origin = (!is_ours).then(|| view! { " · " {people.t(Text::ToolServerInConfig)} });
    let groups = groups.map(|groups| format!(" · {}", groups.join(", ")));
    let edit = is_ours.then(|| view! {
        <button type="button" class="button quiet small" data-do="edit-server"
            aria-expanded=move || is_open.get().to_string() aria-label=labelled(Text::EditServer)
            on:click=move |_| is_open.update(|is_open| *is_open = !*is_open)>{people.t(Text::Edit)}</button>
        {sure(people, labelled(Text::RemoveServer), Text::Remove, remove)}
    });
    let form = move || {
        let whole = whole.clone();
        is_open.get().then(|| form::change(people, whole, changed, move || is_open.set(false)))
    };
    view! {
        <li class="doc-row people-row" data-server=of_row data-open=is_connected.to_string()
            data-on=server.is_on.to_string()>
            <span class="doc-name" dir="auto">{id} " · " {people.t(state)}</span>
            <span class="doc-line" dir="auto">{format!("{transport} · {place}")} {groups} {origin}</span>
            {move || why().map(|why| view! { <span class="doc-line" dir="auto">{why}</span> })}
            {offered(people, tools, refused)}
            <span class="doc-actions">
                <button type="button" class="button small" aria-label=labelled(Text::CheckServer)
                    on:click=move |_| check()>{people.t(Text::Check)}</button>
                {edit}
            </span>
            <div class="people-inner">{form} {doing.fault(people)}</div>
        </li>
    }
}

fn offered(people: People, tools: Vec<Tool>, refused: Vec<Refused>) -> impl IntoView {
    let n_tools = tools.len();
    let count = move || Text::ToolCount.fill(people.lang.get(), &[("n", &n_tools.to_string())]);
    let tool = move |tool: Tool| {
        let asks = asks_text(&tool.confirm);
        view! {
            <li dir="auto">
                <code>{tool.id}</code> " " <span class="muted">{people.t(asks)}</span> " " {tool.description}
            </li>
        }
    };
    let not_offered = move |one: Refused| {
        let said = move || Text::ToolNotOffered.fill(people.lang.get(), &[("reason", &one.reason)]);
        view! { <li dir="auto"><code>{one.name}</code> " " <span class="muted">{said}</span></li> }
    };
    view! {
        <details>
            <summary>{count}</summary>
            <ul>
                {tools.into_iter().map(tool).collect_view()}
                {refused.into_iter().map(not_offered).collect_view()}
            </ul>
        </details>
    }
}
