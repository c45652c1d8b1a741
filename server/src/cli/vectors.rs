//! `portico vectors …`: the vectors' way into another store, or to another embedder; also while the server
//! runs, which then does the work.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand, ValueEnum};
use portico_shared::error::{ApiError, ErrorCode, Lang};

use super::collections::{block_on, gateway, note, print_json};
use super::config::ConfigArgs;
use crate::config::VectorsConfig;
use crate::documents::{Documents, MovePhase, MoveRequest, MoveState};
use crate::gateway::Gateway;
use crate::models::Layout;

/// How often the move is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
const SHOW_EVERY: Duration = Duration::from_millis(500);
/// How long what follows a move may take, such as letting the old vectors go.
const CLOSE: Duration = Duration::from_secs(10);

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
    /// Put all vectors into another store, or have another model make them, and switch to them.
    ///
    /// The vectors that there are answer until the new ones are complete; a running server switches
    /// without a restart. Cut off, the same command goes on where it stood.
    Migrate {
        /// `qdrant`: the server of `[documents.vectors] qdrant_url`; `edge`: the data folder. Else where
        /// they are.
        #[arg(long, value_enum, required_unless_present = "embedder")]
        to: Option<StoreArg>,
        /// The model that makes all vectors anew; collections that are searched by words alone stay so.
        #[arg(long, value_name = "ID")]
        embedder: Option<String>,
    },
    /// Call off a move that is under way; the vectors that there are go on answering.
    Cancel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StoreArg {
    Qdrant,
    Edge,
}

pub fn run(layout: Layout, args: VectorsArgs, lang: Lang) -> Result<ExitCode, ApiError> {
    let (config, _) = args.config.load(&layout)?;
    let gateway = gateway(layout, &args.config)?;
    let documents = &gateway.documents;
    let json = args.json;
    let (to, embedder) = match args.verb {
        VectorsVerb::Migrate { to, embedder } => (to, embedder),
        VectorsVerb::Cancel => return cancel(&gateway, json, lang),
    };
    let store = to.map(|to| store(&config.documents.vectors, to)).transpose()?;
    let request = MoveRequest { store, embedder };
    block_on(documents.ask_for_move(&request))?;
    note(&gateway, "vectors_moved", &target(to, request.embedder.as_deref()))?;
    let done = block_on(async {
        tokio::select! {
            done = follow(documents, json, lang) => done.map(Some),
            _ = tokio::signal::ctrl_c() => Ok(None),
        }
    })?;
    match done {
        Some(done) => {
            say_done(&done, to, json, lang)?;
            Ok(ExitCode::SUCCESS)
        }
        None => {
            match lang {
                Lang::De => eprintln!(
                    "\nAngehalten. Derselbe Befehl macht weiter; ein laufender Server tut es ohne ihn."
                ),
                Lang::En => eprintln!(
                    "\nStopped. The same command goes on; a server that runs does so without it."
                ),
            }
            Ok(ExitCode::from(130))
        }
    }
}

/// What `[documents.vectors]` would say of it; a server that runs may have been started with less.
fn store(config: &VectorsConfig, to: StoreArg) -> Result<VectorsConfig, ApiError> {
    let qdrant_url = config.qdrant_url.clone().filter(|url| !url.is_empty());
    let invalid = |reason: String| ApiError::new(ErrorCode::InvalidRequest).with("reason", reason);
    let qdrant_url = match (to, qdrant_url) {
        (StoreArg::Edge, _) => None,
        (StoreArg::Qdrant, Some(url)) => Some(url),
        (StoreArg::Qdrant, None) => {
            return Err(invalid("`qdrant_url` is not set in [documents.vectors]".to_owned()));
        }
    };
    // Read by another process, in another folder.
    let absolute = |path: &PathBuf| {
        std::path::absolute(path).map_err(|error| invalid(format!("{}: {error}", path.display())))
    };
    let api_key_file = config.api_key_file.as_ref().map(absolute).transpose()?;
    Ok(VectorsConfig { qdrant_url, api_key_file, ..config.clone() })
}

/// Where to, and made by which model, for the audit log.
fn target(to: Option<StoreArg>, embedder: Option<&str>) -> String {
    let store = to.map(|to| match to {
        StoreArg::Qdrant => "qdrant",
        StoreArg::Edge => "edge",
    });
    store.into_iter().chain(embedder).collect::<Vec<_>>().join("/")
}

