//! `cargo xtask test`: every check, each as a step. A failed step does not keep the others from
//! running; the last line says how many passed and failed.

pub mod browser;
pub mod clients;
pub mod rust;
mod tidy;

use std::process::ExitCode;
use std::time::Instant;

use xtask::places::Places;
use xtask::step::{seconds, step};

use crate::options::Options;

/// A check's name, as `--only` takes it, and what it does.
struct Check<'a> {
    name: &'static str,
    run: Box<dyn Fn() -> anyhow::Result<String> + 'a>,
}

fn check<'a>(name: &'static str, run: impl Fn() -> anyhow::Result<String> + 'a) -> Check<'a> {
    Check { name, run: Box::new(run) }
}

pub fn run(places: &Places, options: &Options) -> anyhow::Result<ExitCode> {
    let all_models = match options.value("models") {
        None => false,
        Some("all") => true,
        Some(other) => anyhow::bail!("--models {other}: the only value is `all`"),
    };
    let mut checks = vec![
        check("fmt", || rust::fmt(places)),
        check("tidy", || tidy::run(places)),
        check("clippy", || rust::clippy(places)),
        check("clippy-wasm", || rust::clippy_wasm(places)),
        check("unit", || rust::unit(places, all_models)),
        check("doc", || rust::doc(places)),
        check("deny", || rust::deny(places)),
        check("clients", || clients::run(places)),
        check("browser", || browser::run(places, options)),
    ];
    if options.has("scale") {
        checks.push(check("scale", || rust::scale(places)));
    }
    let only = options.value("only");
    let chosen: Vec<&Check<'_>> = checks
        .iter()
        .filter(|check| {
            only.is_none_or(|only| check.name.split('-').next() == Some(only) || check.name == only)
        })
        .collect();
    anyhow::ensure!(!chosen.is_empty(), "--only: there is no step of that name");

    let start = Instant::now();
    let mut results = Vec::new();
    for check in &chosen {
        let passed = step(check.name, || (check.run)().map(|note| ((), note))).is_ok();
        results.push((check.name, passed));
    }
    let failed: Vec<&str> =
        results.iter().filter(|(_, passed)| !passed).map(|&(name, _)| name).collect();
    println!("\nAll steps took {}.", seconds(start.elapsed()));
    if !failed.is_empty() {
        println!("Failed: {}", failed.join(", "));
    }
    println!("{} passed, {} failed", results.len() - failed.len(), failed.len());
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
