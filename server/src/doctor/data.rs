//! Can the data folder be used, is the database whole, is every file there, and is there a backup?

use std::fs::{self, File, TryLockError};
use std::io;

use portico_shared::error::{ApiError, ErrorCode};
use rusqlite::Connection;

use super::{Patient, Report, Verdict};
use crate::backup::{self, StoredFile};
use crate::db;
use crate::files::FileStore;
use crate::keys::{day_of, now_s};
use crate::temporary;
use crate::upstream::Fleet;

/// Less than this, and the next upload may be refused.
const FREE_BYTES_FAULT: u64 = 256 << 20;
const FREE_BYTES_WARNING: u64 = 2 << 30;
/// After so long without a backup much would be lost.
const BACKUP_AGE_S: u64 = 7 * 86_400;
/// Documents that are named.
const NAMED_MAX: usize = 3;

pub fn examine(patient: &Patient<'_>, report: &mut Report) {
    folder(patient, report);
    configuration(patient, report);
    server(patient, report);
    database(patient, report);
    backups(patient, report);
}

fn folder(patient: &Patient<'_>, report: &mut Report) {
    let folder = patient.layout.data_dir();
    let shown = folder.display();
    let right = || {
        patient.say(
            "Der Ordner und alles darin muss dem Konto gehören, unter dem der Server läuft; --data nennt den Ordner.",
            "The folder and all in it must belong to the account that the server runs under; --data names the folder.",
        )
    };
    match fs::metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let found = patient.say(
                format!("{shown} gibt es noch nicht; portico serve legt ihn an."),
                format!("{shown} is not there yet; portico serve makes it."),
            );
            return report.skipped("data_folder", found);
        }
        Err(error) => return report.fault("data_folder", format!("{shown}: {error}"), right()),
        Ok(meta) if !meta.is_dir() => {
            let found =
                patient.say(format!("{shown} ist kein Ordner."), format!("{shown} is no folder."));
            return report.fault("data_folder", found, right());
        }
        Ok(_) => {}
    }
    let probe = temporary::beside(&folder.join("doctor"));
    let locks = fs::read_dir(folder)
        .and_then(|_| fs::write(&probe, "probe"))
        .and_then(|()| locks_hold(&probe));
    // Nothing is left of a probe, also where only its deletion fails.
    let _ = fs::remove_file(&probe);
    match locks {
        Ok(true) => {
            let found = patient.say(
                format!("{shown} ist lesbar und beschreibbar, Sperren wirken."),
                format!("{shown} can be read and written, and locks hold."),
            );
            report.good("data_folder", found);
        }
        Ok(false) => {
            let found = patient.say(
                format!("In {shown} wirken Sperren nicht."),
                format!("In {shown} locks do not hold."),
            );
            let advice = patient.say(
                "Legen Sie den Datenordner auf ein lokales Dateisystem: Ohne Sperren beschädigen zwei Prozesse die Datenbank.",
                "Put the data folder on a local file system: without locks two processes damage the database.",
            );
            report.fault("data_folder", found, advice);
        }
        Err(error) => report.fault("data_folder", format!("{shown}: {error}"), right()),
    }
    space(patient, report);
}