/// Watches a move that was asked for; does the work where no other process has the documents.
async fn follow(
    documents: &Arc<Documents>,
    is_silent: bool,
    lang: Lang,
) -> Result<MoveState, ApiError> {
    let worker = tokio::spawn({
        let documents = Arc::clone(documents);
        async move { documents.work_beside_others().await }
    });
    let mut shown = Shown::new(lang);
    let done = loop {
        let Some(state) = documents.move_state().await? else {
            let reason = "the move was called off";
            break Err(ApiError::new(ErrorCode::InvalidRequest).with("reason", reason));
        };
        match state.phase {
            MovePhase::Done => break Ok(state),
            MovePhase::Failed => {
                break Err(state.error.unwrap_or_else(|| ApiError::new(ErrorCode::Internal)));
            }
            MovePhase::Moving if !is_silent => shown.progress(&state),
            MovePhase::Moving => {}
        }
        if worker.is_finished() {
            // It ends only by a fault.
            documents.work_beside_others().await?;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    };
    shown.clear();
    if done.is_ok() {
        // Where this process did the work, what it knows of the new store is still to be written.
        let _ = tokio::time::timeout(CLOSE, documents.given_back()).await;
    }
    worker.abort();
    done
}

fn cancel(gateway: &Gateway, json: bool, lang: Lang) -> Result<ExitCode, ApiError> {
    let was_there = block_on(gateway.documents.call_off_move())?;
    if was_there {
        note(gateway, "vectors_move_cancelled", "")?;
    }
    match (json, lang) {
        (true, _) => print_json(&serde_json::json!({ "cancelled": was_there }))?,
        (false, Lang::De) if was_there => println!("Der Umzug ist abgebrochen."),
        (false, Lang::De) => println!("Es ist kein Umzug im Gange."),
        (false, Lang::En) if was_there => println!("The move is called off."),
        (false, Lang::En) => println!("No move is under way."),
    }
    Ok(if was_there { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn say_done(
    done: &MoveState,
    to: Option<StoreArg>,
    json: bool,
    lang: Lang,
) -> Result<(), ApiError> {
    let n_done = done.n_done;
    if json {
        return print_json(&serde_json::json!({ "points": n_done }));
    }
    match lang {
        Lang::De => println!("{n_done} Vektoren: Die neuen antworten von jetzt an."),
        Lang::En => println!("{n_done} vectors: the new ones answer from now on."),
    }
    // The next start asks the configuration.
    match (to, lang) {
        (Some(StoreArg::Edge), Lang::De) => {
            println!("In [documents.vectors] darf kein `qdrant_url` mehr stehen.");
        }
        (Some(StoreArg::Edge), Lang::En) => {
            println!("[documents.vectors] must name no `qdrant_url` any more.");
        }
        _ => {}
    }
    Ok(())
}

/// What stands on the terminal.
struct Shown {
    lang: Lang,
    is_terminal: bool,
    /// When the first vectors were seen to be there, and how many.
    start: Option<(Instant, u64)>,
    last: Option<Instant>,
    has_line: bool,
}

impl Shown {
    fn new(lang: Lang) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self { lang, is_terminal, start: None, last: None, has_line: false }
    }

    fn progress(&mut self, state: &MoveState) {
        let every = if self.is_terminal { SHOW_EVERY } else { SHOW_EVERY * 20 };
        if state.n_all == 0 || self.last.is_some_and(|last| last.elapsed() < every) {
            return;
        }
        self.last = Some(Instant::now());
        let (start, n_before) = *self.start.get_or_insert((Instant::now(), state.n_done));
        let line = line(state, n_before, start.elapsed(), self.lang);
        let mut out = std::io::stderr();
        // A terminal that is gone is no reason to stop.
        let _ = match self.is_terminal {
            true => write!(out, "\r\x1b[2K{line}").and_then(|()| out.flush()),
            false => writeln!(out, "{line}"),
        };
        self.has_line = self.is_terminal;
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.has_line) {
            eprint!("\r\x1b[2K");
        }
    }
}

/// `1200/3000 vectors, 410/s, 4 s left`
fn line(state: &MoveState, n_before: u64, took: Duration, lang: Lang) -> String {
    let MoveState { n_done, n_all, .. } = state;
    let mut line = match lang {
        Lang::De => format!("{n_done}/{n_all} Vektoren"),
        Lang::En => format!("{n_done}/{n_all} vectors"),
    };
    let per_s = n_done.saturating_sub(n_before) as f64 / took.as_secs_f64().max(1e-3);
    if per_s > 0.0 {
        let left_s = (n_all.saturating_sub(*n_done) as f64 / per_s).round();
        match lang {
            Lang::De => line.push_str(&format!(", {per_s:.0}/s, noch {left_s:.0} s")),
            Lang::En => line.push_str(&format!(", {per_s:.0}/s, {left_s:.0} s left")),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_reckoned_from_where_this_run_began() {
        let state = MoveState { phase: MovePhase::Moving, n_done: 1200, n_all: 3000, error: None };
        let said = line(&state, 200, Duration::from_secs(2), Lang::En);
        assert_eq!(said, "1200/3000 vectors, 500/s, 4 s left");
        assert_eq!(line(&state, 1200, Duration::ZERO, Lang::De), "1200/3000 Vektoren");
    }
}
