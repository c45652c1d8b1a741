//! `portico doctor`: what is not well, and what to do.

use std::process::ExitCode;

use clap::Args;
use portico_shared::error::{ApiError, Lang};

use super::collections::{block_on, print_json};
use super::config::ConfigArgs;
use crate::config::Config;
use crate::doctor::{Check, Patient, Report, Verdict, examine};
use crate::models::Layout;

#[derive(Debug, Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Read every byte of models, and look into every index of the database.
    #[arg(long)]
    thorough: bool,
    /// JSON on standard output instead of words.
    #[arg(long)]
    json: bool,
}

/// Exit code 1 where there is a fault; warnings are none.
pub fn run(layout: &Layout, args: &DoctorArgs, lang: Lang) -> Result<ExitCode, ApiError> {
    let report = match args.config.load(layout) {
        Ok((config, path)) => {
            let patient = Patient {
                layout,
                config: &config,
                config_path: &path,
                is_thorough: args.thorough,
                lang,
            };
            block_on(async { Ok(examine(&patient).await) })?
        }
        // Without a configuration what it says cannot be examined; the rest can.
        Err(error) => {
            let (config, path) = (Config::default(), layout.data_dir().join("portico.toml"));
            let patient = Patient {
                layout,
                config: &config,
                config_path: &path,
                is_thorough: args.thorough,
                lang,
            };
            let mut report = block_on(async { Ok(examine(&patient).await) })?;
            report.checks.retain(|check| check.name != "configuration");
            report.push("configuration", None, Verdict::Fault, error.text(lang), None);
            report
        }
    };
    match args.json {
        true => print_json(&report)?,
        false => say(&report, lang),
    }
    Ok(if report.has_faults() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn say(report: &Report, lang: Lang) {
    for check in &report.checks {
        let Check { name, of, verdict, found, advice } = check;
        let verdict = match (verdict, lang) {
            (Verdict::Good, Lang::De) => "gut    ",
            (Verdict::Good, Lang::En) => "good   ",
            (Verdict::Warning, Lang::De) => "ACHTUNG",
            (Verdict::Warning, Lang::En) => "WARNING",
            (Verdict::Fault, Lang::De) => "FEHLER ",
            (Verdict::Fault, Lang::En) => "FAULT  ",
            (Verdict::Skipped, _) => "-      ",
        };
        let of = of.as_ref().map_or(String::new(), |of| format!(" {of}"));
        println!("{verdict}  {name}{of}: {found}");
        if let Some(advice) = advice {
            println!("         {advice}");
        }
    }
    let count = |verdict| report.checks.iter().filter(|check| check.verdict == verdict).count();
    let (faults, warnings) = (count(Verdict::Fault), count(Verdict::Warning));
    match lang {
        Lang::De => println!("{faults} Fehler, {warnings} Warnungen."),
        Lang::En => println!("{faults} faults, {warnings} warnings."),
    }
}
