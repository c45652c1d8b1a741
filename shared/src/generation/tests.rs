use proptest::prelude::*;

use super::*;
use crate::openai::{Place, PorticoInfo};
use crate::sampling::SamplingParams;
use crate::tools::ToolFormat;

/// A vocabulary of byte strings; text is what of them is whole UTF-8.
#[derive(Clone)]
struct Script {
    vocab: Vec<Vec<u8>>,
    pending: Vec<u8>,
}

impl Script {
    fn new(vocab: &[&[u8]]) -> Self {
        Self { vocab: vocab.iter().map(|bytes| bytes.to_vec()).collect(), pending: Vec::new() }
    }
}

impl Detokenize for Script {
    fn push(&mut self, id: u32) -> String {
        self.pending.extend(self.token_bytes(id));
        let mut text = String::new();
        loop {
            let (n_whole, n_broken) = match std::str::from_utf8(&self.pending) {
                Ok(whole) => (whole.len(), None),
                Err(error) => (error.valid_up_to(), error.error_len()),
            };
            let mut rest = self.pending.split_off(n_whole);
            text.push_str(std::str::from_utf8(&self.pending).expect("valid up to there"));
            self.pending = rest.split_off(n_broken.unwrap_or(0));
            if n_broken.is_none() {
                return text;
            }
            text.push('\u{FFFD}');
        }
    }

    fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.pending)).into_owned()
    }

    fn reset(&mut self) {
        self.pending.clear();
    }

    fn token_bytes(&self, id: u32) -> Vec<u8> {
        self.vocab.get(id as usize).cloned().unwrap_or_default()
    }
}

const END: u32 = 0;

/// 0 is the end token, 1 to 26 are a to z, then a few longer ones.
fn script() -> Script {
    let mut script = Script::new(&[b"<end>"]);
    script.vocab.extend((b'a'..=b'z').map(|letter| vec![letter]));
    for longer in [&b"ab"[..], b"STOP", b"\n\n", b"\xe2\x82", b"\xac", b"x\xe2", b"\x82\xac!"] {
        script.vocab.push(longer.to_vec());
    }
    script
}
const AB: u32 = 27;
const STOP: u32 = 28;
const EURO_1: u32 = 30;
const EURO_2: u32 = 31;
const X_EURO_1: u32 = 32;
const EURO_2_BANG: u32 = 33;

fn ids(text: &str) -> Vec<u32> {
    text.bytes().map(|letter| u32::from(letter - b'a') + 1).collect()
}

fn request() -> GenerationRequest {
    GenerationRequest {
        prompt_ids: ids("pq"),
        sampling: SamplingParams::greedy(),
        stop: Vec::new(),
        max_tokens: Some(1000),
        end_ids: vec![END],
        n_ctx: 2000,
        continuation: Vec::new(),
        top_logprobs: None,
        echo: false,
        stream: true,
        grammar: None,
        stop_repetition: false,
        tools: None,
    }
}

struct Run {
    deltas: Vec<Delta>,
    reason: FinishReason,
    usage: Usage,
}

impl Run {
    fn text(&self) -> String {
        self.deltas.iter().map(|delta| delta.text.as_str()).collect()
    }

    fn ids(&self) -> Vec<u32> {
        self.deltas.iter().flat_map(|delta| delta.token_ids.clone()).collect()
    }
}

