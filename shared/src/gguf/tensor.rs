//! Where does each tensor lie, and does it lie there rightly?

use std::collections::HashSet;

use candle_core::quantized::GgmlDType;

use super::error::GgufError;
use super::limits::{DIMS_MAX, TENSOR_ELEMENTS_MAX, TENSOR_NAME_BYTES_MAX};
use super::reader::{Reader, Stop};

/// A tensor of the file's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    pub name: String,
    /// Elements along each axis, ggml's order: the fastest axis (a row's length) first.
    pub dims: Vec<u64>,
    pub ggml_type: GgmlDType,
    /// From the start of the file.
    pub offset_bytes: u64,
    pub size_bytes: u64,
}

impl TensorInfo {
    pub fn n_elements(&self) -> u64 {
        self.dims.iter().product()
    }

    /// The first byte behind it.
    pub fn end_bytes(&self) -> u64 {
        self.offset_bytes + self.size_bytes
    }
}

/// The number that ggml gives the type.
pub fn type_id_from_ggml_type(ggml_type: GgmlDType) -> u32 {
    match ggml_type {
        GgmlDType::F32 => 0,
        GgmlDType::F16 => 1,
        GgmlDType::Q4_0 => 2,
        GgmlDType::Q4_1 => 3,
        GgmlDType::Q5_0 => 6,
        GgmlDType::Q5_1 => 7,
        GgmlDType::Q8_0 => 8,
        GgmlDType::Q8_1 => 9,
        GgmlDType::Q2K => 10,
        GgmlDType::Q3K => 11,
        GgmlDType::Q4K => 12,
        GgmlDType::Q5K => 13,
        GgmlDType::Q6K => 14,
        GgmlDType::Q8K => 15,
        GgmlDType::BF16 => 30,
    }
}

fn ggml_type_from_id(tensor: &str, type_id: u32) -> Result<GgmlDType, GgufError> {
    let type_name = match type_id {
        0 => return Ok(GgmlDType::F32),
        1 => return Ok(GgmlDType::F16),
        2 => return Ok(GgmlDType::Q4_0),
        3 => return Ok(GgmlDType::Q4_1),
        6 => return Ok(GgmlDType::Q5_0),
        7 => return Ok(GgmlDType::Q5_1),
        8 => return Ok(GgmlDType::Q8_0),
        9 => return Ok(GgmlDType::Q8_1),
        10 => return Ok(GgmlDType::Q2K),
        11 => return Ok(GgmlDType::Q3K),
        12 => return Ok(GgmlDType::Q4K),
        13 => return Ok(GgmlDType::Q5K),
        14 => return Ok(GgmlDType::Q6K),
        15 => return Ok(GgmlDType::Q8K),
        30 => return Ok(GgmlDType::BF16),
        // ggml knows these (`ggml.h`, enum ggml_type); candle has no blocks for them.
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        20 => "IQ4_NL",
        21 => "IQ3_S",
        22 => "IQ2_S",
        23 => "IQ4_XS",
        24 => "I8",
        25 => "I16",
        26 => "I32",
        27 => "I64",
        28 => "F64",
        29 => "IQ1_M",
        34 => "TQ1_0",
        35 => "TQ2_0",
        39 => "MXFP4",
        40 => "NVFP4",
        _ => return Err(GgufError::UnknownTensorType { tensor: tensor.to_owned(), type_id }),
    };
    Err(GgufError::UnsupportedTensorType { tensor: tensor.to_owned(), type_name })
}

/// Bytes of a tensor.
///
/// # Errors
/// For an empty or absurdly large shape, and for rows that do not consist of whole blocks.
pub fn tensor_size_bytes(
    tensor: &str,
    dims: &[u64],
    ggml_type: GgmlDType,
) -> Result<u64, GgufError> {
    let shape = || GgufError::TensorShape { tensor: tensor.to_owned(), dims: dims.to_vec() };
    let n_elements = dims
        .iter()
        .try_fold(1u64, |n, &dim| n.checked_mul(dim))
        .filter(|n| (1..=TENSOR_ELEMENTS_MAX).contains(n))
        .ok_or_else(shape)?;
    let row_len = *dims.first().ok_or_else(shape)?;
    let block_len = ggml_type.block_size() as u64;
    if !row_len.is_multiple_of(block_len) {
        return Err(GgufError::RowNotWholeBlocks { tensor: tensor.to_owned(), row_len, block_len });
    }
    // No overflow: at most 2^40 elements of at most 292 bytes a block.
    Ok(n_elements / block_len * ggml_type.type_size() as u64)
}

/// The directory's entries, with offsets still from the start of the data.
pub(super) fn read_directory(
    reader: &mut Reader<'_>,
    n_tensors: u64,
) -> Result<Vec<TensorInfo>, Stop> {
    let mut tensors: Vec<TensorInfo> = Vec::new();
    let mut names = HashSet::new();
    for _ in 0..n_tensors {
        let after = || tensors.last().map(|last| last.name.clone()).unwrap_or_default();
        let bytes = reader.u64()?;
        if !(1..=TENSOR_NAME_BYTES_MAX).contains(&bytes) {
            return Err(GgufError::TensorNameLength { after: after(), bytes }.into());
        }
        let name = str::from_utf8(reader.bytes(bytes)?)
            .map_err(|_| GgufError::NotUtf8 { key: after() })?
            .to_owned();
        if !names.insert(name.clone()) {
            return Err(GgufError::DuplicateTensor { tensor: name }.into());
        }
        let n_dims = reader.u32()?;
        if !(1..=DIMS_MAX).contains(&n_dims) {
            return Err(GgufError::TensorRank { tensor: name, n_dims }.into());
        }
        let dims = (0..n_dims).map(|_| reader.u64()).collect::<Result<Vec<_>, _>>()?;
        let ggml_type = ggml_type_from_id(&name, reader.u32()?)?;
        let size_bytes = tensor_size_bytes(&name, &dims, ggml_type)?;
        let offset_bytes = reader.u64()?;
        tensors.push(TensorInfo { name, dims, ggml_type, offset_bytes, size_bytes });
    }
    Ok(tensors)
}

/// Makes offsets absolute and checks alignment, bounds and overlaps.
pub(super) fn place(
    tensors: &mut [TensorInfo],
    data_offset_bytes: u64,
    alignment: u64,
    file_bytes: u64,
) -> Result<(), GgufError> {
    for tensor in tensors.iter_mut() {
        if !tensor.offset_bytes.is_multiple_of(alignment) {
            return Err(GgufError::TensorMisaligned {
                tensor: tensor.name.clone(),
                offset_bytes: tensor.offset_bytes,
                alignment,
            });
        }
        let offset_bytes = tensor.offset_bytes.saturating_add(data_offset_bytes);
        let end_bytes = offset_bytes.saturating_add(tensor.size_bytes);
        if end_bytes > file_bytes {
            return Err(GgufError::TensorOutOfFile {
                tensor: tensor.name.clone(),
                end_bytes,
                file_bytes,
            });
        }
        tensor.offset_bytes = offset_bytes;
    }
    let mut by_offset: Vec<&TensorInfo> = tensors.iter().collect();
    by_offset.sort_by_key(|tensor| tensor.offset_bytes);
    match by_offset.windows(2).find(|pair| pair[0].end_bytes() > pair[1].offset_bytes) {
        Some(pair) => Err(GgufError::TensorsOverlap {
            first: pair[0].name.clone(),
            second: pair[1].name.clone(),
        }),
        None => Ok(()),
    }
}
