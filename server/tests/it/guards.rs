use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use axum::routing::get;
use portico_server::guard::{CONTENT_SECURITY_POLICY, GuardConfig, HostPolicy, guarded};
use tower::ServiceExt;

use crate::common::*;

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let site = Site::of_model(&big_gguf(1));
    let site = site.hosts(HostPolicy::Named(vec![]));
    let evil = [("host", "evil.example")];
    let answers = [
        site.get("/").await,
        site.get("/healthz").await,
        site.get("/api/catalogue").await,
        site.get("/weights/tiny/manifest").await,
        site.get("/absent.js").await,
        site.ask(Method::DELETE, "/healthz", &[]).await,
        site.get_with("/", &evil).await,
    ];
    let statuses = answers.iter().map(|answer| answer.status.as_u16());
    assert_eq!(statuses.collect::<Vec<_>>(), [200, 200, 200, 200, 404, 405, 421]);
    for answer in answers {
        for (name, value) in [
            ("content-security-policy", CONTENT_SECURITY_POLICY),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-embedder-policy", "require-corp"),
            ("cross-origin-resource-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answer.header(name), value, "{} lacks {name}", answer.status);
        }
        assert!(answer.header("permissions-policy").contains("microphone=()"));
        assert!(answer.headers.get("access-control-allow-origin").is_none());
    }
}

#[test]
fn the_policy_allows_nothing_inline_and_no_other_origin() {
    let policy = CONTENT_SECURITY_POLICY;
    assert!(policy.starts_with("default-src 'none';"));
    for word in ["'unsafe-inline'", "'unsafe-eval'", "http:", "https:", "*"] {
        assert!(!policy.contains(word), "{word}");
    }
}

#[tokio::test]
async fn a_rebound_name_is_refused_before_anything_is_read() {
    let bytes = big_gguf(2);
    let site = Site::of_model(&bytes).hosts(HostPolicy::Named(vec!["chat.example.org".into()]));
    for host in ["evil.example", "evil.example:8080", "localhost.evil.example"] {
        let answer = site.get_with("/weights/tiny/manifest", &[("host", host)]).await;
        assert_eq!(answer.error(), (421, "host_refused".into()), "{host}");
    }
    for host in ["localhost:8080", "127.0.0.1", "[::1]:80", "chat.example.org"] {
        let answer = site.get_with("/weights/tiny/manifest", &[("host", host)]).await;
        assert_eq!(answer.status, 200, "{host}");
    }
    let absolute = Request::get("http://evil.example/healthz").body(Body::empty()).unwrap();
    assert_eq!(site.send(absolute).await.status(), 421);
}

#[tokio::test]
async fn errors_speak_the_request_s_language() {
    let site = Site::of_model(&big_gguf(3));
    for (accepted, words) in [
        ("de-AT, en;q=0.5", "gibt es hier nicht"),
        ("en-GB, de", "There is no model"),
        ("fr, de;q=0.3", "gibt es hier nicht"),
        ("fr", "There is no model"),
    ] {
        let headers = [("accept-language", accepted)];
        let answer = site.get_with("/weights/absent/manifest", &headers).await;
        assert!(answer.text().contains(words), "{accepted}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

fn trouble() -> Router {
    let config = GuardConfig {
        request_timeout: std::time::Duration::from_millis(50),
        max_body_bytes: 100,
        ..GuardConfig::default()
    };
    let routes = Router::new()
        .route("/panic", get(|| async { panic!("the secret cause") as () }))
        .route("/slow", get(std::future::pending::<()>))
        .route("/echo", axum::routing::post(|body: String| async { body }));
    guarded(routes, config)
}

async fn ask(request: Request<Body>) -> Answer {
    Answer::of(trouble().oneshot(request).await.unwrap()).await
}

#[tokio::test]
async fn panics_and_slowness_end_as_errors_of_the_table() {
    let panicked = ask(Request::get("/panic").body(Body::empty()).unwrap()).await;
    assert_eq!(panicked.error(), (500, "internal".into()));
    assert!(!panicked.text().contains("secret"), "the cause is logged, not shown");
    let slow = ask(Request::get("/slow").body(Body::empty()).unwrap()).await;
    assert_eq!(slow.error(), (408, "timeout".into()));
}

#[tokio::test]
async fn large_bodies_are_refused_with_or_without_a_length() {
    let post = |body: Body| Request::post("/echo").body(body).unwrap();
    assert_eq!(ask(post(Body::from("x".repeat(100)))).await.bytes().len(), 100);
    let mut told = post(Body::from("x".repeat(101)));
    told.headers_mut().insert("content-length", "101".parse().unwrap());
    let streamed = Body::from_stream(futures_util::stream::iter(
        (0..20).map(|_| std::io::Result::Ok("0123456789")),
    ));
    for request in [told, post(streamed)] {
        let answer = ask(request).await;
        assert_eq!(answer.error(), (413, "payload_too_large".into()));
        assert!(answer.text().contains("100"), "{}", answer.text());
    }
}
