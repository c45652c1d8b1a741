//! Are linear layers of any shape what their twins compute: rows, columns, tokens, formats, tails,
//! parts, epilogues?

use pollster::block_on;
use portico_engine::linear::{ActKind, Gate, ROW_GROUP, Shape, Stacking};
use portico_engine::repack::QuantType;
use portico_engine::selftest::{LinearCase, OutputCase, run_trial};
use portico_engine::{Gpu, GpuOptions};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Every case compiles a kernel of its own, which takes far longer than running it.
const CASES: u32 = 24;

fn shape(lanes: u32, dot4_i8: bool) -> impl Strategy<Value = Shape> {
    let subgroup = lanes > 0;
    let lanes = if subgroup { lanes.clamp(4, 8) } else { 32 };
    (any::<bool>(), 0..2_u32, 0..3_u32, any::<bool>()).prop_map(
        move |(uses_subgroup, doubled, split, dot4)| {
            let in_subgroup = subgroup && uses_subgroup;
            let lanes = if in_subgroup { lanes } else { 32 };
            Shape {
                lanes,
                rows_per_lane: (32 << doubled) / lanes,
                split: if in_subgroup { 1 } else { 1 << split },
                tokens: 1,
                subgroup: in_subgroup,
                dot4: dot4 && dot4_i8,
            }
        },
    )
}

fn case(lanes: u32, dot4_i8: bool) -> impl Strategy<Value = LinearCase> {
    let quant = || prop::sample::select(QuantType::ALL.to_vec());
    let act = || prop::sample::select(vec![ActKind::F32, ActKind::Q8]);
    (
        (quant(), quant(), 1..200_u32, 1..80_u32, 1..12_u32),
        (act(), act(), shape(lanes, dot4_i8), prop::option::of(1..9_u32)),
        (any::<bool>(), any::<bool>(), 0..6_u32, any::<bool>(), any::<u32>()),
    )
        .prop_map(|((a, b, rows, more, blocks), (act, next, shape, n_tokens), rest)| {
            let (has_norm, has_bias, output, is_split, seed) = rest;
            let blocks_of = a.block_len().max(b.block_len()).max(32);
            let cols = (blocks * 32).next_multiple_of(blocks_of);
            let blocks_of_32 = rows.next_multiple_of(32);
            let (matrices, stacking, output) = match output {
                0 => (vec![(a, rows), (b, more)], Stacking::Rows, OutputCase::Plain),
                1 => (vec![(a, rows)], Stacking::Rows, OutputCase::Residual(None)),
                2 => (vec![(a, blocks_of_32)], Stacking::Rows, OutputCase::Residual(Some(next))),
                5 => (vec![(a, blocks_of_32)], Stacking::Rows, OutputCase::Activated(next)),
                _ => {
                    let gate = if output == 3 { Gate::Silu } else { Gate::GeluTanh };
                    let both = vec![(a, blocks_of_32), (b, blocks_of_32)];
                    (both, Stacking::Gated, OutputCase::Gated(gate, next))
                }
            };
            // Two groups of rows of two matrices of floats: whatever the format, a part holds one.
            let small = u64::from(cols * ROW_GROUP) * 4 * 2;
            LinearCase {
                matrices,
                stacking,
                cols,
                act,
                shape: Shape { tokens: if n_tokens.is_some() { 4 } else { 1 }, ..shape },
                n_tokens,
                has_norm,
                has_bias: has_bias && stacking == Stacking::Rows,
                output,
                max_binding_bytes: if is_split { small } else { 128 << 20 },
                seed,
            }
        })
}

fn check(options: &GpuOptions) {
    let gpu = block_on(Gpu::acquire(options)).expect("VK_DRIVER_FILES names an adapter");
    let caps = gpu.caps();
    let lanes = if caps.subgroups { caps.subgroup_min_size.max(4) } else { 0 };
    let mut runner =
        TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(CASES) });
    runner
        .run(&case(lanes, caps.dot4_i8), |case| {
            let trial = case.trial().map_err(|error| TestCaseError::fail(error.to_string()))?;
            let report = block_on(run_trial(&gpu, &trial));
            prop_assert!(report.passes(), "{report:?}");
            Ok(())
        })
        .expect("the kernel is its twin");
}

#[test]
fn gpu_linear_layers_of_any_shape_are_their_twins() {
    check(&GpuOptions::default());
}

#[test]
fn gpu_plain_linear_layers_of_any_shape_are_their_twins() {
    check(&GpuOptions::plain());
}

/// One fixed shape, to step through.
#[test]
fn dbg_gpu_linear_fixed_shape() {
    let gpu = block_on(Gpu::acquire(&GpuOptions::plain())).expect("an adapter");
    let case = LinearCase {
        matrices: vec![(QuantType::Q4_1, 64)],
        stacking: Stacking::Rows,
        cols: 64,
        act: ActKind::F32,
        shape: Shape {
            lanes: 32,
            rows_per_lane: 1,
            split: 2,
            tokens: 1,
            subgroup: false,
            dot4: false,
        },
        n_tokens: None,
        has_norm: true,
        has_bias: true,
        output: OutputCase::Plain,
        max_binding_bytes: 128 << 20,
        seed: 7,
    };
    let mut trial = case.trial().expect("a sound case");
    let report = block_on(run_trial(&gpu, &trial));
    assert!(report.passes(), "{report:?}");
    // The comparison itself can fail: one output of another weight's worth.
    trial.words[0][0] ^= 0x0000_0f00;
    let read: Vec<_> = trial.written.iter().map(|(id, _)| *id).collect();
    let found = block_on(gpu.run_once(&trial.recording, &trial.words, &read)).expect("it runs");
    trial.words[0][0] ^= 0x0000_0f00;
    assert!(!trial.judge(&found).passes());
}
