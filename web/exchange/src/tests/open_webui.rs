use portico_shared::sync::{REASONING, StepState};

use super::*;

fn sample(n: usize) -> (Read, Merge) {
    let got = read(&entries(OPEN_WEBUI)[n]).expect("understood");
    let merge = Merge::from_ops(&got.ops);
    (got, merge)
}

#[test]
fn answers_of_two_models_stand_beside_each_other_and_what_they_did_is_steps() {
    let (got, merge) = sample(0);
    let thread = merge.thread(got.id);
    let file = &thread[0].content.attachments[0];
    assert_eq!(
        (&*file.name, &*file.text, file.size_bytes),
        ("k:01.pdf", "k:02 what was read", 4096)
    );
    assert_eq!(thread[0].content.attachments.len(), 2, "the picture by its name");
    assert_eq!(thread[1].siblings.len(), 2);
    assert_eq!(
        thread[1].content.text,
        "k:05 I look.\n\nk:10 It rains [1][2].\n\n1. [k:14 page](https://example.org/k:15)\n\
         2. [k:19 second](https://example.org/k:18)\n3. k:01.pdf"
    );
    let passages = "[1] k:14 page\nk:16 passage\n\n[2] k:19 second\nk:17 another\n\n\
                    [3] k:01.pdf\nk:20 of the file";
    assert_eq!(
        steps(&thread[1]),
        [
            ("web_search", "k:12 rain", Some("https://example.org/k:13")),
            (REASONING, "", Some("k:03 Let me see\nk:04 <b>")),
            ("get_weather", "{\"city\": \"k:06\"}", Some("k:07 18 °C & rain")),
            ("code_interpreter", "```python\nprint('k:09')\n```", Some("{\"stdout\":\"k:08\"}")),
            ("sources", "", Some(passages)),
        ]
    );
    // The branch of `currentId`, and not the later one.
    assert_eq!(thread[2].content.text, "k:24 And this?");
    assert_eq!(thread[3].content.text, "> k:25 the model is gone");
    let view = merge.conversation(got.id).expect("there");
    assert_eq!((view.pinned, view.archived, view.tags), (true, true, vec!["k:26"]));
    let left: Vec<String> = got.left_out.iter().map(|left| left.text(Lang::En)).collect();
    assert_eq!(
        left,
        [
            "the file “image” is not in the export",
            "the file “n:01.png” is not in the export",
            "the file “n:04.txt” is not in the export",
            "the documents “n:02 Statutes” are not in the export",
            "the documents “n:03” are not in the export",
            "instructions to the model are left out",
            "its folder has no name in the export",
        ]
    );
}

#[test]
fn the_list_of_an_answers_parts_stands_before_its_text() {
    let (got, merge) = sample(1);
    let answer = &merge.thread(got.id)[1];
    assert_eq!(answer.content.text, "k:32");
    assert_eq!(
        steps(answer),
        [
            (REASONING, "", Some("k:31 by parts")),
            ("multiply", "{\"a\":\"k:33\"}", Some("k:34 255")),
            ("multiply", "{\"a\":\"k:35\"}", None),
            ("code_interpreter", "k:36", Some("{\"stdout\":\"k:37\"}")),
        ]
    );
    assert!(answer.steps.iter().all(|step| step.state == StepState::Done));
}

#[test]
fn chats_without_a_frame_or_without_a_tree_are_read() {
    let (got, merge) = sample(2);
    let view = merge.conversation(got.id).expect("there");
    assert_eq!((view.title, view.created_ms), (Some("Older"), 1_700_000_000_000));
    assert_eq!(view.tags, ["k:42"]);
    assert_eq!(texts(&merge, got.id).len(), 2);
    let (got, merge) = sample(3);
    let said = texts(&merge, got.id);
    assert_eq!(
        said.iter().map(|(_, text)| &text[..4]).collect::<Vec<_>>(),
        ["k:50", "k:51", "k:52"]
    );
    assert_eq!(got.left_out, [LeftOut::Instructions]);
    assert_eq!(read(&entries(OPEN_WEBUI)[4]).expect_err("refused"), Why::Empty);
    assert_eq!(read(&entries(OPEN_WEBUI)[5]).expect_err("refused"), Why::NoId);
}
