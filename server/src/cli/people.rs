//! `portico people …`: who has an account, also while the server runs.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use portico_shared::error::{ApiError, ErrorCode, Lang};
use serde::Serialize;
use serde_json::json;

use super::config::ConfigArgs;
use super::table;
use crate::config::Config;
use crate::db::{Db, Home};
use crate::keys::day_of;
use crate::models::Layout;
use crate::people::{
    LinkKind, NewLink, People, Person, PersonChange, Role, admin_link, check_groups, link_address,
};
use crate::vault::{KeyFile, Vault};

const DAY_S: u64 = 86_400;
/// By whom, in the audit log.
const WHO: &str = "operator";

#[derive(Debug, Args)]
pub struct PeopleArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// JSON on standard output instead of words.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: PeopleVerb,
}

#[derive(Debug, Subcommand)]
enum PeopleVerb {
    /// Who has an account.
    List,
    /// Make a link by which somebody makes an account. It is the last word printed.
    Invite {
        #[arg(long, value_enum, default_value = "member")]
        role: RoleArg,
        /// Groups, separated by commas.
        #[arg(long, value_delimiter = ',', value_name = "GROUPS")]
        groups: Vec<String>,
        /// For whom it is.
        #[arg(long, default_value = "")]
        note: String,
        /// Days in which it can be opened.
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..=90))]
        days: u64,
    },
    /// Make a link by which somebody sets a new password, or with --admin one that makes an
    /// administrator: for whoever is locked out.
    Link {
        /// By which they sign in.
        #[arg(required_unless_present = "admin", conflicts_with = "admin")]
        name: Option<String>,
        #[arg(long)]
        admin: bool,
    },
    /// Sign somebody out everywhere, and let them in no more.
    Block { name: String },
    /// Let somebody in again.
    Unblock { name: String },
    /// Make somebody an administrator, a member or a guest.
    Role {
        name: String,
        #[arg(value_enum)]
        role: RoleArg,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleArg {
    Admin,
    Member,
    Guest,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Admin => Self::Admin,
            RoleArg::Member => Self::Member,
            RoleArg::Guest => Self::Guest,
        }
    }
}

pub fn run(layout: &Layout, args: PeopleArgs, lang: Lang) -> Result<ExitCode, ApiError> {
    let (config, path) = args.config.load(layout)?;
    let home = Home::new(&config.database, layout.data_dir(), &path)?;
    let db = Db::new(home);
    let vault = Vault::new(KeyFile::of(&config.server, layout.data_dir(), &path), db.clone());
    let people = People::new(db, DAY_S, vault);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
    let done = runtime.block_on(decide(&people, args.verb, &config, args.json, lang));
    people.close()?;
    done.map(|()| ExitCode::SUCCESS)
}

async fn decide(
    people: &People,
    verb: PeopleVerb,
    config: &Config,
    is_json: bool,
    lang: Lang,
) -> Result<(), ApiError> {
    match verb {
        PeopleVerb::List => {
            let listed = people.list().await?;
            match is_json {
                true => print_json(&listed)?,
                false => print!("{}", table::columns(&rows(&listed, lang))),
            }
        }
        PeopleVerb::Invite { role, groups, note, days } => {
            check_groups(&groups)?;
            let new = NewLink {
                kind: LinkKind::Invite,
                person: None,
                role: role.into(),
                groups,
                note,
                made_by: WHO.to_owned(),
                lasts_s: days * DAY_S,
            };
            print_link(people, new, config, is_json, lang).await?;
        }
        PeopleVerb::Link { name: None, .. } => {
            print_link(people, admin_link(WHO, DAY_S), config, is_json, lang).await?;
        }
        PeopleVerb::Link { name: Some(name), .. } => {
            let person = people.named(&name).await?;
            let kind = LinkKind::Reset;
            let new = NewLink { kind, person: Some(person.id), ..admin_link(WHO, DAY_S) };
            print_link(people, new, config, is_json, lang).await?;
        }
        PeopleVerb::Block { name } => {
            let change = PersonChange { blocked: Some(true), ..PersonChange::default() };
            print_changed(people, &name, change, is_json, lang).await?;
        }
        PeopleVerb::Unblock { name } => {
            let change = PersonChange { blocked: Some(false), ..PersonChange::default() };
            print_changed(people, &name, change, is_json, lang).await?;
        }
        PeopleVerb::Role { name, role } => {
            let change = PersonChange { role: Some(role.into()), ..PersonChange::default() };
            print_changed(people, &name, change, is_json, lang).await?;
        }
    }
    Ok(())
}

async fn print_link(
    people: &People,
    new: NewLink,
    config: &Config,
    is_json: bool,
    lang: Lang,
) -> Result<(), ApiError> {
    let (link, secret) = people.make_link(new).await?;
    let url = link_address(config, &secret);
    let until = day_of(link.expires_s);
    match (is_json, lang) {
        (true, _) => print_json(&json!({ "link": link, "url": url }))?,
        (false, Lang::De) => {
            println!("Dieser Link gilt einmal, bis {until}, und wird nur jetzt gezeigt: {url}");
        }
        (false, Lang::En) => {
            println!("This link can be opened once, until {until}, and is shown only now: {url}");
        }
    }
    Ok(())
}

async fn print_changed(
    people: &People,
    name: &str,
    change: PersonChange,
    is_json: bool,
    lang: Lang,
) -> Result<(), ApiError> {
    let id = people.named(name).await?.id;
    let person = people.change(id, change, WHO).await?;
    match is_json {
        true => print_json(&person)?,
        false => print!("{}", table::columns(&rows(&[person], lang))),
    }
    Ok(())
}

fn rows(people: &[Person], lang: Lang) -> Vec<Vec<String>> {
    let head: [&str; 5] = match lang {
        Lang::De => ["NAME", "ROLLE", "GRUPPEN", "SEIT", "GESPERRT"],
        Lang::En => ["NAME", "ROLE", "GROUPS", "SINCE", "BLOCKED"],
    };
    let row = |person: &Person| {
        vec![
            person.name.clone(),
            person.role.to_string(),
            person.groups.join(","),
            day_of(person.created_s),
            person.blocked_s.map(day_of).unwrap_or_default(),
        ]
    };
    std::iter::once(head.map(str::to_owned).to_vec()).chain(people.iter().map(row)).collect()
}

fn print_json(value: &impl Serialize) -> Result<(), ApiError> {
    let json = serde_json::to_string_pretty(value)
        .map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
    println!("{json}");
    Ok(())
}
