//! How does a file, with the environment over it, become a configuration?

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::{fs, io};

use toml::{Spanned, Table, Value};

use super::{Config, ConfigError, ModelConfig, UpstreamConfig};

/// Its name in the data folder.
pub const FILE_NAME: &str = "portico.toml";

/// Sections whose keys the environment can set.
const SECTIONS: [&str; 9] = [
    "server",
    "access",
    "limits",
    "inference",
    "database",
    "documents",
    "files",
    "search",
    "people",
];

/// Reads `path` and what the environment sets over it. A file that was not named need not be there.
pub fn load(path: &Path, must_exist: bool) -> Result<Config, ConfigError> {
    let env = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    load_with_env(path, must_exist, env)
}

/// [`load`] with another environment.
pub fn load_with_env(
    path: &Path,
    must_exist: bool,
    env: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => String::new(),
        Err(source) => return Err(ConfigError::Read { path: path.to_owned(), source }),
    };
    let faulty = |error: toml::de::Error| {
        at(path, &text, error.span().unwrap_or_default(), error.message().to_owned())
    };
    // The file alone first: its faults have lines.
    let mut config: Config = toml::from_str(&text).map_err(faulty)?;
    check(&config, path, &text)?;

    let mut table: Table = text.parse().map_err(faulty)?;
    let mut names: Vec<(String, String)> = env.into_iter().collect();
    names.sort();
    for (name, value) in names {
        let Some((section, key)) = section_and_key(&name) else { continue };
        let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
        if let Some(section) = section.as_table_mut() {
            section.insert(key, value_from_env(&value));
        }
        // From text again: the spans of upstreams and models need one.
        let merged = toml::to_string(&table).map_err(|error| error.to_string());
        config = merged
            .and_then(|text| toml::from_str(&text).map_err(|error| error.message().to_owned()))
            .map_err(|reason| ConfigError::Environment { name, reason })?;
    }
    if let Err((key, reason)) = config.database.check() {
        let line = key_in_section(&text, "[database]", key);
        return Err(at(path, &text, line..line, reason));
    }
    if let Err((key, reason)) = config.files.check() {
        let line = key_in_section(&text, "[files]", key);
        return Err(at(path, &text, line..line, reason));
    }
    Ok(config)
}

/// `PORTICO_LIMITS_MAX_BATCH` → `limits`, `max_batch`. Other variables of this prefix belong to the
/// commands that read them.
fn section_and_key(name: &str) -> Option<(&'static str, String)> {
    let rest = name.strip_prefix("PORTICO_")?.to_ascii_lowercase();
    let (section, key) = rest.split_once('_')?;
    let section = SECTIONS.iter().find(|known| **known == section)?;
    Some((section, key.to_owned()))
}

/// A number or a truth value where it reads as one, else a text.
fn value_from_env(text: &str) -> Value {
    if let Ok(number) = text.parse::<i64>() {
        return Value::Integer(number);
    }
    match (text, text.parse::<f64>()) {
        ("true", _) => Value::Boolean(true),
        ("false", _) => Value::Boolean(false),
        (_, Ok(number)) => Value::Float(number),
        _ => Value::String(text.to_owned()),
    }
}

/// Where a key of a section begins; without it the section, else the text's beginning.
fn key_in_section(text: &str, section: &str, key: &str) -> usize {
    let (mut at, mut found, mut is_inside) = (0, 0, false);
    for line in text.split_inclusive('\n') {
        let start = at + (line.len() - line.trim_start().len());
        at += line.len();
        if line.trim_start().starts_with('[') {
            is_inside = line.trim_start().starts_with(section);
            found = if is_inside { start } else { found };
        } else if is_inside && line.split('=').next().is_some_and(|name| name.trim() == key) {
            return start;
        }
    }
    found
}

/// What types cannot say: ids that fit together.
fn check(config: &Config, path: &Path, text: &str) -> Result<(), ConfigError> {
    let fault = |span: Range<usize>, reason: String| Err(at(path, text, span, reason));
    let mut ids = BTreeSet::new();
    for upstream in &config.upstreams {
        let UpstreamConfig { id, health_path, .. } = upstream.get_ref();
        if id.is_empty() || !ids.insert(id.as_str()) {
            return fault(upstream.span(), format!("the upstream id `{id}` is empty or taken"));
        }
        if !health_path.starts_with('/') {
            return fault(upstream.span(), "`health_path` must start with `/`".to_owned());
        }
    }
    if config.database.holds_password() {
        let line = key_in_section(text, "[database]", "url");
        return fault(line..line, "`url` must not hold a password: use `password`".to_owned());
    }
    let mut servers = BTreeSet::new();
    for server in &config.mcp {
        let id = server.get_ref().id.as_str();
        server.get_ref().check().or_else(|reason| fault(server.span(), reason))?;
        if !servers.insert(id) {
            return fault(server.span(), format!("the tools' server `{id}` stands here twice"));
        }
    }
    let mut names = BTreeSet::new();
    for model in &config.models {
        check_model(model, &ids, &mut names).or_else(|reason| fault(model.span(), reason))?;
    }
    let limits = &config.limits;
    for (name, value) in [
        ("max_body_bytes", limits.max_body_bytes),
        ("max_prompt_tokens", limits.max_prompt_tokens),
        ("max_batch", limits.max_batch),
        ("max_choices", limits.max_choices as usize),
        ("max_kept_bytes", limits.max_kept_bytes),
    ] {
        if value == 0 {
            let line = text.find(name).unwrap_or_default();
            return fault(line..line, format!("`{name}` must be at least 1"));
        }
    }
    Ok(())
}

fn check_model<'a>(
    model: &'a Spanned<ModelConfig>,
    upstreams: &BTreeSet<&str>,
    names: &mut BTreeSet<&'a str>,
) -> Result<(), String> {
    let ModelConfig { id, aliases, endpoints, .. } = model.get_ref();
    for name in std::iter::once(id).chain(aliases) {
        if name.is_empty() || !names.insert(name) {
            return Err(format!("the model name `{name}` is empty or taken"));
        }
    }
    if endpoints.is_empty() {
        return Err(format!("the model `{id}` needs at least one endpoint"));
    }
    let unknown = endpoints
        .iter()
        .filter_map(|endpoint| endpoint.upstream.as_deref())
        .find(|name| !upstreams.contains(name));
    match unknown {
        Some(name) => Err(format!("the model `{id}` names an unknown upstream `{name}`")),
        None => Ok(()),
    }
}

fn at(path: &Path, text: &str, span: Range<usize>, reason: String) -> ConfigError {
    let before = &text[..text.floor_char_boundary(span.start)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    ConfigError::Faulty {
        path: path.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        reason,
    }
}
