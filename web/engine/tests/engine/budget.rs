//! What does a decoded token cost, counted? These numbers only ever go down.

use crate::common;
use pollster::block_on;
use portico_shared::sampling::GpuSampling;

const SAMPLINGS: [GpuSampling; 2] = [
    GpuSampling::Greedy,
    GpuSampling::TopKTopP { temperature: 0.8, top_k: 40, top_p: 0.95, min_p: 0.05, seed: 7 },
];

/// Dispatches of each layer, and around the layers.
fn dispatches(arch: &str, n_tokens: u32) -> (usize, usize) {
    let engine = common::load(&common::gpu(), &common::model(arch), 4096);
    let labels = engine.decode_dispatches(n_tokens).expect("its dispatches");
    let of_layers = labels.iter().filter(|label| label.starts_with("layer")).count();
    (of_layers / common::N_LAYERS as usize, labels.len() - of_layers)
}

#[test]
fn gpu_layers_keep_their_dispatches() {
    for arch in ["llama", "qwen2", "qwen3"] {
        assert_eq!(dispatches(arch, 10), (5, 4), "{arch}");
        // Long contexts are split and joined.
        assert_eq!(dispatches(arch, 4000), (6, 4), "{arch}");
    }
    assert_eq!(dispatches("gemma3", 10), (7, 4));
    assert_eq!(dispatches("gemma3", 4000), (8, 4));
}

#[test]
fn gpu_a_token_is_one_submit_and_eight_bytes() {
    let gpu = common::gpu();
    let mut engine = common::load(&gpu, &common::model("llama"), 256);
    for sampling in SAMPLINGS {
        block_on(engine.prefill(&[1, 2, 3], common::go_on)).expect("a prefill");
        engine.start_decode(sampling).expect("a decode");
        // Until as many submits are under way as ever will be.
        block_on(engine.next_token()).expect("a token");
        let n_dispatches = engine.decode_dispatches(20).expect("its dispatches").len() as u64;
        let before = engine.counters();
        let n_tokens = 20;
        for _ in 0..n_tokens {
            block_on(engine.next_token()).expect("a token");
        }
        let after = engine.counters();
        assert_eq!(after.submits - before.submits, n_tokens);
        assert_eq!(after.dispatches - before.dispatches, n_tokens * n_dispatches);
        assert!(after.bytes_read_back - before.bytes_read_back <= 8 * n_tokens);
        assert_eq!(after.objects_created, before.objects_created);
    }
}
