//! Which shape of the attention kernel suits a model and a device? A pure function.

use crate::caps::Variants;
use crate::model::Config;

/// How a workgroup of `kernels/attention.wgsl` is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AttentionShape {
    pub lanes: u32,
    /// The lanes are one subgroup.
    pub subgroup: bool,
    /// Query heads and tokens that share each loaded key and value.
    pub heads: u32,
    pub tokens: u32,
}

/// Shapes and splits of a model's attention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AttentionPlan {
    pub one: AttentionShape,
    pub many: AttentionShape,
    /// Positions of a run where long contexts are split for one token.
    pub chunk: u32,
    /// Runs that the whole context has.
    pub max_splits: u32,
}

/// Queries of a workgroup: each holds a sum of `head_dim` values in registers.
const MAX_ROWS: u32 = 16;
const MAX_ROW_VALUES: u32 = 1024;

impl AttentionShape {
    /// For `heads` query heads that share a key-value head, and `tokens`.
    pub fn new(head_dim: u32, heads: u32, tokens: u32, variants: &Variants) -> Self {
        let d4 = head_dim / 4;
        let subgroup = variants.is_software
            && variants.subgroups
            && matches!(variants.subgroup_min_size, 4 | 8);
        let lanes = if subgroup { variants.subgroup_min_size } else { d4 * (64 / d4).max(1) };
        Self { lanes, subgroup, heads, tokens }
    }

    /// Queries that a workgroup may take.
    pub fn max_rows(head_dim: u32) -> u32 {
        (MAX_ROW_VALUES / head_dim).clamp(1, MAX_ROWS)
    }
}

impl AttentionPlan {
    pub fn new(config: &Config, variants: &Variants, n_ctx: u32) -> Self {
        let shared_by = config.n_heads / config.n_kv_heads;
        let max_rows = AttentionShape::max_rows(config.head_dim);
        let heads = (1..=shared_by.min(max_rows))
            .rev()
            .find(|heads| shared_by.is_multiple_of(*heads))
            .unwrap_or(1);
        // A power of two, so that any chunk of tokens is a whole number of workgroups.
        let tokens = 1 << (max_rows / heads).max(1).ilog2();
        let chunk = if variants.is_software { 1024 } else { 128 };
        Self {
            one: AttentionShape::new(config.head_dim, heads, 1, variants),
            many: AttentionShape::new(config.head_dim, heads, tokens, variants),
            chunk,
            max_splits: n_ctx.div_ceil(chunk),
        }
    }

    /// Size of the buffer between attention and its reduce; 0 where contexts are never split.
    pub fn partial_bytes(&self, config: &Config) -> u64 {
        if self.max_splits == 1 {
            return 0;
        }
        u64::from(config.n_heads)
            * u64::from(self.max_splits)
            * u64::from(config.head_dim / 4 + 1)
            * 16
    }

    /// Splits for which a plan is made: 1, then doubling, up to the whole context.
    pub fn tiers(&self) -> Vec<u32> {
        let mut tiers = vec![1];
        while let Some(&last) = tiers.last()
            && last < self.max_splits
        {
            tiers.push((last * 2).min(self.max_splits));
        }
        tiers
    }

    /// The first tier whose splits hold `n_positions`.
    pub fn tier(&self, n_positions: u32) -> usize {
        let splits = n_positions.div_ceil(self.chunk).max(1);
        self.tiers().iter().position(|&tier| splits <= tier).unwrap_or(0)
    }
}
