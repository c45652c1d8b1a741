//! People over HTTP: invited, signed in, held to rules, forgotten.

use std::collections::BTreeMap;
use std::process::Command;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use portico_server::keys::now_s;
use portico_server::people::{External, NewLink, NewPerson, PersonId, Role, admin_link, totp};
use portico_shared::openai::Role as MessageRole;
use portico_shared::sync::{Body as SyncBody, Hlc, MessageContent, Op, uuid_v7};
use serde_json::{Value, json};

use crate::common::*;
use crate::upstream::Upstream;

pub const PASSWORD: &str = "vier Bären im Regen";
const OTHER: &str = "fünf Bären im Schnee";

/// A browser: it keeps its cookie.
#[derive(Clone, Default)]
pub struct Browser {
    pub cookie: Option<String>,
}

impl Browser {
    pub async fn ask(&mut self, site: &Site, method: &str, path: &str, body: Value) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("sec-fetch-site", "same-origin")
            .header("user-agent", "test")
            .header("content-type", "application/json");
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let body = if method == "GET" { Body::empty() } else { Body::from(body.to_string()) };
        let answer = Answer::of(site.send(request.body(body).unwrap()).await).await;
        if let Some(set) = answer.headers.get("set-cookie") {
            let set = set.to_str().unwrap();
            assert!(set.contains("; HttpOnly; SameSite=Lax"), "{set}");
            self.cookie = Some(set.split(';').next().unwrap().to_owned());
        }
        answer
    }

    async fn post(&mut self, site: &Site, path: &str, body: Value) -> Answer {
        self.ask(site, "POST", path, body).await
    }

    pub async fn get(&mut self, site: &Site, path: &str) -> Answer {
        self.ask(site, "GET", path, Value::Null).await
    }

    async fn sign_in(&mut self, site: &Site, name: &str, password: &str) -> Answer {
        self.post(site, "/api/session", json!({ "name": name, "password": password })).await
    }

    pub async fn session(&mut self, site: &Site) -> Value {
        self.get(site, "/api/session").await.json()
    }
}

fn secret_of(url: &str) -> &str {
    url.split("/#/link/").nth(1).unwrap()
}

fn error(code: &str, status: u16) -> (u16, String) {
    (status, code.to_owned())
}

/// An administrator, signed in.
pub async fn admin(site: &Site) -> Browser {
    let secret = site.app.gateway.people.first_link().await.unwrap().unwrap();
    let mut admin = Browser::default();
    let open = json!({ "secret": secret, "name": "Ada", "password": PASSWORD });
    let opened = admin.post(site, "/api/links/open", open).await;
    assert_eq!(opened.status, 200, "{}", opened.text());
    admin
}

/// Somebody who was invited so, signed in.
pub async fn invited(site: &Site, admin: &mut Browser, name: &str, invitation: Value) -> Browser {
    let made = admin.post(site, "/api/people/links", invitation).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let url = made.json::<Value>()["url"].as_str().unwrap().to_owned();
    let mut browser = Browser::default();
    let open = json!({ "secret": secret_of(&url), "name": name, "password": PASSWORD });
    let opened = browser.post(site, "/api/links/open", open).await;
    assert_eq!(opened.status, 200, "{}", opened.text());
    browser
}