/// Drives a generation by a list of tokens; the model "says" z after it.
fn run(request: GenerationRequest, tokens: &[u32]) -> Run {
    let n_standing = request.continuation.len();
    let expected_prefill: Vec<u32> =
        request.prompt_ids.iter().chain(&request.continuation).copied().collect();
    let mut generation = Generation::new(request, script()).expect("a good request");
    let mut deltas = Vec::new();
    let mut next = tokens.iter().skip(n_standing);
    let mut last = None;
    loop {
        deltas.extend(generation.take_delta());
        match generation.ask() {
            Ask::Score { tokens, .. } => {
                let scores = tokens[1..].iter().map(|&id| TokenScore {
                    id,
                    logprob: -1.0,
                    top: vec![(AB, -0.5), (id, -1.0)],
                });
                generation.give_scores(scores.collect()).expect("fitting scores");
            }
            Ask::Prefill { tokens } => {
                assert_eq!(tokens, expected_prefill);
                last = next.next().copied().or(Some(26));
                generation.give_token(last.expect("one"));
            }
            Ask::Step { token } => {
                assert_eq!(Some(token), last);
                last = next.next().copied().or(Some(26));
                generation.give_token(last.expect("one"));
            }
            Ask::End { reason } => {
                assert!(generation.take_delta().is_none());
                return Run { deltas, reason, usage: generation.usage() };
            }
        }
    }
}

fn run_text(stop: &[&str], tokens: &[u32]) -> (String, FinishReason) {
    let stop = stop.iter().map(|stop| (*stop).to_owned()).collect();
    let run = run(GenerationRequest { stop, ..request() }, tokens);
    (run.text(), run.reason)
}

fn with_end(text: &str) -> Vec<u32> {
    let mut tokens = ids(text);
    tokens.push(END);
    tokens
}

/// The model of [`run`] says nothing but z after its list.
#[test]
fn an_answer_in_circles_is_ended_where_a_request_asks_for_it_and_can_go_on() {
    let asked = || GenerationRequest { stop_repetition: true, ..request() };
    let ended = run(asked(), &ids("hello"));
    assert_eq!((ended.ids().len(), ended.reason), (5 + 97, FinishReason::Repetition));
    assert_eq!(run(request(), &ids("hello")).reason, FinishReason::Length);
    let standing = ended.ids();
    let further = run(GenerationRequest { continuation: standing.clone(), ..asked() }, &standing);
    assert_eq!((further.ids().len(), further.reason), (97, FinishReason::Repetition));
}

#[test]
fn an_end_token_ends_and_is_not_shown() {
    let run = run(request(), &with_end("hello"));
    assert_eq!((run.text().as_str(), run.reason), ("hello", FinishReason::Stop));
    assert_eq!(run.ids(), ids("hello"));
    assert_eq!((run.usage.prompt_tokens, run.usage.completion_tokens), (2, 6));
    assert_eq!(run.usage.total_tokens, 8);
}

#[test]
fn a_stop_string_is_found_across_token_borders_and_never_shown() {
    for (tokens, shown) in [
        ([ids("hel"), vec![AB], ids("cd")].concat(), "hela"),
        ([ids("he"), ids("bc")].concat(), "he"),
        (ids("xbbbcx"), "xbb"),
    ] {
        assert_eq!(run_text(&["bc"], &tokens), (shown.to_owned(), FinishReason::Stop));
    }
    assert_eq!(run_text(&["TO"], &[1, STOP, 2]), ("aS".to_owned(), FinishReason::Stop));
    assert_eq!(run_text(&["cde", "bcd"], &ids("abcde")), ("a".to_owned(), FinishReason::Stop));
    assert_eq!(run_text(&["€"], &[1, EURO_1, EURO_2, 1]), ("a".to_owned(), FinishReason::Stop));
}

#[test]
fn held_text_is_released_when_it_does_not_match() {
    assert_eq!(run_text(&["abcz"], &with_end("abcabcx")).0, "abcabcx");
    // At the end of an answer nothing is owed.
    assert_eq!(run_text(&["abcz"], &with_end("xabc")), ("xabc".to_owned(), FinishReason::Stop));
}

#[test]
fn a_delta_never_shows_the_beginning_of_a_stop_string() {
    let stop = vec!["lo".to_owned()];
    let mut generation =
        Generation::new(GenerationRequest { stop, ..request() }, script()).expect("good");
    generation.give_token(ids("e")[0]);
    assert_eq!(generation.take_delta().map(|delta| delta.text), Some("e".to_owned()));
    generation.give_token(ids("l")[0]);
    assert_eq!(generation.take_delta(), None);
    generation.give_token(ids("l")[0]);
    let delta = generation.take_delta().expect("the first l is free");
    assert_eq!((delta.text.as_str(), delta.token_ids), ("l", ids("l")));
    generation.give_token(ids("o")[0]);
    assert_eq!(generation.take_delta(), None);
    assert_eq!(generation.finish_reason(), Some(FinishReason::Stop));
}

