//! Does the scheduler give everybody what they would get alone, and forget those who leave?

use std::thread;
use std::time::{Duration, Instant};

use portico_inference::{Decoding, Engine, Event, InferenceConfig, Running};
use portico_shared::error::ErrorCode;
use portico_shared::openai::{FinishReason, Usage};
use portico_tests::hosted::Hosted;
use portico_tests::real::RealModel;

/// An answer's tokens, how it ended, and what it counted.
type Ended = (Vec<u32>, FinishReason, Usage);

fn collect(mut running: Running) -> anyhow::Result<Ended> {
    let mut tokens = Vec::new();
    while let Some(event) = running.events.blocking_recv() {
        match event {
            Event::Delta(delta) => tokens.extend(delta.token_ids),
            Event::End { reason, usage, .. } => return Ok((tokens, reason, usage)),
            Event::Failed(error) => return Err(error.into()),
        }
    }
    anyhow::bail!("an answer without an end")
}

fn open(config: InferenceConfig) -> anyhow::Result<Hosted> {
    Hosted::open(&mut RealModel::SmolLm2.open()?, &config)
}

fn config() -> InferenceConfig {
    InferenceConfig { n_threads: 2, n_ctx_max: 512, ..InferenceConfig::default() }
}

/// Prompts of different lengths, some of which begin alike, and lengths of answers.
fn requests() -> Vec<(Vec<u32>, u32)> {
    let prompt = |from: u32, n: u32| (from..from + n).map(|i| 1000 + i * 37 % 4000).collect();
    vec![
        (prompt(0, 5), 20),
        (prompt(0, 150), 6),
        (prompt(0, 40), 12),
        (prompt(7, 33), 1),
        (prompt(0, 151), 9),
        (prompt(90, 16), 15),
        (prompt(90, 17), 3),
    ]
}

/// A fraction of what the long answers below take.
const SOON: Duration = Duration::from_secs(2);

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < SOON, "{what}");
        thread::sleep(Duration::from_millis(2));
    }
}

fn is_idle(hosted: &Hosted) -> bool {
    let load = hosted.scheduler.load();
    load.n_running == 0 && load.n_queued == 0
}

#[test]
fn server_answers_together_are_those_alone() -> anyhow::Result<()> {
    let hosted = open(config())?;
    let submit = |(prompt, max_tokens): &(Vec<u32>, u32)| {
        let request = hosted.request(prompt.clone(), *max_tokens)?;
        anyhow::Ok(hosted.scheduler.submit(request, Decoding::Answer)?)
    };
    let mut alone = Vec::new();
    for request in requests() {
        // A model of its own has nothing in its cache.
        let fresh = open(config())?;
        let asked = fresh.request(request.0.clone(), request.1)?;
        let ended = collect(fresh.scheduler.submit(asked, Decoding::Answer)?)?;
        assert_eq!(ended.0.len(), request.1 as usize);
        assert_eq!(ended.2.prompt_tokens_details.map(|details| details.cached_tokens), Some(0));
        alone.push(ended.0);
    }
    for round in 0..2 {
        let running: Vec<Running> = requests().iter().map(submit).collect::<Result<_, _>>()?;
        for (index, running) in running.into_iter().enumerate() {
            let (tokens, reason, _) = collect(running)?;
            assert_eq!(tokens, alone[index], "round {round}, answer {index}");
            assert_eq!(reason, FinishReason::Length);
        }
    }
    // Its prompt was read before: whole pages of it stand in the cache.
    let (tokens, _, usage) = collect(submit(&requests()[1])?)?;
    assert_eq!(tokens, alone[1]);
    assert_eq!(usage.prompt_tokens_details.map(|details| details.cached_tokens), Some(144));
    Ok(())
}

/// A cache that holds one context makes answers wait for each other's pages, and changes none.
#[test]
fn server_answers_that_had_to_give_way_are_the_same() -> anyhow::Result<()> {
    let tight = InferenceConfig { max_sequences: 1, n_ctx_max: 208, ..config() };
    let mut hosted = open(InferenceConfig { n_ctx_max: 208, ..config() })?;
    let prompt = |from: u32| (from..from + 60).map(|i| 900 + i * 41 % 4000).collect::<Vec<u32>>();
    let ask = |hosted: &Hosted, from: u32| {
        let request = hosted.request(prompt(from), 60)?;
        anyhow::Ok(hosted.scheduler.submit(request, Decoding::Answer)?)
    };
    let mut roomy = Vec::new();
    for running in (0..4).map(|from| ask(&hosted, from)).collect::<Result<Vec<_>, _>>()? {
        roomy.push(collect(running)?.0);
    }
    // Pages for one context of 208 tokens, four answers of 120 at once.
    hosted = Hosted::open_with(&mut RealModel::SmolLm2.open()?, &tight, &Engine::Cpu, |options| {
        options.max_sequences = 4;
    })?;
    let running = (0..4).map(|from| ask(&hosted, from)).collect::<Result<Vec<_>, _>>()?;
    for (running, expected) in running.into_iter().zip(&roomy) {
        assert_eq!(&collect(running)?.0, expected);
    }
    Ok(())
}

