//! What was used is added up as it was, shown as far as the house wants it; devices say what they can do
//! without anybody being told from the counts; the overview says how the house is doing.

use axum::http::StatusCode;
use portico_server::keys::{NewKey, day_of, now_s};
use serde_json::{Value, json};

use crate::common::*;
use crate::people::{Browser, admin, id_of, invited};
use crate::upstream::{Upstream, dead_url};

fn config(well: &str, dead: &str) -> String {
    format!(
        r#"
[[upstreams]]
id = "gpu"
url = "{well}"
health_every_s = 0

[[upstreams]]
id = "away"
url = "{dead}"
health_every_s = 0

[[models]]
id = "large"
endpoints = [{{ upstream = "gpu", model = "fine" }}]

[[models]]
id = "lost"
endpoints = [{{ upstream = "away", model = "fine" }}]
"#
    )
}

fn chat(model: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": "What is up?" }] })
}

/// Asks a model of an upstream once, and says what the answer says it took.
async fn asks(browser: &mut Browser, site: &Site) -> (u64, u64) {
    let answer = browser.ask(site, "POST", "/v1/chat/completions", chat("large")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let usage = answer.json::<Value>()["usage"].clone();
    (usage["prompt_tokens"].as_u64().unwrap(), usage["completion_tokens"].as_u64().unwrap())
}

/// Requests and tokens of both kinds.
fn sums(row: &Value) -> (u64, u64, u64) {
    let count = |name: &str| row[name].as_u64().unwrap_or_else(|| panic!("{name} in {row}"));
    (count("requests"), count("prompt_tokens"), count("completion_tokens"))
}

async fn settings(admin: &mut Browser, site: &Site, settings: Value) -> StatusCode {
    admin.ask(site, "PUT", "/api/usage/settings", settings).await.status
}

#[tokio::test]
async fn what_was_used_adds_up_by_day_place_model_group_and_person() {
    let upstream = Upstream::start().await;
    let site = Site::with_config(&config(&upstream.url, &dead_url()), &[]);
    let mut admin = admin(&site).await;
    let group = async |admin: &mut Browser, name: &str| {
        admin.ask(&site, "POST", "/api/groups", json!({ "name": name })).await;
    };
    group(&mut admin, "staff").await;
    group(&mut admin, "board").await;
    let (mut prompt, mut completion) = (0, 0);
    let mut add = |(p, c): (u64, u64)| {
        prompt += p;
        completion += c;
    };
    let mut mia = invited(&site, &mut admin, "mia", json!({ "groups": ["staff"] })).await;
    let mut ben = invited(&site, &mut admin, "ben", json!({ "groups": ["staff"] })).await;
    let mut cora =
        invited(&site, &mut admin, "cora", json!({ "groups": ["staff", "board"] })).await;
    for one in [&mut mia, &mut ben, &mut cora] {
        add(asks(one, &site).await);
    }
    // A person's key is that person, and counts once.
    let id = id_of(&mut mia, &site).await;
    let new = NewKey {
        name: "script".to_owned(),
        person: Some(id.parse().unwrap()),
        ..NewKey::default()
    };
    let key = format!("Bearer {}", site.app.gateway.keys.create(&new).unwrap().1.text);
    let request = axum::http::Request::post("/v1/chat/completions")
        .header("authorization", key)
        .header("content-type", "application/json")
        .body(axum::body::Body::from(chat("large").to_string()))
        .unwrap();
    let answer: Value = Answer::of(site.send(request).await).await.json();
    let of_key = &answer["usage"];
    add((of_key["prompt_tokens"].as_u64().unwrap(), of_key["completion_tokens"].as_u64().unwrap()));

    // What a device computed, where the house counts it, under a name that the catalogue knows.
    let used = json!({ "model": "no such", "prompt_tokens": 7, "completion_tokens": 5 });
    mia.ask(&site, "POST", "/api/audit/device-use", used.clone()).await;
    admin.ask(&site, "PUT", "/api/policy", json!({ "audit_device_use": true })).await;
    mia.ask(&site, "POST", "/api/audit/device-use", used).await;

    let answer: Value = admin.get(&site, "/api/usage").await.json();
    let rows = answer["rows"].as_array().unwrap();
    let of = |place: &str| rows.iter().find(|row| row["place"] == place).unwrap();
    assert_eq!(rows.len(), 2, "{answer}");
    assert_eq!(
        (&of("upstream")["model"], sums(of("upstream"))),
        (&json!("large"), (4, prompt, completion))
    );
    assert_eq!((&of("device")["model"], sums(of("device"))), (&json!("other"), (1, 7, 5)));
    assert_eq!(of("device")["day"], json!(day_of(now_s())));
    // By quotas the device is nobody's.
    let session = mia.session(&site).await;
    let tokens_of_mia = session["used"]["tokens_today"].as_u64().unwrap();
    assert!(tokens_of_mia > 0 && tokens_of_mia < prompt + completion);

    // Groups as of three people who used something; nobody by name.
    let groups = answer["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 1, "{answer}");
    assert_eq!((&groups[0]["name"], &groups[0]["n_people"]), (&json!("staff"), &json!(3)));
    assert_eq!((&answer["n_small_groups"], &answer["people"]), (&json!(1), &Value::Null));
    let person = format!("/api/people/{id}");
    assert_eq!(admin.get(&site, &person).await.json::<Value>()["used"], Value::Null);

    // Where the house wants it, by name; where it does not, by nothing.
    assert_eq!(settings(&mut admin, &site, json!({ "detail": "people" })).await, 200);
    let answer: Value = admin.get(&site, "/api/usage").await.json();
    assert_eq!(answer["groups"].as_array().unwrap().len(), 2);
    let people = answer["people"].as_array().unwrap();
    assert_eq!(people.len(), 3, "{answer}");
    let mias = people.iter().find(|one| one["who"] == json!(id)).unwrap();
    assert_eq!(
        (&mias["kind"], &mias["name"], mias["requests"].as_u64()),
        (&json!("person"), &json!("mia"), Some(3))
    );
    let all: u64 = people.iter().map(|one| sums(one).1 + sums(one).2).sum();
    assert_eq!(all, prompt + completion + 12, "nothing is counted twice");
    let used = admin.get(&site, &person).await.json::<Value>()["used"].clone();
    assert_eq!(used["tokens_today"].as_u64(), Some(tokens_of_mia));
    assert_eq!(settings(&mut admin, &site, json!({ "detail": "house" })).await, 200);
    let answer: Value = admin.get(&site, "/api/usage").await.json();
    assert_eq!((&answer["groups"], &answer["people"]), (&Value::Null, &Value::Null));
    assert_eq!(settings(&mut admin, &site, json!({ "energy": { "server": -1 } })).await, 400);

    // As a table, and only of the days that were asked for.
    let csv = admin.get(&site, "/api/usage.csv").await;
    let day = day_of(now_s());
    assert!(
        csv.text().contains(&format!("\r\n{day},upstream,large,4,{prompt},{completion}\r\n")),
        "{}",
        csv.text()
    );
    let earlier = admin.get(&site, "/api/usage?from=2020-01-01&to=2020-12-31").await;
    assert_eq!(earlier.json::<Value>()["rows"], json!([]));
    for range in ["from=2026-11-26&to=2026-11-25", "from=yesterday", "from=1999-01-01"] {
        let refused = admin.get(&site, &format!("/api/usage?{range}")).await;
        assert_eq!(refused.error(), (400, "invalid_request".to_owned()), "{range}");
    }

    // What was decided is in the log, and who is gone is counted no more.
    let log: Value = admin.get(&site, "/api/audit?action=usage_settings_changed").await.json();
    assert_eq!(log["entries"].as_array().unwrap().len(), 2);
    admin.ask(&site, "DELETE", &person, json!({})).await;
    let answer: Value = admin.get(&site, "/api/usage").await.json();
    assert_eq!(answer["rows"][0]["requests"], json!(2));
}

#[tokio::test]
async fn use_that_is_long_ago_is_nobodys() {
    let site = Site::with_config("", &[]);
    let mut admin = admin(&site).await;
    let id = id_of(&mut admin, &site).await;
    let database = crate::database::of(&site.folder.0);
    let insert = "INSERT INTO usage (who, day, model, place, requests, prompt_tokens) VALUES
        (?1, '2024-03-01', 'm', 'server', 1, 10), ('page', '2024-03-01', 'm', 'server', 2, 20),
        (?1, ?2, 'm', 'server', 4, 40)";
    let day = day_of(now_s());
    database.call_blocking(|database| database.execute(insert, [&id, &day])).unwrap();
    for _ in 0..2 {
        site.app.gateway.people.clean().await.unwrap();
    }
    let sql = "SELECT who, day, requests, prompt_tokens FROM usage ORDER BY day";
    let rows = database.call_blocking(|database| {
        let mut select = database.prepare(sql)?;
        let rows = select.query_map([], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, i64>(2)?,
                row.get::<_, i64>(3)?,
            ))
        })?;
        rows.collect::<Result<Vec<_>, _>>()
    });
    assert_eq!(
        rows.unwrap(),
        [("earlier".to_owned(), "2024-03-01".to_owned(), 3, 30), (id, day, 4, 40)]
    );
}

