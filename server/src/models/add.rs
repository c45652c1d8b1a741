//! How does a GGUF file of one's own become a model of this server?

use std::path::Path;
use std::sync::Arc;

use portico_shared::catalogue::{
    Catalogue, Kind, Licence, Model, ModelFile, Prefixes, RunsIn, is_file_name, is_model_id,
};
use portico_shared::gguf::Gguf;

use super::sha256::of_file;
use super::{Library, ModelsError, Phase, Progress, Watch, header, store};

/// Takes a GGUF file in: checks its header, describes it in `<models>/<id>/model.toml` and puts it
/// beside that, as a second name of the same bytes where the file system allows. Without `id`, one
/// is made of the file's name.
///
/// # Errors
/// `Unsupported` and `Invalid` by the file's header, `BadId`, `Exists`, `Io`.
pub fn add(library: &Library, path: &Path, id: Option<&str>) -> Result<Model, ModelsError> {
    add_watched(library, path, id, None)
}

/// [`add`], seen by `watch`.
///
/// # Errors
/// As [`add`], and `Cancelled`.
pub fn add_watched(
    library: &Library,
    path: &Path,
    id: Option<&str>,
    watch: Option<&Arc<Watch>>,
) -> Result<Model, ModelsError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let id = id.map_or_else(|| id_from_name(&stem), str::to_owned);
    if !is_model_id(&id) {
        return Err(ModelsError::BadId(id));
    }
    let layout = &library.layout;
    if library.look()?.get(&id).is_ok() || layout.model(&id).exists() {
        return Err(ModelsError::Exists(id));
    }
    let gguf = header::read_file(path)?;
    header::architecture(&stem, &gguf)?;
    let size_bytes = gguf.file_bytes;
    let mut progress = match watch {
        Some(watch) => {
            watch.set_phase(Phase::Checking);
            Progress::silent().watched(Some(watch))
        }
        None => Progress::terminal(format!("reading {stem}"), Some(size_bytes)),
    };
    let (sha256, _) = of_file(path, &mut progress)?;
    drop(progress);
    let name = format!("{id}.gguf");
    debug_assert!(is_file_name(&name));
    let file = ModelFile { name: name.clone(), size_bytes, sha256: Some(sha256) };
    let model = describe(&id, &stem, file, &gguf)?;
    let entry = Catalogue { hub_url: None, models: vec![model.clone()] };
    entry.check().map_err(|source| ModelsError::Catalogue { path: path.to_owned(), source })?;
    let text = toml::to_string(&entry)
        .map_err(|error| ModelsError::io(path)(std::io::Error::other(error)))?;

    let placed = store::create_dir(&layout.model(&id))
        .and_then(|()| store::link_or_copy(path, &layout.file(&id, &name)))
        .and_then(|()| store::write_whole(&layout.entry(&id), text.as_bytes()));
    if placed.is_err() {
        // Half a model is none; the first error is the one to tell.
        let _ = store::remove_dir(&layout.model(&id));
    }
    placed.map(|()| model)
}

/// `Qwen3 1.7B (Q4_K_M)` → `qwen3-1.7b-q4_k_m`
fn id_from_name(name: &str) -> String {
    let mut id = String::new();
    for letter in name.chars() {
        match letter.to_ascii_lowercase() {
            letter @ ('a'..='z' | '0'..='9' | '.' | '_') => id.push(letter),
            _ if !id.ends_with('-') => id.push('-'),
            _ => {}
        }
    }
    id.truncate(64);
    id.trim_matches(['-', '.', '_']).replace("..", ".")
}

