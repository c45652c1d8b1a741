//! What does this machine have, and who is at the server's address?

use std::net::TcpListener;
use std::time::Duration;

use portico_kernels::Isa;

use super::reach::Reach;
use super::{Patient, Report};
use crate::gateway::inference_config;
use crate::health::Health;
use crate::inference::Inference;
use crate::models::Library;
use crate::page::Page;

const PATIENCE: Duration = Duration::from_secs(5);

pub async fn examine(patient: &Patient<'_>, report: &mut Report) {
    compute(patient, report);
    page(patient, report);
    port(patient, report).await;
}

fn compute(patient: &Patient<'_>, report: &mut Report) {
    let config = inference_config(patient.config);
    let (isa, n_threads) = (Isa::detect(), config.n_threads);
    let n_cores = std::thread::available_parallelism().map_or(1, usize::from);
    let found = patient.say(
        format!("{}, {n_threads} von {n_cores} Threads.", isa.name()),
        format!("{}, {n_threads} of {n_cores} threads.", isa.name()),
    );
    if isa == Isa::Plain {
        let advice = patient.say(
            "Ohne AVX2 antworten Modelle auf diesem Server sehr langsam: Lassen Sie sie auf den Geräten oder auf einem Upstream laufen.",
            "Without AVX2 models answer very slowly on this server: run them on people's devices or on an upstream.",
        );
        report.warning("cpu", found, advice);
    } else if n_threads > n_cores {
        let advice = patient.say(
            "[inference] n_threads soll die Zahl der Kerne nicht übersteigen.",
            "[inference] n_threads should not be more than there are cores.",
        );
        report.warning("cpu", found, advice);
    } else {
        report.good("cpu", found);
    }
    let Ok(library) = Library::open(patient.layout.clone()) else { return };
    let inference = Inference::new(library.into(), config);
    match inference.open_named_device() {
        Ok(()) => {
            let device = format!("{:?}", patient.config.inference.device).to_lowercase();
            report.good("device", format!("[inference] device = \"{device}\""));
        }
        Err(error) => {
            let advice = patient.say(
                "Nehmen Sie ein Programm, das für diese GPU gebaut ist (docs/deploy/README.md), oder device = \"cpu\".",
                "Take a program that was built for this GPU (docs/deploy/README.md), or device = \"cpu\".",
            );
            report.fault("device", super::data::told(&error, patient), advice);
        }
    }
}

fn page(patient: &Patient<'_>, report: &mut Report) {
    let page = Page::new(patient.config.server.page.clone());
    let version = env!("CARGO_PKG_VERSION");
    match (&page, page.is_there()) {
        (Page::Folder(folder), true) => {
            let folder = folder.display();
            let found = patient.say(
                format!("Die Seite liegt in {folder}."),
                format!("The page lies in {folder}."),
            );
            report.good("page", found);
        }
        (_, true) => {
            let found = patient.say(
                format!("Das Programm trägt seine Seite in sich (Version {version})."),
                format!("The program carries its page (version {version})."),
            );
            report.good("page", found);
        }
        _ => {
            let found = patient.say("Es gibt keine Seite.", "There is no page.");
            let advice = patient.say(
                "Bauen Sie sie mit cargo xtask page und nennen Sie ihren Ordner mit --page oder [server] page.",
                "Build it with cargo xtask page, and name its folder with --page or [server] page.",
            );
            report.warning("page", found, advice);
        }
    }
}

/// Free, a server's of ours, or another program's?
async fn port(patient: &Patient<'_>, report: &mut Report) {
    let addr = patient.config.server.addr;
    if addr.port() == 0 {
        let found =
            patient.say("Der Server nimmt einen freien Port.", "The server takes a free port.");
        return report.skipped("port", found);
    }
    let taken = match TcpListener::bind(addr) {
        Ok(_) => {
            let found = patient.say(
                format!("{addr} ist frei: Der Server läuft nicht."),
                format!("{addr} is free: the server is not running."),
            );
            return report.good("port", found);
        }
        Err(error) => error,
    };
    let mut asked = addr;
    if asked.ip().is_unspecified() {
        asked.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let url = format!("http://{asked}");
    let heard = match Reach::plain(&url) {
        Ok(reach) => reach.get("/healthz", PATIENCE).await,
        Err(error) => Err(error),
    };
    let own = env!("CARGO_PKG_VERSION");
    match heard.ok().and_then(|heard| serde_json::from_slice::<Health>(&heard.body).ok()) {
        Some(health) if health.version == own => {
            let found = patient.say(
                format!("An {addr} läuft Portico {own}."),
                format!("Portico {own} runs at {addr}."),
            );
            report.good("port", found);
        }
        Some(health) => {
            let version = health.version;
            let found = patient.say(
                format!("An {addr} läuft Portico {version}, dieses Programm ist {own}."),
                format!("Portico {version} runs at {addr}, and this program is {own}."),
            );
            let advice = patient.say(
                "Starten Sie den Server neu, damit das neue Programm läuft.",
                "Restart the server so that the new program runs.",
            );
            report.warning("port", found, advice);
        }
        None => {
            let found = patient.say(
                format!("An {addr} antwortet kein Portico ({taken})."),
                format!("No Portico answers at {addr} ({taken})."),
            );
            let advice = patient.say(
                "Beenden Sie das andere Programm oder wählen Sie mit [server] addr eine andere Adresse.",
                "Stop the other program, or choose another address with [server] addr.",
            );
            report.fault("port", found, advice);
        }
    }
}
