use std::collections::BTreeMap;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::openai::Role;

fn id(n: u8) -> Uuid {
    uuid_v7(1_000, &[n; 10])
}

/// A log written by one device: every operation a millisecond after the one before.
#[derive(Default)]
struct Log {
    ops: Vec<Op>,
}

impl Log {
    fn write(&mut self, body: Body) -> Op {
        let ms = 10_000 + self.ops.len() as u64;
        let op = Op::new(uuid_v7(ms, &[7; 10]), Hlc { ms, n: 0 }, body);
        op.check().expect("within limits");
        self.ops.push(op.clone());
        op
    }

    fn create(&mut self, conversation: u8) {
        self.write(Body::CreateConversation { conversation: id(conversation) });
    }

    fn set(&mut self, conversation: u8, setting: Setting) {
        self.write(Body::Set { conversation: id(conversation), setting });
    }

    fn add(&mut self, conversation: u8, message: u8, parent: Option<u8>, text: &str) {
        self.write(Body::AddMessage {
            conversation: id(conversation),
            message: id(message),
            parent: parent.map(id),
            role: Role::User,
            content: MessageContent::done(text),
        });
    }

    fn write_text(&mut self, message: u8, text: &str, state: MessageState) -> Op {
        let content = MessageContent { state, ..MessageContent::done(text) };
        self.write(Body::WriteMessage { message: id(message), content })
    }

    fn state(&self) -> Merge {
        Merge::from_ops(&self.ops)
    }

    fn thread(&self, conversation: u8) -> Vec<String> {
        let state = self.state();
        state.thread(id(conversation)).iter().map(|view| view.content.text.clone()).collect()
    }
}

#[test]
fn an_edit_is_a_branch_and_the_arrows_lead_back() {
    let mut log = Log::default();
    log.create(1);
    log.add(1, 10, None, "question");
    log.add(1, 11, Some(10), "answer");
    log.add(1, 20, None, "edited question");
    log.add(1, 21, Some(20), "second answer");
    assert_eq!(log.thread(1), ["edited question", "second answer"]);

    let state = log.state();
    let thread = state.thread(id(1));
    assert_eq!(
        (thread[0].siblings.as_slice(), thread[0].sibling_index()),
        (&[id(10), id(20)][..], 1)
    );
    assert_eq!(state.message(id(10)).expect("known").siblings, [id(10), id(20)]);
    assert_eq!(state.path_to(id(11)), Some(vec![id(10), id(11)]));

    log.write(Body::ChooseBranch { message: id(10) });
    assert_eq!(log.thread(1), ["question", "answer"]);
    // What is added later is shown.
    log.add(1, 30, None, "third");
    assert_eq!(log.thread(1), ["third"]);
}

#[test]
fn a_deleted_message_gives_way_and_comes_back() {
    let mut log = Log::default();
    log.create(1);
    log.add(1, 10, None, "first");
    log.add(1, 20, None, "second");
    log.write(Body::DeleteMessage { message: id(20), deleted: true });
    assert_eq!(log.thread(1), ["first"]);
    assert_eq!(log.state().message(id(20)), None);
    log.write(Body::DeleteMessage { message: id(20), deleted: false });
    assert_eq!(log.thread(1), ["second"]);
}

#[test]
fn a_deleted_conversation_is_gone_until_undone() {
    let mut log = Log::default();
    log.create(1);
    log.add(1, 10, None, "text");
    log.write(Body::DeleteConversation { conversation: id(1), deleted: true });
    assert!(log.state().conversations().is_empty());
    assert!(log.thread(1).is_empty());
    assert!(log.state().search("text", &decomposed).is_empty());
    log.write(Body::DeleteConversation { conversation: id(1), deleted: false });
    assert_eq!(log.thread(1), ["text"]);
}

#[test]
fn a_late_draft_never_hides_a_finished_text() {
    let mut log = Log::default();
    log.create(1);
    log.add(1, 10, None, "q");
    let early = log.write_text(10, "hal", MessageState::Draft);
    log.write_text(10, "half", MessageState::Draft);
    assert_eq!(log.thread(1), ["q"], "it was added as done");
    log.write_text(10, "whole", MessageState::Done);
    let late = log.write_text(10, "hal", MessageState::Draft);
    assert_eq!(log.thread(1), ["whole"]);
    assert!(log.state().is_superseded_draft(&early));
    assert!(!log.state().is_superseded_draft(&late), "the clock still leans on it");
    log.write_text(10, "whole and more", MessageState::Stopped);
    assert_eq!(log.thread(1), ["whole and more"]);
    assert!(log.state().is_superseded_draft(&late));
    assert_eq!(log.state().drafts().count(), 0);
}

