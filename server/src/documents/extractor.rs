//! Who reads a file? A child process with limits, one of a few at a time.

use std::path::Path;
use std::sync::Arc;

use portico_documents::{EXTRACT_VERB, Extracted, Hint, Limits};
use portico_shared::error::ApiError;

use super::media_type;
use super::passages::internal;
use crate::config::DocumentsConfig;

/// What may be spent on a file.
pub struct Extractor {
    extractor: Arc<portico_documents::Extractor>,
}

impl Extractor {
    /// # Errors
    /// Where the program cannot tell where it lies.
    pub fn new(config: &DocumentsConfig, n_children: usize) -> Result<Self, ApiError> {
        let limits = Limits {
            file_bytes: config.max_file_bytes,
            memory_mb: config.extract_memory_bytes.div_ceil(1 << 20),
            wall_s: config.extract.as_secs().max(1),
            cpu_s: config.extract.as_secs().max(1),
            ..Limits::default()
        };
        let extractor = match &config.reader {
            Some(program) => portico_documents::Extractor::of_program(
                program,
                &[EXTRACT_VERB],
                limits,
                n_children,
            ),
            None => portico_documents::Extractor::new(limits, n_children)?,
        };
        Ok(Self { extractor: Arc::new(extractor) })
    }

    /// What the file says.
    ///
    /// # Errors
    /// `document_unreadable`, `document_needs_ocr` and the like, `extract_timeout`, `extract_memory`.
    pub async fn run(
        &self,
        path: &Path,
        name: &str,
        media_type: &str,
    ) -> Result<Extracted, ApiError> {
        let said = (media_type != media_type::UNKNOWN).then(|| media_type.to_owned());
        let hint = Hint { name: name.to_owned(), media_type: said };
        let (extractor, path) = (Arc::clone(&self.extractor), path.to_owned());
        let read = tokio::task::spawn_blocking(move || extractor.run(&path, &hint)).await;
        Ok(read.map_err(internal)??)
    }
}
