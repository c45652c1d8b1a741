//! `portico config …`, and how every verb finds the configuration.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use portico_shared::error::{ApiError, Lang};

use crate::config::{self, Config};
use crate::db::Home;
use crate::documents::FileStore;
use crate::models::Layout;
use crate::upstream::Fleet;

/// Where the configuration stands.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Configuration file, if not `portico.toml` in the data folder.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigArgs {
    /// The configuration, with the environment over it, and its path.
    pub fn load(&self, layout: &Layout) -> Result<(Config, PathBuf), ApiError> {
        let must_exist = self.config.is_some();
        let path = self.config.clone();
        let path = path.unwrap_or_else(|| layout.data_dir().join(config::FILE_NAME));
        Ok((config::load(&path, must_exist)?, path))
    }
}

#[derive(Debug, Args)]
pub struct ConfigCommand {
    #[command(subcommand)]
    verb: ConfigVerb,
}

#[derive(Debug, Subcommand)]
enum ConfigVerb {
    /// Read the configuration as `serve` does, and say what is wrong with it.
    Check(ConfigArgs),
}

pub fn run(layout: &Layout, command: &ConfigCommand, lang: Lang) -> Result<ExitCode, ApiError> {
    let ConfigVerb::Check(args) = &command.verb;
    let (config, path) = args.load(layout)?;
    // Secrets too are read.
    Fleet::new(&config, &path)?;
    Home::new(&config.database, layout.data_dir(), &path)?;
    FileStore::new(layout.data_dir(), &config, &path)?;
    let (n_upstreams, n_models) = (config.upstreams.len(), config.models.len());
    let path = path.display();
    match lang {
        Lang::De => println!("{path} ist in Ordnung: {n_upstreams} Upstreams, {n_models} Modelle."),
        Lang::En => println!("{path} is good: {n_upstreams} upstreams, {n_models} models."),
    }
    Ok(ExitCode::SUCCESS)
}
