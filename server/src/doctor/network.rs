//! Do the machines answer that this server names: upstreams, sign-in, its own public address? And do
//! their clocks agree with this one?

use std::time::Duration;

use axum::http::Uri;
use serde_json::Value;

use super::reach::Reach;
use super::{Patient, Report, Verdict};
use crate::keys::{day_of, now_s};
use crate::upstream::{Bearer, authorities};

const PATIENCE: Duration = Duration::from_secs(10);
/// A certificate that ends sooner is to be renewed now.
const CERTIFICATE_S: u64 = 21 * 86_400;
/// Tokens of sign-in services are refused when clocks differ by more.
const CLOCK_FAULT_S: u64 = 60;
const CLOCK_WARNING_S: u64 = 10;

/// A clock of another machine, and ours at the same time.
type Clocks = Vec<(u64, u64)>;

pub async fn examine(patient: &Patient<'_>, report: &mut Report) {
    let mut clocks = Clocks::new();
    upstreams(patient, report, &mut clocks).await;
    sign_in(patient, report, &mut clocks).await;
    public_url(patient, report, &mut clocks).await;
    clock(patient, report, &clocks);
}

async fn upstreams(patient: &Patient<'_>, report: &mut Report, clocks: &mut Clocks) {
    for upstream in &patient.config.upstreams {
        let upstream = upstream.get_ref();
        let id = upstream.id.as_str();
        let bearer = upstream.api_key.as_ref();
        let bearer = bearer.map(|secret| Bearer::read(secret, patient.config_path)).transpose();
        let trusted = upstream.ca_file.as_ref();
        let trusted = trusted.map(|file| authorities(file, patient.config_path)).transpose();
        // A secret that cannot be read is the configuration's fault, which was told.
        let (Ok(bearer), Ok(trusted)) = (bearer, trusted) else { continue };
        let advice = patient.say(
            format!("Läuft der Server unter {}, und lässt er diesen Schlüssel ein? [[upstreams]] nennt Adresse, Schlüssel und health_path.", upstream.url),
            format!("Does the server at {} run, and does it take this key? [[upstreams]] has address, key and health_path.", upstream.url),
        );
        let reach = match Reach::new(upstream.url.clone(), bearer, trusted) {
            Ok(reach) => reach,
            Err(error) => {
                report.push("upstream", Some(id), Verdict::Fault, error, Some(advice));
                continue;
            }
        };
        match reach.get(&upstream.health_path, PATIENCE).await {
            Ok(heard) if heard.status.is_success() => {
                clocks.extend(heard.clocks);
                let found = patient.say("Er antwortet.", "It answers.");
                report.push("upstream", Some(id), Verdict::Good, found, None);
            }
            Ok(heard) => {
                let found = format!("{}{}: {}", upstream.url, upstream.health_path, heard.status);
                report.push("upstream", Some(id), Verdict::Fault, found, Some(advice));
            }
            Err(error) => report.push("upstream", Some(id), Verdict::Fault, error, Some(advice)),
        }
        certificate(patient, report, id, &reach).await;
    }
}

async fn certificate(patient: &Patient<'_>, report: &mut Report, of: &str, reach: &Reach) {
    let advice = || {
        patient.say(
            "Erneuern Sie das Zertifikat auf der anderen Seite; eine eigene Zertifizierungsstelle nennt ca_file.",
            "Renew the certificate on the other side; an authority of the house's own is named by ca_file.",
        )
    };
    match reach.certificate_end_s().await {
        Ok(None) => {}
        Ok(Some(end_s)) => {
            let day = day_of(end_s);
            let found = patient.say(format!("Gültig bis {day}."), format!("Valid until {day}."));
            let is_soon = end_s < now_s() + CERTIFICATE_S;
            let verdict = if is_soon { Verdict::Warning } else { Verdict::Good };
            report.push("certificate", Some(of), verdict, found, is_soon.then(advice));
        }
        Err(error) => report.push("certificate", Some(of), Verdict::Fault, error, Some(advice())),
    }
}

