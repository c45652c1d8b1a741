//! `portico serve`

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Uri;
use clap::Args;
use portico_shared::error::{ApiError, ErrorCode, Lang};
use tokio::net::TcpListener;

use super::config::ConfigArgs;
use super::start_log;
use crate::app::{App, app};
use crate::config::Config;
use crate::db::{Home, Sole};
use crate::embed::Embedders;
use crate::guard::{GuardConfig, HostPolicy};
use crate::listen::{self, ListenConfig};
use crate::models::{Layout, Library};
use crate::page::Page;
use crate::people::link_address;

/// How long work that nobody waits for may go on once the server has stopped.
const CLOSE: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Address to listen at; port 0 takes a free one. [default: 127.0.0.1:8080]
    #[arg(long)]
    addr: Option<SocketAddr>,
    /// Folder of a built page; else the one in the binary, if it has one.
    #[arg(long, value_name = "DIR")]
    page: Option<PathBuf>,
    /// Address under which people reach the server, such as https://chat.example.org: its name is
    /// then answered, and other names are refused.
    #[arg(long, value_name = "URL", value_parser = public_url)]
    public_url: Option<Uri>,
}

fn public_url(text: &str) -> Result<Uri, String> {
    let uri: Uri = text.parse().map_err(|error| format!("{error}"))?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(_)) => Ok(uri),
        _ => Err("it must start with http:// or https:// and name a host".to_owned()),
    }
}

pub fn run(layout: Layout, args: ServeArgs, lang: Lang) -> Result<ExitCode, ApiError> {
    let (mut config, path) = args.config.load(&layout)?;
    if let Some(addr) = args.addr {
        config.server.addr = addr;
    }
    config.server.page = args.page.or(config.server.page);
    config.server.public_url = args.public_url.or(config.server.public_url);
    start_log(config.server.log);
    let home = Home::new(&config.database, layout.data_dir(), &path)?;
    let mut sole = Sole::take(&home, layout.data_dir(), config.server.addr)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
    let served = runtime.block_on(serve(layout, config, &path, &mut sole, lang));
    // What blocks a thread, such as optimising vectors for minutes, is found whole by the next start.
    runtime.shutdown_timeout(CLOSE);
    drop(sole);
    served
}

async fn serve(
    layout: Layout,
    mut config: Config,
    config_path: &Path,
    sole: &mut Sole,
    lang: Lang,
) -> Result<ExitCode, ApiError> {
    let library = Library::open(layout).map_err(|error| ApiError::from(&error))?;
    let page = Page::new(config.server.page.clone());
    if !page.is_there() {
        tracing::warn!("no page was built: only models are served");
    }
    let addr = config.server.addr;
    let cannot_listen = |error: std::io::Error| {
        ApiError::new(ErrorCode::ListenFailed).with("addr", addr).detail(error)
    };
    let listener = TcpListener::bind(addr).await.map_err(cannot_listen)?;
    let bound = listener.local_addr().map_err(cannot_listen)?;
    config.server.addr = bound;
    sole.listens_at(bound);

    let public_url = config.server.public_url.clone();
    let listen = ListenConfig {
        max_connections: config.server.max_connections,
        shutdown_grace: config.server.shutdown_grace,
        ..ListenConfig::default()
    };
    let embedders = Embedders::new(&config.access.embed_origins);
    let state = App::new(library, page, config, config_path)?;
    state.gateway.inference.open_named_device()?;
    tokio::spawn(Arc::clone(&state.weights).fill());
    state.gateway.start();
    let hosts = HostPolicy::new(bound, public_url.as_ref());
    let routes =
        app(Arc::clone(&state), GuardConfig { hosts, embedders, ..GuardConfig::default() });

    state.gateway.vault.settle().await;
    // Before the address is said: it ends an older link, also one that the command line made meanwhile.
    let first_link = first_link(&state).await;
    // Whoever reads the address may stop the server at once.
    let stopped = listen::stop_signal();
    let address = public_url.map_or_else(|| format!("http://{bound}/"), |url| url.to_string());
    match lang {
        Lang::De => println!("Portico läuft: {address}"),
        Lang::En => println!("Portico is running: {address}"),
    }
    if let Some(link) = first_link {
        print_first_link(&link, lang);
    }
    let (mut refused, lost) = (None, sole.lost());
    let stop = async {
        tokio::select! {
            () = stopped => {}
            error = lost => refused = Some(error),
        }
        state.gateway.ending.begin();
    };
    let served = listen::serve(listener, routes, listen, stop);
    served.await.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
    state.gateway.tools.close().await;
    state.gateway.close()?;
    refused.map_or(Ok(ExitCode::SUCCESS), Err)
}

/// The link for the first administrator, while there is nobody. Without a place to keep it the server
/// runs nevertheless: for whoever sits at it.
async fn first_link(state: &App) -> Option<String> {
    match state.gateway.people.first_link().await {
        Ok(secret) => secret.map(|secret| link_address(&state.gateway.config, &secret)),
        Err(error) => {
            tracing::warn!(%error, "no link for a first administrator");
            None
        }
    }
}

fn print_first_link(link: &str, lang: Lang) {
    let line = match lang {
        Lang::De => "Wer diesen Link öffnet, verwaltet das Haus (einmal, 24 Stunden):",
        Lang::En => "Whoever opens this link administers the house (once, for 24 hours):",
    };
    // Whoever reads only the first line may have gone.
    if let Err(error) = writeln!(std::io::stdout(), "{line} {link}") {
        tracing::debug!(%error, "nobody reads the first administrator's link");
    }
}
