//! What is asked of a model, whatever computes it?

use portico_kernels::Pool;
use portico_shared::error::ApiError;
use portico_shared::model::Config;

use crate::pages::PageId;

/// A token of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub token: u32,
    pub position: usize,
    /// Whose: an index into the batch's tables.
    pub sequence: usize,
}

/// A step: tokens of several sequences. Tokens of one sequence follow each other.
pub struct Batch<'a> {
    pub rows: Vec<Row>,
    /// Each sequence's pages, with room for its rows.
    pub tables: Vec<&'a [PageId]>,
    /// Rows whose logits are wanted.
    pub wanted: Vec<usize>,
}

/// Weights, and a cache of keys and values in pages: [`CpuModel`](crate::CpuModel) on this crate's
/// kernels, `CandleModel` on a GPU.
pub trait Model: Send {
    fn config(&self) -> &Config;

    /// The threads on which tokens are chosen.
    fn pool(&self) -> &Pool;

    /// Makes room for the pages `0..n_pages`; what stands in pages stays.
    ///
    /// # Errors
    /// `server_out_of_memory` where the device has no more.
    fn hold_pages(&mut self, n_pages: usize) -> Result<(), ApiError>;

    /// Runs a step and writes the wanted rows' logits, `[wanted][n_vocab, padded]`, to `logits`;
    /// their width is [`Model::logits_stride`].
    ///
    /// # Errors
    /// A file that has become shorter, a device that fails.
    ///
    /// # Panics
    /// For tokens, positions or pages that do not exist.
    fn step(&mut self, batch: &Batch<'_>, logits: &mut Vec<f32>) -> Result<(), ApiError>;

    /// Values between two rows of logits.
    fn logits_stride(&self) -> usize;
}
