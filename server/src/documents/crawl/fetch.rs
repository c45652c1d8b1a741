//! How is an address fetched without harm to anyone?
//!
//! Only from allowed hosts, at addresses that were checked, as `robots.txt` says, not faster than the
//! pace, no more than the limits; each redirect is held to the same.

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use portico_shared::error::{ApiError, ErrorCode};
use ureq::Agent;
use ureq::http::{HeaderMap, Response, StatusCode, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;
use url::Url;

use super::address::CheckedResolver;
use super::page::absolute;
use super::robots::{AGENT, Robots};
use crate::config::DocumentsConfig;
use crate::models::sha256::BLOCK_BYTES;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Of one whole answer, however slowly it comes.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(300);
const REDIRECTS_MAX: usize = 5;
const ROBOTS_BYTES_MAX: u64 = 512 << 10;

/// Fetches for one crawl; to be called where waiting is allowed.
pub struct Fetcher {
    agent: Agent,
    hosts: Vec<String>,
    pace: Duration,
    max_file_bytes: u64,
    /// What may still be fetched.
    left_bytes: u64,
    sites: HashMap<String, Site>,
}

struct Site {
    robots: Robots,
    last: Option<Instant>,
}

/// What is known of an address from the last time.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

/// What an address gave.
#[derive(Debug)]
pub enum Fetched {
    Page(Page),
    /// As it was.
    Unchanged,
    /// There is nothing any more.
    Gone,
    /// Of a kind that no document is.
    Other,
}

#[derive(Debug)]
pub struct Page {
    /// Where the redirects led.
    pub url: Url,
    /// Without its parameters, in lower case.
    pub media_type: String,
    pub known: Known,
    pub bytes: Vec<u8>,
}

/// Kinds that may be documents; pages lead to others too.
const KINDS: [&str; 12] = [
    "text/html",
    "application/xhtml+xml",
    "text/plain",
    "text/markdown",
    "text/csv",
    "text/xml",
    "application/xml",
    "application/pdf",
    "application/epub+zip",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.",
    "application/vnd.oasis.opendocument.",
];

impl Fetcher {
    /// `start`'s own host is allowed where the configuration names none.
    pub fn new(config: &DocumentsConfig, start: &Url) -> Self {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            // A proxy would resolve names by itself.
            .proxy(None)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_recv_response(Some(ANSWER_TIMEOUT))
            .timeout_per_read(Some(ANSWER_TIMEOUT))
            .timeout_global(Some(WHOLE_TIMEOUT))
            .user_agent(format!("{AGENT}/{}", env!("CARGO_PKG_VERSION")))
            .build();
        let resolver = CheckedResolver::new(config.crawl_private);
        let hosts = match config.crawl_hosts.is_empty() {
            true => vec![host_of(start)],
            false => config.crawl_hosts.clone(),
        };
        Self {
            agent: Agent::with_parts(agent, DefaultConnector::default(), resolver),
            hosts,
            pace: config.crawl_pace,
            max_file_bytes: config.max_file_bytes,
            left_bytes: config.crawl_max_bytes,
            sites: HashMap::new(),
        }
    }

    /// Whether an address lies within the allowed hosts.
    pub fn allows(&self, url: &Url) -> bool {
        let (host, with_port) = (url.host_str().unwrap_or_default(), host_of(url));
        self.hosts.iter().any(|allowed| match allowed.strip_prefix("*.") {
            Some(parent) => {
                let below = host.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'));
                host == parent || below
            }
            None => *allowed == host || *allowed == with_port,
        })
    }

    /// # Errors
    /// `crawl_refused` for an address that may not be fetched, or when the crawl's bytes are used up;
    /// `crawl_failed` for one that cannot.
    pub fn fetch(&mut self, url: &Url, known: &Known) -> Result<Fetched, ApiError> {
        let mut url = url.clone();
        for _ in 0..=REDIRECTS_MAX {
            self.check(&url)?;
            self.wait_for(&url);
            let answer = self.get(&url, known)?;
            match answer.status() {
                StatusCode::NOT_MODIFIED => return Ok(Fetched::Unchanged),
                StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(Fetched::Gone),
                status if status.is_redirection() => {
                    let to = text(answer.headers(), header::LOCATION.as_str());
                    let to = to.and_then(|to| absolute(&to, &url));
                    let Some(to) = to.and_then(|to| Url::parse(&to).ok()) else {
                        return Err(failed(&url, "it is redirected to nowhere"));
                    };
                    url = to;
                }
                StatusCode::OK => return self.page(url, answer),
                status => return Err(failed(&url, format!("status {status}"))),
            }
        }
        Err(failed(&url, "it is redirected too often"))
    }

    fn get(&self, url: &Url, known: &Known) -> Result<Response<ureq::Body>, ApiError> {
        let mut request = self.agent.get(url.as_str());
        if let Some(etag) = &known.etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        if let Some(date) = &known.last_modified {
            request = request.header(header::IF_MODIFIED_SINCE, date);
        }
        request.call().map_err(|error| failed(url, error))
    }

    /// Whether an address may be fetched at all.
    fn check(&mut self, url: &Url) -> Result<(), ApiError> {
        if !self.allows(url) {
            return Err(refused(url, "its host is not among `[documents] crawl_hosts`"));
        }
        let key = site_of(url);
        if !self.sites.contains_key(&key) {
            let robots = self.robots(url);
            self.sites.insert(key.clone(), Site { robots, last: None });
        }
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        match self.sites.get(&key).is_some_and(|site| site.robots.allows(path)) {
            true => Ok(()),
            false => Err(refused(url, "its robots.txt forbids it")),
        }
    }

    /// What a host's `robots.txt` says: without one all is allowed; where it cannot be had nothing is.
    fn robots(&self, url: &Url) -> Robots {
        let Ok(at) = url.join("/robots.txt") else { return Robots::closed() };
        match self.agent.get(at.as_str()).call() {
            Ok(answer) if answer.status() == StatusCode::OK => {
                let mut bytes = Vec::new();
                let reader = answer.into_body().into_reader();
                match reader.take(ROBOTS_BYTES_MAX).read_to_end(&mut bytes) {
                    Ok(_) => Robots::parse(&String::from_utf8_lossy(&bytes)),
                    Err(_) => Robots::closed(),
                }
            }
            Ok(answer) if answer.status().is_server_error() => Robots::closed(),
            Ok(_) => Robots::default(),
            // The page itself will say what is wrong.
            Err(_) => Robots::default(),
        }
    }

    /// Until the host may be asked again.
    fn wait_for(&mut self, url: &Url) {
        let Some(site) = self.sites.get_mut(&site_of(url)) else { return };
        let pace = site.robots.delay.unwrap_or_default().max(self.pace);
        if let Some(last) = site.last {
            std::thread::sleep(pace.saturating_sub(last.elapsed()));
        }
        site.last = Some(Instant::now());
    }

    fn page(&mut self, url: Url, answer: Response<ureq::Body>) -> Result<Fetched, ApiError> {
        let media_type = text(answer.headers(), header::CONTENT_TYPE.as_str()).unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim().to_lowercase();
        if !KINDS.iter().any(|kind| media_type.starts_with(kind)) {
            return Ok(Fetched::Other);
        }
        let known = Known {
            etag: text(answer.headers(), header::ETAG.as_str()),
            last_modified: text(answer.headers(), header::LAST_MODIFIED.as_str()),
        };
        let max_bytes = self.max_file_bytes.min(self.left_bytes);
        let mut reader = answer.into_body().into_reader();
        let (mut bytes, mut block) = (Vec::new(), vec![0; BLOCK_BYTES]);
        loop {
            match reader.read(&mut block) {
                Ok(0) => break,
                Ok(n) => bytes.extend_from_slice(&block[..n]),
                Err(error) => return Err(failed(&url, error)),
            }
            if bytes.len() as u64 > max_bytes {
                return Err(refused(&url, "it is larger than the crawl may still fetch"));
            }
        }
        self.left_bytes -= bytes.len() as u64;
        Ok(Fetched::Page(Page { url, media_type, known, bytes }))
    }
}

/// `example.org`, with its port where it is not the usual one.
fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn site_of(url: &Url) -> String {
    format!("{}://{}", url.scheme(), host_of(url))
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

pub fn refused(url: &Url, reason: &str) -> ApiError {
    ApiError::new(ErrorCode::CrawlRefused).with("url", url).with("reason", reason)
}

fn failed(url: &Url, cause: impl std::fmt::Display) -> ApiError {
    ApiError::new(ErrorCode::CrawlFailed).with("url", url).detail(cause)
}
