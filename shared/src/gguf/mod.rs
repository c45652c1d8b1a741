//! What does a GGUF file hold, and where, judged from its first bytes alone?
//!
//! A header is parsed from a growing prefix of the file, so that a browser reads a model's metadata
//! and tensor directory from its first chunks and never holds the rest. Format:
//! <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, versions 2 and 3, little-endian.

mod error;
pub mod limits;
mod metadata;
mod reader;
mod tensor;
mod value;
pub mod write;

#[cfg(test)]
mod tests;

pub use candle_core::quantized::GgmlDType;
pub use error::{GgufError, MetadataError};
pub use metadata::Metadata;
pub use tensor::{TensorInfo, tensor_size_bytes, type_id_from_ggml_type};
pub use value::{Array, StringArray, Value};
pub use write::GgufWriter;

use limits::*;
use reader::{Reader, Stop};

/// The key that says to how many bytes tensors are aligned.
const ALIGNMENT_KEY: &str = "general.alignment";

/// A file's header.
#[derive(Clone, Debug, PartialEq)]
pub struct Gguf {
    /// 2 or 3.
    pub version: u32,
    /// Bytes; every tensor's offset from the start of the data is a multiple of it.
    pub alignment: u64,
    pub metadata: Metadata,
    /// In directory order.
    pub tensors: Vec<TensorInfo>,
    /// Where the tensors' data begins.
    pub data_offset_bytes: u64,
    /// The whole file.
    pub file_bytes: u64,
}

impl Gguf {
    pub fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }
}

/// What a prefix of a file was enough for.
#[derive(Clone, Debug, PartialEq)]
pub enum Parsed {
    /// The header goes on: call again with a prefix of at least this many bytes. The number grows
    /// geometrically, so that all calls together cost a small multiple of the last.
    NeedBytes(u64),
    Done(Box<Gguf>),
}

/// Parses the header of a file of `file_bytes` bytes of which `prefix` is the beginning. An empty
/// prefix is answered by [`Parsed::NeedBytes`].
///
/// # Errors
/// One variant for each fault of the file. Nothing is allocated for what a header merely claims:
/// memory is bounded by a small multiple of `prefix`.
pub fn parse_header(prefix: &[u8], file_bytes: u64) -> Result<Parsed, GgufError> {
    let known_bytes = (prefix.len() as u64).min(file_bytes);
    match parse(&prefix[..known_bytes as usize], file_bytes) {
        Ok(gguf) => Ok(Parsed::Done(Box::new(gguf))),
        Err(Stop::Bad(error)) => Err(error),
        Err(Stop::Short { need_bytes }) => Ok(Parsed::NeedBytes(
            need_bytes.max(known_bytes.saturating_mul(2)).max(FIRST_PREFIX_BYTES).min(file_bytes),
        )),
    }
}

fn parse(prefix: &[u8], file_bytes: u64) -> Result<Gguf, Stop> {
    let mut reader = Reader::new(prefix, file_bytes);
    let magic = reader.magic()?;
    if &magic != b"GGUF" {
        return Err(GgufError::BadMagic(magic).into());
    }
    let version = reader.u32()?;
    match version {
        2 | 3 => {}
        _ if (1..=3).contains(&version.swap_bytes()) => return Err(GgufError::BigEndian.into()),
        _ => return Err(GgufError::Version(version).into()),
    }

    let n_tensors = reader.u64()?;
    // A directory entry: name length, one byte of name, axes, one axis, type, offset.
    if n_tensors > TENSORS_MAX || !reader.file_can_hold(n_tensors, 8 + 1 + 4 + 8 + 4 + 8) {
        return Err(GgufError::TensorCount { count: n_tensors }.into());
    }
    let n_keys = reader.u64()?;
    // A pair: key length, one byte of key, type, one byte of value.
    if n_keys > METADATA_KEYS_MAX || !reader.file_can_hold(n_keys, 8 + 1 + 4 + 1) {
        return Err(GgufError::MetadataCount { count: n_keys }.into());
    }

    let metadata = read_metadata(&mut reader, n_keys)?;
    let alignment = match metadata.opt_u64(ALIGNMENT_KEY) {
        Ok(alignment) => alignment.unwrap_or(DEFAULT_ALIGNMENT_BYTES),
        Err(_) => return Err(GgufError::Alignment.into()),
    };
    if !alignment.is_power_of_two() || !(8..=ALIGNMENT_BYTES_MAX).contains(&alignment) {
        return Err(GgufError::Alignment.into());
    }

    let mut tensors = tensor::read_directory(&mut reader, n_tensors)?;
    let data_offset_bytes = reader.pos_bytes().next_multiple_of(alignment);
    tensor::place(&mut tensors, data_offset_bytes, alignment, file_bytes)?;
    Ok(Gguf { version, alignment, metadata, tensors, data_offset_bytes, file_bytes })
}

fn read_metadata(reader: &mut Reader<'_>, n_keys: u64) -> Result<Metadata, Stop> {
    let mut metadata = Metadata::default();
    let mut after = String::new();
    for _ in 0..n_keys {
        let bytes = reader.u64()?;
        if !(1..=KEY_BYTES_MAX).contains(&bytes) {
            return Err(GgufError::KeyLength { after, bytes }.into());
        }
        let key = match str::from_utf8(reader.bytes(bytes)?) {
            Ok(key) => key.to_owned(),
            Err(_) => return Err(GgufError::NotUtf8 { key: after }.into()),
        };
        let type_id = reader.u32()?;
        let value = Value::read(reader, &key, type_id)?;
        if metadata.insert(key.as_str(), value).is_some() {
            return Err(GgufError::DuplicateKey { key }.into());
        }
        after = key;
    }
    Ok(metadata)
}