#[test]
fn half_a_character_waits_for_its_other_half() {
    let run = run(request(), &[EURO_1, EURO_2, X_EURO_1, EURO_2_BANG, END]);
    let texts: Vec<&str> = run.deltas.iter().map(|delta| delta.text.as_str()).collect();
    assert_eq!(texts, ["€", "x", "€!"]);
    assert_eq!(run.deltas[0].token_ids, [EURO_1, EURO_2]);
}

#[test]
fn max_tokens_and_a_full_context_end_with_length() {
    let limited = run(GenerationRequest { max_tokens: Some(3), ..request() }, &ids("hello"));
    assert_eq!((limited.text().as_str(), limited.reason), ("hel", FinishReason::Length));
    let full = GenerationRequest { n_ctx: 6, max_tokens: None, ..request() };
    let full = run(full, &ids("hello"));
    assert_eq!((full.text().as_str(), full.reason), ("hell", FinishReason::Length));
    // The end token may come as the last one that is allowed.
    let exact = run(GenerationRequest { max_tokens: Some(3), ..request() }, &with_end("he"));
    assert_eq!((exact.text().as_str(), exact.reason), ("he", FinishReason::Stop));
}

#[test]
fn a_prompt_that_fills_the_context_is_refused() {
    let error = Generation::new(GenerationRequest { n_ctx: 2, ..request() }, script()).err();
    let error = error.expect("no room");
    assert_eq!(error.code, ErrorCode::ContextFull);
    assert_eq!(error.params["n_ctx"], "2");
    let empty = GenerationRequest { prompt_ids: Vec::new(), ..request() };
    assert!(Generation::new(empty, script()).is_err());
}

#[test]
fn cancelling_keeps_what_stands() {
    let stop = vec!["lost".to_owned()];
    let mut generation =
        Generation::new(GenerationRequest { stop, ..request() }, script()).expect("good");
    for id in ids("hello") {
        generation.give_token(id);
    }
    generation.cancel();
    generation.give_token(1);
    assert_eq!(generation.take_delta().map(|delta| delta.text), Some("hello".to_owned()));
    assert_eq!(generation.ask(), Ask::End { reason: FinishReason::Stop });
    generation.cancel();
    assert_eq!(generation.take_delta(), None);
}

#[test]
fn a_whole_answer_contains_the_text_that_stood() {
    let tokens = with_end("hello");
    let continued =
        GenerationRequest { continuation: tokens[..2].to_vec(), stream: false, ..request() };
    let run = run(continued, &tokens);
    assert_eq!((run.text().as_str(), run.ids()), ("hello", ids("hello")));
}

#[test]
fn logits_are_scored_before_the_request_bends_them() {
    let mut bent = GenerationRequest { top_logprobs: Some(2), max_tokens: Some(1), ..request() };
    bent.sampling.logit_bias = vec![(2, 50.0)];
    let mut generation = Generation::new(bent, script()).expect("good");
    assert_eq!(generation.gpu_plan(), None);
    generation.give_logits(&mut [0.0, 1.0, 0.0]).expect("numbers");
    let delta = generation.take_delta().expect("a token");
    assert_eq!((delta.text.as_str(), delta.scores.len()), ("b", 1));
    let log_sum = (2.0 + 1f32.exp()).ln();
    assert!((delta.scores[0].logprob.expect("scored") + log_sum).abs() < 1e-5);
    let top: Vec<u32> = delta.scores[0].top.iter().map(|other| other.id).collect();
    assert_eq!(top, [1, 0]);
}

