//! Which text is a call, when one must come?

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::style::{ToolFormat, ToolStyle};
use crate::error::ApiError;
use crate::grammar::{Grammar, check_schema, laid_out};
use crate::openai::{ChatCompletionRequest, Tool, ToolChoice};
use crate::sampling::invalid;

/// Tools of a request.
const TOOLS_MAX: usize = 128;
/// Calls that a grammar lets one answer make.
const PARALLEL_CALLS_MAX: usize = 8;

/// The form of an answer: that of the request's `response_format` and, where `tool_choice` asks for a
/// call, that of calls as this model writes them. Where the model may choose, both may come.
///
/// # Errors
/// `invalid_request`, naming the field.
pub fn grammar(
    request: &ChatCompletionRequest,
    format: &ToolFormat,
) -> Result<Option<Grammar>, ApiError> {
    let answer = request.response_format.as_ref().map_or(Ok(None), Grammar::of_format)?;
    let tools = request.offered_tools();
    if tools.len() > TOOLS_MAX {
        return Err(invalid("tools", &format!("must name at most {TOOLS_MAX}")));
    }
    for tool in tools {
        if let Some(schema) = tool.parameters() {
            check_schema(&Value::Object(schema.clone()))?;
        }
    }
    let several = request.parallel_tool_calls.unwrap_or(true);
    let grammar = match (request.tool_choice.as_ref(), answer) {
        (Some(ToolChoice::Required), _) if tools.is_empty() => {
            return Err(invalid("tool_choice", "needs `tools`"));
        }
        (Some(ToolChoice::Required), _) => {
            calls(&tools.iter().collect::<Vec<_>>(), format, several)
        }
        (Some(ToolChoice::Named(name)), _) => {
            let named = tools.iter().find(|tool| tool.name() == name);
            let named = named.ok_or_else(|| {
                invalid("tool_choice", &format!("names no tool of the request: `{name}`"))
            })?;
            calls(&[named], format, false)
        }
        (None | Some(ToolChoice::Auto), Some(answer)) if !tools.is_empty() => {
            let Grammar::JsonSchema(schema) = answer else {
                return Err(invalid("response_format", "of this type does not go with `tools`"));
            };
            let calls = rules(&tools.iter().collect::<Vec<_>>(), format, several);
            Grammar::Lark(format!(
                "start: calls | answer\nanswer: %json {}\n{calls}",
                laid_out(&schema)
            ))
        }
        (_, answer) => return Ok(answer),
    };
    grammar.check()?;
    Ok(Some(grammar))
}

fn calls(tools: &[&Tool], format: &ToolFormat, several: bool) -> Grammar {
    Grammar::Lark(format!("start: calls\n{}", rules(tools, format, several)))
}

/// Rules that derive `calls`.
fn rules(tools: &[&Tool], format: &ToolFormat, several: bool) -> String {
    let style = format.style;
    // Llama 3 and templates without a way of their own write one call an answer.
    let n_more = if several && !style.is_bare() { PARALLEL_CALLS_MAX - 1 } else { 0 };
    let marker = match (format.marker_id, style.marker()) {
        (Some(id), _) => format!("<[{id}]>"),
        (None, marker) => literal(marker.unwrap_or_default()),
    };
    // A range that ends with 0 is none that the grammar's language knows.
    let more = |separator: &str| match n_more {
        0 => String::new(),
        _ => format!(" ({} call){{0,{n_more}}}", literal(separator)),
    };
    let calls = match style {
        ToolStyle::Mistral => format!("{marker} \"[\" call{} \"]\"", more(", ")),
        _ => format!("call{}", more("\n")),
    };
    let mut rules = format!("calls: {calls}\ncall: ");
    let names: Vec<String> = (0..tools.len()).map(|n| format!("call_{n}")).collect();
    rules.push_str(&names.join(" | "));
    for (n, tool) in tools.iter().enumerate() {
        let name = json!(tool.name());
        // Cut as JSON's own lexemes are, so that an answer in JSON may begin in the same way.
        let key = json!(style.arguments_key()).to_string();
        let parts = ["{", "\"name\"", ": ", &name.to_string(), ", ", &key, ": "];
        let head = parts.map(literal).join(" ");
        let call = match style {
            ToolStyle::Hermes => {
                format!("{marker} \"\\n\" {head} args_{n} {}", literal("}\n</tool_call>"))
            }
            ToolStyle::Functionary => format!(
                "{} args_{n} {}",
                literal(&format!("<function={}>", tool.name())),
                literal("</function>"),
            ),
            ToolStyle::Llama3 | ToolStyle::Mistral | ToolStyle::Generic => {
                format!("{head} args_{n} \"}}\"")
            }
        };
        // Writing to a string cannot fail.
        let _ = write!(rules, "\ncall_{n}: {call}\nargs_{n}: %json {}", arguments(tool));
    }
    rules.push('\n');
    rules
}

/// A Lark string: JSON's quoting.
fn literal(text: &str) -> String {
    json!(text).to_string()
}

/// The schema of a tool's arguments: always an object.
fn arguments(tool: &Tool) -> Value {
    let mut schema = tool.parameters().cloned().unwrap_or_else(Map::new);
    let says_more = ["type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"];
    if !says_more.iter().any(|key| schema.contains_key(*key)) {
        schema.insert("type".to_owned(), json!("object"));
    }
    laid_out(&Value::Object(schema))
}
