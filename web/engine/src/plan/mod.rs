//! Which buffers and dispatches does a model's computation consist of?
//!
//! Everything is decided when a model is loaded; the session only replays it. One layer is
//!
//! | | decode | gemma3 |
//! |---|---|---|
//! | 1 | QKV product, norm and bias fused | |
//! | 2 | rotation (and norm of heads), keys and values into the cache | |
//! | 3 | attention, for long contexts in two dispatches | |
//! | 4 | output product + residual + next bundle | product, then norm + residual + bundle |
//! | 5 | gate and up product + activation | |
//! | 6 | down product + residual + next bundle | product, then norm + residual + bundle |

mod attention;
mod encoder;
mod forward;
mod model_plan;
mod sample;

pub(crate) use encoder::{EncoderPlan, TOKENS_PER_TILE};
pub(crate) use forward::{Mode, Planned, forward, head, head_many};
pub(crate) use model_plan::{ModelPlan, Vectors};
pub(crate) use sample::{SAMPLING_WORDS, sample};
