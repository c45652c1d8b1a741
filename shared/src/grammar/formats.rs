//! Which dates and times are written, where a schema asks for one by `format`?
//!
//! llguidance's own rules let through a 29 February of any year and a 61st second at any time, which
//! validators refuse.

use serde_json::{Value, json};

const DATE: &str = "[12][0-9]{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])\
    |(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))";
const TIME: &str = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,6})?\
    (?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])";
/// Keywords whose values are data and not schemas.
const DATA: [&str; 4] = ["enum", "const", "default", "examples"];

/// Puts a pattern in the place of a date's and a time's format. The schema's depth is bounded by
/// [`super::SCHEMA_DEPTH_MAX`].
pub(super) fn make_exact(schema: &mut Value) {
    match schema {
        Value::Array(schemas) => schemas.iter_mut().for_each(make_exact),
        Value::Object(fields) => {
            let pattern = match fields.get("format").and_then(Value::as_str) {
                Some("date") => Some(format!("^{DATE}$")),
                Some("time") => Some(format!("^{TIME}$")),
                Some("date-time") => Some(format!("^{DATE}T{TIME}$")),
                _ => None,
            };
            if let Some(pattern) = pattern.filter(|_| !fields.contains_key("pattern")) {
                fields.shift_remove("format");
                fields.insert("pattern".to_owned(), json!(pattern));
            }
            let schemas = fields.iter_mut().filter(|(key, _)| !DATA.contains(&key.as_str()));
            schemas.for_each(|(_, schema)| make_exact(schema));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_become_patterns_where_they_are_schemas() {
        let mut schema = json!({ "properties": { "format": { "type": "string", "format": "date" } },
            "enum": [{ "format": "date" }], "items": [{ "format": "email" }] });
        make_exact(&mut schema);
        assert!(
            schema["properties"]["format"]["pattern"].as_str().is_some_and(|p| p.contains(DATE))
        );
        assert_eq!(schema["enum"], json!([{ "format": "date" }]));
        assert_eq!(schema["items"], json!([{ "format": "email" }]));
    }
}