fn device(gpu: &str, models: &[&str]) -> Value {
    json!({ "gpu": gpu, "memory_gib": 8, "f16": true, "subgroups": false, "buffer_mib": 2048,
        "models": models })
}

#[tokio::test]
async fn devices_are_counted_where_the_house_asks_and_shown_in_threes() {
    let site = Site::of_model(&gguf("llama", 4_096, 1));
    let mut admin = admin(&site).await;
    let mut guest = Browser::default();
    let mut say =
        async |report: Value| guest.ask(&site, "POST", "/api/usage/devices", report).await;
    let months = async |admin: &mut Browser| -> Value {
        let answer: Value = admin.get(&site, "/api/usage/devices").await.json();
        answer["months"].clone()
    };
    let tiny = ["tiny", "of-somebodys-own"];
    // The house does not ask: nothing is kept.
    for _ in 0..3 {
        assert_eq!(say(device("intel", &tiny)).await.status, 204);
    }
    assert_eq!(months(&mut admin).await, json!([]));
    assert_eq!(settings(&mut admin, &site, json!({ "asks_devices": true })).await, 200);
    assert_eq!(admin.session(&site).await["house"]["asks_devices"], json!(true));

    // Two are too few to be shown; with the third they are all there.
    for _ in 0..2 {
        say(device("intel", &tiny)).await;
        assert_eq!(months(&mut admin).await, json!([]));
    }
    say(device("apple", &[])).await;
    let shown = months(&mut admin).await;
    assert_eq!((&shown[0]["month"], &shown[0]["n"]), (&json!(day_of(now_s())[..7]), &json!(3)));
    assert_eq!(
        shown[0]["facts"]["gpu"],
        json!([{ "value": "others", "n": 3 }]),
        "one alone would be known"
    );
    assert_eq!(shown[0]["facts"]["memory"], json!([{ "value": "8", "n": 3 }]));
    assert_eq!(shown[0]["models"], json!([{ "model": "tiny", "at_least": 0, "at_most": 3 }]));

    for gpu in ["intel", "apple", "apple", "intel"] {
        say(device(gpu, if gpu == "intel" { &tiny } else { &[] })).await;
    }
    let shown = months(&mut admin).await;
    assert_eq!(shown[0]["n"], json!(6), "the seventh waits for others");
    assert_eq!(
        shown[0]["facts"]["gpu"],
        json!([{ "value": "apple", "n": 3 }, { "value": "intel", "n": 3 }])
    );
    assert_eq!(shown[0]["models"], json!([{ "model": "tiny", "at_least": 3, "at_most": 3 }]));

    // Only classes are taken, and no word of anybody's own.
    for report in [
        json!({ "gpu": "GeForce RTX 5090", "memory_gib": 8, "f16": true, "subgroups": true, "buffer_mib": 2048, "models": [] }),
        json!({ "gpu": "intel", "memory_gib": 7, "f16": true, "subgroups": true, "buffer_mib": 2048, "models": [] }),
        json!({ "gpu": "intel", "memory_gib": 8, "f16": true, "subgroups": true, "buffer_mib": 2048, "models": [], "id": "x" }),
    ] {
        assert_eq!(
            say(report.clone()).await.error(),
            (400, "invalid_request".to_owned()),
            "{report}"
        );
    }
    let sql = "SELECT count(*) FROM device_counts WHERE value IN ('of-somebodys-own', 'tiny')";
    let database = crate::database::of(&site.folder.0);
    let n = database.call_blocking(|db| db.query_row(sql, [], |row| row.get::<_, i64>(0)));
    assert_eq!(n.unwrap(), 1, "what the catalogue does not have is not kept");
}

