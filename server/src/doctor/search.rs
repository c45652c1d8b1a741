//! Are the indexes there, and do vectors that lie elsewhere answer?

use portico_search::vectors::{StoreConfig, reach};

use super::{Patient, Report};
use crate::db;

pub async fn examine(patient: &Patient<'_>, report: &mut Report) {
    let data_dir = patient.layout.data_dir();
    let state = data_dir.join("search").join("state.json");
    if !data_dir.join(db::FILE_NAME).exists() || state.is_file() {
        let found = patient.say("Der Index ist da.", "The index is here.");
        match state.is_file() {
            true => report.good("search_index", found),
            false => report.skipped(
                "search_index",
                patient.say("Es gibt noch nichts zu suchen.", "There is nothing to search yet."),
            ),
        }
    } else {
        let found = patient.say(
            "Der Index ist noch nicht gebaut; der Server baut ihn beim nächsten Start aus der Datenbank.",
            "The index is not made yet; the server makes it from the database when it next starts.",
        );
        report.skipped("search_index", found);
    }
    match patient.config.documents.vectors.store(data_dir) {
        StoreConfig::Edge(_) => {
            let found =
                patient.say("Vektoren liegen im Datenordner.", "Vectors lie in the data folder.");
            report.good("vectors", found);
        }
        StoreConfig::Qdrant(config) => {
            let url = config.url.clone();
            match reach(config).await {
                Ok(version) => report.good("vectors", format!("{url}: Qdrant {version}")),
                Err(error) => {
                    let advice = patient.say(
                        "Prüfen Sie [documents.vectors] qdrant_url (der gRPC-Port, meist 6334) und den Schlüssel. Bis dahin wird nach Wörtern gesucht.",
                        "Check [documents.vectors] qdrant_url (the gRPC port, usually 6334) and the key. Until then words are searched.",
                    );
                    report.fault("vectors", format!("{url}: {error}"), advice);
                }
            }
        }
    }
}
