//! Chats that are shared inside the house: by whom, for whom, until when, and what of a person is left.

use axum::body::Body as HttpBody;
use axum::http::Request;
use serde_json::{Value, json};

use crate::common::*;
use crate::people::{Browser, admin, invited};
use crate::sync::{create, id};

const AT: &str = "/api/shares";

async fn member(site: &Site, admin: &mut Browser, name: &str, groups: &[&str]) -> Browser {
    invited(site, admin, name, json!({ "role": "member", "groups": groups })).await
}

async fn add_group(site: &Site, admin: &mut Browser, name: &str, policy: Value) {
    let group = json!({ "name": name, "policy": policy });
    let added = admin.ask(site, "POST", "/api/groups", group).await;
    assert_eq!(added.status, 201, "{}", added.text());
}

fn snapshot(text: &str) -> Value {
    let question =
        json!({ "role": "user", "text": "Why?", "at_ms": 1_000, "attachments": ["a.txt"] });
    let answer = json!({ "role": "assistant", "text": text, "at_ms": 2_000, "model": "smol",
        "place": "device", "sources": [{ "n": 1, "name": "Handbook" }] });
    json!({ "title": "Igel", "messages": [question, answer] })
}

fn new(conversation: u8, groups: &[&str]) -> Value {
    json!({ "conversation": id(conversation), "groups": groups, "snapshot": snapshot("Because.") })
}

/// Puts a conversation into somebody's log.
async fn push(site: &Site, by: &Browser, n: u8, conversation: u8) {
    let request = Request::post("/api/sync/push")
        .header("cookie", by.cookie.as_ref().unwrap())
        .header("portico-page", "1")
        .header("content-type", "application/x-ndjson");
    let line = HttpBody::from(create(n, conversation).to_json() + "\n");
    let pushed = Answer::of(site.send(request.body(line).unwrap()).await).await;
    let pushed: Value = pushed.json();
    assert_eq!((&pushed["n_new"], &pushed["refused"]), (&json!(1), &json!([])));
}

async fn share(site: &Site, by: &mut Browser, conversation: u8, groups: &[&str]) -> String {
    let made = by.ask(site, "POST", AT, new(conversation, groups)).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json::<Value>()["id"].as_str().unwrap().to_owned()
}

async fn reads(site: &Site, by: &mut Browser, id: &str) -> u16 {
    by.get(site, &format!("{AT}/{id}")).await.status.as_u16()
}

#[tokio::test]
async fn a_share_is_read_by_whom_it_is_for_until_it_is_ended() {
    let site = Site::with_config("", &[]);
    let mut admin = admin(&site).await;
    for group in ["staff", "board"] {
        add_group(&site, &mut admin, group, json!({})).await;
    }
    let mut mia = member(&site, &mut admin, "mia", &["staff"]).await;
    let mut bob = member(&site, &mut admin, "bob", &["staff"]).await;
    let mut eve = member(&site, &mut admin, "eve", &["board"]).await;
    for (n, conversation) in [(1, 50), (2, 51)] {
        push(&site, &mia, n, conversation).await;
    }
    let for_staff = share(&site, &mut mia, 50, &["staff"]).await;
    let for_all = share(&site, &mut mia, 51, &["everyone"]).await;
    for (by, expected) in [(&mut mia, (200, 200)), (&mut bob, (200, 200)), (&mut eve, (404, 200))] {
        let found = (reads(&site, by, &for_staff).await, reads(&site, by, &for_all).await);
        assert_eq!(found, expected);
    }
    // Administrators read what is for them, and nobody reads who is not signed in.
    assert_eq!(reads(&site, &mut admin, &for_staff).await, 404);
    let nobody = Browser::default().get(&site, &format!("{AT}/{for_all}")).await;
    assert_eq!(nobody.error(), (401, "sign_in_needed".into()));
    let read: Value = bob.get(&site, &format!("{AT}/{for_staff}")).await.json();
    assert_eq!((&read["by"], &read["is_own"]), (&json!("mia"), &json!(false)));
    assert_eq!(read["snapshot"], snapshot("Because."));
    assert!(read.get("conversation").is_none() && read.get("groups").is_none());

    // Another snapshot, other readers; nobody else's to say.
    let path = format!("{AT}/{for_staff}");
    let change = json!({ "snapshot": snapshot("Better."), "groups": ["everyone"] });
    for by in [&mut bob, &mut admin] {
        let refused = by.ask(&site, "PUT", &path, change.clone()).await;
        assert_eq!(refused.error(), (404, "share_not_found".into()));
    }
    assert_eq!(mia.ask(&site, "PUT", &path, change).await.status, 200);
    let read: Value = eve.get(&site, &path).await.json();
    assert_eq!(read["snapshot"], snapshot("Better."));
    let own: Value = mia.get(&site, AT).await.json();
    assert_eq!(own["shares"].as_array().unwrap().len(), 2);
    assert_eq!(bob.get(&site, AT).await.json::<Value>(), json!({ "shares": [] }));

    // A group that is gone widens nothing, and has none left in it.
    mia.ask(&site, "PUT", &path, json!({ "groups": ["staff"] })).await;
    admin.ask(&site, "PATCH", "/api/groups/staff", json!({ "name": "crew" })).await;
    assert_eq!(reads(&site, &mut bob, &for_staff).await, 200);
    admin.ask(&site, "DELETE", "/api/groups/crew", json!({})).await;
    assert_eq!(reads(&site, &mut bob, &for_staff).await, 404);
    assert_eq!(reads(&site, &mut mia, &for_staff).await, 200);

    // Ended by its owner, or by an administrator; by nobody else.
    let path = format!("{AT}/{for_all}");
    let refused = bob.ask(&site, "DELETE", &path, json!({})).await;
    assert_eq!(refused.error(), (404, "share_not_found".into()));
    assert_eq!(admin.ask(&site, "DELETE", &path, json!({})).await.status, 204);
    assert_eq!(reads(&site, &mut bob, &for_all).await, 404);
    let log: Value = admin.get(&site, "/api/audit?action=chat_share_ended").await.json();
    assert_eq!(log["entries"][0]["object"], for_all);
    let log: Value = admin.get(&site, "/api/audit").await.json();
    assert!(!log.to_string().contains("Because") && !log.to_string().contains("Igel"));
}

