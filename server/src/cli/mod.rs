//! `portico`: what can be said on the command line.

mod backup;
mod collections;
mod config;
mod doctor;
mod extract;
mod ingest;
mod keys;
mod lang;
mod models;
mod people;
mod restore;
mod serve;
mod table;
mod vectors;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use portico_shared::error::{ApiError, Lang};

use crate::config::LogFormat;
use crate::models::Layout;

/// Portico: chat on the person's own GPU, served by the organisation itself.
#[derive(Debug, Parser)]
#[command(name = "portico", version)]
struct Cli {
    /// Folder of everything that the server keeps.
    #[arg(long, global = true, value_name = "DIR", default_value = "./data")]
    data: PathBuf,
    /// Folder of the models, if not `models` in the data folder.
    #[arg(long, global = true, value_name = "DIR")]
    models_dir: Option<PathBuf>,
    /// Language of messages; else that of the environment.
    #[arg(long, global = true, value_enum)]
    lang: Option<LangArg>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serve the page and the models.
    Serve(serve::ServeArgs),
    /// List, fetch, add, remove and verify models.
    Models(models::ModelsArgs),
    /// Make, list and revoke API keys.
    Keys(keys::KeysArgs),
    /// List and invite people, make links, block somebody, change roles.
    People(people::PeopleArgs),
    /// Take documents in: a folder, a file or a site.
    Ingest(ingest::IngestArgs),
    /// List, make and remove collections of documents, and say who reads them.
    Collections(collections::CollectionsArgs),
    /// Move the vectors of passages to another store.
    Vectors(vectors::VectorsArgs),
    /// Check the configuration.
    Config(config::ConfigCommand),
    /// Examine everything that the server needs, and say what to do.
    Doctor(doctor::DoctorArgs),
    /// Put all that the server keeps into one file, also while it runs.
    Backup(backup::BackupArgs),
    /// Make a data folder of a backup, or only check the backup.
    Restore(restore::RestoreArgs),
    /// Read a document: what the server starts for itself.
    #[command(hide = true)]
    Extract(extract::ExtractArgs),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LangArg {
    De,
    En,
}

/// Parses the command line and runs it. Exit codes: 0 done, 1 failed, 2 misunderstood.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let lang = match cli.lang {
        Some(LangArg::De) => Lang::De,
        Some(LangArg::En) => Lang::En,
        None => lang::from_env(),
    };
    let layout = Layout::new(cli.data, cli.models_dir);
    let done = match cli.verb {
        Verb::Serve(args) => serve::run(layout, args, lang),
        Verb::Models(args) => {
            start_log(LogFormat::Text);
            models::run(layout, args, lang)
        }
        Verb::Keys(args) => {
            start_log(LogFormat::Text);
            keys::run(&layout, args, lang)
        }
        Verb::People(args) => {
            start_log(LogFormat::Text);
            people::run(&layout, args, lang)
        }
        Verb::Ingest(args) => {
            start_log(LogFormat::Text);
            ingest::run(layout, args, lang)
        }
        Verb::Collections(args) => {
            start_log(LogFormat::Text);
            collections::run(layout, args, lang)
        }
        Verb::Vectors(args) => {
            start_log(LogFormat::Text);
            vectors::run(layout, args, lang)
        }
        Verb::Extract(args) => Ok(extract::run(&args)),
        Verb::Config(command) => {
            start_log(LogFormat::Text);
            config::run(&layout, &command, lang)
        }
        Verb::Doctor(args) => {
            start_log(LogFormat::Text);
            doctor::run(&layout, &args, lang)
        }
        Verb::Backup(args) => {
            start_log(LogFormat::Text);
            backup::run(layout, &args, lang)
        }
        Verb::Restore(args) => {
            start_log(LogFormat::Text);
            restore::run(&layout, &args, lang)
        }
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{}", describe(&error, lang));
            ExitCode::FAILURE
        }
    }
}

fn describe(error: &ApiError, lang: Lang) -> String {
    let label = match lang {
        Lang::De => "Fehler",
        Lang::En => "error",
    };
    let cause = error.detail.as_ref().map(|detail| format!("\n  {detail}")).unwrap_or_default();
    format!("{label} [{}]: {}{cause}", error.code, error.text(lang))
}

/// Logs to standard error; `RUST_LOG` chooses what.
fn start_log(format: LogFormat) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,portico_server=info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