#[test]
fn a_killed_tabs_draft_is_shown_and_listed() {
    let mut log = Log::default();
    log.create(1);
    log.write(Body::AddMessage {
        conversation: id(1),
        message: id(10),
        parent: None,
        role: Role::Assistant,
        content: MessageContent { state: MessageState::Draft, ..MessageContent::done("") },
    });
    log.write_text(10, "as far as it got", MessageState::Draft);
    assert_eq!(log.thread(1), ["as far as it got"]);
    assert_eq!(log.state().drafts().collect::<Vec<_>>(), [id(10)]);
}

#[test]
fn conversations_are_sorted_by_pin_and_use() {
    let mut log = Log::default();
    for conversation in 1..=3 {
        log.create(conversation);
        log.set(conversation, Setting::Title(Some(format!("c{conversation}"))));
    }
    log.add(1, 10, None, "newest use");
    log.set(2, Setting::Pinned(true));
    log.set(2, Setting::Folder(Some("work".into())));
    log.set(2, Setting::Model(Some("smol".into())));
    log.set(2, Setting::StaysOnDevice(true));
    log.set(2, Setting::Title(Some("renamed".into())));
    let state = log.state();
    let titles: Vec<_> = state.conversations().iter().filter_map(|view| view.title).collect();
    assert_eq!(titles, ["renamed", "c1", "c3"]);
    let pinned = state.conversation(id(2)).expect("there");
    assert_eq!((pinned.folder, pinned.model), (Some("work"), Some("smol")));
    assert!(pinned.stays_on_device && pinned.pinned);
}

#[test]
fn search_is_blind_to_case_and_diacritics() {
    let mut log = Log::default();
    log.create(1);
    log.set(1, Setting::Title(Some("Über die Straße".into())));
    log.add(1, 10, None, "Wie hoch ist die Grundsteuer in Köln?");
    log.add(1, 11, Some(10), "Cafe\u{301} d'İstanbul");
    let state = log.state();
    let found = |query: &str| -> Vec<Option<Uuid>> {
        state.search(query, &decomposed).into_iter().map(|hit| hit.message).collect()
    };
    assert_eq!(found("STRASSE uber"), [None]);
    assert_eq!(found("koln"), [Some(id(10))]);
    assert_eq!(found("KÖLN steuer"), [Some(id(10))]);
    assert_eq!(found("istanbul"), [Some(id(11))]);
    assert!(found("köln berlin").is_empty());
    assert!(found("  ").is_empty());
    assert_eq!(found("DIE").len(), 2);
    let marked = |query: &str| {
        let hit = state.search(query, &decomposed).remove(0);
        hit.snippet[hit.matched].to_owned()
    };
    assert_eq!(marked("strasse"), "Straße");
    assert_eq!(marked("cafe"), "Cafe\u{301}");
}

#[test]
fn a_long_text_is_cut_around_the_match() {
    let mut log = Log::default();
    log.create(1);
    log.add(1, 10, None, &format!("{}needle{}", "ü".repeat(500), "ö".repeat(500)));
    let hit = log.state().search("needle", &decomposed).remove(0);
    assert_eq!(hit.snippet.chars().count(), 60 + 6 + 60);
    assert_eq!(&hit.snippet[hit.matched], "needle");
}

#[test]
fn a_hostile_tree_is_walked_in_bounded_steps() {
    let mut log = Log::default();
    log.create(1);
    log.create(2);
    log.add(1, 10, Some(11), "a cycle");
    log.add(1, 11, Some(10), "of two");
    log.add(1, 12, Some(99), "an orphan");
    log.add(2, 13, Some(12), "in another conversation");
    assert!(log.thread(1).is_empty());
    assert!(log.thread(2).is_empty());
    assert_eq!(log.state().path_to(id(10)), None);
    assert!(log.state().search("cycle", &decomposed).is_empty());
}

