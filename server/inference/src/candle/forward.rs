//! What are a step's logits, on a device?

use candle_core::{D, DType, Module as _, Result, Tensor};
use portico_kernels::Pool;
use portico_shared::error::ApiError;
use portico_shared::model::{Activation, Config, RopeStyle};

use super::attention::{Group, Heads, groups, slot};
use super::fault;
use super::weights::{Angles, CandleModel, Layer};
use crate::step::{Batch, Model};

/// The largest half.
const LARGEST_HALF: f32 = 65_504.0;

/// What all layers of a step share.
struct Step {
    groups: Vec<Group>,
    /// Where the rows' keys and values go, `[rows, n_kv_heads, head_dim]`.
    slots: Tensor,
    angles: Angles,
    angles_local: Option<Angles>,
}

impl Model for CandleModel {
    fn config(&self) -> &Config {
        &self.config
    }

    fn pool(&self) -> &Pool {
        &self.pool
    }

    fn hold_pages(&mut self, n_pages: usize) -> std::result::Result<(), ApiError> {
        self.grow_cache(n_pages).map_err(fault)
    }

    fn step(
        &mut self,
        batch: &Batch<'_>,
        logits: &mut Vec<f32>,
    ) -> std::result::Result<(), ApiError> {
        let n_embd = self.config.n_embd as usize;
        let mut x = vec![0.0; batch.rows.len() * n_embd];
        for (row, x) in batch.rows.iter().zip(x.chunks_exact_mut(n_embd)) {
            self.file.row(&self.embedding, row.token as usize, x)?;
        }
        *logits = self.run(batch, x).map_err(fault)?;
        Ok(())
    }

    fn logits_stride(&self) -> usize {
        self.config.n_vocab as usize
    }
}

impl CandleModel {
    fn run(&self, batch: &Batch<'_>, x: Vec<f32>) -> Result<Vec<f32>> {
        if batch.wanted.is_empty() {
            self.residual(batch, x)?;
            return Ok(Vec::new());
        }
        let wanted = batch.wanted.iter().map(|&row| row as u32).collect();
        let wanted = Tensor::from_vec(wanted, batch.wanted.len(), &self.device)?;
        let x = self.residual(batch, x)?.index_select(&wanted, 0)?;
        let x = self.normed(&x, &self.output_norm)?;
        let logits = self.output.forward(&x)?;
        let logits = match self.config.final_softcap {
            Some(cap) => ((logits / f64::from(cap))?.tanh()? * f64::from(cap))?,
            None => logits,
        };
        logits.flatten_all()?.to_vec1()
    }

    /// The residual stream behind the last layer, `[rows, n_embd]`; `x` are the tokens' rows of the
    /// embedding.
    fn residual(&self, batch: &Batch<'_>, x: Vec<f32>) -> Result<Tensor> {
        let config = &self.config;
        let step = self.prepare(batch)?;
        let x = Tensor::from_vec(x, (batch.rows.len(), config.n_embd as usize), &self.device)?;
        let mut x = match config.embedding_scale {
            1.0 => x,
            scale => (x * f64::from(scale))?,
        };
        for (index, layer) in self.layers.iter().enumerate() {
            let found = self.attend(index, layer, &step, &self.normed(&x, &layer.attn_norm)?)?;
            x = (x + self.post_normed(found, layer.post_attn_norm.as_ref())?)?;
            let out = self.feed_forward(layer, &self.normed(&x, &layer.ffn_norm)?)?;
            x = (x + self.post_normed(out, layer.post_ffn_norm.as_ref())?)?;
        }
        Ok(x)
    }

    fn prepare(&self, batch: &Batch<'_>) -> Result<Step> {
        let (config, device, n_rows) = (&self.config, &self.device, batch.rows.len());
        let (n_kv_heads, head_dim) = (config.n_kv_heads as usize, config.head_dim as usize);
        let slots = batch.rows.iter().map(|row| slot(batch.tables[row.sequence], row.position));
        let slots = Tensor::from_vec(slots.collect::<Vec<u32>>(), (n_rows, 1, 1), device)?;
        let positions: Vec<u32> = batch.rows.iter().map(|row| row.position as u32).collect();
        let positions = Tensor::from_vec(positions, n_rows, device)?;
        // [rows, 1, rope_dim / 2]: the same for every head.
        let at_rows = |angles: &Angles| -> Result<Angles> {
            Ok(Angles {
                cos: angles.cos.index_select(&positions, 0)?.unsqueeze(1)?,
                sin: angles.sin.index_select(&positions, 0)?.unsqueeze(1)?,
            })
        };
        let window = config.sliding_window.map(|window| window as usize);
        Ok(Step {
            groups: groups(batch, window, device)?,
            slots: slots.broadcast_as((n_rows, n_kv_heads, head_dim))?.contiguous()?,
            angles: at_rows(&self.angles)?,
            angles_local: self.angles_local.as_ref().map(at_rows).transpose()?,
        })
    }

