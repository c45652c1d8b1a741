//! What are a step's logits? All rows of the step go through the layers together.
//!
//! A row's results do not depend on which rows go beside it: each kernel computes a row in the same
//! order whatever else there is.

use std::cell::RefCell;
use std::ops::Range;

use portico_kernels::{
    Activation, Activations, AttentionTask, Matrix, PAGE_TOKENS, Page, Pool, SharedMut, TILE_ROWS,
    activate_mul, add, attend, rms_norm, rotate, scale,
};
use portico_shared::error::ApiError;
use portico_shared::model::{self, Config, ModelError, RopeStyle};

use super::compute::{Product, ROWS_TO_SHARE, tiles_per_chunk, token_blocks};
use super::weights::{CpuModel, Layer, kv_shape};
use crate::step::{Batch, Model, Row};

/// Keys of all rows together from which attention is shared.
const KEYS_TO_SHARE: usize = 64;

/// Buffers that live from step to step.
#[derive(Default)]
pub(super) struct Scratch {
    /// `[rows][n_embd]`, the residual stream.
    x: Vec<f32>,
    /// What the next product reads.
    input: Activations,
    gated: Activations,
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    /// What comes out of a block, before it is added to `x`.
    out: Vec<f32>,
    gate: Vec<f32>,
    up: Vec<f32>,
    /// Rows that follow each other in one page.
    page_runs: Vec<Range<usize>>,
}

