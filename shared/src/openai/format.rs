//! What form must an answer have?

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The form of an answer's text. Whatever is asked for, `max_tokens` may cut it short: the answer
/// then ends by `length`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ResponseFormat {
    /// Any.
    #[default]
    Text,
    /// A JSON object.
    JsonObject,
    /// JSON that a schema describes.
    JsonSchema { json_schema: JsonSchemaFormat },
    /// A text that a regular expression matches from its first to its last character. Portico's own.
    Regex { regex: String },
    /// A text that a Lark grammar derives from its rule `start`. Portico's own.
    Lark { lark: String },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct JsonSchemaFormat {
    #[serde(default)]
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Any JSON object when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
    /// Makes no difference: a schema always holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_form_is_read_and_written() {
        for json in [
            json!({ "type": "text" }),
            json!({ "type": "json_object" }),
            json!({ "type": "json_schema", "json_schema": { "name": "n", "schema": { "z": 1, "a": 2 }, "strict": true } }),
            json!({ "type": "regex", "regex": "[a-z]+" }),
            json!({ "type": "lark", "lark": "start: \"a\"" }),
        ] {
            let format: ResponseFormat = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(serde_json::to_string(&format).unwrap(), json.to_string());
        }
        assert!(serde_json::from_value::<ResponseFormat>(json!({ "type": "xml" })).is_err());
        assert!(serde_json::from_value::<ResponseFormat>(json!({ "type": "regex" })).is_err());
    }
}
