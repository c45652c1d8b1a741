//! `portico ingest …`: a folder, a file or a site becomes documents of a collection.
//!
//! Beside a running server it only adds to the queue, and watches; where none runs it does the work
//! itself. Either way what it had begun goes on where it stood when it is started again.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use portico_shared::error::{ApiError, ErrorCode, Lang};
use tokio::time::Instant;

use super::collections::{block_on, gateway, note, print_json};
use super::config::ConfigArgs;
use super::describe;
use crate::documents::{
    Documents, Groups, Job, NewCollection, State, SyncReport, Total, id_from_title,
    is_collection_id,
};
use crate::gateway::Gateway;
use crate::models::Layout;
use crate::people::Rights;

#[derive(Debug, Args)]
pub struct IngestArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// A folder, a file, or the address of a site or a sitemap.
    source: String,
    /// The collection's id or title; made if it is not there.
    #[arg(long, value_name = "NAME")]
    collection: String,
    /// Go on looking for changes until stopped.
    #[arg(long)]
    watch: bool,
    /// The model that makes the vectors of a new collection; `none`: it is searched by words alone.
    #[arg(long, value_name = "ID")]
    embedder: Option<String>,
    /// Groups that read a new collection, separated by commas; else everyone.
    #[arg(long, value_delimiter = ',', value_name = "GROUPS")]
    groups: Vec<String>,
    /// JSON on standard output at the end.
    #[arg(long)]
    json: bool,
}

/// How often a watched folder is looked at, and a watched site.
const LOOK_EVERY: Duration = Duration::from_secs(2);
const CRAWL_EVERY: Duration = Duration::from_secs(3600);
const SHOW_EVERY: Duration = Duration::from_millis(500);

pub fn run(layout: Layout, args: IngestArgs, lang: Lang) -> Result<ExitCode, ApiError> {
    let gateway = gateway(layout, &args.config)?;
    block_on(async {
        tokio::select! {
            done = ingest(&gateway, &args, lang) => done,
            // Everything is written down: the next start goes on.
            _ = tokio::signal::ctrl_c() => {
                match lang {
                    Lang::De => eprintln!("\nAngehalten. Derselbe Befehl macht weiter."),
                    Lang::En => eprintln!("\nStopped. The same command goes on."),
                }
                Ok(ExitCode::from(130))
            }
        }
    })
}

