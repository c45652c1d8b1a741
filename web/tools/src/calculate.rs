//! What does a sum come to? By fend: exact, with units, and nothing but numbers within reach.

use fend_core::{Context, Interrupt, evaluate_with_interrupt};

/// When a calculation has taken too long, by a clock in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    now_ms: fn() -> f64,
    at_ms: f64,
}

impl Deadline {
    pub fn new(now_ms: fn() -> f64, at_ms: f64) -> Self {
        Self { now_ms, at_ms }
    }

    pub fn never() -> Self {
        Self::new(|| 0.0, f64::INFINITY)
    }
}

impl Interrupt for Deadline {
    fn should_interrupt(&self) -> bool {
        (self.now_ms)() > self.at_ms
    }
}

pub fn expression(text: &str, deadline: &Deadline) -> Result<String, String> {
    let text = text.replace(['×', '·'], "*").replace(['÷', ':'], "/").replace('−', "-");
    evaluated(&text, deadline)
}

pub fn converted(value: &str, from: &str, to: &str, deadline: &Deadline) -> Result<String, String> {
    evaluated(&format!("({value}) ({from}) to ({to})"), deadline)
}

fn evaluated(text: &str, deadline: &Deadline) -> Result<String, String> {
    let mut context = Context::new();
    context.disable_rng();
    let result = evaluate_with_interrupt(text, &mut context, deadline);
    if deadline.should_interrupt() {
        return Err("it took too long".to_owned());
    }
    match result?.get_main_result() {
        "" => Err("there is nothing to calculate".to_owned()),
        result => Ok(result.to_owned()),
    }
}
