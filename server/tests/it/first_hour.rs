//! What a new house has done is seen from what it has.

use serde_json::{Value, json};

use crate::common::*;
use crate::people::{Browser, admin};

async fn done(site: &Site, admin: &mut Browser) -> Vec<String> {
    let list: Value = admin.get(site, "/api/first-hour").await.json();
    let items = list["items"].as_array().unwrap();
    let done = items.iter().filter(|item| item["is_done"] == true);
    done.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_step_is_done_once_the_house_has_what_it_is_about() {
    let bytes = gguf("llama", 400, 31);
    let site = Site::new(&entry("tiny", "tiny.gguf", bytes.len(), ""), &[]);
    let mut admin = admin(&site).await;
    assert_eq!(done(&site, &mut admin).await, ["admin"]);
    site.folder.write("models/tiny/tiny.gguf", &bytes);
    assert_eq!(done(&site, &mut admin).await, ["admin", "models"]);

    let database = crate::database::of(&site.folder.0);
    let add = "INSERT INTO collections (id, title, created_s) VALUES (?1, ?1, 1)";
    database.call_blocking(move |db| db.execute(add, ["papers"])).unwrap();
    let waits = "INSERT INTO documents (id, collection, root, place, name, created_s)
        VALUES ('d', 'papers', '', 'p', 'n', 1)";
    database.call_blocking(move |db| db.execute(waits, [])).unwrap();
    assert_eq!(done(&site, &mut admin).await.len(), 2, "it cannot be searched yet");
    let live = "UPDATE documents SET sha256 = 'x' WHERE id = 'd'";
    database.call_blocking(move |db| db.execute(live, [])).unwrap();
    assert_eq!(done(&site, &mut admin).await.last().unwrap(), "documents");

    let invited = admin.ask(&site, "POST", "/api/people/links", json!({ "note": "Ben" })).await;
    assert_eq!(invited.status, 201);
    assert_eq!(done(&site, &mut admin).await.last().unwrap(), "invite");
    let group = json!({ "name": "staff", "policy": {} });
    admin.ask(&site, "POST", "/api/groups", group).await;
    assert_eq!(done(&site, &mut admin).await.last().unwrap(), "invite", "it says nothing yet");
    let rules = json!({ "policy": { "tokens_per_day": 1000 } });
    admin.ask(&site, "PATCH", "/api/groups/staff", rules).await;
    assert_eq!(done(&site, &mut admin).await.last().unwrap(), "limits");
    let last = r#"{"made_s":1,"file":"b","size_bytes":1,"schema":1}"#;
    site.folder.write("last_backup.json", last);
    assert_eq!(
        done(&site, &mut admin).await,
        ["admin", "models", "documents", "invite", "limits", "backup"]
    );

    // What a house does without is put aside, and then all is done.
    let list: Value = admin.get(&site, "/api/first-hour").await.json();
    assert_eq!((&list["n_done"], &list["n_items"]), (&json!(6), &json!(7)));
    let aside = json!({ "aside": ["sign_in"], "hidden": true });
    let list: Value = admin.ask(&site, "PUT", "/api/first-hour", aside).await.json();
    assert_eq!(
        (&list["n_done"], &list["n_items"], &list["is_hidden"]),
        (&json!(6), &json!(6), &json!(true))
    );
    let wrong = json!({ "aside": ["lunch"] });
    let refused = admin.ask(&site, "PUT", "/api/first-hour", wrong).await;
    assert_eq!(refused.error(), (400, "invalid_request".into()));

    let trusted = Site::with_config("[people]\ntrusted_header = \"x-user\"\n", &[]);
    let mut ada = crate::people::admin(&trusted).await;
    assert_eq!(done(&trusted, &mut ada).await, ["admin", "sign_in"]);
}
