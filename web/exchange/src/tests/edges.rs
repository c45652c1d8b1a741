//! What trees, times and sizes do that no ordinary export has.

use portico_shared::sync::{ATTACHMENTS_MAX, Body, StepState};

use super::*;

fn chatgpt(mapping: Value) -> (Read, Merge) {
    let got = read(&json!({ "id": "x", "mapping": mapping }).to_string()).expect("understood");
    let merge = Merge::from_ops(&got.ops);
    (got, merge)
}

fn said(parent: &str, role: &str, time: f64, text: &str) -> Value {
    json!({ "parent": parent, "message": { "author": { "role": role }, "create_time": time,
        "content": { "content_type": "text", "parts": [text] } } })
}

fn open_webui(message: Value) -> (Read, Merge) {
    let whole = json!({ "id": "x", "chat": { "history": { "messages": { "m": message } } } });
    let got = read(&whole.to_string()).expect("understood");
    let merge = Merge::from_ops(&got.ops);
    (got, merge)
}

#[test]
fn two_ways_on_from_an_answer_stay_two_and_a_silent_one_is_none() {
    let (got, merge) = chatgpt(json!({
        "a": said("", "user", 1.0, "Q"), "b": said("a", "assistant", 2.0, "One,"),
        "c": said("b", "assistant", 3.0, "two."), "d": said("b", "assistant", 4.0, "three."),
    }));
    assert_eq!(merge.thread(got.id).len(), 3);
    assert_eq!(merge.thread(got.id)[2].siblings.len(), 2);
    let (got, merge) = chatgpt(json!({
        "a": said("", "user", 1.0, "Q"), "b": said("a", "assistant", 2.0, "One,"),
        "c": said("b", "assistant", 3.0, "two."), "d": said("b", "assistant", 4.0, " "),
    }));
    assert_eq!(texts(&merge, got.id)[1].1, "One,\n\ntwo.");
}

#[test]
fn siblings_stand_in_the_order_of_their_times_and_none_is_older_than_its_parent() {
    let (got, merge) = chatgpt(json!({
        "q": said("", "user", 9.0, "Q"), "a": said("q", "assistant", 8.0, "late"),
        "b": said("q", "assistant", 3.0, "early"),
    }));
    let times: Vec<u64> = got
        .ops
        .iter()
        .filter(|op| matches!(op.body, Body::AddMessage { .. }))
        .map(|op| op.at.ms)
        .collect();
    assert_eq!(times, [9_000; 3]);
    let answer = &merge.thread(got.id)[1];
    let order: Vec<String> = answer
        .siblings
        .iter()
        .map(|id| merge.message(*id).expect("there").content.text.clone())
        .collect();
    assert_eq!(order, ["early", "late"]);
}

#[test]
fn what_was_hidden_is_named_and_what_the_program_hid_is_not() {
    let hidden = |role: &str| {
        let mut one = said("", role, 1.0, "hm");
        one["message"]["metadata"] = json!({ "is_visually_hidden_from_conversation": true });
        one
    };
    let (got, _) = chatgpt(json!({ "a": hidden("user"), "b": said("a", "user", 2.0, "Q") }));
    assert_eq!(got.left_out, [LeftOut::Hidden]);
    let (got, _) = chatgpt(json!({ "a": hidden("tool"), "b": said("a", "user", 2.0, "Q") }));
    assert_eq!(got.left_out, []);
}

#[test]
fn files_that_are_too_many_or_too_long_are_named() {
    let file = |name: String, text: &str| json!({ "type": "file", "name": name, "file": { "data": { "content": text } } });
    let many: Vec<Value> = (0..22).map(|n| file(format!("{n:02}.txt"), "t")).collect();
    let (got, merge) = open_webui(json!({ "role": "user", "content": "Q", "files": many }));
    assert_eq!(merge.thread(got.id)[0].content.attachments.len(), ATTACHMENTS_MAX);
    let named = |names: &[&str]| -> Vec<LeftOut> {
        names.iter().map(|name| LeftOut::File((*name).to_owned())).collect()
    };
    assert_eq!(got.left_out, named(&["20.txt", "21.txt"]));
    let long = "x".repeat(700_000);
    let two = [file("a".into(), &long), file("b".into(), &long)];
    let (got, merge) = open_webui(json!({ "role": "user", "content": "Q", "files": two }));
    let kept = &merge.thread(got.id)[0].content.attachments;
    assert_eq!((kept[0].text.len(), kept[1].text.len()), (700_000, 0));
    assert_eq!(got.left_out, named(&["b"]));
}

#[test]
fn marks_that_overlap_or_do_not_end_lose_no_word() {
    let page = |from: usize, to: usize, url: &str| json!({ "start_ix": from, "end_ix": to, "metadata": { "url": url, "title": url } });
    let mut one = said("", "assistant", 1.0, "See 【1†a】 and \u{e200}cite more\u{e202}");
    let citations = [page(4, 9, "https://a.org"), page(4, 9, "https://b.org")];
    one["message"]["metadata"] = json!({ "citations": citations });
    let (got, merge) = chatgpt(json!({ "a": one }));
    assert_eq!(
        texts(&merge, got.id)[0].1,
        "See ([https://a.org](https://a.org)) and cite more\n\n- [https://b.org](https://b.org)"
    );
}

#[test]
fn an_unfinished_call_is_stopped_and_a_chats_own_file_that_goes_along_is_not_missing() {
    let call = "<details type=\"tool_calls\" done=\"false\" name=\"f\">\n</details>";
    let (got, merge) = open_webui(json!({ "role": "assistant", "content": call }));
    assert_eq!(merge.thread(got.id)[0].steps[0].state, StepState::Stopped);
    let named = json!({ "type": "file", "name": "a.txt", "file": {} });
    let file = json!({ "type": "file", "name": "a.txt", "file": { "data": { "content": "t" } } });
    let message = json!({ "role": "user", "content": "Q", "files": [file] });
    let whole = json!({ "id": "x", "chat": { "history": { "messages": { "m": message } }, "files": [named] } });
    assert_eq!(read(&whole.to_string()).expect("understood").left_out, []);
}
