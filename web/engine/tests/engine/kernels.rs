//! Does every kernel compute what its CPU twin computes, with each off switch?

use pollster::block_on;
use portico_engine::selftest::{
    Report, Trial, encoder_trials, layer_trials, linear_trials, run_trial,
};
use portico_engine::{Gpu, GpuOptions};

fn gpu(options: &GpuOptions) -> Gpu {
    block_on(Gpu::acquire(options)).expect("VK_DRIVER_FILES names an adapter")
}

/// Lanes of the device's subgroups, if it may use them.
fn lanes(gpu: &Gpu) -> Option<u32> {
    let caps = gpu.caps();
    (caps.subgroups && gpu.options().subgroups).then(|| caps.subgroup_min_size.max(4))
}

fn check(gpu: &Gpu, trials: &[Trial]) {
    assert!(trials.len() > 8, "only {} trials", trials.len());
    let mut failed = Vec::new();
    for trial in trials {
        let report: Report = block_on(run_trial(gpu, trial));
        println!("{:.1e} {}", report.error, report.title);
        if !report.passes() {
            failed.push(report);
        }
    }
    assert!(failed.is_empty(), "{} of {}: {failed:#?}", failed.len(), trials.len());
}

fn check_linear(options: &GpuOptions) {
    let gpu = gpu(options);
    let dot4 = gpu.caps().dot4_i8 && gpu.options().dot4_i8;
    check(&gpu, &linear_trials(lanes(&gpu), dot4).expect("the planner takes every case"));
}

fn check_layers(options: &GpuOptions) {
    let gpu = gpu(options);
    check(&gpu, &layer_trials(lanes(&gpu)));
}

fn check_encoder(options: &GpuOptions) {
    let gpu = gpu(options);
    check(&gpu, &encoder_trials(lanes(&gpu)));
}

#[test]
fn gpu_linear_kernels_are_their_twins() {
    check_linear(&GpuOptions::default());
}

#[test]
fn gpu_linear_kernels_without_options_are_their_twins() {
    check_linear(&GpuOptions::plain());
}

#[test]
fn gpu_layer_kernels_are_their_twins() {
    check_layers(&GpuOptions::default());
}

#[test]
fn gpu_layer_kernels_without_options_are_their_twins() {
    check_layers(&GpuOptions::plain());
}

#[test]
fn gpu_encoder_kernels_are_their_twins() {
    check_encoder(&GpuOptions::default());
}

#[test]
fn gpu_encoder_kernels_without_options_are_their_twins() {
    check_encoder(&GpuOptions::plain());
}
