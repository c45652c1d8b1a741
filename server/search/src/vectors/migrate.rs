//! How do vectors move to another store while the first one answers?
//!
//! Page by page, in the order of ids; where it stands is written down after each page, so that it goes
//! on behind a crash. What is put meanwhile goes to both stores ([`crate::SearchIndex::fill`]); a point
//! that the new store has already is not written over by the old one's, and one that was removed from
//! the old store meanwhile is removed from the new one at the end.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{EmbedderId, Point, VectorStore};
use crate::SearchError;

/// Points read and written at once.
const PAGE_POINTS: usize = 256;

/// How far a migration is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    pub n_done: u64,
    pub n_all: u64,
    pub points_per_s: f64,
    /// At the speed so far.
    pub left: Duration,
}

/// Where a migration stands, in its file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Standing {
    /// What the points come from and go to; a file of another migration is none of this one's.
    name: String,
    /// The first id that was not moved.
    next: Option<Uuid>,
    n_done: u64,
}

/// Moves all points of a store to another of the same embedder.
#[derive(Debug)]
pub struct Migration {
    path: PathBuf,
    standing: Standing,
}

impl Migration {
    /// Goes on with the migration of this name that `path` tells of, or begins it.
    pub fn open(path: &Path, embedder: &EmbedderId, to: &str) -> Self {
        let name = format!("{} to {to}", embedder.place());
        let standing = std::fs::read(path)
            .ok()
            .and_then(|text| serde_json::from_slice::<Standing>(&text).ok())
            .filter(|standing| standing.name == name)
            .unwrap_or_else(|| Standing { name, ..Standing::default() });
        Self { path: path.to_owned(), standing }
    }

    /// How many points an earlier run moved.
    pub fn n_done(&self) -> u64 {
        self.standing.n_done
    }

    /// Moves the points that are left; `tell` is called after each page. When it returns both stores
    /// hold the same points.
    pub async fn run(
        mut self,
        from: &dyn VectorStore,
        to: &dyn VectorStore,
        mut tell: impl FnMut(Progress),
    ) -> Result<u64, SearchError> {
        if from.n_dims() != to.n_dims() {
            return Err(SearchError::Dimensions { wanted: to.n_dims(), found: from.n_dims() });
        }
        let n_all = from.count(None).await?;
        let started = Instant::now();
        let n_before = self.standing.n_done;
        let mut is_copied = self.standing.next.is_none() && n_before > 0;
        while !is_copied {
            let page = from.page(self.standing.next, PAGE_POINTS).await?;
            let n_page = page.points.len() as u64;
            put_new(to, page.points).await?;
            self.standing.n_done += n_page;
            self.standing.next = page.next;
            self.save()?;
            let seconds = started.elapsed().as_secs_f64().max(1e-6);
            let points_per_s = (self.standing.n_done - n_before) as f64 / seconds;
            let n_left = n_all.saturating_sub(self.standing.n_done) as f64;
            tell(Progress {
                n_done: self.standing.n_done,
                n_all: n_all.max(self.standing.n_done),
                points_per_s,
                left: Duration::from_secs_f64((n_left / points_per_s.max(1e-6)).min(1e9)),
            });
            is_copied = self.standing.next.is_none();
        }
        remove_gone(from, to).await?;
        let n_moved = to.count(None).await?;
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(SearchError::io(&self.path)(error))
            }
            _ => Ok(n_moved),
        }
    }

    fn save(&self) -> Result<(), SearchError> {
        let text = serde_json::to_vec(&self.standing)
            .map_err(|error| SearchError::Config(error.to_string()))?;
        let beside = self.path.with_extension("new");
        std::fs::write(&beside, text)
            .and_then(|()| std::fs::rename(&beside, &self.path))
            .map_err(SearchError::io(&self.path))
    }
}

/// Puts the points that the store does not have.
async fn put_new(to: &dyn VectorStore, points: Vec<Point>) -> Result<(), SearchError> {
    let ids: Vec<Uuid> = points.iter().map(|point| point.id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let known: std::collections::HashSet<Uuid> = to.known(&ids).await?.into_iter().collect();
    let new: Vec<Point> = points.into_iter().filter(|point| !known.contains(&point.id)).collect();
    if new.is_empty() { Ok(()) } else { to.put(new).await }
}

/// Removes what the old store does not have any more.
async fn remove_gone(from: &dyn VectorStore, to: &dyn VectorStore) -> Result<(), SearchError> {
    let mut next = None;
    loop {
        let page = to.page(next, PAGE_POINTS).await?;
        let ids: Vec<Uuid> = page.points.iter().map(|point| point.id).collect();
        let known: std::collections::HashSet<Uuid> = from.known(&ids).await?.into_iter().collect();
        let gone: Vec<Uuid> = ids.into_iter().filter(|id| !known.contains(id)).collect();
        if !gone.is_empty() {
            to.remove(&gone).await?;
        }
        match page.next {
            Some(from) => next = Some(from),
            None => return Ok(()),
        }
    }
}