pub async fn id_of(browser: &mut Browser, site: &Site) -> String {
    browser.session(site).await["person"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_first_link_makes_an_admin_who_invites_others() {
    let site = Site::with_config("", &[]);
    let mut page = Browser::default();
    let here = page.session(&site).await;
    assert_eq!(
        (&here["house"]["has_people"], &here["person"], &here["manages"]),
        (&json!(false), &Value::Null, &json!(true))
    );
    assert_eq!(here["may"]["models_on_server"], json!(["*"]));

    // A later start's link replaces an earlier one's.
    let earlier = site.app.gateway.people.first_link().await.unwrap().unwrap();
    let mut admin = admin(&site).await;
    let again = json!({ "secret": earlier, "name": "Eve", "password": PASSWORD });
    assert_eq!(
        page.post(&site, "/api/links/open", again).await.error(),
        error("link_invalid", 410)
    );
    assert_eq!(site.app.gateway.people.first_link().await.unwrap(), None);
    let here = admin.session(&site).await;
    assert_eq!(here["person"]["name"], "ada", "sign-in names are lower case");
    assert_eq!((&here["person"]["role"], &here["manages"]), (&json!("admin"), &json!(true)));

    // From now on the page is a guest's.
    let here = page.session(&site).await;
    assert_eq!((&here["house"]["has_people"], &here["manages"]), (&json!(true), &json!(false)));
    assert_eq!(here["may"]["models_on_server"], json!([]));
    assert_eq!(here["may"]["models_on_device"], json!(["*"]));

    let invitation = json!({ "role": "member", "groups": ["staff"], "note": "Ben" });
    let made = admin.post(&site, "/api/people/links", invitation).await;
    let url = made.json::<Value>()["url"].as_str().unwrap().to_owned();
    let secret = secret_of(&url);
    let looked: Value =
        page.post(&site, "/api/links/look", json!({ "secret": secret })).await.json();
    assert_eq!((&looked["kind"], &looked["groups"]), (&json!("invite"), &json!(["staff"])));
    for (body, code, status) in [
        (
            json!({ "secret": secret, "name": "ben", "password": "password1234" }),
            "password_weak",
            422,
        ),
        (
            json!({ "secret": secret, "name": "ben", "password": "benbenbenben" }),
            "password_weak",
            422,
        ),
        (json!({ "secret": secret, "name": "a b", "password": PASSWORD }), "invalid_request", 400),
        (json!({ "secret": secret, "name": "ADA", "password": PASSWORD }), "person_exists", 409),
        (
            json!({ "secret": "0".repeat(64), "name": "ben", "password": PASSWORD }),
            "link_invalid",
            410,
        ),
    ] {
        let refused = page.post(&site, "/api/links/open", body.clone()).await;
        assert_eq!(refused.error(), error(code, status), "{body}");
    }
    let open =
        json!({ "secret": secret, "name": "ben", "password": PASSWORD, "display_name": "Ben B." });
    let mut ben = Browser::default();
    assert_eq!(ben.post(&site, "/api/links/open", open.clone()).await.status, 200);
    let person = ben.session(&site).await["person"].clone();
    assert_eq!((&person["display_name"], &person["groups"]), (&json!("Ben B."), &json!(["staff"])));
    assert_eq!(page.post(&site, "/api/links/open", open).await.error(), error("link_invalid", 410));

    // Names are no secret of administrators; nobody else lists them.
    let listed: Value = admin.get(&site, "/api/people").await.json();
    assert_eq!(listed["people"].as_array().unwrap().len(), 2);
    assert_eq!(ben.get(&site, "/api/people").await.error(), error("administrator_needed", 403));

    // The last admin cannot go.
    let id = id_of(&mut admin, &site).await;
    for change in [json!({ "role": "member" }), json!({ "blocked": true })] {
        let refused = admin.ask(&site, "PATCH", &format!("/api/people/{id}"), change).await;
        assert_eq!(refused.error(), error("last_admin", 409));
    }
    let refused = admin.post(&site, "/api/me/delete", json!({ "password": PASSWORD })).await;
    assert_eq!(refused.error(), error("last_admin", 409));
}

#[tokio::test]
async fn sessions_end_by_their_person_a_new_password_and_a_block() {
    let site = Site::with_config("", &[]);
    let mut admin = admin(&site).await;
    let mut one = invited(&site, &mut admin, "mia", json!({})).await;
    let mut two = Browser::default();
    let mut three = Browser::default();
    for browser in [&mut two, &mut three] {
        assert_eq!(browser.sign_in(&site, " MIA ", PASSWORD).await.status, 200);
    }
    let listed: Value = one.get(&site, "/api/me/sessions").await.json();
    let sessions = listed["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 3);
    let this = one.session(&site).await["session"].clone();
    assert!(sessions.iter().all(|session| session["is_this"] == (session["id"] == this)));

    let theirs = two.session(&site).await["session"].as_str().unwrap().to_owned();
    let ended = one.ask(&site, "DELETE", &format!("/api/me/sessions/{theirs}"), json!({})).await;
    assert_eq!(ended.status, 204);
    assert_eq!(two.session(&site).await["person"], Value::Null);

    for (body, code, status) in [
        (json!({ "old": "wrong", "new": OTHER }), "sign_in_failed", 401),
        (json!({ "old": PASSWORD, "new": "short" }), "password_weak", 422),
    ] {
        assert_eq!(one.post(&site, "/api/me/password", body).await.error(), error(code, status));
    }
    let changed =
        one.post(&site, "/api/me/password", json!({ "old": PASSWORD, "new": OTHER })).await;
    assert_eq!(changed.status, 204);
    assert_eq!(one.session(&site).await["person"]["name"], "mia", "this one goes on");
    assert_eq!(three.session(&site).await["person"], Value::Null);
    assert_eq!(two.sign_in(&site, "mia", PASSWORD).await.error(), error("sign_in_failed", 401));

    // Signed out is signed out, whoever kept the cookie.
    let mut copy = one.clone();
    assert_eq!(one.ask(&site, "DELETE", "/api/session", json!({})).await.status, 200);
    assert_eq!(copy.session(&site).await["person"], Value::Null);

    assert_eq!(one.sign_in(&site, "mia", OTHER).await.status, 200);
    let id = id_of(&mut one, &site).await;
    let path = format!("/api/people/{id}");
    let blocked = admin.ask(&site, "PATCH", &path, json!({ "blocked": true })).await;
    assert_eq!(blocked.status, 200);
    assert_eq!(one.session(&site).await["person"], Value::Null);
    assert_eq!(one.sign_in(&site, "mia", OTHER).await.error(), error("person_blocked", 403));
    assert_eq!(one.sign_in(&site, "mia", "wrong").await.error(), error("sign_in_failed", 401));
    admin.ask(&site, "PATCH", &path, json!({ "blocked": false })).await;

    // A new password by an administrator's link, which the next one replaces.
    let url = async |admin: &mut Browser| -> String {
        let made: Value = admin.post(&site, &format!("{path}/reset"), json!({})).await.json();
        made["url"].as_str().unwrap().to_owned()
    };
    let (first, second) = (url(&mut admin).await, url(&mut admin).await);
    let open = |url: &str| json!({ "secret": secret_of(url), "password": PASSWORD });
    assert_eq!(
        one.post(&site, "/api/links/open", open(&first)).await.error(),
        error("link_invalid", 410)
    );
    assert_eq!(one.post(&site, "/api/links/open", open(&second)).await.status, 200);
    assert_eq!(one.session(&site).await["person"]["name"], "mia");
    assert_eq!(
        one.post(&site, "/api/links/open", open(&second)).await.error(),
        error("link_invalid", 410)
    );
}

/// What this process has computed: of what others do beside it a clock on the wall would tell more.
fn processor_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // proc_pid_stat(5): behind the program's name, in brackets, utime and stime are the 12th and 13th; a tick
    // is a hundredth of a second.
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

#[tokio::test]
async fn attempts_are_limited_and_a_name_is_not_told_by_time() {
    let site = Site::with_config("", &[]);
    let mut admin = admin(&site).await;
    invited(&site, &mut admin, "mia", json!({})).await;
    let mut browser = Browser::default();
    let mut took = BTreeMap::<&str, f64>::new();
    for _ in 0..4 {
        for name in ["mia", "nobody"] {
            let start_s = processor_s();
            let refused = browser.sign_in(&site, name, "wrong password").await;
            *took.entry(name).or_default() += processor_s() - start_s;
            assert_eq!(refused.error(), error("sign_in_failed", 401), "{name}");
        }
    }
    let ratio = took["nobody"] / took["mia"];
    assert!((0.5..2.0).contains(&ratio), "{took:?}");
    // Of the fifth even the right password is not heard.
    browser.sign_in(&site, "mia", "wrong password").await;
    let refused = browser.sign_in(&site, "mia", PASSWORD).await;
    assert_eq!(refused.error(), error("too_many_attempts", 429));
    assert!(refused.header("retry-after").parse::<u64>().unwrap() <= 12);
    let unknown = browser.sign_in(&site, "nobody", "wrong password").await;
    assert_eq!(unknown.error(), error("sign_in_failed", 401));
    assert_eq!(
        browser.sign_in(&site, "nobody", "x").await.error(),
        error("too_many_attempts", 429)
    );
}

#[tokio::test]
async fn a_code_counts_once_and_a_recovery_code_too() {
    let site = Site::with_config("", &[]);
    let mut admin = admin(&site).await;
    let mut mia = invited(&site, &mut admin, "mia", json!({})).await;
    assert_eq!(
        mia.post(&site, "/api/me/totp", json!({ "password": "no" })).await.error(),
        error("sign_in_failed", 401)
    );
    let begun: Value =
        mia.post(&site, "/api/me/totp", json!({ "password": PASSWORD })).await.json();
    let secret = begun["secret"].as_str().unwrap().to_owned();
    assert!(begun["uri"].as_str().unwrap().starts_with("otpauth://totp/Portico:mia?secret="));
    // Not wanted before it was shown once to work.
    assert_eq!(Browser::default().sign_in(&site, "mia", PASSWORD).await.status, 200);
    let wrong = mia.ask(&site, "PUT", "/api/me/totp", json!({ "code": "12345" })).await;
    assert_eq!(wrong.error(), error("code_wrong", 401));
    let code = totp::code_for_tests(&secret, now_s());
    let done = mia.ask(&site, "PUT", "/api/me/totp", json!({ "code": code })).await;
    let recovery: Value = done.json();
    let recovery = recovery["recovery_codes"].as_array().unwrap();
    assert_eq!(recovery.len(), 10);

    let with = |code: &str| json!({ "name": "mia", "password": PASSWORD, "code": code });
    let mut browser = Browser::default();
    let refused = browser.sign_in(&site, "mia", PASSWORD).await;
    assert_eq!(refused.error(), error("code_needed", 401));
    // The code that set it up is used up; the next one's time is near enough.
    assert_eq!(
        browser.post(&site, "/api/session", with(&code)).await.error(),
        error("code_wrong", 401)
    );
    let next = totp::code_for_tests(&secret, now_s() + 30);
    let answers = [
        browser.post(&site, "/api/session", with(&next)).await,
        browser.post(&site, "/api/session", with(&next)).await,
    ];
    assert_eq!(answers[0].status, 200, "{}", answers[0].text());
    assert_eq!(answers[1].error(), error("code_wrong", 401), "replayed");
}

#[tokio::test]
async fn a_lost_app_is_met_by_recovery_codes_and_by_an_admin() {
    let site = Site::with_config("", &[]);
    let mut admin = admin(&site).await;
    let mut mia = invited(&site, &mut admin, "mia", json!({})).await;
    let begun: Value =
        mia.post(&site, "/api/me/totp", json!({ "password": PASSWORD })).await.json();
    let code = totp::code_for_tests(begun["secret"].as_str().unwrap(), now_s());
    let done: Value = mia.ask(&site, "PUT", "/api/me/totp", json!({ "code": code })).await.json();
    let recovery = done["recovery_codes"][0].as_str().unwrap().to_uppercase();
    let with = json!({ "name": "mia", "password": PASSWORD, "code": recovery });
    let mut browser = Browser::default();
    assert_eq!(browser.post(&site, "/api/session", with.clone()).await.status, 200);
    assert_eq!(browser.post(&site, "/api/session", with).await.error(), error("code_wrong", 401));
    let id = id_of(&mut mia, &site).await;
    let off = admin.post(&site, &format!("/api/people/{id}/totp/off"), json!({})).await;
    assert_eq!(off.status, 204);
    assert_eq!(browser.sign_in(&site, "mia", PASSWORD).await.status, 200);
}

/// A house whose model `large` answers upstream, eleven tokens of prompt and three of answer.
async fn house_with_model() -> (Site, Upstream) {
    let upstream = Upstream::start().await;
    let toml = format!(
        "[[upstreams]]\nid = \"u\"\nurl = \"{}\"\nhealth_every_s = 0\n\
         [[models]]\nid = \"large\"\naliases = [\"big\"]\n\
         endpoints = [{{ upstream = \"u\", model = \"org/good\" }}]\n",
        upstream.url
    );
    (Site::with_config(&toml, &[]), upstream)
}

fn question() -> Value {
    json!({ "model": "large", "messages": [{ "role": "user", "content": "the secret question" }] })
}

async fn chat(browser: &mut Browser, site: &Site) -> Answer {
    browser.post(site, "/v1/chat/completions", question()).await
}

#[tokio::test]
async fn one_policy_says_which_models_where_and_how_much() {
    let (site, _upstream) = house_with_model().await;
    let mut guest = Browser::default();
    assert_eq!(
        chat(&mut guest, &site).await.status,
        200,
        "whoever sits at it, while there is nobody"
    );
    let mut admin = admin(&site).await;
    assert_eq!(chat(&mut guest, &site).await.error(), error("place_forbidden", 403));
    let models: Value = guest.get(&site, "/v1/models").await.json();
    assert_eq!(models["data"], json!([]));

    let set = async |admin: &mut Browser, policy: Value| {
        assert_eq!(admin.ask(&site, "PUT", "/api/policy", policy).await.status, 204);
    };
    set(&mut admin, json!({ "guests": "server" })).await;
    assert_eq!(chat(&mut guest, &site).await.status, 200);
    set(&mut admin, json!({ "guests": "none" })).await;
    assert_eq!(chat(&mut guest, &site).await.error(), error("sign_in_needed", 401));
    assert_eq!(guest.session(&site).await["may"], Value::Null);

    // The house allows nothing; a group allows one model, and so many tokens.
    set(&mut admin, json!({ "rules": { "models_on_server": [], "models_on_device": [] } })).await;
    let group = json!({ "name": "staff", "policy": { "models_on_server": ["large"], "tokens_per_day": 20 } });
    assert_eq!(admin.post(&site, "/api/groups", group.clone()).await.status, 201);
    assert_eq!(admin.post(&site, "/api/groups", group).await.error(), error("group_exists", 409));
    let mut ben = invited(&site, &mut admin, "ben", json!({})).await;
    assert_eq!(chat(&mut ben, &site).await.error(), error("model_forbidden", 403));
    let mut mia = invited(&site, &mut admin, "mia", json!({ "groups": ["staff"] })).await;
    assert_eq!(mia.session(&site).await["may"]["tokens_per_day"], 20);

    // A key is hers: what it uses counts for both.
    let made: Value = mia
        .post(&site, "/api/me/keys", json!({ "name": "script", "scopes": ["chat"] }))
        .await
        .json();
    let key = format!("Bearer {}", made["secret"].as_str().unwrap());
    let by_key = async |path: &str, body: Value| {
        let request =
            Request::post(path).header("authorization", &key).body(Body::from(body.to_string()));
        Answer::of(site.send(request.unwrap()).await).await
    };
    assert_eq!(by_key("/v1/chat/completions", question()).await.status, 200);
    assert_eq!(by_key("/v1/embeddings", json!({})).await.error(), error("scope_missing", 403));
    assert_eq!(mia.session(&site).await["used"]["tokens_today"], 14);
    assert_eq!(chat(&mut mia, &site).await.status, 200);
    let refused = chat(&mut mia, &site).await;
    assert_eq!(refused.error(), error("quota_used_up", 429));
    assert_eq!(refused.json::<Value>()["error"]["type"], "insufficient_quota");
    assert_eq!(
        by_key("/v1/chat/completions", question()).await.error(),
        error("quota_used_up", 429)
    );
    let keys: Value = mia.get(&site, "/api/me/keys").await.json();
    assert_eq!(keys["keys"][0]["tokens_today"], 14);
    assert!(keys["keys"][0]["last_used_s"].as_u64().unwrap() + 60 > now_s());
    let revoked = mia
        .ask(
            &site,
            "DELETE",
            &format!("/api/me/keys/{}", made["key"]["id"].as_str().unwrap()),
            json!({}),
        )
        .await;
    assert_eq!(revoked.status, 204);
    assert_eq!(
        by_key("/v1/chat/completions", question()).await.error(),
        error("invalid_api_key", 401)
    );

    // A misspelt rule is no rule.
    let misspelt = admin.ask(&site, "PUT", "/api/policy", json!({ "rules": { "tool": [] } })).await;
    assert_eq!(misspelt.error(), error("invalid_request", 400));
    // Chats that stay on the device are not synced either.
    set(&mut admin, json!({ "rules": { "chats_leave_device": false } })).await;
    assert_eq!(
        ben.post(&site, "/api/sync/push", json!({})).await.error(),
        error("chats_stay_on_device", 403)
    );
}

#[tokio::test]
async fn the_audit_log_has_counts_and_never_a_word() {
    let (site, _upstream) = house_with_model().await;
    let mut admin = admin(&site).await;
    assert_eq!(chat(&mut admin, &site).await.status, 200);
    let device = json!({ "model": "=cmd|small", "prompt_tokens": 5, "completion_tokens": 7 });
    assert_eq!(admin.post(&site, "/api/audit/device-use", device.clone()).await.status, 204);
    let actions = |log: &Value| -> Vec<String> {
        let entries = log["entries"].as_array().unwrap();
        entries.iter().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
    };
    let log: Value = admin.get(&site, "/api/audit").await.json();
    assert_eq!(
        actions(&log),
        ["chat", "joined", "link_admin"],
        "the house did not want the device's"
    );
    let entry = &log["entries"][0];
    assert_eq!(
        (
            &entry["model"],
            &entry["place"],
            &entry["prompt_tokens"],
            &entry["completion_tokens"],
            &entry["outcome"]
        ),
        (&json!("large"), &json!("upstream"), &json!(11), &json!(3), &json!("ok"))
    );
    assert_eq!(entry["who"], id_of(&mut admin, &site).await);
    assert_eq!(
        admin.ask(&site, "PUT", "/api/policy", json!({ "audit_device_use": true })).await.status,
        204
    );
    admin.post(&site, "/api/audit/device-use", device).await;
    let text = json!({ "model": "m", "prompt_tokens": 1, "completion_tokens": 1, "text": "hello" });
    assert_eq!(
        admin.post(&site, "/api/audit/device-use", text).await.error(),
        error("invalid_request", 400)
    );
    let csv = admin.get(&site, "/api/audit.csv").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(csv.text().contains(",chat,,\"'=cmd|small\",device,5,7,ok\r\n"), "{}", csv.text());
    assert!(!csv.text().contains("secret question"));
    let only: Value = admin.get(&site, "/api/audit?action=joined&limit=1").await.json();
    assert_eq!(actions(&only), ["joined"]);
    assert_eq!(
        admin.ask(&site, "PUT", "/api/policy", json!({ "audit_days": 0 })).await.status,
        204
    );
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    admin.get(&site, "/api/audit").await;
    site.app.gateway.people.clean().await.unwrap();
    let log: Value = admin.get(&site, "/api/audit").await.json();
    assert_eq!(actions(&log), Vec::<String>::new());
    assert!(!found_in(&site, "secret question"));
}

/// Whether any file of the data folder has these bytes.
fn found_in(site: &Site, needle: &str) -> bool {
    site.app.gateway.close().unwrap();
    crate::database::lay_out(&site.folder.0);
    let mut folders = vec![site.folder.0.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            if bytes.windows(needle.len()).any(|window| window == needle.as_bytes()) {
                return true;
            }
        }
    }
    false
}

#[tokio::test]
async fn whoever_leaves_takes_everything_along() {
    let (site, _upstream) = house_with_model().await;
    let mut admin = admin(&site).await;
    let mut mia =
        invited(&site, &mut admin, "mia.musterfrau", json!({ "groups": ["staff"] })).await;
    assert_eq!(chat(&mut mia, &site).await.status, 200);
    mia.post(&site, "/api/me/keys", json!({ "name": "mias-script" })).await;
    let id = id_of(&mut mia, &site).await;
    let exported = mia.get(&site, "/api/me/export").await;
    assert_eq!(exported.header("content-disposition"), "attachment; filename=\"portico.json\"");
    let all: Value = exported.json();
    assert_eq!(all["person"]["name"], "mia.musterfrau");
    assert_eq!(all["groups"][0]["group_name"], "staff");
    assert_eq!(all["keys"][0]["name"], "mias-script");
    assert_eq!(all["usage"][0]["prompt_tokens"], 11);
    assert!(all["audit"].as_array().unwrap().iter().any(|line| line["action"] == "chat"));
    assert!(!exported.text().contains("argon2"));
    assert!(
        found_in(&site, &id) && found_in(&site, "mia.musterfrau"),
        "the search finds what is there"
    );

    let wrong = mia.post(&site, "/api/me/delete", json!({ "password": "wrong" })).await;
    assert_eq!(wrong.error(), error("sign_in_failed", 401));
    assert_eq!(
        mia.post(&site, "/api/me/delete", json!({ "password": PASSWORD })).await.status,
        204
    );
    assert_eq!(mia.session(&site).await["person"], Value::Null);
    for needle in [id.as_str(), "mia.musterfrau", "mias-script"] {
        assert!(!found_in(&site, needle), "{needle} is still there");
    }
    // What was used stays, by nobody.
    let log: Value = admin.get(&site, "/api/audit?action=chat").await.json();
    assert!(log["entries"][0]["who"].as_str().unwrap().starts_with("gone-"), "{log}");
    let listed: Value = admin.get(&site, "/api/people").await.json();
    assert_eq!(listed["people"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn groups_keep_their_rights_under_another_name() {
    let site = Site::with_config("", &[]);
    let mut admin = admin(&site).await;
    let mut mia = invited(&site, &mut admin, "mia", json!({ "groups": ["staff"] })).await;
    let new = json!({ "id": "papers", "title": "Papers", "groups": { "read": ["staff"] }, "embedder": "none" });
    assert_eq!(admin.post(&site, "/api/collections", new).await.status, 201);
    assert_eq!(mia.get(&site, "/api/collections/papers").await.status, 200);
    let renamed = admin.ask(&site, "PATCH", "/api/groups/staff", json!({ "name": "crew" })).await;
    assert_eq!(renamed.status, 204);
    assert_eq!(mia.session(&site).await["person"]["groups"], json!(["crew"]));
    assert_eq!(mia.get(&site, "/api/collections/papers").await.status, 200);
    assert_eq!(admin.ask(&site, "DELETE", "/api/groups/crew", json!({})).await.status, 204);
    assert_eq!(
        mia.get(&site, "/api/collections/papers").await.error(),
        error("collection_not_found", 404)
    );
    for name in ["everyone", "", " x"] {
        let refused = admin.post(&site, "/api/groups", json!({ "name": name })).await;
        assert_eq!(refused.error(), error("invalid_request", 400), "{name}");
    }
}

#[tokio::test]
async fn storage_is_counted_by_who_uploads() {
    let site = Site::with_config("", &[]);
    let mut admin = admin(&site).await;
    let mut mia = invited(&site, &mut admin, "mia", json!({ "groups": ["staff"] })).await;
    let groups = json!({ "contribute": ["staff"] });
    let new = json!({ "id": "papers", "title": "Papers", "groups": groups, "embedder": "none" });
    assert_eq!(admin.post(&site, "/api/collections", new).await.status, 201);
    let rules = json!({ "rules": { "storage_bytes": 40 } });
    assert_eq!(admin.ask(&site, "PUT", "/api/policy", rules).await.status, 204);
    let upload = async |browser: &Browser, name: &str, text: &str| {
        let request = Request::post(format!("/api/collections/papers/documents?name={name}"))
            .header("sec-fetch-site", "same-origin")
            .header("cookie", browser.cookie.as_deref().unwrap())
            .header("content-type", "text/plain")
            .body(Body::from(text.to_owned()));
        Answer::of(site.send(request.unwrap()).await).await
    };
    let full = error("storage_quota_full", 507);
    let thirty = "x".repeat(30);
    assert_eq!(upload(&mia, "a.txt", &"y".repeat(41)).await.error(), full);
    assert_eq!(upload(&mia, "a.txt", &thirty).await.status, 201);
    assert_eq!(mia.session(&site).await["used"]["storage_bytes"], 30);
    assert_eq!(upload(&mia, "b.txt", "a second document").await.error(), full);
    assert_eq!(upload(&admin, "b.txt", "a second document").await.status, 201, "hers is hers");
}

/// What `portico` prints.
fn portico(site: &Site, args: &[&str]) -> (bool, String) {
    let mut portico = Command::new(env!("CARGO_BIN_EXE_portico"));
    portico.arg("--data").arg(&site.folder.0).args(["--lang", "en"]).args(args);
    portico.envs(crate::storage::environment(&site.folder.0));
    let output = portico.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn the_command_line_lets_in_who_is_locked_out() {
    let site = Site::with_config("", &[]);
    let mut admin = admin(&site).await;
    let (_, text) = portico(&site, &["people", "invite", "--groups", "staff", "--role", "guest"]);
    let mut mia = Browser::default();
    let open = |text: &str, name: Option<&str>| json!({ "secret": secret_of(text.trim()), "name": name, "password": OTHER });
    assert_eq!(mia.post(&site, "/api/links/open", open(&text, Some("mia"))).await.status, 200);
    assert_eq!(mia.session(&site).await["person"]["role"], "guest");
    assert!(portico(&site, &["people", "role", "mia", "member"]).0);
    assert_eq!(mia.session(&site).await["person"]["role"], "member");
    assert!(portico(&site, &["people", "block", "mia"]).0);
    assert_eq!(mia.session(&site).await["person"], Value::Null);
    assert!(portico(&site, &["people", "unblock", "mia"]).0);
    let (is_done, text) = portico(&site, &["people", "block", "ada"]);
    assert!(!is_done && text.contains("last_admin"), "{text}");
    let (_, text) = portico(&site, &["people", "list"]);
    assert!(text.contains("ada") && text.contains("mia") && text.contains("staff"), "{text}");
    let (_, text) = portico(&site, &["people", "link", "ada"]);
    assert_eq!(admin.post(&site, "/api/links/open", open(&text, None)).await.status, 200);
    assert_eq!(admin.sign_in(&site, "ada", OTHER).await.status, 200);
    let (_, text) = portico(&site, &["people", "link", "--admin"]);
    let mut rescue = Browser::default();
    assert_eq!(
        rescue.post(&site, "/api/links/open", open(&text, Some("rescue"))).await.status,
        200
    );
    assert_eq!(rescue.session(&site).await["person"]["role"], "admin");
    assert!(!portico(&site, &["people", "link"]).0);
}

#[tokio::test]
async fn another_sites_page_neither_signs_in_nor_acts() {
    let site = Site::with_config("[server]\npublic_url = \"https://chat.example.org\"\n", &[]);
    let id: PersonId = {
        let new = NewPerson {
            name: "mia".to_owned(),
            display_name: String::new(),
            email: None,
            role: Role::Member,
            password: None,
            groups: Vec::new(),
        };
        site.app.gateway.people.add(new).await.unwrap()
    };
    let secret = site
        .app
        .gateway
        .people
        .begin_session(id, String::new(), External::default())
        .await
        .unwrap();
    let ask = async |method: &str, path: &str, headers: &[(&str, &str)]| {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(site.send(request.body(Body::from("{}")).unwrap()).await).await
    };
    let cookie = format!("__Host-portico_session={secret}");
    // Another host of the domain can set this one: it signs nobody in.
    let plain = format!("portico_session={secret}");
    let here: Value = ask("GET", "/api/session", &[("cookie", &plain)]).await.json();
    assert_eq!(here["person"], Value::Null);
    let evil = ("origin", "https://evil.example");
    let refused = ask("POST", "/api/session", &[evil]).await;
    assert_eq!(refused.error(), error("cross_site", 403));
    for headers in [vec![("cookie", cookie.as_str()), evil], vec![("cookie", &cookie)]] {
        let refused = ask("DELETE", "/api/session", &headers).await;
        assert_eq!(refused.error(), error("cross_site", 403));
    }
    let own = ("origin", "https://chat.example.org");
    let done = ask("DELETE", "/api/session", &[("cookie", &cookie), own]).await;
    assert_eq!(done.status, StatusCode::OK);
    // Behind HTTPS the cookie is bound to this very host.
    let set = done.header("set-cookie");
    assert!(
        set.starts_with("__Host-portico_session=; Path=/; Max-Age=0;") && set.ends_with("; Secure"),
        "{set}"
    );
    let _: NewLink = admin_link("test", 1);
}

#[tokio::test]
async fn a_header_is_believed_from_listed_proxies_only() {
    let site = Site::with_config(
        "[people]\ntrusted_header = \"X-Remote-User\"\nproxies = [\"10.0.0.1\"]\n",
        &[],
    );
    admin(&site).await;
    let from = async |address: &str| -> Value {
        let mut request = Request::get("/api/session")
            .header("sec-fetch-site", "same-origin")
            .header("x-remote-user", "Mia@Example.org")
            .body(Body::empty())
            .unwrap();
        let peer = portico_server::metrics::Peer(format!("{address}:5").parse().unwrap());
        request.extensions_mut().insert(peer);
        Answer::of(site.send(request).await).await.json()
    };
    assert_eq!(from("10.0.0.2").await["person"], Value::Null);
    let person = from("10.0.0.1").await["person"].clone();
    assert_eq!((&person["name"], &person["role"]), (&json!("mia@example.org"), &json!("member")));
    assert_eq!(from("10.0.0.1").await["person"]["id"], person["id"]);
}

#[tokio::test]
async fn what_is_done_to_documents_is_noted_by_whom_and_without_names() {
    let site = Site::with_config("", &[]);
    let mut admin = admin(&site).await;
    let mut mia = invited(&site, &mut admin, "mia", json!({ "groups": ["staff"] })).await;
    let groups = json!({ "contribute": ["staff"] });
    let new = json!({ "id": "papers", "title": "Papers", "groups": groups, "embedder": "none" });
    assert_eq!(admin.post(&site, "/api/collections", new).await.status, 201);
    let made: Value = mia.post(&site, "/api/me/keys", json!({ "name": "script" })).await.json();
    let key = format!("Bearer {}", made["secret"].as_str().unwrap());
    let upload = async |text: &str| -> String {
        let request = Request::post("/api/collections/papers/documents?name=salary-secrets.txt")
            .header("authorization", &key)
            .header("content-type", "text/plain")
            .body(Body::from(text.to_owned()));
        let taken: Value = Answer::of(site.send(request.unwrap()).await).await.json();
        taken["document"]["id"].as_str().unwrap().to_owned()
    };
    // What is there already is no act.
    let document = upload("one").await;
    assert_eq!([upload("one").await, upload("two").await], [document.as_str(), &document]);
    let path = format!("/api/documents/{document}");
    assert_eq!(mia.ask(&site, "DELETE", &path, json!({})).await.status, 204);
    let other = upload("three").await;
    let jobs: Value = mia.get(&site, "/api/jobs").await.json();
    let cancel = format!("/api/jobs/{}/cancel", jobs["jobs"][0]["id"].as_str().unwrap());
    assert_eq!(mia.ask(&site, "POST", &cancel, json!({})).await.status, 204);
    let papers = "/api/collections/papers";
    for change in [json!({ "title": "Secret papers" }), json!({ "groups": { "read": ["staff"] } })]
    {
        assert_eq!(admin.ask(&site, "PATCH", papers, change).await.status, 200);
    }
    assert_eq!(mia.ask(&site, "DELETE", papers, json!({})).await.error().1, "collection_read_only");
    assert_eq!(admin.ask(&site, "DELETE", papers, json!({})).await.status, 204);

    let (ada, hers) = (id_of(&mut admin, &site).await, id_of(&mut mia, &site).await);
    let log: Value = admin.get(&site, "/api/audit").await.json();
    let [object, other] = [document, other].map(|id| format!("papers/{id}"));
    let noted: Vec<[&str; 3]> = log["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| ["action", "who", "object"].map(|field| entry[field].as_str().unwrap()))
        .filter(|[action, ..]| action.starts_with("collection") || action.starts_with("document"))
        .collect();
    assert_eq!(
        noted,
        [
            ["collection_removed", ada.as_str(), "papers"],
            ["collection_rights_changed", &ada, "papers"],
            ["collection_changed", &ada, "papers"],
            ["document_cancelled", &hers, &other],
            ["document_added", &hers, &other],
            ["document_removed", &hers, &object],
            ["document_replaced", &hers, &object],
            ["document_added", &hers, &object],
            ["collection_added", &ada, "papers"],
        ]
    );
    let by = format!("/api/audit?action=document_added&who={hers}");
    let only: Value = admin.get(&site, &by).await.json();
    let by: Vec<_> =
        only["entries"].as_array().unwrap().iter().map(|entry| &entry["key"]).collect();
    assert_eq!(by, [&made["key"]["id"]; 2]);
    let csv = admin.get(&site, "/api/audit.csv").await;
    let csv = csv.text();
    assert!(!csv.contains("salary") && !csv.contains("Secret papers"), "{csv}");

    // The command line's acts are the operator's.
    assert!(portico(&site, &["collections", "create", "Files", "--embedder", "none"]).0);
    let folder = site.folder.write("in/a.txt", "a file").parent().unwrap().to_owned();
    let folder = folder.to_str().unwrap();
    assert!(portico(&site, &["ingest", folder, "--collection", "files"]).0);
    let log: Value = admin.get(&site, "/api/audit?who=operator").await.json();
    let noted = log["entries"].as_array().unwrap();
    let noted: Vec<_> = noted.iter().map(|entry| (&entry["action"], &entry["object"])).collect();
    let files = json!("files");
    assert_eq!(noted, [(&json!("folder_synced"), &files), (&json!("collection_added"), &files)]);
}

#[tokio::test]
async fn chats_leave_the_server_after_the_days_that_the_rules_give_them() {
    let site = Site::with_config("", &[]);
    let mut admin = admin(&site).await;
    let mut mia = invited(&site, &mut admin, "mia", json!({ "groups": ["staff"] })).await;
    let ops = |days_ago: u64, n: u8| {
        let ms = (now_s() - days_ago * 86_400) * 1_000;
        let conversation = uuid_v7(ms, &[n; 10]);
        let op = |i: u8, body| Op::new(uuid_v7(ms, &[n + i; 10]), Hlc { ms, n: i.into() }, body);
        let message = SyncBody::AddMessage {
            conversation,
            message: uuid_v7(ms, &[n + 3; 10]),
            parent: None,
            role: MessageRole::User,
            content: MessageContent::done(format!("said {days_ago} days ago")),
        };
        let ops = [op(1, SyncBody::CreateConversation { conversation }), op(2, message)];
        ops.map(|op| op.to_json() + "\n").concat()
    };
    for browser in [&mut admin, &mut mia] {
        let lines = ops(40, 10) + &ops(20, 20);
        let request = Request::post("/api/sync/push")
            .header("sec-fetch-site", "same-origin")
            .header("cookie", browser.cookie.as_deref().unwrap())
            .body(Body::from(lines));
        assert_eq!(site.send(request.unwrap()).await.status(), 200);
    }
    let policy = json!({ "policy": { "retention_days": 30 } });
    let changed = admin.ask(&site, "PATCH", "/api/groups/staff", policy).await;
    assert_eq!(changed.status, 204);
    let id = id_of(&mut mia, &site).await;
    let person: Value = admin.get(&site, &format!("/api/people/{id}")).await.json();
    assert_eq!((&person["name"], &person["may"]["retention_days"]), (&json!("mia"), &json!(30)));
    assert_eq!(person["may"], mia.session(&site).await["may"]);

    site.app.gateway.expire_chats().await.unwrap();
    let pulled = mia.get(&site, "/api/sync/pull").await;
    let pulled = pulled.text();
    assert!(
        !pulled.contains("said 40 days ago") && pulled.contains("said 20 days ago"),
        "{pulled}"
    );
    let heads = mia.get(&site, "/api/sync/snapshot").await;
    let heads = heads.text();
    assert_eq!(heads.lines().count(), 2, "a head and the conversation that is left: {heads}");
    // Nobody says anything of hers.
    let pulled = admin.get(&site, "/api/sync/pull").await;
    let pulled = pulled.text();
    assert!(pulled.contains("said 40 days ago"), "{pulled}");
}

#[tokio::test]
async fn a_tool_that_the_rules_do_not_name_is_not_called() {
    let (site, _upstream) = house_with_model().await;
    let mut admin = admin(&site).await;
    let mut question = question();
    question["tools"] = json!([{ "type": "search_documents" }]);
    for (tools, is_refused) in [(json!([]), true), (json!(["other"]), true), (json!(["*"]), false)]
    {
        let rules = json!({ "rules": { "tools": tools } });
        assert_eq!(admin.ask(&site, "PUT", "/api/policy", rules).await.status, 204);
        let answer = admin.post(&site, "/v1/chat/completions", question.clone()).await;
        let code = answer.json::<Value>()["error"]["code"].clone();
        assert_eq!(code == "tool_forbidden", is_refused, "{}", answer.text());
        assert!(!is_refused || answer.status == 403);
        // Without the tool it is answered as ever.
        assert_eq!(chat(&mut admin, &site).await.status, 200);
    }
}
