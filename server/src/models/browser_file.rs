//! What does a browser get of an encoder that lies here in another format than GGUF?
//!
//! A GGUF made of the model's own files, `<data>/browser/<id>.gguf`. It is made at the pull, or when it is
//! first asked for, and always the same: the digests of what it is made of and the converter's version
//! stand in it, and `verify` makes its digest anew to compare.

use std::io::Write as _;

use portico_shared::catalogue::{Format, Kind, Model, RunsIn};
use portico_shared::error::ErrorCode;
use portico_shared::gguf::GgufWriter;
use sha2::{Digest, Sha256};

use super::sha256::{hex, of_file};
use super::{Entry, Library, ModelsError, Progress, Verdict, header, open_encoder, store};
use crate::temporary::{Temporary, sweep_beside};

/// Stands for it among a model's files.
pub const BROWSER_FILE: &str = "browser.gguf";

/// Raised when the conversion gives other bytes.
const CONVERTER: &str = "1";
const CONVERTER_KEY: &str = "portico.converter";
const MADE_OF_KEY: &str = "portico.made_of";

/// Whether browsers get a converted file of this model.
pub fn is_converted(model: &Model) -> bool {
    model.kind == Kind::Embedding && model.format != Format::Gguf && model.runs_in(RunsIn::Browser)
}

/// The digests of the model's own files, as far as they are known.
fn made_of(model: &Model) -> String {
    let digests = model.files.iter().map(|file| match &file.sha256 {
        Some(sha256) => sha256.clone(),
        None => format!("{} bytes", file.size_bytes),
    });
    digests.collect::<Vec<_>>().join(" ")
}

/// Whether the file is there, whole by its header, and made of the model's files by this converter.
pub fn stands(library: &Library, model: &Model) -> bool {
    let Ok(gguf) = header::read_file(&library.layout.browser_file(&model.id)) else { return false };
    let says = |key: &str, what: &str| gguf.metadata.opt_str(key) == Ok(Some(what));
    says(CONVERTER_KEY, CONVERTER) && says(MADE_OF_KEY, &made_of(model))
}

/// Makes the file unless it stands.
///
/// # Errors
/// As [`make`].
pub fn ensure(library: &Library, entry: &Entry) -> Result<(), ModelsError> {
    match is_converted(&entry.model) && !stands(library, &entry.model) {
        true => make(library, entry),
        false => Ok(()),
    }
}

/// Makes the file, whole or not at all.
///
/// # Errors
/// `Digest` where the model's own files are not what they should be, `Invalid` and `Unsupported` by
/// what they hold, `Io` (a full disk among them).
pub fn make(library: &Library, entry: &Entry) -> Result<(), ModelsError> {
    let model = &entry.model;
    tracing::info!(model = model.id, "converting for browsers");
    for file in &model.files {
        let path = library.layout.file(&model.id, &file.name);
        let Some(expected) = &file.sha256 else { continue };
        let (actual, _) = of_file(&path, &mut Progress::silent())?;
        if actual != *expected {
            let (file, expected) = (file.name.clone(), expected.clone());
            return Err(ModelsError::Digest { file, expected, actual });
        }
    }
    let writer = convert(library, entry)?;
    let path = library.layout.browser_file(&model.id);
    if let Some(folder) = path.parent() {
        store::create_dir(folder)?;
    }
    sweep_beside(&path);
    let written = Temporary::file(&path).and_then(|(temporary, mut file)| {
        let mut written = Ok(());
        writer.for_each_piece(|piece| {
            if written.is_ok() {
                written = file.write_all(piece);
            }
        });
        written.and_then(|()| file.sync_all()).and_then(|()| temporary.rename(&path))
    });
    written.map_err(ModelsError::io(&path))
}

fn convert(library: &Library, entry: &Entry) -> Result<GgufWriter, ModelsError> {
    let model = &entry.model;
    let own = [
        ("general.name", model.name.clone()),
        ("general.license", model.licence.id.clone()),
        (CONVERTER_KEY, CONVERTER.to_owned()),
        (MADE_OF_KEY, made_of(model)),
    ];
    let made = open_encoder(library, entry).and_then(|file| file.to_gguf(&own));
    made.map_err(|error| {
        let (file, reason) = (model.id.clone(), error.to_string());
        match error.code {
            ErrorCode::ModelUnsupported => ModelsError::Unsupported { file, reason },
            _ => ModelsError::Invalid { file, reason },
        }
    })
}

/// Whether the file that lies here is what the conversion gives; none for a model without one.
///
/// # Errors
/// As [`make`].
pub fn verify(library: &Library, entry: &Entry) -> Result<Option<Verdict>, ModelsError> {
    let path = library.layout.browser_file(&entry.model.id);
    if !is_converted(&entry.model) || !entry.is_available() {
        return Ok(None);
    }
    if !path.is_file() {
        return Ok(Some(Verdict::Missing));
    }
    let mut hash = Sha256::new();
    convert(library, entry)?.for_each_piece(|piece| hash.update(piece));
    let expected = hex(hash);
    let (actual, size_bytes) = of_file(&path, &mut Progress::silent())?;
    Ok(Some(match actual == expected {
        true => Verdict::Ok { sha256: actual },
        false => {
            let reason = format!("SHA-256 {actual} ({size_bytes} bytes) instead of {expected}");
            Verdict::Damaged { reason }
        }
    }))
}
