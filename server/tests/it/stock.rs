//! An administrator's work on models over HTTP, with a hub on this machine: fetched, stopped, taken up,
//! damaged, refused, uploaded, removed.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use portico_server::models::sha256::of_bytes;
use serde_json::{Value, json};

use crate::common::*;
use crate::hub::Hub;
use crate::people::{Browser, admin};

const SOURCE: &str = "[[models.sources]]\ntype = \"hub\"\nrepo = \"owner/tiny\"";

/// A catalogue of one model, which comes from this hub.
fn catalogue(hub: &Hub, file: &str) -> String {
    let address = hub.address;
    let entry = entry("tiny", "tiny.gguf", 100, SOURCE);
    let entry = entry.replace(r#"{ name = "tiny.gguf", size_bytes = 100 }"#, file);
    format!("hub_url = \"http://{address}\"\n{entry}")
}

fn plain(bytes: &[u8]) -> String {
    format!(r#"{{ name = "tiny.gguf", size_bytes = {} }}"#, bytes.len())
}

fn with_terms(catalogue: &str) -> String {
    let terms = r#"licence = { id = "LicenseRef-Tiny", name = "Tiny Terms", url = "https://tiny.example/terms" }"#;
    catalogue.replace(r#"licence = { id = "MIT" }"#, terms)
}

async fn job(site: &Site, admin: &mut Browser) -> Value {
    admin.get(site, "/api/models/job").await.json::<Value>()["job"].clone()
}

async fn until(site: &Site, admin: &mut Browser, is_it: impl Fn(&Value) -> bool) -> Value {
    let start = Instant::now();
    loop {
        let job = job(site, admin).await;
        if is_it(&job) {
            return job;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{job}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn ended(site: &Site, admin: &mut Browser) -> Value {
    until(site, admin, |job| job["state"] != "running").await
}

async fn tiny(site: &Site, admin: &mut Browser) -> Value {
    let listing: Value = admin.get(site, "/api/models").await.json();
    listing["models"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_fetched_with_its_terms_stopped_and_taken_up_where_it_stopped() {
    let bytes = big_gguf(21);
    let hub = Hub::start(bytes.clone(), true).await;
    let site = Site::new(&with_terms(&catalogue(&hub, &plain(&bytes))), &[]);
    let mut admin = admin(&site).await;
    let listing: Value = admin.get(&site, "/api/models").await.json();
    let machine = &listing["machine"];
    for number in ["n_cores", "n_threads", "budget_bytes", "disk_free_bytes", "memory_bytes_per_s"]
    {
        assert!(machine[number].as_u64().unwrap() > 0, "{number}: {machine}");
    }
    let model = &listing["models"][0];
    assert_eq!((&model["presence"], &model["needs_acceptance"]), (&json!("absent"), &json!(true)));
    assert_eq!((&model["accepted"], &model["on_devices"]), (&Value::Null, &json!("most")));
    assert_eq!(listing["job"], Value::Null);

    let pull = "/api/models/tiny/pull";
    let refused = admin.ask(&site, "POST", pull, json!({})).await;
    assert_eq!(refused.error(), (409, "licence_not_accepted".into()));
    assert!(refused.text().contains("Tiny Terms"));
    let unknown = admin.ask(&site, "POST", "/api/models/none/pull", json!({})).await;
    assert_eq!(unknown.error(), (404, "model_not_found".into()));

    hub.pace_ms.store(60, Ordering::SeqCst);
    let begun = admin.ask(&site, "POST", pull, json!({ "accept_licence": true })).await;
    assert_eq!(begun.status, 202, "{}", begun.text());
    let busy = admin.ask(&site, "POST", pull, json!({})).await;
    assert_eq!(busy.error(), (409, "models_busy".into()));
    let running = until(&site, &mut admin, |job| job["done_bytes"].as_u64() > Some(1 << 20)).await;
    assert_eq!((&running["task"], &running["phase"]), (&json!("pull"), &json!("fetching")));
    assert_eq!(running["total_bytes"], bytes.len());
    assert!(running["bytes_per_s"].as_u64() > Some(0) && running["left_s"].is_u64(), "{running}");
    let in_work = admin.ask(&site, "DELETE", "/api/models/tiny", json!({})).await;
    assert_eq!(in_work.error(), (409, "models_busy".into()));
    admin.ask(&site, "DELETE", "/api/models/job", json!({})).await;
    assert_eq!(ended(&site, &mut admin).await["state"], "cancelled");
    let stopped = tiny(&site, &mut admin).await;
    let part_bytes = stopped["part_bytes"].as_u64().unwrap();
    assert_eq!(stopped["presence"], "part");
    assert!(part_bytes > 1 << 20 && part_bytes < bytes.len() as u64, "{part_bytes}");
    assert_eq!(stopped["accepted"]["by"], "ada");

    // The terms were accepted; what came stays.
    hub.pace_ms.store(0, Ordering::SeqCst);
    hub.ranges.lock().unwrap().clear();
    assert_eq!(admin.ask(&site, "POST", pull, json!({})).await.status, 202);
    assert_eq!(ended(&site, &mut admin).await["state"], "done");
    assert_eq!(hub.ranges.lock().unwrap().last().unwrap(), &format!("bytes={part_bytes}-"));
    assert!(std::fs::read(site.model_path()).unwrap() == bytes);
    assert_eq!(tiny(&site, &mut admin).await["presence"], "here");

    let verify = "/api/models/tiny/verify";
    assert_eq!(admin.ask(&site, "POST", verify, json!({})).await.status, 202);
    let good = ended(&site, &mut admin).await;
    assert_eq!((&good["state"], &good["files"][0]["verdict"]), (&json!("done"), &json!("ok")));
    let mut damaged = bytes.clone();
    damaged[5_000_000] ^= 1;
    overwrite(&site.model_path(), &damaged);
    admin.ask(&site, "POST", verify, json!({})).await;
    let bad = ended(&site, &mut admin).await;
    assert_eq!((&bad["state"], &bad["files"][0]["verdict"]), (&json!("failed"), &json!("damaged")));

    let removed: Value = admin.ask(&site, "DELETE", "/api/models/tiny", json!({})).await.json();
    assert!(removed["freed_bytes"].as_u64() >= Some(bytes.len() as u64), "{removed}");
    let log = admin.get(&site, "/api/audit").await;
    for line in ["licence_accepted", "model_pulled", "cancelled", "model_verified", "model_removed"]
    {
        assert!(log.text().contains(line), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_a_restart_cut_off_goes_on() {
    let bytes = big_gguf(22);
    let hub = Hub::start(bytes.clone(), true).await;
    let site = Site::new(&catalogue(&hub, &plain(&bytes)), &[]);
    let mut admin = admin(&site).await;
    hub.pace_ms.store(60, Ordering::SeqCst);
    admin.ask(&site, "POST", "/api/models/tiny/pull", json!({})).await;
    until(&site, &mut admin, |job| job["done_bytes"].as_u64() > Some(1 << 20)).await;
    // As a server that is killed leaves it.
    let running = std::fs::read(site.folder.0.join("models.job.json")).unwrap();
    admin.ask(&site, "DELETE", "/api/models/job", json!({})).await;
    ended(&site, &mut admin).await;
    std::fs::write(site.folder.0.join("models.job.json"), running).unwrap();

    hub.pace_ms.store(0, Ordering::SeqCst);
    let Site { folder, .. } = site;
    let site = Site::in_folder(folder, "");
    assert_eq!(job(&site, &mut admin).await["state"], "cancelled", "nothing runs unasked yet");
    site.app.gateway.stock.resume();
    assert_eq!(ended(&site, &mut admin).await["state"], "done");
    assert!(std::fs::read(site.model_path()).unwrap() == bytes);
    let before = hub.ranges.lock().unwrap().len();
    Arc::clone(&site.app.gateway.stock).resume();
    assert_eq!(job(&site, &mut admin).await["state"], "done");
    assert_eq!(hub.ranges.lock().unwrap().len(), before, "what is done is not fetched again");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_a_download_has_its_code_and_leaves_no_model() {
    let bytes = big_gguf(23);
    let hub = Hub::start(bytes.clone(), true).await;
    let pinned = |sha256: &str| {
        let size = bytes.len();
        format!(r#"{{ name = "tiny.gguf", size_bytes = {size}, sha256 = "{sha256}" }}"#)
    };
    // More than any disk of today: 2 TiB in files of the largest size that a catalogue takes.
    let part = |i: u32| format!(r#"{{ name = "{i}.gguf", size_bytes = {} }}"#, 64_u64 << 30);
    let huge = (0..32).map(part).collect::<Vec<_>>().join(", ");
    let right = catalogue(&hub, &pinned(&of_bytes(&bytes)));
    let nowhere = right.replace(&hub.address.to_string(), "127.0.0.1:1");
    for (catalogue, full, code) in [
        (catalogue(&hub, &pinned(&"0".repeat(64))), false, "digest_mismatch"),
        (nowhere, false, "source_unreachable"),
        (right, true, "disk_full"),
        (catalogue(&hub, &huge), false, "disk_too_small"),
    ] {
        let site = Site::new(&catalogue, &[]);
        let mut admin = admin(&site).await;
        if full {
            std::fs::create_dir_all(site.folder.0.join("models/tiny")).unwrap();
            let part = site.folder.0.join("models/tiny/tiny.gguf.part");
            std::os::unix::fs::symlink("/dev/full", part).unwrap();
        }
        let begun = admin.ask(&site, "POST", "/api/models/tiny/pull", json!({})).await;
        if code == "disk_too_small" {
            assert_eq!(begun.error(), (507, code.into()));
            assert_eq!(job(&site, &mut admin).await, Value::Null);
            continue;
        }
        assert_eq!(begun.status, 202, "{}", begun.text());
        let failed = ended(&site, &mut admin).await;
        assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!(code)));
        let folder = site.folder.0.to_string_lossy().into_owned();
        assert!(!failed.to_string().contains(&folder), "a path of the server: {failed}");
        assert!(!site.model_path().exists(), "{code}");
        let log = admin.get(&site, "/api/audit?action=model_pulled").await;
        assert!(log.text().contains(code), "{}", log.text());
    }
}

async fn upload(site: &Site, by: &Browser, name: &str, bytes: &[u8]) -> Answer {
    let cookie = by.cookie.clone().unwrap_or_default();
    let request = Request::put(format!("/api/models/upload?name={name}"))
        .header("sec-fetch-site", "same-origin")
        .header("cookie", cookie)
        .header("content-length", bytes.len());
    Answer::of(site.send(request.body(Body::from(bytes.to_vec())).unwrap()).await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_houses_own_is_uploaded_judged_chosen_and_kept_while_it_is_needed() {
    let site = Site::new("models = []", &[]);
    let mut admin = admin(&site).await;
    let bytes = gguf("llama", 400_000, 24);
    for (name, bytes, code) in [
        ("mamba.gguf", gguf("mamba", 4_000, 24), "model_unsupported"),
        ("text.gguf", b"no model".to_vec(), "model_invalid"),
    ] {
        let failed: Value = upload(&site, &admin, name, &bytes).await.json();
        assert_eq!(failed["job"]["error"]["code"], code, "{failed}");
    }
    let refused = upload(&site, &admin, "model.bin", &bytes).await;
    assert_eq!(refused.error(), (400, "invalid_request".into()));
    let added: Value = upload(&site, &admin, "..%2FMy%20Model.gguf", &bytes).await.json();
    assert_eq!((&added["job"]["state"], &added["job"]["task"]), (&json!("done"), &json!("add")));
    let again: Value = upload(&site, &admin, "My-Model.gguf", &bytes).await.json();
    assert_eq!(again["job"]["error"]["code"], "model_exists");
    let mine = tiny(&site, &mut admin).await;
    assert_eq!((&mine["id"], &mine["added"]), (&json!("my-model"), &json!(true)));
    let left = std::fs::read_dir(site.folder.0.join("models")).unwrap();
    assert_eq!(left.count(), 1, "nothing else stays behind");

    for (wrong, code) in [
        (json!({ "embedder": "my-model" }), "invalid_request"),
        (json!({ "chat": "none" }), "model_not_found"),
    ] {
        let refused = admin.ask(&site, "PUT", "/api/models/defaults", wrong).await;
        assert_eq!(refused.error().1, code);
    }
    let chosen = json!({ "chat": "my-model", "embedder": null });
    assert_eq!(admin.ask(&site, "PUT", "/api/models/defaults", chosen.clone()).await.status, 200);
    let listing: Value = admin.get(&site, "/api/models").await.json();
    assert_eq!((&listing["chosen"], &listing["default_model"]), (&chosen, &json!("my-model")));
    let catalogue: Value = site.get("/api/catalogue").await.json();
    assert_eq!(catalogue["default_model"], "my-model");

    let database = crate::database::of(&site.folder.0);
    let sql = "INSERT INTO collections (id, title, embedder, created_s) VALUES (?1, ?1, ?2, 1)";
    database.call_blocking(move |db| db.execute(sql, ("papers", "my-model"))).unwrap();
    let needed = admin.ask(&site, "DELETE", "/api/models/my-model", json!({})).await;
    assert_eq!(needed.error(), (409, "model_in_use".into()));
    assert!(needed.text().contains("papers"));
    let rules = json!({ "rules": { "models_on_server": ["other"] } });
    assert!(admin.ask(&site, "PUT", "/api/policy", rules).await.status.is_success());
    let seen = tiny(&site, &mut admin).await;
    assert_eq!(
        (&seen["server_allowed"]["house"], &seen["devices_allowed"]["house"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(seen["collections"], json!(["papers"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalogues_choice_of_another_is_offered_first_only_while_it_is_here() {
    let bytes = gguf("llama", 400, 25);
    let catalogue = entry("one", "a.gguf", bytes.len(), "default = true")
        + &entry("two", "a.gguf", bytes.len(), "");
    let site = Site::new(&catalogue, &[("one/a.gguf", &bytes), ("two/a.gguf", &bytes)]);
    let mut admin = admin(&site).await;
    let first = async || site.get("/api/catalogue").await.json::<Value>()["default_model"].clone();
    assert_eq!(first().await, "one");
    let chosen = json!({ "chat": "two" });
    admin.ask(&site, "PUT", "/api/models/defaults", chosen).await;
    assert_eq!(first().await, "two");
    admin.ask(&site, "DELETE", "/api/models/two", json!({})).await;
    assert_eq!(first().await, "one");
}
