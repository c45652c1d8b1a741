//! A GGUF file of the architecture `bert`, as llama.cpp's converter and ours write them.

use std::collections::BTreeMap;
use std::fs::File;

use memmap2::Mmap;
use portico_kernels::WeightType;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::gguf::{Gguf, type_id_from_ggml_type};
use portico_shared::model::{EncoderConfig, ModelError};

use super::source::{Source, Tensor};

/// Opens a file whose header was read; texts get at most `n_ctx` tokens.
pub fn open(file: &File, gguf: Gguf, n_ctx: usize) -> Result<Source, ApiError> {
    if !EncoderConfig::is_in(&gguf) {
        let name = gguf.metadata.opt_str("general.architecture").ok().flatten();
        let reason = format!("the architecture `{}` of an encoder", name.unwrap_or_default());
        return Err(ModelError::unsupported(reason).into());
    }
    let mut config = EncoderConfig::from_gguf(&gguf)?;
    config.n_ctx = config.n_ctx.min(n_ctx);
    // SAFETY: the library replaces files by renaming, so that a mapped one keeps its bytes.
    let map = unsafe { Mmap::map(file) };
    let map = map.map_err(|error| ApiError::new(ErrorCode::StorageFailed).detail(error))?;
    let mut tensors = BTreeMap::new();
    for tensor in &gguf.tensors {
        let weight_type = WeightType::from_ggml(type_id_from_ggml_type(tensor.ggml_type));
        let weight_type = weight_type.ok_or_else(|| {
            let (name, kind) = (&tensor.name, tensor.ggml_type);
            ModelError::unsupported(format!("`{name}` has the weight type {kind:?}"))
        })?;
        let n_elements = tensor.n_elements() as usize;
        let bytes = tensor.offset_bytes as usize..tensor.end_bytes() as usize;
        tensors.insert(tensor.name.clone(), Tensor { weight_type, n_elements, bytes });
    }
    Ok(Source { config, metadata: gguf.metadata, tensors, map })
}
