//! How are a model's bytes read? Mapped, so that what is read once need not stay.

use std::fs::File;

use memmap2::Mmap;
use portico_kernels::dequantise_row;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::model::ModelError;

use crate::tensors::{MatrixDesc, VectorDesc};

/// A model's file in memory, as far as it is read.
pub struct WeightFile {
    map: Mmap,
}

impl WeightFile {
    pub fn open(file: &File) -> Result<Self, ApiError> {
        // SAFETY: the library replaces files by renaming, so that a mapped one keeps its bytes; a
        // person who writes into a model's file in place harms this process, as with any program.
        let map = unsafe { Mmap::map(file) };
        let map = map.map_err(|error| ApiError::new(ErrorCode::StorageFailed).detail(error))?;
        Ok(Self { map })
    }

    /// # Errors
    /// A file that has become shorter.
    pub fn bytes(&self, offset_bytes: usize, size_bytes: usize) -> Result<&[u8], ModelError> {
        let end_bytes = offset_bytes.checked_add(size_bytes);
        end_bytes
            .and_then(|end_bytes| self.map.get(offset_bytes..end_bytes))
            .ok_or_else(|| ModelError::invalid("the file has become shorter"))
    }

    /// A row of a matrix, as floats.
    pub fn row(&self, desc: &MatrixDesc, row: usize, out: &mut [f32]) -> Result<(), ModelError> {
        let row_bytes = desc.size_bytes / desc.rows;
        let bytes = self.bytes(desc.offset_bytes + row * row_bytes, row_bytes)?;
        dequantise_row(desc.weight_type, bytes, out);
        Ok(())
    }

    pub fn vector(&self, desc: &VectorDesc) -> Result<Vec<f32>, ModelError> {
        let bytes = self.bytes(desc.offset_bytes, desc.len * 4)?.chunks_exact(4);
        Ok(bytes.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }

    /// What was read need not stay in memory.
    #[cfg(unix)]
    pub fn forget(&self) {
        // SAFETY: the mapping is read only and backed by a file: pages that are dropped are read
        // again when they are needed.
        let dropped = unsafe { self.map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
        if let Err(error) = dropped {
            tracing::debug!(%error, "the file's pages stay in memory");
        }
    }

    #[cfg(not(unix))]
    pub fn forget(&self) {}
}