thread_local! {
    static SCORES: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

impl Model for CpuModel {
    fn config(&self) -> &Config {
        &self.config
    }

    fn pool(&self) -> &Pool {
        &self.compute.pool
    }

    fn hold_pages(&mut self, n_pages: usize) -> Result<(), ApiError> {
        let shape = kv_shape(&self.config);
        let n_new = n_pages.saturating_sub(self.pages.len());
        self.pages.extend((0..n_new).map(|_| Page::new(shape)));
        Ok(())
    }

    fn step(&mut self, batch: &Batch<'_>, logits: &mut Vec<f32>) -> Result<(), ApiError> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut pages = std::mem::take(&mut self.pages);
        let done = self.run(batch, &mut pages, &mut scratch, logits);
        self.scratch = scratch;
        self.pages = pages;
        Ok(done?)
    }

    fn logits_stride(&self) -> usize {
        self.output.padded_rows()
    }
}

impl CpuModel {
    fn run(
        &self,
        batch: &Batch<'_>,
        pages: &mut [Page],
        scratch: &mut Scratch,
        logits: &mut Vec<f32>,
    ) -> Result<(), ModelError> {
        let (n_rows, n_embd) = (batch.rows.len(), self.config.n_embd as usize);
        scratch.x.resize(n_rows * n_embd, 0.0);
        for (row, x) in batch.rows.iter().zip(scratch.x.chunks_exact_mut(n_embd)) {
            self.file.row(&self.embedding, row.token as usize, x)?;
            if self.config.embedding_scale != 1.0 {
                scale(self.compute.isa, x, self.config.embedding_scale);
            }
        }
        scratch.page_runs.clear();
        let page = |row: &Row| (row.sequence, row.position / PAGE_TOKENS);
        for run in batch.rows.chunk_by(|a, b| page(a) == page(b)) {
            let from = scratch.page_runs.last().map_or(0, |last| last.end);
            scratch.page_runs.push(from..from + run.len());
        }
        self.normed(n_rows, None, None, &self.layers[0].attn_norm, scratch);
        for (index, layer) in self.layers.iter().enumerate() {
            self.attend(index, layer, batch, pages, scratch);
            let post = layer.post_attn_norm.as_deref();
            self.normed(n_rows, Some(&layer.attn_output), post, &layer.ffn_norm, scratch);
            self.feed_forward(layer, n_rows, scratch);
            let post = layer.post_ffn_norm.as_deref();
            match self.layers.get(index + 1) {
                Some(next) => {
                    self.normed(n_rows, Some(&layer.down), post, &next.attn_norm, scratch);
                }
                None => self.last_normed(&batch.wanted, &layer.down, post, scratch),
            }
        }
        let product = Product::new(&self.output, batch.wanted.len(), logits);
        self.compute.multiply(&scratch.input, &[product]);
        if let Some(cap) = self.config.final_softcap {
            for logit in logits.iter_mut() {
                *logit = cap * (*logit / cap).tanh();
            }
        }
        Ok(())
    }

    /// Adds what came out of `block` to the residual stream and norms it for the next product.
    fn normed(
        &self,
        n_rows: usize,
        block: Option<&Matrix>,
        post_norm: Option<&[f32]>,
        norm: &[f32],
        scratch: &mut Scratch,
    ) {
        let n_embd = self.config.n_embd as usize;
        scratch.input.resize(n_rows, n_embd);
        let (x, out) = (SharedMut::new(&mut scratch.x), SharedMut::new(&mut scratch.out));
        let input = scratch.input.shared();
        self.compute.for_rows(n_rows, &|row| {
            // SAFETY: each row is touched by one call.
            unsafe {
                let x = x.part(row * n_embd, n_embd);
                if let Some(block) = block {
                    let out = out.part(row * block.padded_rows(), n_embd);
                    self.add_block(x, out, post_norm);
                }
                input.set_row(self.compute.isa, row, |normed| {
                    rms_norm(self.compute.isa, x, norm, self.config.norm_eps, normed);
                });
            }
        });
    }

    fn add_block(&self, x: &mut [f32], out: &[f32], post_norm: Option<&[f32]>) {
        match post_norm {
            None => add(self.compute.isa, x, out),
            Some(weight) => {
                let mut normed = vec![0.0; out.len()];
                rms_norm(self.compute.isa, out, weight, self.config.norm_eps, &mut normed);
                add(self.compute.isa, x, &normed);
            }
        }
    }

    /// As [`CpuModel::normed`], for the wanted rows only, which move to the front.
    fn last_normed(
        &self,
        wanted: &[usize],
        block: &Matrix,
        post_norm: Option<&[f32]>,
        scratch: &mut Scratch,
    ) {
        let n_embd = self.config.n_embd as usize;
        scratch.input.resize(wanted.len(), n_embd);
        for (to, &row) in wanted.iter().enumerate() {
            let x = &mut scratch.x[row * n_embd..][..n_embd];
            self.add_block(x, &scratch.out[row * block.padded_rows()..][..n_embd], post_norm);
            scratch.input.set_row(self.compute.isa, to, |normed| {
                rms_norm(self.compute.isa, x, &self.output_norm, self.config.norm_eps, normed);
            });
        }
    }

    /// Attention, up to and with its output product.
    fn attend(
        &self,
        index: usize,
        layer: &Layer,
        batch: &Batch<'_>,
        pages: &mut [Page],
        scratch: &mut Scratch,
    ) {
        let n_rows = batch.rows.len();
        let (head_dim, n_kv_heads) =
            (self.config.head_dim as usize, self.config.n_kv_heads as usize);
        let group = self.config.n_heads as usize / n_kv_heads;
        self.compute.multiply(
            &scratch.input,
            &[
                Product::new(&layer.q, n_rows, &mut scratch.q),
                Product::new(&layer.k, n_rows, &mut scratch.k),
                Product::new(&layer.v, n_rows, &mut scratch.v),
            ],
        );
        let stride = layer.q.padded_rows();
        self.cache_heads(index, layer, batch, pages, scratch);
        scratch.input.resize(n_rows, self.config.q_dim() as usize);
        let input = scratch.input.shared();
        let held: Vec<Vec<&Page>> = batch
            .tables
            .iter()
            .map(|table| table.iter().map(|&page| &pages[page]).collect())
            .collect();
        let q = &scratch.q;
        let each = |chunk: usize| {
            let (at, kv_head) = (chunk / n_kv_heads, chunk % n_kv_heads);
            let row = &batch.rows[at];
            let from = kv_head * group * head_dim;
            let to = row.position + 1;
            let task = AttentionTask {
                layer: index,
                kv_head,
                head_dim,
                queries: &q[at * stride + from..][..group * head_dim],
                pages: &held[row.sequence],
                from: layer.window.map_or(0, |window| to.saturating_sub(window)),
                to,
                softcap: self.config.attn_softcap,
            };
            SCORES.with_borrow_mut(|scores| {
                // SAFETY: each head of a row is touched by one call.
                unsafe {
                    input.set_part(self.compute.isa, at, from, group * head_dim, |out| {
                        attend(self.compute.isa, &task, scores, out);
                    });
                }
            });
        };
        let n_keys: usize = batch.rows.iter().map(|row| row.position + 1).sum();
        let n_chunks = n_rows * n_kv_heads;
        if n_keys < KEYS_TO_SHARE {
            (0..n_chunks).for_each(each);
        } else {
            self.compute.pool.run(n_chunks, &each);
        }
        let product = Product::new(&layer.attn_output, n_rows, &mut scratch.out);
        self.compute.multiply(&scratch.input, &[product]);
    }

    /// Turns the heads of all rows and stores keys and values.
    fn cache_heads(
        &self,
        index: usize,
        layer: &Layer,
        batch: &Batch<'_>,
        pages: &mut [Page],
        scratch: &mut Scratch,
    ) {
        let (head_dim, n_kv_heads) =
            (self.config.head_dim as usize, self.config.n_kv_heads as usize);
        let q_len = self.config.n_heads as usize / n_kv_heads * head_dim;
        let strides = [&layer.q, &layer.k, &layer.v].map(Matrix::padded_rows);
        let (q, k, v) = (
            SharedMut::new(&mut scratch.q),
            SharedMut::new(&mut scratch.k),
            SharedMut::new(&mut scratch.v),
        );
        let (pages, runs) = (SharedMut::new(pages), &scratch.page_runs);
        let each = |run: usize| {
            for at in runs[run].clone() {
                let row = &batch.rows[at];
                let page = batch.tables[row.sequence][row.position / PAGE_TOKENS];
                // SAFETY: each run has rows and a page of its own, and is touched by one call.
                unsafe {
                    let page = &mut pages.part(page, 1)[0];
                    for kv_head in 0..n_kv_heads {
                        let q = q.part(at * strides[0] + kv_head * q_len, q_len);
                        let k = k.part(at * strides[1] + kv_head * head_dim, head_dim);
                        let v = v.part(at * strides[2] + kv_head * head_dim, head_dim);
                        self.prepare_heads(layer, kv_head, row.position, q, k, v);
                        let slot = row.position % PAGE_TOKENS;
                        page.store(self.compute.isa, index, kv_head, slot, k, v);
                    }
                }
            }
        };
        if batch.rows.len() < ROWS_TO_SHARE {
            (0..runs.len()).for_each(each);
        } else {
            self.compute.pool.run(runs.len(), &each);
        }
    }

    /// Bias, norm, rotation and scale of the heads that share a key-value head.
    fn prepare_heads(
        &self,
        layer: &Layer,
        kv_head: usize,
        position: usize,
        q: &mut [f32],
        k: &mut [f32],
        v: &mut [f32],
    ) {
        let (config, isa) = (&self.config, self.compute.isa);
        let (head_dim, rope_dim) = (config.head_dim as usize, config.rope_dim as usize);
        if let Some([q_bias, k_bias, v_bias]) = &layer.qkv_bias {
            add(isa, q, &q_bias[kv_head * q.len()..][..q.len()]);
            add(isa, k, &k_bias[kv_head * head_dim..][..head_dim]);
            add(isa, v, &v_bias[kv_head * head_dim..][..head_dim]);
        }
        if let Some([q_norm, k_norm]) = &layer.qk_norm {
            let mut normed = vec![0.0; head_dim];
            for (head, weight) in
                q.chunks_exact_mut(head_dim).map(|head| (head, q_norm)).chain([(&mut *k, k_norm)])
            {
                rms_norm(isa, head, weight, config.norm_eps, &mut normed);
                head.copy_from_slice(&normed);
            }
        }
        let table = match (&self.rope_local, layer.window) {
            (Some(local), Some(_)) => local,
            _ => &self.rope,
        };
        let table = &table[position * rope_dim..][..rope_dim];
        let halves = config.arch.rope_style() == RopeStyle::Neox;
        for head in q.chunks_exact_mut(head_dim) {
            rotate(isa, head, table, halves);
        }
        rotate(isa, k, table, halves);
        scale(isa, q, config.attn_scale);
    }

    /// Gate, up and down.
    fn feed_forward(&self, layer: &Layer, n_rows: usize, scratch: &mut Scratch) {
        let n_ff = self.config.n_ff as usize;
        let activation = match self.config.arch.activation() {
            model::Activation::Silu => Activation::Silu,
            model::Activation::Gelu => Activation::GeluTanh,
        };
        let gate = Product::new(&layer.gate, n_rows, &mut scratch.gate);
        let up = Product::new(&layer.up, n_rows, &mut scratch.up);
        scratch.gated.resize(n_rows, n_ff);
        let (input, gated) = (&scratch.input, scratch.gated.shared());
        let n_tiles = layer.gate.n_tiles();
        let per_chunk = tiles_per_chunk(n_tiles, self.compute.pool.n_threads());
        self.compute.pool.run(n_tiles.div_ceil(per_chunk), &|chunk| {
            let tiles = chunk * per_chunk..((chunk + 1) * per_chunk).min(n_tiles);
            let from = tiles.start * TILE_ROWS;
            let len = (tiles.end * TILE_ROWS).min(n_ff) - from;
            for tokens in token_blocks(n_rows) {
                // SAFETY: the chunk's columns are touched by one call, in all buffers.
                unsafe {
                    for product in [&gate, &up] {
                        let (rows, tiles) = (tokens.clone(), tiles.clone());
                        let (out, stride) = (product.out, product.stride);
                        product.matrix.multiply(self.compute.isa, input, rows, tiles, out, stride);
                    }
                    for row in tokens {
                        let gate = gate.out.part(row * gate.stride + from, len);
                        let up = up.out.part(row * up.stride + from, len);
                        gated.set_part(self.compute.isa, row, from, len, |out| {
                            activate_mul(self.compute.isa, activation, gate, up, out);
                        });
                    }
                }
            }
        });
        let product = Product::new(&layer.down, n_rows, &mut scratch.out);
        self.compute.multiply(&scratch.gated, &[product]);
    }
}
