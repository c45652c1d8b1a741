//! `portico backup`: also while the server runs, and under load.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use portico_shared::error::{ApiError, ErrorCode, Lang};

use super::collections::print_json;
use super::config::ConfigArgs;
use crate::backup::{self, Made, Request, Stop};
use crate::files::FileStore;
use crate::listen::stop_signal;
use crate::models::{Layout, Library};

#[derive(Debug, Args)]
pub struct BackupArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The file to make, or a folder for one that is named by the time. [default: .]
    #[arg(long, value_name = "FILE|DIR")]
    to: Option<PathBuf>,
    /// Take the weights of models along; else they are named and can be fetched again.
    #[arg(long)]
    with_models: bool,
    /// Take the documents' files along that lie in S3-compatible storage.
    #[arg(long)]
    with_files: bool,
    /// Leave the key of secrets out (secret.key): without it apps' codes and servers' secrets are lost.
    #[arg(long)]
    without_key: bool,
    /// JSON on standard output instead of words.
    #[arg(long)]
    json: bool,
}

pub fn run(layout: Layout, args: &BackupArgs, lang: Lang) -> Result<ExitCode, ApiError> {
    let (config, config_path) = args.config.load(&layout)?;
    if config.database.url.is_some() {
        let path = layout.data_dir().display();
        return Err(ApiError::new(ErrorCode::BackupElsewhere).with("path", path));
    }
    let files = FileStore::new(layout.data_dir(), &config, &config_path)?;
    let library = Library::open(layout).map_err(|error| ApiError::from(&error))?;
    let made = until_stopped(|stop, runtime| {
        let request = Request {
            library: &library,
            config: &config,
            config_path: &config_path,
            files: &files,
            with_models: args.with_models,
            with_files: args.with_files,
            with_key: !args.without_key,
            to: target(args.to.as_deref()),
            stop,
            labels: match lang {
                Lang::De => ["Datenbank", "Sicherung"],
                Lang::En => ["database", "backup"],
            },
        };
        backup::back_up(&request, runtime)
    })?;
    if args.json {
        print_json(&made)?;
        return Ok(ExitCode::SUCCESS);
    }
    say(&made, lang);
    Ok(ExitCode::SUCCESS)
}

/// Runs `work` on a thread that may block, and tells it to stop at Ctrl-C or SIGTERM.
pub(super) fn until_stopped<T: Send>(
    work: impl FnOnce(&Stop, &tokio::runtime::Handle) -> Result<T, ApiError> + Send,
) -> Result<T, ApiError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
    let stop = Stop::default();
    let told = stop.clone();
    runtime.spawn(async move {
        stop_signal().await;
        told.tell();
    });
    work(&stop, runtime.handle())
}

fn target(to: Option<&Path>) -> PathBuf {
    let to = to.unwrap_or(Path::new("."));
    let is_folder = to.is_dir() || to.as_os_str().as_encoded_bytes().ends_with(b"/");
    if is_folder { to.join(backup::default_name()) } else { to.to_owned() }
}

fn say(made: &Made, lang: Lang) {
    let (file, n_files) = (&made.file, made.about.n_files);
    let megabytes = made.size_bytes as f64 / 1e6;
    match lang {
        Lang::De => println!("{file}: {n_files} Dateien, {megabytes:.1} MB."),
        Lang::En => println!("{file}: {n_files} files, {megabytes:.1} MB."),
    }
    match lang {
        Lang::De => println!(
            "Sie enthält Gespräche, Prüfsummen von Kennwörtern und den Schlüssel der Geheimnisse: Verwahren Sie sie wie diese."
        ),
        Lang::En => println!(
            "It holds conversations, hashes of passwords and the key of secrets: keep it as you keep those."
        ),
    }
    if let Some(elsewhere) = &made.about.elsewhere {
        let (n, store) = (elsewhere.files.len(), &elsewhere.store);
        match lang {
            Lang::De => println!(
                "{n} Dateien von Dokumenten liegen weiter in {store} (--with-files nimmt sie mit)."
            ),
            Lang::En => {
                println!("{n} files of documents stay at {store} (--with-files takes them along).");
            }
        }
    }
    for secret in &made.about.secrets {
        match lang {
            Lang::De => println!("Nicht enthalten ist das Geheimnis in {secret}."),
            Lang::En => println!("Not in it is the secret in {secret}."),
        }
    }
    let added = made.about.models.iter().filter(|model| model.added && !model.included);
    for model in added {
        let id = &model.model;
        match lang {
            Lang::De => println!(
                "Das Modell {id} hat keine Quelle und ist nicht enthalten (--with-models nimmt es mit)."
            ),
            Lang::En => println!(
                "The model {id} has no source and is not in it (--with-models takes it along)."
            ),
        }
    }
    // What the house has lost already is no fault of the backup, and must be known.
    for missing in &made.about.missing {
        match lang {
            Lang::De => eprintln!(
                "Achtung: Die Datei {missing} eines Dokuments fehlt. portico doctor sagt, welches."
            ),
            Lang::En => eprintln!(
                "Warning: a document's file {missing} is missing. portico doctor says whose."
            ),
        }
    }
    for damaged in &made.damaged {
        match lang {
            Lang::De => {
                eprintln!("Achtung: {damaged} ist beschädigt; so liegt sie auch in der Sicherung.");
            }
            Lang::En => eprintln!("Warning: {damaged} is damaged, and so it is in the backup."),
        }
    }
}