async fn ingest(gateway: &Gateway, args: &IngestArgs, lang: Lang) -> Result<ExitCode, ApiError> {
    let documents = &gateway.documents;
    let rights = Rights::of_operator();
    let collection = collection(documents, &rights, args).await?;
    let action = if is_url(&args.source) { "site_crawled" } else { "folder_synced" };
    note(gateway, action, &collection)?;
    let worker = tokio::spawn({
        let documents = Arc::clone(documents);
        async move { documents.work_beside_others().await }
    });
    let mut shown = Shown::new(lang);
    loop {
        let feeding = documents.feed();
        let report = sync(documents, &rights, &collection, args).await?;
        drop(feeding);
        let failed = wait(documents, &rights, &collection, &worker, &mut shown).await?;
        if !args.watch || report.has_changes() {
            shown.report(&report, &failed, args)?;
        }
        if !args.watch {
            worker.abort();
            // What a site does not want to be fetched is no failure.
            let is_failure = |error: &ApiError| error.code != ErrorCode::CrawlRefused;
            let is_good =
                failed.is_empty() && !report.refused.iter().any(|(_, error)| is_failure(error));
            return Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        tokio::time::sleep(if is_url(&args.source) { CRAWL_EVERY } else { LOOK_EVERY }).await;
    }
}

fn is_url(source: &str) -> bool {
    source.starts_with("https://") || source.starts_with("http://")
}

async fn sync(
    documents: &Arc<Documents>,
    rights: &Rights,
    collection: &str,
    args: &IngestArgs,
) -> Result<SyncReport, ApiError> {
    match is_url(&args.source) {
        true => documents.crawl(rights, collection, &args.source).await,
        false => documents.sync(rights, collection, Path::new(&args.source)).await,
    }
}

/// The collection's id; it is made where it is not there.
async fn collection(
    documents: &Documents,
    rights: &Rights,
    args: &IngestArgs,
) -> Result<String, ApiError> {
    let name = &args.collection;
    let listed = documents.collections(rights).await?;
    let known = listed.iter().find(|known| known.id == *name || known.title == *name);
    if let Some(known) = known {
        return Ok(known.id.clone());
    }
    let id = if is_collection_id(name) { name.clone() } else { id_from_title(name) };
    let new = NewCollection {
        title: name.clone(),
        id: Some(id),
        groups: (!args.groups.is_empty()).then(|| Groups::readers(&args.groups)),
        embedder: args.embedder.clone(),
    };
    Ok(documents.create_collection(rights, new).await?.id)
}

/// Until nothing of the collection is left to do; what of it failed.
async fn wait(
    documents: &Arc<Documents>,
    rights: &Rights,
    collection: &str,
    worker: &tokio::task::JoinHandle<Result<(), ApiError>>,
    shown: &mut Shown,
) -> Result<Vec<Job>, ApiError> {
    loop {
        let jobs = documents.jobs(rights).await?;
        let of_collection = |job: &&Job| job.document.collection == collection;
        let is_pending = |job: &Job| job.state != State::Failed;
        shown.progress(&jobs.total);
        if !jobs.jobs.iter().filter(of_collection).any(is_pending) && !documents.has_work().await? {
            shown.clear();
            return Ok(jobs.jobs.iter().filter(of_collection).cloned().collect());
        }
        if worker.is_finished() {
            // It ends only by a fault, which is logged where it happened.
            documents.work_beside_others().await?;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What stands on the terminal.
struct Shown {
    lang: Lang,
    is_terminal: bool,
    last: Option<Instant>,
    has_line: bool,
}

impl Shown {
    fn new(lang: Lang) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self { lang, is_terminal, last: None, has_line: false }
    }

    fn progress(&mut self, total: &Total) {
        let every = if self.is_terminal { SHOW_EVERY } else { SHOW_EVERY * 20 };
        if total.n_pending() == 0 || self.last.is_some_and(|last| last.elapsed() < every) {
            return;
        }
        self.last = Some(Instant::now());
        let line = line(total, self.lang);
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

    fn report(
        &self,
        report: &SyncReport,
        failed: &[Job],
        args: &IngestArgs,
    ) -> Result<(), ApiError> {
        let failures: Vec<(String, ApiError)> = failed
            .iter()
            .filter_map(|job| Some((job.document.name.clone(), job.error.clone()?)))
            .chain(report.refused.iter().cloned())
            .collect();
        if args.json {
            let failures: Vec<_> = failures
                .iter()
                .map(|(name, error)| {
                    serde_json::json!({ "name": name, "code": error.code.as_str() })
                })
                .collect();
            return print_json(&serde_json::json!({
                "new": report.n_new,
                "changed": report.n_changed,
                "unchanged": report.n_unchanged,
                "duplicates": report.n_duplicates,
                "removed": report.n_removed,
                "failed": failures,
            }));
        }
        for (name, error) in &failures {
            eprintln!("{name}: {}", describe(error, self.lang));
        }
        let SyncReport { n_new, n_changed, n_unchanged, n_duplicates, n_removed, .. } = report;
        let n_failed = failures.len();
        match self.lang {
            Lang::De => println!(
                "{n_new} neu, {n_changed} geändert, {n_unchanged} unverändert, \
                 {n_duplicates} doppelt, {n_removed} entfernt, {n_failed} misslungen."
            ),
            Lang::En => println!(
                "{n_new} new, {n_changed} changed, {n_unchanged} unchanged, \
                 {n_duplicates} duplicates, {n_removed} removed, {n_failed} failed."
            ),
        }
        Ok(())
    }
}

/// `12/340 documents, 5.1/80.0 MB, 410/2000 passages, 0.8 MB/s, 1 min 30 s left`
fn line(total: &Total, lang: Lang) -> String {
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let n_done = total.n_ready + total.n_failed;
    let (documents, passages, left) = match lang {
        Lang::De => ("Dokumente", "Stellen", "noch"),
        Lang::En => ("documents", "passages", "left:"),
    };
    let mut line = format!(
        "{n_done}/{} {documents}, {:.1}/{:.1} MB, {}/{} {passages}",
        total.n_documents,
        megabytes(total.bytes_done),
        megabytes(total.bytes),
        total.n_embedded,
        total.n_passages,
    );
    if let Some(bytes_per_s) = total.bytes_per_s {
        line.push_str(&format!(", {:.2} MB/s", bytes_per_s / 1e6));
    }
    if let Some(left_s) = total.left_s {
        let left_s = left_s.round() as u64;
        line.push_str(&format!(", {left} {} min {} s", left_s / 60, left_s % 60));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_says_how_far_how_fast_and_how_long() {
        let total = Total {
            n_documents: 340,
            n_ready: 11,
            newest_ready: None,
            n_failed: 1,
            bytes: 80_000_000,
            bytes_done: 5_100_000,
            n_passages: 2_000,
            n_embedded: 410,
            bytes_per_s: Some(832_000.0),
            passages_per_s: Some(20.0),
            left_s: Some(90.0),
        };
        let expected =
            "12/340 documents, 5.1/80.0 MB, 410/2000 passages, 0.83 MB/s, left: 1 min 30 s";
        assert_eq!(line(&total, Lang::En), expected);
    }
}
