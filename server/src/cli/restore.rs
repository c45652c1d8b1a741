//! `portico restore`: a backup becomes a data folder again, or is only checked.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use portico_shared::error::{ApiError, ErrorCode, Lang};

use super::backup::until_stopped;
use super::collections::print_json;
use crate::backup::{self, About, Restored};
use crate::config;
use crate::files::FileStore;
use crate::keys::day_of;
use crate::models::pull::{self, PullConfig};
use crate::models::{Layout, Library};

#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// What `portico backup` made.
    file: PathBuf,
    /// Only read the backup and compare every digest.
    #[arg(long)]
    check: bool,
    /// Fetch none of the models that the server had.
    #[arg(long)]
    without_models: bool,
    /// JSON on standard output instead of words.
    #[arg(long)]
    json: bool,
}

pub fn run(layout: &Layout, args: &RestoreArgs, lang: Lang) -> Result<ExitCode, ApiError> {
    if args.check {
        return check(args, lang);
    }
    let label = match lang {
        Lang::De => "Wiederherstellung",
        Lang::En => "restoring",
    };
    let restored = until_stopped(|stop, runtime| {
        let finish = |folder: &Path| runtime.block_on(send_files(folder));
        backup::restore(&args.file, layout.data_dir(), stop, label, finish)
    })?;
    match args.json {
        true => print_json(&restored)?,
        false => say(&restored, lang),
    }
    if !args.without_models {
        fetch_models(layout, &restored.about, lang);
    }
    Ok(ExitCode::SUCCESS)
}

/// Where the restored configuration keeps documents' files on another machine, those of the backup go there.
async fn send_files(folder: &Path) -> Result<(), ApiError> {
    if !folder.join("files").is_dir() {
        return Ok(());
    }
    let path = folder.join(config::FILE_NAME);
    let config = config::load(&path, false)?;
    FileStore::new(folder, &config, &path)?.send_all().await.map(|_| ())
}

fn check(args: &RestoreArgs, lang: Lang) -> Result<ExitCode, ApiError> {
    let label = match lang {
        Lang::De => "Prüfung",
        Lang::En => "checking",
    };
    let (about, manifest) = until_stopped(|stop, _| backup::check(&args.file, stop, label))?;
    if args.json {
        print_json(&about)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (file, day, n) = (args.file.display(), day_of(about.made_s), about.n_files);
    let (made_by, schema) = (&about.made_by, about.schema);
    match lang {
        Lang::De => println!(
            "{file} ist in Ordnung: {n} Dateien vom {day}, Portico {made_by}, Schema {schema}."
        ),
        Lang::En => {
            println!("{file} is good: {n} files of {day}, Portico {made_by}, schema {schema}.");
        }
    }
    say_damage(&manifest.damaged, lang);
    Ok(ExitCode::SUCCESS)
}

fn say(restored: &Restored, lang: Lang) {
    let Restored { folder, about, n_sessions, n_links, n_keys, .. } = restored;
    let (day, n_files) = (day_of(about.made_s), about.n_files);
    match lang {
        Lang::De => {
            println!("{folder}: {n_files} Dateien vom {day} sind wiederhergestellt.");
            println!(
                "{n_sessions} Geräte müssen sich neu anmelden, {n_links} Links gelten nicht mehr."
            );
            println!(
                "{n_keys} API-Schlüssel gelten. Was nach dem {day} widerrufen, gesperrt oder gelöscht wurde, ist wieder da: Sehen Sie `portico keys list` und `portico people list` durch."
            );
            println!("Die Suche baut der Server beim ersten Start neu auf.");
        }
        Lang::En => {
            println!("{folder}: {n_files} files of {day} are restored.");
            println!("{n_sessions} devices must sign in again, {n_links} links are valid no more.");
            println!(
                "{n_keys} API keys are valid. What was revoked, blocked or deleted after {day} is there again: look through `portico keys list` and `portico people list`."
            );
            println!("The server makes the search anew when it first starts.");
        }
    }
    if let Some(elsewhere) = &about.elsewhere {
        let (n, store) = (elsewhere.files.len(), &elsewhere.store);
        match lang {
            Lang::De => println!(
                "{n} Dateien von Dokumenten müssen in {store} liegen: portico doctor sieht nach."
            ),
            Lang::En => {
                println!("{n} files of documents must lie at {store}: portico doctor looks.");
            }
        }
    }
    for secret in &about.secrets {
        match lang {
            Lang::De => println!("Die Konfiguration braucht das Geheimnis in {secret}."),
            Lang::En => println!("The configuration needs the secret in {secret}."),
        }
    }
    for missing in &about.missing {
        match lang {
            Lang::De => eprintln!(
                "Achtung: Die Datei {missing} eines Dokuments fehlte schon in der Sicherung."
            ),
            Lang::En => {
                eprintln!(
                    "Warning: a document's file {missing} was missing already in the backup."
                );
            }
        }
    }
    say_damage(&restored.damaged, lang);
}

fn say_damage(damaged: &[String], lang: Lang) {
    for name in damaged {
        match lang {
            Lang::De => {
                eprintln!("Achtung: {name} war schon beschädigt, als die Sicherung entstand.");
            }
            Lang::En => eprintln!("Warning: {name} was damaged already when the backup was made."),
        }
    }
}

/// Fetches what the server had and the backup has not. The house is restored without it: what cannot be
/// fetched now is said, with the way to do it later.
fn fetch_models(layout: &Layout, about: &About, lang: Lang) {
    let mut ids: Vec<&str> = Vec::new();
    for model in about.models.iter().filter(|model| !model.included) {
        if !ids.contains(&model.model.as_str()) {
            ids.push(&model.model);
        }
    }
    for id in ids {
        if let Err(reason) = fetch(layout, about, id) {
            match lang {
                Lang::De => eprintln!(
                    "Das Modell {id} fehlt noch: {}\n  portico models pull {id}",
                    reason.text(lang)
                ),
                Lang::En => eprintln!(
                    "The model {id} is not here yet: {}\n  portico models pull {id}",
                    reason.text(lang)
                ),
            }
        }
    }
}

fn fetch(layout: &Layout, about: &About, id: &str) -> Result<(), ApiError> {
    let library = Library::open(layout.clone());
    let pulled = library.and_then(|library| {
        pull::pull(&library, id, &PullConfig::from_env())?;
        library.look()?.get(id).cloned()
    });
    let entry = pulled.map_err(|error| ApiError::from(&error))?;
    // What was pinned by no catalogue and no lock may be another by now.
    for file in &entry.model.files {
        let before = about.models.iter().find(|had| had.model == id && had.file == file.name);
        let (had, has) = (before.and_then(|had| had.sha256.as_ref()), file.sha256.as_ref());
        if let (Some(had), Some(has)) = (had, has)
            && had != has
        {
            let error = ApiError::new(ErrorCode::DigestMismatch);
            return Err(error.with("file", &file.name).with("expected", had).with("actual", has));
        }
    }
    Ok(())
}
