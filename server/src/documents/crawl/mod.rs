//! How does a site become a collection?
//!
//! From its start along links, page by page, within the allowed hosts and below the start's folder; a
//! sitemap's pages are those that it lists. What has not changed since the last time is not sent again
//! ([`fetch::Known`]); what is gone goes. Pages that no link leads to any more go only after a crawl that
//! came to its end.

mod address;
mod fetch;
mod page;
mod robots;

pub use address::is_public;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use portico_shared::error::{ApiError, ErrorCode};
use tokio::task::spawn_blocking;
use url::Url;

use super::passages::internal;
use super::{Arrival, Documents, SyncReport};
use crate::files::Received;
use crate::keys::now_s;
use crate::people::{Right, Rights};
use fetch::{Fetched, Fetcher, Known, Page};

const NAME_CHARS_MAX: usize = 200;

/// An address with its distance from the start.
type Queued = (Url, usize);

/// What was kept of an address.
#[derive(Clone, Debug, Default)]
struct Crawled {
    known: Known,
    links: Vec<String>,
}

impl Documents {
    /// Brings a collection's documents of a site to what is there now.
    ///
    /// # Errors
    /// `collection_not_found`, `collection_read_only`; `invalid_request` for what is no address;
    /// `crawl_refused` and `crawl_failed` for the start itself. What is wrong with another page is in
    /// the report.
    pub async fn crawl(
        &self,
        rights: &Rights,
        collection: &str,
        start: &str,
    ) -> Result<SyncReport, ApiError> {
        self.require(rights, collection, Right::Contribute).await?;
        let start = Url::parse(start).ok().filter(|url| url.host().is_some()).ok_or_else(|| {
            let reason = format!("`{start}` is no address of a site");
            ApiError::new(ErrorCode::InvalidRequest).with("reason", reason)
        })?;
        let root = start.to_string();
        let crawled = self.crawled(collection, &root).await?;
        let crawl = Crawl {
            documents: self,
            rights,
            collection,
            fetcher: Some(Fetcher::new(&self.config, &start)),
            folder: folder_of(&start),
            start,
            root,
            crawled,
            report: SyncReport::default(),
            seen: BTreeSet::new(),
        };
        crawl.run().await
    }

    async fn crawled(
        &self,
        collection: &str,
        root: &str,
    ) -> Result<BTreeMap<String, Crawled>, ApiError> {
        let (collection, root) = (collection.to_owned(), root.to_owned());
        let crawled = self.db.call(move |connection| {
            let sql = "SELECT url, etag, last_modified, links FROM crawled
                WHERE collection = ?1 AND root = ?2";
            let mut select = connection.prepare_cached(sql)?;
            let rows = select.query_map((collection, root), |row| {
                let known = Known { etag: row.get(1)?, last_modified: row.get(2)? };
                let links: String = row.get(3)?;
                let links = serde_json::from_str(&links).unwrap_or_default();
                Ok((row.get(0)?, Crawled { known, links }))
            })?;
            rows.collect::<Result<_, _>>()
        });
        Ok(crawled.await?)
    }
}

struct Crawl<'a> {
    documents: &'a Documents,
    rights: &'a Rights,
    collection: &'a str,
    /// Away only while it fetches.
    fetcher: Option<Fetcher>,
    start: Url,
    /// Below which pages lie.
    folder: String,
    root: String,
    crawled: BTreeMap<String, Crawled>,
    report: SyncReport,
    /// Addresses that a page or the start named.
    seen: BTreeSet<String>,
}

