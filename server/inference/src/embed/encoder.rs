//! What is a text's vector? BERT's forward pass over several texts at once, pooling, unit length.

use std::borrow::Cow;
use std::sync::Arc;

use portico_kernels::{
    Activation, Activations, AttentionTask, Isa, KvShape, Matrix, PAGE_TOKENS, Page, Pool,
    SharedMut, WeightType, activate_biased, add, attend, dequantise_row, layer_norm, q8_0_row,
    scale,
};
use portico_shared::model::{EncoderConfig, ModelError, Pooling};

use super::source::{POSITIONS, Source, TYPES, WORDS};
use crate::cpu::{Compute, Product};

struct Layer {
    q: Linear,
    k: Linear,
    v: Linear,
    attn_output: Linear,
    attn_norm: Norm,
    up: Linear,
    down: Linear,
    output_norm: Norm,
}

struct Linear {
    weight: Matrix,
    bias: Vec<f32>,
}

struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

/// An encoder's weights, packed; embeddings are read from the file.
pub struct Encoder {
    config: EncoderConfig,
    compute: Compute,
    source: Source,
    /// Of the only type that texts have here, `[n_embd]`.
    type_embedding: Vec<f32>,
    embedding_norm: Norm,
    layers: Vec<Layer>,
    scratch: Scratch,
}

#[derive(Default)]
struct Scratch {
    x: Vec<f32>,
    input: Activations,
    wide: Activations,
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    out: Vec<f32>,
    up: Vec<f32>,
    /// Keys and values of a layer.
    pages: Vec<Page>,
}

/// A row of a step: which text, and where in it.
#[derive(Clone, Copy)]
struct Row {
    text: usize,
    position: usize,
}

impl Encoder {
    /// # Errors
    /// [`ModelError::Invalid`] for a missing tensor or a wrong shape.
    pub fn load(source: Source, pool: Arc<Pool>) -> Result<Self, ModelError> {
        let config = source.config;
        let EncoderConfig { n_layers, n_embd, n_ff, n_vocab, n_ctx, .. } = config;
        let linear = |name: &str, rows: usize, cols: usize| -> Result<Linear, ModelError> {
            let (weight_type, bytes) = source.tensor(&format!("{name}.weight"), rows * cols)?;
            let (weight_type, bytes) = in_8_bits(weight_type, bytes, cols);
            let weight = Matrix::pack(weight_type, rows, cols, &bytes, &pool)
                .map_err(|error| ModelError::invalid(format!("`{name}`: {error}")))?;
            Ok(Linear { weight, bias: source.vector(&format!("{name}.bias"), rows)? })
        };
        let norm = |name: &str| -> Result<Norm, ModelError> {
            Ok(Norm {
                weight: source.vector(&format!("{name}.weight"), n_embd)?,
                bias: source.vector(&format!("{name}.bias"), n_embd)?,
            })
        };
        let layer = |index: usize| -> Result<Layer, ModelError> {
            let name = |part: &str| format!("blk.{index}.{part}");
            Ok(Layer {
                q: linear(&name("attn_q"), n_embd, n_embd)?,
                k: linear(&name("attn_k"), n_embd, n_embd)?,
                v: linear(&name("attn_v"), n_embd, n_embd)?,
                attn_output: linear(&name("attn_output"), n_embd, n_embd)?,
                attn_norm: norm(&name("attn_output_norm"))?,
                up: linear(&name("ffn_up"), n_ff, n_embd)?,
                down: linear(&name("ffn_down"), n_embd, n_ff)?,
                output_norm: norm(&name("layer_output_norm"))?,
            })
        };
        let layers = (0..n_layers).map(layer).collect::<Result<_, _>>()?;
        // Rows are read as texts come: here only that they are there.
        source.tensor(WORDS, n_vocab * n_embd)?;
        let n_positions = source.tensors.get(POSITIONS).map_or(0, |pos| pos.n_elements / n_embd);
        if n_positions < n_ctx {
            let reason = format!("{n_positions} positions for texts of {n_ctx} tokens");
            return Err(ModelError::invalid(reason));
        }
        let n_types = source.tensors.get(TYPES).map_or(0, |types| types.n_elements / n_embd);
        let mut type_embedding = source.vector(TYPES, n_types * n_embd)?;
        type_embedding.truncate(n_embd);
        if type_embedding.len() != n_embd {
            return Err(ModelError::invalid("`token_types.weight` is empty"));
        }
        Ok(Self {
            type_embedding,
            embedding_norm: norm("token_embd_norm")?,
            layers,
            config,
            compute: Compute::new(pool),
            source,
            scratch: Scratch::default(),
        })
    }

