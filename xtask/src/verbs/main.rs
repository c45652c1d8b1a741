//! The project's verbs. Started by `cargo xtask`, which makes sure of the toolchain first.

mod bench;
mod browser;
mod command;
mod model;
mod npm;
mod options;
mod packages;
mod page;
mod pip;
mod portico;
mod postgres;
mod serve;
mod server;
mod test;

use std::process::ExitCode;

use options::Options;
use xtask::places::Places;

const USAGE: &str = "\
cargo xtask VERB

  serve [--addr 127.0.0.1:8080] [--data ./data] [--config FILE] [--public-url URL] [--dev]
          set up what is missing, build page and server, fetch the default model, start the server
  test [--only STEP] [--models all] [--scale]
          format, clippy, tests, docs, browser tests; STEP: fmt, clippy, tidy, unit, doc, deny, clients, browser
          --scale: also the server's tests on PostgreSQL, files in an S3 server (STEP: scale)
  bench [quality|roofline|native|browser|server|size|gateway|chaos|serve]
          measure; prints a table, writes JSON to the target folder's bench/
  screens [--spec NAME] [--dev]
          pictures of every state that the browser tests look at, into docs/screens
  portico [--data ./data] ARGS…
          the server's own command line, on the same data folder
  page [--dev]
          build the page only";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let verb = arguments.next().unwrap_or_default();
    match run(&verb, arguments.collect()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cargo xtask {verb}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: &str, arguments: Vec<String>) -> anyhow::Result<ExitCode> {
    let places = Places::find()?;
    match verb {
        "serve" => serve::run(&places, &Options::parse(arguments, &serve::VALUED, &["dev"])?),
        "test" => {
            let options =
                Options::parse(arguments, &["only", "models", "spec"], &["dev", "scale"])?;
            test::run(&places, &options)
        }
        "screens" => {
            test::browser::screens(&places, &Options::parse(arguments, &["spec"], &["dev"])?)
        }
        "bench" => bench::run(&places, &arguments),
        "portico" => portico::run(&places, arguments),
        "page" => {
            let options = Options::parse(arguments, &[], &["dev"])?;
            page::build(&places, page::Kind::of(&options))?;
            Ok(ExitCode::SUCCESS)
        }
        serve::ANNOUNCE => serve::announce(&arguments),
        "" | "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        other => anyhow::bail!("there is no verb `{other}`\n\n{USAGE}"),
    }
}