impl Crawl<'_> {
    async fn run(mut self) -> Result<SyncReport, ApiError> {
        let limits = &self.documents.config;
        let began = Instant::now();
        let mut queue = VecDeque::from([(self.start.clone(), 0)]);
        self.seen.insert(self.root.clone());
        let (mut n_pages, mut is_complete) = (0, true);
        while let Some((url, depth)) = queue.pop_front() {
            if n_pages >= limits.crawl_max_pages || began.elapsed() > limits.crawl {
                tracing::warn!(n_pages, left = queue.len() + 1, "the crawl's limit is reached");
                is_complete = false;
                break;
            }
            n_pages += 1;
            match self.visit(&url).await {
                Ok(links) => {
                    let is_deep = depth >= limits.crawl_max_depth;
                    is_complete &= !is_deep || links.is_empty();
                    if !is_deep {
                        self.enqueue(&mut queue, links, depth + 1);
                    }
                }
                Err(error) if url == self.start => return Err(error),
                Err(error)
                    if matches!(error.code, ErrorCode::DiskFull | ErrorCode::DocumentsFull) =>
                {
                    return Err(error);
                }
                Err(error) => {
                    // What cannot be reached today is not gone.
                    is_complete &= error.code == ErrorCode::CrawlRefused;
                    self.report.refused.push((url.to_string(), error));
                }
            }
        }
        if is_complete {
            let known = self.documents.known_places(self.collection, &self.root).await?;
            let gone: Vec<String> =
                known.into_keys().filter(|place| !self.seen.contains(place)).collect();
            for place in gone {
                self.remove(&place).await?;
            }
        }
        Ok(self.report)
    }

    fn enqueue(&mut self, queue: &mut VecDeque<Queued>, links: Vec<String>, depth: usize) {
        for link in links {
            let Ok(url) = Url::parse(&link) else { continue };
            let allows = self.fetcher.as_ref().is_some_and(|fetcher| fetcher.allows(&url));
            let is_below = url.host() != self.start.host() || url.path().starts_with(&self.folder);
            if allows && is_below && self.seen.insert(link) {
                queue.push_back((url, depth));
            }
        }
    }

    /// Takes a page in; where it leads.
    async fn visit(&mut self, url: &Url) -> Result<Vec<String>, ApiError> {
        let known = self.crawled.get(url.as_str()).cloned().unwrap_or_default();
        let Some(mut fetcher) = self.fetcher.take() else { return Ok(Vec::new()) };
        let (asked, before) = (url.clone(), known.known.clone());
        let fetched = spawn_blocking(move || {
            let fetched = fetcher.fetch(&asked, &before);
            (fetcher, fetched)
        });
        let (fetcher, fetched) = fetched.await.map_err(internal)?;
        self.fetcher = Some(fetcher);
        match fetched? {
            Fetched::Unchanged => {
                self.report.n_unchanged += 1;
                Ok(known.links)
            }
            Fetched::Gone if *url == self.start => {
                Err(ApiError::new(ErrorCode::CrawlFailed).with("url", url).detail("not found"))
            }
            Fetched::Gone => {
                self.remove(url.as_str()).await?;
                Ok(Vec::new())
            }
            Fetched::Other => Ok(Vec::new()),
            Fetched::Page(page) => self.take(url, page).await,
        }
    }

    async fn take(&mut self, url: &Url, page: Page) -> Result<Vec<String>, ApiError> {
        let Page { url: at, media_type, known, bytes } = page;
        let is_html = matches!(media_type.as_str(), "text/html" | "application/xhtml+xml");
        let is_xml = media_type.ends_with("/xml");
        let text = (is_html || is_xml).then(|| String::from_utf8_lossy(&bytes).into_owned());
        let found = spawn_blocking(move || match text {
            Some(text) if is_html => (page::links(&text, &at), false),
            Some(text) => match page::sitemap(&text) {
                Some(urls) => (page::Links { urls, is_hidden: true }, true),
                None => (page::Links { urls: Vec::new(), is_hidden: true }, false),
            },
            None => (page::Links::default(), false),
        });
        let (links, is_sitemap) = found.await.map_err(internal)?;
        if !links.is_hidden {
            let received = self.received(&bytes).await?;
            let arrival = Arrival {
                collection: self.collection.to_owned(),
                root: self.root.clone(),
                place: url.to_string(),
                name: name_of(url),
                media_type: Some(media_type),
                date_s: now_s() as i64,
            };
            let taken = self.documents.take_in(self.rights, arrival, received).await?;
            self.report.count(taken);
        }
        // Of a sitemap the pages count, not what they lead to.
        let is_listed = self.is_listed() && !is_sitemap;
        let urls = if is_listed { Vec::new() } else { links.urls };
        self.note(url, known, &urls).await?;
        Ok(urls)
    }

    /// Whether the start is a sitemap, by its name.
    fn is_listed(&self) -> bool {
        self.start.path().ends_with(".xml")
    }

    async fn received(&self, bytes: &[u8]) -> Result<Received, ApiError> {
        let mut incoming = self.documents.files.begin().await?;
        incoming.write(bytes).await?;
        incoming.finish().await
    }

    async fn note(&self, url: &Url, known: Known, links: &[String]) -> Result<(), ApiError> {
        let (collection, root) = (self.collection.to_owned(), self.root.clone());
        let (url, links) = (url.to_string(), serde_json::json!(links).to_string());
        let noted = self.documents.db.call(move |connection| {
            let sql = "INSERT INTO crawled (collection, root, url, etag, last_modified, links)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (collection, root, url) DO UPDATE SET etag = excluded.etag,
                last_modified = excluded.last_modified, links = excluded.links";
            let Known { etag, last_modified } = known;
            connection.execute(sql, (collection, root, url, etag, last_modified, links))
        });
        noted.await?;
        Ok(())
    }

    async fn remove(&mut self, place: &str) -> Result<(), ApiError> {
        let Self { documents, rights, collection, root, .. } = self;
        if documents.remove_place(rights, collection, root, place).await? {
            self.report.n_removed += 1;
        }
        let (collection, root) = (self.collection.to_owned(), self.root.clone());
        let place = place.to_owned();
        let sql = "DELETE FROM crawled WHERE collection = ?1 AND root = ?2 AND url = ?3";
        let forget = self
            .documents
            .db
            .call(move |connection| connection.execute(sql, (collection, root, place)));
        forget.await?;
        Ok(())
    }
}

/// The folder of an address's path: `/docs/` of `/docs/index.html`; of a sitemap the whole site.
fn folder_of(url: &Url) -> String {
    let path = url.path();
    if path.ends_with(".xml") {
        return "/".to_owned();
    }
    path[..path.rfind('/').map_or(0, |slash| slash + 1)].to_owned()
}

/// A page's name for people: its host and path.
fn name_of(url: &Url) -> String {
    let path = url.path().trim_matches('/');
    let host = url.host_str().unwrap_or_default();
    let name = if path.is_empty() { host.to_owned() } else { format!("{host}/{path}") };
    name.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_lie_below_the_folder_of_the_start() {
        for (url, folder) in [
            ("https://example.org", "/"),
            ("https://example.org/docs/index.html", "/docs/"),
            ("https://example.org/docs/", "/docs/"),
            ("https://example.org/a/sitemap.xml", "/"),
        ] {
            assert_eq!(folder_of(&Url::parse(url).unwrap()), folder);
        }
    }
}
