//! How do a linear layer's weights lie on the GPU?
//!
//! Rows are cut into tiles of 32. A part's buffer holds, for each of its [`Segment`]s (a run of rows
//! of one format), planes that are each ordered `[tile][block of 32 columns][row of the tile]`: lanes
//! that own neighbouring rows read neighbouring words, in a matrix–vector as in a matrix product.
//!
//! | plane | a (row, block)'s element | formats |
//! |---|---|---|
//! | quants | one `vec4<u32>`: word j has elements 8j…8j+3 in its bytes' low nibbles, 8j+4…8j+7 in the high ones | Q4, Q5, Q6 |
//! | quants | `vec4`s `[n][row]` of 16 signed bytes (n = 2), 8 halves (n = 4), 4 floats (n = 8) | Q8, F16, F32 |
//! | scales | `f16` pair: (d, m) with weight = d·q + m; for Q6 and Q8 (d of elements 0…15, of 16…31) with weight = d·q | Q4 … Q8 |
//! | high | a word: bit 8b + 2j + h is bit 4 of element 8j + 4h + b | Q5 |
//! | high | two planes of a word, j < 2 and j ≥ 2: bits 8b + 2(2(j mod 2) + h) … +1 are bits 4, 5 of element 8j + 4h + b; less 32 | Q6 |
//!
//! So `w & 0x0f0f0f0f` are four bytes in the order of four activations, ready for `dot4I8Packed`.

use crate::EngineError;
use crate::record::{BufferId, BufferKind, Recording};
use crate::repack::QuantType;

/// Rows of a tile.
pub const TILE: u32 = 32;
/// Segments begin and end at multiples of this many rows, which every workgroup's share divides.
pub const ROW_GROUP: u32 = 64;

/// The formats that kernels read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WeightFormat {
    /// 4 bits, scale and minimum for 32: from Q4_0, Q4_1, Q4_K.
    Q4,
    /// 5 bits, scale and minimum for 32: from Q5_0, Q5_1, Q5_K.
    Q5,
    /// 6 bits less 32, scale for 16: from Q6_K.
    Q6,
    /// Signed 8 bits, scale for 32: from Q8_0.
    Q8,
    F16,
    F32,
}

impl WeightFormat {
    /// The kernels' symbol `FMT…`.
    pub fn code(self) -> u32 {
        match self {
            Self::Q4 => 4,
            Self::Q5 => 5,
            Self::Q6 => 6,
            Self::Q8 => 8,
            Self::F16 => 16,
            Self::F32 => 32,
        }
    }

    pub fn is_quantised(self) -> bool {
        self.code() < 16
    }

    /// `vec4<u32>`s of a block of 32 in the plane of quants.
    pub fn quant_vec4s(self) -> u32 {
        match self {
            Self::Q4 | Self::Q5 | Self::Q6 => 1,
            Self::Q8 => 2,
            Self::F16 => 4,
            Self::F32 => 8,
        }
    }

    /// Planes of one word for a block: scales, then high bits.
    pub fn word_planes(self) -> u32 {
        match self {
            Self::Q4 | Self::Q8 => 1,
            Self::Q5 => 2,
            Self::Q6 => 3,
            Self::F16 | Self::F32 => 0,
        }
    }

    /// Bytes of 32 weights.
    pub fn block_bytes(self) -> u32 {
        self.quant_vec4s() * 16 + self.word_planes() * 4
    }
}

/// A matrix of the model's file, `rows × cols`, row-major.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatrixDesc {
    pub name: String,
    pub quant: QuantType,
    pub rows: u32,
    pub cols: u32,
}

/// How do several matrices make one layer?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stacking {
    /// Their rows one after the other: Q, K, V.
    Rows,
    /// Two of one shape, gate and up; a workgroup computes the same rows of both.
    Gated,
}

/// A run of rows of one format in a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    pub format: WeightFormat,
    /// Rows that exist.
    pub rows: u32,
    /// `rows` up to a multiple of [`ROW_GROUP`].
    pub padded_rows: u32,
    /// Where its first row stands in the layer's output.
    pub out_at: u32,
    /// Where the quants begin, in `vec4<u32>`s of the part's buffer.
    pub quants_at: u32,
    /// Where the words' planes begin, in words; each has `padded_rows·cols/32`.
    pub words_at: u32,
}

