//! What does an administrator have to know of each model of the catalogue?

use std::collections::BTreeMap;
use std::sync::Arc;

use portico_shared::catalogue::{Kind, Licence, Source};
use portico_shared::error::ApiError;
use serde::Serialize;

use super::fit::{Devices, OnServer, devices, on_server};
use super::licences::{Accepted, needs_acceptance};
use super::machine::Machine;
use super::{Chosen, Job, Stock};
use crate::gateway::{Gateway, inference_config};
use crate::models::{Entry, FileState};
use crate::people::Rules;

/// `GET /api/models`
#[derive(Clone, Debug, Serialize)]
pub struct Listing {
    pub machine: Machine,
    pub job: Option<Job>,
    pub chosen: Chosen,
    /// What is offered first as things are.
    pub default_model: Option<String>,
    /// `portico.toml` says which embedder is used.
    pub embedder_is_configured: bool,
    pub models: Vec<Listed>,
}

/// How much of a model is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    Here,
    Absent,
    /// A download that stopped; it goes on there.
    Part,
    Damaged,
}

/// Whom the rules let use a model in one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Allowed {
    /// The house lets everybody whom no group says otherwise for.
    pub house: bool,
    /// Groups whose own rules have it.
    pub groups: Vec<String>,
    /// Groups whose own rules do not.
    pub not_groups: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    pub id: String,
    pub name: String,
    pub kind: Kind,
    pub quantisation: String,
    pub parameters: u64,
    pub n_ctx: u32,
    pub languages: Vec<String>,
    pub base: bool,
    pub added: bool,
    pub presence: Presence,
    pub size_bytes: u64,
    /// Of an unfinished download.
    pub part_bytes: u64,
    pub memory_bytes: u64,
    pub has_source: bool,
    pub licence: Licence,
    pub needs_acceptance: bool,
    pub accepted: Option<Accepted>,
    pub on_server: Option<OnServer>,
    pub on_devices: Option<Devices>,
    pub server_allowed: Allowed,
    pub devices_allowed: Allowed,
    /// The server has it in memory.
    pub is_loaded: bool,
    /// Collections whose vectors are its.
    pub collections: Vec<String>,
}

impl Stock {
    /// # Errors
    /// When the models folder or the database cannot be read.
    pub async fn listing(self: &Arc<Self>, gateway: &Gateway) -> Result<Listing, ApiError> {
        let shelf = self.library.shelf().await.map_err(|error| ApiError::from(&error))?;
        let chosen = self.defaults.chosen().await;
        let default_model = shelf.view_with(chosen.chat.as_deref()).default_model;
        let accepted = self.accepted().await?;
        let house = self.people.house().await?.rules;
        let groups = self.people.groups().await?;
        let groups: Vec<(String, Rules)> =
            groups.into_iter().map(|group| (group.name, group.policy)).collect();
        let collections = self.collections_by_embedder().await?;
        let loaded = self.inference.status().models;
        let n_threads = inference_config(&gateway.config).n_threads;
        let (inference, layout) = (Arc::clone(&self.inference), self.library.layout.clone());
        let machine =
            tokio::task::spawn_blocking(move || Machine::look(&inference, &layout, n_threads));
        let machine = machine.await.map_err(|error| {
            ApiError::new(portico_shared::error::ErrorCode::Internal).detail(error)
        })?;
        let listed = |entry: &Entry| {
            let model = &entry.model;
            let allowed = |list: fn(&Rules) -> Option<&Vec<String>>| {
                allowed(&model.id, &house, &groups, list)
            };
            let part_bytes = self.part_bytes(entry);
            Listed {
                id: model.id.clone(),
                name: model.name.clone(),
                kind: model.kind,
                quantisation: model.quantisation.clone(),
                parameters: model.parameters,
                n_ctx: model.n_ctx,
                languages: model.languages.clone(),
                base: model.base,
                added: entry.added,
                presence: presence(entry, part_bytes),
                size_bytes: model.size_bytes(),
                part_bytes,
                memory_bytes: model.usual_memory_bytes(),
                has_source: model.sources.iter().any(is_a_way),
                licence: model.licence.clone(),
                needs_acceptance: needs_acceptance(&model.licence, entry.added),
                accepted: accepted.get(&model.licence.id).cloned(),
                on_server: on_server(model, &machine),
                on_devices: devices(model),
                server_allowed: allowed(|rules| rules.models_on_server.as_ref()),
                devices_allowed: allowed(|rules| rules.models_on_device.as_ref()),
                is_loaded: loaded.iter().any(|one| one.id == model.id),
                collections: collections.get(&model.id).cloned().unwrap_or_default(),
            }
        };
        // What is only there for tests is shown where it is there.
        let shown = shelf.entries.iter().filter(|e| !e.model.test_only || e.present_bytes() > 0);
        let models = shown.map(listed).collect();
        let embedder_is_configured = gateway.config.documents.embedder.is_some();
        let job = self.job();
        Ok(Listing { machine, job, chosen, default_model, embedder_is_configured, models })
    }

