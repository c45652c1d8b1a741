//! What goes with its owner, whatever happens, unless it got its name.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::models::store::temporary_beside;

/// A file or folder under a name that nobody else uses, readable by this account alone.
#[derive(Debug)]
pub struct Temporary {
    path: PathBuf,
    is_kept: bool,
}

impl Temporary {
    /// The name only; nothing is made.
    pub fn beside(path: &Path) -> Self {
        Self { path: temporary_beside(path), is_kept: false }
    }

    pub fn file(beside: &Path) -> io::Result<(Self, File)> {
        let temporary = Self::beside(beside);
        let file = private_file(&temporary.path)?;
        Ok((temporary, file))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name, and makes that reach the disk.
    pub fn rename(mut self, to: &Path) -> io::Result<()> {
        fs::rename(&self.path, to)?;
        self.is_kept = true;
        sync_folder_of(to)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        // What cannot be removed harms nobody: it has no name that means anything.
        let _ = match self.path.is_dir() {
            true => fs::remove_dir_all(&self.path),
            false => fs::remove_file(&self.path),
        };
    }
}

/// A new file that others cannot read.
pub fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A new folder that others cannot read.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// That a name is in its folder is on the disk once the folder is.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Removes what processes that are no more left beside `path` under [`Temporary`]'s names for it.
pub fn sweep_beside(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!(".{name}.");
    let entries = fs::read_dir(folder.unwrap_or(Path::new(".")));
    for entry in entries.into_iter().flatten().flatten() {
        let found = entry.file_name();
        let Some(rest) = found.to_str().and_then(|found| found.strip_prefix(&prefix)) else {
            continue;
        };
        // SQLite's journal of a copy has the copy's name.
        let pid = rest.strip_suffix("-journal").unwrap_or(rest).strip_suffix(".tmp");
        let pid = pid.and_then(|rest| rest.split_once('-'));
        let Some(pid) = pid.and_then(|(pid, _)| pid.parse::<u32>().ok()) else { continue };
        let is_gone = Path::new("/proc").is_dir() && !Path::new(&format!("/proc/{pid}")).exists();
        if is_gone {
            drop(Temporary { path: entry.path(), is_kept: false });
        }
    }
}