async fn sign_in(patient: &Patient<'_>, report: &mut Report, clocks: &mut Clocks) {
    let Some(oidc) = &patient.config.people.oidc else {
        let found =
            patient.say("Kein Anmeldedienst ist eingerichtet.", "No sign-in service is set up.");
        return report.skipped("sign_in", found);
    };
    let issuer = oidc.issuer.to_string();
    let issuer = issuer.trim_end_matches('/');
    let advice = patient.say(
        "[people.oidc] issuer muss genau so lauten, wie der Dienst sich selbst nennt (bei Keycloak …/realms/NAME).",
        "[people.oidc] issuer must be written exactly as the service calls itself (with Keycloak …/realms/NAME).",
    );
    let trusted = oidc.ca_file.as_ref().map(|file| authorities(file, patient.config_path));
    let reach = trusted.transpose().map_err(|error| error.to_string());
    let reach = reach.and_then(|trusted| Reach::new(oidc.issuer.clone(), None, trusted));
    let reach = match reach {
        Ok(reach) => reach,
        Err(error) => return report.fault("sign_in", error, advice),
    };
    match reach.get("/.well-known/openid-configuration", PATIENCE).await {
        Ok(heard) if heard.status.is_success() => {
            clocks.extend(heard.clocks);
            let published: Option<Value> = serde_json::from_slice(&heard.body).ok();
            let named = published.as_ref().and_then(|published| published["issuer"].as_str());
            match named {
                Some(named) if named.trim_end_matches('/') == issuer => {
                    let found =
                        patient.say(format!("{issuer} antwortet."), format!("{issuer} answers."));
                    report.good("sign_in", found);
                }
                named => {
                    let named = named.unwrap_or("-");
                    let found = patient.say(
                        format!("{issuer} nennt sich {named}."),
                        format!("{issuer} calls itself {named}."),
                    );
                    report.fault("sign_in", found, advice);
                }
            }
        }
        Ok(heard) => report.fault("sign_in", format!("{issuer}: {}", heard.status), advice),
        Err(error) => report.fault("sign_in", format!("{issuer}: {error}"), advice),
    }
    certificate(patient, report, issuer, &reach).await;
}

async fn public_url(patient: &Patient<'_>, report: &mut Report, clocks: &mut Clocks) {
    let Some(url) = &patient.config.server.public_url else {
        let found = patient.say(
            "Keine öffentliche Adresse ist genannt: Nur dieser Rechner bekommt WebGPU.",
            "No public address is named: only this machine gets WebGPU.",
        );
        return report.skipped("public_url", found);
    };
    let shown = url.to_string();
    let shown = shown.trim_end_matches('/');
    if url.scheme_str() == Some("http") && !is_local(url) {
        let found =
            patient.say(format!("{shown} ist ohne TLS."), format!("{shown} is without TLS."));
        let advice = patient.say(
            "Browser geben WebGPU nur an https-Adressen: Setzen Sie einen Proxy mit Zertifikat davor.",
            "Browsers give WebGPU to https addresses only: put a proxy with a certificate before it.",
        );
        return report.fault("public_url", found, advice);
    }
    let advice = patient.say(
        "Der Server muss laufen, der Proxy davor muss ihn erreichen, und der Name muss auch von hier aus auflösbar sein.",
        "The server must run, the proxy before it must reach it, and the name must resolve from here, too.",
    );
    let reach = match Reach::new(url.clone(), None, None) {
        Ok(reach) => reach,
        Err(error) => return report.fault("public_url", error, advice),
    };
    match reach.get("/healthz", PATIENCE).await {
        Ok(heard) if heard.status.is_success() => {
            clocks.extend(heard.clocks);
            let found = patient.say(format!("{shown} antwortet."), format!("{shown} answers."));
            report.good("public_url", found);
        }
        Ok(heard) => report.warning("public_url", format!("{shown}: {}", heard.status), advice),
        Err(error) => report.warning("public_url", format!("{shown}: {error}"), advice),
    }
    certificate(patient, report, shown, &reach).await;
}

fn is_local(url: &Uri) -> bool {
    matches!(url.host(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

fn clock(patient: &Patient<'_>, report: &mut Report, clocks: &Clocks) {
    let differences = clocks.iter().map(|(there, here)| there.abs_diff(*here));
    let Some(difference) = differences.min() else {
        let found = patient.say(
            "Kein anderer Rechner hat gesagt, wie spät es ist.",
            "No other machine said what time it is.",
        );
        return report.skipped("clock", found);
    };
    let found = patient.say(
        format!("Die Uhr weicht um {difference} s von der anderer Rechner ab."),
        format!("The clock differs by {difference} s from that of other machines."),
    );
    let advice = patient.say(
        "Schalten Sie die Zeitsynchronisierung ein: timedatectl set-ntp true",
        "Switch on the synchronisation of time: timedatectl set-ntp true",
    );
    match difference {
        CLOCK_FAULT_S.. => report.fault("clock", found, advice),
        CLOCK_WARNING_S.. => report.warning("clock", found, advice),
        _ => report.good("clock", found),
    }
}
