//! The house's name, logo and colour, as an administrator chooses them and everybody is shown them.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::common::*;
use crate::people::{Browser, admin};

const SVG: &str = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";

async fn put_logo(site: &Site, by: &Browser, bytes: &[u8]) -> Answer {
    let cookie = by.cookie.clone().unwrap_or_default();
    let request = Request::put("/api/look/logo").header("sec-fetch-site", "same-origin");
    let request = request.header("cookie", cookie).body(Body::from(bytes.to_vec())).unwrap();
    Answer::of(site.send(request).await).await
}

#[tokio::test]
async fn an_administrator_gives_the_house_a_name_a_colour_and_a_logo() {
    let site = Site::with_config("", &[]);
    let none: Value = site.get("/api/look").await.json();
    assert_eq!(none, json!({ "name": null, "accent": null, "logo": null, "themes": null }));
    let css = site.get("/house.css").await;
    assert_eq!((css.status.as_u16(), css.text()), (200, ""));
    assert_eq!(site.get("/house/logo").await.error(), (404, "not_found".into()));

    let mut admin = admin(&site).await;
    for (wrong, param) in [
        (json!({ "name": "x".repeat(41) }), "name"),
        (json!({ "name": "a\u{7}b" }), "name"),
        (json!({ "accent": "red" }), "accent"),
        (json!({ "colour": "#123456" }), "colour"),
    ] {
        let refused = admin.ask(&site, "PUT", "/api/look", wrong).await;
        assert_eq!(refused.error(), (400, "invalid_request".into()));
        assert!(refused.text().contains(param), "{}", refused.text());
    }
    let wanted = json!({ "name": " Stadt Musterhausen ", "accent": "#FFD400" });
    let set: Value = admin.ask(&site, "PUT", "/api/look", wanted).await.json();
    assert_eq!(set["name"], "Stadt Musterhausen");
    assert_eq!(set["accent"], "#ffd400");
    let [light, dark] = ["light", "dark"].map(|theme| set["themes"][theme].clone());
    assert_ne!(light["accent"], "#ffd400", "yellow cannot be read on white");
    assert_eq!(dark["accent"], "#ffd400");
    assert!(light["contrast"].as_f64().unwrap() >= 4.5, "{light}");

    // Everybody is shown it, and browsers keep it until it changes.
    let css = site.get("/house.css").await;
    for shade in [&light, &dark] {
        let line = format!("--accent: {};", shade["accent"].as_str().unwrap());
        assert!(css.text().contains(&line), "{}", css.text());
    }
    assert_eq!(css.headers["content-type"], "text/css; charset=utf-8");
    let tag = css.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(site.get_with("/house.css", &[("if-none-match", &tag)]).await.status, 304);
    let nobody: Value = Browser::default().session(&site).await;
    assert_eq!(nobody["house"]["name"], "Stadt Musterhausen");
    assert_eq!(nobody["house"]["logo"], Value::Null);

    for wrong in ["<html>", "", "GIF89a"] {
        let refused = put_logo(&site, &admin, wrong.as_bytes()).await;
        assert_eq!(refused.error(), (400, "invalid_request".into()), "{wrong}");
    }
    let large = [SVG.as_bytes(), &[b' '; 130 << 10]].concat();
    assert_eq!(put_logo(&site, &admin, &large).await.error().0, 400);
    let set: Value = put_logo(&site, &admin, SVG.as_bytes()).await.json();
    let address = set["logo"].as_str().unwrap();
    assert_eq!(nobody_sees(&site).await, set["logo"]);
    let logo = site.get(address).await;
    assert_eq!(logo.text(), SVG);
    assert_eq!(logo.headers["content-type"], "image/svg+xml");
    let policy = logo.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"), "{policy}");
    assert_eq!(logo.headers["x-content-type-options"], "nosniff");

    let gone: Value = admin.ask(&site, "DELETE", "/api/look/logo", json!({})).await.json();
    assert_eq!((&gone["logo"], &gone["name"]), (&Value::Null, &json!("Stadt Musterhausen")));
    assert_eq!(site.get(address).await.status, 404);
    let log: Value = admin.get(&site, "/api/audit?action=look_changed").await.json();
    assert_eq!(log["entries"].as_array().unwrap().len(), 3);
}

async fn nobody_sees(site: &Site) -> Value {
    Browser::default().session(site).await["house"]["logo"].clone()
}
