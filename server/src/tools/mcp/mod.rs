//! A server of tools that speaks the Model Context Protocol: reached when it is first needed, once more when
//! it has gone, and believed in nothing. Its names are put behind the house's name for it, its descriptions
//! are text, its results are cut and read for their words alone.

mod http;
mod limited;
mod result;
mod stdio;
mod take;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::http::header;
use portico_shared::error::{ApiError, ErrorCode};
use rmcp::ServiceError;
use rmcp::handler::client::ClientHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ClientConfig, Implementation, PaginatedRequestParams,
};
use rmcp::service::{NotificationContext, RoleClient, RunningService};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use super::added::Settings;
use super::{Called, plain};
use crate::config::{ConfigError, McpConfig};
use crate::upstream::{Bearer, HttpsClient, Reachable, authorities, https_client};

pub use take::{McpTool, Refused};

/// How long a list of tools is good where nobody says that it changed.
const LIST_GOOD: Duration = Duration::from_secs(60);
/// Waits before a server that failed is reached again: this, and twice as long each time.
const BACK_OFF: Duration = Duration::from_secs(1);
const BACK_OFF_MAX: Duration = Duration::from_secs(120);
/// Pages of a list of tools that are asked for.
const PAGES_MAX: usize = 8;
const REASON_CHARS_MAX: usize = 300;
/// Why one is not asked whose secrets cannot be opened.
const LOCKED: &str = "its secrets cannot be opened with the house's key: enter them again";

pub struct McpServer {
    pub config: McpConfig,
    pub origin: Origin,
    headers: http::Headers,
    /// Names of secrets that it needs and that the house's key does not open.
    locked: Vec<String>,
    https: Option<HttpsClient>,
    state: Mutex<State>,
    /// It said that its tools are others now.
    has_changed: Arc<AtomicBool>,
}

impl std::fmt::Debug for McpServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("McpServer").field("id", &self.config.id).finish_non_exhaustive()
    }
}

/// Who decides about a server.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// Whoever runs the machine, in `portico.toml`.
    Config,
    /// An administrator, on the page.
    Page(Settings),
}

#[derive(Default)]
struct State {
    open: Option<Open>,
    tools: Option<(Instant, Arc<Vec<McpTool>>)>,
    refused: Vec<Refused>,
    /// How often in a row it could not be reached, when last, and why.
    failures: u32,
    failed: Option<(Instant, String)>,
}

/// A connection, and the program behind it where this server started it.
struct Open {
    service: RunningService<RoleClient, Client>,
    _child: Option<stdio::Child>,
}

/// What this side is to a server: it offers nothing, and hears that tools changed.
struct Client {
    has_changed: Arc<AtomicBool>,
}

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(
            Default::default(),
            Implementation::new("portico", env!("CARGO_PKG_VERSION")),
        )
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.has_changed.store(true, Ordering::Relaxed);
    }
}

/// How a server stands, for administrators.
#[derive(Clone, Debug, Serialize)]
pub struct McpView {
    pub id: String,
    /// What an administrator decided; none: it stands in the configuration.
    pub settings: Option<Settings>,
    /// Names of the secrets that are shown to it.
    pub headers: Vec<String>,
    /// Those of them that cannot be opened, and have to be entered again.
    pub locked: Vec<String>,
    pub is_on: bool,
    /// `http` or `stdio`
    pub transport: &'static str,
    /// Its address or its program, without arguments and secrets.
    pub place: String,
    pub groups: Option<Vec<String>>,
    pub is_connected: bool,
    /// Why it is not reached.
    pub error: Option<String>,
    pub tools: Vec<super::Offered>,
    pub refused: Vec<Refused>,
}

impl McpServer {
    /// # Errors
    /// When its secret or its certificates cannot be read.
    pub fn new(config: McpConfig, config_path: &Path) -> Result<Self, ConfigError> {
        let bearer =
            config.api_key.as_ref().map(|key| Bearer::read(key, config_path)).transpose()?;
        let trusted = config.ca_file.as_ref().map(|file| authorities(file, config_path));
        let trusted = trusted.transpose()?;
        let https = config
            .url
            .as_ref()
            .map(|url| https_client(url, trusted, config.connect, Reachable::All));
        let https = https.transpose().map_err(|error| ConfigError::Inconsistent {
            path: config_path.to_owned(),
            reason: format!("the tools' server `{}`: {error}", config.id),
        })?;
        let headers = bearer.map(|bearer| (header::AUTHORIZATION, bearer.header()));
        let (state, has_changed) = Default::default();
        let headers = headers.into_iter().collect();
        let (origin, locked) = (Origin::Config, Vec::new());
        Ok(Self { config, origin, headers, locked, https, state, has_changed })
    }