#[test]
fn logits_without_a_number_are_an_error_and_choose_nothing() {
    let mut generation = Generation::new(request(), script()).expect("good");
    let error = generation.give_logits(&mut [f32::NAN; 4]).expect_err("nonsense");
    assert_eq!(error.code, ErrorCode::Internal);
    assert!(generation.generated_ids().is_empty());
}

#[test]
fn an_echo_brings_the_prompts_own_scores() {
    let echoed = GenerationRequest {
        prompt_ids: vec![ids("p")[0], EURO_1, EURO_2, ids("q")[0]],
        echo: true,
        top_logprobs: Some(2),
        max_tokens: Some(0),
        ..request()
    };
    let run = run(echoed, &[]);
    assert_eq!((run.text().as_str(), run.reason), ("p€q", FinishReason::Length));
    assert_eq!(run.usage.completion_tokens, 0);
    let head = AnswerHead { id: "cmpl-1".into(), created: 7, model: "m".into() };
    let mut answer = Answer::default();
    run.deltas.into_iter().for_each(|delta| answer.add(delta));
    let portico = PorticoInfo::new(Place::Device, "m");
    let json = serde_json::to_value(head.completion_whole(&answer, run.reason, run.usage, portico))
        .expect("JSON");
    let logprobs = &json["choices"][0]["logprobs"];
    assert_eq!(logprobs["token_logprobs"], serde_json::json!([null, -1.0, -1.0, -1.0]));
    assert_eq!(logprobs["text_offset"], serde_json::json!([0, 1, 1, 2]));
    assert_eq!(logprobs["token_ids"], serde_json::json!([16, EURO_1, EURO_2, 17]));
    let top = serde_json::json!([null, [AB, EURO_1], [AB, EURO_2], [AB, 17]]);
    assert_eq!(logprobs["top_token_ids"], top);
    assert_eq!(logprobs["top_logprobs"][3], serde_json::json!({"ab": -0.5, "q": -1.0}));
    assert_eq!(json["object"], "text_completion");
    assert_eq!(json["choices"][0]["finish_reason"], "length");
}

#[test]
fn an_echo_goes_before_the_answer_and_shifts_its_offsets() {
    let echoed = GenerationRequest { echo: true, max_tokens: Some(1), ..request() };
    assert_eq!(run(echoed.clone(), &ids("a")).text(), "pqa");
    let mut generation =
        Generation::new(GenerationRequest { top_logprobs: Some(0), ..echoed }, script())
            .expect("good");
    assert_eq!(generation.take_delta(), None, "the echo waits for its scores");
    let stranger = TokenScore { id: 1, logprob: 0.0, top: Vec::new() };
    assert!(generation.give_scores(vec![stranger.clone()]).is_err());
    generation.give_scores(vec![TokenScore { id: 17, ..stranger }]).expect("q's");
    generation.give_logits(&mut [0.0, 9.0]).expect("numbers");
    let delta = generation.take_delta().expect("both");
    assert_eq!(delta.text, "pqa");
    let offsets: Vec<u32> = delta.scores.iter().map(|token| token.offset_chars).collect();
    assert_eq!(offsets, [0, 1, 2]);
}

#[test]
fn a_chat_stream_has_openais_shape() {
    let head = AnswerHead { id: "chatcmpl-1".into(), created: 7, model: "m".into() };
    let opening = serde_json::to_value(head.chat_opening()).expect("JSON");
    assert_eq!(opening["choices"][0]["delta"]["role"], "assistant");
    let delta = Delta { text: "hi".into(), token_ids: vec![8, 9], ..Delta::default() };
    let chunk = serde_json::to_value(head.chat_delta(&delta)).expect("JSON");
    assert_eq!(chunk["object"], "chat.completion.chunk");
    assert_eq!(
        chunk["choices"][0]["delta"],
        serde_json::json!({"content": "hi", "token_ids": [8, 9]})
    );
    assert!(chunk["choices"][0]["finish_reason"].is_null());
    let end = head.chat_end(FinishReason::Length, Some(Usage::default()), None);
    let end = serde_json::to_value(end).expect("JSON");
    assert_eq!(end["choices"][0]["finish_reason"], "length");
    assert_eq!(end["usage"]["total_tokens"], 0);
}