impl Segment {
    fn size_bytes(format: WeightFormat, padded_rows: u32, cols: u32) -> u64 {
        u64::from(padded_rows) * u64::from(cols / 32) * u64::from(format.block_bytes())
    }
}

/// What one dispatch reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub buffer: BufferId,
    pub size_bytes: u64,
    pub segments: Vec<Segment>,
}

/// Where a run of a matrix's rows goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    pub part: usize,
    pub segment: usize,
    /// The segment's tile that `first_row` begins.
    pub tile: u32,
    pub first_row: u32,
    pub rows: u32,
}

/// The weights of a linear layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinearWeight {
    pub stacking: Stacking,
    pub cols: u32,
    /// Rows of the output; for [`Stacking::Gated`] of one of the two.
    pub rows: u32,
    pub matrices: Vec<MatrixDesc>,
    pub parts: Vec<Part>,
    /// For each matrix, in the order of its rows.
    pub placements: Vec<Vec<Placement>>,
}

struct PartDraft {
    segments: Vec<Segment>,
    bytes: u64,
}

impl LinearWeight {
    /// Lays out `matrices` and adds their buffers to `recording`.
    ///
    /// # Errors
    /// [`EngineError::InvalidModel`] where shapes do not fit together, and
    /// [`EngineError::Unsupported`] for columns that are no multiple of 32 or where one group of
    /// rows exceeds `max_binding_bytes`.
    pub fn plan(
        recording: &mut Recording,
        label: &str,
        matrices: Vec<MatrixDesc>,
        stacking: Stacking,
        max_binding_bytes: u64,
    ) -> Result<Self, EngineError> {
        let Some(first) = matrices.first() else {
            return Err(EngineError::invalid(format!("{label} has no matrix")));
        };
        let cols = first.cols;
        if cols == 0 || !cols.is_multiple_of(32) {
            return Err(EngineError::unsupported(format!(
                "{} has {cols} columns; a multiple of 32 is needed",
                first.name
            )));
        }
        for matrix in &matrices {
            if matrix.cols != cols || matrix.rows == 0 {
                return Err(EngineError::invalid(format!(
                    "{} is {}×{}, but {} has {cols} columns",
                    matrix.name, matrix.rows, matrix.cols, first.name
                )));
            }
            if !cols.is_multiple_of(matrix.quant.block_len()) {
                return Err(EngineError::invalid(format!(
                    "{}: {cols} columns are no multiple of its blocks of {}",
                    matrix.name,
                    matrix.quant.block_len()
                )));
            }
        }
        // Offsets in the kernels are 32-bit counts of words.
        let limit = max_binding_bytes.min(u64::from(u32::MAX)) & !255;
        let (drafts, placements, rows) = match stacking {
            Stacking::Rows => stack_rows(&matrices, cols, limit)?,
            Stacking::Gated => stack_gated(label, &matrices, cols, limit)?,
        };
        let parts = drafts
            .into_iter()
            .enumerate()
            .map(|(index, draft)| Part {
                buffer: recording.buffer(
                    format!("{label}.{index}"),
                    BufferKind::Weight,
                    draft.bytes,
                ),
                size_bytes: draft.bytes,
                segments: draft.segments,
            })
            .collect();
        Ok(Self { stacking, cols, rows, matrices, parts, placements })
    }

    /// Bytes on the GPU.
    pub fn size_bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.size_bytes).sum()
    }

    /// Weights of the matrices: multiply-adds of a token.
    pub fn n_weights(&self) -> u64 {
        self.matrices.iter().map(|m| u64::from(m.rows) * u64::from(m.cols)).sum()
    }
}

fn group_bytes(format: WeightFormat, cols: u32) -> u64 {
    Segment::size_bytes(format, ROW_GROUP, cols)
}

fn too_wide(name: &str, limit: u64) -> EngineError {
    EngineError::unsupported(format!(
        "{ROW_GROUP} rows of {name} exceed a binding of {limit} bytes"
    ))
}

impl PartDraft {
    fn new() -> Self {
        Self { segments: Vec::new(), bytes: 0 }
    }

