//! What is on its way to its name: nobody else uses its own, it goes with its owner, and what an owner
//! left who was killed is swept.
//!
//! A name holds chance, no process's number: in a container every run of the server has the same number.
//! Whether an owner lives, its lock on the file says, which goes with it however it ends.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// A name beside `path` that nobody uses: `.NAME.CHANCE.tmp`.
pub fn beside(path: &Path) -> PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Without chance a process's number and a count keep at least those apart that run beside it.
    let chance = getrandom::u64().map(|chance| format!("{chance:016x}")).unwrap_or_else(|_| {
        format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
    });
    path.with_file_name(format!(".{name}.{chance}.tmp"))
}

/// A file or folder under such a name, readable by this account alone.
#[derive(Debug)]
pub struct Temporary {
    path: PathBuf,
    is_kept: bool,
    #[expect(dead_code, reason = "the lock goes when the file is closed")]
    lock: Option<File>,
}

impl Temporary {
    /// # Errors
    /// Where the file cannot be made.
    pub fn file(beside_path: &Path) -> io::Result<(Self, File)> {
        loop {
            let path = beside(beside_path);
            let file = private_file(&path)?;
            let lock = locked(file.try_clone()?);
            let temporary = Self { path, is_kept: false, lock };
            // Swept before it was locked.
            if temporary.path.exists() {
                return Ok((temporary, file));
            }
        }
    }

    /// # Errors
    /// Where the folder cannot be made.
    pub fn folder(beside_path: &Path) -> io::Result<Self> {
        loop {
            let path = beside(beside_path);
            private_folder(&path)?;
            // Where a folder cannot be opened it has no lock.
            let lock = File::open(&path).ok().and_then(locked);
            let temporary = Self { path, is_kept: false, lock };
            if temporary.path.exists() {
                return Ok(temporary);
            }
        }
    }

    /// An empty file that lives as long as this one's owner, for programs that lock it themselves.
    ///
    /// # Errors
    /// Where the file cannot be made.
    pub fn companion(&self, suffix: &str) -> io::Result<Self> {
        let mut path = self.path.clone().into_os_string();
        path.push("-");
        path.push(suffix);
        let path = PathBuf::from(path);
        private_file(&path)?;
        Ok(Self { path, is_kept: false, lock: None })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name, and makes that reach the disk.
    ///
    /// # Errors
    /// Where it cannot be renamed.
    pub fn rename(mut self, to: &Path) -> io::Result<()> {
        fs::rename(&self.path, to)?;
        self.is_kept = true;
        sync_folder_of(to)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_kept {
            remove(&self.path);
        }
    }
}

/// What cannot be removed harms nobody: it has no name that means anything.
fn remove(path: &Path) {
    let _ = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
}

/// Where the file system has no locks there is none, and the file is never taken for left behind.
fn locked(file: File) -> Option<File> {
    file.lock().is_ok().then_some(file)
}

/// Does `work` unless somebody is at work on `owner`, or that cannot be told. Nobody begins meanwhile: who has just
/// made a file and does not hold it yet waits, and looks whether it is still there.
fn unless_held(owner: &Path, work: impl FnOnce()) {
    // Over a network a file is locked only by who may write it; a folder nobody opens for that.
    let opened = File::options().write(true).open(owner).or_else(|_| File::open(owner));
    let _held = match opened {
        Ok(file) if file.try_lock().is_ok() => Some(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        _ => return,
    };
    work();
}

/// Removes what owners who are no more left beside `path`, with the companions.
pub fn sweep_beside(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!(".{name}.");
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let found = entry.file_name();
        let rest = found.to_str().and_then(|found| found.strip_prefix(&prefix));
        let Some((chance, _)) = rest.and_then(|rest| rest.split_once(".tmp")) else { continue };
        if !chance.contains('.') {
            let owner = folder.join(format!("{prefix}{chance}.tmp"));
            unless_held(&owner, || remove(&entry.path()));
        }
    }
}

/// Removes all in a folder that nobody works on.
pub fn sweep_in(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        unless_held(&entry.path(), || remove(&entry.path()));
    }
}

/// A new file that others cannot read.
///
/// # Errors
/// Also where there is one already.
pub fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A new folder that others cannot read.
///
/// # Errors
/// Also where there is one already.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// That a name is in its folder is on the disk once the folder is.
///
/// # Errors
/// Where the disk says so.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_owner_left_is_swept_and_what_one_works_on_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("backup");
        let (live, _) = Temporary::file(&to).unwrap();
        let of_live = live.companion("db").unwrap();
        let staging = Temporary::folder(&to).unwrap();
        // As who was killed left them: a process of this one's number, too.
        let left = format!(".backup.{}-0.tmp", std::process::id());
        let journal = format!("{left}-db-journal");
        let more = [".backup.0123456789abcdef.tmp", ".backup.00000000000000aa.tmp-db"];
        for name in [&left, &journal].into_iter().map(String::as_str).chain(more) {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        fs::create_dir_all(folder.path().join(".backup.00000000000000bb.tmp/in")).unwrap();
        let others = ["backup", ".backup.tar.zst.00000000000000cc.tmp", ".other.0-0.tmp"];
        others.iter().for_each(|name| fs::write(folder.path().join(name), "x").unwrap());

        sweep_beside(&to);
        let names = |folder: &Path| {
            let entries = fs::read_dir(folder).unwrap().flatten();
            let mut names: Vec<_> = entries.map(|entry| entry.path()).collect();
            names.sort();
            names
        };
        let mut expected: Vec<_> = others.iter().map(|name| folder.path().join(name)).collect();
        expected.extend([live.path(), of_live.path(), staging.path()].map(Path::to_owned));
        expected.sort();
        assert_eq!(names(folder.path()), expected);

        live.rename(&to).unwrap();
        drop((of_live, staging));
        assert_eq!(names(folder.path()).len(), others.len());
    }

    #[test]
    fn what_is_begun_beside_a_sweep_is_there_until_its_end() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            let works = scope.spawn(|| {
                for _ in 0..2_000 {
                    let (file, _) = Temporary::file(&folder.path().join("file")).unwrap();
                    std::thread::yield_now();
                    assert!(file.path().exists());
                }
            });
            while !works.is_finished() {
                sweep_in(folder.path());
            }
        });
    }
}
