//! How is a matrix repacked while its bytes arrive?

use super::QuantType;
use super::tile::Planes;
use crate::EngineError;
use crate::linear::{LinearWeight, Part, Placement, TILE};
use crate::record::BufferId;

/// Bytes for a weight buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write<'a> {
    pub buffer: BufferId,
    /// A multiple of 4, as is the length.
    pub offset_bytes: u64,
    pub bytes: &'a [u8],
}

/// Planes are handed on when they have reached this size (one tile may exceed it).
const BATCH_BYTES: usize = 2 << 20;

/// Repacks one matrix of a [`LinearWeight`].
pub struct Repacker {
    name: String,
    quant: QuantType,
    cols: u32,
    row_bytes: usize,
    /// Bytes that are still to come.
    missing_bytes: u64,
    parts: Vec<Part>,
    placements: std::iter::Peekable<std::vec::IntoIter<Placement>>,
    /// Rows of the first placement that were repacked.
    rows_done: u32,
    /// Bytes of a tile that is not whole.
    pending: Vec<u8>,
    planes: Planes,
    /// Tiles in `planes`.
    n_tiles: u32,
}

impl Repacker {
    /// For matrix `index` of `weight`.
    pub fn new(weight: &LinearWeight, index: usize) -> Self {
        let matrix = &weight.matrices[index];
        let row_bytes = matrix.quant.row_bytes(matrix.cols);
        Self {
            name: matrix.name.clone(),
            quant: matrix.quant,
            cols: matrix.cols,
            row_bytes: row_bytes as usize,
            missing_bytes: row_bytes * u64::from(matrix.rows),
            parts: weight.parts.clone(),
            placements: weight.placements[index].clone().into_iter().peekable(),
            rows_done: 0,
            pending: Vec::new(),
            planes: Planes::new(matrix.quant.format(), matrix.cols),
            n_tiles: 0,
        }
    }

    /// Bytes of the matrix that were not pushed yet.
    pub fn missing_bytes(&self) -> u64 {
        self.missing_bytes
    }

    /// Takes the next bytes of the matrix and hands on what is whole.
    ///
    /// # Errors
    /// [`EngineError::InvalidModel`] for more bytes than the matrix has.
    pub fn push(
        &mut self,
        mut bytes: &[u8],
        write: &mut dyn FnMut(Write<'_>),
    ) -> Result<(), EngineError> {
        let n_bytes = bytes.len() as u64;
        if n_bytes > self.missing_bytes {
            let excess = n_bytes - self.missing_bytes;
            return Err(EngineError::invalid(format!("{}: {excess} bytes too many", self.name)));
        }
        self.missing_bytes -= n_bytes;
        while let Some(&placement) = self.placements.peek() {
            let rows = TILE.min(placement.rows - self.rows_done);
            let tile_bytes = rows as usize * self.row_bytes;
            if self.pending.is_empty() && bytes.len() >= tile_bytes {
                let (tile, rest) = bytes.split_at(tile_bytes);
                self.planes.push_tile(self.quant, self.row_bytes, tile);
                bytes = rest;
            } else {
                let taken = bytes.len().min(tile_bytes - self.pending.len());
                self.pending.extend_from_slice(&bytes[..taken]);
                bytes = &bytes[taken..];
                if self.pending.len() < tile_bytes {
                    break;
                }
                self.planes.push_tile(self.quant, self.row_bytes, &self.pending);
                self.pending.clear();
            }
            self.n_tiles += 1;
            self.rows_done += rows;
            let is_done = self.rows_done == placement.rows;
            if is_done || self.planes.size_bytes() >= BATCH_BYTES {
                self.flush(placement, write);
            }
            if is_done {
                self.placements.next();
                self.rows_done = 0;
            }
        }
        Ok(())
    }

    /// Checks that the matrix is whole. Everything was written by then.
    ///
    /// # Errors
    /// [`EngineError::InvalidModel`] where bytes are missing.
    pub fn finish(self) -> Result<(), EngineError> {
        match self.missing_bytes {
            0 => Ok(()),
            missing => {
                Err(EngineError::invalid(format!("{}: {missing} bytes are missing", self.name)))
            }
        }
    }

    fn flush(&mut self, placement: Placement, write: &mut dyn FnMut(Write<'_>)) {
        let part = &self.parts[placement.part];
        let segment = part.segments[placement.segment];
        let blocks = u64::from(self.cols / 32);
        let first_tile = placement.tile + self.rows_done.div_ceil(TILE) - self.n_tiles;
        let elements_before = u64::from(first_tile) * u64::from(TILE) * blocks;
        let vec4s = u64::from(segment.format.quant_vec4s());
        write(Write {
            buffer: part.buffer,
            offset_bytes: (u64::from(segment.quants_at) + elements_before * vec4s) * 16,
            bytes: &self.planes.quants,
        });
        let plane_words = u64::from(segment.padded_rows) * blocks;
        for plane in 0..segment.format.word_planes() {
            write(Write {
                buffer: part.buffer,
                offset_bytes: (u64::from(segment.words_at)
                    + u64::from(plane) * plane_words
                    + elements_before)
                    * 4,
                bytes: &self.planes.words[plane as usize],
            });
        }
        self.planes.clear();
        self.n_tiles = 0;
    }
}
