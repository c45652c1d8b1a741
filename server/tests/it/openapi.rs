//! What `/openapi.json` describes is what is answered: each method of each path, and no other.

use axum::http::{Method, StatusCode};
use serde_json::Value;

use crate::common::*;

#[tokio::test]
async fn a_method_is_answered_where_it_is_described_and_nowhere_else() {
    let site = Site::with_config("", &[]);
    let document: Value = site.get("/openapi.json").await.json();
    let paths = document["paths"].as_object().unwrap();
    let mut n_described = 0;
    for (path, methods) in paths {
        let id = "0199a000-0000-7000-8000-000000000000";
        let asked = path.replace("{id}", id).replace("{passage}", id);
        for method in ["get", "post", "patch", "put", "delete"] {
            let is_described = methods.get(method).is_some();
            let by: Method = method.to_uppercase().parse().unwrap();
            let answer = site.send_head(by, &asked).await;
            let is_answered = answer != StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(is_described, is_answered, "{method} {path}: {answer}");
            n_described += usize::from(is_described);
        }
        let asks = |name: &str| path.contains(&format!("{{{name}}}"));
        for method in methods.as_object().unwrap().values() {
            let parameters = method["parameters"].as_array().cloned().unwrap_or_default();
            for name in ["id", "passage"] {
                let is_named =
                    parameters.iter().any(|one| one["in"] == "path" && one["name"] == name);
                assert_eq!(is_named, asks(name), "{path} and its parameter {name}");
            }
        }
    }
    assert!(n_described > 30, "{n_described}");
}

impl Site {
    /// The status alone: an answer may go on for ever.
    async fn send_head(&self, method: Method, path: &str) -> StatusCode {
        let request = axum::http::Request::builder().method(method).uri(path);
        let request = request.header("portico-page", "1").body(axum::body::Body::empty());
        self.send(request.unwrap()).await.status()
    }
}
