//! Why is a file refused? One variant for each fault, each naming the place.

use super::limits::*;
use crate::error::{ApiError, ErrorCode};

/// Why a GGUF header is refused. Every variant is a property of the file; none depends on how much
/// of it was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GgufError {
    #[error("it does not begin with `GGUF` but with {0:02x?}")]
    BadMagic([u8; 4]),
    #[error("GGUF version {0}: this build reads 2 and 3")]
    Version(u32),
    #[error("it is written big-endian")]
    BigEndian,
    #[error("it ends after {file_bytes} bytes, inside its header")]
    Truncated { file_bytes: u64 },
    #[error("its header has more than {HEADER_BYTES_MAX} bytes")]
    HeaderTooLong,
    #[error(
        "it claims {count} tensors: at most {TENSORS_MAX} are read, and no more than fit in it"
    )]
    TensorCount { count: u64 },
    #[error(
        "it claims {count} metadata keys: at most {METADATA_KEYS_MAX} are read, and no more than fit in it"
    )]
    MetadataCount { count: u64 },
    #[error("a key of {bytes} bytes after `{after}`: at least 1 and at most {KEY_BYTES_MAX}")]
    KeyLength { after: String, bytes: u64 },
    #[error(
        "a tensor's name of {bytes} bytes after `{after}`: at least 1 and at most {TENSOR_NAME_BYTES_MAX}"
    )]
    TensorNameLength { after: String, bytes: u64 },
    #[error(
        "a string of {bytes} bytes in `{key}`: at most {STRING_BYTES_MAX} are read, and no more than fit in the file"
    )]
    StringLength { key: String, bytes: u64 },
    #[error(
        "an array of {len} elements in `{key}`: at most {ARRAY_LEN_MAX} are read, and no more than fit in the file"
    )]
    ArrayLength { key: String, len: u64 },
    #[error("an array of arrays in `{key}`")]
    NestedArray { key: String },
    #[error("text that is not UTF-8 in or after `{key}`")]
    NotUtf8 { key: String },
    #[error("a value of unknown type {type_id} in `{key}`")]
    UnknownValueType { key: String, type_id: u32 },
    #[error("a truth value of {value} in `{key}`")]
    NotABool { key: String, value: u8 },
    #[error("the key `{key}` stands twice")]
    DuplicateKey { key: String },
    #[error("the tensor `{tensor}` stands twice")]
    DuplicateTensor { tensor: String },
    #[error("an alignment that is no power of two from 8 to {ALIGNMENT_BYTES_MAX}")]
    Alignment,
    #[error("the tensor `{tensor}` has {n_dims} axes: 1 to {DIMS_MAX} are read")]
    TensorRank { tensor: String, n_dims: u32 },
    #[error(
        "the tensor `{tensor}` of shape {dims:?} is empty or has more than {TENSOR_ELEMENTS_MAX} elements"
    )]
    TensorShape { tensor: String, dims: Vec<u64> },
    #[error("the tensor `{tensor}` has a type that ggml does not know ({type_id})")]
    UnknownTensorType { tensor: String, type_id: u32 },
    #[error("the tensor `{tensor}` is quantised as {type_name}, which this build does not read")]
    UnsupportedTensorType { tensor: String, type_name: &'static str },
    #[error(
        "the tensor `{tensor}` has rows of {row_len} elements: no multiple of its type's block of {block_len}"
    )]
    RowNotWholeBlocks { tensor: String, row_len: u64, block_len: u64 },
    #[error("the tensor `{tensor}` begins at {offset_bytes}, no multiple of {alignment}")]
    TensorMisaligned { tensor: String, offset_bytes: u64, alignment: u64 },
    #[error("the tensor `{tensor}` ends at byte {end_bytes}, beyond the file's {file_bytes}")]
    TensorOutOfFile { tensor: String, end_bytes: u64, file_bytes: u64 },
    #[error("the tensors `{first}` and `{second}` overlap")]
    TensorsOverlap { first: String, second: String },
}

/// Why a metadata value cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    #[error("the key `{key}` is missing")]
    Missing { key: String },
    #[error("`{key}` is {found}, not {expected}")]
    Type { key: String, expected: &'static str, found: &'static str },
    #[error("the value of `{key}` does not fit {expected}")]
    Range { key: String, expected: &'static str },
}

impl From<GgufError> for ApiError {
    fn from(error: GgufError) -> Self {
        let code = match error {
            GgufError::Version(_)
            | GgufError::BigEndian
            | GgufError::UnsupportedTensorType { .. } => ErrorCode::ModelUnsupported,
            _ => ErrorCode::ModelInvalid,
        };
        Self::new(code).with("reason", &error).detail(format!("{error:?}"))
    }
}

impl From<MetadataError> for ApiError {
    fn from(error: MetadataError) -> Self {
        Self::new(ErrorCode::ModelInvalid).with("reason", &error).detail(format!("{error:?}"))
    }
}