#[test]
fn the_clock_never_goes_back() {
    let mut clock = Clock::default();
    let readings = [5, 5, 3, 9].map(|now| clock.tick(now));
    assert!(readings.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(readings[3], Hlc { ms: 9, n: 0 });
    clock.observe(Hlc { ms: 1_000, n: 4 }, 10).expect("a little ahead");
    assert_eq!(clock.tick(11), Hlc { ms: 1_000, n: 5 });
    let wild = Hlc { ms: 1_001 + DRIFT_MAX_MS, n: 0 };
    assert_eq!(clock.observe(wild, 1_000), Err(ClockDrift { ahead_ms: DRIFT_MAX_MS + 1 }));
    let mut full = Clock::after(Hlc { ms: 5, n: u32::MAX });
    assert_eq!(full.tick(1), Hlc { ms: 6, n: 0 });
}

#[test]
fn identifiers_are_uuids_of_version_7_and_sort_by_time() {
    let (a, b) = (uuid_v7(1, &[255; 10]), uuid_v7(2, &[0; 10]));
    assert!(a < b);
    assert_eq!((a.get_version_num(), a.get_variant()), (7, uuid::Variant::RFC4122));
}

#[test]
fn a_push_is_cut_by_bytes_and_has_at_least_one_line() {
    use wire::{PUSH_BATCH_BYTES, PUSH_MAX_OPS, batch_end};
    assert_eq!(batch_end([]), 0);
    assert_eq!(batch_end([PUSH_BATCH_BYTES * 2, 1]), 1);
    assert_eq!(batch_end([PUSH_BATCH_BYTES / 2, PUSH_BATCH_BYTES / 2 - 2, 1]), 2);
    assert_eq!(batch_end(std::iter::repeat_n(1, PUSH_MAX_OPS * 2)), PUSH_MAX_OPS);
}

#[test]
fn a_position_tells_another_log_from_its_own_growth() {
    use wire::{Page, Position, Pushed};
    let (one, other) = (id(1), id(2));
    let page = |epoch, cursor, restarted| {
        let mark = Some(epoch);
        Page { epoch, cursor, mark, has_more: false, restarted }
    };
    let mut position = Position::default();
    assert!(!position.pulled(&page(one, 5, false)));
    let pushed = |epoch: Uuid, before, cursor| Pushed {
        epoch,
        before,
        cursor,
        mark_before: Some(one),
        mark: Some(epoch),
        n_new: 1,
        refused: vec![],
    };
    position.pushed(&pushed(one, 5, 7));
    assert_eq!((position.cursor, position.mark), (7, Some(one)));
    let restored = Pushed { mark_before: Some(other), ..pushed(one, 7, 8) };
    position.pushed(&restored);
    assert_eq!(position.cursor, 7, "another history that ends there");
    position.pushed(&pushed(one, 9, 10));
    assert_eq!(position.cursor, 7, "others wrote between");
    assert!(position.is_behind(one, 10) && !position.is_behind(one, 7));
    assert!(position.is_behind(other, 1));
    assert!(position.pulled(&page(other, 3, true)), "another log");
}

const ENVELOPE: &str = r#""v":1,"id":"0190163d-8694-739b-aea5-966c26f8ad91","at":{"ms":5,"n":0}"#;
const CONVERSATION: &str = r#""conversation":"0190163d-8694-739b-aea5-966c26f8ad92""#;

#[test]
fn the_json_stays_as_it_is() {
    let json = format!(
        r#"{{{ENVELOPE},"kind":"set",{CONVERSATION},"setting":{{"name":"title","value":"T"}}}}"#
    );
    let op = Op::from_json(&json).expect("well-formed");
    let Body::Set { setting, .. } = &op.body else { panic!("{op:?}") };
    assert_eq!(*setting, Setting::Title(Some("T".into())));
    let (a, b): (serde_json::Value, serde_json::Value) = (
        serde_json::from_str(&json).expect("JSON"),
        serde_json::from_str(&op.to_json()).expect("JSON"),
    );
    assert_eq!(a, b);
}

#[test]
fn an_unknown_kind_or_version_is_kept_without_effect() {
    for json in [
        format!(r#"{{{ENVELOPE},"kind":"paint",{CONVERSATION},"colour":{{"deep":[1,2]}}}}"#),
        format!(r#"{{{},"kind":"set","new":true}}"#, ENVELOPE.replace(r#""v":1"#, r#""v":2"#)),
    ] {
        let op = Op::from_json(&json).expect("kept");
        let merge = Merge::from_ops([&op, &op]);
        assert!(merge.conversations().is_empty());
        let kept: Vec<_> = merge.unknown_ops().map(Op::from_json).collect();
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].as_ref().ok(), Some(&op));
    }
}

#[test]
fn a_bad_operation_is_refused_by_name() {
    let create = format!(r#""kind":"create_conversation",{CONVERSATION}"#);
    let long_title = "x".repeat(TITLE_MAX_CHARS + 1);
    for (fault, json) in [
        ("no JSON", "{".to_owned()),
        ("no object", "[1]".to_owned()),
        ("missing field `v`", "{}".to_owned()),
        ("version 0", format!("{{{},{create}}}", ENVELOPE.replace(r#""v":1"#, r#""v":0"#))),
        ("`kind` is missing", format!("{{{ENVELOPE}}}")),
        ("unknown field", format!(r#"{{{ENVELOPE},{create},"more":1}}"#)),
        ("missing field", format!(r#"{{{ENVELOPE},"kind":"create_conversation"}}"#)),
        ("version 7", format!("{{{},{create}}}", ENVELOPE.replace("739b", "439b"))),
        ("version 7", format!("{{{ENVELOPE},{}}}", create.replace("739b", "439b"))),
        ("out of range", format!("{{{},{create}}}", ENVELOPE.replace("5,", "999999999999999,"))),
        (
            "`title`",
            format!(
                r#"{{{ENVELOPE},"kind":"set",{CONVERSATION},"setting":{{"name":"title","value":"{long_title}"}}}}"#
            ),
        ),
        ("bytes", " ".repeat(OP_MAX_BYTES + 1)),
    ] {
        let error = Op::from_json(&json).map(|op| format!("{op:?}")).expect_err(fault).to_string();
        assert!(error.contains(fault), "{fault}: {error}");
    }
    let content = MessageContent::done("x".repeat(TEXT_MAX_BYTES + 1));
    let write = Op::new(id(1), Hlc::default(), Body::WriteMessage { message: id(2), content });
    assert!(matches!(write.check(), Err(OpError::Field { field: "text", .. })));
}

fn step(state: StepState) -> ToolStep {
    ToolStep {
        id: "call_1".to_owned(),
        round: 0,
        at: 1,
        name: "calculator".to_owned(),
        arguments: r#"{"expression":"1+1"}"#.to_owned(),
        state,
        result: (state == StepState::Done).then(|| "2".to_owned()),
    }
}

#[test]
fn steps_of_an_answer_stand_beside_its_text_in_their_order_and_later_ones_take_the_earliers_place()
{
    let mut log = Log::default();
    log.write(Body::CreateConversation { conversation: id(1) });
    log.add(1, 10, None, "a");
    let written = |n, state| Body::WriteStep { message: id(10), n, step: step(state) };
    log.write(written(1, StepState::Called));
    log.write(written(0, StepState::Waiting));
    let op = log.write(written(0, StepState::Done));
    assert_eq!(Op::from_json(&op.to_json()).unwrap(), op);
    let state = log.state();
    let states: Vec<_> = state.thread(id(1))[0].steps.iter().map(|step| step.state).collect();
    assert_eq!(states, [StepState::Done, StepState::Called]);
    // A build that does not know them keeps them, and carriers find their message.
    assert!(op.to_json().contains(r#""kind":"write_step""#));
    assert_eq!(op.body.message(), Some(id(10)));

    let long =
        ToolStep { result: Some("x".repeat(STEP_TEXT_MAX_BYTES + 1)), ..step(StepState::Done) };
    let too_long = Body::WriteStep { message: id(10), n: 0, step: long };
    let too_many = Body::WriteStep { message: id(10), n: STEPS_MAX, step: step(StepState::Done) };
    for (field, body) in [("result", too_long), ("n", too_many)] {
        let error = Op::new(id(1), Hlc::default(), body).check().unwrap_err().to_string();
        assert!(error.contains(&format!("`{field}`")), "{error}");
    }
}

/// Operations over few ids and times, so that they meet; some share an id but not a body.
fn any_op() -> impl Strategy<Value = Op> {
    let text = prop::sample::select(vec!["a", "b", "c"]);
    let state = prop::sample::select(vec![
        MessageState::Draft,
        MessageState::Done,
        MessageState::Stopped,
        MessageState::Error,
    ]);
    let content = (text.clone(), state)
        .prop_map(|(text, state)| MessageContent { state, ..MessageContent::done(text) });
    let title = prop::option::of(text.prop_map(str::to_owned));
    let setting = prop_oneof![
        title.clone().prop_map(Setting::Title),
        title.clone().prop_map(Setting::Folder),
        title.prop_map(Setting::Model),
        any::<bool>().prop_map(Setting::Pinned),
        any::<bool>().prop_map(Setting::StaysOnDevice),
    ];
    let conversation = (1u8..3).prop_map(id);
    let message = (10u8..15).prop_map(id);
    let role = prop::sample::select(vec![Role::User, Role::Assistant]);
    let body = prop_oneof![
        conversation.clone().prop_map(|conversation| Body::CreateConversation { conversation }),
        (conversation.clone(), setting)
            .prop_map(|(conversation, setting)| Body::Set { conversation, setting }),
        (
            conversation.clone(),
            message.clone(),
            prop::option::of(message.clone()),
            role,
            content.clone()
        )
            .prop_map(|(conversation, message, parent, role, content)| Body::AddMessage {
                conversation,
                message,
                parent: parent.filter(|&parent| parent != message),
                role,
                content,
            }),
        (message.clone(), content)
            .prop_map(|(message, content)| Body::WriteMessage { message, content }),
        (message.clone(), 0u32..2, prop::sample::select(vec![StepState::Waiting, StepState::Done]))
            .prop_map(|(message, n, state)| Body::WriteStep { message, n, step: step(state) }),
        message.clone().prop_map(|message| Body::ChooseBranch { message }),
        (conversation.clone(), prop::sample::select(vec!["a", "b"]), any::<bool>()).prop_map(
            |(conversation, tag, on)| Body::Tag { conversation, tag: tag.to_owned(), on }
        ),
        (conversation.clone(), any::<bool>())
            .prop_map(|(conversation, archived)| Body::Archive { conversation, archived }),
        (conversation.clone(), prop::option::of((60u8..62, 0u64..2))).prop_map(
            |(conversation, of)| Body::UseAssistant {
                conversation,
                assistant: of.map(|(n, revision)| AssistantUse {
                    id: id(n),
                    name: "Ada".to_owned(),
                    revision,
                }),
            }
        ),
        (conversation, any::<bool>())
            .prop_map(|(conversation, deleted)| Body::DeleteConversation { conversation, deleted }),
        (message, any::<bool>())
            .prop_map(|(message, deleted)| Body::DeleteMessage { message, deleted }),
        (0u8..3).prop_map(|n| Body::Unknown(
            [("kind".to_owned(), "later".into()), ("n".to_owned(), n.into())].into_iter().collect()
        )),
    ];
    (100u8..130, 0u64..6, 0u32..2, body)
        .prop_map(|(op, ms, n, body)| Op::new(id(op), Hlc { ms, n }, body))
}

#[test]
fn the_last_word_on_the_assistant_stands_and_its_name_has_an_end() {
    let at = |ms| Hlc { ms, n: 0 };
    let uses = |n, ms, assistant: Option<AssistantUse>| {
        Op::new(id(n), at(ms), Body::UseAssistant { conversation: id(1), assistant })
    };
    let ada = |revision| AssistantUse { id: id(9), name: "Ada".to_owned(), revision };
    let create = Op::new(id(99), at(1), Body::CreateConversation { conversation: id(1) });
    let ops = [uses(102, 4, Some(ada(2))), create, uses(100, 2, Some(ada(1)))];
    let of = |ops: &[Op]| {
        Merge::from_ops(ops).conversation(id(1)).and_then(|view| view.assistant.cloned())
    };
    assert_eq!(of(&ops), Some(ada(2)));
    assert_eq!(of(&[&ops[..], &[uses(103, 5, None)]].concat()), None);
    let json = ops[0].to_json();
    assert!(json.contains(r#""kind":"use_assistant""#), "{json}");
    assert_eq!(Op::from_json(&json).unwrap(), ops[0]);
    let long = AssistantUse { name: "x".repeat(ASSISTANT_NAME_MAX_CHARS + 1), ..ada(1) };
    assert!(uses(104, 6, Some(long)).check().is_err());
}

#[test]
fn tags_and_the_archive_are_the_last_writers() {
    let at = |ms| Hlc { ms, n: 0 };
    let tag = |n, ms, tag: &str, on| {
        Op::new(id(n), at(ms), Body::Tag { conversation: id(1), tag: tag.to_owned(), on })
    };
    let archive =
        |n, ms, archived| Op::new(id(n), at(ms), Body::Archive { conversation: id(1), archived });
    let create = Op::new(id(100), at(1), Body::CreateConversation { conversation: id(1) });
    let ops = [
        create,
        tag(101, 2, "work", true),
        tag(102, 3, "home", true),
        tag(103, 4, "work", false),
        archive(104, 5, true),
        archive(105, 2, false),
    ];
    let state = Merge::from_ops(ops.iter().rev());
    let view = state.conversation(id(1)).expect("there");
    assert_eq!((view.tags, view.archived), (vec!["home"], true));
    let long = "x".repeat(TAG_MAX_CHARS + 1);
    assert!(tag(106, 6, &long, true).check().is_err());
}

proptest! {
    #[test]
    fn any_order_any_number_of_times_any_split_gives_the_same_state(
        ops in prop::collection::vec(any_op(), 0..40),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..120),
    ) {
        let once = Merge::from_ops(&ops);
        // Some operations again and again in any order, then all of them backwards.
        let mut merge = Merge::default();
        if !ops.is_empty() {
            order.iter().for_each(|index| merge.apply(index.get(&ops)));
        }
        ops.iter().rev().for_each(|op| merge.apply(op));
        prop_assert_eq!(&merge, &once);
        for conversation in [id(1), id(2)] {
            prop_assert_eq!(merge.thread(conversation), once.thread(conversation));
        }
        prop_assert_eq!(merge.search("a", &decomposed), once.search("a", &decomposed));
    }

    #[test]
    fn heads_stand_for_the_operations_behind_them(
        ops in prop::collection::vec(any_op(), 0..40),
        n_split in 0usize..40,
    ) {
        let once = Merge::from_ops(&ops);
        // Two servers' heads of parts of the log, each handed on as JSON.
        let (one, other) = ops.split_at(n_split.min(ops.len()));
        let mut merge = Merge::default();
        for part in [other, one] {
            let mut heads: BTreeMap<Uuid, Head> = BTreeMap::new();
            for op in part {
                if let Some(conversation) = op.body.conversation() {
                    heads.entry(conversation).or_insert_with(|| Head::new(conversation)).apply(op);
                }
            }
            for head in heads.values() {
                merge.absorb(&Head::from_json(&head.to_json()).expect("own JSON"));
            }
        }
        prop_assert_eq!(merge.conversations(), once.conversations());
        ops.iter().for_each(|op| merge.apply(op));
        prop_assert_eq!(&merge, &once);
    }

    #[test]
    fn dropping_superseded_drafts_changes_nothing(ops in prop::collection::vec(any_op(), 0..40)) {
        let all = Merge::from_ops(&ops);
        let kept = ops.iter().filter(|op| !all.is_superseded_draft(op));
        prop_assert_eq!(Merge::from_ops(kept), all);
    }

    #[test]
    fn json_carries_every_operation(op in any_op()) {
        prop_assert_eq!(Op::from_json(&op.to_json()).expect("own JSON"), op);
    }

    #[test]
    fn any_text_can_be_searched(text in any::<String>(), query in any::<String>()) {
        let mut log = Log::default();
        log.create(1);
        log.add(1, 10, None, &text);
        let state = log.state();
        for hit in state.search(&query, &decomposed) {
            prop_assert!(hit.snippet.get(hit.matched).is_some());
        }
        if !fold(&text, &decomposed).trim().is_empty() {
            prop_assert!(text.split_whitespace().all(|word| fold(word, &decomposed).is_empty()
                || !state.search(word, &decomposed).is_empty()));
        }
    }
}
