use portico_shared::openai::Role;
use portico_shared::sync::Merge;
use serde_json::{Value, json};

use super::*;

fn entries(sample: &str) -> Vec<String> {
    let all: Vec<Value> = serde_json::from_str(sample).expect("a list");
    all.iter().map(Value::to_string).collect()
}

fn texts(merge: &Merge, id: Uuid) -> Vec<(Role, String)> {
    let thread = merge.thread(id);
    thread.iter().map(|message| (message.role, message.content.text.clone())).collect()
}

#[test]
fn chatgpts_tree_keeps_branches_and_names_what_it_leaves_out() {
    let entries = entries(include_str!("../samples/chatgpt.json"));
    let got = read(&entries[0]).expect("understood");
    let merge = Merge::from_ops(&got.ops);
    let view = merge.conversation(got.id).expect("there");
    assert_eq!(
        (view.title, view.archived, view.created_ms),
        (Some("Brücken zählen"), true, 1_718_000_000_250)
    );
    let quote = "> Eight bridges.\n> \n> Bridges https://example.org/b\n\nThere are eight.";
    let question = (Role::User, "How many bridges are there?".to_owned());
    assert_eq!(texts(&merge, got.id), [question.clone(), (Role::Assistant, quote.to_owned())]);
    // The other branch is one answer: code, what came of it, words.
    let other = merge.thread(got.id)[1].siblings.iter().copied().find(|&id| {
        merge.message(id).is_some_and(|message| message.content.text.contains("print"))
    });
    let other = merge.message(other.expect("a sibling")).expect("there");
    assert_eq!(
        other.content.text,
        "```python\nprint(3 + 4)\n```\n\n```\n7\n```\n\nThere are **7** bridges."
    );
    let left: Vec<String> = got.left_out.iter().map(|left| left.text(Lang::En)).collect();
    assert_eq!(
        left,
        [
            "content of kind “image_asset_pointer” is left out",
            "content of kind “thoughts” is left out",
            "the file “map.png” is not in the export",
        ]
    );
    assert_eq!(read(&entries[1]).expect_err("refused"), Why::Empty);
    assert_eq!(read(&entries[2]).expect_err("refused"), Why::NoId);
}

#[test]
fn open_webuis_tree_keeps_pins_tags_and_the_shown_branch() {
    let entries = entries(include_str!("../samples/open_webui.json"));
    let got = read(&entries[0]).expect("understood");
    let merge = Merge::from_ops(&got.ops);
    let view = merge.conversation(got.id).expect("there");
    assert_eq!((view.title, view.pinned, view.tags), (Some("Lunch"), true, vec!["food"]));
    // The later sibling would stand first, had the other not been the shown one.
    assert_eq!(texts(&merge, got.id)[1].1, "Soup.");
    assert_eq!(merge.thread(got.id)[1].siblings.len(), 2);
    assert_eq!(got.left_out, [LeftOut::File("menu.pdf".to_owned())]);
}

#[test]
fn what_is_imported_twice_is_there_once() {
    for sample in
        [include_str!("../samples/chatgpt.json"), include_str!("../samples/open_webui.json")]
    {
        let entry = entries(sample).remove(0);
        let (one, again) = (read(&entry).expect("read"), read(&entry).expect("read"));
        assert_eq!((one.id, &one.ops), (again.id, &again.ops));
        let both = Merge::from_ops(one.ops.iter().chain(&again.ops));
        assert_eq!(both, Merge::from_ops(&one.ops));
    }
}

#[test]
fn a_round_trip_of_ours_loses_nothing() {
    let sample = entries(include_str!("../samples/chatgpt.json")).remove(0);
    let before = read(&sample).expect("read");
    let operations: Vec<Value> = before.ops.iter().map(|op| Value::from(op.clone())).collect();
    let exported =
        json!({ "id": before.id, "title": before.title, "messages": [], "operations": operations });
    let after = read(&exported.to_string()).expect("read");
    assert_eq!((after.id, after.title, after.ops), (before.id, before.title, before.ops));
    let broken = json!({ "id": before.id, "operations": [{ "v": 1, "kind": "set" }] });
    assert!(matches!(read(&broken.to_string()), Err(Why::Operation(_))));
}

#[test]
fn hostile_files_are_refused_by_a_reason() {
    assert!(matches!(read("{"), Err(Why::Json(_))));
    assert_eq!(read("{\"a\":1}").expect_err("refused"), Why::Unknown);
    let circle = json!({ "id": "x", "mapping": {
        "a": { "parent": "b", "message": null }, "b": { "parent": "a", "message": null },
    } });
    assert_eq!(read(&circle.to_string()).expect_err("refused"), Why::Tree);
    let large = json!({ "id": "x", "mapping": { "a": { "parent": null, "message": {
        "author": { "role": "user" }, "create_time": 1e300,
        "content": { "content_type": "text", "parts": ["x".repeat(2_000_000)] },
    } } } });
    assert!(matches!(read(&large.to_string()), Err(Why::Limit(_))));
}
