use portico_shared::sync::{Body, REASONING, StepState};

use super::*;

fn sample(n: usize) -> (Read, Merge) {
    let got = read(&entries(CHATGPT)[n]).expect("understood");
    let merge = Merge::from_ops(&got.ops);
    (got, merge)
}

fn left(got: &Read) -> Vec<String> {
    got.left_out.iter().map(|left| left.text(Lang::En)).collect()
}

#[test]
fn an_answer_with_thoughts_and_searches_is_one_with_its_sources_as_links() {
    let (got, merge) = sample(0);
    let thread = merge.thread(got.id);
    assert_eq!(thread.len(), 2, "neither hidden context nor an empty end is a message");
    assert_eq!(thread[0].content.text, "k:01 Which line goes to the harbour?");
    assert_eq!(
        thread[1].content.text,
        "Line 4 goes to the k:10 Harbour. ([k:14 City](https://example.org/k:15), \
         [k:16 Port](<https://example.org/k:17_(a)>)) By k:11 Night bus too. See \
         [k:12 the map](https://example.org/k:13) and (k:18.pdf).\n\n\
         ([k:19 News](https://example.org/k:20))\n\n\
         - [k:21 Timetable](https://example.org/k:22)"
    );
    let thought = "k:02 looking\nk:03 first\n\nk:04 done";
    let found = "k:07 Lines\nhttps://example.org/k:06\nk:08 Line 4.";
    let query = "{\"search_query\": [{\"q\": \"k:05 harbour line\"}]}";
    assert_eq!(
        steps(&thread[1]),
        [
            (REASONING, "", Some(thought)),
            ("web.run", query, Some(found)),
            (REASONING, "", Some("k:09 Thought for 5s")),
        ]
    );
    let view = merge.conversation(got.id).expect("there");
    assert!(view.pinned && !view.archived);
    assert_eq!(
        left(&got),
        [
            "content of kind “image_group” is left out",
            "instructions to the model are left out",
            "citations without a source are left out",
            "its folder has no name in the export",
        ]
    );
}

#[test]
fn files_calls_and_documents_stand_where_they_were_said() {
    let (got, merge) = sample(1);
    let thread = merge.thread(got.id);
    let files: Vec<_> =
        thread[0].content.attachments.iter().map(|file| (&*file.name, file.size_bytes)).collect();
    assert_eq!(files, [("n:01.png", 10), ("n:02.csv", 2048)]);
    assert_eq!(
        thread[1].content.text,
        "k:32 I add them.\n\n**k:35 Letter**\n\nk:36 Dear all,\n\nk:37 three.\n\n\
         k:40 Done: [sums](sandbox:/mnt/data/n:04.csv). It is **3**."
    );
    let names: Vec<_> = thread[1].steps.iter().map(|step| (&*step.name, step.at)).collect();
    let (before, behind) = ("k:32 I add them.".len() as u32, 62);
    assert_eq!(
        names,
        [
            ("myfiles_browser", 0),
            ("python", before),
            ("canmore.create_textdoc", behind),
            ("canmore.update_textdoc", behind),
        ]
    );
    assert_eq!(
        &thread[1].content.text[..62],
        "k:32 I add them.\n\n**k:35 Letter**\n\nk:36 Dear all,\n\nk:37 three."
    );
    // Both branches: another question, and another answer to the one that was shown.
    assert_eq!(thread[2].siblings.len(), 2);
    assert_eq!((&*thread[3].content.text, thread[3].siblings.len()), ("k:43 6.", 2));
    let other = thread[2].siblings.iter().find(|id| **id != thread[2].id).expect("one");
    let answer = got.ops.iter().find_map(|op| match op.body {
        Body::AddMessage { message, parent, .. } if parent == Some(*other) => Some(message),
        _ => None,
    });
    let answer = merge.message(answer.expect("an answer to it")).expect("there");
    assert_eq!(answer.content.text, "k:47 One and a half.");
    assert_eq!(answer.steps[0].state, StepState::Failed);
}

#[test]
fn what_was_spoken_is_text_and_a_message_without_words_stays() {
    let (got, merge) = sample(2);
    let said = texts(&merge, got.id);
    let said: Vec<&str> = said.iter().map(|(_, text)| &**text).collect();
    assert_eq!(said, ["k:50 Can you hear me?", "k:51 Yes.", "", "k:52 That was a bell."]);
    assert_eq!(merge.thread(got.id)[2].content.attachments[0].name, "n:05");
    assert_eq!(left(&got), ["the file “n:05” is not in the export", "recordings are left out"]);
    assert_eq!(got.title, None);
}

#[test]
fn marks_of_older_exports_are_links_at_their_places() {
    let (got, merge) = sample(3);
    let thread = merge.thread(got.id);
    assert_eq!(
        thread[1].content.text,
        "k:65 Überall: the Maker ([k:62 Maker](https://example.org/k:64)) does【9:1†k:66】.\n\n\
         - [k:74](https://example.org/k:75)"
    );
    assert_eq!(thread[2].content.attachments[0].name, "n:06");
    assert_eq!(thread[3].content.attachments[0].name, "n:07");
}

#[test]
fn a_long_answer_keeps_what_fits_and_says_so() {
    let call = |n: usize, text: String| {
        json!({ "parent": if n == 0 { json!("u") } else { json!(format!("c{}", n - 1)) }, "message": {
            "author": { "role": "assistant" }, "recipient": "python",
            "content": { "content_type": "code", "text": text } } })
    };
    let mut mapping = serde_json::Map::new();
    mapping.insert(
        "u".into(),
        json!({ "parent": null, "message": {
        "author": { "role": "user" }, "content": { "content_type": "text", "parts": ["Go"] } } }),
    );
    for n in 0..70 {
        let text = if n == 3 { "ä".repeat(40_000) } else { format!("call({n})") };
        mapping.insert(format!("c{n}"), call(n, text));
    }
    let whole = json!({ "id": "long", "mapping": mapping });
    let got = read(&whole.to_string()).expect("understood");
    let merge = Merge::from_ops(&got.ops);
    let thread = merge.thread(got.id);
    assert_eq!((thread.len(), thread[1].steps.len()), (2, 64));
    assert_eq!(thread[1].steps[3].arguments.len(), 64 * 1024);
    assert_eq!(got.left_out, [LeftOut::Steps, LeftOut::StepEnd]);
}
