use portico_shared::openai::Role;
use portico_shared::sync::{Merge, MessageView};
use serde_json::{Value, json};

use super::*;

mod chatgpt;
mod edges;
mod every_word;
mod open_webui;

/// Of the programs; the latter two of each have every kind of content.
const SAMPLES: [&str; 4] = [
    include_str!("../../samples/chatgpt.json"),
    include_str!("../../samples/open_webui.json"),
    CHATGPT,
    OPEN_WEBUI,
];
const CHATGPT: &str = include_str!("../../samples/chatgpt_kinds.json");
const OPEN_WEBUI: &str = include_str!("../../samples/open_webui_kinds.json");

fn entries(sample: &str) -> Vec<String> {
    let all: Vec<Value> = serde_json::from_str(sample).expect("a list");
    all.iter().map(Value::to_string).collect()
}

fn texts(merge: &Merge, id: Uuid) -> Vec<(Role, String)> {
    let thread = merge.thread(id);
    thread.iter().map(|message| (message.role, message.content.text.clone())).collect()
}

fn steps<'m>(message: &MessageView<'m>) -> Vec<(&'m str, &'m str, Option<&'m str>)> {
    let steps = message.steps.iter();
    steps.map(|step| (&*step.name, &*step.arguments, step.result.as_deref())).collect()
}

#[test]
fn chatgpts_tree_keeps_branches_and_names_what_it_leaves_out() {
    let entries = entries(include_str!("../../samples/chatgpt.json"));
    let got = read(&entries[0]).expect("understood");
    let merge = Merge::from_ops(&got.ops);
    let view = merge.conversation(got.id).expect("there");
    assert_eq!(
        (view.title, view.archived, view.created_ms),
        (Some("Brücken zählen"), true, 1_718_000_000_250)
    );
    let question = (Role::User, "How many bridges are there?".to_owned());
    let eight = (Role::Assistant, "There are eight.".to_owned());
    assert_eq!(texts(&merge, got.id), [question, eight]);
    let quote = ("browser", "", Some("Bridges\nhttps://example.org/b\nEight bridges."));
    assert_eq!(steps(&merge.thread(got.id)[1]), [quote]);
    // The other branch is one answer: a call, what came of it, words.
    let thread = merge.thread(got.id);
    let mut other = thread[1].siblings.iter().filter_map(|id| merge.message(*id));
    let other = other.find(|message| message.content.text.contains("**7**")).expect("a sibling");
    assert_eq!(other.content.text, "There are **7** bridges.");
    assert_eq!(steps(&other), [("python", "print(3 + 4)", Some("7"))]);
    let left: Vec<String> = got.left_out.iter().map(|left| left.text(Lang::En)).collect();
    assert_eq!(left, ["the file “map.png” is not in the export"]);
    assert_eq!(read(&entries[1]).expect_err("refused"), Why::Empty);
    assert_eq!(read(&entries[2]).expect_err("refused"), Why::NoId);
}

#[test]
fn open_webuis_tree_keeps_pins_tags_and_the_shown_branch() {
    let entries = entries(include_str!("../../samples/open_webui.json"));
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
    for entry in
        SAMPLES.iter().flat_map(|sample| entries(sample)).filter(|entry| read(entry).is_ok())
    {
        let (one, again) = (read(&entry).expect("read"), read(&entry).expect("read"));
        assert_eq!((one.id, &one.ops), (again.id, &again.ops));
        let both = Merge::from_ops(one.ops.iter().chain(&again.ops));
        assert_eq!(both, Merge::from_ops(&one.ops));
    }
}

#[test]
fn a_round_trip_of_ours_loses_nothing() {
    let all = SAMPLES.iter().flat_map(|sample| entries(sample));
    let all: Vec<Read> = all.filter_map(|entry| read(&entry).ok()).collect();
    assert_eq!(all.len(), 10);
    for before in all {
        let operations: Vec<Value> = before.ops.iter().map(|op| Value::from(op.clone())).collect();
        let (id, title) = (before.id, &before.title);
        let exported =
            json!({ "id": id, "title": title, "messages": [], "operations": operations });
        let after = read(&exported.to_string()).expect("read");
        assert_eq!((after.id, after.title, after.ops), (before.id, before.title, before.ops));
    }
    let id = Uuid::nil();
    let broken = json!({ "id": id, "operations": [{ "v": 1, "kind": "set" }] });
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