    /// One that an administrator added.
    ///
    /// # Errors
    /// When the machine's certificates cannot be read.
    pub fn added(
        config: McpConfig,
        headers: http::Headers,
        locked: Vec<String>,
        reachable: Reachable,
        settings: Settings,
    ) -> Result<Self, rustls::Error> {
        let https =
            config.url.as_ref().map(|url| https_client(url, None, config.connect, reachable));
        let (https, origin) = (https.transpose()?, Origin::Page(settings));
        let (state, has_changed) = Default::default();
        Ok(Self { config, origin, headers, locked, https, state, has_changed })
    }

    /// Whether its tools are offered.
    pub fn is_on(&self) -> bool {
        !matches!(&self.origin, Origin::Page(settings) if !settings.is_on)
    }

    /// Names of its secrets that cannot be opened: it is not asked without them.
    pub fn locked(&self) -> &[String] {
        &self.locked
    }

    /// Its tools, as far as they can be used.
    ///
    /// # Errors
    /// `tool_broken`, `tool_timed_out`: it cannot be reached or gives no list.
    pub async fn tools(&self) -> Result<Arc<Vec<McpTool>>, ApiError> {
        if !self.locked.is_empty() {
            return Err(self.broken(LOCKED));
        }
        let mut state = self.state.lock().await;
        let is_gone = state.open.as_ref().is_some_and(|open| open.service.is_closed());
        if is_gone {
            state.open = None;
        }
        let has_changed = self.has_changed.swap(false, Ordering::Relaxed);
        if let (Some((at, tools)), Some(_)) = (&state.tools, &state.open)
            && at.elapsed() < LIST_GOOD
            && !has_changed
        {
            return Ok(Arc::clone(tools));
        }
        if let Some((at, reason)) = &state.failed
            && at.elapsed() < back_off(state.failures)
        {
            return Err(self.broken(reason));
        }
        match tokio::time::timeout(self.config.connect, self.listed(&mut state)).await {
            Ok(Ok(tools)) => {
                state.failures = 0;
                state.failed = None;
                state.tools = Some((Instant::now(), Arc::clone(&tools)));
                Ok(tools)
            }
            Ok(Err(reason)) => Err(self.failed(&mut state, &reason)),
            Err(_) => {
                let reason = format!("no answer in {} s", self.config.connect.as_secs_f64());
                Err(self.failed(&mut state, &reason))
            }
        }
    }

    async fn listed(&self, state: &mut State) -> Result<Arc<Vec<McpTool>>, String> {
        if state.open.is_none() {
            state.open = Some(self.connect().await?);
        }
        let Some(open) = &state.open else { return Err("it is not open".to_owned()) };
        let (mut tools, mut cursor) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let params = PaginatedRequestParams::default().with_cursor(cursor.take());
            let page = open.service.list_tools(Some(params)).await;
            let page = page.map_err(|error| error.to_string())?;
            tools.extend(page.tools);
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        let (tools, refused) = take::taken(&self.config, tools);
        for Refused { name, reason } in &refused {
            tracing::warn!(mcp = self.config.id, tool = name, reason, "a tool is not offered");
        }
        state.refused = refused;
        Ok(Arc::new(tools))
    }

    async fn connect(&self) -> Result<Open, String> {
        let client = Client { has_changed: Arc::clone(&self.has_changed) };
        let failed = |error: rmcp::service::ClientInitializeError| error.to_string();
        if let (Some(url), Some(https)) = (&self.config.url, &self.https) {
            let transport = http::transport(
                url,
                https.clone(),
                self.headers.clone(),
                self.config.max_result_bytes,
            );
            let service = rmcp::serve_client(client, transport).await.map_err(failed)?;
            return Ok(Open { service, _child: None });
        }
        let (child, output, input) = stdio::start(&self.config)?;
        let output = limited::Lines::new(output, self.config.max_result_bytes);
        let service = rmcp::serve_client(client, (output, input)).await.map_err(failed)?;
        Ok(Open { service, _child: Some(child) })
    }

