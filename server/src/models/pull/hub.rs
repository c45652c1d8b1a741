//! How does a file come from a hub? By HTTP ranges, so that a download that was cut off goes on.
//!
//! The address is `<hub>/<owner>/<name>/resolve/<revision>/<path>`. A hub may answer with a redirect
//! to where the bytes are, and say in that answer which commit the revision is (`X-Repo-Commit`) and
//! how large the file is (`X-Linked-Size`).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use ureq::http::{HeaderMap, Response, StatusCode, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::{Made, made};
use crate::models::sha256::BLOCK_BYTES;
use crate::models::{ModelsError, Phase, Progress, store};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// A server that says nothing for so long says nothing any more.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);
/// Attempts in a row that brought no byte.
const MAX_BARREN_ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// How often it is looked whether anybody still wants it.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A hub that is asked through the proxy and with the certificates of the machine.
#[derive(Clone, Debug)]
pub struct HubClient {
    base_url: String,
    follows: Agent,
    /// Gives redirects back, for their headers.
    stays: Agent,
}

/// A file on a hub.
#[derive(Debug)]
pub struct Remote {
    agent: Agent,
    url: String,
    /// What the revision was when it was asked for.
    pub commit: Option<String>,
    pub size_bytes: Option<u64>,
}

/// Beside a part: what it is a part of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PartOf {
    url: String,
    size_bytes: Option<u64>,
    etag: Option<String>,
}

impl HubClient {
    pub fn new(base_url: &str) -> Self {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = || {
            Agent::config_builder()
                .tls_config(tls.clone())
                .http_status_as_error(false)
                .timeout_connect(Some(CONNECT_TIMEOUT))
                .timeout_recv_response(Some(SILENCE_TIMEOUT))
                .timeout_per_read(Some(SILENCE_TIMEOUT))
                .user_agent(concat!("portico/", env!("CARGO_PKG_VERSION")))
        };
        let stays = config().max_redirects(0).max_redirects_will_error(false).build();
        Self {
            base_url: base_url.to_owned(),
            follows: config().build().new_agent(),
            stays: stays.new_agent(),
        }
    }

    /// Asks for a file without fetching it.
    pub fn find(&self, repo: &str, revision: &str, path: &str) -> Result<Remote, ModelsError> {
        let url = |revision: &str| format!("{}/{repo}/resolve/{revision}/{path}", self.base_url);
        let asked = url(revision);
        let failed = |reason: String| download_failed(&asked, reason);
        let head = self.stays.head(&asked).call().map_err(|error| no_answer(&asked, &error))?;
        if !head.status().is_success() && !head.status().is_redirection() {
            return Err(failed(refusal(head.status())));
        }
        let text = |name: &str| {
            let value = head.headers().get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        let commit = text("x-repo-commit").filter(|commit| {
            commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        let url = commit.as_deref().map_or_else(|| asked.clone(), url);
        let mut size_bytes = text("x-linked-size").and_then(|size| size.parse().ok());
        if size_bytes.is_none() {
            let head = self.follows.head(&url).call().map_err(|error| no_answer(&url, &error))?;
            if !head.status().is_success() {
                return Err(failed(refusal(head.status())));
            }
            size_bytes = content_length(head.headers());
        }
        Ok(Remote { agent: self.follows.clone(), url, commit, size_bytes })
    }
}

impl Remote {
    /// Bytes `from..to`.
    pub fn read(&self, from: u64, to: u64) -> Result<Vec<u8>, ModelsError> {
        let range = format!("bytes={from}-{}", to.saturating_sub(1));
        let answer = self.get(&range, None)?;
        let skip_bytes = match answer.status() {
            StatusCode::PARTIAL_CONTENT => 0,
            // A server without ranges sends all: what comes before is read and dropped.
            StatusCode::OK => from,
            status => return Err(self.failed(refusal(status))),
        };
        let mut body = answer.into_body().into_reader();
        let failed = |error: io::Error| self.failed(error.to_string());
        io::copy(&mut body.by_ref().take(skip_bytes), &mut io::sink()).map_err(failed)?;
        let mut bytes = Vec::new();
        body.take(to - from).read_to_end(&mut bytes).map_err(failed)?;
        Ok(bytes)
    }

    /// Fetches the file into a part beside `target`, going on where an earlier call stopped.
    ///
    /// # Errors
    /// `Download` and `Unreachable` when the hub gave nothing new in several attempts, `Io` when the disk
    /// is full, `Cancelled`: all leave the part for the next call.
    pub fn download(&self, target: &Path, mut progress: Progress) -> Result<Made, ModelsError> {
        let part = Part::beside(target);
        let (mut pause, mut barren_attempts) = (FIRST_PAUSE, 0);
        loop {
            let before_bytes = part.size_bytes();
            match self.fetch_rest(&part, &mut progress) {
                Ok(()) => break,
                Err(error @ (ModelsError::Download { .. } | ModelsError::Unreachable { .. })) => {
                    match part.size_bytes() > before_bytes {
                        true => (pause, barren_attempts) = (FIRST_PAUSE, 0),
                        false => barren_attempts += 1,
                    }
                    if barren_attempts >= MAX_BARREN_ATTEMPTS || !is_worth_retrying(&error) {
                        return Err(error);
                    }
                    tracing::warn!(%error, "the download broke off; going on");
                    patiently(pause, &progress)?;
                    pause *= 2;
                }
                Err(error) => return Err(error),
            }
        }
        progress.set_phase(Phase::Checking);
        drop(progress);
        store::remove_file(&part.note)?;
        made(part.path)
    }

    /// One request for what is missing.
    fn fetch_rest(&self, part: &Part, progress: &mut Progress) -> Result<(), ModelsError> {
        let known = part.of().filter(|of| of.url == self.url && of.size_bytes == self.size_bytes);
        let have_bytes = if known.is_some() { part.size_bytes() } else { 0 };
        if have_bytes > 0 && Some(have_bytes) == self.size_bytes {
            return Ok(());
        }
        // Only a strong entity tag may guard a range.
        let etag = known.as_ref().and_then(|of| of.etag.as_deref()).filter(|t| t.starts_with('"'));
        let answer = self.get(&format!("bytes={have_bytes}-"), etag)?;
        let status = answer.status();
        let goes_on = status == StatusCode::PARTIAL_CONTENT
            && content_range_start(answer.headers()) == Some(have_bytes);
        if !goes_on && status != StatusCode::OK {
            if matches!(status, StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE) {
                // The part is none of this file: the next attempt begins anew.
                store::remove_file(&part.note)?;
                return Err(self.failed("the hub's file is another one now".to_owned()));
            }
            return Err(self.failed(refusal(status)));
        }
        let etag = answer.headers().get(header::ETAG).and_then(|etag| etag.to_str().ok());
        let of = PartOf {
            url: self.url.clone(),
            size_bytes: self.size_bytes,
            etag: etag.map(str::to_owned),
        };
        let mut file = part.open(goes_on, &of)?;
        progress.resume_at(if goes_on { have_bytes } else { 0 });
        let mut body = answer.into_body().into_with_config().limit(u64::MAX).reader();
        let mut block = vec![0; BLOCK_BYTES];
        loop {
            let n = match body.read(&mut block) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.failed(error.to_string())),
            };
            file.write_all(&block[..n]).map_err(ModelsError::io(&part.path))?;
            progress.add(n as u64);
            progress.go_on()?;
        }
        file.sync_all().map_err(ModelsError::io(&part.path))?;
        match self.size_bytes {
            Some(size_bytes) if part.size_bytes() != size_bytes => {
                Err(self.failed(format!("{} of {size_bytes} bytes came", part.size_bytes())))
            }
            _ => Ok(()),
        }
    }

    fn get(&self, range: &str, if_range: Option<&str>) -> Result<Response<Body>, ModelsError> {
        let mut request = self.agent.get(&self.url).header(header::RANGE, range);
        if let Some(etag) = if_range {
            request = request.header(header::IF_RANGE, etag);
        }
        request.call().map_err(|error| no_answer(&self.url, &error))
    }

    fn failed(&self, reason: String) -> ModelsError {
        download_failed(&self.url, reason)
    }
}

/// A file on its way and the note that says of what.
struct Part {
    path: PathBuf,
    note: PathBuf,
}

impl Part {
    fn beside(target: &Path) -> Self {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let beside = |ending: &str| target.with_file_name(format!("{name}.{ending}"));
        Self { path: beside("part"), note: beside("part.json") }
    }

