use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::error::ErrorCode;
use crate::openai::SamplingFields;

fn logits(n: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-20.0f32..20.0, n)
}

/// Distinct logits, so that an order of tokens is one.
fn distinct_logits() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::hash_set(-2000i32..2000, 2..80)
        .prop_map(|set| set.into_iter().map(|step| step as f32 * 0.01).collect())
}

fn softmax(logits: &[f32], temperature: f32) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights: Vec<f64> =
        logits.iter().map(|l| (f64::from(l - largest) / f64::from(temperature)).exp()).collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / total).collect()
}

fn params(temperature: f32, top_k: u32, top_p: f32, min_p: f32, seed: u64) -> SamplingParams {
    SamplingParams { temperature, top_k, top_p, min_p, seed, ..SamplingParams::greedy() }
}

fn pick(logits: &[f32], params: &SamplingParams, position: u32) -> Result<u32, NoCandidate> {
    sample(&mut logits.to_vec(), params, &[], &[], position)
}

proptest! {
    #[test]
    fn top_p_keeps_the_shortest_prefix_with_enough_mass(
        logits in logits(1..80), top_p in 0.0f32..1.0, temperature in 0.1f32..2.0,
    ) {
        let mut kept = top_candidates(&logits, logits.len());
        keep(&mut kept, temperature, top_p, 0.0);
        let probabilities = softmax(&logits, temperature);
        let mass = |n: usize| kept[..n].iter().map(|c| probabilities[c.id as usize]).sum::<f64>();
        prop_assert!(mass(kept.len()) >= f64::from(top_p) - 1e-5);
        prop_assert!(kept.len() == 1 || mass(kept.len() - 1) < f64::from(top_p) + 1e-5);
    }

    #[test]
    fn top_k_keeps_exactly_the_k_best(logits in distinct_logits(), k in 0usize..100) {
        let kept = top_candidates(&logits, k);
        prop_assert_eq!(kept.len(), k.min(logits.len()));
        for (rank, candidate) in kept.iter().enumerate() {
            let n_better = logits.iter().filter(|l| **l > candidate.logit).count();
            prop_assert_eq!(n_better, rank);
        }
    }

    #[test]
    fn min_p_keeps_what_is_at_least_that_share_of_the_best(
        logits in logits(1..80), min_p in 0.001f32..1.0, temperature in 0.1f32..2.0,
    ) {
        let mut kept = top_candidates(&logits, logits.len());
        keep(&mut kept, temperature, 1.0, min_p);
        let probabilities = softmax(&logits, temperature);
        let best = probabilities.iter().copied().fold(0.0, f64::max);
        for (id, probability) in probabilities.iter().enumerate() {
            let share = probability / best;
            let is_kept = kept.iter().any(|c| c.id as usize == id);
            prop_assert!(!is_kept || share >= f64::from(min_p) * (1.0 - 1e-4));
            prop_assert!(is_kept || share <= f64::from(min_p) * (1.0 + 1e-4));
        }
    }

    #[test]
    fn a_permuted_vocabulary_gives_the_permuted_choice(
        logits in distinct_logits(), rotate in 0usize..80, seed: u64, position: u32,
        temperature in 0.1f32..2.0, top_k in 0u32..50, top_p in 0.0f32..=1.0,
    ) {
        let rotate = rotate % logits.len();
        let mut rotated = logits.clone();
        rotated.rotate_left(rotate);
        let params = params(temperature, top_k, top_p, 0.0, seed);
        let chosen = pick(&logits, &params, position).expect("finite logits") as usize;
        let chosen_rotated = pick(&rotated, &params, position).expect("finite logits") as usize;
        prop_assert_eq!((chosen_rotated + rotate) % logits.len(), chosen);
    }

    #[test]
    fn the_same_seed_and_position_give_the_same_choice(logits in logits(1..80), seed: u64, position: u32) {
        let params = params(1.0, 0, 1.0, 0.0, seed);
        prop_assert_eq!(pick(&logits, &params, position), pick(&logits, &params, position));
    }

    #[test]
    fn a_vanishing_temperature_is_greedy(logits in distinct_logits(), seed: u64, position: u32) {
        // Neighbours are 0.01 apart: at 2e-4 the runner-up weighs e^-50.
        let choice = pick(&logits, &params(2e-4, 0, 1.0, 0.0, seed), position);
        prop_assert_eq!(choice, pick(&logits, &SamplingParams::greedy(), position));
        prop_assert_eq!(choice.ok(), argmax(&logits));
    }

    #[test]
    fn what_is_no_number_is_never_chosen(
        finite in logits(1..40), places in prop::collection::vec((0usize..60, any::<bool>()), 1..20),
        seed: u64, temperature in 0.0f32..2.0, top_k in 0u32..50,
    ) {
        let mut all = finite.clone();
        for (place, nan) in places {
            all.insert(place.min(all.len()), if nan { f32::NAN } else { f32::NEG_INFINITY });
        }
        let id = pick(&all, &params(temperature, top_k, 0.95, 0.01, seed), 3).expect("a candidate");
        prop_assert!(all[id as usize].is_finite());
    }

    #[test]
    fn penalties_lower_only_what_was_said(
        before in logits(10..40), said in prop::collection::vec(0u32..50, 0..20),
        penalty in 1.01f32..3.0, presence in 0.1f32..2.0, frequency in 0.1f32..2.0,
    ) {
        let mut repeated = before.clone();
        apply_repetition_penalty(&mut repeated, said.iter().copied(), penalty);
        let mut counted = before.clone();
        apply_count_penalties(&mut counted, said.iter().copied(), presence, frequency);
        for (id, &logit) in before.iter().enumerate() {
            let count = said.iter().filter(|s| **s as usize == id).count();
            if count == 0 {
                prop_assert_eq!((repeated[id], counted[id]), (logit, logit));
            } else {
                let expected = if logit > 0.0 { logit / penalty } else { logit * penalty };
                prop_assert_eq!(repeated[id], expected);
                prop_assert!((counted[id] - (logit - presence - frequency * count as f32)).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn scores_are_log_probabilities(logits in logits(1..80), id in 0usize..80) {
        let id = id % logits.len();
        let score = score_token(&logits, id as u32, 5);
        let probabilities = softmax(&logits, 1.0);
        prop_assert!((f64::from(score.logprob) - probabilities[id].ln()).abs() < 1e-4);
        prop_assert_eq!(score.top.len(), logits.len().min(5));
        prop_assert_eq!(Some(score.top[0].0), argmax(&logits));
        prop_assert!(score.top.windows(2).all(|pair| pair[0].1 >= pair[1].1));
    }
}

#[test]
fn draws_follow_the_distribution() {
    let logits = [2.0f32, 1.0, 0.0, -1.0];
    let expected = softmax(&logits, 0.8);
    let n = 20_000;
    let mut seen = [0usize; 4];
    for position in 0..n {
        seen[pick(&logits, &params(0.8, 0, 1.0, 0.0, 42), position).expect("finite") as usize] += 1;
    }
    for (count, probability) in seen.iter().zip(expected) {
        let share = *count as f64 / f64::from(n);
        // Five standard errors.
        assert!((share - probability).abs() < 5.0 * (probability / f64::from(n)).sqrt());
    }
}

#[test]
fn uniform_fills_its_range_evenly_and_depends_on_every_argument() {
    let mut bins = [0u32; 16];
    for step in 0..16_000 {
        let u = uniform(0x1234_5678_9abc_def0, step);
        assert!((0.0..1.0).contains(&u));
        bins[(u * 16.0) as usize] += 1;
    }
    // 1000 expected; six standard deviations of the binomial.
    assert!(bins.iter().all(|n| n.abs_diff(1000) < 6 * 31), "{bins:?}");
    assert_ne!(uniform(1, 0), uniform(2, 0));
    assert_ne!(uniform(1, 0), uniform(1 | 1 << 32, 0));
    assert_ne!(uniform(1, 0), uniform(1, 1));
}

/// Values that the GPU's sampler can be held to.
#[test]
fn uniform_has_these_values() {
    let pcg3d_first_word = |seed: u64, step| (uniform(seed, step) * 16_777_216.0) as u32;
    for (seed, step) in [(0u64, 0u32), (1, 2), (u64::MAX, u32::MAX)] {
        // The same in 64-bit arithmetic, reduced at every step.
        let m = |a: u64| a & 0xffff_ffff;
        let mut v =
            [m(seed), seed >> 32, u64::from(step)].map(|w| m(w * 1_664_525 + 1_013_904_223));
        for round in 0..2 {
            v[0] = m(v[0] + m(v[1] * v[2]));
            v[1] = m(v[1] + m(v[2] * v[0]));
            v[2] = m(v[2] + m(v[0] * v[1]));
            if round == 0 {
                v = v.map(|w| w ^ (w >> 16));
            }
        }
        assert_eq!(u64::from(pcg3d_first_word(seed, step)), v[0] >> 8);
    }
}

#[test]
fn infinite_and_equal_logits_have_a_defined_choice() {
    let inf = f32::INFINITY;
    assert_eq!(pick(&[1.0, inf, 3.0], &params(1.0, 0, 1.0, 0.0, 7), 0), Ok(1));
    assert_eq!(argmax(&[1.0, 5.0, 5.0]), Some(1));
    assert_eq!(argmax(&[0.0, -0.0]), Some(0));
    assert_eq!(argmax(&[-0.0, 0.0]), Some(0));
    assert_eq!(top_candidates(&[-0.0, 0.0], 1)[0].id, 0);
    for dead in [&[][..], &[f32::NAN, f32::NEG_INFINITY]] {
        assert_eq!(pick(dead, &SamplingParams::greedy(), 0), Err(NoCandidate));
        assert_eq!(pick(dead, &params(1.0, 5, 0.9, 0.1, 0), 0), Err(NoCandidate));
    }
    assert_eq!(score_token(&[f32::NAN, 0.0], 0, 1).logprob, -9999.0);
    assert_eq!(score_token(&[0.0, inf], 1, 0).logprob, 0.0);
}

#[test]
fn bias_moves_the_choice_and_ignores_strangers() {
    let biased =
        SamplingParams { logit_bias: vec![(1, 100.0), (9_999, 5.0)], ..SamplingParams::greedy() };
    assert_eq!(pick(&[3.0, 0.0, 1.0], &biased, 0), Ok(1));
}

#[test]
fn a_value_out_of_range_is_refused_by_name() {
    type Spoil = fn(&mut SamplingFields);
    let cases: [(&str, Spoil); 9] = [
        ("temperature", |f| f.temperature = Some(2.1)),
        ("temperature", |f| f.temperature = Some(f32::NAN)),
        ("top_p", |f| f.top_p = Some(-0.1)),
        ("min_p", |f| f.min_p = Some(1.5)),
        ("repetition_penalty", |f| f.repetition_penalty = Some(0.0)),
        ("presence_penalty", |f| f.presence_penalty = Some(3.0)),
        ("frequency_penalty", |f| f.frequency_penalty = Some(-3.0)),
        ("logit_bias", |f| f.logit_bias = BTreeMap::from([("5".to_owned(), 101.0)])),
        ("logit_bias", |f| f.logit_bias = BTreeMap::from([("five".to_owned(), 1.0)])),
    ];
    for (name, spoil) in cases {
        let mut fields = SamplingFields::default();
        spoil(&mut fields);
        let error = SamplingParams::new(&fields, 0).expect_err(name);
        assert_eq!(error.code, ErrorCode::InvalidRequest);
        assert!(error.params["reason"].contains(name), "{error}");
    }
}

#[test]
fn the_gpu_takes_what_it_can_do_alone() {
    let plan = |spoil: fn(&mut SamplingFields)| {
        let mut fields = SamplingFields::default();
        spoil(&mut fields);
        SamplingParams::new(&fields, 5).expect("in range").gpu_plan()
    };
    assert_eq!(plan(|f| f.temperature = Some(0.0)), Some(GpuSampling::Greedy));
    let defaults =
        GpuSampling::TopKTopP { temperature: 1.0, top_k: 40, top_p: 1.0, min_p: 0.0, seed: 5 };
    assert_eq!(plan(|_| ()), Some(defaults));
    assert_eq!(plan(|f| f.top_k = Some(0)), None);
    assert_eq!(plan(|f| f.top_k = Some(GPU_TOP_K_MAX + 1)), None);
    assert_eq!(plan(|f| f.presence_penalty = Some(0.5)), None);
    assert_eq!(plan(|f| f.logit_bias = BTreeMap::from([("1".to_owned(), 1.0)])), None);
}