    /// A unit vector for each text of known tokens.
    ///
    /// # Errors
    /// A file that has become shorter.
    pub fn embed(&mut self, texts: &[&[u32]]) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let vectors = self.run(texts, &mut scratch);
        self.scratch = scratch;
        vectors
    }

    fn run(&self, texts: &[&[u32]], scratch: &mut Scratch) -> Result<Vec<Vec<f32>>, ModelError> {
        let n_embd = self.config.n_embd;
        let rows: Vec<Row> = texts
            .iter()
            .enumerate()
            .flat_map(|(text, tokens)| {
                (0..tokens.len()).map(move |position| Row { text, position })
            })
            .collect();
        scratch.x.resize(rows.len() * n_embd, 0.0);
        for (row, x) in rows.iter().zip(scratch.x.chunks_exact_mut(n_embd)) {
            self.embed_token(texts[row.text][row.position], row.position, x)?;
        }
        self.read_by_products(rows.len(), scratch);
        // Pages of each text: they begin anew with it.
        let mut first_pages = Vec::with_capacity(texts.len());
        let mut n_pages = 0;
        for tokens in texts {
            first_pages.push(n_pages);
            n_pages += tokens.len().div_ceil(PAGE_TOKENS);
        }
        let shape = KvShape {
            n_layers: 1,
            n_kv_heads: self.config.n_heads,
            head_dim: n_embd / self.config.n_heads,
        };
        while scratch.pages.len() < n_pages {
            scratch.pages.push(Page::new(shape));
        }
        for layer in &self.layers {
            self.attend(layer, texts, &rows, &first_pages, scratch);
            self.add_norm(&layer.attn_output, &layer.attn_norm, rows.len(), scratch);
            self.feed_forward(layer, rows.len(), scratch);
            self.add_norm(&layer.down, &layer.output_norm, rows.len(), scratch);
        }
        let mut x = scratch.x.chunks_exact(n_embd);
        let vectors = texts.iter().map(|tokens| {
            let rows = x.by_ref().take(tokens.len());
            pooled(rows, self.config.pooling, n_embd)
        });
        Ok(vectors.collect())
    }

    /// Token, position and type, normed.
    fn embed_token(&self, token: u32, position: usize, x: &mut [f32]) -> Result<(), ModelError> {
        let n_embd = self.config.n_embd;
        let mut row = vec![0.0; n_embd];
        let read = |name: &str, at: usize, out: &mut [f32]| -> Result<(), ModelError> {
            let tensor = self.source.tensors.get(name);
            let place = tensor.and_then(|tensor| {
                let bytes = tensor.weight_type.row_bytes(n_embd)?;
                let from = tensor.bytes.start + at * bytes;
                let bytes = self.source.map.get(from..from + bytes)?;
                Some((tensor.weight_type, bytes))
            });
            let (weight_type, bytes) =
                place.ok_or_else(|| ModelError::invalid(format!("`{name}` has no row {at}")))?;
            dequantise_row(weight_type, bytes, out);
            Ok(())
        };
        read(WORDS, token as usize, x)?;
        read(POSITIONS, position, &mut row)?;
        let isa = self.compute.isa;
        add(isa, x, &row);
        add(isa, x, &self.type_embedding);
        let Norm { weight, bias } = &self.embedding_norm;
        layer_norm(isa, x, weight, bias, self.config.norm_eps);
        Ok(())
    }

    /// Makes the rows of `x` the next products' input.
    fn read_by_products(&self, n_rows: usize, scratch: &mut Scratch) {
        let n_embd = self.config.n_embd;
        scratch.input.resize(n_rows, n_embd);
        let (input, x) = (scratch.input.shared(), &scratch.x);
        self.compute.for_rows(n_rows, &|row| {
            // SAFETY: each row is touched by one call.
            unsafe {
                input.set_row(self.compute.isa, row, |out| {
                    out.copy_from_slice(&x[row * n_embd..][..n_embd]);
                });
            }
        });
    }

    /// Attention, up to and with its output product.
    fn attend(
        &self,
        layer: &Layer,
        texts: &[&[u32]],
        rows: &[Row],
        first_pages: &[usize],
        scratch: &mut Scratch,
    ) {
        let (n_embd, n_heads) = (self.config.n_embd, self.config.n_heads);
        let head_dim = n_embd / n_heads;
        let isa = self.compute.isa;
        self.compute.multiply(
            &scratch.input,
            &[
                Product::new(&layer.q.weight, rows.len(), &mut scratch.q),
                Product::new(&layer.k.weight, rows.len(), &mut scratch.k),
                Product::new(&layer.v.weight, rows.len(), &mut scratch.v),
            ],
        );
        let stride = layer.q.weight.padded_rows();
        let page_of = |row: Row| first_pages[row.text] + row.position / PAGE_TOKENS;
        // With the place of each run's first row.
        let mut first = 0;
        let runs: Vec<(usize, &[Row])> = rows
            .chunk_by(|a, b| page_of(*a) == page_of(*b))
            .map(|run| {
                first += run.len();
                (first - run.len(), run)
            })
            .collect();
        {
            let (q, k, v) = (
                SharedMut::new(&mut scratch.q),
                SharedMut::new(&mut scratch.k),
                SharedMut::new(&mut scratch.v),
            );
            let pages = SharedMut::new(&mut scratch.pages);
            self.compute.pool.run(runs.len(), &|index| {
                let (first, run) = runs[index];
                for (row, at) in run.iter().zip(first..) {
                    // SAFETY: each run has rows and a page of its own, and is touched by one call.
                    unsafe {
                        let page = &mut pages.part(page_of(*row), 1)[0];
                        let q = q.part(at * stride, n_embd);
                        let k = k.part(at * stride, n_embd);
                        let v = v.part(at * stride, n_embd);
                        add(isa, q, &layer.q.bias);
                        add(isa, k, &layer.k.bias);
                        add(isa, v, &layer.v.bias);
                        scale(isa, q, 1.0 / (head_dim as f32).sqrt());
                        let heads = k.chunks_exact(head_dim).zip(v.chunks_exact(head_dim));
                        for (head, (k, v)) in heads.enumerate() {
                            page.store(isa, 0, head, row.position % PAGE_TOKENS, k, v);
                        }
                    }
                }
            });
        }
        scratch.input.resize(rows.len(), n_embd);
        let (input, q) = (scratch.input.shared(), &scratch.q);
        let pages: Vec<&Page> = scratch.pages.iter().collect();
        self.compute.pool.run(rows.len(), &|at| {
            let row = rows[at];
            let n_keys = texts[row.text].len();
            let first = first_pages[row.text];
            let mut scores = Vec::new();
            for head in 0..n_heads {
                let task = AttentionTask {
                    layer: 0,
                    kv_head: head,
                    head_dim,
                    queries: &q[at * stride + head * head_dim..][..head_dim],
                    pages: &pages[first..first + n_keys.div_ceil(PAGE_TOKENS)],
                    from: 0,
                    to: n_keys,
                    softcap: None,
                };
                // SAFETY: each head of a row is touched by one call.
                unsafe {
                    input.set_part(isa, at, head * head_dim, head_dim, |out| {
                        attend(isa, &task, &mut scores, out);
                    });
                }
            }
        });
        let product = Product::new(&layer.attn_output.weight, rows.len(), &mut scratch.out);
        self.compute.multiply(&scratch.input, &[product]);
    }

    /// Up, the activation, and down.
    fn feed_forward(&self, layer: &Layer, n_rows: usize, scratch: &mut Scratch) {
        let n_ff = self.config.n_ff;
        let product = Product::new(&layer.up.weight, n_rows, &mut scratch.up);
        let stride = product.stride;
        self.compute.multiply(&scratch.input, &[product]);
        scratch.wide.resize(n_rows, n_ff);
        let (wide, up) = (scratch.wide.shared(), &scratch.up);
        let isa = self.compute.isa;
        self.compute.for_rows(n_rows, &|row| {
            // SAFETY: each row is touched by one call.
            unsafe {
                wide.set_row(isa, row, |out| {
                    let up = &up[row * stride..][..n_ff];
                    activate_biased(isa, Activation::GeluErf, up, &layer.up.bias, out);
                });
            }
        });
        let product = Product::new(&layer.down.weight, n_rows, &mut scratch.out);
        self.compute.multiply(&scratch.wide, &[product]);
    }

    /// `x = norm(x + block + bias)`, which the next products read.
    fn add_norm(&self, block: &Linear, norm: &Norm, n_rows: usize, scratch: &mut Scratch) {
        let (n_embd, stride) = (self.config.n_embd, block.weight.padded_rows());
        let isa: Isa = self.compute.isa;
        scratch.input.resize(n_rows, n_embd);
        let (input, out) = (scratch.input.shared(), &scratch.out);
        let x = SharedMut::new(&mut scratch.x);
        self.compute.for_rows(n_rows, &|row| {
            // SAFETY: each row is touched by one call.
            unsafe {
                let x = x.part(row * n_embd, n_embd);
                add(isa, x, &out[row * stride..][..n_embd]);
                add(isa, x, &block.bias);
                layer_norm(isa, x, &norm.weight, &norm.bias, self.config.norm_eps);
                input.set_row(isa, row, |out| out.copy_from_slice(x));
            }
        });
    }
}

