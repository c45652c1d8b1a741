//! Driven by random logits over a vocabulary of bytes and a few words: whatever the "model" prefers,
//! what comes out has the form.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::error::ErrorCode;
use crate::generation::{
    Answer, AnswerHead, Ask, Detokenize, Generation, GenerationRequest, ModelFacts,
};
use crate::openai::{ChatCompletionRequest, Continuation, FinishReason};
use crate::sampling::{argmax, uniform};
use crate::tools::{ToolFormat, ToolStyle};

const END: u32 = 256;

/// Every byte, an end, and words of several bytes as a real vocabulary has them.
fn table() -> TokenTable {
    let mut table = TokenTable { end_ids: vec![END], ..TokenTable::default() };
    let words = ["\": ", "{\"", "\"}", ", \"", "\", \"", "name", "true", "12", "}}", "ä", " ", "]"];
    let bytes = (0..=255u8).map(|byte| vec![byte]);
    let end = std::iter::once(b"\xff<end>".to_vec());
    for word in bytes.chain(end).chain(words.iter().map(|word| word.as_bytes().to_vec())) {
        table.bytes.extend(word);
        table.ends.push(table.bytes.len() as u32);
    }
    table
}

fn env() -> GrammarEnv {
    GrammarEnv::new(&table()).unwrap()
}

/// The text that random logits give, and whether the form ended it within the tokens granted.
fn babble(constraint: &mut Constraint, seed: u64, n_tokens: u32) -> (Vec<u8>, bool) {
    let words = table().words();
    let mut text = Vec::new();
    for step in 0..n_tokens {
        let mut logits: Vec<f32> =
            (0..words.len() as u32).map(|id| uniform(seed, step * 1_000 + id)).collect();
        constraint.mask(&mut logits).unwrap();
        let id = argmax(&logits).unwrap();
        if id == END {
            return (text, true);
        }
        constraint.accept(id).unwrap();
        text.extend_from_slice(&words[id as usize]);
        if constraint.is_finished() {
            return (text, true);
        }
    }
    (text, false)
}

fn schema(schema: Value) -> Grammar {
    Grammar::JsonSchema(schema)
}

#[test]
fn forbidden_tokens_are_out_and_the_end_comes_when_it_may() {
    let mut constraint = env().compile(&Grammar::Regex("ab?".into())).unwrap();
    let mut logits = vec![1.0; 300];
    constraint.mask(&mut logits).unwrap();
    let allowed: Vec<usize> =
        (0..logits.len()).filter(|&id| logits[id] > f32::NEG_INFINITY).collect();
    assert_eq!(allowed, [usize::from(b'a')], "rows behind the vocabulary are out too");
    constraint.accept(u32::from(b'a')).unwrap();
    assert!(!constraint.is_finished());
    let allowed = constraint.allowed().unwrap();
    assert_eq!(allowed.to_list(), [u32::from(b'b'), END]);
    constraint.accept(u32::from(b'b')).unwrap();
    assert!(constraint.is_finished());
}

#[test]
fn what_does_not_follow_is_refused() {
    let mut constraint = env().compile(&Grammar::Regex("ab".into())).unwrap();
    assert_eq!(constraint.accept(u32::from(b'b')).unwrap_err().code, ErrorCode::InvalidRequest);
}

