//! A server of tools as it is to be: where it is, for whom, what it asks before a call, which of its tools are
//! offered.

use std::sync::Arc;

use leptos::prelude::*;
use portico_people::rules::names_of;
use portico_people::texts::Text;
use serde_json::{Value, json};

use super::{Server, Settings, asks_text, secrets};
use crate::api;
use crate::parts::{Doing, Field, field, submit};
use crate::state::People;

const ID: Field = Field { text: Text::ToolServerId, kind: "text", autocomplete: "off" };
const URL: Field = Field { text: Text::ToolServerUrl, kind: "url", autocomplete: "off" };
const GROUPS: Field = Field { text: Text::ToolServerGroups, kind: "text", autocomplete: "off" };
const CALL: Field = Field { text: Text::ToolServerCallS, kind: "number", autocomplete: "off" };
/// How it may ask.
const ASKS: [&str; 3] = ["always", "first", "never"];
/// What stands for a tool that is not offered, and for one that asks as the others do.
const DENIED: &str = "denied";
const AS_ALL: &str = "";

/// One that is not there yet.
pub fn new(
    people: People,
    done: impl Fn() + Copy + Send + Sync + 'static,
    close: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    form(people, None, done, close)
}

/// One that was added here.
pub fn change(
    people: People,
    server: Server,
    done: impl Fn() + Copy + Send + Sync + 'static,
    close: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    form(people, Some(server), done, close)
}

fn form(
    people: People,
    server: Option<Server>,
    done: impl Fn() + Copy + Send + Sync + 'static,
    close: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let is_new = server.is_none();
    let before = server.as_ref().and_then(|server| server.settings.clone()).unwrap_or_default();
    let kept = server.as_ref().map(|server| server.headers.clone()).unwrap_or_default();
    let id = RwSignal::new(server.as_ref().map(|server| server.id.clone()).unwrap_or_default());
    let url = RwSignal::new(before.url.clone());
    let groups = RwSignal::new(before.groups.clone().unwrap_or_default().join(", "));
    let call_s = RwSignal::new(before.call_s.to_string());
    let confirm = RwSignal::new(before.confirm.clone());
    let is_on = RwSignal::new(before.is_on);
    let allows_private = RwSignal::new(before.allows_private);
    let tools = tool_choices(server.as_ref(), &before);
    let headers = secrets::Secrets::new(kept);
    let doing = Doing::new();
    let of_save = tools.clone();
    let save = move || {
        let names = names_of(&groups.get_untracked());
        let mut settings = Settings {
            url: url.get_untracked().trim().to_owned(),
            groups: (!names.is_empty()).then_some(names),
            confirm: confirm.get_untracked(),
            is_on: is_on.get_untracked(),
            allows_private: allows_private.get_untracked(),
            call_s: call_s.get_untracked().trim().replace(',', ".").parse().unwrap_or(0.0),
            ..before.clone()
        };
        for (name, choice) in of_save.iter() {
            settings.deny.retain(|denied| denied != name);
            settings.confirm_tools.remove(name);
            match choice.get_untracked() {
                choice if choice == DENIED => settings.deny.push(name.clone()),
                choice if choice == AS_ALL => {}
                choice => {
                    settings.confirm_tools.insert(name.clone(), choice);
                }
            }
        }
        let id = id.get_untracked().trim().to_owned();
        let mut body = json!({ "settings": settings, "headers": headers.changes() });
        let (method, path) = match is_new {
            true => {
                body["id"] = Value::from(id);
                ("POST", "/api/mcp".to_owned())
            }
            false => ("PUT", format!("/api/mcp/{id}")),
        };
        let asked = async move { api::send::<Server>(method, &path, &body).await };
        doing.run(asked, move |_| {
            people.say(Text::Saved);
            done();
        });
    };
    let flag = move |text: Text, value: RwSignal<bool>| {
        view! {
            <label class="switch">
                <input type="checkbox" prop:checked=move || value.get()
                    on:change:target=move |event| value.set(event.target().checked())/>
                <span>{people.t(text)}</span>
            </label>
        }
    };
    view! {
        <form class="people-form" data-form="tool-server" novalidate=true on:submit=move |event| {
            event.prevent_default();
            save();
        }>
            {is_new.then(|| field(people, ID, id))}
            {field(people, URL, url)}
            {flag(Text::ToolServerPrivate, allows_private)}
            {field(people, GROUPS, groups)}
            <label class="people-field">
                <span>{people.t(Text::ToolServerAsks)}</span>
                {select(people, confirm, ASKS.to_vec())}
            </label>
            {field(people, CALL, call_s)}
            {secrets::secrets(people, headers)}
            {each_tool(people, tools)}
            {flag(Text::ToolServerOn, is_on)}
            {doing.fault(people)}
            <div class="row">
                {submit(people, doing, Text::Save)}
                <button type="button" class="button quiet" on:click=move |_| close()>{people.t(Text::Cancel)}</button>
            </div>
        </form>
    }
}

type Choices = Arc<Vec<(String, RwSignal<String>)>>;

/// Of the tools that are known: offered ones, and those that are not.
fn tool_choices(server: Option<&Server>, before: &Settings) -> Choices {
    let Some(server) = server else { return Arc::default() };
    let prefix = format!("{}.", server.id);
    let offered = server.tools.iter().filter_map(|tool| tool.id.strip_prefix(&prefix));
    let named = before.confirm_tools.keys().chain(&before.deny).map(String::as_str);
    let mut names: Vec<String> = offered.chain(named).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    let choice = |name: String| {
        let said = match before.deny.contains(&name) {
            true => DENIED.to_owned(),
            false => before.confirm_tools.get(&name).cloned().unwrap_or_default(),
        };
        (name, RwSignal::new(said))
    };
    Arc::new(names.into_iter().map(choice).collect())
}

fn each_tool(people: People, tools: Choices) -> impl IntoView {
    let row = move |(name, choice): (String, RwSignal<String>)| {
        let of_row = name.clone();
        let options = [AS_ALL].into_iter().chain(ASKS).chain([DENIED]).collect();
        view! {
            <div class="people-rule" data-tool=of_row>
                <label><span dir="auto"><code>{name}</code></span> {select(people, choice, options)}</label>
            </div>
        }
    };
    (!tools.is_empty()).then(|| {
        view! {
            <details class="people-inner">
                <summary>{people.t(Text::ToolServerTools)}</summary>
                <div class="people-rules">{tools.iter().cloned().map(row).collect_view()}</div>
            </details>
        }
    })
}

fn select(people: People, value: RwSignal<String>, options: Vec<&'static str>) -> impl IntoView {
    let option = move |name: &'static str| {
        let text = match name {
            AS_ALL => Text::ToolServerAsksAs,
            DENIED => Text::ToolServerDenied,
            name => asks_text(name),
        };
        let is_chosen = value.get_untracked() == name;
        view! { <option value=name selected=is_chosen>{people.t(text)}</option> }
    };
    view! {
        <select on:change:target=move |event| value.set(event.target().value())>
            {options.into_iter().map(option).collect_view()}
        </select>
    }
}
