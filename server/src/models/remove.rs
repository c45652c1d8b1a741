//! How does a model leave this server?

use super::{Library, ModelsError, store};

/// Deletes a model's files and digests and gives the bytes that became free. Pins stay: what is
/// pulled again must be what it was.
///
/// # Errors
/// `NotFound`, `Absent` when nothing of it is here, `Io`.
pub fn remove(library: &Library, id: &str) -> Result<u64, ModelsError> {
    library.look()?.get(id)?;
    let layout = &library.layout;
    let dir = layout.model(id);
    let mut freed_bytes = 0;
    if let Ok(files) = std::fs::read_dir(&dir) {
        for file in files {
            let meta = file.and_then(|file| file.metadata()).map_err(ModelsError::io(&dir))?;
            freed_bytes += meta.len();
        }
    }
    // Digests first: without their file they would only mislead.
    store::remove_dir(&layout.digests(id))?;
    let browser_file = layout.browser_file(id);
    freed_bytes += std::fs::metadata(&browser_file).map_or(0, |meta| meta.len());
    store::remove_file(&browser_file)?;
    match store::remove_dir(&dir)? {
        true => Ok(freed_bytes),
        false => Err(ModelsError::Absent(id.to_owned())),
    }
}
