//! `portico collections …`: what there is, who may read it; also while the server runs.

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use portico_shared::error::{ApiError, ErrorCode, Lang};

use super::config::ConfigArgs;
use super::table;
use crate::documents::{Collection, CollectionChange, Groups, NewCollection};
use crate::gateway::Gateway;
use crate::models::{Layout, Library};
use crate::people::audit::Entry;
use crate::people::{Right, Rights};

#[derive(Debug, Args)]
pub struct CollectionsArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// JSON on standard output instead of words.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: CollectionsVerb,
}

#[derive(Debug, Subcommand)]
enum CollectionsVerb {
    /// Which collections there are, and which groups may do what with them.
    List,
    /// Make a collection, which everyone reads unless groups are named.
    Create {
        title: String,
        /// Else made of the title.
        #[arg(long)]
        id: Option<String>,
        /// Groups that read it, separated by commas.
        #[arg(long, value_delimiter = ',', value_name = "GROUPS")]
        groups: Vec<String>,
        /// The model that makes its vectors; `none`: it is searched by words alone.
        #[arg(long, value_name = "ID")]
        embedder: Option<String>,
    },
    /// Delete a collection with all its documents.
    Remove { id: String },
    /// Give groups a right on a collection, or take it from them.
    Grant {
        id: String,
        #[arg(long, value_delimiter = ',', value_name = "GROUPS", required = true)]
        groups: Vec<String>,
        #[arg(long, value_enum, default_value = "read")]
        right: RightArg,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RightArg {
    Read,
    Contribute,
    Manage,
    /// They may do nothing with it any more.
    None,
}

/// What knows the documents of a data folder, for a verb that is no server.
///
/// # Errors
/// What is wrong with the catalogue or the configuration.
pub(super) fn gateway(layout: Layout, config: &ConfigArgs) -> Result<Arc<Gateway>, ApiError> {
    let (config, path) = config.load(&layout)?;
    let library = Library::open(layout).map_err(|error| ApiError::from(&error))?;
    Ok(Gateway::new(Arc::new(library), config, &path)?)
}

/// Writes into the audit log what is done from the command line.
///
/// # Errors
/// The database's.
pub(super) fn note(gateway: &Gateway, action: &str, object: &str) -> Result<(), ApiError> {
    let who = Rights::of_operator().who;
    gateway.people.audit.note(Entry::act(&who, action, object));
    Ok(gateway.people.close()?)
}

/// Runs what waits on the network or the disk.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, ApiError>>) -> Result<T, ApiError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
    runtime.block_on(work)
}

pub fn run(layout: Layout, args: CollectionsArgs, lang: Lang) -> Result<ExitCode, ApiError> {
    let gateway = gateway(layout, &args.config)?;
    let documents = &gateway.documents;
    let rights = Rights::of_operator();
    let json = args.json;
    block_on(async {
        match args.verb {
            CollectionsVerb::List => {
                let listed = documents.collections(&rights).await?;
                match json {
                    true => print_json(&listed)?,
                    false => print!("{}", table::columns(&rows(&listed, lang))),
                }
            }
            CollectionsVerb::Create { title, id, groups, embedder } => {
                let groups = (!groups.is_empty()).then(|| Groups::readers(&groups));
                let new = NewCollection { title, id, groups, embedder };
                let made = documents.create_collection(&rights, new).await?;
                note(&gateway, "collection_added", &made.id)?;
                match (json, lang) {
                    (true, _) => print_json(&made)?,
                    (false, Lang::De) => println!("Die Sammlung {} ist angelegt.", made.id),
                    (false, Lang::En) => println!("The collection {} is made.", made.id),
                }
            }
            CollectionsVerb::Remove { id } => {
                documents.delete_collection(&rights, &id).await?;
                note(&gateway, "collection_removed", &id)?;
                match (json, lang) {
                    (true, _) => print_json(&serde_json::json!({ "id": id }))?,
                    (false, Lang::De) => println!("Die Sammlung {id} ist gelöscht."),
                    (false, Lang::En) => println!("The collection {id} is deleted."),
                }
            }
            CollectionsVerb::Grant { id, groups, right } => {
                let collection = documents.collection(&rights, &id).await?;
                let granted = granted(collection.groups.unwrap_or_default(), &groups, right);
                let change = CollectionChange { groups: Some(granted), ..Default::default() };
                let changed = documents.change_collection(&rights, &id, change).await?;
                note(&gateway, "collection_rights_changed", &id)?;
                match json {
                    true => print_json(&changed)?,
                    false => print!("{}", table::columns(&rows(&[changed], lang))),
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn granted(mut groups: Groups, named: &[String], right: RightArg) -> Groups {
    for list in [&mut groups.read, &mut groups.contribute, &mut groups.manage] {
        list.retain(|group| !named.contains(group));
    }
    match right {
        RightArg::Read => groups.read.extend_from_slice(named),
        RightArg::Contribute => groups.contribute.extend_from_slice(named),
        RightArg::Manage => groups.manage.extend_from_slice(named),
        RightArg::None => {}
    }
    groups
}

fn rows(listed: &[Collection], lang: Lang) -> Vec<Vec<String>> {
    let head: [&str; 6] = match lang {
        Lang::De => ["ID", "TITEL", "DOKUMENTE", "STELLEN", "EINBETTUNG", "GRUPPEN"],
        Lang::En => ["ID", "TITLE", "DOCUMENTS", "PASSAGES", "EMBEDDER", "GROUPS"],
    };
    let row = |collection: &Collection| {
        let groups = collection.groups.clone().unwrap_or_default();
        let rights = [
            (&groups.read, Right::Read),
            (&groups.contribute, Right::Contribute),
            (&groups.manage, Right::Manage),
        ];
        let named = rights.iter().flat_map(|(groups, right)| {
            groups.iter().map(move |group| match right {
                Right::Read => group.clone(),
                Right::Contribute => format!("{group}:contribute"),
                Right::Manage => format!("{group}:manage"),
            })
        });
        vec![
            collection.id.clone(),
            collection.title.clone(),
            collection.n_documents.to_string(),
            collection.n_passages.to_string(),
            collection.embedder.clone().unwrap_or_else(|| "-".to_owned()),
            named.collect::<Vec<_>>().join(","),
        ]
    };
    std::iter::once(head.map(str::to_owned).to_vec()).chain(listed.iter().map(row)).collect()
}

pub(super) fn print_json(value: &impl serde::Serialize) -> Result<(), ApiError> {
    let json = serde_json::to_string_pretty(value)
        .map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
    println!("{json}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_the_right_that_it_was_given_last() {
        let groups = Groups::readers(&["everyone".to_owned(), "staff".to_owned()]);
        let staff = ["staff".to_owned()];
        let now = granted(groups, &staff, RightArg::Manage);
        assert_eq!((now.read.join(","), now.manage.join(",")), ("everyone".into(), "staff".into()));
        let now = granted(now, &["everyone".to_owned(), "staff".to_owned()], RightArg::None);
        assert_eq!(now, Groups::default());
    }
}
