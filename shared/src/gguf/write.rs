//! How is a GGUF file written? For models made by tests and for converters.

use candle_core::quantized::GgmlDType;

use super::limits::DEFAULT_ALIGNMENT_BYTES;
use super::value::{Value, write_string};
use super::{ALIGNMENT_KEY, GgufError, Parsed, parse_header, type_id_from_ggml_type};

#[derive(Debug)]
struct Tensor {
    name: String,
    dims: Vec<u64>,
    ggml_type: GgmlDType,
    data: Vec<u8>,
}

/// Collects metadata and tensors, then writes one file of version 3.
#[derive(Debug, Default)]
pub struct GgufWriter {
    metadata: Vec<(String, Value)>,
    tensors: Vec<Tensor>,
}

impl GgufWriter {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.push((key.into(), value.into()));
        self
    }

    /// `dims` in ggml's order, the row's length first; `data` as ggml lays the blocks.
    pub fn tensor(
        mut self,
        name: impl Into<String>,
        dims: &[u64],
        ggml_type: GgmlDType,
        data: Vec<u8>,
    ) -> Self {
        self.tensors.push(Tensor { name: name.into(), dims: dims.to_vec(), ggml_type, data });
        self
    }

    /// The file's bytes, read back once.
    ///
    /// # Errors
    /// What a reader would refuse it for.
    pub fn finish(&self) -> Result<Vec<u8>, GgufError> {
        let file = self.to_bytes();
        match parse_header(&file, file.len() as u64)? {
            Parsed::Done(_) => Ok(file),
            Parsed::NeedBytes(_) => Err(GgufError::Truncated { file_bytes: file.len() as u64 }),
        }
    }

    /// The file's bytes, unchecked: tests of refusal start from here.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut file = Vec::new();
        self.for_each_piece(|piece| file.extend_from_slice(piece));
        file
    }

    /// Hands the file on in pieces, from its first byte to its last.
    pub fn for_each_piece(&self, mut each: impl FnMut(&[u8])) {
        let alignment = self
            .metadata
            .iter()
            .find_map(|(key, value)| match value {
                Value::U32(bytes) if key == ALIGNMENT_KEY => Some(u64::from(*bytes)),
                _ => None,
            })
            .unwrap_or(DEFAULT_ALIGNMENT_BYTES)
            .max(1) as usize;

        let mut file = b"GGUF".to_vec();
        file.extend_from_slice(&3u32.to_le_bytes());
        file.extend_from_slice(&(self.tensors.len() as u64).to_le_bytes());
        file.extend_from_slice(&(self.metadata.len() as u64).to_le_bytes());
        for (key, value) in &self.metadata {
            write_string(&mut file, key);
            file.extend_from_slice(&value.type_id().to_le_bytes());
            value.write(&mut file);
        }
        let mut offset_bytes = 0;
        for tensor in &self.tensors {
            write_string(&mut file, &tensor.name);
            file.extend_from_slice(&(tensor.dims.len() as u32).to_le_bytes());
            for dim in &tensor.dims {
                file.extend_from_slice(&dim.to_le_bytes());
            }
            file.extend_from_slice(&type_id_from_ggml_type(tensor.ggml_type).to_le_bytes());
            file.extend_from_slice(&(offset_bytes as u64).to_le_bytes());
            offset_bytes += tensor.data.len().next_multiple_of(alignment);
        }
        file.resize(file.len().next_multiple_of(alignment), 0);
        each(&file);
        for tensor in &self.tensors {
            each(&tensor.data);
            let n_bytes = tensor.data.len();
            each(&vec![0; n_bytes.next_multiple_of(alignment) - n_bytes]);
        }
    }
}