    /// Runs one of its tools. Whoever stops waiting has it cancelled.
    ///
    /// # Errors
    /// `tool_broken`, `tool_timed_out`
    pub async fn call(
        &self,
        tool: &McpTool,
        arguments: Map<String, Value>,
    ) -> Result<Called, ApiError> {
        let peer = self.state.lock().await.open.as_ref().map(|open| open.service.peer().clone());
        let Some(peer) = peer else { return Err(self.broken("it has gone")) };
        let mut params = CallToolRequestParams::new(tool.name.clone());
        params.arguments = Some(arguments);
        let id = &tool.offered.id;
        match tokio::time::timeout(self.config.call, peer.call_tool_once(params)).await {
            Ok(Ok(CallToolResponse::Complete(said))) => {
                Ok(result::called(said, self.config.max_result_bytes))
            }
            Ok(Ok(_)) => Err(broken(id, "it asks for more than this server gives")),
            // It was understood, and refused.
            Ok(Err(ServiceError::McpError(error))) => {
                let result = plain::line(&error.message, REASON_CHARS_MAX);
                Ok(Called { result, failed: true })
            }
            Ok(Err(error)) => {
                // What broke off in the middle is reached anew by the next call.
                self.state.lock().await.open = None;
                Err(broken(id, &error.to_string()))
            }
            Err(_) => Err(ApiError::new(ErrorCode::ToolTimedOut).with("tool", id)),
        }
    }

    /// How it stands; without reaching it.
    pub async fn view(&self) -> McpView {
        let config = &self.config;
        let state = self.state.lock().await;
        let is_connected = state.open.as_ref().is_some_and(|open| !open.service.is_closed());
        let tools =
            state.tools.as_ref().map(|(_, tools)| tools.iter().map(|tool| tool.offered.clone()));
        McpView {
            id: config.id.clone(),
            settings: match &self.origin {
                Origin::Config => None,
                Origin::Page(settings) => Some(settings.clone()),
            },
            headers: {
                let opened = self.headers.iter().map(|(name, _)| name.to_string());
                let mut names: Vec<String> = opened.chain(self.locked.iter().cloned()).collect();
                names.sort();
                names
            },
            locked: self.locked.clone(),
            is_on: self.is_on(),
            transport: if config.url.is_some() { "http" } else { "stdio" },
            place: match (&config.url, &config.command) {
                (Some(url), _) => url.to_string(),
                (None, command) => command.clone().unwrap_or_default(),
            },
            groups: config.groups.clone(),
            is_connected,
            error: match self.locked.is_empty() {
                true => state.failed.as_ref().map(|(_, reason)| reason.clone()),
                false => Some(LOCKED.to_owned()),
            },
            tools: tools.into_iter().flatten().filter(|_| is_connected).collect(),
            refused: state.refused.clone(),
        }
    }

    /// Hangs up; a program that was started ends.
    pub async fn close(&self) {
        let mut state = self.state.lock().await;
        *state = State::default();
    }

    fn failed(&self, state: &mut State, reason: &str) -> ApiError {
        let reason = plain::line(reason, REASON_CHARS_MAX);
        tracing::warn!(mcp = self.config.id, reason, "a server of tools is not reached");
        state.open = None;
        state.tools = None;
        state.failures = state.failures.saturating_add(1);
        state.failed = Some((Instant::now(), reason.clone()));
        self.broken(&reason)
    }

    fn broken(&self, reason: &str) -> ApiError {
        broken(&self.config.id, reason)
    }
}

fn broken(tool: &str, reason: &str) -> ApiError {
    let reason = plain::line(reason, REASON_CHARS_MAX);
    ApiError::new(ErrorCode::ToolBroken).with("tool", tool).with("reason", reason)
}

fn back_off(failures: u32) -> Duration {
    let doubled = BACK_OFF.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    doubled.min(BACK_OFF_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_failed_is_left_alone_for_longer_each_time() {
        let seconds: Vec<u64> = [1, 2, 3, 8, 40].iter().map(|&n| back_off(n).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 120, 120]);
    }
}
