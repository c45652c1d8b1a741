//! `portico vectors …`: the vectors' way from one store to the other; also while the server runs.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use portico_search::vectors::StoreConfig;
use portico_shared::error::{ApiError, ErrorCode, Lang};

use super::collections::{block_on, documents};
use super::config::ConfigArgs;
use crate::documents::Moved;
use crate::models::Layout;

#[derive(Debug, Args)]
pub struct VectorsArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// JSON on standard output instead of words.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: VectorsVerb,
}

#[derive(Debug, Subcommand)]
enum VectorsVerb {
    /// Put all vectors into another store, which the server uses from its next start on.
    ///
    /// The store that answers goes on answering. A move that was cut off goes on where it stood; what
    /// comes in after it is put by the server when it starts with the new store.
    Migrate {
        /// `qdrant`: the server of `[documents.vectors] qdrant_url`; `edge`: the data folder, which no
        /// server may have open.
        #[arg(long, value_enum)]
        to: StoreArg,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StoreArg {
    Qdrant,
    Edge,
}

pub fn run(layout: Layout, args: VectorsArgs, lang: Lang) -> Result<ExitCode, ApiError> {
    let VectorsVerb::Migrate { to } = args.verb;
    let (config, _) = args.config.load(&layout)?;
    let documents = documents(layout, &args.config)?;
    let (vectors, data_dir) = (&config.documents.vectors, documents.data_dir());
    let store = match to {
        StoreArg::Edge => vectors.folder(data_dir),
        StoreArg::Qdrant => match vectors.store(data_dir) {
            store @ StoreConfig::Qdrant(_) => store,
            StoreConfig::Edge(_) => {
                let reason = "`qdrant_url` is not set in [documents.vectors]";
                return Err(ApiError::new(ErrorCode::InvalidRequest).with("reason", reason));
            }
        },
    };
    let json = args.json;
    let moved = block_on(async {
        documents
            .move_vectors(&store, |moved| {
                if !json {
                    tell(moved, lang);
                }
            })
            .await
    })?;
    let Moved { n_done, n_known, points_per_s, .. } = moved;
    if json {
        let said = serde_json::json!({
            "points": n_done, "known": n_known, "points_per_s": points_per_s,
        });
        println!("{said}");
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!();
    match lang {
        Lang::De => println!(
            "{n_done} Vektoren sind dort, {n_known} waren es schon. Beim nächsten Start mit dieser \
             Einstellung antwortet der neue Speicher."
        ),
        Lang::En => println!(
            "{n_done} vectors are there, {n_known} were before. The new store answers from the next \
             start with this setting on."
        ),
    }
    Ok(ExitCode::SUCCESS)
}

/// One line that is written over.
fn tell(moved: Moved, lang: Lang) {
    let Moved { n_done, n_all, points_per_s, left, .. } = moved;
    let left_s = left.as_secs();
    let line = match lang {
        Lang::De => format!("{n_done} von {n_all} Vektoren, {points_per_s:.0}/s, noch {left_s} s"),
        Lang::En => format!("{n_done} of {n_all} vectors, {points_per_s:.0}/s, {left_s} s left"),
    };
    let mut out = std::io::stderr().lock();
    // A terminal that is gone needs no progress.
    let _ = write!(out, "\r{line:<70}").and_then(|()| out.flush());
}
