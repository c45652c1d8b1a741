//! Does every kernel compute what its CPU twin computes, with each off switch?

use pollster::block_on;
use portico_engine::selftest::{Report, run};
use portico_engine::{Gpu, GpuOptions};

fn check(options: &GpuOptions) {
    let gpu = block_on(Gpu::acquire(options)).expect("VK_DRIVER_FILES names an adapter");
    let reports = block_on(run(&gpu, |report| println!("{:.1e} {}", report.error, report.title)))
        .expect("trials");
    assert!(reports.len() > 50, "only {} trials", reports.len());
    let failed: Vec<&Report> = reports.iter().filter(|report| !report.passes()).collect();
    assert!(failed.is_empty(), "{} of {}: {failed:#?}", failed.len(), reports.len());
}

#[test]
fn gpu_kernels_are_their_twins() {
    check(&GpuOptions::default());
}

#[test]
fn gpu_kernels_without_options_are_their_twins() {
    check(&GpuOptions::plain());
}