    fn size_bytes(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |meta| meta.len())
    }

    fn of(&self) -> Option<PartOf> {
        serde_json::from_slice(&fs::read(&self.note).ok()?).ok()
    }

    /// Opened for appending, or emptied. The note comes first: a part without one is begun anew.
    fn open(&self, goes_on: bool, of: &PartOf) -> Result<File, ModelsError> {
        if goes_on {
            return OpenOptions::new()
                .append(true)
                .create(true)
                .open(&self.path)
                .map_err(ModelsError::io(&self.path))
                .and_then(|file| self.write_note(of).map(|()| file));
        }
        let file = File::create(&self.path).map_err(ModelsError::io(&self.path))?;
        self.write_note(of).map(|()| file)
    }

    fn write_note(&self, of: &PartOf) -> Result<(), ModelsError> {
        let json = serde_json::to_vec(of)
            .map_err(|error| ModelsError::io(&self.note)(io::Error::other(error)))?;
        store::write_whole(&self.note, &json)
    }
}

fn download_failed(url: &str, reason: String) -> ModelsError {
    ModelsError::Download { url: url.to_owned(), reason }
}

/// Nobody was reached, or what came is no answer.
fn no_answer(url: &str, error: &ureq::Error) -> ModelsError {
    let (url, reason) = (url.to_owned(), error.to_string());
    match error {
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Timeout(_)
        | ureq::Error::Io(_) => ModelsError::Unreachable { url, reason },
        _ => ModelsError::Download { url, reason },
    }
}

/// Waits, but not for whoever stopped it.
fn patiently(pause: Duration, progress: &Progress) -> Result<(), ModelsError> {
    let until = Instant::now() + pause;
    while Instant::now() < until {
        progress.go_on()?;
        std::thread::sleep(LOOK_EVERY);
    }
    progress.go_on()
}

/// A 4xx will be one again, but for those that ask for patience.
fn is_worth_retrying(error: &ModelsError) -> bool {
    match error {
        ModelsError::Download { reason, .. } => {
            !reason.starts_with("status 4")
                || reason.starts_with("status 408")
                || reason.starts_with("status 429")
        }
        ModelsError::Unreachable { .. } => true,
        _ => false,
    }
}

fn refusal(status: StatusCode) -> String {
    let hint = match status.as_u16() {
        401 | 403 => ": its terms may have to be accepted on the hub first",
        404 => ": there is no such file",
        _ => "",
    };
    format!("status {status}{hint}")
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// `bytes 100-199/1000` → 100
fn content_range_start(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(header::CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    range.split('-').next()?.trim().parse().ok()
}
