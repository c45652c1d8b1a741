//! The gateway before upstreams: what passes, what is counted, and what happens when one fails.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use futures_util::StreamExt as _;
use portico_server::keys::{KeyLimits, NewKey};
use serde_json::{Value, json};

use crate::common::*;
use crate::upstream::*;

/// A gateway whose models `m-<name>` are `<name>` at one upstream each, in the order given.
struct House {
    site: Site,
    key: String,
}

impl House {
    /// `models`: a name, and its endpoints as `(url, model)`.
    fn new(models: &[(&str, &[(&str, &str)])], more: &str) -> Self {
        let mut toml = more.to_owned();
        let mut lists = String::new();
        let mut n = 0;
        for (name, endpoints) in models {
            let mut list = Vec::new();
            for (url, model) in *endpoints {
                toml += &format!(
                    "[[upstreams]]\nid = \"u{n}\"\nurl = \"{url}\"\nhealth_every_s = 0\nidle_s = 0.3\n\
                     first_byte_s = 1\nconnect_s = 1\napi_key = {{ file = \"secret\" }}\n"
                );
                // All but the first only when those before fail.
                let weight = u32::from(list.is_empty());
                list.push(format!(
                    "{{ upstream = \"u{n}\", model = \"{model}\", weight = {weight} }}"
                ));
                n += 1;
            }
            let list = list.join(", ");
            lists += &format!(
                "[[models]]\nid = \"{name}\"\naliases = [\"also-{name}\"]\nendpoints = [{list}]\n"
            );
        }
        let site = Site::with_config(&format!("{toml}{lists}"), &[("secret", "sk-upstream\n")]);
        let key = key(&site, "test", KeyLimits::default());
        Self { site, key }
    }

    async fn post(&self, path: &str, body: Value) -> Response {
        self.post_as(&self.key, path, body).await
    }

    async fn post_as(&self, key: &str, path: &str, body: Value) -> Response {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()));
        self.site.send(request.unwrap()).await
    }

    async fn chat(&self, model: &str) -> Answer {
        Answer::of(self.post("/v1/chat/completions", chat(model, false)).await).await
    }

    async fn stream(&self, model: &str) -> Response {
        self.post("/v1/chat/completions", chat(model, true)).await
    }

    /// Tokens that the key has used.
    fn used(&self) -> (u64, u64) {
        self.site.app.gateway.close().unwrap();
        let listed = self.site.app.gateway.keys.list().unwrap();
        let (_, today, _) = listed.iter().find(|(key, ..)| key.name == "test").unwrap();
        (today.prompt_tokens, today.completion_tokens)
    }
}

fn key(site: &Site, name: &str, limits: KeyLimits) -> String {
    let new = NewKey { name: name.to_owned(), limits, ..NewKey::default() };
    site.app.gateway.keys.create(&new).unwrap().1.text
}

fn chat(model: &str, stream: bool) -> Value {
    json!({ "model": model, "stream": stream, "messages": [{ "role": "user", "content": "Count." }] })
}

#[tokio::test]
async fn a_stream_passes_as_it_comes_and_is_counted() {
    let upstream = Upstream::start().await;
    let house = House::new(&[("large", &[(&upstream.url, "org/good")])], "");
    let answer = house.stream("also-large").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/event-stream; charset=utf-8");
    assert_eq!(answer.headers()["portico-model"], "large");
    assert_eq!(answer.headers()["portico-place"], "u0");
    let (events, done) = data(&rest(answer.into_body()).await);
    assert_eq!(said(&events), "one two three");
    assert!(done && events.iter().all(|event| event["usage"].is_null()), "{events:?}");
    assert_eq!(house.used(), (11, 3), "what the upstream counted, unasked");

    let (headers, body) = upstream.seen.last.lock().unwrap().clone();
    assert_eq!(headers["authorization"], "Bearer sk-upstream");
    assert_eq!((&body["model"], &body["stream"]), (&json!("org/good"), &json!(true)));

    let mut asks = chat("large", true);
    asks["stream_options"] = json!({ "include_usage": true });
    asks["portico"] = json!({ "resumable": false });
    asks["some_future_field"] = json!({ "kept": [1, 2] });
    let (events, _) = data(&rest(house.post("/v1/chat/completions", asks).await.into_body()).await);
    assert_eq!(events.last().unwrap()["usage"]["total_tokens"], 14);
    let body = upstream.seen.last.lock().unwrap().1.clone();
    assert_eq!(body["some_future_field"]["kept"], json!([1, 2]));
    assert!(body.get("portico").is_none(), "ours alone");
}

