//! Are the models whole, do they fit, and under which terms do they come?

use std::collections::BTreeSet;

use portico_shared::catalogue::RunsIn;

use super::{Patient, Report, Verdict};
use crate::gateway::inference_config;
use crate::models::{self, Entry, FileState, Library, Verdict as Read};
use crate::weights::{DigestFile, FileStamp};

/// Of terms that SPDX does not list, and of those that nobody named.
const OWN_TERMS: &str = "LicenseRef-";

pub fn examine(patient: &Patient<'_>, report: &mut Report) {
    let shelf = Library::open(patient.layout.clone())
        .and_then(|library| library.look().map(|shelf| (library, shelf)));
    let (library, shelf) = match shelf {
        Ok(opened) => opened,
        Err(error) => {
            let advice = patient.say(
                "Berichtigen Sie models.toml im Datenordner, oder nehmen Sie die Datei fort: Dann gilt die eingebaute Liste.",
                "Correct models.toml in the data folder, or remove it: then the built-in list holds.",
            );
            return report.fault("models", error.to_string(), advice);
        }
    };
    let here: Vec<&Entry> = shelf
        .entries
        .iter()
        .filter(|entry| entry.files.iter().any(|state| *state != FileState::Missing))
        .collect();
    if here.is_empty() {
        let found = patient.say("Es ist kein Modell da.", "No model is here.");
        let advice = patient.say(
            "portico models list zeigt, was es gibt; portico models pull ID holt es.",
            "portico models list shows what there is; portico models pull ID fetches it.",
        );
        return report.warning("models", found, advice);
    }
    for entry in &here {
        one(patient, report, &library, entry);
    }
    licences(patient, report, &here);
    memory(patient, report, &here);
}

fn one(patient: &Patient<'_>, report: &mut Report, library: &Library, entry: &Entry) {
    let id = &entry.model.id;
    let mut fault = |found: String| {
        let advice = patient.say(
            format!("portico models remove {id} && portico models pull {id}"),
            format!("portico models remove {id} && portico models pull {id}"),
        );
        report.push("models", Some(id), Verdict::Fault, found, Some(advice));
    };
    for (file, state) in entry.model.files.iter().zip(&entry.files) {
        let name = &file.name;
        match state {
            FileState::Present { .. } => {}
            FileState::Missing => {
                return fault(patient.say(format!("{name} fehlt."), format!("{name} is missing.")));
            }
            FileState::WrongSize { size_bytes } => {
                let expected = file.size_bytes;
                return fault(patient.say(
                    format!("{name} hat {size_bytes} statt {expected} Bytes."),
                    format!("{name} has {size_bytes} bytes instead of {expected}."),
                ));
            }
        }
    }
    // Bytes that were hashed since the file was last changed need not be read again.
    if patient.is_thorough || !is_known(library, entry) {
        match models::verify(library, entry) {
            Ok(verdicts) => {
                if let Some(Read::Damaged { reason }) =
                    verdicts.into_iter().find(|verdict| !verdict.is_good())
                {
                    return fault(reason);
                }
            }
            Err(error) => return fault(error.to_string()),
        }
    }
    let licence = &entry.model.licence.id;
    let found = patient.say(
        format!("Die Prüfsummen stimmen; Lizenz {licence}."),
        format!("Its digests are right; licence {licence}."),
    );
    report.push("models", Some(id), Verdict::Good, found, None);
}

/// Whether the digests that are kept are of the files as they are.
fn is_known(library: &Library, entry: &Entry) -> bool {
    let id = &entry.model.id;
    entry.model.files.iter().all(|file| {
        let stamp = FileStamp::of(&library.layout.file(id, &file.name));
        let digest = library.layout.digest(id, &file.name);
        stamp.is_ok_and(|stamp| DigestFile::read(&digest, id, &stamp).is_some())
    })
}

fn licences(patient: &Patient<'_>, report: &mut Report, here: &[&Entry]) {
    let own: BTreeSet<&str> = here
        .iter()
        .filter(|entry| {
            let licence = &entry.model.licence.id;
            licence.starts_with(OWN_TERMS) || licence.is_empty()
        })
        .map(|entry| entry.model.id.as_str())
        .collect();
    if own.is_empty() {
        let found = patient.say(
            "Alle Modelle stehen unter einer Lizenz, die SPDX führt.",
            "All models have a licence that SPDX lists.",
        );
        return report.good("licences", found);
    }
    let names = own.into_iter().collect::<Vec<_>>().join(", ");
    let found = patient.say(
        format!("Unter eigenen Bedingungen: {names}"),
        format!("Under terms of their own: {names}"),
    );
    let advice = patient.say(
        "Lesen Sie die Bedingungen, bevor Sie diese Modelle dem Haus geben; portico models list --json nennt ihre Adresse.",
        "Read the terms before you give these models to the house; portico models list --json has their address.",
    );
    report.warning("licences", found, advice);
}

/// Whether each model that may run on the server fits into what models may take.
fn memory(patient: &Patient<'_>, report: &mut Report, here: &[&Entry]) {
    let budget = inference_config(patient.config).memory_bytes;
    let largest = here
        .iter()
        .filter(|entry| entry.is_available() && entry.model.runs_in.contains(&RunsIn::Server))
        .max_by_key(|entry| entry.model.usual_memory_bytes());
    let gigabytes = |bytes: u64| bytes as f64 / 1e9;
    let Some(largest) = largest else {
        let found = patient
            .say("Kein Modell läuft auf dem Server selbst.", "No model runs on the server itself.");
        return report.skipped("memory", found);
    };
    let (id, needed) = (&largest.model.id, largest.model.usual_memory_bytes());
    let (needs, has) = (gigabytes(needed), gigabytes(budget));
    let found = patient.say(
        format!("{id} braucht {needs:.1} GB, Modelle dürfen {has:.1} GB nehmen."),
        format!("{id} needs {needs:.1} GB, and models may take {has:.1} GB."),
    );
    if needed <= budget {
        return report.good("memory", found);
    }
    let advice = patient.say(
        "Erhöhen Sie [inference] memory_bytes, wenn der Speicher da ist, oder lassen Sie das Modell auf den Geräten oder einem Upstream laufen.",
        "Raise [inference] memory_bytes if the memory is there, or run the model on people's devices or an upstream.",
    );
    report.warning("memory", found, advice);
}
