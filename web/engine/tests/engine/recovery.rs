//! What happens at the ends: a full context, a lost device, a model that goes?

use crate::common;
use pollster::block_on;
use portico_engine::{Engine, EngineError, LoadOptions, ModelLoader, memory_estimate, supports};
use portico_shared::sampling::GpuSampling;

fn greedy(engine: &mut Engine, prompt: &[u32], n: usize) -> Result<Vec<u32>, EngineError> {
    block_on(async {
        engine.prefill(prompt, common::go_on).await?;
        engine.start_decode(GpuSampling::Greedy)?;
        let mut tokens = Vec::new();
        for _ in 0..n {
            tokens.push(engine.next_token().await?);
        }
        Ok(tokens)
    })
}

#[test]
fn gpu_a_lost_device_is_replaced_and_the_answer_goes_on() {
    let file = common::model("llama");
    let prompt = [5, 6, 7, 8];
    let mut engine = common::load(&common::gpu(), &file, 128);
    let whole = greedy(&mut engine, &prompt, 12).expect("twelve tokens");

    let gpu = common::gpu();
    let (sender, receiver) = std::sync::mpsc::channel();
    gpu.on_lost(move |reason| drop(sender.send(reason)));
    let mut engine = common::load(&gpu, &file, 128);
    let first = greedy(&mut engine, &prompt, 5).expect("five tokens");
    gpu.lose();
    assert!(gpu.is_lost());
    assert!(receiver.try_recv().is_ok(), "the callback was not called");
    let error = block_on(engine.next_token()).expect_err("the device is gone");
    assert!(matches!(error, EngineError::DeviceLost { .. }), "{error}");
    let error = block_on(engine.logits()).expect_err("the device is gone");
    assert!(matches!(error, EngineError::DeviceLost { .. }), "{error}");

    let standing = engine.tokens().to_vec();
    assert_eq!(standing, [&prompt[..], &first].concat());
    drop(engine);
    let mut engine = common::load(&common::gpu(), &file, 128);
    let rest = greedy(&mut engine, &standing, 7).expect("seven more tokens");
    assert_eq!([first, rest].concat(), whole);
}

#[test]
fn gpu_a_full_context_is_said_and_survived() {
    let mut engine = common::load(&common::gpu(), &common::model("llama"), 20);
    assert_eq!(engine.n_ctx(), 20);
    let tokens = greedy(&mut engine, &[1, 2, 3, 4], 16).expect("up to the last place");
    let error = block_on(engine.next_token()).expect_err("no place is left");
    assert_eq!(error, EngineError::ContextFull { n_ctx: 20, needed: 21 });
    assert_eq!(engine.tokens().len(), 20);
    let error = block_on(engine.step(1)).expect_err("no place is left");
    assert!(matches!(error, EngineError::ContextFull { .. }), "{error}");
    // Shortened, it goes on, and says the same.
    let again = greedy(&mut engine, &[1, 2, 3, 4], 16).expect("the same again");
    assert_eq!(again, tokens);
}

#[test]
fn gpu_a_stopped_decode_leaves_no_trace() {
    let mut engine = common::load(&common::gpu(), &common::model("gemma3"), 64);
    let whole = greedy(&mut engine, &[9, 8, 7], 10).expect("ten tokens");
    let first = greedy(&mut engine, &[9, 8, 7], 4).expect("four tokens");
    // The submits that ran ahead are of no account.
    let logits = block_on(engine.logits()).expect("logits");
    let best = portico_shared::sampling::argmax(&logits);
    assert_eq!(best, Some(whole[4]));
    engine.start_decode(GpuSampling::Greedy).expect("a decode");
    let rest: Vec<u32> = (0..6).map(|_| block_on(engine.next_token()).expect("a token")).collect();
    assert_eq!([first, rest].concat(), whole);
}

#[test]
fn gpu_memory_is_estimated_and_given_back() {
    let file = common::model("qwen3");
    let gguf = common::header(&file);
    let gpu = common::gpu();
    supports(&gguf, gpu.caps()).expect("a small model");
    let engine = common::load(&gpu, &file, 512);
    let estimate = memory_estimate(&gguf, &common::options(512)).expect("an estimate") as f64;
    let real = engine.gpu_bytes() as f64;
    assert!((estimate / real - 1.0).abs() < 0.1, "{estimate} for {real}");
    block_on(engine.unload());
}

#[test]
fn gpu_a_model_beyond_the_device_is_out_of_memory_not_a_crash() {
    let file = common::model("llama");
    let gguf = common::header(&file);
    let gpu = common::gpu();
    let mut caps = gpu.caps().clone();
    caps.max_binding_bytes = 1 << 16;
    let error = supports(&gguf, &caps).expect_err("a context larger than a binding");
    assert!(matches!(error, EngineError::Unsupported { .. }), "{error}");
}

#[test]
fn gpu_truncated_and_overlong_files_are_refused() {
    let file = common::model("qwen2");
    let gguf = common::header(&file);
    let gpu = common::gpu();
    let loader = || block_on(ModelLoader::new(&gpu, &gguf, &LoadOptions::default()));
    let data = &file[gguf.data_offset_bytes as usize..];
    let mut short = loader().expect("a loader");
    short.push(&data[..data.len() / 2]).expect("the first half");
    let error = block_on(short.finish()).err().expect("half a file");
    assert!(matches!(error, EngineError::InvalidModel { .. }), "{error}");
    let mut long = loader().expect("a loader");
    long.push(data).expect("all of it");
    let error = long.push(&[0; 64]).expect_err("more than all of it");
    assert!(matches!(error, EngineError::InvalidModel { .. }), "{error}");
}