    /// Adds `rows` as a new segment or to the last one, if that has the same format and ends at a
    /// group's border. Returns the segment and the tile where they begin.
    fn add(&mut self, format: WeightFormat, rows: u32, out_at: u32, cols: u32) -> (usize, u32) {
        let padded_rows = rows.next_multiple_of(ROW_GROUP);
        self.bytes += Segment::size_bytes(format, padded_rows, cols);
        match self.segments.last_mut() {
            Some(last) if last.format == format && last.rows == last.padded_rows => {
                let tile = last.rows / TILE;
                last.rows += rows;
                last.padded_rows += padded_rows;
                (self.segments.len() - 1, tile)
            }
            _ => {
                self.segments.push(Segment {
                    format,
                    rows,
                    padded_rows,
                    out_at,
                    quants_at: 0,
                    words_at: 0,
                });
                (self.segments.len() - 1, 0)
            }
        }
    }

    /// Gives every plane its place.
    fn place(&mut self, cols: u32) {
        let mut word = 0;
        for segment in &mut self.segments {
            let elements = segment.padded_rows * (cols / 32);
            segment.quants_at = word / 4;
            word += elements * segment.format.quant_vec4s() * 4;
            segment.words_at = word;
            word += elements * segment.format.word_planes();
        }
    }
}

type Layout = (Vec<PartDraft>, Vec<Vec<Placement>>, u32);

/// More segments make a kernel longer; real layers stack three matrices at most.
const MAX_SEGMENTS: usize = 4;

fn stack_rows(matrices: &[MatrixDesc], cols: u32, limit: u64) -> Result<Layout, EngineError> {
    let mut drafts = vec![PartDraft::new()];
    let mut placements = vec![Vec::new(); matrices.len()];
    let mut out_at = 0;
    for (index, matrix) in matrices.iter().enumerate() {
        let format = matrix.quant.format();
        let per_group = group_bytes(format, cols);
        if per_group > limit {
            return Err(too_wide(&matrix.name, limit));
        }
        let mut first_row = 0;
        while first_row < matrix.rows {
            let open = drafts.last().map_or((0, 0), |draft| (draft.bytes, draft.segments.len()));
            let mut groups = (limit - open.0) / per_group;
            if groups == 0 || open.1 == MAX_SEGMENTS {
                drafts.push(PartDraft::new());
                groups = limit / per_group;
            }
            let left = matrix.rows - first_row;
            let rows = u32::try_from(groups * u64::from(ROW_GROUP)).unwrap_or(u32::MAX).min(left);
            let part = drafts.len() - 1;
            let (segment, tile) = drafts[part].add(format, rows, out_at + first_row, cols);
            placements[index].push(Placement { part, segment, tile, first_row, rows });
            first_row += rows;
        }
        out_at += matrix.rows;
    }
    for draft in &mut drafts {
        draft.place(cols);
    }
    Ok((drafts, placements, out_at))
}

fn stack_gated(
    label: &str,
    matrices: &[MatrixDesc],
    cols: u32,
    limit: u64,
) -> Result<Layout, EngineError> {
    let [gate, up] = matrices else {
        return Err(EngineError::invalid(format!("{label} needs a gate and an up matrix")));
    };
    if gate.rows != up.rows {
        return Err(EngineError::invalid(format!(
            "{} has {} rows, {} has {}",
            gate.name, gate.rows, up.name, up.rows
        )));
    }
    let per_group = group_bytes(gate.quant.format(), cols) + group_bytes(up.quant.format(), cols);
    let groups = u32::try_from(limit / per_group).unwrap_or(u32::MAX);
    if groups == 0 {
        return Err(too_wide(label, limit));
    }
    let mut drafts = Vec::new();
    let mut placements = vec![Vec::new(); 2];
    let mut first_row = 0;
    while first_row < gate.rows {
        let rows = groups.saturating_mul(ROW_GROUP).min(gate.rows - first_row);
        let part = drafts.len();
        let mut draft = PartDraft::new();
        for (index, matrix) in matrices.iter().enumerate() {
            let format = matrix.quant.format();
            let padded_rows = rows.next_multiple_of(ROW_GROUP);
            draft.bytes += Segment::size_bytes(format, padded_rows, cols);
            draft.segments.push(Segment {
                format,
                rows,
                padded_rows,
                out_at: first_row,
                quants_at: 0,
                words_at: 0,
            });
            placements[index].push(Placement { part, segment: index, tile: 0, first_row, rows });
        }
        draft.place(cols);
        drafts.push(draft);
        first_row += rows;
    }
    Ok((drafts, placements, gate.rows))
}