#[test]
fn json_is_laid_out_on_one_line() {
    let form = schema(json!({ "properties": { "a": { "const": 1 }, "b": { "const": [true] } },
        "required": ["a", "b"], "additionalProperties": false, "type": "object" }));
    let (text, ended) = babble(&mut env().compile(&form).unwrap(), 1, 50);
    assert!(ended);
    assert_eq!(String::from_utf8(text).unwrap(), r#"{"a": 1, "b": [true]}"#);
}

#[test]
fn keys_come_in_the_authors_order() {
    let form = schema(json!({ "properties": { "z": { "enum": [1] }, "a": { "enum": [2] } },
        "required": ["a", "z"], "additionalProperties": false, "type": "object" }));
    let (text, _) = babble(&mut env().compile(&form).unwrap(), 2, 50);
    assert_eq!(String::from_utf8(text).unwrap(), r#"{"z": 1, "a": 2}"#);
}

#[test]
fn a_lark_grammar_derives_the_text() {
    let form = Grammar::Lark("start: \"x\" mid \"z\"\nmid: \"1\" | \"2\"".into());
    let (text, ended) = babble(&mut env().compile(&form).unwrap(), 3, 50);
    assert!(ended && (text == b"x1z" || text == b"x2z"));
}

#[test]
fn faults_are_named() {
    #[track_caller]
    fn check(form: Grammar, fault: &str) {
        let error = env().compile(&form).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidRequest);
        assert!(error.params["reason"].contains(fault), "{error}");
    }
    check(schema(json!({ "type": "object", "uniqueItems": true })), "uniqueItems");
    check(schema(json!({ "type": "strin" })), "strin");
    check(schema(json!({ "$ref": "http://example.org/schema" })), "$ref");
    check(schema(json!(3)), "must be an object");
    check(Grammar::Regex("(a".into()), "cannot be followed");
    check(Grammar::Regex("a(?=b)".into()), "cannot be followed");
    check(Grammar::Lark("start: missing".into()), "missing");
    check(Grammar::Lark(String::new()), "cannot be followed");
}

/// Each of these would cost much if nothing bounded it.
#[test]
fn hostile_forms_end_soon() {
    let mut nested = json!({});
    for _ in 0..SCHEMA_DEPTH_MAX {
        nested = json!({ "items": nested });
    }
    let wide: Value = (0..20_000).map(|n| (format!("k{n}"), json!({}))).collect();
    let doubling: Value = (0..40)
        .map(|n| {
            let next = format!("#/$defs/d{}", n + 1);
            (format!("d{n}"), json!({ "allOf": [{ "$ref": next }, { "$ref": next }] }))
        })
        .chain([("d40".to_owned(), json!({ "type": "object" }))])
        .collect();
    let forms = [
        schema(nested),
        schema(json!({ "properties": wide })),
        schema(json!({ "$defs": doubling, "$ref": "#/$defs/d0" })),
        schema(json!({ "$ref": "#" })),
        schema(
            json!({ "type": "array", "minItems": 1_000_000_000, "items": { "type": "array", "minItems": 1_000_000_000 } }),
        ),
        schema(json!({ "type": "string", "minLength": 1_000_000_000 })),
        schema(json!({ "type": "string", "pattern": "^(([a-z]{1,1000}){1,1000}){1,1000}$" })),
        schema(json!({ "type": "number", "multipleOf": 1e-300, "minimum": 1e-300 })),
        Grammar::Regex("(a?){50000}a{50000}".into()),
        Grammar::Regex("((((((a*)*)*)*)*)*)*b".into()),
        Grammar::Regex("(.*a.{1000}){100}".into()),
        Grammar::Regex("(".repeat(REGEX_BYTES_MAX)),
        Grammar::Regex("a".repeat(REGEX_BYTES_MAX + 1)),
        Grammar::Lark("start: start start | \"a\" | ".into()),
        Grammar::Lark("start: \"a\"{1000000}".into()),
        Grammar::Lark(format!("start: {}\"a\"{}", "(".repeat(30_000), ")".repeat(30_000))),
        Grammar::Lark("a".repeat(GRAMMAR_BYTES_MAX + 1)),
    ];
    let env = env();
    for form in forms {
        let shown: String = format!("{form:?}").chars().take(80).collect();
        let start = std::time::Instant::now();
        if let Ok(mut constraint) = env.compile(&form) {
            for _ in 0..5 {
                let mut logits = vec![0.0; 270];
                let Ok(()) = constraint.mask(&mut logits) else { break };
                let Some(id) = argmax(&logits).filter(|&id| id != END) else { break };
                if constraint.accept(id).is_err() || constraint.is_finished() {
                    break;
                }
            }
        }
        let took = start.elapsed();
        assert!(took.as_secs() < 5, "{took:?} for {shown}");
    }
}

/// Bytes and words, with the text that they make.
struct Words(Vec<Vec<u8>>);

impl Detokenize for Words {
    fn push(&mut self, id: u32) -> String {
        String::from_utf8_lossy(&self.0[id as usize]).into_owned()
    }
    fn finish(&mut self) -> String {
        String::new()
    }
    fn reset(&mut self) {}
    fn token_bytes(&self, id: u32) -> Vec<u8> {
        self.0[id as usize].clone()
    }
}

fn facts(style: ToolStyle) -> ModelFacts {
    let tools = ToolFormat { style, marker_id: None };
    ModelFacts { end_ids: vec![END], n_ctx: 2_000, n_vocab: 269, tools }
}

/// Everything that an answer to a chat request became.
#[derive(Debug, PartialEq)]
struct Told {
    /// As a reader of the deltas joins them.
    whole: crate::openai::ChatMessage,
    reason: FinishReason,
    ids: Vec<u32>,
}

/// Answers by random logits that depend on the place only; what stands is not told again.
fn answer(request: &ChatCompletionRequest, style: ToolStyle, seed: u64) -> Told {
    let request = GenerationRequest::from_chat(request, vec![1], &facts(style), 0).unwrap();
    let n_standing = request.continuation.len();
    let constraint = request
        .grammar
        .as_ref()
        .map(|grammar| Box::new(env().compile(grammar).unwrap()) as Box<dyn Constrain>);
    let words = Words(table().words());
    let n_vocab = words.0.len() as u32;
    let mut generation = Generation::constrained(request, words, constraint).unwrap();
    let (mut told, mut ids) = (Answer::default(), Vec::new());
    loop {
        while let Some(delta) = generation.take_delta() {
            ids.extend(delta.token_ids.clone());
            told.add(delta);
        }
        if let Ask::End { reason } = generation.ask() {
            let head = AnswerHead { id: "chat".into(), created: 0, model: "m".into() };
            let portico = crate::openai::PorticoInfo::new(crate::openai::Place::Server, "m");
            let mut whole = head.chat_whole(&told, reason, generation.usage(), portico);
            return Told { whole: whole.choices.remove(0).message, reason, ids };
        }
        let step =
            (n_standing + ids.len().max(generation.generated_ids().len() - n_standing)) as u32;
        let mut logits: Vec<f32> =
            (0..n_vocab).map(|id| uniform(seed, step * 1_000 + id)).collect();
        generation.give_logits(&mut logits).unwrap();
    }
}

fn asking(more: Value) -> ChatCompletionRequest {
    let mut request = json!({
        "model": "m", "messages": [], "temperature": 0, "max_tokens": 300,
        "tools": [
            { "type": "function", "function": { "name": "f \"a\"", "parameters": { "type": "object",
                "properties": { "n": { "$ref": "#/$defs/n" } }, "required": ["n"], "additionalProperties": false,
                "$defs": { "n": { "enum": [1, 2] } } } } },
            { "type": "function", "function": { "name": "g", "parameters": { "properties": {
                "s": { "type": "string", "maxLength": 9 } }, "additionalProperties": false } } },
        ],
    });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(request).unwrap()
}

const STYLES: [ToolStyle; 5] = [
    ToolStyle::Hermes,
    ToolStyle::Llama3,
    ToolStyle::Mistral,
    ToolStyle::Functionary,
    ToolStyle::Generic,
];

#[test]
fn a_call_that_must_come_comes_in_every_style() {
    for style in STYLES {
        for seed in 0..10 {
            let told = answer(&asking(json!({ "tool_choice": "required" })), style, seed);
            assert_eq!(told.reason, FinishReason::ToolCalls, "{style:?} {told:?}");
            assert_eq!(told.whole.content, None, "no marker is words: {style:?}");
            let calls = told.whole.tool_calls.unwrap();
            let one = matches!(style, ToolStyle::Llama3 | ToolStyle::Generic);
            assert!(calls.len() == 1 || !one);
            for call in calls {
                let arguments: Value = serde_json::from_str(&call.function.arguments).unwrap();
                match call.function.name.as_str() {
                    "g" => assert!(arguments.as_object().unwrap().len() <= 1),
                    name => {
                        assert_eq!(name, "f \"a\"");
                        assert!([1, 2].contains(&arguments["n"].as_i64().unwrap()));
                    }
                }
                assert_eq!(call.id.len(), 9);
            }
        }
    }
}

#[test]
fn a_named_tool_is_called_once() {
    let named = json!({ "tool_choice": { "type": "function", "function": { "name": "g" } } });
    for style in STYLES {
        let calls = answer(&asking(named.clone()), style, 3).whole.tool_calls.unwrap();
        assert_eq!(calls.iter().map(|call| call.function.name.as_str()).collect::<Vec<_>>(), ["g"]);
    }
}

#[test]
fn tools_and_a_schema_give_calls_or_the_schemas_json() {
    let format = json!({ "response_format": { "type": "json_schema", "json_schema": {
        "name": "n", "schema": { "type": "object", "properties": { "answer": { "type": "boolean" } },
        "required": ["answer"], "additionalProperties": false } } } });
    let (mut n_calls, mut n_answers) = (0, 0);
    for seed in 0..40 {
        let told = answer(&asking(format.clone()), ToolStyle::Generic, seed);
        match told.whole.content {
            None => n_calls += 1,
            Some(content) => {
                let value: Value = serde_json::from_str(&content.text()).unwrap();
                assert!(value["answer"].is_boolean());
                n_answers += 1;
            }
        }
    }
    assert!(n_calls > 0 && n_answers > 0, "{n_calls} calls, {n_answers} answers");
}

#[test]
fn choices_that_make_no_sense_are_refused_by_name() {
    let refused = |more: Value| {
        let error =
            GenerationRequest::from_chat(&asking(more), vec![1], &facts(ToolStyle::Hermes), 0);
        error.unwrap_err().params["reason"].clone()
    };
    assert!(refused(json!({ "tool_choice": "required", "tools": [] })).contains("`tool_choice`"));
    let unknown = json!({ "tool_choice": { "type": "function", "function": { "name": "h" } } });
    assert!(refused(unknown).contains("`h`"));
    let both = json!({ "response_format": { "type": "regex", "regex": "a" } });
    assert!(refused(both).contains("`response_format`"));
}

/// A text for which there is no room ends early, but in its form.
#[test]
fn what_is_cut_still_has_its_form() {
    let schema = json!({ "type": "object", "properties": {
        "title": { "type": "string" },
        "people": { "type": "array", "items": { "type": "object", "properties": {
            "name": { "type": "string", "minLength": 1 }, "age": { "type": "integer" } },
            "required": ["name", "age"], "additionalProperties": false } },
    }, "required": ["title", "people"], "additionalProperties": false });
    let mut n_cut = 0;
    for seed in 0..20 {
        for max_tokens in [45, 60, 100, 200] {
            let more = json!({ "tools": null, "max_tokens": max_tokens, "response_format": {
                "type": "json_schema", "json_schema": { "name": "n", "schema": schema } } });
            let told = answer(&asking(more), ToolStyle::Generic, seed);
            let text = told.whole.content.unwrap().text();
            let value: Value = serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{max_tokens} tokens: {error}: {text}"));
            assert!(value["title"].is_string() && value["people"].is_array());
            assert!(told.ids.len() <= max_tokens);
            n_cut += u32::from(told.reason == FinishReason::Length);
        }
    }
    assert!(n_cut > 40, "noise writes long strings, and {n_cut} of 80 were told to be cut");
    // Where not even the shortest fits, it is cut.
    let more = json!({ "tools": null, "max_tokens": 5, "response_format": {
        "type": "json_schema", "json_schema": { "name": "n", "schema": schema } } });
    let told = answer(&asking(more), ToolStyle::Generic, 1);
    assert_eq!((told.reason, told.ids.len()), (FinishReason::Length, 5));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Cut anywhere and gone on from the tokens, the same calls and words come.
    #[test]
    fn a_resumed_call_says_the_same(seed: u64, style in prop::sample::select(STYLES.to_vec()), cut: prop::sample::Index) {
        let request = asking(json!({ "tool_choice": "required", "stream": true }));
        let whole = answer(&request, style, seed);
        let n = cut.index(whole.ids.len());
        let mut resumed = request.clone();
        resumed.portico_continue = Some(Continuation { token_ids: whole.ids[..n].to_vec(), ..Continuation::default() });
        let told = answer(&resumed, style, seed);
        prop_assert_eq!(&told.ids[..], &whole.ids[n..]);
        prop_assert_eq!(told.reason, whole.reason);
        // What is told of the whole answer ends with what is told of its rest.
        let arguments = |told: &Told| -> String {
            told.whole.tool_calls.iter().flatten().map(|call| call.function.arguments.clone()).collect()
        };
        prop_assert!(arguments(&whole).ends_with(&arguments(&told)));
    }

    /// A regular expression's text is what the expression matches.
    #[test]
    fn any_logits_follow_a_date(seed: u64) {
        let form = schema(json!({ "type": "string", "format": "date" }));
        let (text, ended) = babble(&mut env().compile(&form).unwrap(), seed, 20);
        prop_assert!(ended);
        let text: String = serde_json::from_slice(&text).unwrap();
        prop_assert_eq!(text.len(), 10);
        prop_assert_eq!(text.split('-').count(), 3);
    }

    #[test]
    fn any_logits_give_the_objects_that_the_schema_describes(seed: u64) {
        let form = schema(json!({
            "type": "object",
            "properties": {
                "name": { "type": "string", "maxLength": 5 },
                "n": { "type": "integer", "minimum": -3, "maximum": 12 },
                "tags": { "type": "array", "items": { "enum": ["a", "b"] }, "minItems": 1, "maxItems": 3 },
            },
            "required": ["name", "n", "tags"],
            "additionalProperties": false,
        }));
        let (text, ended) = babble(&mut env().compile(&form).unwrap(), seed, 200);
        prop_assert!(ended);
        let value: Value = serde_json::from_slice(&text).unwrap();
        prop_assert!(value["name"].as_str().unwrap().chars().count() <= 5);
        // `-0` is an integer in JSON, but none of Rust's.
        let n = value["n"].as_f64().unwrap();
        prop_assert!((-3.0..=12.0).contains(&n) && n.fract() == 0.0);
        let tags = value["tags"].as_array().unwrap();
        prop_assert!((1..=3).contains(&tags.len()));
        prop_assert!(tags.iter().all(|tag| *tag == "a" || *tag == "b"));
        prop_assert_eq!(value.as_object().unwrap().len(), 3);
    }
}
