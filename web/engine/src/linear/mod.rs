//! How is a linear layer laid out, and which dispatches compute it?
//!
//! A [`LinearWeight`] is one or several GGUF matrices that read the same input (Q, K and V; gate and
//! up), repacked on load ([`crate::repack`]) and computed by one dispatch for each part. The kinds
//! of their weights may differ. [`linear`] records `y = W·x` with what stands around it fused in:
//!
//! - **before**: the RMS norm. A producer of the residual stream writes `x∘w_norm` (float32, or
//!   8-bit blocks of 32) and the sum of squares of each 32 values into an activation bundle
//!   ([`ActLayout`]); since `W·(x∘w_norm·s) = s·(W·(x∘w_norm))`, a consumer adds the partial sums up
//!   and multiplies its result by `s = 1/√(Σx²/n + ε)`. No dispatch is spent on a norm.
//! - **after** ([`Output`]): a bias, the residual add with the next bundle, or SiLU/GELU(gate)·up
//!   with the next bundle.
//!
//! ```text
//! embed ──► x, bundle ─► linear(QKV, Plain) ─► rope+KV ─► attention ─► bundle
//!    ─► linear(o, Residual) ─► x, bundle ─► linear(gate/up, Gated) ─► bundle
//!    ─► linear(down, Residual) ─► x, bundle ─► next layer … ─► linear(lm_head, Plain) ─► logits
//! ```
//! One token takes the matrix–vector kernel, [`Tokens::Many`] the tiled matrix product; bundles and
//! weights are the same for both.

mod act;
mod choice;
mod embed;
mod plan;
mod weight;

pub use act::{ActKind, ActLayout, BLOCK};
pub use choice::LinearChoice;
pub use choice::Shape;
pub use embed::{Embed, embed};
pub use plan::{Gate, Input, Linear, NextBundle, Output, RmsNorm, Tokens, linear};
pub use weight::{
    LinearWeight, MatrixDesc, Part, Placement, ROW_GROUP, Segment, Stacking, TILE, WeightFormat,
};