#[test]
fn a_request_out_of_range_is_refused_by_name() {
    let model =
        ModelFacts { end_ids: vec![END], n_ctx: 100, n_vocab: 34, tools: ToolFormat::default() };
    for (field, json) in [
        ("`n`", r#""n": 2"#),
        ("`max_tokens`", r#""max_tokens": 0"#),
        ("`top_logprobs`", r#""top_logprobs": 3"#),
        ("`top_logprobs`", r#""logprobs": true, "top_logprobs": 21"#),
        ("`stop`", r#""stop": ["a", ""]"#),
        ("`portico_continue`", r#""portico_continue": {"token_ids": [34]}"#),
        ("`temperature`", r#""temperature": -1"#),
    ] {
        let json = format!(r#"{{"model": "m", "messages": [], {json}}}"#);
        let request = serde_json::from_str(&json).expect("well-formed");
        let error = GenerationRequest::from_chat(&request, vec![1], &model, 0).expect_err(field);
        assert!(error.params["reason"].contains(field), "{error}");
    }
    let request = serde_json::from_str(r#"{"model": "m", "prompt": [99]}"#).expect("well-formed");
    assert!(GenerationRequest::from_completion(&request, vec![99], &model, 0).is_err());
    let good = GenerationRequest::from_completion(&request, vec![1], &model, 0).expect("good");
    assert_eq!(good.max_tokens, Some(16));
}

/// The text before the earliest-ending stop string's begin, as a reader of the whole text finds it.
fn cut_at_stop(tokens: &[u32], stops: &[String]) -> String {
    let mut decoder = script();
    let mut text = String::new();
    for &id in tokens {
        text.push_str(&decoder.push(id));
        if let Some(at) = stops.iter().filter_map(|stop| text.find(stop.as_str())).min() {
            text.truncate(at);
            return text;
        }
    }
    text + &decoder.finish()
}

proptest! {
    #[test]
    fn text_is_what_stands_before_the_first_stop(
        tokens in prop::collection::vec(prop_oneof![1u32..4, 27u32..34], 1..30),
        stops in prop::collection::vec("[abcSTOPx€]{1,4}", 0..3),
    ) {
        let n = tokens.len() as u32;
        let limited = GenerationRequest { stop: stops.clone(), max_tokens: Some(n), ..request() };
        prop_assert_eq!(run(limited, &tokens).text(), cut_at_stop(&tokens, &stops));
    }

    /// Cut at any delta and resumed from the token ids that arrived, the text is the same.
    #[test]
    fn a_resumed_stream_says_the_same(
        tokens in prop::collection::vec(prop_oneof![1u32..4, 27u32..34], 1..30),
        stops in prop::collection::vec("[abcSTOPx€]{1,4}", 0..3),
        cut: prop::sample::Index,
    ) {
        let n = tokens.len() as u32;
        let limited = GenerationRequest { stop: stops, max_tokens: Some(n), ..request() };
        let whole = run(limited.clone(), &tokens);
        prop_assume!(!whole.deltas.is_empty());
        // Before the last delta: a stream that ended is not resumed, and its last delta may end
        // within a token.
        let n_arrived = cut.index(whole.deltas.len());
        let (text_before, ids_before) = whole.deltas.iter().take(n_arrived).fold(
            (String::new(), Vec::new()),
            |(text, ids), delta| (text + &delta.text, [ids, delta.token_ids.clone()].concat()),
        );
        let resumed = run(GenerationRequest { continuation: ids_before, ..limited }, &tokens);
        prop_assert_eq!(text_before + &resumed.text(), whole.text());
        prop_assert_eq!(resumed.reason, whole.reason);
        prop_assert_eq!(resumed.usage, whole.usage);
    }
}
