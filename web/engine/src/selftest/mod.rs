//! Do the kernels compute on this device what their CPU twins compute? The same trials natively and
//! in a browser.

mod encoder;
mod layers;
mod linear;
mod random;
mod trial;

pub use encoder::encoder_trials;
pub use layers::layer_trials;
pub use linear::{LinearCase, OutputCase, embed_trial, linear_trials};
pub use trial::{Report, Trial, Written, distance};

use crate::{EngineError, Gpu};

/// Every trial that the device can run.
///
/// # Errors
/// Where a trial contradicts the planner's rules: a bug.
pub fn trials(gpu: &Gpu) -> Result<Vec<Trial>, EngineError> {
    let (caps, options) = (gpu.caps(), gpu.options());
    let lanes = (caps.subgroups && options.subgroups).then(|| caps.subgroup_min_size.max(4));
    let mut trials = linear_trials(lanes, caps.dot4_i8 && options.dot4_i8)?;
    trials.extend(layer_trials(lanes));
    trials.extend(encoder_trials(lanes));
    Ok(trials)
}

/// Runs one trial.
pub async fn run_trial(gpu: &Gpu, trial: &Trial) -> Report {
    let read: Vec<_> = trial.written.iter().map(|(id, _)| *id).collect();
    match gpu.run_once(&trial.recording, &trial.words, &read).await {
        Ok(found) => trial.judge(&found),
        Err(error) => Report {
            title: trial.title.clone(),
            error: f32::INFINITY,
            tolerance: trial.tolerance,
            failure: Some(error.to_string()),
        },
    }
}

/// Runs all trials; `each` is told of every report as it comes.
///
/// # Errors
/// As [`trials`]. A failing trial is no error: its report says so.
pub async fn run(gpu: &Gpu, mut each: impl FnMut(&Report)) -> Result<Vec<Report>, EngineError> {
    let mut reports = Vec::new();
    for trial in trials(gpu)? {
        let report = run_trial(gpu, &trial).await;
        each(&report);
        reports.push(report);
    }
    Ok(reports)
}
