//! Where do the checkout, the build output and the things worth keeping lie?

use std::env;
use std::io;
use std::path::{Path, PathBuf};

/// The folders that every verb works with.
#[derive(Clone, Debug)]
pub struct Places {
    /// The checkout: the folder of the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// What outlives a checkout: models, npm packages, build output. `~/.cache/portico`.
    pub cache: PathBuf,
    /// Cargo's target folder: `CARGO_TARGET_DIR`, else `target` in the cache, which clones share.
    pub target: PathBuf,
}

impl Places {
    /// Fails when the home folder is not known, or outside a checkout.
    pub fn find() -> io::Result<Places> {
        let root = root()?;
        let cache = match env::var_os("XDG_CACHE_HOME").filter(|dir| !dir.is_empty()) {
            Some(dir) => PathBuf::from(dir),
            None => home()?.join(".cache"),
        }
        .join("portico");
        let target = match env::var_os("CARGO_TARGET_DIR").filter(|dir| !dir.is_empty()) {
            Some(dir) => env::current_dir()?.join(dir),
            None => cache.join("target"),
        };
        Ok(Places { root, cache, target })
    }

    /// Model files fetched by package or hub, kept under their names.
    pub fn models(&self) -> PathBuf {
        match env::var_os("PORTICO_MODELS_CACHE").filter(|dir| !dir.is_empty()) {
            Some(dir) => PathBuf::from(dir),
            None => self.cache.join("models"),
        }
    }

    /// The page as the server serves it.
    pub fn page(&self) -> PathBuf {
        self.target.join("page")
    }
}

/// Where cargo runs this, not where it was compiled: clones share a target folder.
fn root() -> io::Result<PathBuf> {
    let start = match env::var_os("CARGO_MANIFEST_DIR") {
        Some(manifest_dir) => PathBuf::from(manifest_dir),
        None => env::current_dir()?,
    };
    let is_root = |folder: &&Path| folder.join("xtask/Cargo.toml").is_file();
    start.ancestors().find(is_root).map(Path::to_path_buf).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            format!("{} is not in a checkout of Portico", start.display()),
        )
    })
}

fn home() -> io::Result<PathBuf> {
    env::var_os(if cfg!(windows) { "USERPROFILE" } else { "HOME" }).map(PathBuf::from).ok_or_else(
        || {
            io::Error::new(
                io::ErrorKind::NotFound,
                "no home folder is set: set CARGO_TARGET_DIR and XDG_CACHE_HOME",
            )
        },
    )
}
