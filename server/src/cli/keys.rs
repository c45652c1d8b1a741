//! `portico keys …`: API keys, also while the server runs.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use portico_shared::error::{ApiError, ErrorCode, Lang};
use serde::Serialize;

use super::config::ConfigArgs;
use super::table;
use crate::db::{Db, Home};
use crate::keys::{Key, KeyLimits, Keys, NewKey, Spent, day_of, now_s};
use crate::models::Layout;
use crate::people::{PersonId, Scope};

const DAY_S: u64 = 86_400;

#[derive(Debug, Args)]
pub struct KeysArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// JSON on standard output instead of words.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: KeysVerb,
}

#[derive(Debug, Subcommand)]
enum KeysVerb {
    /// Make a key. It is the last word printed, and is shown this once.
    Create(CreateArgs),
    /// Which keys there are, and what each has used.
    List,
    /// End a key, by its name or its id.
    Revoke { key: String },
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// Whose key it is, or what for.
    #[arg(long)]
    name: String,
    /// Models that it may use, separated by commas; else all.
    #[arg(long, value_delimiter = ',', value_name = "MODELS")]
    models: Option<Vec<String>>,
    /// Groups whose documents it reads, separated by commas, beside those for everyone.
    #[arg(long, value_delimiter = ',', value_name = "GROUPS")]
    groups: Vec<String>,
    /// It manages all collections of documents.
    #[arg(long)]
    admin: bool,
    /// What it is for, separated by commas: chat, embeddings, documents-read, documents-write, sync;
    /// else all of these.
    #[arg(long, value_delimiter = ',', value_name = "SCOPES", value_parser = scope)]
    scopes: Option<Vec<Scope>>,
    /// Days until it ends; else never.
    #[arg(long, value_name = "DAYS")]
    expires_in: Option<u64>,
    #[arg(long, value_name = "N")]
    requests_per_minute: Option<u64>,
    #[arg(long, value_name = "N")]
    tokens_per_minute: Option<u64>,
    #[arg(long, value_name = "N")]
    tokens_per_day: Option<u64>,
    #[arg(long, value_name = "N")]
    tokens_per_month: Option<u64>,
}

fn scope(text: &str) -> Result<Scope, String> {
    let found = Scope::ALL.into_iter().find(|scope| scope.as_str() == text);
    found.filter(|scope| *scope != Scope::People).ok_or_else(|| {
        "a scope is chat, embeddings, documents-read, documents-write or sync".to_owned()
    })
}