/// A catalogue entry from what the header says.
fn describe(id: &str, stem: &str, file: ModelFile, gguf: &Gguf) -> Result<Model, ModelsError> {
    let invalid = |reason: String| ModelsError::Invalid { file: file.name.clone(), reason };
    let architecture = header::architecture(&file.name, gguf)?;
    let meta = &gguf.metadata;
    let number = |key: &str| {
        meta.opt_u32(&format!("{}.{key}", architecture.as_str()))
            .map_err(|error| invalid(error.to_string()))
    };
    let needed = |key: &str| {
        number(key)?.ok_or_else(|| invalid(format!("`{}.{key}` is missing", architecture.as_str())))
    };
    let text = |key: &str| meta.opt_str(key).ok().flatten().filter(|text| !text.trim().is_empty());

    let is_encoder = architecture == portico_shared::catalogue::Architecture::Bert;
    let kv_bytes_per_token = if is_encoder { 0 } else { kv_bytes(&number, &needed)? };
    let languages = match meta.opt_strings("general.languages") {
        Ok(Some(codes)) => codes.iter().map(str::to_owned).collect(),
        // `und` is BCP 47's word for a language that nobody named.
        _ => vec!["und".to_owned()],
    };
    let licence = match text("general.license") {
        Some(name) => Licence {
            id: spdx(name),
            name: Some(text("general.license.name").unwrap_or(name).to_owned()),
            url: text("general.license.link").map(str::to_owned),
        },
        None => Licence { id: "NOASSERTION".to_owned(), name: None, url: None },
    };
    Ok(Model {
        id: id.to_owned(),
        name: text("general.name").unwrap_or(stem).to_owned(),
        kind: if is_encoder { Kind::Embedding } else { Kind::Chat },
        architecture,
        format: portico_shared::catalogue::Format::Gguf,
        quantisation: header::quantisation(gguf),
        parameters: gguf.tensors.iter().map(|tensor| tensor.n_elements()).sum(),
        n_ctx: needed("context_length")?,
        kv_bytes_per_token,
        languages,
        licence,
        runs_in: match is_encoder {
            true => vec![RunsIn::Server],
            false => vec![RunsIn::Browser, RunsIn::Server],
        },
        default: false,
        test_only: false,
        base: !is_encoder && text("tokenizer.chat_template").is_none(),
        prefixes: Prefixes::default(),
        files: vec![file],
        sources: Vec::new(),
    })
}

/// Keys and values of one token in f16: 2 · layers · (key + value length) · KV heads bytes.
fn kv_bytes(
    number: &impl Fn(&str) -> Result<Option<u32>, ModelsError>,
    needed: &impl Fn(&str) -> Result<u32, ModelsError>,
) -> Result<u64, ModelsError> {
    let n_heads = needed("attention.head_count")?.max(1);
    let n_kv_heads = number("attention.head_count_kv")?.unwrap_or(n_heads);
    let head_len = needed("embedding_length")? / n_heads;
    let key_len = number("attention.key_length")?.unwrap_or(head_len);
    let value_len = number("attention.value_length")?.unwrap_or(head_len);
    let lens = u64::from(key_len) + u64::from(value_len);
    Ok(2 * u64::from(needed("block_count")?) * u64::from(n_kv_heads) * lens)
}

/// Hubs write licences in lower case; SPDX's ids of the usual ones.
fn spdx(name: &str) -> String {
    let known = ["Apache-2.0", "MIT", "BSD-3-Clause", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0"];
    let spdx = known.into_iter().find(|id| id.eq_ignore_ascii_case(name));
    spdx.unwrap_or("NOASSERTION").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_made_of_names() {
        for (name, id) in [
            ("SmolLM2-135M-Instruct.Q4_1", "smollm2-135m-instruct.q4_1"),
            ("Qwen3 1.7B (Q4_K_M)", "qwen3-1.7b-q4_k_m"),
            ("...x..y", "x.y"),
            ("Größe", "gr-e"),
        ] {
            assert_eq!(id_from_name(name), id);
            assert!(is_model_id(id), "{id}");
        }
        assert!(!is_model_id(&id_from_name("ßß")), "nothing is left: refused as a bad id");
    }
}