    /// Collection ids by the model that made their vectors.
    pub(super) async fn collections_by_embedder(
        &self,
    ) -> Result<BTreeMap<String, Vec<String>>, ApiError> {
        let mut by_embedder: BTreeMap<String, Vec<String>> = BTreeMap::new();
        if !self.db.exists() {
            return Ok(by_embedder);
        }
        let rows = self.db.call(|connection| {
            let sql = "SELECT embedder, id FROM collections WHERE embedder IS NOT NULL ORDER BY id";
            let mut select = connection.prepare_cached(sql)?;
            let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<Vec<(String, String)>, _>>()
        });
        for (embedder, collection) in rows.await? {
            by_embedder.entry(embedder).or_default().push(collection);
        }
        Ok(by_embedder)
    }

    fn part_bytes(&self, entry: &Entry) -> u64 {
        let layout = &self.library.layout;
        let parts = entry.model.files.iter().map(|file| {
            let part = layout.file(&entry.model.id, &format!("{}.part", file.name));
            std::fs::metadata(part).map_or(0, |meta| meta.len())
        });
        parts.sum()
    }
}

fn is_a_way(source: &Source) -> bool {
    match source {
        Source::Pip { files } => !files.is_empty(),
        Source::Hub { .. } => true,
    }
}

fn presence(entry: &Entry, part_bytes: u64) -> Presence {
    let is_here = |state: &FileState| matches!(state, FileState::Present { .. });
    match () {
        () if entry.is_available() => Presence::Here,
        () if entry.has_damage() => Presence::Damaged,
        () if part_bytes > 0 || entry.files.iter().any(is_here) => Presence::Part,
        () => Presence::Absent,
    }
}

/// Says who may by the rules as they stand; what each person may is `people/policy`'s to decide.
fn allowed(
    id: &str,
    house: &Rules,
    groups: &[(String, Rules)],
    list: fn(&Rules) -> Option<&Vec<String>>,
) -> Allowed {
    let has = |names: &Vec<String>| names.iter().any(|name| name == "*" || name == id);
    let mut allowed = Allowed { house: list(house).is_none_or(has), ..Allowed::default() };
    for (name, rules) in groups {
        match list(rules) {
            Some(names) if has(names) => allowed.groups.push(name.clone()),
            Some(_) => allowed.not_groups.push(name.clone()),
            None => {}
        }
    }
    allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_say_something_are_named() {
        let rules = |names: &[&str]| Rules {
            models_on_server: Some(names.iter().map(|&name| name.to_owned()).collect()),
            ..Rules::default()
        };
        let groups = [
            ("board".to_owned(), rules(&["*"])),
            ("staff".to_owned(), rules(&["b"])),
            ("quiet".to_owned(), Rules::default()),
        ];
        let of = |house: &Rules| allowed("a", house, &groups, |r| r.models_on_server.as_ref());
        let said = of(&rules(&["b"]));
        assert_eq!(
            (said.house, said.groups, said.not_groups),
            (false, vec!["board".into()], vec!["staff".into()])
        );
        assert!(of(&Rules::default()).house && of(&rules(&["a"])).house);
    }
}