#[tokio::test]
async fn the_overview_says_what_needs_looking_after() {
    let upstream = Upstream::start().await;
    let site = Site::with_config(&config(&upstream.url, &dead_url()), &[]);
    let mut admin = admin(&site).await;
    let mut mia = invited(&site, &mut admin, "mia", json!({})).await;
    asks(&mut mia, &site).await;
    for _ in 0..3 {
        let lost = mia.ask(&site, "POST", "/v1/chat/completions", chat("lost")).await;
        assert_eq!(lost.status, 503, "{}", lost.text());
    }
    let used = mia.session(&site).await["used"]["tokens_today"].as_u64().unwrap();
    let rules = json!({ "rules": { "tokens_per_day": used + 1, "storage_bytes": 1_000 } });
    assert_eq!(admin.ask(&site, "PUT", "/api/policy", rules).await.status, 204);
    admin.ask(&site, "POST", "/api/people/links", json!({ "note": "Ben" })).await;

    let told: Value = admin.get(&site, "/api/overview").await.json();
    let of = |id: &str| {
        let all = told["upstreams"].as_array().unwrap();
        all.iter().find(|one| one["id"] == id).unwrap().clone()
    };
    let (well, away) = (of("gpu"), of("away"));
    assert_eq!(
        (&well["is_well"], &well["n_requests"], &well["n_failed"]),
        (&json!(true), &json!(1), &json!(0))
    );
    assert!(well["latency_ms"].is_u64() && well["fault"].is_null(), "{well}");
    assert_eq!(
        (&away["is_well"], &away["n_requests"], &away["n_failed"]),
        (&json!(false), &json!(3), &json!(3))
    );
    assert_eq!(away["models"], json!(["lost"]));
    assert!(
        !away["fault"]["cause"].as_str().unwrap().is_empty() && away["wait_s"].as_u64() > Some(0),
        "{away}"
    );
    assert_eq!(told["people"], json!({ "n": 2, "n_admins": 1, "n_blocked": 0, "n_links": 1 }));
    assert_eq!((&told["backup"], &told["jobs"]["n_failed"]), (&Value::Null, &json!(0)));
    assert!(told["storage"]["free_bytes"].as_u64() > Some(0), "{told}");
    assert!(told["storage"]["database_bytes"].as_u64() > Some(0), "{told}");
    let today = &told["today"][0];
    assert_eq!(
        (
            &today["place"],
            today["prompt_tokens"].as_u64().unwrap() + today["completion_tokens"].as_u64().unwrap()
        ),
        (&json!("upstream"), used)
    );
    // Near a limit: how many, and whose only where the house looks at people.
    assert_eq!(told["quotas"], json!({ "n_people": 1, "near": null }));
    settings(&mut admin, &site, json!({ "detail": "people" })).await;
    let told: Value = admin.get(&site, "/api/overview").await.json();
    let near = &told["quotas"]["near"];
    assert_eq!((near.as_array().unwrap().len(), &near[0]["name"]), (1, &json!("mia")));
    assert_eq!(
        (&near[0]["limit"], &near[0]["used"], &near[0]["max"]),
        (&json!("tokens_per_day"), &json!(used), &json!(used + 1))
    );
}
