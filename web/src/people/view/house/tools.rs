//! Which servers of tools does the house have, how do they stand, and what do they offer? What they say of
//! themselves is shown as text.

use leptos::prelude::*;
use portico_people::texts::Text;
use serde::Deserialize;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;

use super::super::parts::{self, Doing};
use crate::api;
use crate::state::{Asked, People};

/// `GET /api/mcp`
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Servers {
    servers: Vec<Server>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Server {
    id: String,
    transport: String,
    place: String,
    groups: Option<Vec<String>>,
    is_connected: bool,
    error: Option<String>,
    tools: Vec<Tool>,
    refused: Vec<Refused>,
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
    let doing = Doing::new();
    let check = move |id: &str| {
        let path = format!("/api/mcp/{id}/check");
        let asked = async move { api::send::<Server>("POST", &path, &json!({})).await };
        doing.run(asked, move |_| version.update(|version| *version += 1));
    };
    view! {
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
                    let rows = servers.into_iter().map(|server| row(people, server, check));
                    view! { <ul class="doc-rows">{rows.collect_view()}</ul> }.into_any()
                }
            }}
            {doing.fault(people)}
        </section>
    }
}

fn row(people: People, server: Server, check: impl Fn(&str) + Copy + 'static) -> impl IntoView {
    let Server { id, transport, place, groups, is_connected, error, tools, refused } = server;
    let state = match (is_connected, error.is_some()) {
        (true, _) => Text::ToolServerOpen,
        (false, true) => Text::ToolServerFailed,
        (false, false) => Text::ToolServerIdle,
    };
    let groups = groups.map(|groups| format!(" · {}", groups.join(", ")));
    let label = {
        let id = id.clone();
        move || Text::CheckServer.fill(people.lang.get(), &[("name", &id)])
    };
    let of_row = id.clone();
    let name = id.clone();
    let tool = move |tool: Tool| {
        let asks = match tool.confirm.as_str() {
            "never" => Text::ToolAsksNever,
            "first" => Text::ToolAsksFirst,
            _ => Text::ToolAsksAlways,
        };
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
    let n_tools = tools.len();
    let count = move || Text::ToolCount.fill(people.lang.get(), &[("n", &n_tools.to_string())]);
    view! {
        <li class="doc-row people-row" data-server=of_row data-open=is_connected.to_string()>
            <span class="doc-name" dir="auto">{name} " · " {people.t(state)}</span>
            <span class="doc-line" dir="auto">{format!("{transport} · {place}")} {groups}</span>
            {error.map(|error| view! { <span class="doc-line" dir="auto">{error}</span> })}
            <details>
                <summary>{count}</summary>
                <ul>
                    {tools.into_iter().map(tool).collect_view()}
                    {refused.into_iter().map(not_offered).collect_view()}
                </ul>
            </details>
            <span class="doc-actions">
                <button type="button" class="button" aria-label=label on:click=move |_| check(&id)>
                    {people.t(Text::Check)}
                </button>
            </span>
        </li>
    }
}
