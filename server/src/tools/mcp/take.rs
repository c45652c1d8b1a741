//! Which of a server's tools can be offered, and under which names?

use rmcp::model::Tool;
use serde::Serialize;
use serde_json::Value;

use super::super::{Offered, plain, schema};
use crate::config::McpConfig;

/// Tools of one server.
const TOOLS_MAX: usize = 128;
const NAME_MAX_BYTES: usize = 100;
/// Longest name of a function, as OpenAI's dialect has it.
const FUNCTION_MAX_BYTES: usize = 64;
const DESCRIPTION_CHARS_MAX: usize = 1_000;

/// A tool of a server.
#[derive(Clone, Debug)]
pub struct McpTool {
    /// As its server knows it.
    pub name: String,
    /// The server's id.
    pub server: String,
    pub offered: Offered,
}

/// A tool that is not offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    pub name: String,
    pub reason: String,
}

pub fn taken(config: &McpConfig, tools: Vec<Tool>) -> (Vec<McpTool>, Vec<Refused>) {
    let (mut taken, mut refused): (Vec<McpTool>, Vec<Refused>) = Default::default();
    for tool in tools {
        match one(config, &tool, &taken) {
            Ok(tool) => taken.push(tool),
            Err(reason) if refused.len() < TOOLS_MAX => {
                refused.push(Refused { name: plain::line(&tool.name, NAME_MAX_BYTES), reason });
            }
            Err(_) => {}
        }
    }
    (taken, refused)
}

fn one(config: &McpConfig, tool: &Tool, taken: &[McpTool]) -> Result<McpTool, String> {
    let name = tool.name.as_ref();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || name.len() > NAME_MAX_BYTES || !name.chars().all(is_plain) {
        return Err(
            "its name has other characters than letters, digits, `_`, `-` and `.`".to_owned()
        );
    }
    if !config.allows(name) {
        return Err("the configuration does not allow it".to_owned());
    }
    if taken.len() >= TOOLS_MAX {
        return Err(format!("there are more than {TOOLS_MAX} tools"));
    }
    let mut function = format!("{}__{name}", config.id).replace('.', "_");
    function.truncate(FUNCTION_MAX_BYTES);
    if taken.iter().any(|other| other.offered.name == function) {
        return Err("another tool has this name".to_owned());
    }
    let parameters = Value::Object((*tool.input_schema).clone());
    schema::usable(&parameters)?;
    let description = tool.description.as_deref().unwrap_or_default();
    Ok(McpTool {
        name: name.to_owned(),
        server: config.id.clone(),
        offered: Offered {
            id: format!("{}.{name}", config.id),
            name: function,
            description: plain::line(description, DESCRIPTION_CHARS_MAX),
            parameters,
            confirm: config.confirm_of(name),
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Confirm;

    fn config(more: &str) -> McpConfig {
        toml::from_str(&format!("id = \"house\"\nurl = \"http://h.example/mcp\"\n{more}")).unwrap()
    }

    fn tool(name: &str, schema: Value) -> Tool {
        serde_json::from_value(
            json!({ "name": name, "description": "Does\nx\u{202e}.", "inputSchema": schema }),
        )
        .unwrap()
    }

    #[test]
    fn tools_stand_behind_their_servers_name_and_foreign_names_do_not_get_through() {
        let object = || json!({ "type": "object" });
        let tools = vec![
            tool("look.up", object()),
            tool("look_up", object()),
            tool("<img src=x>", object()),
            tool("search documents", object()),
            tool("denied", object()),
            tool("bad", json!({ "type": "array" })),
            tool("ask", object()),
        ];
        let config =
            config("confirm = \"never\"\ndeny = [\"denied\"]\nconfirm_tools = { ask = \"first\" }");
        let (taken, refused) = taken(&config, tools);
        let said: Vec<_> = taken
            .iter()
            .map(|tool| {
                (tool.offered.id.as_str(), tool.offered.name.as_str(), tool.offered.confirm)
            })
            .collect();
        let expected = [
            ("house.look.up", "house__look_up", Confirm::Never),
            ("house.ask", "house__ask", Confirm::First),
        ];
        assert_eq!(said, expected);
        assert_eq!(taken[0].offered.description, "Does x.");
        let names: Vec<_> = refused.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(names, ["look_up", "<img src=x>", "search documents", "denied", "bad"]);
    }

    #[test]
    fn a_flood_of_tools_is_bounded() {
        let many =
            (0..5_000).map(|n| tool(&format!("t{n}"), json!({ "type": "object" }))).collect();
        let (taken, refused) = taken(&config(""), many);
        assert_eq!((taken.len(), refused.len()), (TOOLS_MAX, TOOLS_MAX));
    }
}
