//! What goes into a product: rows of floats, rounded to 8 bits in blocks of 32.

use crate::blocks::RUN;
use crate::isa::Isa;
use crate::shared::SharedMut;
use crate::vector::quantise;

/// Rows that products read. Each row is written as floats, then rounded.
#[derive(Debug, Default)]
pub struct Activations {
    cols: usize,
    n_rows: usize,
    /// `[n_rows][cols]`
    pub(crate) floats: Vec<f32>,
    /// `[n_rows][cols]`
    pub(crate) q: Vec<i8>,
    /// `[n_rows][cols / 32]`, so that a value is `scale · q`.
    pub(crate) scale: Vec<f32>,
    /// `[n_rows][cols / 32]`, `scale · Σq`: what a run's minimum is multiplied with.
    pub(crate) scaled_sum: Vec<f32>,
    /// `[n_rows][cols / 16]`, `−Σq` of 16 values each: what a zero point is multiplied with.
    pub(crate) negative_sum: Vec<i32>,
}

/// [`Activations`] whose rows several threads write.
#[derive(Clone, Copy)]
pub struct ActivationsMut<'a> {
    cols: usize,
    floats: SharedMut<'a, f32>,
    q: SharedMut<'a, i8>,
    scale: SharedMut<'a, f32>,
    scaled_sum: SharedMut<'a, f32>,
    negative_sum: SharedMut<'a, i32>,
}

impl Activations {
    /// Makes room for `n_rows` rows of `cols` values, a multiple of 32.
    ///
    /// # Panics
    /// For other widths.
    pub fn resize(&mut self, n_rows: usize, cols: usize) {
        assert!(cols.is_multiple_of(RUN), "rows of whole runs");
        self.cols = cols;
        self.n_rows = n_rows;
        let n_runs = n_rows * cols / RUN;
        self.floats.resize(n_rows * cols, 0.0);
        self.q.resize(n_rows * cols, 0);
        self.scale.resize(n_runs, 0.0);
        self.scaled_sum.resize(n_runs, 0.0);
        self.negative_sum.resize(n_runs * 2, 0);
    }

    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    pub fn cols(&self) -> usize {
        self.cols
    }

    pub fn row(&self, row: usize) -> &[f32] {
        &self.floats[row * self.cols..][..self.cols]
    }

    pub fn shared(&mut self) -> ActivationsMut<'_> {
        ActivationsMut {
            cols: self.cols,
            floats: SharedMut::new(&mut self.floats),
            q: SharedMut::new(&mut self.q),
            scale: SharedMut::new(&mut self.scale),
            scaled_sum: SharedMut::new(&mut self.scaled_sum),
            negative_sum: SharedMut::new(&mut self.negative_sum),
        }
    }

    /// Lets `write` fill a row, then rounds it.
    pub fn set_row(&mut self, isa: Isa, row: usize, write: impl FnOnce(&mut [f32])) {
        // SAFETY: borrowed alone.
        unsafe { self.shared().set_row(isa, row, write) };
    }
}

impl ActivationsMut<'_> {
    /// Lets `write` fill a row, then rounds it.
    ///
    /// # Safety
    /// No other thread uses the row meanwhile.
    ///
    /// # Panics
    /// Outside of the rows.
    pub unsafe fn set_row(&self, isa: Isa, row: usize, write: impl FnOnce(&mut [f32])) {
        // SAFETY: the caller's promise.
        unsafe { self.set_part(isa, row, 0, self.cols, write) };
    }

    /// Lets `write` fill `len` values of a row from `from` on, both multiples of 32, then rounds them.
    ///
    /// # Safety
    /// No other thread uses these values meanwhile.
    ///
    /// # Panics
    /// Outside of the row, and inside of a run.
    pub unsafe fn set_part(
        &self,
        isa: Isa,
        row: usize,
        from: usize,
        len: usize,
        write: impl FnOnce(&mut [f32]),
    ) {
        assert!(from.is_multiple_of(RUN) && len.is_multiple_of(RUN), "whole runs");
        assert!(from + len <= self.cols, "outside of the row");
        let (at, n_runs) = (row * self.cols + from, len / RUN);
        let run = at / RUN;
        // SAFETY: parts do not overlap, and this one is the caller's.
        unsafe {
            let floats = self.floats.part(at, len);
            write(floats);
            quantise(
                isa,
                floats,
                self.q.part(at, len),
                self.scale.part(run, n_runs),
                self.scaled_sum.part(run, n_runs),
                self.negative_sum.part(run * 2, n_runs * 2),
            );
        }
    }
}