#[tokio::test]
async fn what_may_not_be_shared_is_refused_by_name() {
    let site = Site::with_config("", &[]);
    let mut admin = admin(&site).await;
    add_group(&site, &mut admin, "staff", json!({})).await;
    add_group(&site, &mut admin, "quiet", json!({ "share_chats": false })).await;
    add_group(&site, &mut admin, "kept", json!({ "chats_leave_device": false })).await;
    let mut mia = member(&site, &mut admin, "mia", &["staff"]).await;
    let mut eve = member(&site, &mut admin, "eve", &["quiet"]).await;
    let mut kim = member(&site, &mut admin, "kim", &["kept"]).await;
    for (n, by) in [(1, &mut mia), (2, &mut eve)] {
        push(&site, by, n, 50).await;
    }
    let refuse =
        async |by: &mut Browser, body: Value| by.ask(&site, "POST", AT, body).await.error();
    let is = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(refuse(&mut eve, new(50, &["everyone"])).await, is(403, "sharing_forbidden"));
    assert_eq!(refuse(&mut kim, new(50, &["everyone"])).await, is(403, "chats_stay_on_device"));
    assert_eq!(refuse(&mut mia, new(50, &["quiet"])).await, is(403, "sharing_forbidden"));
    assert_eq!(refuse(&mut admin, new(50, &["nobody"])).await, is(409, "share_not_synced"));
    assert_eq!(refuse(&mut mia, new(50, &[])).await, is(400, "invalid_request"));
    assert_eq!(refuse(&mut mia, new(51, &["staff"])).await, is(409, "share_not_synced"));
    let with = |field: &str, value: Value| {
        let mut all = new(50, &["staff"]);
        *all.pointer_mut(field).unwrap() = value;
        all
    };
    let step = json!([{ "role": "assistant", "text": "", "at_ms": 1, "steps": [] }]);
    for body in [
        with("/snapshot/messages", json!([])),
        with("/snapshot/messages", step),
        with("/snapshot/messages/0/role", json!("system")),
        with("/snapshot/title", json!("x".repeat(301))),
        with("/conversation", json!("x")),
    ] {
        assert_eq!(refuse(&mut mia, body.clone()).await, is(400, "invalid_request"), "{body}");
    }
    let large = with("/snapshot/messages/1/text", json!("x".repeat(1 << 20)));
    assert_eq!(refuse(&mut mia, large).await, is(413, "share_too_large"));
    let body = "x".repeat(3 << 20);
    let larger = with("/snapshot/messages/1/text", json!(body));
    assert_eq!(refuse(&mut mia, larger).await.0, 413);

    // One of each conversation, and so many of a person.
    share(&site, &mut mia, 50, &["staff"]).await;
    assert_eq!(refuse(&mut mia, new(50, &["staff"])).await, is(409, "share_exists"));
    crate::database::of(&site.folder.0)
        .call_blocking(|database| {
            let sql = "INSERT INTO shares SELECT 'n' || value, person, value, '', '{}', 0, 0, 0, 0
                FROM shares, json_each(?1) WHERE conversation = ?2";
            let many = json!((1..100).map(|n| n.to_string()).collect::<Vec<_>>()).to_string();
            database.execute(sql, (many, id(50).to_string()))
        })
        .unwrap();
    push(&site, &mia, 9, 59).await;
    assert_eq!(refuse(&mut mia, new(59, &["staff"])).await, is(409, "shares_full"));
}

