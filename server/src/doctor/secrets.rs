//! Is the key there that opens the house's secrets, and does it open them?

use std::path::Path;

use super::data::told;
use super::{Patient, Report};
use crate::db::{self, Home};
use crate::vault::{self, Examined, KeyFault, KeyFile, Keys};

const NAME: &str = "secret_key";

pub fn examine(patient: &Patient<'_>, report: &mut Report) {
    let Patient { config, config_path, layout, .. } = patient;
    let Ok(home) = Home::new(&config.database, layout.data_dir(), config_path) else {
        // The configuration's fault, which was told.
        return;
    };
    let file = KeyFile::of(&config.server, layout.data_dir(), config_path);
    let (shown, keys) = (file.path.display(), Keys::read(&file.path));
    // A PostgreSQL server's client has a runtime of its own, which cannot run where another does.
    let looked = std::thread::scope(|scope| {
        let look = || db::look(&home, |connection| vault::examine(connection, keys.as_ref().ok()));
        scope.spawn(look).join()
    });
    let examined = match looked {
        Ok(Ok(examined)) => examined.unwrap_or_default(),
        // The database's own fault is told of it.
        Ok(Err(error)) => return report.skipped(NAME, told(&error.into(), patient)),
        Err(_) => return report.skipped(NAME, home.name().display().to_string()),
    };
    let Examined { n, n_unopened: [n_apps, n_headers, n_tokens] } = examined;
    if matches!(keys, Err(KeyFault::Absent)) && n == 0 && !file.is_named {
        let found = patient.say(
            "Es gibt noch keine Geheimnisse; den Schlüssel legt der Server beim ersten Start an.",
            "There are no secrets yet; the server makes the key when it first starts.",
        );
        return report.skipped(NAME, found);
    }
    if let Err(fault) = keys {
        let found = patient.say(
            format!("Der Schlüssel der Geheimnisse {shown} ist nicht brauchbar ({fault}); {n} Geheimnisse brauchen ihn."),
            format!("The key of secrets {shown} cannot be used ({fault}); {n} secrets need it."),
        );
        return report.fault(NAME, found, put_back(patient, &file.path));
    }
    if n_apps + n_headers + n_tokens > 0 {
        let found = patient.say(
            format!("{shown} öffnet nicht: Authenticator-Apps {n_apps}, Geheimnisse von Werkzeugservern {n_headers}, Anmeldungen {n_tokens} (von {n})."),
            format!("{shown} does not open: authenticator apps {n_apps}, secrets of tool servers {n_headers}, sign-ins {n_tokens} (of {n})."),
        );
        return report.fault(NAME, found, put_back(patient, &file.path));
    }
    if is_open_to_others(&file.path) {
        let found = patient.say(
            format!("{shown} ist für andere Konten dieser Maschine lesbar."),
            format!("{shown} can be read by other accounts of this machine."),
        );
        return report.warning(NAME, found, format!("chmod 600 {shown}"));
    }
    let found = patient.say(
        format!("{shown} öffnet alle {n} Geheimnisse der Datenbank."),
        format!("{shown} opens all {n} secrets of the database."),
    );
    report.good(NAME, found);
}

fn put_back(patient: &Patient<'_>, path: &Path) -> String {
    let path = path.display();
    patient.say(
        format!("Legen Sie die Datei aus der Sicherung zurück, oder ihre Zeile unter die jetzige. Ist sie verloren: openssl rand -hex 32 > {path}, Zugriff nur für das Konto des Servers; dann melden sich Betroffene mit einem Wiederherstellungscode an oder die Verwaltung schaltet ihre App ab, und Geheimnisse von Werkzeugservern werden neu eingetragen."),
        format!("Put the file back from the backup, or its line below the present one. If it is lost: openssl rand -hex 32 > {path}, readable by the server's account only; then those concerned sign in with a recovery code or an administrator switches their app off, and secrets of tool servers are entered again."),
    )
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_path: &Path) -> bool {
    false
}
