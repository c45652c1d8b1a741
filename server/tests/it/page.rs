use axum::http::Method;
use portico_server::page::Page;

use crate::common::*;

fn page() -> (Folder, Site) {
    let folder = Folder::new();
    folder.write("index.html", "<!doctype html><title>x</title>");
    folder.write("sw.js", "self.x = 1");
    folder.write("app-0a1b2c3d4e5f6071.js", "export let long = 'text';");
    folder.write("app-0a1b2c3d4e5f6071.js.br", "not really brotli");
    folder.write("app-0a1b2c3d4e5f6071_bg.wasm", b"\0asm");
    folder.write("secret/.hidden", "hidden");
    folder.0.parent().unwrap();
    let site = Site::of_page(Page::Folder(folder.0.clone()));
    (folder, site)
}

#[tokio::test]
async fn index_and_service_worker_are_asked_for_each_time() {
    let (_folder, site) = page();
    for (path, kind) in
        [("/", "text/html; charset=utf-8"), ("/sw.js", "text/javascript; charset=utf-8")]
    {
        let answer = site.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-cache"));
        assert_eq!(answer.header("content-type"), kind);
        let etag = answer.header("etag").to_owned();
        let again = site.get_with(path, &[("if-none-match", &etag)]).await;
        assert_eq!((again.status.as_u16(), again.bytes().len()), (304, 0));
    }
}

#[tokio::test]
async fn a_rebuilt_page_is_served_at_once() {
    let (folder, site) = page();
    let before = site.get("/").await;
    folder.write("index.html", "<!doctype html><title>y</title>");
    let etag = before.header("etag").to_owned();
    let after = site.get_with("/", &[("if-none-match", &etag)]).await;
    assert_eq!(after.status, 200);
    assert!(after.text().contains("<title>y"));
}

#[tokio::test]
async fn hashed_files_are_kept_and_compressed_for_who_takes_it() {
    let (_folder, site) = page();
    let plain = site.get("/app-0a1b2c3d4e5f6071.js").await;
    assert_eq!(plain.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(plain.text(), "export let long = 'text';");
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), ("", "accept-encoding"));

    let brotli = [("accept-encoding", "gzip, br")];
    let small = site.get_with("/app-0a1b2c3d4e5f6071.js", &brotli).await;
    assert_eq!((small.text(), small.header("content-encoding")), ("not really brotli", "br"));
    assert_eq!(small.header("content-type"), "text/javascript; charset=utf-8");
    assert_ne!(small.header("etag"), plain.header("etag"));

    let wasm = site.get_with("/app-0a1b2c3d4e5f6071_bg.wasm", &brotli).await;
    assert_eq!((wasm.header("content-type"), wasm.header("vary")), ("application/wasm", ""));
    let head = site.ask(Method::HEAD, "/app-0a1b2c3d4e5f6071_bg.wasm", &[]).await;
    assert_eq!((head.header("content-length"), head.bytes().len()), ("4", 0));
}

#[tokio::test]
async fn views_get_the_index_and_files_that_are_not_there_do_not() {
    let (_folder, site) = page();
    for view in ["/c/0192f0c4-aaaa", "/settings", "/c/"] {
        let answer = site.get(view).await;
        assert_eq!(answer.status, 200, "{view}");
        assert!(answer.text().starts_with("<!doctype"), "{view}");
    }
    for absent in
        ["/absent.js", "/c/x.wasm", "/api/absent", "/v1/absent", "/api", "/index.html/x.js"]
    {
        assert_eq!(site.get(absent).await.error(), (404, "not_found".into()), "{absent}");
    }
    let post = site.ask(Method::POST, "/", &[]).await;
    assert_eq!(post.error(), (405, "method_not_allowed".into()));
}

#[tokio::test]
async fn no_path_leads_out_of_the_page() {
    let (folder, site) = page();
    let secret = folder.0.with_extension("secret.txt");
    std::fs::write(&secret, "secret").unwrap();
    let name = secret.file_name().unwrap().to_str().unwrap();
    for path in [
        format!("/../{name}"),
        format!("/..%2f{name}"),
        format!("/%2e%2e/{name}"),
        format!("/secret/..%5c..%5c{name}"),
        format!("//{}", secret.display()),
        "/secret/.hidden".to_owned(),
        "/index.html%00.js".to_owned(),
    ] {
        let answer = site.get(&path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.text().contains("secret\n") && answer.text() != "secret", "{path}");
    }
    std::fs::remove_file(secret).unwrap();
}

#[tokio::test]
async fn without_a_page_it_says_what_to_do() {
    let site = Site::of_page(Page::Missing);
    let answer = site.get("/").await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("cargo xtask serve") && answer.text().contains("Starten Sie"));
    let health: portico_server::health::Health = site.get("/healthz").await.json();
    assert!(!health.page && health.status == "ok");
}
