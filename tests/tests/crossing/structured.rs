//! Does an answer have the form that was asked for, whatever the model would rather say? Held to 200
//! schemas by a validator that knows nothing of how the answers were made.

use std::time::{Duration, Instant};

use anyhow::Context;
use portico_inference::{Decoding, Event, InferenceConfig, Running};
use portico_shared::generation::{Ask, Generation, GenerationRequest};
use portico_shared::grammar::{GrammarEnv, TokenTable};
use portico_shared::openai::{CompletionRequest, FinishReason};
use portico_shared::sampling::uniform;
use portico_shared::tokenizer::{SkipSpecial, StreamDecoder};
use portico_tests::engine::header;
use portico_tests::hosted::Hosted;
use portico_tests::real::RealModel;
use portico_tests::schemas;
use serde_json::{Value, json};

const N_SCHEMAS: usize = 200;
const SEED: u64 = 20_261_125;
const MAX_TOKENS: u32 = 300;

/// # Errors
/// Where the text is no JSON or not what the schema describes.
fn check(schema: &Value, text: &str) -> anyhow::Result<()> {
    let value: Value =
        serde_json::from_str(text).with_context(|| format!("{text} for {schema}"))?;
    let validator = jsonschema::options().should_validate_formats(true).build(schema);
    let validator = validator.map_err(|error| anyhow::anyhow!("{error}: {schema}"))?;
    let faults: Vec<String> =
        validator.iter_errors(&value).map(|fault| fault.to_string()).collect();
    anyhow::ensure!(faults.is_empty(), "{text} for {schema}: {faults:?}");
    Ok(())
}

fn request(schema: &Value, prompt_ids: &[u32], temperature: f32, seed: usize) -> CompletionRequest {
    serde_json::from_value(json!({
        "model": "test", "prompt": prompt_ids, "max_tokens": MAX_TOKENS, "temperature": temperature,
        "seed": seed, "stream": true,
        "response_format": { "type": "json_schema", "json_schema": { "name": "form", "schema": schema } },
    }))
    .expect("a request")
}

#[test]
fn the_validator_finds_faults() {
    let schema =
        json!({ "type": "object", "properties": { "a": { "type": "integer", "maximum": 3 } } });
    assert!(check(&schema, r#"{"a": 3}"#).is_ok());
    assert!(check(&schema, r#"{"a": 4}"#).is_err());
    assert!(check(&schema, r#"{"a": "#).is_err());
    assert!(check(&json!({ "format": "date" }), r#""2026-02-31""#).is_err());
}

#[test]
fn schemas_differ() {
    let mut schemas: Vec<String> =
        schemas::varied(N_SCHEMAS, SEED).iter().map(Value::to_string).collect();
    schemas.sort();
    schemas.dedup();
    assert!(schemas.len() >= N_SCHEMAS * 9 / 10, "{} of {N_SCHEMAS}", schemas.len());
}

/// A model that knows nothing still writes what the schema describes.
#[test]
fn random_logits_over_smollm2s_vocabulary_follow_every_schema() -> anyhow::Result<()> {
    let gguf = header(&mut RealModel::SmolLm2.open()?)?;
    let tokenizer =
        std::sync::Arc::new(portico_shared::tokenizer::Tokenizer::from_gguf(&gguf.metadata)?);
    let n_vocab = tokenizer.n_vocab() as u32;
    let start = Instant::now();
    let env = GrammarEnv::new(&TokenTable::new(&tokenizer))?;
    println!("trie of {n_vocab} tokens in {:?}", start.elapsed());
    let facts = portico_shared::generation::ModelFacts::new(&tokenizer, None, 2048, n_vocab);
    let noise: Vec<f32> = (0..2 * n_vocab).map(|id| uniform(SEED, id) * 10.0).collect();
    let (mut compiling, mut longest_compile) = (Duration::ZERO, Duration::ZERO);
    let (mut masking, mut longest_mask, mut n_masks) = (Duration::ZERO, Duration::ZERO, 0u32);
    let mut n_cut = 0;
    for (at, schema) in schemas::varied(N_SCHEMAS, SEED).iter().enumerate() {
        let request = request(schema, &[1], 1.0, at);
        let request = GenerationRequest::from_completion(&request, vec![1], &facts, 0)?;
        let start = Instant::now();
        let grammar = request.grammar.as_ref().context("a grammar")?;
        let constraint = env.compile(grammar).with_context(|| schema.to_string())?;
        let took = start.elapsed();
        compiling += took;
        longest_compile = longest_compile.max(took);
        let decoder = StreamDecoder::new(tokenizer.clone(), SkipSpecial::Yes);
        let mut generation = Generation::constrained(request, decoder, Some(Box::new(constraint)))?;
        let mut text = String::new();
        let mut step = at;
        let reason = loop {
            if let Some(delta) = generation.take_delta() {
                text.push_str(&delta.text);
            }
            if let Ask::End { reason } = generation.ask() {
                break reason;
            }
            let from = step * 7919 % n_vocab as usize;
            let mut logits = noise[from..from + n_vocab as usize].to_vec();
            step += 1;
            let start = Instant::now();
            generation.give_logits(&mut logits)?;
            let took = start.elapsed();
            masking += took;
            longest_mask = longest_mask.max(took);
            n_masks += 1;
        };
        // Noise seldom ends a text that may go on: it is cut, and brought to an end of its form.
        n_cut += u32::from(reason == FinishReason::Length);
        check(schema, &text)?;
    }
    println!("{n_cut} of {N_SCHEMAS} were cut");
    println!("compiled in {:?} each, at most {longest_compile:?}", compiling / N_SCHEMAS as u32);
    println!(
        "{n_masks} tokens masked and sampled in {:?} each, at most {longest_mask:?}",
        masking / n_masks
    );
    Ok(())
}

fn whole(running: &mut Running) -> anyhow::Result<(String, FinishReason)> {
    let mut text = String::new();
    loop {
        match running.events.blocking_recv().context("no end came")? {
            Event::Delta(delta) => text.push_str(&delta.text),
            Event::End { reason, .. } => return Ok((text, reason)),
            Event::Failed(error) => return Err(error.into()),
        }
    }
}

/// On the server's scheduler, several at once.
#[test]
fn smollm2_follows_every_schema() -> anyhow::Result<()> {
    let config = InferenceConfig { max_sequences: 16, max_queue: N_SCHEMAS, ..Default::default() };
    let hosted = Hosted::open(&mut RealModel::SmolLm2.open()?, &config)?;
    let prompt = "Fill in the form, as JSON:\n";
    let prompt_ids = hosted.tokenizer.encode(
        prompt,
        portico_shared::tokenizer::AddSpecial::Yes,
        portico_shared::tokenizer::ParseSpecial::No,
    )?;
    let schemas = schemas::varied(N_SCHEMAS, SEED);
    let mut answers = Vec::new();
    for (at, schema) in schemas.iter().enumerate() {
        let request = request(schema, &prompt_ids, 0.8, at);
        let request =
            GenerationRequest::from_completion(&request, prompt_ids.clone(), &hosted.facts, 0)?;
        answers.push(hosted.scheduler.submit(request, Decoding::Continuation)?);
    }
    let (start, mut n_bytes) = (Instant::now(), 0);
    for (schema, running) in schemas.iter().zip(&mut answers) {
        let (text, reason) = whole(running)?;
        anyhow::ensure!(reason == FinishReason::Stop, "{reason:?}: {text} for {schema}");
        check(schema, &text)?;
        n_bytes += text.len();
    }
    println!("{N_SCHEMAS} valid answers, {n_bytes} bytes, in {:?}", start.elapsed());
    Ok(())
}
