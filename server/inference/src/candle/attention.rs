//! Which keys does each query of a step see, and what comes of it?
//!
//! Sequences that compute one token each go together, padded to the longest; one that reads its
//! prompt goes alone.

use std::ops::Range;

use candle_core::{D, Device, Result, Tensor};
use portico_kernels::PAGE_TOKENS;

use crate::pages::PageId;
use crate::step::{Batch, Row};

/// Keys that are gathered at once, padding included: what a layer's attention needs of memory.
const GATHERED_KEYS_MAX: usize = 1 << 15;

/// Rows whose attention is computed together: as many of each sequence.
pub struct Group {
    /// Of the batch.
    rows: Range<usize>,
    n_sequences: usize,
    /// Where the keys lie, `[sequences · keys]`.
    slots: Tensor,
    n_keys: usize,
    /// 0 or −∞, `[sequences, 1, rows of each, keys]`.
    mask: Tensor,
    /// Of layers that slide.
    mask_local: Option<Tensor>,
}

/// Heads of a model.
#[derive(Clone, Copy)]
pub struct Heads {
    pub n_heads: usize,
    pub n_kv_heads: usize,
    pub head_dim: usize,
    pub softcap: Option<f32>,
}

/// A token's place in the cache.
pub fn slot(table: &[PageId], position: usize) -> u32 {
    (table[position / PAGE_TOKENS] * PAGE_TOKENS + position % PAGE_TOKENS) as u32
}

/// The step's rows, in groups that follow each other.
pub fn groups(batch: &Batch<'_>, window: Option<usize>, device: &Device) -> Result<Vec<Group>> {
    let mut groups = Vec::new();
    let mut from = 0;
    while from < batch.rows.len() {
        let sequence = |row: &Row| row.sequence;
        let rest = &batch.rows[from..];
        let mut runs = rest.chunk_by(|a, b| sequence(a) == sequence(b));
        let first = runs.next().map_or(0, <[Row]>::len);
        let mut n_rows = first;
        if first == 1 {
            let mut n_keys = rest[0].position + 1;
            for run in runs.take_while(|run| run.len() == 1) {
                let longest = n_keys.max(run[0].position + 1);
                if longest * (n_rows + 1) > GATHERED_KEYS_MAX {
                    break;
                }
                n_keys = longest;
                n_rows += 1;
            }
        }
        let n_sequences = if first == 1 { n_rows } else { 1 };
        groups.push(Group::new(batch, from..from + n_rows, n_sequences, window, device)?);
        from += n_rows;
    }
    Ok(groups)
}

impl Group {
    fn new(
        batch: &Batch<'_>,
        rows: Range<usize>,
        n_sequences: usize,
        window: Option<usize>,
        device: &Device,
    ) -> Result<Self> {
        let members = &batch.rows[rows.clone()];
        let n_each = members.len() / n_sequences;
        let n_keys = members.iter().map(|row| row.position + 1).max().unwrap_or(1);
        let mut slots = Vec::with_capacity(n_sequences * n_keys);
        for each in members.chunks_exact(n_each) {
            let last = each[n_each - 1];
            let table = batch.tables[last.sequence];
            slots.extend((0..=last.position).map(|position| slot(table, position)));
            // Padding, which no mask lets through.
            slots.resize(slots.len().next_multiple_of(n_keys), 0);
        }
        let mask = |window: Option<usize>| {
            let values = members.iter().flat_map(|row| {
                let to = row.position + 1;
                let seen = window.map_or(0, |window| to.saturating_sub(window))..to;
                (0..n_keys)
                    .map(move |key| if seen.contains(&key) { 0.0 } else { f32::NEG_INFINITY })
            });
            let values: Vec<f32> = values.collect();
            Tensor::from_vec(values, (n_sequences, 1, n_each, n_keys), device)
        };
        Ok(Self {
            slots: Tensor::from_vec(slots, n_sequences * n_keys, device)?,
            mask: mask(None)?,
            mask_local: window.map(|window| mask(Some(window))).transpose()?,
            rows,
            n_sequences,
            n_keys,
        })
    }

    /// What the group's queries find, `[rows, n_heads · head_dim]`. `q` are all rows' queries, scaled,
    /// `[rows, n_heads, head_dim]`; `keys` and `values` are a layer's cache.
    pub fn attend(
        &self,
        heads: Heads,
        q: &Tensor,
        (keys, values): &(Tensor, Tensor),
        slides: bool,
    ) -> Result<Tensor> {
        let Heads { n_heads, n_kv_heads, head_dim, softcap } = heads;
        let (n, n_rows, per_kv) = (self.n_sequences, self.rows.len(), n_heads / n_kv_heads);
        let n_each = n_rows / n;
        // [sequences, n_kv_heads, keys, head_dim]
        let gathered = |cache: &Tensor| {
            let held = cache.index_select(&self.slots, 0)?.to_dtype(q.dtype())?;
            held.reshape((n, self.n_keys, n_kv_heads, head_dim))?.transpose(1, 2)?.contiguous()
        };
        let (keys, values) = (gathered(keys)?, gathered(values)?);
        let q = q.narrow(0, self.rows.start, n_rows)?;
        let q = q.reshape((n, n_each, n_kv_heads, per_kv, head_dim))?.permute((0, 2, 3, 1, 4))?;
        let q = q.contiguous()?.reshape((n, n_kv_heads, per_kv * n_each, head_dim))?;
        let scores = q.matmul(&keys.t()?)?.reshape((n, n_heads, n_each, self.n_keys))?;
        let scores = match softcap {
            Some(cap) => ((scores / f64::from(cap))?.tanh()? * f64::from(cap))?,
            None => scores,
        };
        let mask = match (&self.mask_local, slides) {
            (Some(local), true) => local,
            _ => &self.mask,
        };
        let scores = scores.broadcast_add(mask)?;
        let weights = scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?)?.exp()?;
        let weights = weights.broadcast_div(&weights.sum_keepdim(D::Minus1)?)?;
        let weights = weights.reshape((n, n_kv_heads, per_kv * n_each, self.n_keys))?;
        let found = weights.matmul(&values)?.reshape((n, n_kv_heads, per_kv, n_each, head_dim))?;
        found.permute((0, 3, 1, 2, 4))?.contiguous()?.reshape((n_rows, n_heads * head_dim))
    }
}