/// Floats are rounded to 8 bits: products of integers are several times as fast, and vectors stay
/// the same to a cosine of 0.999.
fn in_8_bits(weight_type: WeightType, bytes: &[u8], cols: usize) -> (WeightType, Cow<'_, [u8]>) {
    let row_bytes = weight_type.row_bytes(cols).filter(|_| weight_type.is_float());
    let Some(row_bytes) = row_bytes else { return (weight_type, Cow::Borrowed(bytes)) };
    let mut row = vec![0.0; cols];
    let rows = bytes.chunks_exact(row_bytes).flat_map(|bytes| {
        dequantise_row(weight_type, bytes, &mut row);
        q8_0_row(&row)
    });
    (WeightType::Q8_0, Cow::Owned(rows.collect()))
}

/// The mean of a text's rows or the first one, at length 1.
fn pooled<'a>(rows: impl Iterator<Item = &'a [f32]>, pooling: Pooling, n_embd: usize) -> Vec<f32> {
    let mut sum = vec![0f32; n_embd];
    for (place, row) in rows.enumerate() {
        // All rows are taken: the next text's follow them.
        if pooling == Pooling::Mean || place == 0 {
            for (sum, x) in sum.iter_mut().zip(row) {
                *sum += x;
            }
        }
    }
    let length = sum.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    sum.iter().map(|x| x / length).collect()
}