#[tokio::test]
async fn whole_answers_and_embeddings_pass_and_are_counted() {
    let upstream = Upstream::start().await;
    let house = House::new(&[("large", &[(&upstream.url, "good")])], "");
    let answer: Value = house.chat("large").await.json();
    assert_eq!(answer["choices"][0]["message"]["content"], "one two three");
    let body = json!({ "model": "large", "input": "x" });
    let answer: Value = Answer::of(house.post("/v1/embeddings", body).await).await.json();
    assert_eq!(answer["data"][0]["embedding"], json!([0.6, 0.8]));
    assert_eq!(house.used(), (16, 3));
}

#[tokio::test]
async fn a_dead_upstream_fails_over_before_the_first_byte() {
    let upstream = Upstream::start().await;
    let dead = dead_url();
    for first in [
        (dead.as_str(), "good"),
        (&upstream.url, "down"),
        (&upstream.url, "dies-first"),
        (&upstream.url, "locked"),
        (&upstream.url, "busy"),
        (&upstream.url, "slow"),
    ] {
        let house = House::new(&[("m", &[first, (&upstream.url, "good")])], "");
        let (events, done) = data(&rest(house.stream("m").await.into_body()).await);
        assert_eq!(said(&events), "one two three", "{first:?}");
        assert!(done);
        if first.1 != "dies-first" {
            assert_eq!(house.chat("m").await.status, 200, "{first:?}");
        }
    }
}

#[tokio::test]
async fn an_upstream_s_refusal_of_the_request_is_told_in_its_own_words() {
    let upstream = Upstream::start().await;
    let house = House::new(&[("m", &[(&upstream.url, "refuses"), (&upstream.url, "good")])], "");
    for answer in [house.chat("m").await, Answer::of(house.stream("m").await).await] {
        assert_eq!(answer.status, 400);
        let body: Value = answer.json();
        assert_eq!(body["error"]["message"], "No such thing.");
        assert_eq!(body["error"]["param"], "p");
    }
    assert_eq!(upstream.n_requests(), 2, "nobody else is asked");
    let house = House::new(&[("m", &[(&upstream.url, "busy")])], "");
    assert_eq!(house.chat("m").await.status, 429);
}

#[tokio::test]
async fn when_nobody_can_be_reached_it_is_said_with_a_time() {
    let (one, other) = (dead_url(), dead_url());
    let house = House::new(&[("m", &[(&one, "good"), (&other, "good")])], "");
    for _ in 0..5 {
        let answer = house.chat("m").await;
        assert_eq!(answer.error(), (503, "upstream_unavailable".into()));
        assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
    }
    let upstream = Upstream::start().await;
    let house = House::new(&[("m", &[(&upstream.url, "down")])], "");
    for _ in 0..3 {
        assert_eq!(house.chat("m").await.error().1, "upstream_failed");
    }
    assert_eq!(upstream.n_requests(), 3);
    assert_eq!(house.chat("m").await.error().1, "upstream_unavailable", "the circuit is open");
    assert_eq!(upstream.n_requests(), 3, "and nobody is asked");
}

