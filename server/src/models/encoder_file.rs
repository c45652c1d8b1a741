//! How is an encoder opened, whatever its format?

use std::fs::File;
use std::io::Read as _;

use portico_inference::EmbedderFile;
use portico_shared::catalogue::Format;
use portico_shared::error::{ApiError, ErrorCode};

use super::{Entry, Library, ModelsError, header};

/// A tokenizer's or a configuration's text; the largest known has 17 MB.
const TEXT_BYTES_MAX: u64 = 64 << 20;

/// Opens a model's files in the catalogue's order: weights, then for safetensors tokenizer, config and
/// pooling.
///
/// # Errors
/// `model_invalid`, `model_unsupported`, `storage_failed`.
pub fn open_encoder(library: &Library, entry: &Entry) -> Result<EmbedderFile, ApiError> {
    let model = &entry.model;
    let path = |index: usize| {
        let file = model.files.get(index).ok_or_else(|| {
            let reason = format!("{} has only {} files", model.id, model.files.len());
            ApiError::new(ErrorCode::ModelInvalid).with("reason", reason)
        })?;
        Ok::<_, ApiError>(library.layout.file(&model.id, &file.name))
    };
    let open = |index: usize| {
        let path = path(index)?;
        File::open(&path).map_err(|error| ApiError::from(&ModelsError::io(&path)(error)))
    };
    let text = |index: usize| {
        let mut text = String::new();
        let read = open(index)?.take(TEXT_BYTES_MAX).read_to_string(&mut text);
        let path = path(index)?;
        read.map_err(|error| ApiError::from(&ModelsError::io(&path)(error)))?;
        Ok::<_, ApiError>(text)
    };
    let (weights, n_ctx) = (open(0)?, model.n_ctx as usize);
    match model.format {
        Format::E5s1 => EmbedderFile::e5s1(&weights),
        Format::Gguf => {
            let gguf = header::read_file(&path(0)?).map_err(|error| ApiError::from(&error))?;
            EmbedderFile::gguf(&weights, gguf, n_ctx)
        }
        Format::Safetensors => {
            let (tokenizer, config, pooling) = (text(1)?, text(2)?, text(3)?);
            EmbedderFile::safetensors(&weights, &config, &tokenizer, &pooling, n_ctx)
        }
    }
}