#[test]
fn server_forgets_an_answer_whose_reader_left() -> anyhow::Result<()> {
    let hosted = open(InferenceConfig { max_sequences: 2, n_ctx_max: 4096, ..config() })?;
    let long = || hosted.request((0..20).map(|i| 2000 + i).collect(), 4000);
    for round in 0..30 {
        let mut running = hosted.scheduler.submit(long()?, Decoding::Answer)?;
        let waits = hosted.scheduler.submit(long()?, Decoding::Answer)?;
        let queued = hosted.scheduler.submit(long()?, Decoding::Answer)?;
        if round % 3 > 0 {
            assert!(running.events.blocking_recv().is_some());
        }
        drop((running, queued, waits));
        wait_until("the answers are forgotten", || is_idle(&hosted));
    }
    let short = hosted.request(vec![1, 2, 3], 4)?;
    assert_eq!(collect(hosted.scheduler.submit(short, Decoding::Answer)?)?.0.len(), 4);
    Ok(())
}

#[test]
fn server_refuses_what_its_queue_does_not_hold() -> anyhow::Result<()> {
    let hosted =
        open(InferenceConfig { max_sequences: 1, max_queue: 2, n_ctx_max: 4096, ..config() })?;
    let long = || hosted.request((0..20).map(|i| 3000 + i).collect(), 4000);
    let mut accepted = vec![hosted.scheduler.submit(long()?, Decoding::Answer)?];
    wait_until("the first answer has begun", || hosted.scheduler.load().n_running == 1);
    for _ in 0..2 {
        accepted.push(hosted.scheduler.submit(long()?, Decoding::Answer)?);
    }
    let refused = hosted.scheduler.submit(long()?, Decoding::Answer).expect_err("a full queue");
    assert_eq!(refused.code, ErrorCode::TooManyRequests);
    let wait_s: f64 = refused.params["retry_after_s"].parse()?;
    assert!((1.0..=120.0).contains(&wait_s), "{wait_s}");
    // One that waits leaves: there is room again.
    accepted.pop();
    accepted.push(hosted.scheduler.submit(long()?, Decoding::Answer)?);
    drop(accepted);
    wait_until("the answers are forgotten", || is_idle(&hosted));
    Ok(())
}

/// While a long prompt is read, an answer that has begun goes on.
#[test]
fn server_long_prompt_does_not_stall_an_answer() -> anyhow::Result<()> {
    let hosted = open(InferenceConfig { n_ctx_max: 2048, ..config() })?;
    let talking = hosted.request((0..10).map(|i| 4000 + i).collect(), 300)?;
    let mut talking = hosted.scheduler.submit(talking, Decoding::Answer)?;
    assert!(talking.events.blocking_recv().is_some());
    let long = hosted.request((0..1900).map(|i| 500 + i * 13 % 9000).collect(), 1)?;
    let mut long = hosted.scheduler.submit(long, Decoding::Answer)?;
    let mut n_beside = 0;
    while long.events.try_recv().is_err() {
        anyhow::ensure!(talking.events.blocking_recv().is_some(), "it ended before");
        n_beside += 1;
    }
    // A step reads 64 tokens of the prompt.
    assert!((20..300).contains(&n_beside), "{n_beside} tokens beside the prompt");
    Ok(())
}

#[test]
fn server_names_what_a_request_cannot_have() -> anyhow::Result<()> {
    let hosted = open(config())?;
    let too_long = hosted.request(vec![5; 513], 1)?;
    let mut running = hosted.scheduler.submit(too_long, Decoding::Answer)?;
    match running.events.blocking_recv() {
        Some(Event::Failed(error)) => assert_eq!(error.code, ErrorCode::ContextFull),
        other => anyhow::bail!("{other:?}"),
    }
    Ok(())
}
