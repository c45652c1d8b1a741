//! Do a call's arguments follow the tool's schema?

use portico_shared::error::{ApiError, ErrorCode};
use serde_json::{Map, Value};

use super::plain;

const BYTES_MAX: usize = 32 << 10;
const DEPTH_MAX: usize = 24;
const REASON_CHARS_MAX: usize = 200;

/// Whether a schema can be used at all.
///
/// # Errors
/// Says why not.
pub fn usable(schema: &Value) -> Result<(), String> {
    if schema.to_string().len() > BYTES_MAX || depth(schema) > DEPTH_MAX {
        return Err("its schema is too large".to_owned());
    }
    if schema.get("type").is_some_and(|kind| kind != "object") {
        return Err("its arguments are no object".to_owned());
    }
    let made = jsonschema::validator_for(schema);
    made.map(|_| ()).map_err(|error| plain::line(&error.to_string(), REASON_CHARS_MAX))
}

/// # Errors
/// `tool_arguments`
pub fn check(tool: &str, schema: &Value, arguments: &Map<String, Value>) -> Result<(), ApiError> {
    let wrong = |reason: String| {
        let reason = plain::line(&reason, REASON_CHARS_MAX);
        ApiError::new(ErrorCode::ToolArguments).with("tool", tool).with("reason", reason)
    };
    let validator = jsonschema::validator_for(schema).map_err(|error| wrong(error.to_string()))?;
    let arguments = Value::Object(arguments.clone());
    validator.validate(&arguments).map_err(|error| wrong(error.to_string()))
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn arguments_are_held_to_the_schema_and_the_fault_is_named() {
        let schema = json!({ "type": "object", "properties": { "n": { "type": "integer" } },
            "required": ["n"], "additionalProperties": false });
        usable(&schema).unwrap();
        check("t", &schema, &object(json!({ "n": 1 }))).unwrap();
        for (arguments, named) in
            [(json!({}), "n"), (json!({ "n": "1" }), "integer"), (json!({ "n": 1, "x": 2 }), "x")]
        {
            let error = check("t", &schema, &object(arguments)).unwrap_err();
            assert_eq!(error.code, ErrorCode::ToolArguments);
            assert!(format!("{:?}", error).contains(named), "{error:?}");
        }
    }

    #[test]
    fn schemas_that_do_harm_are_not_used() {
        let mut deep = json!({ "type": "object" });
        for _ in 0..40 {
            deep = json!({ "type": "object", "properties": { "x": deep } });
        }
        let large = json!({ "type": "object", "description": "x".repeat(40_000) });
        let foreign =
            json!({ "type": "object", "properties": { "x": { "$ref": "http://a.example/x" } } });
        let broken = json!({ "type": "object", "properties": { "x": { "pattern": "(" } } });
        for schema in [deep, large, foreign, broken, json!({ "type": "string" })] {
            assert!(usable(&schema).is_err(), "{}", schema.to_string().len());
        }
    }
}
