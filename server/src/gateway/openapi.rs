//! `/openapi.json`: the dialect and the documents' routes, described for programs. Kept by hand beside the
//! routes; tests hold the two together.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::IntoResponse;

/// OpenAPI 3.1.
pub const DOCUMENT: &str = include_str!("openapi.json");

pub async fn document() -> impl IntoResponse {
    const HEAD: [(HeaderName, HeaderValue); 1] =
        [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (HEAD, DOCUMENT)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// Routes of the server that are not the dialect's, but for programs too.
    const OTHERS: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let described: BTreeSet<&str> =
            document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        let table = crate::gateway::routes();
        let plain: Vec<String> = table.iter().map(|(path, _)| path.replace("{*", "{")).collect();
        let documents = crate::documents::paths();
        let routes: BTreeSet<&str> =
            plain.iter().map(String::as_str).chain(documents).chain(OTHERS).collect();
        assert_eq!(described, routes);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let mut stack = vec![&document];
        while let Some(value) = stack.pop() {
            match value {
                Value::Object(fields) => {
                    if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                        let pointer = reference.strip_prefix('#').unwrap();
                        assert!(document.pointer(pointer).is_some(), "{reference}");
                    }
                    stack.extend(fields.values());
                }
                Value::Array(items) => stack.extend(items),
                _ => {}
            }
        }
    }
}