pub fn run(layout: &Layout, args: KeysArgs, lang: Lang) -> Result<ExitCode, ApiError> {
    let (config, path) = args.config.load(layout)?;
    let keys = Keys::new(Db::new(Home::new(&config.database, layout.data_dir(), &path)?));
    match args.verb {
        KeysVerb::Create(create) => {
            let (key, secret) = keys.create(&create.new_key())?;
            match (args.json, lang) {
                (true, _) => {
                    print_json(&Created { id: &key.id, name: &key.name, key: &secret.text })?;
                }
                (false, Lang::De) => println!(
                    "Der Schlüssel „{}“ ({}) wird nur dieses eine Mal gezeigt: {}",
                    key.name, key.id, secret.text
                ),
                (false, Lang::En) => println!(
                    "The key “{}” ({}) is shown this once: {}",
                    key.name, key.id, secret.text
                ),
            }
        }
        KeysVerb::List => {
            let listed: Vec<Listed> = keys.list()?.into_iter().map(Listed::new).collect();
            match args.json {
                true => print_json(&listed)?,
                false => print!("{}", table::columns(&rows(&listed, lang))),
            }
        }
        KeysVerb::Revoke { key } => {
            let key = keys.revoke(&key)?;
            match (args.json, lang) {
                (true, _) => print_json(&serde_json::json!({ "id": key.id, "name": key.name }))?,
                (false, Lang::De) => println!("„{}“ gilt nicht mehr.", key.name),
                (false, Lang::En) => println!("“{}” is revoked.", key.name),
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl CreateArgs {
    fn new_key(self) -> NewKey {
        NewKey {
            name: self.name,
            groups: self.groups,
            is_admin: self.admin,
            person: None,
            scopes: self.scopes,
            expires_s: self
                .expires_in
                .map(|days| now_s().saturating_add(days.saturating_mul(DAY_S))),
            limits: KeyLimits {
                models: self.models,
                requests_per_minute: self.requests_per_minute,
                tokens_per_minute: self.tokens_per_minute,
                tokens_per_day: self.tokens_per_day,
                tokens_per_month: self.tokens_per_month,
            },
        }
    }
}

#[derive(Serialize)]
struct Created<'a> {
    id: &'a str,
    name: &'a str,
    key: &'a str,
}

#[derive(Serialize)]
struct Listed {
    id: String,
    name: String,
    /// `active`, `expired` or `revoked`
    state: &'static str,
    /// Days, UTC.
    created: String,
    expires: Option<String>,
    models: Option<Vec<String>>,
    groups: Vec<String>,
    is_admin: bool,
    /// Whose it is; null: the house's own.
    person: Option<PersonId>,
    scopes: Option<Vec<Scope>>,
    last_used: Option<String>,
    requests_per_minute: Option<u64>,
    tokens_per_minute: Option<u64>,
    tokens_per_day: Option<u64>,
    tokens_per_month: Option<u64>,
    requests_today: u64,
    tokens_today: u64,
    tokens_this_month: u64,
}

impl Listed {
    fn new((key, day, month): (Key, Spent, Spent)) -> Self {
        let is_expired = key.expires_s.is_some_and(|expires_s| expires_s <= now_s());
        Self {
            state: match (key.revoked_s, is_expired) {
                (Some(_), _) => "revoked",
                (None, true) => "expired",
                (None, false) => "active",
            },
            created: day_of(key.created_s),
            expires: key.expires_s.map(day_of),
            id: key.id,
            name: key.name,
            models: key.limits.models,
            groups: key.groups,
            is_admin: key.is_admin,
            person: key.person,
            scopes: key.scopes,
            last_used: key.last_used_s.map(day_of),
            requests_per_minute: key.limits.requests_per_minute,
            tokens_per_minute: key.limits.tokens_per_minute,
            tokens_per_day: key.limits.tokens_per_day,
            tokens_per_month: key.limits.tokens_per_month,
            requests_today: day.requests,
            tokens_today: day.tokens(),
            tokens_this_month: month.tokens(),
        }
    }
}

fn rows(listed: &[Listed], lang: Lang) -> Vec<Vec<String>> {
    let head: [&str; 8] = match lang {
        Lang::De => {
            ["ID", "NAME", "STAND", "ERSTELLT", "TOKEN HEUTE", "IM MONAT", "MODELLE", "GRUPPEN"]
        }
        Lang::En => {
            ["ID", "NAME", "STATE", "CREATED", "TOKENS TODAY", "THIS MONTH", "MODELS", "GROUPS"]
        }
    };
    let quota = |used: u64, quota: Option<u64>| match quota {
        Some(quota) => format!("{used}/{quota}"),
        None => used.to_string(),
    };
    let row = |key: &Listed| {
        let state = match (key.state, lang) {
            ("active", Lang::De) => "gültig",
            ("expired", Lang::De) => "abgelaufen",
            ("revoked", Lang::De) => "widerrufen",
            (state, _) => state,
        };
        let models = key.models.as_ref().map_or_else(|| "*".to_owned(), |models| models.join(","));
        vec![
            key.id.clone(),
            key.name.clone(),
            state.to_owned(),
            key.created.clone(),
            quota(key.tokens_today, key.tokens_per_day),
            quota(key.tokens_this_month, key.tokens_per_month),
            models,
            match (key.is_admin, lang) {
                (true, Lang::De) => "verwaltet alles".to_owned(),
                (true, Lang::En) => "manages all".to_owned(),
                (false, _) => key.groups.join(","),
            },
        ]
    };
    std::iter::once(head.map(str::to_owned).to_vec()).chain(listed.iter().map(row)).collect()
}

fn print_json(value: &impl Serialize) -> Result<(), ApiError> {
    let json = serde_json::to_string_pretty(value)
        .map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
    println!("{json}");
    Ok(())
}
