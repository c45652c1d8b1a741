//! How do a file's bytes become buffers on the GPU without ever lying whole in memory?

use std::collections::BTreeMap;

use portico_shared::gguf::Gguf;

use crate::EngineError;
use crate::gpu::{Buffers, Gpu};
use crate::linear::LinearWeight;
use crate::model::VectorDesc;
use crate::plan::Vectors;
use crate::record::{BufferId, Recording};
use crate::repack::Repacker;

/// Where a tensor's bytes go.
#[derive(Clone, Copy, Debug)]
enum Target {
    /// The `matrix`th of a layer's weights.
    Matrix { weight: usize, matrix: usize },
    /// As they are.
    Copy { buffer: BufferId, offset_bytes: u64 },
    /// Kept for the CPU.
    Host,
}

/// A tensor's place in the file.
#[derive(Clone, Debug)]
struct Span {
    end_bytes: u64,
    target: Target,
}

/// The tensor whose bytes are coming.
enum Open {
    Matrix(Box<Repacker>),
    Copy { buffer: BufferId, offset_bytes: u64, pending: Vec<u8> },
    Host,
}

/// Takes a file's bytes in order and writes what a plan wants of them.
pub(super) struct Feeder {
    gpu: Gpu,
    weights: Vec<LinearWeight>,
    /// By first byte.
    spans: BTreeMap<u64, Span>,
    open: Option<(Span, Open)>,
    /// Of the file.
    position_bytes: u64,
    file_bytes: u64,
    unflushed_bytes: usize,
    pub buffers: Buffers,
    /// The bytes of the tensor that the CPU wants.
    pub host: Vec<u8>,
}

/// Writes wait in the driver's memory until a submit; this many are let to wait.
const FLUSH_BYTES: usize = 8 << 20;

impl Feeder {
    /// Allocates the buffers of `recording`. Every matrix of `weights`, every part of `vectors` and
    /// `host` were found in the file when the plan was made.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`], [`EngineError::DeviceLost`].
    pub async fn new<'a>(
        gpu: &Gpu,
        gguf: &Gguf,
        recording: &Recording,
        weights: impl Iterator<Item = &'a LinearWeight>,
        vectors: impl Iterator<Item = &'a Vectors>,
        host: Option<&VectorDesc>,
    ) -> Result<Self, EngineError> {
        let mut spans = BTreeMap::new();
        let mut add = |name: &str, target: Target| {
            if let Some(tensor) = gguf.tensor(name) {
                let span = Span { end_bytes: tensor.end_bytes(), target };
                spans.insert(tensor.offset_bytes, span);
            }
        };
        let weights: Vec<LinearWeight> = weights.cloned().collect();
        for (index, weight) in weights.iter().enumerate() {
            for (matrix, desc) in weight.matrices.iter().enumerate() {
                add(&desc.name, Target::Matrix { weight: index, matrix });
            }
        }
        for Vectors { buffer, parts } in vectors {
            let mut offset_bytes = 0;
            for part in parts {
                add(&part.name, Target::Copy { buffer: *buffer, offset_bytes });
                offset_bytes += u64::from(part.len) * 4;
            }
        }
        if let Some(host) = host {
            add(&host.name, Target::Host);
        }
        let mut buffers = Buffers::new(gpu);
        buffers.extend(&recording.buffers).await?;
        Ok(Self {
            gpu: gpu.clone(),
            weights,
            spans,
            open: None,
            position_bytes: gguf.data_offset_bytes,
            file_bytes: gguf.file_bytes,
            unflushed_bytes: 0,
            buffers,
            host: Vec::new(),
        })
    }

    /// As [`super::ModelLoader::push`].
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), EngineError> {
        self.gpu.check()?;
        if self.position_bytes + bytes.len() as u64 > self.file_bytes {
            return Err(EngineError::invalid("more bytes than the file has"));
        }
        while !bytes.is_empty() {
            if self.open.is_none() {
                self.open_next();
            }
            let end_bytes = match &self.open {
                Some((span, _)) => span.end_bytes,
                // Padding between tensors, and tensors that nothing reads.
                None => self.spans.keys().next().copied().unwrap_or(self.file_bytes),
            };
            let n = usize::try_from(end_bytes - self.position_bytes)
                .map_or(bytes.len(), |left| left.min(bytes.len()));
            let (now, rest) = bytes.split_at(n);
            bytes = rest;
            self.position_bytes += n as u64;
            self.take(now)?;
            if self.position_bytes == end_bytes
                && let Some((_, Open::Matrix(repacker))) = self.open.take()
            {
                repacker.finish()?;
            }
        }
        Ok(())
    }

    /// Opens the tensor that begins here, if one does.
    fn open_next(&mut self) {
        let Some(span) = self.spans.remove(&self.position_bytes) else { return };
        let open = match span.target {
            Target::Matrix { weight, matrix } => {
                Open::Matrix(Box::new(Repacker::new(&self.weights[weight], matrix)))
            }
            Target::Copy { buffer, offset_bytes } => {
                Open::Copy { buffer, offset_bytes, pending: Vec::new() }
            }
            Target::Host => Open::Host,
        };
        self.open = Some((span, open));
    }

    /// Hands bytes of the open tensor on.
    fn take(&mut self, bytes: &[u8]) -> Result<(), EngineError> {
        let buffers = &self.buffers;
        let mut written = 0;
        match &mut self.open {
            None => {}
            Some((_, Open::Host)) => self.host.extend_from_slice(bytes),
            Some((_, Open::Copy { buffer, offset_bytes, pending })) => {
                // Writes are of whole words; a vector's length is a whole number of them.
                pending.extend_from_slice(bytes);
                let whole = pending.len() & !3;
                buffers.write(*buffer, *offset_bytes, &pending[..whole]);
                pending.drain(..whole);
                *offset_bytes += whole as u64;
                written = whole;
            }
            Some((_, Open::Matrix(repacker))) => repacker.push(bytes, &mut |write| {
                buffers.write(write.buffer, write.offset_bytes, write.bytes);
                written += write.bytes.len();
            })?,
        }
        self.unflushed_bytes += written;
        if self.unflushed_bytes >= FLUSH_BYTES {
            self.gpu.flush();
            self.unflushed_bytes = 0;
        }
        Ok(())
    }

    /// # Errors
    /// [`EngineError::InvalidModel`] when bytes are missing.
    pub fn check_whole(&self) -> Result<(), EngineError> {
        let at = self.position_bytes;
        if let Some(missing) = self.spans.keys().next() {
            return Err(EngineError::invalid(format!(
                "the file ended at byte {at}, a tensor begins at {missing}"
            )));
        }
        if self.open.is_some() {
            let reason = format!("the file ended at byte {at}, within a tensor");
            return Err(EngineError::invalid(reason));
        }
        Ok(())
    }
}