#[tokio::test]
async fn shares_go_with_their_time_their_chat_and_their_person() {
    let site = Site::with_config("", &[]);
    let mut admin = admin(&site).await;
    let rules = json!({ "rules": { "retention_days": 30 } });
    assert_eq!(admin.ask(&site, "PUT", "/api/policy", rules).await.status, 204);
    let mut mia = member(&site, &mut admin, "mia", &[]).await;
    for (n, conversation) in [(1, 50), (2, 51)] {
        push(&site, &mia, n, conversation).await;
    }
    let old = share(&site, &mut mia, 50, &["everyone"]).await;
    let fresh = share(&site, &mut mia, 51, &["everyone"]).await;
    crate::database::of(&site.folder.0)
        .call_blocking({
            let old = old.clone();
            move |database| database.execute("UPDATE shares SET changed_s = 1 WHERE id = ?1", [old])
        })
        .unwrap();
    site.app.gateway.expire_chats().await.unwrap();
    assert_eq!(reads(&site, &mut admin, &old).await, 404);
    assert_eq!(reads(&site, &mut admin, &fresh).await, 200);

    // A chat that stays on its device from now on is shared no more.
    let path = format!("/api/sync/conversations/{}/withdraw", id(51));
    assert_eq!(mia.ask(&site, "POST", &path, json!({})).await.status, 204);
    let change = json!({ "snapshot": snapshot("More.") });
    let refused = mia.ask(&site, "PUT", &format!("{AT}/{fresh}"), change).await;
    assert_eq!(refused.error(), (404, "share_not_found".into()));
    let refused = mia.ask(&site, "POST", AT, new(51, &["everyone"])).await;
    assert_eq!(refused.error(), (403, "conversation_stays_on_device".into()));
    push(&site, &mia, 3, 52).await;
    let fresh = share(&site, &mut mia, 52, &["everyone"]).await;

    let exported: Value = mia.get(&site, "/api/me/export").await.json();
    assert_eq!(exported["shares"][0]["snapshot"], snapshot("Because."));
    let me: Value = mia.get(&site, "/api/session").await.json();
    let path = format!("/api/people/{}", me["person"]["id"].as_str().unwrap());
    assert_eq!(admin.ask(&site, "DELETE", &path, json!({})).await.status, 204);
    assert_eq!(reads(&site, &mut admin, &fresh).await, 404);
    let n: i64 = crate::database::of(&site.folder.0)
        .call_blocking(|database| {
            let sql = "SELECT (SELECT count(*) FROM shares) + (SELECT count(*) FROM share_groups)";
            database.query_row(sql, [], |row| row.get(0))
        })
        .unwrap();
    assert_eq!(n, 0);
}

#[tokio::test]
async fn an_encrypted_chat_is_shared_only_where_its_person_accepts_what_that_means() {
    let site = Site::with_config("", &[]);
    let mut admin = admin(&site).await;
    let state: Value = admin.get(&site, "/api/sync/keyring").await.json();
    let keyring = json!({ "revision": state["revision"], "epoch": state["epoch"],
        "cursor": state["cursor"], "keyring": { "v": 1 } });
    let put = admin.ask(&site, "PUT", "/api/sync/keyring", keyring).await;
    assert_eq!(put.status, 200, "{}", put.text());
    let mut body = new(50, &["everyone"]);
    let refused = admin.ask(&site, "POST", AT, body.clone()).await;
    assert_eq!(refused.error(), (409, "share_readable".into()));
    body["accepts_readable"] = json!(true);
    assert_eq!(admin.ask(&site, "POST", AT, body).await.status, 201);
}
