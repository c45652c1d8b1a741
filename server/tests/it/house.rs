//! What is announced to whom, and who may use and change which prompts.

use portico_server::keys::now_s;
use serde_json::{Value, json};

use crate::common::*;
use crate::people::{Browser, admin};

/// Somebody who opens an invitation of the administrator.
async fn invited(site: &Site, admin: &mut Browser, name: &str, groups: &[&str]) -> Browser {
    let link = json!({ "role": "member", "groups": groups });
    let made: Value = admin.ask(site, "POST", "/api/people/links", link).await.json();
    let secret = made["url"].as_str().unwrap().split("/#/link/").nth(1).unwrap().to_owned();
    let mut browser = Browser::default();
    let open = json!({ "secret": secret, "name": name, "password": "sieben Igel im Laub" });
    let opened = browser.ask(site, "POST", "/api/links/open", open).await;
    assert_eq!(opened.status, 200, "{}", opened.text());
    browser
}

async fn add_group(site: &Site, admin: &mut Browser, name: &str, policy: Value) {
    let group = json!({ "name": name, "policy": policy });
    let added = admin.ask(site, "POST", "/api/groups", group).await;
    assert_eq!(added.status, 201, "{}", added.text());
}

/// Titles that somebody is shown.
async fn titles(site: &Site, by: &mut Browser, path: &str) -> Vec<String> {
    let shown: Value = by.get(site, path).await.json();
    let list = shown.as_object().unwrap().values().next().unwrap().as_array().unwrap().clone();
    list.iter().map(|one| one["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_announcement_is_shown_to_whom_it_is_for_and_while_it_is_on() {
    let site = Site::with_config("", &[]);
    let at = "/api/announcements";
    assert_eq!(titles(&site, &mut Browser::default(), at).await, Vec::<String>::new());
    let mut admin = admin(&site).await;
    for group in ["staff", "board"] {
        add_group(&site, &mut admin, group, json!({})).await;
    }
    let mut mia = invited(&site, &mut admin, "mia", &["staff"]).await;
    let now_s = now_s();
    let mut ids = Vec::new();
    for (title, from_s, until_s, groups) in [
        ("for all", None, None, json!([])),
        ("for staff", None, Some(now_s + 600), json!(["staff"])),
        ("for board", None, None, json!(["board"])),
        ("for both", None, None, json!(["staff", "board"])),
        ("over", None, Some(now_s - 1), json!([])),
        ("to come", Some(now_s + 600), None, json!(["staff"])),
    ] {
        let new = json!({ "title": title, "text": "*text*", "from_s": from_s, "until_s": until_s,
            "groups": groups });
        let made = admin.ask(&site, "POST", at, new).await;
        assert_eq!(made.status, 201, "{}", made.text());
        ids.push(made.json::<Value>()["id"].as_str().unwrap().to_owned());
    }
    let sorted = async |by: &mut Browser| {
        let mut titles = titles(&site, by, at).await;
        titles.sort_unstable();
        titles
    };
    assert_eq!(sorted(&mut Browser::default()).await, ["for all"]);
    assert_eq!(sorted(&mut mia).await, ["for all", "for both", "for staff"]);
    assert_eq!(titles(&site, &mut admin, "/api/announcements/all").await.len(), 6);
    let shown: Value = mia.get(&site, at).await.json();
    assert!(shown["announcements"][0].get("groups").is_none(), "who else reads it is not told");

    // Another name of the group, then none any more.
    admin.ask(&site, "PATCH", "/api/groups/staff", json!({ "name": "crew" })).await;
    assert_eq!(sorted(&mut mia).await, ["for all", "for both", "for staff"]);
    let gone = admin.ask(&site, "DELETE", "/api/groups/crew", json!({})).await;
    assert_eq!(gone.status, 204);
    assert_eq!(sorted(&mut mia).await, ["for all"], "never wider than it was meant");

    // Changed, deleted, refused.
    let change = |title: &str| json!({ "title": title, "text": "text" });
    let path = format!("{at}/{}", ids[2]);
    assert_eq!(admin.ask(&site, "PUT", &path, change("now for all")).await.status, 200);
    assert_eq!(sorted(&mut mia).await, ["for all", "now for all"]);
    assert_eq!(admin.ask(&site, "DELETE", &path, json!({})).await.status, 204);
    for method in ["PUT", "DELETE"] {
        let missing = admin.ask(&site, method, &path, change("x")).await;
        assert_eq!(missing.error(), (404, "announcement_not_found".into()));
    }
    for (wrong, expected) in [
        (json!({ "title": "a", "text": "" }), (400, "invalid_request")),
        (json!({ "title": "a", "text": "b", "html": "c" }), (400, "invalid_request")),
        (json!({ "title": "a", "text": "b", "from_s": 9, "until_s": 8 }), (400, "invalid_request")),
        (json!({ "title": "a", "text": "b", "groups": ["nobody"] }), (404, "group_not_found")),
    ] {
        let refused = admin.ask(&site, "POST", at, wrong).await.error();
        assert_eq!(refused, (expected.0, expected.1.into()));
    }
    for n in 5..100 {
        let made = admin.ask(&site, "POST", at, change(&n.to_string())).await;
        assert_eq!(made.status, 201, "{n}: {}", made.text());
    }
    let full = admin.ask(&site, "POST", at, change("one more")).await;
    assert_eq!(full.error(), (409, "announcements_full".into()));
    let log: Value = admin.get(&site, "/api/audit?action=announcement_removed").await.json();
    assert_eq!(log["entries"][0]["object"], ids[2]);
}

#[tokio::test]
async fn prompts_are_a_persons_own_a_groups_or_the_houses() {
    let site = Site::with_config("", &[]);
    let at = "/api/prompts";
    let mut admin = admin(&site).await;
    add_group(&site, &mut admin, "staff", json!({})).await;
    add_group(&site, &mut admin, "board", json!({})).await;
    add_group(&site, &mut admin, "quiet", json!({ "share_with_groups": false })).await;
    let mut mia = invited(&site, &mut admin, "mia", &["staff"]).await;
    let mut bob = invited(&site, &mut admin, "bob", &["staff"]).await;
    let mut eve = invited(&site, &mut admin, "eve", &["quiet"]).await;
    let new = |title: &str, group: Option<&str>| json!({ "title": title, "description": " why ", "text": "Write to {{name}}.\r\n", "group": group });
    let add = async |by: &mut Browser, title: &str, group: Option<&str>| -> String {
        let made = by.ask(&site, "POST", at, new(title, group)).await;
        assert_eq!(made.status, 201, "{title}: {}", made.text());
        made.json::<Value>()["id"].as_str().unwrap().to_owned()
    };
    let own = add(&mut mia, "own", None).await;
    let shared = add(&mut mia, "shared", Some("staff")).await;
    let house = add(&mut admin, "house", Some("everyone")).await;
    add(&mut admin, "board", Some("board")).await;

    assert_eq!(titles(&site, &mut mia, at).await, ["house", "own", "shared"]);
    assert_eq!(titles(&site, &mut bob, at).await, ["house", "shared"]);
    assert_eq!(titles(&site, &mut eve, at).await, ["house"]);
    assert_eq!(titles(&site, &mut Browser::default(), at).await, ["house"]);
    assert_eq!(titles(&site, &mut admin, at).await, ["house"], "only what is for them");
    let all = titles(&site, &mut admin, "/api/prompts?all=true").await;
    assert_eq!(all, ["board", "house", "shared"], "a person's own is nobody else's");
    let refused = mia.get(&site, "/api/prompts?all=true").await.error();
    assert_eq!(refused, (403, "administrator_needed".into()));
    let list: Value = bob.get(&site, at).await.json();
    assert_eq!(list["prompts"][1]["text"], "Write to {{name}}.");
    assert_eq!(list["prompts"][1]["description"], "why");
    assert_eq!(list["prompts"][1]["may_change"], false);
    let list: Value = mia.get(&site, at).await.json();
    let may: Vec<_> =
        list["prompts"].as_array().unwrap().iter().map(|one| one["may_change"].clone()).collect();
    assert_eq!(may, [json!(false), json!(true), json!(true)]);

    for (by, group, expected) in [
        (&mut mia, "everyone", (403, "sharing_forbidden")),
        (&mut bob, "board", (403, "sharing_forbidden")),
        (&mut eve, "quiet", (403, "sharing_forbidden")),
        (&mut admin, "nobody", (404, "group_not_found")),
        (&mut Browser::default(), "staff", (401, "sign_in_needed")),
    ] {
        let refused = by.ask(&site, "POST", at, new("x", Some(group))).await.error();
        assert_eq!(refused, (expected.0, expected.1.to_owned()), "{group}");
    }
    let change = || json!({ "title": "new", "text": "other" });
    let mut bob_too = bob.clone();
    for (by, id, expected) in [
        (&mut bob_too, &own, (404, "prompt_not_found")),
        (&mut admin, &own, (404, "prompt_not_found")),
        (&mut bob, &shared, (403, "prompt_read_only")),
        (&mut mia, &house, (403, "prompt_read_only")),
        (&mut eve, &shared, (404, "prompt_not_found")),
    ] {
        for method in ["PUT", "DELETE"] {
            let refused = by.ask(&site, method, &format!("{at}/{id}"), change()).await.error();
            assert_eq!(refused, (expected.0, expected.1.to_owned()), "{method} {id}");
        }
    }
    for wrong in [json!({ "title": "", "text": "x" }), json!({ "title": "x", "text": " " })] {
        let refused = mia.ask(&site, "PUT", &format!("{at}/{own}"), wrong).await.error();
        assert_eq!(refused, (400, "invalid_request".into()));
    }
    let changed = mia.ask(&site, "PUT", &format!("{at}/{shared}"), change()).await;
    assert_eq!(changed.json::<Value>()["title"], "new");
    assert_eq!(titles(&site, &mut bob, at).await, ["house", "new"]);

    // What is told of a person, and what stays when they go.
    let told: Value = mia.get(&site, "/api/me/export").await.json();
    assert_eq!(told["prompts"].as_array().unwrap().len(), 2, "{}", told["prompts"]);
    let gone = json!({ "password": "sieben Igel im Laub" });
    assert_eq!(mia.ask(&site, "POST", "/api/me/delete", gone).await.status, 204);
    assert_eq!(titles(&site, &mut bob, at).await, ["house", "new"]);
    let lies = |sql: &'static str| {
        let db = crate::database::of(&site.folder.0);
        db.call_blocking(move |db| db.query_row(sql, [], |row| row.get::<_, i64>(0))).unwrap()
    };
    assert_eq!(lies("SELECT count(*) FROM prompts WHERE title = 'own'"), 0);
    let log: Value = admin.get(&site, "/api/audit?action=prompt_made").await.json();
    assert_eq!(log["entries"].as_array().unwrap().len(), 3, "not the one that was her own");

    // The group's prompts go with the group.
    admin.ask(&site, "DELETE", "/api/groups/staff", json!({})).await;
    assert_eq!(titles(&site, &mut admin, "/api/prompts?all=true").await, ["board", "house"]);
    assert_eq!(admin.ask(&site, "DELETE", &format!("{at}/{house}"), json!({})).await.status, 204);

    for n in 0..200 {
        add(&mut bob, &format!("{n:03}"), None).await;
    }
    let full = bob.ask(&site, "POST", at, new("one more", None)).await;
    assert_eq!(full.error(), (409, "prompts_full".into()));
}