    /// Attention with its output product.
    fn attend(&self, index: usize, layer: &Layer, step: &Step, x: &Tensor) -> Result<Tensor> {
        let (config, n_rows) = (&self.config, x.dim(0)?);
        let heads = Heads {
            n_heads: config.n_heads as usize,
            n_kv_heads: config.n_kv_heads as usize,
            head_dim: config.head_dim as usize,
            softcap: config.attn_softcap,
        };
        let product = |at: usize, n_heads: usize| -> Result<Tensor> {
            let out = [&layer.q, &layer.k, &layer.v][at].forward(x)?;
            let out = match &layer.qkv_bias {
                Some(bias) => out.broadcast_add(&bias[at])?,
                None => out,
            };
            let out = out.reshape((n_rows, n_heads, heads.head_dim))?;
            match &layer.qk_norm {
                Some(norms) if at < norms.len() => self.normed(&out, &norms[at]),
                _ => Ok(out),
            }
        };
        let angles = match (&step.angles_local, layer.slides) {
            (Some(local), true) => local,
            _ => &step.angles,
        };
        let q = self.rotated(&product(0, heads.n_heads)?, angles)?;
        let q = (q * f64::from(config.attn_scale))?;
        let k = self.rotated(&product(1, heads.n_kv_heads)?, angles)?;
        let cache = &self.cache.layers[index];
        cache.0.scatter_set(&step.slots, &halves(&k)?, 0)?;
        cache.1.scatter_set(&step.slots, &halves(&product(2, heads.n_kv_heads)?)?, 0)?;
        let found = step.groups.iter().map(|group| group.attend(heads, &q, cache, layer.slides));
        let found = found.collect::<Result<Vec<_>>>()?;
        let found = match &found[..] {
            [one] => one.clone(),
            several => Tensor::cat(several, 0)?,
        };
        layer.attn_output.forward(&found)
    }

    fn feed_forward(&self, layer: &Layer, x: &Tensor) -> Result<Tensor> {
        let gate = layer.gate.forward(x)?;
        let gate = match self.config.arch.activation() {
            Activation::Silu => gate.silu()?,
            Activation::Gelu => gate.gelu()?,
        };
        layer.down.forward(&(gate * layer.up.forward(x)?)?)
    }

    /// Turns heads, `[rows, heads, head_dim]`, by their rows' angles; dimensions behind the rotated
    /// ones stay.
    fn rotated(&self, heads: &Tensor, angles: &Angles) -> Result<Tensor> {
        let rope_dim = self.config.rope_dim as usize;
        let (n_rows, n_heads, head_dim) = heads.dims3()?;
        let turn = |a: &Tensor, b: &Tensor| -> Result<[Tensor; 2]> {
            Ok([
                (a.broadcast_mul(&angles.cos)? - b.broadcast_mul(&angles.sin)?)?,
                (a.broadcast_mul(&angles.sin)? + b.broadcast_mul(&angles.cos)?)?,
            ])
        };
        let turned = match self.config.arch.rope_style() {
            RopeStyle::Neox => {
                let half = rope_dim / 2;
                let [a, b] = turn(&heads.narrow(2, 0, half)?, &heads.narrow(2, half, half)?)?;
                Tensor::cat(&[a, b], 2)?
            }
            _ => {
                let pairs = heads.narrow(2, 0, rope_dim)?.contiguous()?;
                let pairs = pairs.reshape((n_rows, n_heads, rope_dim / 2, 2))?;
                let part = |at: usize| pairs.narrow(3, at, 1)?.squeeze(3);
                let [a, b] = turn(&part(0)?, &part(1)?)?;
                Tensor::stack(&[a, b], 3)?.reshape((n_rows, n_heads, rope_dim))?
            }
        };
        match head_dim - rope_dim {
            0 => Ok(turned),
            n_rest => Tensor::cat(&[turned, heads.narrow(2, rope_dim, n_rest)?], 2),
        }
    }

    /// RMS norm of the last dimension.
    fn normed(&self, x: &Tensor, weight: &Tensor) -> Result<Tensor> {
        let mean = x.sqr()?.mean_keepdim(D::Minus1)?;
        let root = (mean + f64::from(self.config.norm_eps))?.sqrt()?;
        x.broadcast_div(&root)?.broadcast_mul(weight)
    }

    fn post_normed(&self, x: Tensor, weight: Option<&Tensor>) -> Result<Tensor> {
        match weight {
            Some(weight) => self.normed(&x, weight),
            None => Ok(x),
        }
    }
}

/// As the cache keeps them; what is too large becomes the largest.
fn halves(x: &Tensor) -> Result<Tensor> {
    x.clamp(-LARGEST_HALF, LARGEST_HALF)?.to_dtype(DType::F16)?.contiguous()
}
