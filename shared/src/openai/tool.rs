//! Tools that a request offers, how the model may choose among them, and the calls that it makes.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// A function that the model may call, as its author wrote it: a template shows the model every key
/// in the author's order.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Tool {
    value: Value,
}

impl Tool {
    /// # Errors
    /// Names what is wrong: only functions with a name are known.
    pub fn new(value: Value) -> Result<Self, String> {
        let kind = value.get("type").and_then(Value::as_str);
        if kind.is_some_and(|kind| kind != "function") {
            return Err("only tools of type `function` are known".to_owned());
        }
        let Some(function) = value.get("function").and_then(Value::as_object) else {
            return Err("a tool needs `function`, an object".to_owned());
        };
        match function.get("name").and_then(Value::as_str) {
            Some(name) if !name.is_empty() => {}
            _ => return Err("a tool's `function` needs `name`, a string".to_owned()),
        }
        match function.get("parameters") {
            None | Some(Value::Null | Value::Object(_)) => Ok(Self { value }),
            Some(_) => Err("a tool's `parameters` must be a JSON schema, an object".to_owned()),
        }
    }

    /// As a template is shown it.
    pub fn value(&self) -> &Value {
        &self.value
    }

    pub fn name(&self) -> &str {
        self.function("name").and_then(Value::as_str).unwrap_or_default()
    }

    /// The JSON schema of the arguments; none when the function takes any.
    pub fn parameters(&self) -> Option<&Map<String, Value>> {
        self.function("parameters").and_then(Value::as_object)
    }

    fn function(&self, field: &str) -> Option<&Value> {
        self.value.get("function").and_then(|function| function.get(field))
    }
}

impl<'de> Deserialize<'de> for Tool {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Whether, and which, tools are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ToolChoice {
    /// Words only; the tools are not shown to the model.
    None,
    /// The model decides.
    #[default]
    Auto,
    /// At least one call, of any tool.
    Required,
    /// A call of this tool.
    Named(String),
}

impl Serialize for ToolChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_str("none"),
            Self::Auto => serializer.serialize_str("auto"),
            Self::Required => serializer.serialize_str("required"),
            Self::Named(name) => {
                serde_json::json!({ "type": "function", "function": { "name": name } })
                    .serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for ToolChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let named = || value.get("function")?.get("name")?.as_str();
        match value.as_str() {
            Some("none") => Ok(Self::None),
            Some("auto") => Ok(Self::Auto),
            Some("required") => Ok(Self::Required),
            Some(_) => Err(D::Error::custom(
                "`tool_choice` is `none`, `auto`, `required` or a function's name",
            )),
            None => named().map(|name| Self::Named(name.to_owned())).ok_or_else(|| {
                D::Error::custom("`tool_choice` needs `function` with `name`, a string")
            }),
        }
    }
}

/// What kind of tool is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolKind {
    #[default]
    Function,
}

/// A whole call, in an assistant's message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    #[serde(default)]
    pub id: String,
    #[serde(default, rename = "type")]
    pub kind: ToolKind,
    pub function: FunctionCall,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionCall {
    pub name: String,
    /// JSON in a string, as the model wrote it. A value is accepted too.
    #[serde(default, deserialize_with = "json_text")]
    pub arguments: String,
}

fn json_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Null => String::new(),
        value => value.to_string(),
    })
}

/// What a call grew by. Its first delta names the function, the others carry `arguments` only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCallDelta {
    /// Among the message's calls.
    pub index: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<ToolKind>,
    #[serde(default)]
    pub function: FunctionDelta,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionDelta {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<String>,
}

impl ToolCallDelta {
    /// Adds a later delta of the same call.
    pub fn join(&mut self, next: Self) {
        self.id = self.id.take().or(next.id);
        self.kind = self.kind.or(next.kind);
        self.function.name = self.function.name.take().or(next.function.name);
        match (&mut self.function.arguments, next.function.arguments) {
            (Some(text), Some(more)) => text.push_str(&more),
            (arguments @ None, more) => *arguments = more,
            (Some(_), None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tool_keeps_its_authors_order_and_unknown_keys() {
        let text = r#"{"function":{"parameters":{"z":1,"a":2},"strict":true,"name":"f"},"type":"function","x":0}"#;
        let tool: Tool = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&tool).unwrap(), text);
        assert_eq!((tool.name(), tool.parameters().unwrap().len()), ("f", 2));
    }

    #[test]
    fn what_is_no_tool_is_refused_by_its_fault() {
        #[track_caller]
        fn check(value: Value, fault: &str) {
            let error = serde_json::from_value::<Tool>(value).unwrap_err().to_string();
            assert!(error.contains(fault), "{error}");
        }
        check(json!({ "type": "retrieval" }), "type `function`");
        check(json!({ "type": "function" }), "needs `function`");
        check(json!({ "type": "function", "function": {} }), "needs `name`");
        check(json!({ "type": "function", "function": { "name": "" } }), "needs `name`");
        check(json!({ "function": { "name": "f", "parameters": [] } }), "`parameters`");
        check(json!([]), "needs `function`");
    }

    #[test]
    fn a_choice_is_a_word_or_a_name() {
        for (choice, json) in [
            (ToolChoice::None, json!("none")),
            (ToolChoice::Auto, json!("auto")),
            (ToolChoice::Required, json!("required")),
            (
                ToolChoice::Named("f".into()),
                json!({ "type": "function", "function": { "name": "f" } }),
            ),
        ] {
            assert_eq!(serde_json::to_value(&choice).unwrap(), json);
            assert_eq!(serde_json::from_value::<ToolChoice>(json).unwrap(), choice);
        }
        assert!(serde_json::from_value::<ToolChoice>(json!("maybe")).is_err());
        assert!(serde_json::from_value::<ToolChoice>(json!({ "function": {} })).is_err());
    }

    #[test]
    fn arguments_may_be_a_value() {
        let call = json!({ "function": { "name": "f", "arguments": { "b": 1, "a": 2 } } });
        let call: ToolCall = serde_json::from_value(call).unwrap();
        assert_eq!(call.function.arguments, r#"{"b":1,"a":2}"#);
    }
}
