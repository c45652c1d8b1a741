//! A site becomes a collection: by its links, its robots.txt and its limits, and never by an address that
//! is nobody's business.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::common::*;

#[derive(Default)]
struct Web {
    asked: Mutex<Vec<String>>,
    unchanged: AtomicUsize,
    /// Where `/docs/away` leads.
    away: String,
    /// `/docs/two` is gone.
    is_smaller: std::sync::atomic::AtomicBool,
}

async fn page(State(web): State<Arc<Web>>, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().to_owned();
    web.asked.lock().unwrap().push(path.clone());
    let is_smaller = web.is_smaller.load(Ordering::SeqCst);
    let html = |text: &str| {
        let body = format!("<html><body><p>{text}</p></body></html>");
        ([("content-type", "text/html; charset=utf-8")], body).into_response()
    };
    let tagged = |tag: &'static str, text: &str| {
        if headers.get("if-none-match").is_some_and(|value| value == tag) {
            web.unchanged.fetch_add(1, Ordering::SeqCst);
            return StatusCode::NOT_MODIFIED.into_response();
        }
        let mut response = html(text);
        response.headers_mut().insert("etag", tag.parse().unwrap());
        response
    };
    match path.as_str() {
        "/robots.txt" => "User-agent: *\nDisallow: /docs/secret\n".into_response(),
        "/docs/" if is_smaller => html("The gate opens at nine. <a href='one'>1</a>"),
        "/docs/" => html(
            "The gate opens at nine. <a href='one#x'>1</a> <a href='two'>2</a> <a href='secret'>s</a>
             <a href='away'>a</a> <a href='/outside'>o</a> <a href='http://other.invalid/'>i</a>
             <a href='picture.png'>p</a> <a href='missing'>m</a>",
        ),
        "/docs/one" => tagged("\"1\"", "The fountain runs in summer. <a href='two'>2</a> <a href='./'>up</a>"),
        "/docs/two" if is_smaller => StatusCode::GONE.into_response(),
        "/docs/two" => html("The orangery is heated. <a href='deep/three'>3</a>"),
        "/docs/deep/three" => html("The maze closes at dusk."),
        "/docs/secret" => html("The treasure lies below the maze."),
        "/docs/away" => ([("location", web.away.clone())], StatusCode::FOUND).into_response(),
        "/docs/picture.png" => ([("content-type", "image/png")], "PNG").into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn serve(web: &Arc<Web>) -> String {
    let routes = Router::new().fallback(page).with_state(Arc::clone(web));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let config = portico_server::listen::ListenConfig::default();
        let never = std::future::pending();
        portico_server::listen::serve(listener, routes, config, never).await.unwrap();
    });
    format!("http://{address}")
}

async fn ingest(data: &Path, url: &str, env: &[(&str, &str)]) -> Output {
    let mut ingest = Command::new(env!("CARGO_BIN_EXE_portico"));
    ingest.arg("--data").arg(data).args(["--lang", "en", "ingest", url]);
    ingest.args(["--collection", "site", "--embedder", "none", "--json"]);
    ingest.env("PORTICO_DOCUMENTS_CRAWL_PACE_S", "0").envs(env.iter().copied());
    ingest.envs(crate::storage::environment(data));
    tokio::task::spawn_blocking(move || ingest.output().unwrap()).await.unwrap()
}

fn report(output: &Output) -> serde_json::Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!("{error}: {text} {}", String::from_utf8_lossy(&output.stderr))
    })
}

fn places(data: &Path) -> Vec<String> {
    let path = |place: String| place.splitn(4, '/').nth(3).unwrap_or_default().to_owned();
    let places = crate::database::of(data).call_blocking(|connection| {
        let mut select = connection.prepare("SELECT place FROM documents ORDER BY place")?;
        let rows = select.query_map([], |row| row.get::<_, String>(0))?;
        rows.map(|place| place.map(path)).collect()
    });
    places.unwrap()
}

const PRIVATE: (&str, &str) = ("PORTICO_DOCUMENTS_CRAWL_PRIVATE", "true");

#[tokio::test(flavor = "multi_thread")]
async fn a_site_is_crawled_by_its_rules_and_again_only_where_it_changed() {
    let folder = Folder::new();
    let inner = Arc::<Web>::default();
    let away = format!("{}/docs/one", serve(&inner).await);
    let web = Arc::new(Web { away, ..Web::default() });
    let start = format!("{}/docs/", serve(&web).await);
    let first = ingest(&folder.0, &start, &[PRIVATE]).await;
    let said = report(&first);
    assert_eq!(said["new"], 4, "{said}");
    assert_eq!(places(&folder.0), ["docs/", "docs/deep/three", "docs/one", "docs/two"]);
    let asked = web.asked.lock().unwrap().clone();
    for never in ["/docs/secret", "/outside"] {
        assert!(!asked.iter().any(|path| path == never), "{never}: {asked:?}");
    }
    // The redirect led to another host, which nobody allowed.
    assert!(inner.asked.lock().unwrap().is_empty());
    let failed: Vec<&str> =
        said["failed"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect();
    assert_eq!(failed, ["crawl_refused", "crawl_refused"], "{said}");

    web.is_smaller.store(true, Ordering::SeqCst);
    let second = report(&ingest(&folder.0, &start, &[PRIVATE]).await);
    assert_eq!((&second["changed"], &second["removed"]), (&1.into(), &2.into()), "{second}");
    assert_eq!(places(&folder.0), ["docs/", "docs/one"]);
    assert_eq!(web.unchanged.load(Ordering::SeqCst), 1);

    // No more pages than allowed; what was not reached stays.
    let few = [PRIVATE, ("PORTICO_DOCUMENTS_CRAWL_MAX_PAGES", "1")];
    let third = report(&ingest(&folder.0, &start, &few).await);
    assert_eq!(third["removed"], 0);
    assert_eq!(places(&folder.0).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_this_machine_are_refused() {
    let folder = Folder::new();
    let web = Arc::<Web>::default();
    let url = serve(&web).await;
    let port = url.rsplit(':').next().unwrap();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433"] {
        let refused = ingest(&folder.0, &format!("http://{host}:{port}/docs/"), &[]).await;
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("[crawl_failed]"), "{host}: {said}");
    }
    assert!(web.asked.lock().unwrap().is_empty(), "it was connected to");
}