fn locks_hold(probe: &std::path::Path) -> io::Result<bool> {
    let (one, other) = (File::open(probe)?, File::open(probe)?);
    one.lock()?;
    match other.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn space(patient: &Patient<'_>, report: &mut Report) {
    let folder = patient.layout.data_dir();
    let free = match fs4::available_space(folder) {
        Ok(free) => free,
        Err(error) => {
            return report.skipped("disk_space", format!("{}: {error}", folder.display()));
        }
    };
    let gigabytes = free as f64 / 1e9;
    let found = patient
        .say(format!("{gigabytes:.1} GB sind frei."), format!("{gigabytes:.1} GB are free."));
    let advice = patient.say(
        "Schaffen Sie Platz: portico models remove ID, alte Sicherungen, oder ein größerer Datenträger.",
        "Make room: portico models remove ID, old backups, or a larger disk.",
    );
    match free {
        0..FREE_BYTES_FAULT => report.fault("disk_space", found, advice),
        FREE_BYTES_FAULT..FREE_BYTES_WARNING => report.warning("disk_space", found, advice),
        _ => report.good("disk_space", found),
    }
}

fn configuration(patient: &Patient<'_>, report: &mut Report) {
    let Patient { config, config_path, layout, .. } = patient;
    let path = config_path.display();
    // Secrets and certificates too are read.
    let read = Fleet::new(config, config_path)
        .and_then(|_| db::Home::new(&config.database, layout.data_dir(), config_path).map(|_| ()))
        .and_then(|()| FileStore::new(layout.data_dir(), config, config_path).map(|_| ()));
    match read {
        Ok(()) if config_path.exists() => {
            let found = patient.say(format!("{path} ist in Ordnung."), format!("{path} is good."));
            report.good("configuration", found);
        }
        Ok(()) => {
            let found = patient.say(
                format!("{path} gibt es nicht: Es gilt, was ohne sie gilt."),
                format!("{path} is not there: the defaults hold."),
            );
            report.good("configuration", found);
        }
        Err(error) => {
            let advice = patient.say(
                "docs/configuration.md nennt jede Einstellung.",
                "docs/configuration.md has every setting.",
            );
            report.fault("configuration", error.to_string(), advice);
        }
    }
}

/// Who serves the house now.
fn server(patient: &Patient<'_>, report: &mut Report) {
    let Patient { config, config_path, layout, .. } = patient;
    let Ok(home) = db::Home::new(&config.database, layout.data_dir(), config_path) else {
        // The configuration's fault, which was told.
        return;
    };
    let asked =
        std::thread::scope(|scope| scope.spawn(|| db::holder(&home, layout.data_dir())).join());
    match asked {
        Ok(Ok(Some(holder))) => {
            let (pid, host, addr, since) = (holder.pid, &holder.host, &holder.addr, holder.since());
            let found = patient.say(
                format!("Prozess {pid} auf {host} bedient die Daten unter {addr}, seit {since}."),
                format!("Process {pid} on {host} serves the data at {addr}, since {since}."),
            );
            report.good("server", found);
        }
        Ok(Ok(None)) => {
            let found = patient.say("Es läuft kein Server.", "No server runs.");
            report.skipped("server", found);
        }
        // What cannot be read or reached is told of the folder and of the database.
        Ok(Err(error)) => report.skipped("server", told(&error, patient)),
        Err(_) => report.skipped("server", home.name().display().to_string()),
    }
}

/// With a PostgreSQL server; false where the database is a file.
fn database_server(patient: &Patient<'_>, report: &mut Report) -> bool {
    let Patient { config, config_path, layout, .. } = patient;
    if config.database.url.is_none() {
        return false;
    }
    // Whose secrets cannot be read was told.
    let Ok(home) = db::Home::new(&config.database, layout.data_dir(), config_path) else {
        return true;
    };
    // Its client has a runtime of its own, which cannot run where another does.
    let reached = std::thread::scope(|scope| scope.spawn(|| db::reach(&home)).join());
    let name = home.name().display().to_string();
    match reached {
        Ok(Some(Ok(())) | None) => {
            let found = patient.say(format!("{name} antwortet."), format!("{name} answers."));
            report.good("database", found);
        }
        Ok(Some(Err(error))) => {
            let advice = patient.say(
                "Läuft der Server, und stimmen [database] url und password?",
                "Does the server run, and are [database] url and password right?",
            );
            report.fault("database", told(&ApiError::from(error), patient), advice);
        }
        Err(_) => report.skipped("database", name),
    }
    true
}

fn database(patient: &Patient<'_>, report: &mut Report) {
    if database_server(patient, report) {
        return;
    }
    let path = patient.layout.data_dir().join(db::FILE_NAME);
    let restore = || {
        patient.say(
            "Halten Sie den Server an, schieben Sie den Datenordner beiseite und spielen Sie die letzte Sicherung ein: portico restore DATEI --data ORDNER",
            "Stop the server, move the data folder away and restore the last backup: portico restore FILE --data DIR",
        )
    };
    let connection = match backup::open_database(&path) {
        Ok(connection) => connection,
        Err(error) if error.code == ErrorCode::DataAbsent => {
            return report.skipped("database", error.text(patient.lang));
        }
        Err(error) => return report.fault("database", told(&error, patient), restore()),
    };
    let examined = backup::database_faults(&connection, &path, !patient.is_thorough);
    let is_whole = match examined {
        Ok(None) => {
            let found = patient.say("Die Datenbank ist unversehrt.", "The database is whole.");
            report.good("database", found);
            true
        }
        Ok(Some(fault)) => {
            report.fault("database", fault, restore());
            false
        }
        Err(error) => {
            report.fault("database", told(&error, patient), restore());
            false
        }
    };
    let known = db::newest_schema();
    match backup::schema(&connection, &path) {
        Ok(schema) if schema == known => {
            let found = patient.say(format!("Schema {schema}."), format!("Schema {schema}."));
            report.good("schema", found);
        }
        Ok(schema) if schema < known => {
            let found = patient.say(
                format!(
                    "Schema {schema}; dieses Programm bringt es beim nächsten Start auf {known}."
                ),
                format!("Schema {schema}; this program makes it {known} when it next starts."),
            );
            let advice = patient.say(
                "Sichern Sie vorher: portico backup. Eine Kopie der Datenbank bleibt daneben liegen.",
                "Back up before that: portico backup. A copy of the database stays beside it.",
            );
            report.warning("schema", found, advice);
        }
        Ok(schema) => {
            let error = ApiError::from(db::DbError::newer(&path, schema));
            let advice = patient.say("Nehmen Sie das neuere Programm.", "Take the newer program.");
            report.fault("schema", error.text(patient.lang), advice);
        }
        Err(_) if !is_whole => {}
        Err(error) => report.fault("schema", told(&error, patient), restore()),
    }
}

fn backups(patient: &Patient<'_>, report: &mut Report) {
    let data_dir = patient.layout.data_dir();
    let advice = || {
        patient.say(
            "Sichern Sie regelmäßig auf einen anderen Datenträger: portico backup --to ORDNER",
            "Back up regularly, to another disk: portico backup --to DIR",
        )
    };
    if patient.config.database.url.is_some() {
        let found = patient.say(
            "Die Sicherung der Datenbank macht pg_dump.",
            "The database's backup is made by pg_dump.",
        );
        return report.skipped("backup", found);
    }
    if !data_dir.join(db::FILE_NAME).exists() {
        let found =
            patient.say("Es gibt noch nichts zu sichern.", "There is nothing to back up yet.");
        return report.skipped("backup", found);
    }
    let Some(last) = backup::last_backup(data_dir) else {
        let found = patient.say("Es wurde noch nie gesichert.", "It was never backed up.");
        return report.warning("backup", found, advice());
    };
    let (day, file) = (day_of(last.made_s), &last.file);
    let found = patient.say(
        format!("Die letzte Sicherung ist vom {day}: {file}"),
        format!("The last backup is of {day}: {file}"),
    );
    match now_s().saturating_sub(last.made_s) {
        0..=BACKUP_AGE_S => report.good("backup", found),
        _ => report.warning("backup", found, advice()),
    }
}

/// Whether documents' files can be had, and are all there.
pub async fn examine_files(patient: &Patient<'_>, report: &mut Report) {
    let Patient { layout, config, config_path, .. } = patient;
    let Ok(files) = FileStore::new(layout.data_dir(), config, config_path) else {
        // The configuration's fault, which was told.
        return;
    };
    if let Some(store) = files.elsewhere() {
        match files.probe().await {
            Ok(()) => {
                let found = patient.say(
                    format!("{store} nimmt Dateien an, gibt sie und löscht sie."),
                    format!("{store} takes files, gives them and deletes them."),
                );
                report.good("files_store", found);
            }
            Err(error) => {
                let advice = patient.say(
                    "Prüfen Sie [files] in der Konfiguration, die Schlüssel und deren Rechte (lesen, schreiben, löschen, auflisten).",
                    "Check [files] in the configuration, the keys and their rights (read, write, delete, list).",
                );
                report.fault("files_store", told(&error, patient), advice);
            }
        }
        return;
    }
    let path = layout.data_dir().join(db::FILE_NAME);
    if config.database.url.is_some() {
        return;
    }
    let Ok(connection) = backup::open_database(&path) else { return };
    let Ok(referred) = backup::referred(&connection, &path) else { return };
    let missing: Vec<&StoredFile> = referred
        .iter()
        .filter(|file| !layout.data_dir().join(backup::stored_name(&file.sha256)).is_file())
        .collect();
    if missing.is_empty() {
        let n = referred.len();
        let found = patient.say(
            format!("Alle {n} Dateien von Dokumenten und Nachrichten sind da."),
            format!("All {n} files of documents and messages are here."),
        );
        return report.good("files_store", found);
    }
    let names: Vec<String> =
        missing.iter().take(NAMED_MAX).map(|file| name_of(&connection, &file.sha256)).collect();
    let (n, names) = (missing.len(), names.join(", "));
    let found = patient
        .say(format!("{n} Dateien fehlen: {names}"), format!("{n} files are missing: {names}"));
    let advice = patient.say(
        "Laden Sie sie noch einmal hoch, oder holen Sie sie aus einer Sicherung: Es sind einfache tar-Archive unter zstd.",
        "Upload them again, or take them from a backup: these are plain tar archives under zstd.",
    );
    report.push("files_store", None, Verdict::Fault, found, Some(advice));
}

/// The document's, where it is one's.
fn name_of(connection: &Connection, sha256: &str) -> String {
    let sql = "SELECT name FROM documents WHERE sha256 = ?1 LIMIT 1";
    connection.query_row(sql, [sha256], |row| row.get(0)).unwrap_or_else(|_| sha256.to_owned())
}

/// The sentence, and its cause.
pub fn told(error: &ApiError, patient: &Patient<'_>) -> String {
    match &error.detail {
        Some(detail) => format!("{} ({detail})", error.text(patient.lang)),
        None => error.text(patient.lang),
    }
}
