//! How do files come to lie whole or not at all?

use std::path::Path;
use std::{fs, io};

use super::ModelsError;
use crate::temporary;

pub fn create_dir(path: &Path) -> Result<(), ModelsError> {
    fs::create_dir_all(path).map_err(ModelsError::io(path))
}

/// Writes a small file so that readers see the old or the new one, never a half.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), ModelsError> {
    if let Some(dir) = path.parent() {
        create_dir(dir)?;
    }
    let temporary = temporary::beside(path);
    let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    written.map_err(|error| {
        // The first error is the one to tell; a temporary file that stays harms nobody.
        let _ = fs::remove_file(&temporary);
        ModelsError::io(path)(error)
    })
}

/// Puts a copy of `from` at `to`, as a second name of the same bytes where the file system allows.
pub fn link_or_copy(from: &Path, to: &Path) -> Result<(), ModelsError> {
    let temporary = temporary::beside(to);
    let made = fs::hard_link(from, &temporary).or_else(|_| fs::copy(from, &temporary).map(|_| ()));
    made.and_then(|()| fs::rename(&temporary, to)).map_err(|error| {
        let _ = fs::remove_file(&temporary);
        ModelsError::io(to)(error)
    })
}

/// Removes a folder and what is in it; a missing one is as good.
pub fn remove_dir(path: &Path) -> Result<bool, ModelsError> {
    match fs::remove_dir_all(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(ModelsError::io(path)(error)),
    }
}

/// Removes a file; a missing one is as good.
pub fn remove_file(path: &Path) -> Result<(), ModelsError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ModelsError::io(path)(error)),
        _ => Ok(()),
    }
}

/// Removes what [`temporary::beside`] named in a folder: left by a process that was killed. The caller
/// holds the folder's lock.
pub fn sweep(dir: &Path) -> Result<(), ModelsError> {
    for entry in fs::read_dir(dir).map_err(ModelsError::io(dir))? {
        let path = entry.map_err(ModelsError::io(dir))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !(name.starts_with('.') && name.ends_with(".tmp")) {
            continue;
        }
        if path.is_dir() {
            remove_dir(&path)?;
        } else {
            remove_file(&path)?;
        }
    }
    Ok(())
}