#[tokio::test]
async fn a_stream_that_dies_ends_with_an_error_and_is_counted() {
    let upstream = Upstream::start().await;
    let house = House::new(
        &[
            ("dies", &[(&upstream.url, "dies"), (&upstream.url, "good")]),
            ("stalls", &[(&upstream.url, "stalls")]),
        ],
        "",
    );
    for model in ["dies", "stalls"] {
        let (events, done) = data(&rest(house.stream(model).await.into_body()).await);
        assert_eq!(said(&events), "one two three", "nothing is said twice");
        assert_eq!(events.last().unwrap()["error"]["code"], "upstream_failed", "{model}");
        assert_eq!(events.last().unwrap()["error"]["type"], "server_error");
        assert!(!done, "{model}");
    }
    let (prompt, completion) = house.used();
    assert_eq!(completion, 6, "three events each");
    assert!(prompt > 0, "the prompt was read, though nobody said how long it is");
}

#[tokio::test]
async fn a_client_that_goes_is_followed_by_the_upstream() {
    let upstream = Upstream::start().await;
    let house = House::new(&[("m", &[(&upstream.url, "stalls")])], "");
    let mut body = house.stream("m").await.into_body().into_data_stream();
    assert!(body.next().await.unwrap().unwrap().starts_with(b"data: "));
    assert_eq!(house.site.app.gateway.metrics.n_open_streams(), 1);
    drop(body);
    let start = Instant::now();
    while upstream.n_cut() == 0 {
        assert!(start.elapsed() < Duration::from_secs(5), "the upstream was not told");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(house.site.app.gateway.metrics.n_open_streams(), 0);
    let (_, completion) = house.used();
    assert!((1..=3).contains(&completion), "{completion}");
}

/// The upstream has read the prompt of an answer that nobody waits for any more.
#[tokio::test]
async fn an_answer_that_is_abandoned_before_it_comes_is_counted() {
    for is_stream in [false, true] {
        let upstream = Upstream::start().await;
        let house = House::new(&[("m", &[(&upstream.url, "slow")])], "");
        let asking = house.post("/v1/chat/completions", chat("m", is_stream));
        let start = Instant::now();
        let reached = async {
            while upstream.n_requests() == 0 && start.elapsed() < Duration::from_secs(5) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            _ = asking => panic!("it is slow"),
            () = reached => {}
        }
        let (prompt, completion) = house.used();
        assert!(prompt > 0, "stream: {is_stream}");
        assert_eq!(completion, 0);
    }
}

/// A house's own authority vouches for its upstream, and for nobody else.
#[tokio::test]
async fn an_upstream_s_certificate_is_held_to_the_house_s_authority() {
    let upstream = TlsUpstream::start().await;
    let chat_by = |authority: &str| {
        let more = format!(
            "[[upstreams]]\nid = \"tls\"\nurl = \"{}\"\nhealth_every_s = 0\n{authority}\
             [[models]]\nid = \"m\"\nendpoints = [{{ upstream = \"tls\", model = \"fine\" }}]\n",
            upstream.url
        );
        let files =
            [("house-ca.pem", upstream.authority.as_str()), ("other-ca.pem", &upstream.other)];
        let site = Site::with_config(&more, &files);
        let key = key(&site, "test", KeyLimits::default());
        let house = House { site, key };
        async move { house.chat("m").await }
    };
    let answer = chat_by("ca_file = \"house-ca.pem\"\n").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(upstream.inner.n_requests(), 1);
    for authority in ["ca_file = \"other-ca.pem\"\n", ""] {
        let answer = chat_by(authority).await;
        assert_eq!(answer.status, 503, "{authority} {}", answer.text());
    }
    assert_eq!(upstream.inner.n_requests(), 1, "nothing was said to a stranger");
}

#[tokio::test]
async fn keys_are_needed_and_end_at_once() {
    let upstream = Upstream::start().await;
    let house =
        House::new(&[("m", &[(&upstream.url, "good")]), ("n", &[(&upstream.url, "good")])], "");
    let none = house.site.ask(axum::http::Method::POST, "/v1/chat/completions", &[]).await;
    assert_eq!(none.error(), (401, "invalid_api_key".into()));
    let shape: Value = none.json();
    assert_eq!(shape["error"]["type"], "authentication_error");
    assert!(shape["error"]["message"].as_str().unwrap().contains("portico keys create"));

    let keys = &house.site.app.gateway.keys;
    let only = KeyLimits { models: Some(vec!["m".into()]), ..KeyLimits::default() };
    let narrow = key(&house.site, "narrow", only);
    let ask = async |key: &str, model: &str| {
        Answer::of(house.post_as(key, "/v1/chat/completions", chat(model, false)).await).await
    };
    assert_eq!(ask(&narrow, "m").await.status, 200);
    assert_eq!(ask(&narrow, "n").await.error(), (403, "model_forbidden".into()));
    let bearer = format!("Bearer {narrow}");
    let list: Value = house.site.get_with("/v1/models", &[("authorization", &bearer)]).await.json();
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    let alias = KeyLimits { models: Some(vec!["also-n".into()]), ..KeyLimits::default() };
    let alias = key(&house.site, "alias", alias);
    assert_eq!(
        (ask(&alias, "also-n").await.status, ask(&alias, "m").await.status.as_u16()),
        (StatusCode::OK, 403)
    );
    let bearer = format!("Bearer {alias}");
    let one = house.site.get_with("/v1/models/also-n", &[("authorization", &bearer)]).await;
    assert_eq!(one.json::<Value>()["id"], "n");
    let last = narrow.chars().last().unwrap();
    let forged = format!("{}{}", &narrow[..narrow.len() - 1], if last == '0' { '1' } else { '0' });
    assert_eq!(ask(&forged, "m").await.status, 401);
    keys.revoke("narrow").unwrap();
    assert_eq!(ask(&narrow, "m").await.status, 401);
    assert!(keys.revoke("narrow").is_err());

    let expired = NewKey { name: "old".into(), expires_s: Some(1), ..NewKey::default() };
    let expired = keys.create(&expired).unwrap().1.text;
    assert_eq!(ask(&expired, "m").await.status, 401);
}

#[tokio::test]
async fn quotas_and_speed_are_held() {
    let upstream = Upstream::start().await;
    let house = House::new(&[("m", &[(&upstream.url, "good")])], "");
    let ask = async |key: &str| {
        Answer::of(house.post_as(key, "/v1/chat/completions", chat("m", false)).await).await
    };
    for limits in [
        KeyLimits { tokens_per_day: Some(20), ..KeyLimits::default() },
        KeyLimits { tokens_per_month: Some(20), ..KeyLimits::default() },
    ] {
        let name = format!("{:?}", limits.tokens_per_day);
        let quota = key(&house.site, &name, limits);
        // 14 tokens each.
        assert_eq!(ask(&quota).await.status, 200);
        assert_eq!(ask(&quota).await.status, 200);
        let used_up = ask(&quota).await;
        assert_eq!(used_up.error(), (429, "insufficient_quota".into()));
        assert_eq!(used_up.json::<Value>()["error"]["type"], "insufficient_quota");
        house.site.app.gateway.close().unwrap();
        assert_eq!(ask(&quota).await.status, 429, "also when it is written");
    }
    let slow = KeyLimits { requests_per_minute: Some(2), ..KeyLimits::default() };
    let slow = key(&house.site, "slow", slow);
    assert_eq!(
        (ask(&slow).await.status, ask(&slow).await.status),
        (StatusCode::OK, StatusCode::OK)
    );
    let refused = ask(&slow).await;
    assert_eq!(refused.error(), (429, "rate_limit_exceeded".into()));
    assert!((1..=60).contains(&refused.header("retry-after").parse::<u32>().unwrap()));
    let few = KeyLimits { tokens_per_minute: Some(10), ..KeyLimits::default() };
    let few = key(&house.site, "few", few);
    assert_eq!(ask(&few).await.status, 200);
    assert_eq!(ask(&few).await.error().1, "rate_limit_exceeded", "14 tokens of 10 are owed");
}

#[tokio::test]
async fn the_page_may_where_the_configuration_says_so() {
    let upstream = Upstream::start().await;
    let models: &[(&str, &[(&str, &str)])] = &[("m", &[(&upstream.url, "good")])];
    let page = [("sec-fetch-site", "same-origin")];
    let foreign = [("origin", "http://evil.example"), ("host", "localhost")];
    let house = House::new(models, "");
    assert_eq!(house.site.get_with("/v1/models", &page).await.status, 200, "on loopback");
    assert_eq!(house.site.get_with("/v1/models", &foreign).await.status, 401);
    assert_eq!(house.site.get("/v1/models").await.status, 401, "no sign of a page");
    let house = House::new(models, "[access]\npage = false\n");
    assert_eq!(house.site.get_with("/v1/models", &page).await.status, 401);
    let open = "[server]\naddr = \"0.0.0.0:80\"\n";
    let house = House::new(models, open);
    assert_eq!(house.site.get_with("/v1/models", &page).await.status, 401, "beyond this machine");
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_in_its_language() {
    let upstream = Upstream::start().await;
    let house =
        House::new(&[("m", &[(&upstream.url, "good")])], "[limits]\nmax_body_bytes = 2000\n");
    let ask = async |body: String, lang: &str| {
        let request = Request::post("/v1/chat/completions")
            .header("authorization", format!("Bearer {}", house.key))
            .header("accept-language", lang)
            .body(Body::from(body));
        Answer::of(house.site.send(request.unwrap()).await).await
    };
    let german = ask("{\"messages\": []}".into(), "de").await;
    assert_eq!(german.error(), (400, "invalid_request".into()));
    assert!(german.text().contains("Die Anfrage ist nicht verständlich"), "{}", german.text());
    assert_eq!(german.json::<Value>()["error"]["param"], "model");
    let broken = ask("{\"model\": ".into(), "en").await;
    assert!(broken.text().contains("not JSON"), "{}", broken.text());
    let unknown = ask(chat("absent", false).to_string(), "en").await;
    assert_eq!(unknown.error(), (404, "model_not_found".into()));
    assert_eq!(unknown.json::<Value>()["error"]["type"], "invalid_request_error");
    let large = ask("x".repeat(2001), "en").await;
    assert_eq!(large.error(), (413, "payload_too_large".into()));
    assert!(large.text().contains("2000"), "{}", large.text());
    let late = House::new(&[("m", &[(&upstream.url, "slow")])], "[limits]\nanswer_s = 0.2\n");
    assert_eq!(late.chat("m").await.error(), (408, "timeout".into()));
}

#[tokio::test]
async fn a_kept_stream_is_picked_up_and_stopped() {
    let upstream = Upstream::start().await;
    let house = House::new(
        &[("m", &[(&upstream.url, "good")]), ("stalls", &[(&upstream.url, "stalls")])],
        "",
    );
    let mut asks = chat("m", true);
    asks["portico"] = json!({ "resumable": true });
    let answer = house.post("/v1/chat/completions", asks).await;
    let id = answer.headers()["portico-stream-id"].to_str().unwrap().to_owned();
    let whole = rest(answer.into_body()).await;
    assert!(whole.starts_with("id: 1\ndata: {") && whole.ends_with("data: [DONE]\n\n"), "{whole}");
    let bearer = format!("Bearer {}", house.key);
    let again = |after: &'static str| {
        let headers = [("authorization", bearer.clone()), ("last-event-id", after.to_owned())];
        let (site, path) = (&house.site, format!("/v1/streams/{id}"));
        async move {
            let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
            site.get_with(&path, &headers).await
        }
    };
    assert_eq!(again("0").await.text(), whole);
    assert_eq!(again("2").await.text(), &whole[whole.find("id: 3\n").unwrap()..]);
    let other = key(&house.site, "other", KeyLimits::default());
    let foreign = format!("Bearer {other}");
    let path = format!("/v1/streams/{id}");
    let foreign = house.site.get_with(&path, &[("authorization", &foreign)]).await;
    assert_eq!(foreign.error(), (404, "stream_not_found".into()));

    let mut asks = chat("stalls", true);
    asks["portico"] = json!({ "resumable": true });
    let answer = house.post("/v1/chat/completions", asks).await;
    let id = answer.headers()["portico-stream-id"].to_str().unwrap().to_owned();
    let mut body = answer.into_body().into_data_stream();
    body.next().await.unwrap().unwrap();
    drop(body);
    let cancelled = house.post(&format!("/v1/streams/{id}/cancel"), json!({})).await;
    let cancelled: Value = Answer::of(cancelled).await.json();
    assert_eq!(cancelled["cancelled"], true);
    let path = format!("/v1/streams/{id}");
    let told = house.site.get_with(&path, &[("authorization", &bearer)]).await;
    assert!(told.text().contains("\"finish_reason\":\"stop\""), "{}", told.text());
    let start = Instant::now();
    while upstream.n_cut() == 0 {
        assert!(start.elapsed() < Duration::from_secs(5), "the upstream goes on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn the_newer_dialect_speaks_to_any_upstream() {
    let upstream = Upstream::start().await;
    let house =
        House::new(&[("m", &[(&upstream.url, "good")]), ("dies", &[(&upstream.url, "dies")])], "");
    let asks = json!({ "model": "m", "instructions": "Count.", "input": "Now." });
    let answer: Value = Answer::of(house.post("/v1/responses", asks.clone()).await).await.json();
    assert_eq!(answer["output"][0]["content"][0]["text"], "one two three");
    assert_eq!(
        (&answer["status"], &answer["usage"]["input_tokens"]),
        (&json!("completed"), &json!(11))
    );
    let messages = upstream.seen.last.lock().unwrap().1["messages"].clone();
    assert_eq!((&messages[0]["role"], &messages[1]["content"]), (&json!("system"), &json!("Now.")));

    let mut stream = asks;
    stream["stream"] = true.into();
    let text = rest(house.post("/v1/responses", stream.clone()).await.into_body()).await;
    assert!(text.starts_with("event: response.created\ndata: {"), "{text}");
    let (events, done) = data(&text);
    assert_eq!(events.last().unwrap()["type"], "response.completed");
    assert!(!done, "the newer dialect has no mark of its end");
    stream["model"] = "dies".into();
    let (events, _) = data(&rest(house.post("/v1/responses", stream).await.into_body()).await);
    assert_eq!(events.last().unwrap()["type"], "response.failed");
    assert_eq!(events.last().unwrap()["response"]["error"]["code"], "upstream_failed");
}

#[tokio::test]
async fn metrics_tell_of_upstreams_and_are_for_this_machine() {
    let upstream = Upstream::start().await;
    let models: &[(&str, &[(&str, &str)])] = &[("m", &[(&upstream.url, "good")])];
    let house = House::new(models, "[access]\nmetrics = \"anyone\"\n");
    rest(house.stream("m").await.into_body()).await;
    let text = house.site.get("/metrics").await.text().to_owned();
    for line in [
        "portico_tokens_total{model=\"m\",place=\"upstream\",upstream=\"u0\",kind=\"completion\"} 3",
        "portico_requests_total{model=\"m\",place=\"upstream\",upstream=\"u0\",route=\"chat\",outcome=\"ok\"} 1",
        "portico_time_to_first_token_seconds_count{model=\"m\",place=\"upstream\",upstream=\"u0\"} 1",
        "portico_upstream_up{upstream=\"u0\"} 1",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let house = House::new(models, "");
    let answer = house.site.get("/metrics").await;
    assert_eq!(answer.error(), (403, "forbidden".into()), "nobody knows who asks");
    assert_eq!(house.site.get("/readyz").await.json::<Value>()["status"], "ready");
}
