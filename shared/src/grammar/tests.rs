//! Driven by random logits over a vocabulary of bytes and a few words: whatever the "model" prefers,
//! what comes out has the form.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::error::ErrorCode;
use crate::sampling::{argmax, uniform};

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

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
