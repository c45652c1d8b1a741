//! Which tools can a conversation's answers call on the server, and what do they give? Built in are the
//! search of documents and reading one; others come from servers that speak the Model Context Protocol
//! (`mcp`). Who may call what is decided here, for the list and once more for each call.

mod added;
mod api;
mod builtin;
mod mcp;
mod plain;
mod schema;

use std::path::Path;
use std::sync::Arc;

use portico_shared::error::{ApiError, ErrorCode};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::config::{Config, ConfigError, Confirm};
use crate::db::Db;
use crate::gateway::{Caller, Gateway};
use crate::vault::Vault;

pub use api::router;
use mcp::{McpServer, McpTool};

/// A tool as it is offered.
#[derive(Clone, Debug, Serialize)]
pub struct Offered {
    /// `house.lookup`, or a built-in one's name.
    pub id: String,
    /// As a model calls it.
    pub name: String,
    pub description: String,
    /// The JSON schema of its arguments.
    pub parameters: Value,
    pub confirm: Confirm,
}

/// What a call gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Called {
    pub result: String,
    /// The tool itself says that it failed.
    pub failed: bool,
}

/// Servers of tools.
#[derive(Debug)]
pub struct Tools {
    /// Those of `portico.toml`.
    configured: Vec<Arc<McpServer>>,
    db: Db,
    /// Seals what those are shown that administrators added.
    vault: Vault,
    /// Those that administrators added.
    added: tokio::sync::Mutex<added::Added>,
}

impl Tools {
    /// # Errors
    /// When the configuration names a secret or certificates that cannot be read.
    pub fn new(
        config: &Config,
        config_path: &Path,
        db: Db,
        vault: Vault,
    ) -> Result<Self, ConfigError> {
        let servers = config.mcp.iter();
        let servers =
            servers.map(|one| McpServer::new(one.get_ref().clone(), config_path).map(Arc::new));
        let configured = servers.collect::<Result<_, _>>()?;
        Ok(Self { configured, db, vault, added: Default::default() })
    }

    /// Ends the programs that were started for it.
    pub async fn close(&self) {
        for server in self.servers().await {
            server.close().await;
        }
    }

    async fn server(&self, id: &str) -> Option<Arc<McpServer>> {
        self.servers().await.into_iter().find(|server| server.config.id == id)
    }
}

impl Gateway {
    /// What this caller may use. Servers that are not reached are left out, and noted in the log.
    async fn tools_for(&self, caller: &Caller) -> Vec<Offered> {
        let mut offered = builtin::offered();
        offered.retain(|tool| may_call(caller, &tool.id, None).is_ok());
        let servers = self.tools.servers().await;
        let servers = servers.iter().filter(|server| may_reach(caller, server));
        let lists = futures_util::future::join_all(servers.map(|server| server.tools())).await;
        for tool in lists.iter().flat_map(|list| list.iter().flat_map(|list| list.iter())) {
            let is_new = offered.iter().all(|other| other.name != tool.offered.name);
            if is_new && may_call(caller, &tool.offered.id, Some(&tool.server)).is_ok() {
                offered.push(tool.offered.clone());
            }
        }
        offered
    }

    /// Runs a tool for a caller.
    async fn call_tool(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        arguments: Map<String, Value>,
        collections: Option<Vec<String>>,
    ) -> Result<Called, ApiError> {
        let not_found =
            || ApiError::new(ErrorCode::ToolNotFound).with("tool", plain::line(id, 100));
        let Some((server, _)) = id.split_once('.') else {
            let tool = builtin::offered().into_iter().find(|tool| tool.id == id);
            let tool = tool.ok_or_else(not_found)?;
            may_call(caller, id, None)?;
            schema::check(id, &tool.parameters, &arguments)?;
            return builtin::call(self, caller, id, &arguments, collections).await;
        };
        // Whoever may not use a server is not told that it is there.
        let found = self.tools.server(server).await;
        let reachable = found.filter(|server| may_reach(caller, server));
        let server = reachable.ok_or_else(not_found)?;
        may_call(caller, id, Some(&server.config.id))?;
        let tools = server.tools().await?;
        let tool: &McpTool =
            tools.iter().find(|tool| tool.offered.id == id).ok_or_else(not_found)?;
        schema::check(id, &tool.offered.parameters, &arguments)?;
        server.call(tool, arguments).await
    }
}

/// By the house's rules: a tool's name, or `server.*` for all of a server's.
fn may_call(caller: &Caller, id: &str, server: Option<&str>) -> Result<(), ApiError> {
    let may = &caller.may;
    match server {
        // What may not leave the device is not told to a tool.
        Some(_) if !may.chats_leave_device => {
            Err(ApiError::new(ErrorCode::ToolForbidden).with("tool", id))
        }
        Some(server) => may.may_call(&format!("{server}.*")).or_else(|_| may.may_call(id)),
        None => may.may_call(id),
    }
}

/// By the server's groups; without any, whoever is known.
fn may_reach(caller: &Caller, server: &McpServer) -> bool {
    let rights = &caller.rights;
    match &server.config.groups {
        _ if !server.is_on() => false,
        _ if rights.is_admin => true,
        Some(groups) => groups.iter().any(|group| rights.groups.contains(group)),
        None => caller.person().is_some() || caller.has_key(),
    }
}
